/** What is longer than the MTU leaves in fragments: RFC 791 section 3.2, from sockets down to the frame. */
import { beforeEach, describe, expect, test } from 'vitest';
import { fragment } from '../../../../kernel/net/ipv4/fragment.ts';
import type { Link } from '../../../../kernel/net/ipv4/link.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { distinct, piece, pieces } from '../../../support/fragments.ts';
import { HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { icmp, ipv4, udp } from '../../../support/packets.ts';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
});

const PORTS = { source: HOST, destination: PEER, sourcePort: 5000, destinationPort: 4000 };
const open = () => {
  const socket = rig.net.sockets.socket('udp');
  socket.bind(0, 5000);
  return socket;
};

describe('a datagram longer than the MTU', () => {
  test('FRAG-1 leaves in fragments: offsets in units of 8 octets, MF in all but the last, one identification', () => {
    open().sendto(distinct(3000), parseIpv4(PEER), 4000);
    const whole = { protocol: 17, payload: udp({ ...PORTS, data: distinct(3000) }) };
    const identifications = rig.driver.sent.map(octets => octets[18]! * 256 + octets[19]!);
    expect(new Set(identifications).size).toBe(1);
    for (const each of pieces(whole, 1480)) rig.expectSentIpv4(each);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('is one of 1,473 octets of UDP data, not one of 1,472', () => {
    const socket = open();
    socket.sendto(new Uint8Array(1472), parseIpv4(PEER), 4000);
    expect(rig.driver.sent.splice(0).length).toBe(1);
    socket.sendto(new Uint8Array(1473), parseIpv4(PEER), 4000);
    expect(rig.driver.sent.splice(0).map(octets => octets.length)).toEqual([1514, 14 + 20 + 1]);
  });

  test('may have 65,507 octets of UDP data', () => {
    open().sendto(distinct(65_507), parseIpv4(PEER), 4000);
    const whole = { protocol: 17, payload: udp({ ...PORTS, data: distinct(65_507) }) };
    for (const each of pieces(whole, 1480)) rig.expectSentIpv4(each);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('may be an echo request, and its reply comes back whole', () => {
    const socket = rig.net.sockets.socket('icmp');
    socket.bind(0, 0x1234);
    const request = icmp({ type: 8, word: 0x1234_0001, data: distinct(5000) });
    socket.sendto(request, parseIpv4(PEER));
    for (const each of pieces({ protocol: 1, payload: request }, 1480)) rig.expectSentIpv4(each);
    const reply = { protocol: 1, payload: icmp({ type: 0, word: 0x1234_0001, data: distinct(5000) }) };
    for (const each of pieces(reply, 1480)) rig.injectIpv4(each);
    expect(socket.recvfrom(0).next().value).toMatchObject({ bytes: reply.payload });
  });

  test('has its checksum inserted by the kernel, for the hardware would insert one into each fragment', () => {
    rig = new NetRig(undefined, 1, { features: { checksum: true, segmentationBuffers: 0, vlan: false } });
    rig.introducePeer();
    rig.driver.requests.length = 0;
    open().sendto(distinct(2000), parseIpv4(PEER), 4000);
    const whole = { protocol: 17, payload: udp({ ...PORTS, data: distinct(2000) }) };
    for (const each of pieces(whole, 1480)) rig.expectSentIpv4(each);
    expect(rig.driver.requests.every(({ start }) => start === 0)).toBe(true);
  });

  test('to this host itself goes through the loopback and comes back whole', () => {
    const socket = open();
    socket.sendto(distinct(65_507), parseIpv4(HOST), 5000);
    rig.settle();
    expect(socket.recvfrom(0).next().value).toMatchObject({ bytes: distinct(65_507) });
    rig.expectNoLeak();
  });

  test('1122-8 that waits for ARP waits with all its fragments', () => {
    const socket = open();
    socket.sendto(distinct(65_507), parseIpv4('192.0.2.3'), 4000);
    rig.sent();
    rig.injectArp({ opcode: 2, sender: '192.0.2.3', senderMac: '52:54:00:00:00:03' });
    const payload = udp({ ...PORTS, destination: '192.0.2.3', data: distinct(65_507) });
    for (const each of pieces({ protocol: 17, payload, destination: '192.0.2.3' }, 1480)) {
      rig.expectSentIpv4(each, '52:54:00:00:00:03');
    }
    rig.expectNoLeak();
  });

  test('to a host that does not answer ARP is one error, not one for each fragment', () => {
    const socket = open();
    socket.connect(parseIpv4('192.0.2.3'), 4000).next();
    socket.sendto(distinct(5000), parseIpv4('192.0.2.3'), 4000);
    rig.advance(10 * SECOND_NS);
    expect(socket.counters.errors).toBe(1);
    rig.expectNoLeak();
  });

  test('without packet buffers for it is ENOBUFS, and none is lost', () => {
    const taken = [];
    for (let i = rig.packets.usage().free; i > 3; i--) taken.push(rig.packets.allocate()!);
    expect(() => open().sendto(distinct(65_507), parseIpv4(PEER), 4000)).toThrow('ENOBUFS');
    for (const packet of taken) rig.packets.free(packet);
    rig.expectNoLeak();
  });
});

describe('identification (RFC 6864)', () => {
  const sendTo = (address: string) => {
    const socket = rig.net.sockets.socket('udp');
    socket.sendto(new Uint8Array(1), parseIpv4(address), 4000);
    const octets = rig.sent();
    return octets[18]! * 256 + octets[19]!;
  };

  test('is another for each packet to a destination, for 65,536 packets', () => {
    const socket = open();
    const seen = new Set<number>();
    for (let i = 0; i < 65_536; i++) {
      socket.sendto(new Uint8Array(0), parseIpv4(PEER), 4000);
      const octets = rig.sent();
      seen.add(octets[18]! * 256 + octets[19]!);
    }
    expect(seen.size).toBe(65_536);
  });

  test('is not used up by what goes to other destinations', () => {
    rig.injectArp({ opcode: 1, sender: '192.0.2.3', senderMac: '52:54:00:00:00:03' });
    rig.sent();
    const first = sendTo(PEER);
    for (let i = 0; i < 10; i++) sendTo('192.0.2.3');
    expect(sendTo(PEER)).toBe((first + 1) & 0xffff);
  });
});

describe('fragment', () => {
  /** Cuts the packet for a link, and returns the packets that it was given. */
  function cut(octets: Uint8Array, mtu: number): Uint8Array[] {
    const sent: Uint8Array[] = [];
    const link: Pick<Link, 'send'> = {
      send(packet) {
        sent.push(packet.bytes.slice(packet.start, packet.start + packet.length));
        rig.packets.free(packet);
      },
    };
    const packet = rig.packets.allocate()!;
    packet.bytes.set(octets, packet.start);
    packet.length = octets.length;
    expect(fragment(rig.packets, packet, mtu, link as Link, 0)).toBe(true);
    rig.expectNoLeak();
    return sent;
  }

  const header = { source: PEER, destination: HOST, protocol: 17 };

  test('1812-4 options with the copied flag go with every fragment, the others with the first alone', () => {
    const [routerAlert, recordRoute] = [
      [0x94, 4, 0, 0],
      [7, 7, 4, 0, 0, 0, 0],
    ];
    const options = [...recordRoute!, ...routerAlert!, 1];
    const payload = distinct(100);
    const sent = cut(ipv4({ ...header, options, payload }), 72);
    expect(sent).toEqual([
      ipv4({ ...header, options, payload: payload.slice(0, 40), fragment: 0x2000 }),
      ipv4({ ...header, options: routerAlert!, payload: payload.slice(40, 88), fragment: 0x2005 }),
      ipv4({ ...header, options: routerAlert!, payload: payload.slice(88), fragment: 0x000b }),
    ]);
  });

  test('copied options are filled up to a word', () => {
    const options = [0x83, 7, 4, 1, 2, 3, 4, 0x86, 3, 9, 1, 0];
    const [, second] = cut(ipv4({ ...header, options, payload: distinct(60) }), 68);
    expect([...second!.subarray(20, 32)]).toEqual([0x83, 7, 4, 1, 2, 3, 4, 0x86, 3, 9, 0, 0]);
  });

  test('FRAG-2 a fragment is cut into fragments of the same datagram', () => {
    const datagram = { ...header, payload: distinct(200) };
    const middle = piece(datagram, 80, 160);
    const sent = cut(ipv4({ ...header, ...middle }), 68);
    const [first, second] = [piece(datagram, 80, 128), piece(datagram, 128, 160)];
    expect(sent).toEqual([ipv4({ ...header, ...first }), ipv4({ ...header, ...second })]);
  });

  test('identification, TOS and time to live stay as they are', () => {
    const fields = { ...header, identification: 0xbeef, tos: 0x88, ttl: 9 };
    const payload = distinct(60);
    expect(cut(ipv4({ ...fields, payload }), 68)).toEqual([
      ipv4({ ...fields, payload: payload.slice(0, 48), fragment: 0x2000 }),
      ipv4({ ...fields, payload: payload.slice(48), fragment: 0x0006 }),
    ]);
  });

  test('a last fragment of less than 8 octets is one', () => {
    expect(cut(ipv4({ ...header, payload: distinct(49) }), 68).map(octets => octets.length)).toEqual([68, 21]);
  });

  test('what a longer option list leaves is used: 8 octets a fragment at the least MTU there is', () => {
    const options = [0x83, 39, ...new Array<number>(37).fill(4), 0];
    const sent = cut(ipv4({ ...header, options, payload: distinct(32) }), 68);
    expect(sent.map(octets => octets.length)).toEqual([68, 68, 68, 68]);
  });

  test('says when the pool is empty; the packet is given back, and what was sent is sent', () => {
    const taken = [];
    for (let i = rig.packets.usage().free; i > 2; i--) taken.push(rig.packets.allocate()!);
    const held: Parameters<Link['send']>[0][] = [];
    const link = { send: (packet: (typeof held)[0]) => held.push(packet) };
    const packet = rig.packets.allocate()!;
    packet.bytes.set(ipv4({ ...header, payload: distinct(100) }), packet.start);
    packet.length = 120;
    expect(fragment(rig.packets, packet, 68, link as unknown as Link, 0)).toBe(false);
    expect(held.length).toBe(1);
    for (const each of [...taken, ...held]) rig.packets.free(each);
    rig.expectNoLeak();
  });
});
