import { beforeEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../../kernel/net/datagram-socket.ts';
import type { Datagram } from '../../../../kernel/net/socket.ts';
import { parseIpv4, readBe16 } from '../../../../src/lib/bytes.ts';
import { BROADCAST_MAC, HOST, HOST_MAC, NetRig, PEER, PEER_MAC } from '../../../support/net-rig.ts';
import { frame, icmp, ipv4, naiveSum, type UdpFields, udp } from '../../../support/packets.ts';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
});

const PORTS = { source: PEER, destination: HOST, sourcePort: 4000, destinationPort: 5000 };

function open(address = '0.0.0.0', port = 5000): DatagramSocket {
  const socket = rig.net.sockets.socket('udp');
  socket.bind(parseIpv4(address), port);
  return socket;
}

const inject = (fields: Partial<UdpFields> = {}, padding = 0) =>
  rig.injectIpv4({ protocol: 17, payload: udp({ ...PORTS, data: [1, 2, 3], ...fields }) }, { padding });

/** What a task that waits in `recvfrom` gets; the call must not have to wait. */
function received(socket: DatagramSocket): Datagram {
  const step = socket.recvfrom(0).next(true);
  if (step.done !== true || step.value === null) throw new Error('no datagram has come in');
  return step.value;
}

describe('a datagram for a bound port', () => {
  test.each([0, 1, 2, 3, 1471, 1472])('with %s octets reaches its socket, with its sender', length => {
    const socket = open();
    const data = Uint8Array.from({ length }, (_, i) => i * 3);
    inject({ data });
    const datagram = received(socket);
    expect(datagram).toMatchObject({ address: parseIpv4(PEER), port: 4000, ttl: 64 });
    expect([...datagram.bytes]).toEqual([...data]);
    rig.expectNoLeak();
  });

  test('1122-5 sharp 40 is accepted without a checksum, which is a field of zero', () => {
    const socket = open();
    inject({ checksum: 0 });
    expect([...received(socket).bytes]).toEqual([1, 2, 3]);
  });

  test('is accepted when its computed checksum is zero and FFFF is in the field', () => {
    const socket = open();
    const data = computedZero(PORTS);
    expect(readBe16(udp({ ...PORTS, data }), 6)).toBe(0xffff);
    inject({ data });
    expect([...received(socket).bytes]).toEqual(data);
  });

  test('is dropped when its checksum is wrong', () => {
    const socket = open();
    inject({ checksum: 0x1234 });
    expect(socket.counters.received).toBe(0);
    expect(rig.net.drops.counts['bad UDP checksum']).toBe(1);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('is dropped when the pseudo-header is not that of the checksum: it was for another address', () => {
    const socket = open();
    inject({ destination: '192.0.2.9' });
    expect(socket.counters.received).toBe(0);
  });

  test('ends where its length says, though the IPv4 packet is longer', () => {
    const socket = open();
    const payload = [...udp({ ...PORTS, data: [1, 2, 3] }), 9, 9, 9];
    rig.injectIpv4({ protocol: 17, payload });
    expect([...received(socket).bytes]).toEqual([1, 2, 3]);
  });

  test.each([
    ['more than has arrived', { length: 12, checksum: 0 }],
    ['less than a header', { length: 7, checksum: 0 }],
  ])('is dropped when its length is %s', (_, fields) => {
    open();
    inject(fields);
    expect(rig.net.drops.counts['malformed UDP']).toBe(1);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('is dropped when it is shorter than a header', () => {
    open();
    rig.injectIpv4({ protocol: 17, payload: [0, 1, 0x13, 0x88, 0, 7, 0] });
    expect(rig.net.drops.counts['malformed UDP']).toBe(1);
    rig.expectNoLeak();
  });

  test('that was sent to a broadcast address reaches a socket bound to all addresses', () => {
    const socket = open();
    const payload = udp({ ...PORTS, destination: '255.255.255.255', data: [1] });
    rig.injectIpv4({ protocol: 17, payload, destination: '255.255.255.255' }, { to: BROADCAST_MAC });
    expect([...received(socket).bytes]).toEqual([1]);
  });
});

test('1122-5 a datagram for a closed port is answered with 3/3, port unreachable (RFC 1122 section 4.1.3.1)', () => {
  const packet = { protocol: 17, payload: udp({ ...PORTS, data: [1, 2, 3] }) };
  rig.injectIpv4(packet);
  const quote = ipv4({ source: PEER, destination: HOST, ...packet });
  rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 3, code: 3, data: quote }) });
  expect(rig.net.drops.counts['no such port']).toBe(1);
  rig.expectNoLeak();
});

describe('of several sockets at a port', () => {
  test('the one that is connected to the sender gets the datagram, then the one bound to the address', () => {
    const any = rig.net.sockets.socket('udp');
    any.bind(0, 5000);
    expect(() => open(HOST)).toThrow('EADDRINUSE');
    any.close();
    const loopback = open('127.0.0.1');
    const bound = open(HOST);
    inject();
    expect([bound, loopback].map(socket => socket.counters.received)).toEqual([1, 0]);
  });

  test('one that is connected takes datagrams from its peer alone', () => {
    const socket = open();
    socket.connect(parseIpv4(PEER), 4000);
    inject();
    inject({ sourcePort: 4001 });
    expect(socket.counters.received).toBe(1);
    expect(rig.sent()[34]).toBe(3);
  });
});

describe('a datagram that is sent', () => {
  test.each([0, 1, 2, 1472])('with %s octets has ports, length and checksum right', length => {
    const data = Uint8Array.from({ length }, (_, i) => i ^ 0x5a);
    open().sendto(data, parseIpv4(PEER), 4000);
    const payload = udp({ source: HOST, destination: PEER, sourcePort: 5000, destinationPort: 4000, data });
    rig.expectSentIpv4({ protocol: 17, payload });
    rig.expectNoLeak();
  });

  test('1122-5 sharp 40 has FFFF for a checksum that computes to zero (RFC 768)', () => {
    const fields = { source: HOST, destination: PEER, sourcePort: 5000, destinationPort: 4000 };
    const data = computedZero(fields);
    open().sendto(Uint8Array.from(data), parseIpv4(PEER), 4000);
    expect(readBe16(rig.sent(), 40)).toBe(0xffff);
  });

  test('has the time to live that the socket is set to', () => {
    const socket = open();
    socket.ttl = 3;
    socket.sendto(Uint8Array.of(1), parseIpv4(PEER), 4000);
    expect(rig.sent()[22]).toBe(3);
  });

  test('has up to 65,507 octets, and is refused with EMSGSIZE beyond', () => {
    const socket = open();
    expect(() => socket.sendto(new Uint8Array(65_508), parseIpv4(PEER), 4000)).toThrow('EMSGSIZE');
    rig.expectNothing();
    rig.expectNoLeak();
  });
});

/** Two octets of data that make the sum all ones, so that its complement is zero. */
function computedZero(ports: Omit<UdpFields, 'data'>): number[] {
  const checksum = readBe16(udp({ ...ports, data: [0, 0] }), 6);
  return [checksum >>> 8, checksum & 0xff];
}

describe('with hardware that inserts checksums', () => {
  test('the field holds the sum of the pseudo-header, and the hardware is told where it is', () => {
    const own = new NetRig(undefined, 1, { features: { checksum: true, segmentationBuffers: 0, vlan: false } });
    own.introducePeer();
    own.driver.requests.length = 0;
    const socket = own.net.sockets.socket('udp');
    socket.bind(0, 5000);
    socket.sendto(Uint8Array.of(1, 2, 3), parseIpv4(PEER), 4000);
    const checksum = naiveSum([192, 0, 2, 1, 192, 0, 2, 2, 0, 17, 0, 11]);
    const fields = { source: HOST, destination: PEER, sourcePort: 5000, destinationPort: 4000, data: [1, 2, 3] };
    expect(own.driver.requests).toEqual([{ vlanTag: null, start: 34, at: 40 }]);
    own.expectSentIpv4({ protocol: 17, payload: udp({ ...fields, checksum }) });
    own.expectNoLeak();
  });

  test('what this host sends to itself is summed all the same', () => {
    const own = new NetRig(undefined, 1, { features: { checksum: true, segmentationBuffers: 0, vlan: false } });
    const socket = own.net.sockets.socket('udp');
    socket.bind(0, 5000);
    socket.sendto(Uint8Array.of(1, 2, 3), parseIpv4(HOST), 5000);
    own.settle();
    expect([...received(socket).bytes]).toEqual([1, 2, 3]);
  });
});

describe('with hardware that checks checksums', () => {
  const injectFound = (payload: Uint8Array, checksumGood: boolean) => {
    const packet = ipv4({ source: PEER, destination: HOST, protocol: 17, payload });
    rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload: packet }), 0, { checksumGood });
  };

  test('what it found good is not looked at again, and what it did not is', () => {
    const socket = open();
    injectFound(udp({ ...PORTS, data: [1], checksum: 0x1234 }), true);
    injectFound(udp({ ...PORTS, data: [2], checksum: 0x1234 }), false);
    injectFound(udp({ ...PORTS, data: [3] }), false);
    expect([received(socket), received(socket)].map(({ bytes }) => bytes[0])).toEqual([1, 3]);
    expect(rig.net.drops.counts['bad UDP checksum']).toBe(1);
  });

  test('a datagram shorter than its packet is looked at again: the hardware took all of it for the datagram', () => {
    const socket = open();
    const longer = (checksum?: number) =>
      Uint8Array.from([...udp({ ...PORTS, data: [1, 2], ...(checksum === undefined ? {} : { checksum }) }), 7, 7]);
    injectFound(longer(0x1234), true);
    expect(rig.net.drops.counts['bad UDP checksum']).toBe(1);
    injectFound(longer(), false);
    expect([...received(socket).bytes]).toEqual([1, 2]);
  });
});
