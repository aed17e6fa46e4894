/** NAT and packets that are longer than a link, or a buffer, takes: RFC 4787 REQ-13 and REQ-14. */
import { beforeEach, describe, expect, test } from 'vitest';
import { distinct, pieces } from '../../../../support/fragments.ts';
import {
  ALICE,
  FLAGS,
  HOP,
  icmpPacket,
  NatRig,
  PUBLIC,
  SERVER,
  tcpPacket,
  udpPacket,
} from '../../../../support/nat-rig.ts';
import { ipv4, naiveSum } from '../../../../support/packets.ts';

const HALFWAY = '192.0.2.99';
const client = `${ALICE}:4000`;
const mapped = `${PUBLIC}:4000`;
const server = `${SERVER}:53`;
const DATA = distinct(4000);
const DF = { fragment: 0x4000 };

let rig: NatRig;
beforeEach(() => {
  rig = new NatRig();
});

/** A packet, header and all, in fragments of `size` octets of payload. */
function cut(packet: Uint8Array, size: number): Uint8Array[] {
  const address = (at: number) => packet.subarray(at, at + 4).join('.');
  const fields = { source: address(12), destination: address(16), protocol: packet[9]!, ttl: packet[8]! };
  return pieces({ ...fields, payload: packet.subarray(20) }, size).map(each => ipv4({ ...fields, ...each }));
}

const ORDERS: readonly (readonly [string, (packets: Uint8Array[]) => Uint8Array[]])[] = [
  ['in order', packets => packets],
  ['the last one first', packets => packets.toReversed()],
  ['the first one in between', ([first, ...others]) => [others[1]!, first!, others[0]!]],
  ['some of them twice', packets => packets.flatMap((each, i) => (i === 1 ? [each, each] : [each]))],
];

describe('a datagram in fragments', () => {
  test.each(ORDERS)('NAT-12 FRAG-8 goes out by one mapping, %s', (_, order) => {
    for (const each of order(cut(udpPacket(client, server, DATA), 1480))) rig.fromInside(each);
    for (const each of cut(udpPacket(mapped, server, DATA, HOP), 1480)) rig.expectOutside(each);
    expect(rig.rows()).toEqual([`udp ${mapped} ${client} ACTIVE`]);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test.each(ORDERS)('NAT-12 FRAG-8 comes in to who asked for it, %s', (_, order) => {
    rig.fromInside(udpPacket(client, server));
    rig.sentOutside();
    for (const each of order(cut(udpPacket(server, mapped, DATA), 1480))) rig.fromOutside(each);
    for (const each of cut(udpPacket(server, client, DATA, HOP), 1480)) rig.expectInside(each);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-12 FRAG-8 does not come in where it is for nobody', () => {
    for (const each of cut(udpPacket(server, mapped, DATA), 1480)) rig.fromOutside(each);
    // The router itself is asked: nobody listens at the port.
    expect([...rig.sentOutside().subarray(20, 22)]).toEqual([3, 3]);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-12 of two hosts, with one identification, are kept apart by their sources', () => {
    const other = udpPacket('10.0.0.3:4000', server, distinct(2000));
    const [a, b] = [cut(udpPacket(client, server, DATA), 1480), cut(other, 1480)];
    for (const each of [a[0]!, b[1]!, a[2]!, b[0]!, a[1]!]) rig.fromInside(each);
    const sources = new Set<string>();
    for (let i = 0; i < 5; i++) sources.add([...rig.sentOutside().subarray(12, 16)].join('.'));
    expect([...sources]).toEqual([PUBLIC]);
    expect(rig.rows()).toHaveLength(2);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-12 a packet that was whole is cut for a way out that takes less', () => {
    rig.net.interfaces[1]!.setMtu(576);
    rig.fromInside(udpPacket(client, server, distinct(1000)));
    for (const each of cut(udpPacket(mapped, server, distinct(1000), HOP), 552)) rig.expectOutside(each);
    rig.expectNothing();
  });
});

describe('a packet with DF that is too long', () => {
  const packets = {
    udp: [udpPacket(client, server, distinct(1000), DF), udpPacket(mapped, server, distinct(1000), { ...DF, ...HOP })],
    tcp: [
      tcpPacket(client, server, FLAGS.SYN, distinct(1000), DF),
      tcpPacket(mapped, server, FLAGS.SYN, distinct(1000), { ...DF, ...HOP }),
    ],
  } as const;

  test.each(['udp', 'tcp'] as const)(
    'NAT-12 for the way out: its sender hears 3/4, and of its own packet: %s',
    kind => {
      rig.net.interfaces[1]!.setMtu(576);
      const [sent] = packets[kind];
      rig.fromInside(sent);
      const error = rig.sentInside();
      expect([...error.subarray(12, 28)]).toEqual([
        ...[10, 0, 0, 1, 10, 0, 0, 2],
        ...[3, 4, error[22]!, error[23]!, 0, 0, 576 >> 8, 576 & 255],
      ]);
      expect(naiveSum(error.subarray(20))).toBe(0xffff);
      expect(error.subarray(28)).toEqual(sent.subarray(0, 548));
      rig.expectNothing();
      rig.expectNoLeak();
    },
  );

  test.each(['udp', 'tcp'] as const)(
    'NAT-12 for a later link: 3/4 comes back in, quoting what its sender sent: %s',
    kind => {
      const [sent, translated] = packets[kind];
      rig.fromInside(sent);
      rig.expectOutside(translated);
      const hop = kind === 'udp' ? udpPacket(client, server, distinct(1000), { ...DF, ...HOP }) : null;
      const expected = hop ?? tcpPacket(client, server, FLAGS.SYN, distinct(1000), { ...DF, ...HOP });
      for (const length of [28, 60, 548]) {
        const about = (quoted: Uint8Array) => ({ type: 3, code: 4, word: 1000, data: quoted.subarray(0, length) });
        rig.fromOutside(icmpPacket(HALFWAY, PUBLIC, about(translated)));
        rig.expectInside(icmpPacket(HALFWAY, ALICE, about(expected), HOP));
      }
      rig.expectNothing();
      rig.expectNoLeak();
    },
  );

  test('NAT-12 from outside: the outside hears 3/4, quoted as it came', () => {
    rig.fromInside(udpPacket(client, server));
    rig.sentOutside();
    rig.net.interfaces[0]!.setMtu(576);
    const sent = udpPacket(server, mapped, distinct(1000), DF);
    rig.fromOutside(sent);
    const error = rig.sentOutside();
    expect([...error.subarray(12, 22)]).toEqual([203, 0, 113, 1, 198, 51, 100, 7, 3, 4]);
    expect(naiveSum(error.subarray(20))).toBe(0xffff);
    expect(error.subarray(28)).toEqual(sent.subarray(0, 548));
    rig.expectNothing();
  });
});

describe('an ICMP error that came in fragments', () => {
  const quotes = [
    udpPacket(mapped, server, distinct(3000), HOP),
    udpPacket(client, server, distinct(3000), HOP),
  ] as const;
  const error = (to: string, quote: Uint8Array, extra = {}) =>
    icmpPacket(HALFWAY, to, { type: 11, code: 0, data: quote, ...extra });
  beforeEach(() => {
    rig.fromInside(udpPacket(client, server));
    rig.sentOutside();
  });

  test('NAT-11 NAT-12 is translated, with the checksum over all of it', () => {
    for (const each of cut(error(PUBLIC, quotes[0]), 1480).toReversed()) rig.fromOutside(each);
    const whole = icmpPacket(HALFWAY, ALICE, { type: 11, code: 0, data: quotes[1] }, HOP);
    for (const each of cut(whole, 1480)) rig.expectInside(each);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-11 with a wrong checksum it is dropped', () => {
    for (const each of cut(error(PUBLIC, quotes[0], { checksumError: 1 }), 1480)) rig.fromOutside(each);
    rig.expectNothing();
    expect(rig.net.drops.counts['bad ICMP checksum']).toBe(1);
    rig.expectNoLeak();
  });
});
