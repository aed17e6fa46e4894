/**
 * A mapping as a person reads it: a row of the table `public address | port | private address | port`, with what it is for
 * and how long it has left.
 */
import { KIND, type Mapping, type Session, type SessionState } from './mapping.ts';

/** One of the peers of a mapping. Address and port are 0 where the filter does not tell them apart. */
interface SessionRow {
  readonly remoteAddress: number;
  readonly remotePort: number;
  readonly state: SessionState;
  /** Nanoseconds after which it ends, unless something is sent. */
  readonly leftNs: number;
}

/** Addresses are unsigned. Ports of ICMP are identifiers; other protocols have none, and 0 here. */
export interface MappingRow {
  readonly publicAddress: number;
  readonly publicPort: number;
  readonly privateAddress: number;
  readonly privatePort: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp' | number;
  /** That of the session that has longest to live. `EXPIRED`: the last one has ended, and so has the mapping. */
  readonly state: SessionState | 'FORWARD' | 'EXPIRED';
  readonly ageNs: number;
  /** Nanoseconds after which the mapping ends, unless something is sent; null: it never does. */
  readonly leftNs: number | null;
  /** Newest first. */
  readonly sessions: readonly SessionRow[];
}

const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const;

/** The row of `mapping` at `nowNs`. `timeoutOf` says how long a session may be idle. */
export function rowOf(mapping: Mapping, nowNs: number, timeoutOf: (session: Session) => number): MappingRow {
  const { kind, publicAddress, publicPort, privateAddress, privatePort } = mapping;
  const sessions: SessionRow[] = [];
  for (let session = mapping.sessions; session !== null; session = session.older) {
    const { remoteAddress, remotePort, state } = session;
    sessions.push({
      remoteAddress: remoteAddress >>> 0,
      remotePort,
      state,
      leftNs: session.touchedNs + timeoutOf(session) - nowNs,
    });
  }
  const longest = sessions.reduce<SessionRow | null>((a, b) => (a !== null && a.leftNs >= b.leftNs ? a : b), null);
  const other = kind === KIND.other;
  return {
    publicAddress: publicAddress >>> 0,
    publicPort: other ? 0 : publicPort,
    privateAddress: privateAddress >>> 0,
    privatePort: other ? 0 : privatePort,
    protocol: kind === KIND.other ? publicPort : PROTOCOLS[kind],
    state: longest?.state ?? (mapping.forward ? 'FORWARD' : 'EXPIRED'),
    ageNs: nowNs - mapping.createdNs,
    leftNs: longest?.leftNs ?? null,
    sessions,
  };
}
