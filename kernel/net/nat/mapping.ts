/**
 * What the mapping table is made of. A mapping pairs an endpoint of the inside with one of the public side, whoever it
 * talks to (RFC 4787 section 4.1, endpoint-independent mapping). Its sessions are the peers that it is known to talk to:
 * they age, and the last one to go takes the mapping with it.
 */
import type { AgeList } from './age-list.ts';
import type { TcpState } from './tcp-tracker.ts';

/**
 * What an endpoint of a mapping is. An ICMP query has an identifier for a port. Protocols without either are translated
 * by address alone, so one inside host at a time can use each of them; the protocol number plays the port.
 */
export const KIND = { tcp: 0, udp: 1, icmp: 2, other: 3 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];
export const KIND_NAMES = ['tcp', 'udp', 'icmp', 'other'] as const;

/** Addresses are unsigned. */
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
    this.publicAddress = publicAddress;
    this.publicPort = publicPort;
    this.privateAddress = privateAddress;
    this.privatePort = privatePort;
    this.createdNs = createdNs;
    this.forward = forward;
  }
}

/** `ACTIVE`: what is not TCP has no states. */
export type SessionState = TcpState | 'ACTIVE';

export class Session {
  readonly mapping: Mapping;
  /** The peer; 0 where every address, or port, counts as the same one. */
  readonly remoteAddress: number;
  readonly remotePort: number;
  state: SessionState;
  /** The other sessions of the mapping. For the table alone. */
  newer: Session | null = null;
  older: Session | null = null;
  /** The list in which it ages, its place there, and when it last went to the end of it. For the list alone. */
  ageList: AgeList | null = null;
  ageNext: Session | null = null;
  agePrevious: Session | null = null;
  touchedNs = 0;

  constructor(mapping: Mapping, remoteAddress: number, remotePort: number, state: SessionState) {
    this.mapping = mapping;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.state = state;
  }
}
