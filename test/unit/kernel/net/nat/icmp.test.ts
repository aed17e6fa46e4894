import { describe, expect, test } from 'vitest';
import type { DropReason } from '../../../../../kernel/net/drop.ts';
import {
  ALICE,
  BOB,
  echoPacket,
  FLAGS,
  HOP,
  icmpPacket,
  NatRig,
  OTHER_SERVER,
  PUBLIC,
  SERVER,
  tcpPacket,
  udpPacket,
} from '../../../../support/nat-rig.ts';
import { icmp, ipv4, naiveSum } from '../../../../support/packets.ts';

/** A router on the way, who reports errors. */
const HALFWAY = '192.0.2.99';
const client = `${ALICE}:4000`;
const mapped = `${PUBLIC}:4000`;
const server = `${SERVER}:53`;

function talking(rig = new NatRig()): NatRig {
  rig.fromInside(udpPacket(client, server));
  rig.sentOutside();
  return rig;
}

const error = (from: string, to: string, quoted: Uint8Array, type = 3, code = 3, word = 0, extra = {}) =>
  icmpPacket(from, to, { type, code, word, data: quoted }, extra);

function expectDropped(rig: NatRig, reason: DropReason): void {
  rig.expectNothing();
  expect(rig.net.drops.counts[reason]).toBe(1);
  rig.expectNoLeak();
}

describe('a query', () => {
  test('NAT-1 keeps its identifier for all remotes, and its replies come back (5508 REQ-1)', () => {
    const rig = new NatRig();
    rig.fromInside(echoPacket(ALICE, SERVER, 77));
    rig.expectOutside(echoPacket(PUBLIC, SERVER, 77, 8, HOP));
    rig.fromInside(echoPacket(ALICE, OTHER_SERVER, 77));
    rig.expectOutside(echoPacket(PUBLIC, OTHER_SERVER, 77, 8, HOP));
    rig.fromOutside(echoPacket(SERVER, PUBLIC, 77, 0));
    rig.expectInside(echoPacket(SERVER, ALICE, 77, 0, HOP));
    expect(rig.rows()).toEqual([`icmp ${PUBLIC}:77 ${ALICE}:77 ACTIVE`]);
    rig.expectNoLeak();
  });

  test('NAT-6 of two hosts with one identifier gets two', () => {
    const rig = new NatRig();
    rig.fromInside(echoPacket(ALICE, SERVER, 77));
    rig.sentOutside();
    rig.fromInside(echoPacket(BOB, SERVER, 77));
    const octets = rig.sentOutside();
    const identifier = octets[24]! * 256 + octets[25]!;
    expect(identifier).not.toBe(77);
    expect(naiveSum(octets.subarray(20))).toBe(0xffff);
    rig.fromOutside(echoPacket(SERVER, PUBLIC, identifier, 0));
    rig.expectInside(echoPacket(SERVER, BOB, 77, 0, HOP));
  });

  test('NAT-5 is remembered for a minute (5508 REQ-2)', () => {
    const rig = new NatRig();
    rig.fromInside(echoPacket(ALICE, SERVER, 77));
    rig.sentOutside();
    rig.wait(59);
    rig.fromOutside(echoPacket(SERVER, PUBLIC, 77, 0));
    rig.expectInside(echoPacket(SERVER, ALICE, 77, 0, HOP));
    rig.wait(1.1);
    expect(rig.rows()).toEqual([]);
    rig.fromOutside(echoPacket(SERVER, PUBLIC, 77, 0));
    rig.expectNothing();
  });

  test('NAT-14 that comes back all zero has a checksum of all ones', () => {
    const rig = new NatRig();
    for (const host of [ALICE, BOB]) {
      rig.fromInside(icmpPacket(host, SERVER, { type: 8, word: 0 }));
    }
    rig.sentOutside();
    const identifier = rig.sentOutside().subarray(24, 26);
    rig.fromOutside(icmpPacket(SERVER, PUBLIC, { type: 0, word: (identifier[0]! * 256 + identifier[1]!) * 0x1_0000 }));
    rig.expectInside(icmpPacket(SERVER, BOB, { type: 0, word: 0 }, HOP));
  });

  test('of timestamps is translated too; a reply or an unknown type from the inside is not', () => {
    const rig = new NatRig();
    rig.fromInside(icmpPacket(ALICE, SERVER, { type: 13, word: 0x0005_0001, data: new Uint8Array(12) }));
    rig.expectOutside(icmpPacket(PUBLIC, SERVER, { type: 13, word: 0x0005_0001, data: new Uint8Array(12) }, HOP));
    rig.fromOutside(icmpPacket(SERVER, PUBLIC, { type: 14, word: 0x0005_0001, data: new Uint8Array(12) }));
    rig.expectInside(icmpPacket(SERVER, ALICE, { type: 14, word: 0x0005_0001, data: new Uint8Array(12) }, HOP));
    for (const type of [0, 14, 9, 40]) rig.fromInside(icmpPacket(ALICE, SERVER, { type, word: 1 }));
    rig.expectNothing();
    expect(rig.net.drops.counts['NAT cannot translate']).toBe(4);
  });

  test('from outside to the public address is for the router', () => {
    const rig = new NatRig();
    rig.fromOutside(echoPacket(SERVER, PUBLIC, 77));
    const reply = rig.sentOutside();
    expect(reply.subarray(20)).toEqual(icmp({ type: 0, word: 77 * 0x1_0000 + 1, data: [9, 8, 7] }));
    expect(rig.rows()).toEqual([]);
  });
});

describe('an error from outside', () => {
  const quotedOf = {
    udp: [udpPacket(mapped, server, [1, 2, 3], HOP), udpPacket(client, server, [1, 2, 3], HOP)],
    tcp: [tcpPacket(mapped, server, FLAGS.SYN, [], HOP), tcpPacket(client, server, FLAGS.SYN, [], HOP)],
    icmp: [echoPacket(PUBLIC, SERVER, 4000, 8, HOP), echoPacket(ALICE, SERVER, 4000, 8, HOP)],
  } as const;
  const sendersOf = {
    udp: udpPacket(client, server),
    tcp: tcpPacket(client, server, FLAGS.SYN),
    icmp: echoPacket(ALICE, SERVER, 4000),
  } as const;

  test.each(['udp', 'tcp', 'icmp'] as const)(
    'NAT-10 about %s is given back as its sender knows it (5508 REQ-4)',
    kind => {
      const rig = new NatRig();
      rig.fromInside(sendersOf[kind]);
      rig.sentOutside();
      const [public_, private_] = quotedOf[kind];
      for (const [type, code, word] of [
        [3, 1, 0],
        [3, 4, 1400],
        [11, 0, 0],
        [12, 0, 0x0500_0000],
        [4, 0, 0],
      ] as const) {
        rig.fromOutside(error(HALFWAY, PUBLIC, public_, type, code, word));
        rig.expectInside(error(HALFWAY, ALICE, private_, type, code, word, HOP));
      }
      rig.expectNoLeak();
    },
  );

  test.each(['udp', 'tcp', 'icmp'] as const)('NAT-10 that quotes no more than 8 octets of %s is as well', kind => {
    const rig = new NatRig();
    rig.fromInside(sendersOf[kind]);
    rig.sentOutside();
    const [public_, private_] = quotedOf[kind];
    rig.fromOutside(error(HALFWAY, PUBLIC, public_.subarray(0, 28)));
    rig.expectInside(error(HALFWAY, ALICE, private_.subarray(0, 28), 3, 3, 0, HOP));
  });

  test('NAT-10 with a UDP checksum of zero in what it quotes leaves it zero', () => {
    const rig = talking();
    const blank = (packet: Uint8Array) => packet.slice().fill(0, 26, 28);
    rig.fromOutside(error(HALFWAY, PUBLIC, blank(quotedOf.udp[0])));
    rig.expectInside(error(HALFWAY, ALICE, blank(quotedOf.udp[1]), 3, 3, 0, HOP));
  });

  test('NAT-10 about what nobody inside has sent is not passed on', () => {
    const rig = talking();
    rig.fromOutside(error(HALFWAY, PUBLIC, udpPacket(`${PUBLIC}:4001`, server)));
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-10 that came to another address than what it quotes came from is not passed on', () => {
    const rig = talking();
    rig.fromOutside(error(HALFWAY, PUBLIC, udpPacket('203.0.113.9:4000', server)));
    rig.expectNothing();
  });

  test('NAT-11 with a wrong ICMP checksum is dropped (5508 REQ-3a)', () => {
    const rig = talking();
    rig.fromOutside(icmpPacket(HALFWAY, PUBLIC, { type: 3, code: 3, data: quotedOf.udp[0], checksumError: 1 }));
    expectDropped(rig, 'bad ICMP checksum');
  });

  test('NAT-11 with a wrong checksum in the IPv4 header that it quotes is dropped (REQ-3b)', () => {
    const rig = talking();
    rig.fromOutside(error(HALFWAY, PUBLIC, udpPacket(mapped, server, [1], { checksumError: 1 })));
    expectDropped(rig, 'malformed ICMP');
  });

  test('NAT-11 skips the options of the IPv4 header that it quotes (REQ-3c)', () => {
    const rig = talking();
    const options = [148, 4, 0, 0, 1, 1, 1, 0];
    rig.fromOutside(error(HALFWAY, PUBLIC, udpPacket(mapped, server, [1], { options })));
    rig.expectInside(error(HALFWAY, ALICE, udpPacket(client, server, [1], { options }), 3, 3, 0, HOP));
  });

  test.each([0, 1, 7, 19, 20, 27])('NAT-11 that quotes %s octets is dropped', length => {
    const rig = talking();
    rig.fromOutside(error(HALFWAY, PUBLIC, quotedOf.udp[0].subarray(0, length)));
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-9 neither ends nor refreshes a mapping (4787 REQ-12, 5382 REQ-10, 5508 REQ-6)', () => {
    const rig = talking();
    rig.wait(200);
    for (const type of [3, 11]) {
      rig.fromOutside(error(HALFWAY, PUBLIC, quotedOf.udp[0], type));
      rig.sentInside();
    }
    expect(rig.nat.table()[0]!.leftNs).toBe(100e9);
    rig.fromOutside(udpPacket(server, mapped));
    rig.expectInside(udpPacket(server, client, [1, 2, 3], HOP));
    rig.wait(100.1);
    expect(rig.rows()).toEqual([]);
  });

  test('NAT-9 nor does it end a TCP connection that is being opened', () => {
    const rig = new NatRig();
    rig.fromInside(sendersOf.tcp);
    rig.sentOutside();
    rig.fromOutside(error(HALFWAY, PUBLIC, quotedOf.tcp[0]));
    rig.sentInside();
    rig.fromOutside(tcpPacket(server, mapped, FLAGS.SYN | FLAGS.ACK));
    rig.expectInside(tcpPacket(server, client, FLAGS.SYN | FLAGS.ACK, [], HOP));
  });
});

describe('an error from the inside', () => {
  const arrived = udpPacket(server, client, [1, 2, 3], { ttl: 62 });
  const sent = udpPacket(server, mapped, [1, 2, 3], { ttl: 62 });

  test('NAT-10 has the public address for its source, and quotes what the outside sent (5508 REQ-5)', () => {
    const rig = talking();
    rig.fromInside(error(ALICE, SERVER, arrived));
    rig.expectOutside(error(PUBLIC, SERVER, sent, 3, 3, 0, HOP));
    rig.expectNoLeak();
  });

  test('NAT-10 of a router in there has it too (REQ-5d)', () => {
    const rig = talking();
    rig.fromInside(error('10.0.0.77', SERVER, arrived, 11, 0));
    rig.expectOutside(error(PUBLIC, SERVER, sent, 11, 0, 0, HOP));
  });

  test('NAT-10 about nothing that came through is dropped', () => {
    const rig = talking();
    rig.fromInside(error(ALICE, SERVER, udpPacket(server, `${ALICE}:4001`)));
    expectDropped(rig, 'NAT cannot translate');
  });
});

describe('what the router itself has to say', () => {
  test('about a packet that it has not translated yet goes to its sender as it would without NAT', () => {
    const rig = new NatRig();
    rig.fromInside(udpPacket(client, server, [1], { ttl: 1 }));
    const exceeded = rig.sentInside();
    expect([...exceeded.subarray(12, 22)]).toEqual([10, 0, 0, 1, 10, 0, 0, 2, 11, 0]);
    expect(exceeded.subarray(28)).toEqual(udpPacket(client, server, [1], { ttl: 1 }));
    expect(rig.rows()).toEqual([]);
  });

  test('NAT-10 about a packet that it had translated on its way in, it quotes as its sender knows it', () => {
    const rig = talking();
    rig.fromOutside(udpPacket(server, mapped, [1], { ttl: 1 }));
    const exceeded = rig.sentOutside();
    expect([...exceeded.subarray(12, 22)]).toEqual([203, 0, 113, 1, 198, 51, 100, 7, 11, 0]);
    expect(naiveSum(exceeded.subarray(20))).toBe(0xffff);
    expect(exceeded.subarray(28)).toEqual(udpPacket(server, mapped, [1], { ttl: 1 }));
  });

  test('NAT-10 about one that it had translated on its way out comes to who sent it', () => {
    const rig = new NatRig();
    // Nobody answers for the next hop: the packet is given up after it was translated.
    rig.fromInside(udpPacket(client, '203.0.113.77:53'));
    for (let request = 0; request < 3; request++) {
      rig.sent(1);
      rig.advance(1_000_000_000);
    }
    const unreachable = rig.sentInside();
    expect([...unreachable.subarray(16, 22)]).toEqual([10, 0, 0, 2, 3, 1]);
    expect(naiveSum(unreachable.subarray(20))).toBe(0xffff);
    expect(unreachable.subarray(28)).toEqual(udpPacket(client, '203.0.113.77:53', [1, 2, 3], HOP));
    rig.expectNothing();
    rig.expectNoLeak();
  });
});

test('a query in an error about an error: none is ever translated', () => {
  const rig = new NatRig();
  const inner = ipv4({
    source: PUBLIC,
    destination: SERVER,
    protocol: 1,
    payload: icmp({ type: 3, code: 1, data: udpPacket(mapped, server) }),
  });
  rig.fromOutside(error(HALFWAY, PUBLIC, inner));
  rig.expectNothing();
  rig.expectNoLeak();
});
