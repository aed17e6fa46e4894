/** Reassembly of fragments that come in: RFC 791 section 3.2, RFC 815, RFC 1122 section 3.3.2, and what is refused. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../../kernel/net/datagram-socket.ts';
import { distinct, packetOf, piece, pieces } from '../../../support/fragments.ts';
import { HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { icmp, type UdpFields, udp } from '../../../support/packets.ts';

let rig: NetRig;
let socket: DatagramSocket;
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
  socket = rig.net.sockets.socket('udp');
  socket.bind(0, 5000);
});

const PORTS: Omit<UdpFields, 'data'> = { source: PEER, destination: HOST, sourcePort: 4000, destinationPort: 5000 };
const datagramOf = (length: number, identification = 7) => {
  return { protocol: 17, identification, payload: udp({ ...PORTS, data: distinct(length) }) };
};
const reassembly = () => rig.net.ipv4Input.reassembly;
const dropped = () => Object.entries(rig.net.drops.counts).filter(([, count]) => count > 0);

/** What the socket has received, and nothing else. */
function received(): Uint8Array[] {
  const all: Uint8Array[] = [];
  while ((socket.pollEvents() & 1) !== 0) {
    const { done, value } = socket.recvfrom(0).next();
    if (done !== true || value === null) throw new Error('the call waits');
    all.push(value.bytes.slice());
  }
  return all;
}

describe('a datagram in fragments', () => {
  test('FRAG-1 is put together by source, destination, protocol and identification', () => {
    const [first, second] = pieces(datagramOf(30), 24);
    rig.injectIpv4(first!);
    rig.injectIpv4({ ...second!, source: '192.0.2.3' });
    rig.injectIpv4({ ...second!, protocol: 1 });
    rig.injectIpv4({ ...second!, identification: 8 });
    expect(received()).toEqual([]);
    expect(reassembly().datagramCount).toBe(4);
    rig.injectIpv4(second!);
    expect(received()).toEqual([distinct(30)]);
  });

  test.each([
    ['in order', [0, 1, 2, 3, 4]],
    ['last first', [4, 3, 2, 1, 0]],
    ['the gap filled from both sides', [0, 4, 1, 3, 2]],
    ['with every fragment twice', [0, 0, 2, 2, 1, 3, 1, 4]],
  ])('FRAG-2 FRAG-4 is whole when its last octet came: %s', (_, order) => {
    const all = pieces(datagramOf(32), 8);
    for (const i of order.slice(0, -1)) rig.injectIpv4(all[i]!);
    expect(received()).toEqual([]);
    rig.injectIpv4(all[order.at(-1)!]!);
    expect(received()).toEqual([distinct(32)]);
    rig.expectNoLeak();
  });

  test('FRAG-2 may have been cut again, by a second router', () => {
    const datagram = datagramOf(192);
    for (const [from, to] of [
      [0, 56],
      [56, 104],
      [104, 112],
      [112, 200],
    ]) {
      rig.injectIpv4(piece(datagram, from!, to!));
    }
    expect(received()).toEqual([distinct(192)]);
  });

  test('FRAG-3 may have 65,507 octets of UDP data', () => {
    for (const each of pieces(datagramOf(65_507), 1480)) rig.injectIpv4(each);
    expect(received()).toEqual([distinct(65_507)]);
    rig.expectNoLeak();
  });

  test('1122-5 UDP to a closed port: the error quotes the datagram as it would have come whole', () => {
    const datagram = { ...datagramOf(0), payload: udp({ ...PORTS, destinationPort: 9, data: distinct(1000) }) };
    for (const each of pieces(datagram, 496)) rig.injectIpv4(each);
    const quote = packetOf(datagram, PEER, HOST).subarray(0, 548);
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 3, code: 3, data: quote }) });
  });

  test('1122-4 a fragmented echo request is put together first, and the reply is cut again', () => {
    const echo = {
      protocol: 1,
      identification: 9,
      payload: icmp({ type: 8, word: 0x1234_0001, data: distinct(2000) }),
    };
    for (const each of pieces(echo, 1480)) rig.injectIpv4(each);
    const reply = { protocol: 1, payload: icmp({ type: 0, word: 0x1234_0001, data: distinct(2000) }) };
    for (const each of pieces(reply, 1480)) rig.expectSentIpv4(each);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('has the header of its first fragment, options and all', () => {
    const echo = { protocol: 1, identification: 9, payload: icmp({ type: 8, data: distinct(24) }) };
    const [first, second] = pieces(echo, 16);
    rig.injectIpv4({ ...second!, tos: 0x20, ttl: 3 });
    rig.injectIpv4({ ...first!, tos: 0x40, options: [0x94, 4, 0, 0] });
    rig.expectSentIpv4({ protocol: 1, tos: 0x40, payload: icmp({ type: 0, data: distinct(24) }) });
  });

  test('has met congestion if one of its fragments has (RFC 3168 section 5.3)', () => {
    const echo = { protocol: 1, identification: 9, payload: icmp({ type: 8, data: distinct(24) }) };
    const [first, second] = pieces(echo, 16);
    rig.injectIpv4({ ...first!, tos: 0x02 });
    rig.injectIpv4({ ...second!, tos: 0x03 });
    expect(rig.sent()[15]).toBe(0x03);
  });
});

describe('time', () => {
  const [first, second] = pieces(datagramOf(64), 40);

  test('FRAG-3 what is not whole after 60 s is given up, and ICMP 11/1 quotes its first fragment', () => {
    rig.injectIpv4(first!);
    rig.advance(60 * SECOND_NS - 1000);
    rig.expectNothing();
    rig.advance(1000);
    const quote = packetOf(first!, PEER, HOST);
    rig.expectArpRequest(PEER, '52:54:00:00:00:02'); // the entry has become stale meanwhile
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 11, code: 1, data: quote }) });
    rig.expectNoLeak();
    rig.injectIpv4(second!);
    expect(received()).toEqual([]);
  });

  test('FRAG-3 without the first fragment it goes in silence', () => {
    rig.injectIpv4(second!);
    rig.advance(61 * SECOND_NS);
    rig.expectNothing();
    rig.expectNoLeak();
    expect(dropped()).toEqual([['reassembly timed out', 1]]);
  });

  test('FRAG-3 runs from the fragment that came first: no other prolongs it', () => {
    rig.injectIpv4(second!);
    rig.advance(59 * SECOND_NS);
    rig.injectIpv4(piece(datagramOf(64), 8, 40));
    rig.advance(SECOND_NS);
    expect(reassembly().datagramCount).toBe(0);
  });

  test('is kept for each datagram by itself', () => {
    rig.injectIpv4(second!);
    rig.advance(30 * SECOND_NS);
    rig.injectIpv4({ ...second!, identification: 8 });
    rig.advance(30 * SECOND_NS);
    expect(reassembly().datagramCount).toBe(1);
    rig.advance(30 * SECOND_NS);
    expect(reassembly().datagramCount).toBe(0);
  });
});

describe('a fragment is refused', () => {
  const datagram = datagramOf(64);

  test.each([
    ['starts before another ends', 0, 32, 24, 48],
    ['ends behind where another starts', 32, 56, 8, 40],
    ['lies within another', 0, 40, 8, 16],
    ['has another within itself', 8, 16, 0, 40],
    ['starts with another but is longer', 0, 8, 0, 16],
  ])('FRAG-5 and the whole datagram with it, when it %s', (_, from, to, from2, to2) => {
    rig.injectIpv4(piece(datagram, from, to));
    rig.injectIpv4(piece(datagram, from2, to2));
    expect(dropped()).toEqual([['overlapping fragment', 1]]);
    rig.expectNoLeak();
    // Nothing of it is taken any more: what comes makes no datagram of its own.
    for (const each of pieces(datagram, 24)) rig.injectIpv4(each);
    expect(received()).toEqual([]);
    rig.advance(60 * SECOND_NS);
    rig.expectNothing();
    for (const each of pieces(datagram, 24)) rig.injectIpv4(each);
    expect(received()).toEqual([distinct(64)]);
  });

  test('FRAG-5 but an exact duplicate is ignored: the first copy counts', () => {
    const [first, second] = pieces(datagram, 40);
    rig.injectIpv4(first!);
    rig.injectIpv4({ ...first!, payload: new Uint8Array(40) });
    rig.injectIpv4(second!);
    expect(received()).toEqual([distinct(64)]);
    expect(dropped()).toEqual([['duplicate fragment', 1]]);
  });

  test('when it moves the end of the datagram', () => {
    const end = piece(datagram, 64, 72);
    rig.injectIpv4(end);
    rig.injectIpv4({ ...end, fragment: 9 });
    expect(dropped()).toEqual([['overlapping fragment', 1]]);
  });

  test('when it lies behind the end of the datagram, whichever came first', () => {
    const behind = { ...datagram, payload: new Uint8Array(8), fragment: 0x2000 | 20 };
    rig.injectIpv4(piece(datagram, 64, 72));
    rig.injectIpv4(behind);
    rig.injectIpv4({ ...behind, identification: 8 });
    rig.injectIpv4({ ...piece(datagram, 64, 72), identification: 8 });
    expect(dropped()).toEqual([['overlapping fragment', 2]]);
    rig.expectNoLeak();
  });

  test.each([
    ['FRAG-1 it is not the last, and no multiple of 8 octets long', { fragment: 0x2000, payload: new Uint8Array(12) }],
    ['it is empty', { fragment: 0x2000, payload: [] }],
    ['it is the last, and empty', { fragment: 0x0003, payload: [] }],
    ['FRAG-7 it ends beyond 65,535 octets (ping of death)', { fragment: 0x1fff, payload: new Uint8Array(8) }],
  ])('when %s', (_, fields) => {
    rig.injectIpv4({ protocol: 1, ...fields });
    expect(dropped()).toEqual([['malformed fragment', 1]]);
    expect(reassembly().datagramCount).toBe(0);
    rig.expectNoLeak();
  });

  test('FRAG-7 when header and payload together are more than 65,535 octets, though no fragment is', () => {
    const options = new Array<number>(40).fill(1);
    rig.injectIpv4({ protocol: 17, fragment: 0x1ff8, payload: new Uint8Array(12) }); // ends at 65,484 + 20
    rig.injectIpv4({ protocol: 17, fragment: 0x2000, payload: new Uint8Array(8), options });
    expect(dropped()).toEqual([['overlapping fragment', 1]]);
    rig.expectNoLeak();
  });

  test.each([
    ['of TCP at offset 1: it would overwrite the flags', { fragment: 0x2001, payload: new Uint8Array(16) }],
    ['of TCP, the first, with less than 16 octets', { fragment: 0x2000, payload: new Uint8Array(8) }],
    ['of TCP, the last, at offset 1', { fragment: 0x0001, payload: new Uint8Array(5) }],
  ])('FRAG-6 when it is %s', (_, fields) => {
    rig.injectIpv4({ protocol: 6, ...fields });
    expect(dropped()).toEqual([['tiny fragment', 1]]);
  });

  test('FRAG-6 of UDP none is too small', () => {
    for (const each of pieces(datagram, 8)) rig.injectIpv4(each);
    expect(received()).toEqual([distinct(64)]);
  });
});

describe('memory', () => {
  test('FRAG-7 holds a quarter of the packet buffers at most: the oldest datagrams go first', () => {
    const total = rig.packets.usage().free;
    for (let i = 0; i < 100; i++) rig.injectIpv4(piece(datagramOf(64, i), 0, 40));
    expect(reassembly().bufferCount).toBe(total / 4);
    expect(rig.packets.usage().free).toBe(total - total / 4);
    expect(dropped()).toEqual([['reassembly is full', 100 - total / 4]]);
    rig.injectIpv4(piece(datagramOf(64, 99), 40, 72));
    expect(received()).toEqual([distinct(64)]);
    rig.injectIpv4(piece(datagramOf(64, 0), 40, 72));
    expect(received()).toEqual([]);
    rig.advance(61 * SECOND_NS);
    rig.expectNoLeak();
  });

  test('FRAG-7 is given for the octets that came, not for fragments: 65,507 octets by eights take as much as by thousands', () => {
    const datagram = datagramOf(65_507);
    for (let at = 0; at < 65_000; at += 8) {
      rig.injectIpv4({
        protocol: 17,
        identification: 7,
        fragment: 0x2000 | (at / 8),
        payload: datagram.payload.slice(at, at + 8),
      });
    }
    expect(reassembly().bufferCount).toBe(Math.ceil(65_000 / 1904));
    rig.injectIpv4({ ...piece(datagram, 65_000, 65_515) });
    expect(received()).toEqual([distinct(65_507)]);
    rig.expectNoLeak();
  });

  test('that the pool does not have is done without', () => {
    const taken = [];
    for (let packet = rig.packets.allocate(); packet !== null; packet = rig.packets.allocate()) taken.push(packet);
    rig.packets.free(taken.pop()!);
    rig.injectIpv4(piece(datagramOf(64), 0, 40));
    expect(dropped()).toEqual([['no packet buffer is free', 1]]);
    for (const packet of taken) rig.packets.free(packet);
    for (const each of pieces(datagramOf(64), 40)) rig.injectIpv4(each);
    expect(received()).toEqual([distinct(64)]);
    rig.expectNoLeak();
  });
});
