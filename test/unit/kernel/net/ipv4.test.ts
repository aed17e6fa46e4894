import { beforeEach, describe, expect, test } from 'vitest';
import type { DropReason } from '../../../../kernel/net/drop.ts';
import { parseIpv4, readBe16 } from '../../../../src/lib/bytes.ts';
import { traceOf } from '../../../support/kernel-trace.ts';
import { BROADCAST_MAC, GATEWAY, HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../support/net-rig.ts';
import { frame, type Ipv4Fields, icmp, ipv4, naiveSum, udp } from '../../../support/packets.ts';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
});

const echo = icmp({ type: 8, word: 0x0001_0001, data: [1, 2, 3] });
const echoReply = icmp({ type: 0, word: 0x0001_0001, data: [1, 2, 3] });
const inject = (fields: Partial<Ipv4Fields>, link?: { to?: string; padding?: number }) =>
  rig.injectIpv4({ protocol: 1, payload: echo, ...fields }, link);

/** Nothing was answered, the reason was counted, and the buffer is back. */
function expectDropped(reason: DropReason): void {
  rig.expectNothing();
  expect(rig.net.drops.counts[reason]).toBe(1);
  rig.expectNoLeak();
}

describe('1122-1 1122-2 1122-6 a datagram MUST be silently discarded (RFC 1122 section 3.2.1)', () => {
  test.each<[string, Partial<Ipv4Fields>, DropReason]>([
    ['whose version is not 4', { version: 6 }, 'malformed IPv4 header'],
    ['whose header is shorter than five words', { ihl: 4 }, 'malformed IPv4 header'],
    ['whose header is longer than itself', { ihl: 15 }, 'malformed IPv4 header'],
    ['whose total length is more than has arrived', { totalLength: 32 }, 'malformed IPv4 header'],
    ['whose total length is less than its header', { totalLength: 19 }, 'malformed IPv4 header'],
    ['whose header checksum is wrong', { checksumError: 1 }, 'bad IPv4 checksum'],
    ['that is for another host', { destination: '192.0.2.77' }, 'not for this host'],
    ['that is for another network', { destination: '203.0.113.1' }, 'not for this host'],
    ['that is for a multicast group to which it does not belong', { destination: '224.0.0.2' }, 'not for this host'],
    ['that is for 127/8, from outside', { destination: '127.0.0.1' }, 'not for this host'],
    ['whose source is in 127/8', { source: '127.0.0.1' }, 'martian source'],
    ['whose source is a multicast address', { source: '224.0.0.1' }, 'martian source'],
    ['whose source is the limited broadcast', { source: '255.255.255.255' }, 'martian source'],
    ['whose source is the directed broadcast', { source: '192.0.2.255' }, 'martian source'],
    ['whose source is my own address', { source: HOST }, 'martian source'],
  ])('%s', (_, fields, reason) => {
    inject(fields);
    expectDropped(reason);
  });

  test('that is cut short within its header', () => {
    const packet = ipv4({ source: PEER, destination: HOST, protocol: 1, payload: [] });
    rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload: packet.subarray(0, 19) }));
    expectDropped('malformed IPv4 header');
  });

  test('that is for one host, in a broadcast of the link (section 3.3.6)', () => {
    inject({}, { to: BROADCAST_MAC });
    expectDropped('broadcast on the link only');
  });
});

describe('a datagram is accepted', () => {
  test('1122-1 with padding of the link behind it, which is no part of it', () => {
    inject({}, { padding: 15 });
    rig.expectSentIpv4({ protocol: 1, payload: echoReply });
    rig.expectNoLeak();
  });

  test('with a time to live of 1, or even 0: only forwarding counts it down', () => {
    inject({ ttl: 1 });
    rig.expectSentIpv4({ protocol: 1, payload: echoReply });
    inject({ ttl: 0 });
    rig.expectSentIpv4({ protocol: 1, payload: echoReply });
  });

  test('with options that are not understood', () => {
    inject({ options: [0x1e, 4, 1, 2, 1, 1, 0, 0xff] });
    rig.expectSentIpv4({ protocol: 1, payload: echoReply });
  });

  test('for any address of the host, on any of its interfaces', () => {
    const two = new NetRig(
      {
        interfaces: [
          { address: parseIpv4(HOST), prefixLength: 24 },
          { address: parseIpv4('198.51.100.1'), prefixLength: 24 },
        ],
      },
      2,
    );
    two.introducePeer();
    two.injectIpv4({ protocol: 1, payload: echo, destination: '198.51.100.1' });
    two.expectSentIpv4({ protocol: 1, payload: echoReply, source: '198.51.100.1' });
  });
});

test('a packet with DF alone is no fragment', () => {
  inject({ fragment: 0x4000 });
  rig.expectSentIpv4({ protocol: 1, payload: echoReply });
});

describe('a protocol that nobody registered', () => {
  const packet = { protocol: 99, payload: Uint8Array.from({ length: 40 }, (_, i) => i) };

  test('792-3 is answered with 3/2, protocol unreachable', () => {
    inject(packet);
    const quote = ipv4({ source: PEER, destination: HOST, ...packet });
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 3, code: 2, data: quote }) });
    expect(rig.net.drops.counts['no such protocol']).toBe(1);
    rig.expectNoLeak();
  });

  test('is not answered when the datagram was a broadcast', () => {
    inject({ ...packet, destination: '192.0.2.255' }, { to: BROADCAST_MAC });
    expectDropped('no such protocol');
  });

  test('is one that another module may register', () => {
    const received: number[] = [];
    rig.net.ipv4Input.register(99, {
      name: 'test',
      input: (received_, arrival) => {
        received.push(received_.length, arrival.source, arrival.timeToLive);
        rig.packets.free(received_);
      },
      error: () => {},
    });
    inject(packet);
    expect(received).toEqual([40, parseIpv4(PEER), 64]);
    expect(() => rig.net.ipv4Input.register(99, rig.net.udp)).toThrow('protocol 99 is registered');
  });
});

describe('792-1 792-3 a bad option is answered with a parameter problem whose pointer is the bad octet (RFC 792)', () => {
  test.each([
    ['a length of 0', [7, 0, 0, 0], 21],
    ['a length of 1', [1, 7, 1, 0], 22],
    ['a length beyond the header', [7, 5, 0, 0], 21],
    ['no length at all', [1, 1, 1, 7], 23],
  ])('%s', (_, options, pointer) => {
    inject({ options });
    const quote = ipv4({ source: PEER, destination: HOST, protocol: 1, payload: echo, options });
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 12, word: pointer * 2 ** 24, data: quote }) });
    expectDropped('bad IPv4 option');
  });
});

describe('a datagram that the host sends', () => {
  const send = (data: Uint8Array, to: string, bound?: string) => {
    const socket = rig.net.sockets.socket('udp');
    socket.bind(bound === undefined ? 0 : parseIpv4(bound), 5000);
    socket.setsockopt('SO_BROADCAST', true);
    socket.sendto(data, parseIpv4(to), 9);
    socket.close();
  };

  test('has the address of the interface as source, and a time to live of 64', () => {
    send(Uint8Array.of(1), PEER);
    const payload = udp({ source: HOST, destination: PEER, sourcePort: 5000, destinationPort: 9, data: [1] });
    rig.expectSentIpv4({ protocol: 17, payload, ttl: 64 });
  });

  test('has another identification than the one before', () => {
    send(Uint8Array.of(1), PEER);
    send(Uint8Array.of(1), PEER);
    expect(readBe16(rig.sent(), 18)).toBe((readBe16(rig.sent(), 18) - 1) & 0xffff);
  });

  test('has a header checksum that sums to all ones', () => {
    send(Uint8Array.of(1), PEER);
    expect(naiveSum(rig.sent().subarray(14, 34))).toBe(0xffff);
  });

  test('goes to the gateway when its destination is not on the network', () => {
    send(Uint8Array.of(1), '203.0.113.9');
    rig.expectArpRequest(GATEWAY);
    rig.advance(3 * SECOND_NS);
    rig.expectNoLeak();
  });

  test('1122-6 never has a source in 127/8 on a wire (section 3.2.1.3, case g)', () => {
    expect(() => send(Uint8Array.of(1), PEER, '127.0.0.1')).toThrow('EINVAL');
    rig.expectNothing();
  });

  test('goes to the limited broadcast address by way of the first interface', () => {
    send(Uint8Array.of(1), '255.255.255.255');
    expect(rig.sent().subarray(0, 6)).toEqual(new Uint8Array(6).fill(0xff));
  });
});

describe('the loopback', () => {
  test.each(['127.0.0.1', '127.9.8.7', HOST])(
    '1122-6 %s is this host: what it sends there comes back, on no wire',
    address => {
      const receiver = rig.net.sockets.socket('udp');
      receiver.bind(0, 7777);
      const sender = rig.net.sockets.socket('udp');
      sender.sendto(Uint8Array.of(1, 2, 3), parseIpv4(address), 7777);
      expect(receiver.counters.received).toBe(0);
      rig.settle();
      expect(receiver.counters.received).toBe(1);
      rig.expectNothing();
      rig.expectNoLeak();
    },
  );

  test('has a bounded queue', () => {
    const socket = rig.net.sockets.socket('udp');
    socket.bind(0, 7777);
    for (let i = 0; i < 134; i++) socket.sendto(Uint8Array.of(i), parseIpv4('127.0.0.1'), 7777);
    expect(rig.net.drops.counts['loopback queue is full']).toBe(6);
    rig.settle();
    expect(socket.counters.received).toBe(128);
    rig.expectNoLeak();
  });

  test('answers its own echo requests', () => {
    const socket = rig.net.sockets.socket('icmp');
    socket.connect(parseIpv4(HOST));
    socket.send(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1));
    rig.settle();
    expect(socket.counters.received).toBe(1);
    rig.expectNoLeak();
  });
});

test('an observer sees each packet with its way or its protocol, and each loss', () => {
  const seen: string[] = [];
  rig.trace = traceOf({
    ipv4: (direction, source, destination, protocol, length) => {
      seen.push(`${direction} ${source.toString(16)} ${destination.toString(16)} ${protocol} ${length}`);
    },
    route: (destination, prefix, gateway, link) => {
      seen.push(`route to ${destination.toString(16)}: ${prefix} ${gateway} ${link}`);
    },
    protocol: (protocol, handler) => seen.push(`protocol ${protocol}: ${handler}`),
    drop: (where, reason) => seen.push(`${where}: ${reason}`),
  });
  inject({});
  inject({ checksumError: 1 });
  expect(seen).toEqual([
    'in c0000202 c0000201 1 31',
    'protocol 1: ICMP',
    'route to c0000202: 192.0.2.0/24 0 eth0',
    'out c0000201 c0000202 1 31',
    'ipv4: bad IPv4 checksum',
  ]);
  seen.length = 0;
  inject({ protocol: 99 });
  expect(seen).toContain('protocol 99: null');
});
