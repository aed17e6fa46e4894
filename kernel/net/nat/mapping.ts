/**
 * What the mapping table is made of. A mapping pairs an endpoint of the inside with one of the public side, whoever it
 * talks to (RFC 4787 section 4.1, endpoint-independent mapping). Its sessions are the peers that it is known to talk to:
 * they age, and the last one to go takes the mapping with it.
 */
import type { HeapEntry } from '../../../src/lib/heap.ts';
import type { TcpState } from './tcp-tracker.ts';

/**
 * What an endpoint of a mapping is. An ICMP query has an identifier for a port. Protocols without either are translated
 * by address alone, so one inside host at a time can use each of them; the protocol number plays the port.
 */
export const KIND = { tcp: 0, udp: 1, icmp: 2, other: 3 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];
export const KIND_NAMES = ['tcp', 'udp', 'icmp', 'other'] as const;

/** Addresses are int32, for V8 keeps larger numbers in objects of their own. */
export class Mapping {
  /** No other mapping of the table has, or had, this one. */
  readonly id: number;
  readonly kind: Kind;
  readonly publicAddress: number;
  readonly publicPort: number;
  readonly privateAddress: number;
  readonly privatePort: number;
  readonly createdNs: number;
  /** A port that the configuration forwards: it has no sessions, lets everybody in, and never goes. */
  readonly forward: boolean;
  /** The newest session. */
  sessions: Session | null = null;

  constructor(
    id: number,
    kind: Kind,
    publicAddress: number,
    publicPort: number,
    privateAddress: number,
    privatePort: number,
    createdNs: number,
    forward: boolean,
  ) {
    this.id = id;
    this.kind = kind;
    this.publicAddress = publicAddress | 0;
    this.publicPort = publicPort;
    this.privateAddress = privateAddress | 0;
    this.privatePort = privatePort;
    this.createdNs = createdNs;
    this.forward = forward;
  }
}

/** `ACTIVE`: what is not TCP has no states. */
export type SessionState = TcpState | 'ACTIVE';

/** `due`, `seq` and `pos` are those of the heap in which it ages. */
export class Session implements HeapEntry {
  readonly mapping: Mapping;
  /** The peer, an int32; 0 where every address, or port, counts as the same one. */
  readonly remoteAddress: number;
  readonly remotePort: number;
  state: SessionState;
  /** The other sessions of the mapping. For the table alone. */
  newer: Session | null = null;
  older: Session | null = null;
  /** When it was last used. */
  touchedNs = 0;
  /** When it has to be looked at: it may have been used since that was set, but will not be due before. */
  due = 0;
  seq = 0;
  pos = -1;

  constructor(mapping: Mapping, remoteAddress: number, remotePort: number, state: SessionState) {
    this.mapping = mapping;
    this.remoteAddress = remoteAddress | 0;
    this.remotePort = remotePort;
    this.state = state;
  }
}
