import { describe, expect, test } from 'vitest';
import type { DropReason } from '../../../../../kernel/net/drop.ts';
import type { NatConfig } from '../../../../../kernel/net/nat/config.ts';
import { parseIpv4 } from '../../../../../src/lib/bytes.ts';
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
  ROUTER,
  SERVER,
  tcpPacket,
  udpPacket,
} from '../../../../support/nat-rig.ts';
import { arpFrame, icmp, ipv4 } from '../../../../support/packets.ts';

const { SYN, ACK } = FLAGS;
const FIXED = '203.0.113.9';

const WEB: NonNullable<NatConfig['forwards']> = [
  { protocol: 'tcp', publicPort: 80, privateAddress: parseIpv4(BOB), privatePort: 8080 },
  { protocol: 'udp', publicPort: 53, privateAddress: parseIpv4(BOB), privatePort: 53 },
];
const STATICS = [{ publicAddress: parseIpv4(FIXED), privateAddress: parseIpv4(BOB) }];

function expectDropped(rig: NatRig, reason: DropReason): void {
  rig.expectNothing();
  expect(rig.net.drops.counts[reason]).toBe(1);
  rig.expectNoLeak();
}

describe('a packet from the inside to the public address', () => {
  test('NAT-3 goes back in, with the public source of its sender (4787 REQ-9)', () => {
    const rig = new NatRig();
    rig.fromInside(udpPacket(`${BOB}:5000`, `${SERVER}:9`));
    rig.sentOutside();
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:5000`));
    rig.expectInside(udpPacket(`${PUBLIC}:4000`, `${BOB}:5000`, [1, 2, 3], HOP));
    rig.fromInside(udpPacket(`${BOB}:5000`, `${PUBLIC}:4000`, [7]));
    rig.expectInside(udpPacket(`${PUBLIC}:5000`, `${ALICE}:4000`, [7], HOP));
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-3 opens a TCP connection to a forwarded port (5382 REQ-8)', () => {
    const rig = new NatRig({ forwards: WEB });
    rig.fromInside(tcpPacket(`${ALICE}:4000`, `${PUBLIC}:80`, SYN));
    rig.expectInside(tcpPacket(`${PUBLIC}:4000`, `${BOB}:8080`, SYN, [], HOP));
    rig.fromInside(tcpPacket(`${BOB}:8080`, `${PUBLIC}:4000`, SYN | ACK));
    rig.expectInside(tcpPacket(`${PUBLIC}:80`, `${ALICE}:4000`, SYN | ACK, [], HOP));
    rig.fromInside(tcpPacket(`${ALICE}:4000`, `${PUBLIC}:80`, ACK));
    rig.expectInside(tcpPacket(`${PUBLIC}:4000`, `${BOB}:8080`, ACK, [], HOP));
  });

  test('NAT-3 is filtered by the public end of its sender', () => {
    const rig = new NatRig({ filtering: 'address-and-port-dependent' });
    rig.fromInside(udpPacket(`${BOB}:5000`, `${SERVER}:9`));
    rig.sentOutside();
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:5000`));
    expect(rig.net.drops.counts['NAT filters']).toBe(1);
    rig.fromInside(udpPacket(`${BOB}:5000`, `${PUBLIC}:4000`));
    rig.expectInside(udpPacket(`${PUBLIC}:5000`, `${ALICE}:4000`, [1, 2, 3], HOP));
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:5000`));
    rig.expectInside(udpPacket(`${PUBLIC}:4000`, `${BOB}:5000`, [1, 2, 3], HOP));
  });

  test('NAT-3 is answered with an error that both ends know (5508 REQ-7)', () => {
    const rig = new NatRig({ forwards: WEB });
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:53`));
    const arrived = rig.sentInside();
    rig.fromInside(icmpPacket(BOB, PUBLIC, { type: 3, code: 3, data: arrived }));
    const quoted = udpPacket(`${ALICE}:4000`, `${PUBLIC}:53`, [1, 2, 3], HOP);
    rig.expectInside(icmpPacket(PUBLIC, ALICE, { type: 3, code: 3, data: quoted }, HOP));
  });

  test('NAT-3 causes no redirect, which would lead its sender round the NAT; nor does one pass', () => {
    const rig = new NatRig({ forwards: WEB });
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:53`));
    rig.sentInside();
    rig.expectNothing();
    const quoted = udpPacket(`${PUBLIC}:4000`, `${SERVER}:9`);
    rig.fromOutside(icmpPacket(OTHER_SERVER, PUBLIC, { type: 5, code: 1, word: 0xcb00_7102, data: quoted }));
    expect(rig.net.drops.counts['NAT cannot translate']).toBe(2);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-3 and its answer are one flow to the packet filter in between', () => {
    const rig = new NatRig({ forwards: WEB });
    const seen: string[] = [];
    rig.net.hooks.add('forward', 0, packet => {
      const [from, to] = [packet.bytes.subarray(packet.start + 12), packet.bytes.subarray(packet.start + 16)];
      seen.push(`${from.subarray(0, 4).join('.')} ${to.subarray(0, 4).join('.')}`);
      return true;
    });
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:53`));
    rig.expectInside(udpPacket(`${PUBLIC}:4000`, `${BOB}:53`, [1, 2, 3], HOP));
    rig.fromInside(udpPacket(`${BOB}:53`, `${PUBLIC}:4000`));
    rig.expectInside(udpPacket(`${PUBLIC}:53`, `${ALICE}:4000`, [1, 2, 3], HOP));
    expect(seen).toEqual([`${ALICE} ${BOB}`, `${BOB} ${ALICE}`]);
  });

  test('NAT-3 that the packet filter drops leaves nothing behind that the next packet gets', () => {
    const rig = new NatRig({ forwards: WEB });
    let drop = true;
    rig.net.hooks.add('forward', 0, packet => {
      if (drop) rig.packets.free(packet);
      return !drop;
    });
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:53`));
    rig.expectNothing();
    drop = false;
    // The buffer is the same one.
    rig.fromOutside(echoPacket(SERVER, PUBLIC, 5));
    expect(rig.sentOutside().subarray(20)).toEqual(icmp({ type: 0, word: 0x0005_0001, data: [9, 8, 7] }));
    rig.fromInside(udpPacket(`${ALICE}:1`, '10.0.0.3:2'));
    rig.expectNoLeak();
  });

  test('NAT-3 whose time runs out in the router is answered as well', () => {
    const rig = new NatRig({ forwards: WEB });
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${PUBLIC}:53`, [1], { ttl: 1 }));
    const exceeded = rig.sentInside();
    expect([...exceeded.subarray(16, 22)]).toEqual([10, 0, 0, 2, 11, 0]);
    expect(exceeded.subarray(28)).toEqual(udpPacket(`${ALICE}:4000`, `${PUBLIC}:53`, [1], { ttl: 1 }));
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test("is the router's where nobody inside is behind the port", () => {
    const rig = new NatRig();
    rig.fromInside(echoPacket(ALICE, PUBLIC, 5));
    expect(rig.sentInside().subarray(20)).toEqual(icmp({ type: 0, word: 0x0005_0001, data: [9, 8, 7] }));
    expect(rig.rows()).toEqual([]);
  });
});

describe('a forwarded port', () => {
  test('leads to the host inside, whatever the filter, and is shown in the table', () => {
    const rig = new NatRig({ forwards: WEB, filtering: 'address-and-port-dependent' });
    rig.fromOutside(tcpPacket(`${SERVER}:9`, `${PUBLIC}:80`, SYN));
    rig.expectInside(tcpPacket(`${SERVER}:9`, `${BOB}:8080`, SYN, [], HOP));
    rig.fromInside(tcpPacket(`${BOB}:8080`, `${SERVER}:9`, SYN | ACK));
    rig.expectOutside(tcpPacket(`${PUBLIC}:80`, `${SERVER}:9`, SYN | ACK, [], HOP));
    expect(rig.rows()).toEqual([`tcp ${PUBLIC}:80 ${BOB}:8080 FORWARD`, `udp ${PUBLIC}:53 ${BOB}:53 FORWARD`]);
    rig.wait(100_000);
    expect(rig.rows()).toHaveLength(2);
    expect(rig.nat.table()[0]!.leftNs).toBeNull();
  });

  test('is given to nobody else', () => {
    const rig = new NatRig({ forwards: WEB });
    rig.fromInside(tcpPacket(`${ALICE}:80`, `${SERVER}:9`, SYN));
    expect(rig.nextOutside().source).not.toBe(`${PUBLIC}:80`);
  });

  test('is in errors from the inside what the outside knows', () => {
    const rig = new NatRig({ forwards: WEB });
    rig.fromOutside(udpPacket(`${SERVER}:9`, `${PUBLIC}:53`));
    const arrived = rig.sentInside();
    rig.fromInside(icmpPacket(BOB, SERVER, { type: 3, code: 3, data: arrived }));
    const quoted = udpPacket(`${SERVER}:9`, `${PUBLIC}:53`, [1, 2, 3], HOP);
    rig.expectOutside(icmpPacket(PUBLIC, SERVER, { type: 3, code: 3, data: quoted }, HOP));
  });
});

describe('a static address', () => {
  test('stands for its host with all ports and protocols, both ways', () => {
    const rig = new NatRig({ statics: STATICS });
    rig.fromOutside(tcpPacket(`${SERVER}:9`, `${FIXED}:22`, SYN));
    rig.expectInside(tcpPacket(`${SERVER}:9`, `${BOB}:22`, SYN, [], HOP));
    rig.fromInside(udpPacket(`${BOB}:7`, `${SERVER}:9`));
    rig.expectOutside(udpPacket(`${FIXED}:7`, `${SERVER}:9`, [1, 2, 3], HOP));
    rig.fromOutside(echoPacket(SERVER, FIXED, 3));
    rig.expectInside(echoPacket(SERVER, BOB, 3, 8, HOP));
    rig.fromInside(echoPacket(BOB, SERVER, 3, 0));
    rig.expectOutside(echoPacket(FIXED, SERVER, 3, 0, HOP));
    rig.fromInside(ipv4({ source: BOB, destination: SERVER, protocol: 47, payload: [1, 2, 3] }));
    rig.expectOutside(ipv4({ source: FIXED, destination: SERVER, protocol: 47, payload: [1, 2, 3], ...HOP }));
    expect(rig.rows()).toEqual([]);
  });

  test('is rewritten in errors, both ways (5508 REQ-5c)', () => {
    const rig = new NatRig({ statics: STATICS });
    const error = (from: string, to: string, data: Uint8Array, extra = {}) =>
      icmpPacket(from, to, { type: 3, code: 3, data }, extra);
    rig.fromOutside(error(OTHER_SERVER, FIXED, udpPacket(`${FIXED}:7`, `${SERVER}:9`)));
    rig.expectInside(error(OTHER_SERVER, BOB, udpPacket(`${BOB}:7`, `${SERVER}:9`), HOP));
    rig.fromInside(error(BOB, SERVER, udpPacket(`${SERVER}:9`, `${BOB}:7`)));
    rig.expectOutside(error(FIXED, SERVER, udpPacket(`${SERVER}:9`, `${FIXED}:7`), HOP));
  });

  test('NAT-3 is reached from the inside as well', () => {
    const rig = new NatRig({ statics: STATICS });
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${FIXED}:53`));
    rig.expectInside(udpPacket(`${PUBLIC}:4000`, `${BOB}:53`, [1, 2, 3], HOP));
    rig.fromInside(udpPacket(`${BOB}:53`, `${PUBLIC}:4000`));
    rig.expectInside(udpPacket(`${FIXED}:53`, `${ALICE}:4000`, [1, 2, 3], HOP));
  });

  test("is the router's as far as ARP goes: it answers for it on the outside, and there alone (RFC 1027)", () => {
    const rig = new NatRig({ statics: STATICS });
    const senderMac = '52:54:00:aa:01:01';
    rig.inject(arpFrame({ opcode: 1, senderMac, sender: '203.0.113.254', target: FIXED }), 1);
    rig.expectSent(
      arpFrame(
        { opcode: 2, senderMac: '52:54:00:00:01:01', sender: FIXED, targetMac: senderMac, target: '203.0.113.254' },
        senderMac,
      ),
      1,
    );
    rig.inject(arpFrame({ opcode: 1, senderMac, sender: ALICE, target: FIXED }), 0);
    rig.expectNothing();
  });
});

describe('protocols without ports', () => {
  const gre = (source: string, destination: string, extra = {}) =>
    ipv4({ source, destination, protocol: 47, payload: [1, 2, 3], ...extra });

  test('are translated by address, for one host inside at a time', () => {
    const rig = new NatRig();
    rig.fromInside(gre(ALICE, SERVER));
    rig.expectOutside(gre(PUBLIC, SERVER, HOP));
    rig.fromOutside(gre(SERVER, PUBLIC));
    rig.expectInside(gre(SERVER, ALICE, HOP));
    expect(rig.rows()).toEqual([`47 ${PUBLIC}:0 ${ALICE}:0 ACTIVE`]);
    rig.fromInside(gre(BOB, SERVER));
    expect([...rig.sentInside().subarray(20, 22)]).toEqual([3, 13]);
    rig.wait(301);
    rig.fromInside(gre(BOB, SERVER));
    rig.expectOutside(gre(PUBLIC, SERVER, HOP));
    rig.expectNoLeak();
  });
});

describe('private addresses', () => {
  test.each(['10.0.0.9', '172.16.0.1', '172.31.255.255', '192.168.3.4'])(
    '%s does not go out untranslated (RFC 1918 section 3)',
    source => {
      const rig = new NatRig({ insidePrefixes: [{ address: parseIpv4('192.0.2.0'), prefixLength: 24 }] });
      rig.fromInside(udpPacket(`${source}:1`, `${SERVER}:2`));
      expectDropped(rig, 'private source');
    },
  );

  test.each(['9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'])(
    "%s is not one of them, and is nobody's whom this router knows: passed on as it is",
    source => {
      const rig = new NatRig();
      rig.fromInside(udpPacket(`${source}:1`, `${SERVER}:2`));
      rig.expectOutside(udpPacket(`${source}:1`, `${SERVER}:2`, [1, 2, 3], HOP));
    },
  );

  test('may go out as they are where the router is told so', () => {
    const rig = new NatRig({ insidePrefixes: [], passPrivateSources: true });
    rig.fromInside(udpPacket(`${ALICE}:1`, `${SERVER}:2`));
    rig.expectOutside(udpPacket(`${ALICE}:1`, `${SERVER}:2`, [1, 2, 3], HOP));
  });

  test('the inside may be said by interface', () => {
    const rig = new NatRig({ insidePrefixes: [], insideInterfaces: [0] });
    rig.fromInside(udpPacket('192.0.2.5:1', `${SERVER}:2`));
    rig.expectOutside(udpPacket(`${PUBLIC}:1`, `${SERVER}:2`, [1, 2, 3], HOP));
  });

  test('packets between inside networks, and from outside to outside, are none of its business', () => {
    const rig = new NatRig();
    rig.fromInside(udpPacket(`${ALICE}:1`, `${ROUTER}:2`));
    expect([...rig.sentInside().subarray(20, 22)]).toEqual([3, 3]);
    rig.fromOutside(udpPacket(`${SERVER}:1`, `${OTHER_SERVER}:2`));
    expect(rig.rows()).toEqual([]);
  });
});
