/**
 * How far a TCP connection through a NAT has come, as the segments show it: the state machine of RFC 6146 section 3.5.2.2
 * (its "V6" is the inside here, "V4" the outside), which fulfils RFC 5382. It knows no sequence numbers, so no segment
 * ends a session at once: a reset only lets it age faster, and any other segment takes that back.
 *
 *     (none) --SYN--> INSIDE INIT or OUTSIDE INIT --SYN of the other--> ESTABLISHED --FIN--> INSIDE FIN or OUTSIDE FIN
 *                                                                        |   ^                  |           |
 *                                                                       RST any other          RST   FIN of the other
 *                                                                        v   |                  v           v
 *                                                                      TRANSITORY  <------------+       BOTH FINS
 *
 * Two things go beyond that section. A reset counts in the states of one FIN too; the RFC would keep such a session for
 * two hours. And a SYN begins a session in BOTH FINS anew: a client that uses its port again would else lose its mapping
 * in the middle of the new connection.
 */
import { ACK, FIN, RST, SYN } from '../tcp/segment.ts';

export type TcpState =
  | 'INSIDE INIT'
  | 'OUTSIDE INIT'
  | 'ESTABLISHED'
  | 'INSIDE FIN'
  | 'OUTSIDE FIN'
  | 'BOTH FINS'
  | 'TRANSITORY';

/** The state of a session that a segment with `flags` begins, or null: only a SYN does. */
export function firstState(flags: number, fromInside: boolean): TcpState | null {
  if ((flags & (SYN | ACK | RST | FIN)) !== SYN) return null;
  return fromInside ? 'INSIDE INIT' : 'OUTSIDE INIT';
}

/** The state after a segment with `flags` was passed on. */
export function nextState(state: TcpState, flags: number, fromInside: boolean): TcpState {
  switch (state) {
    case 'INSIDE INIT':
      return (flags & SYN) !== 0 && !fromInside ? 'ESTABLISHED' : state;
    case 'OUTSIDE INIT':
      return (flags & SYN) !== 0 && fromInside ? 'ESTABLISHED' : state;
    case 'ESTABLISHED':
      if ((flags & RST) !== 0) return 'TRANSITORY';
      if ((flags & FIN) === 0) return state;
      return fromInside ? 'INSIDE FIN' : 'OUTSIDE FIN';
    case 'INSIDE FIN':
    case 'OUTSIDE FIN':
      if ((flags & RST) !== 0) return 'TRANSITORY';
      return (flags & FIN) !== 0 && fromInside === (state === 'OUTSIDE FIN') ? 'BOTH FINS' : state;
    case 'BOTH FINS':
      return firstState(flags, fromInside) ?? state;
    case 'TRANSITORY':
      return (flags & RST) === 0 ? 'ESTABLISHED' : state;
  }
}

/** Whether a session in `state` may be idle as long as an established connection: RFC 5382 REQ-5. */
export const isEstablished = (state: TcpState): boolean =>
  state === 'ESTABLISHED' || state === 'INSIDE FIN' || state === 'OUTSIDE FIN';

/** Whether a segment with `flags` that left the session in `state` lets its time begin anew. */
export const refreshes = (state: TcpState, flags: number): boolean =>
  isEstablished(state) ? (flags & RST) === 0 : (flags & (SYN | RST)) === SYN;
