/**
 * A router of ours with a packet filter, with the addresses of `LinuxRouter`: both are given the same packets, and what
 * comes out of either is compared once {@link comparable} has taken out what the RFCs leave open.
 */
import type { FilterRules } from '../../kernel/net/filter/rule.ts';
import { parseIpv4, readBe16 } from '../../src/lib/bytes.ts';
import type { SidePacket } from './linux-router.ts';
import { NetRig } from './net-rig.ts';
import { arpFrame, frame } from './packets.ts';

const SIDES = ['inside', 'outside'] as const;
const ROUTER = ['10.0.0.1', '203.0.113.1'] as const;
const ROUTER_MACS = ['52:54:00:00:00:01', '52:54:00:00:01:01'] as const;
const PEER_MACS = ['52:54:00:aa:00:01', '52:54:00:aa:01:01'] as const;
const GATEWAY = '203.0.113.254';
const INSIDE_HOSTS = ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'];
/** Long enough that no limit on errors is in the way, and short enough that no connection is forgotten. */
const BETWEEN_PACKETS_NS = 20_000_000;

const HEADER_CHECKSUM_AT = 10;
const DONT_FRAGMENT = 0x40;
const TIME_TO_LIVE_AT = 8;

export class FilterRig {
  readonly rig: NetRig;

  constructor(filter: FilterRules) {
    const [inside, outside] = ROUTER.map(address => ({ address: parseIpv4(address), prefixLength: 24 }));
    const interfaces = [inside!, { ...outside!, gateway: parseIpv4(GATEWAY) }];
    this.rig = new NetRig({ interfaces, forwarding: true, filter }, 2);
    for (const host of INSIDE_HOSTS) this.#introduce(0, host);
    this.#introduce(1, GATEWAY);
  }

  /** What comes out because of each of `packets`, which go in one after the other. */
  passAll(packets: readonly SidePacket[]): readonly (readonly SidePacket[])[] {
    return packets.map(({ side, packet }) => {
      const index = SIDES.indexOf(side);
      const link = { to: ROUTER_MACS[index]!, from: PEER_MACS[index]!, type: 0x0800 };
      this.rig.inject(frame({ ...link, payload: packet }), index);
      const out = SIDES.flatMap((at, i) =>
        this.rig.drivers[i]!.sent.splice(0).map(octets => ({ side: at, packet: octets.slice(14) })),
      );
      this.rig.advance(BETWEEN_PACKETS_NS);
      return out;
    });
  }

  #introduce(index: number, host: string): void {
    const fields = { opcode: 1, senderMac: PEER_MACS[index]!, sender: host, target: ROUTER[index]! };
    this.rig.inject(arpFrame(fields), index);
    this.rig.drivers[index]!.sent.length = 0;
  }
}

/**
 * A packet as it is compared. What the router itself sends may have any identification, and may forbid fragments or not;
 * whether the time to live in a packet that it quotes has been decremented already is left open too.
 */
export function comparable({ side, packet }: SidePacket): string {
  const octets = packet.slice();
  if (ROUTER.some(address => readAddress(octets, 12) === parseIpv4(address))) {
    octets.fill(0, 4, 6);
    octets[6]! &= ~DONT_FRAGMENT;
    octets.fill(0, HEADER_CHECKSUM_AT, HEADER_CHECKSUM_AT + 2);
    if (octets[9] === 1 && octets.length >= 48) {
      octets.fill(0, 22, 24);
      octets[28 + TIME_TO_LIVE_AT] = 0;
      octets.fill(0, 28 + HEADER_CHECKSUM_AT, 28 + HEADER_CHECKSUM_AT + 2);
    }
  }
  return `${side} ${Buffer.from(octets).toString('hex')}`;
}

const readAddress = (octets: Uint8Array, at: number): number =>
  readBe16(octets, at) * 0x1_0000 + readBe16(octets, at + 2);
