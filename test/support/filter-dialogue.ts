/**
 * A router that filters, on fake drivers, for tests in the style of a dialogue: PEER is inside, NEXT is outside.
 *
 *     PEER 192.0.2.2 ----- eth0 192.0.2.1 [rig] 198.51.100.1 eth1 ----- NEXT 198.51.100.2
 */
import { expect } from 'vitest';
import type { FilterRules } from '../../kernel/net/filter/rule.ts';
import type { TcpFlowState } from '../../kernel/net/filter/tcp-flow.ts';
import type { Tracker } from '../../kernel/net/filter/tracker.ts';
import type { HookPoint } from '../../kernel/net/ipv4/hooks.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { parseRuleset } from '../../src/nftables/parser.ts';
import { HOST, HOST_MAC, NetRig, PEER, PEER_MAC } from './net-rig.ts';
import { arpFrame, frame, type Ipv4Fields, ipv4, naiveChecksum, udp } from './packets.ts';

const ETH1 = '198.51.100.1';
const ETH1_MAC = '52:54:00:00:01:01';
export const NEXT = '198.51.100.2';
const NEXT_MAC = '52:54:00:00:01:02';

export type Side = 'inside' | 'outside';
const ENDS = {
  inside: { index: 0, source: PEER, destination: NEXT, to: HOST_MAC, from: PEER_MAC },
  outside: { index: 1, source: NEXT, destination: PEER, to: ETH1_MAC, from: NEXT_MAC },
} as const;

const FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16 };
export interface SegmentFields {
  readonly flags: string;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  /** Octets of data. */
  readonly data?: number;
  /** That of the outside end. */
  readonly port?: number;
}

/** What is inside may begin anything, what is outside only answer. */
export const STATEFUL = `ct state invalid drop; ct state established,related accept; iifname eth0 ct state new accept`;

/** One chain with these rules. */
export const rulesOf = (rules: string, hook: HookPoint = 'forward', policy = 'drop'): FilterRules =>
  parseRuleset(`table ip t { chain c { type filter hook ${hook} priority 0; policy ${policy}; ${rules} } }`);

export class FilterDialogue extends NetRig {
  constructor(filter: FilterRules) {
    const interfaces = [HOST, ETH1].map(address => ({ address: parseIpv4(address), prefixLength: 24 }));
    super({ interfaces, forwarding: true, filter }, 2);
    this.introducePeer();
    this.inject(arpFrame({ opcode: 1, senderMac: NEXT_MAC, sender: NEXT, target: ETH1 }), 1);
    super.sent(1);
  }

  get tracker(): Tracker {
    return this.net.filter!.tracker;
  }

  /** That of the one connection there is. */
  get tcpState(): TcpFlowState | undefined {
    return this.tracker.flows()[0]?.tcp?.state;
  }

  /** A packet from one side, to the other unless `fields` say otherwise, comes in. */
  send(side: Side, protocol: number, payload: ArrayLike<number>, fields: Partial<Ipv4Fields> = {}): void {
    const { index, source, destination, to, from } = ENDS[side];
    const packet = ipv4({ source, destination, protocol, payload, ...fields });
    this.inject(frame({ to, from, type: 0x0800, payload: packet }), index);
  }

  /** Whether what was sent has gone through; nothing else has been said. */
  passed(side: Side): boolean {
    const through = this.drivers[1 - ENDS[side].index]!.sent.splice(0);
    this.expectNothing();
    return through.length === 1;
  }

  /** Whether the router passes on such a segment. */
  segment(side: Side, fields: SegmentFields): boolean {
    this.send(side, 6, segmentOf(side, fields));
    return this.passed(side);
  }

  datagram(side: Side, sourcePort: number, destinationPort: number): boolean {
    const { source, destination } = ENDS[side];
    this.send(side, 17, udp({ source, destination, sourcePort, destinationPort, data: [1] }));
    return this.passed(side);
  }

  /** The inside opens a connection: its numbers go on at 101, those of the outside at 501; both windows are 1000. */
  handshake(): void {
    expect(this.segment('inside', { flags: 'S', seq: 100 })).toBe(true);
    expect(this.segment('outside', { flags: 'SA', seq: 500, ack: 101 })).toBe(true);
    expect(this.segment('inside', { flags: 'A', seq: 101, ack: 501 })).toBe(true);
  }
}

const word = (value: number): number[] => [(value >>> 8) & 255, value & 255];
const long = (value: number): number[] => [...word(value >>> 16), ...word(value)];

/** A segment between port 4000 inside and port 80 outside. */
export function segmentOf(
  side: Side,
  { flags, seq, ack = 0, window = 1000, data = 0, port = 80 }: SegmentFields,
): number[] {
  const ports = side === 'inside' ? [...word(4000), ...word(port)] : [...word(port), ...word(4000)];
  const bits = [...flags].reduce((all, letter) => all | FLAGS[letter]!, 0);
  const header = [...ports, ...long(seq), ...long(ack), 0x50, bits, ...word(window), 0, 0, 0, 0];
  const segment = [...header, ...new Array<number>(data).fill(7)];
  const { source, destination } = ENDS[side];
  const pseudo = [...source.split('.'), ...destination.split('.')].map(Number);
  segment.splice(16, 2, ...word(naiveChecksum([...pseudo, 0, 6, ...word(segment.length), ...segment])));
  return segment;
}
