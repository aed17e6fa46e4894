import { beforeEach, describe, expect, test } from 'vitest';
import type { DropReason } from '../../../../kernel/net/drop.ts';
import type { ForwardingPolicy } from '../../../../kernel/net/ipv4/forward.ts';
import { hexBytes, parseIpv4 } from '../../../../src/lib/bytes.ts';
import { distinct, pieces } from '../../../support/fragments.ts';
import { BROADCAST_MAC, HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../support/net-rig.ts';
import { arpFrame, frame, type Ipv4Fields, icmp, ipv4, udp } from '../../../support/packets.ts';

/**
 *     PEER 192.0.2.2 ----- eth0 192.0.2.1 [rig] 198.51.100.1 eth1 ----- NEXT 198.51.100.2 ----- 10.0.0.0/8
 *     OTHER 192.0.2.254 --'  '-- 203.0.113.0/24 by way of OTHER
 */
const ETH1 = '198.51.100.1';
const ETH1_MAC = '52:54:00:00:01:01';
const NEXT = '198.51.100.2';
const NEXT_MAC = '52:54:00:00:01:02';
const OTHER = '192.0.2.254';
const REMOTE = '10.1.2.3';

const router = (policy: boolean | ForwardingPolicy = true): NetRig => {
  const rig = new NetRig(
    {
      interfaces: [
        { address: parseIpv4(HOST), prefixLength: 24 },
        { address: parseIpv4(ETH1), prefixLength: 24 },
      ],
      routes: [
        { destination: parseIpv4('10.0.0.0'), prefixLength: 8, gateway: parseIpv4(NEXT) },
        { destination: parseIpv4('203.0.113.0'), prefixLength: 24, gateway: parseIpv4(OTHER) },
      ],
      forwarding: policy,
    },
    2,
  );
  rig.introducePeer();
  rig.inject(arpFrame({ opcode: 1, senderMac: NEXT_MAC, sender: NEXT, target: ETH1 }), 1);
  rig.sent(1);
  return rig;
};

let rig: NetRig;
beforeEach(() => {
  rig = router();
});

type Fields = Partial<Ipv4Fields>;
const DATA = Uint8Array.from({ length: 40 }, (_, i) => 3 * i);
const packet = (fields: Fields = {}): Uint8Array =>
  ipv4({ source: PEER, destination: REMOTE, protocol: 17, payload: DATA, ...fields });
const inject = (fields: Fields = {}, to = HOST_MAC): void =>
  rig.inject(frame({ to, from: PEER_MAC, type: 0x0800, payload: packet(fields) }));

/** The packet went on to NEXT as `fields` say, and nothing else happened. */
function expectForwarded(fields: Fields): void {
  rig.expectSent(frame({ to: NEXT_MAC, from: ETH1_MAC, type: 0x0800, payload: packet(fields) }), 1);
  rig.expectNothing();
  rig.expectNoLeak();
}

/** An ICMP error came out of eth0 about the packet of `fields`, quoted as it came in. */
function expectError(
  type: number,
  code: number,
  fields: Fields = {},
  more: { word?: number; source?: string } = {},
): void {
  const data = packet(fields).subarray(0, 548);
  const message = icmp({ type, code, word: more.word ?? 0, data });
  rig.expectSentIpv4({ source: more.source ?? HOST, protocol: 1, payload: message, tos: 0xc0 });
}

function expectDropped(reason: DropReason): void {
  rig.expectNothing();
  expect(rig.net.drops.counts[reason]).toBe(1);
  rig.expectNoLeak();
}

describe('a packet for others', () => {
  test('1122-2 is dropped by a host in silence', () => {
    rig = new NetRig();
    rig.introducePeer();
    inject();
    expectDropped('not for this host');
  });

  test('goes out by the route, with one hop less to live, in the buffer that it came in', () => {
    inject({ ttl: 64 });
    expectForwarded({ ttl: 63 });
    expect(rig.net.ipv4Forward!.counters.forwarded).toBe(1);
  });

  test('goes to the destination itself when that is on the link, after ARP', () => {
    inject({ destination: '198.51.100.9', ttl: 9 });
    rig.expectSent(arpFrame({ opcode: 1, senderMac: ETH1_MAC, sender: ETH1, target: '198.51.100.9' }), 1);
    rig.inject(arpFrame({ opcode: 2, senderMac: NEXT_MAC, sender: '198.51.100.9', target: ETH1 }, ETH1_MAC), 1);
    expectForwarded({ destination: '198.51.100.9', ttl: 8 });
  });

  test('keeps its options, its type of service and what else its header says', () => {
    const fields = { options: [7, 7, 4, 0, 0, 0, 0, 1], tos: 0xb8, identification: 0xffff, fragment: 0x4000 };
    inject(fields);
    expectForwarded({ ...fields, ttl: 63 });
  });

  test('goes on as the fragment that it is', () => {
    inject({ fragment: 0x2005 });
    expectForwarded({ fragment: 0x2005, ttl: 63 });
  });

  test('1812-3 has the checksum that a new computation would give it, at every time to live', () => {
    for (let ttl = 2; ttl <= 255; ttl++) {
      inject({ ttl });
      expectForwarded({ ttl: ttl - 1 });
    }
  });
});

describe('792-1 1812-1 a packet whose time to live runs out', () => {
  test.each([0, 1])('at %d is dropped, and its sender told', ttl => {
    inject({ ttl });
    expectError(11, 0, { ttl });
    expectDropped('time to live exceeded');
  });

  test('is accepted with 1, or 0, when it is for the router itself', () => {
    for (const [ttl, destination] of [
      [1, ETH1],
      [1, HOST],
      [0, HOST],
    ] as const) {
      rig.injectIpv4({ protocol: 1, payload: icmp({ type: 8, data: DATA }), ttl, destination });
      rig.expectSentIpv4({ source: destination, protocol: 1, payload: icmp({ type: 0, data: DATA }) });
    }
    rig.expectNothing();
  });

  test('is no reason for an error about an error', () => {
    inject({ ttl: 1, protocol: 1, payload: icmp({ type: 3, code: 1, data: DATA }) });
    expectDropped('time to live exceeded');
  });
});

describe('1812-2 a packet', () => {
  test('without a route is answered with network unreachable', () => {
    inject({ destination: '172.16.0.1' });
    expectError(3, 0, { destination: '172.16.0.1' });
    expectDropped('no route');
  });

  test('for a neighbour that does not answer is answered with host unreachable', () => {
    const fields = { destination: '198.51.100.9' };
    inject(fields);
    rig.advance(4 * SECOND_NS);
    for (let i = 0; i < 3; i++) expect(rig.sent(1)[21]).toBe(1);
    expectError(3, 1, { ...fields, ttl: 63 });
    expectDropped('host unreachable');
  });

  test('of this host for a neighbour that does not answer is no matter for ICMP', () => {
    rig.spawn('sender', function* (sys) {
      const socket = sys.socket('udp');
      sys.sendto(socket, DATA, parseIpv4('198.51.100.9'), 7);
      yield* sys.sleep(1);
    });
    rig.advance(4 * SECOND_NS);
    for (let i = 0; i < 3; i++) expect(rig.sent(1)[21]).toBe(1);
    rig.expectNothing();
    expect(rig.net.icmpErrors.counters.sent).toBe(0);
  });
});

describe('1812-5 an ICMP error', () => {
  test('quotes as much of the packet as fits 576 octets', () => {
    const fields = { ttl: 1, payload: new Uint8Array(1480).fill(0x5a) };
    inject(fields);
    expectError(11, 0, fields);
    inject({ ttl: 1, payload: [] });
    expectError(11, 0, { ttl: 1, payload: [] });
  });

  test('has the address of the interface by which it leaves, also when that is not the one the packet came in by', () => {
    inject({ source: '10.9.9.9', ttl: 1 });
    const data = packet({ source: '10.9.9.9', ttl: 1 });
    const [octets, to] = [rig.sent(1), frame({ to: NEXT_MAC, from: ETH1_MAC, type: 0x0800, payload: [] })];
    expect(hexBytes(octets.subarray(0, 14))).toBe(hexBytes(to));
    expect(hexBytes(octets.subarray(26, 34))).toBe(
      hexBytes(ipv4({ ...HEADER, source: ETH1, destination: '10.9.9.9' }).subarray(12)),
    );
    expect(hexBytes(octets.subarray(34))).toBe(hexBytes(icmp({ type: 11, data })));
  });
});
const HEADER = { protocol: 1, payload: [] };

test('1812-6 ICMP errors come in a burst, and then so many a second', () => {
  for (let i = 0; i < 100; i++) inject({ ttl: 1 });
  expect(rig.driver.sent.length).toBe(50);
  rig.advance(SECOND_NS / 10);
  for (let i = 0; i < 100; i++) inject({ ttl: 1 });
  expect(rig.driver.sent.length).toBe(60);
});

describe('792-1 1812-7 a packet that leaves by the interface that it came in by', () => {
  const TO_OTHER = { destination: '203.0.113.5' };
  const introduceOther = () => rig.inject(arpFrame({ opcode: 1, senderMac: NEXT_MAC, sender: OTHER, target: HOST }));
  const expectPassed = (fields: Fields) =>
    rig.expectSent(frame({ to: NEXT_MAC, from: HOST_MAC, type: 0x0800, payload: packet({ ...fields, ttl: 63 }) }));
  beforeEach(() => {
    introduceOther();
    rig.sent();
  });

  test('is passed on, and its sender hears of the better next hop', () => {
    inject(TO_OTHER);
    expectError(5, 1, TO_OTHER, { word: parseIpv4(OTHER) });
    expectPassed(TO_OTHER);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('for a host on the network is said to be better sent to that host itself', () => {
    inject({ destination: OTHER });
    expectError(5, 1, { destination: OTHER }, { word: parseIpv4(OTHER) });
    expectPassed({ destination: OTHER });
  });

  test('is passed on without a word when its sender is not on that network', () => {
    const fields = { ...TO_OTHER, source: '203.0.113.9' };
    inject(fields);
    expectPassed(fields);
    rig.expectNothing();
  });

  test.each([131, 137])('is passed on without a word when it is source-routed: option %d', type => {
    const fields = { ...TO_OTHER, options: [1, type, 7, 8, 10, 0, 0, 1] };
    inject(fields);
    expectPassed(fields);
    rig.expectNothing();
  });

  test('is passed on however often; redirects are not sent so often', () => {
    for (let i = 0; i < 100; i++) inject(TO_OTHER);
    expect(rig.driver.sent.length).toBe(110);
    expect(rig.net.icmpErrors.counters).toEqual({ sent: 10, notAllowed: 0, rateLimited: 90 });
  });
});

describe('1812-8 a martian is dropped in silence', () => {
  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '127.0.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    HOST,
    ETH1,
    '192.0.2.255',
  ])('source %s', source => {
    inject({ source });
    expectDropped('martian source');
  });

  test.each(['0.0.0.0', '0.1.2.3', '127.0.0.1', '240.0.0.1', '255.255.255.254'])('destination %s', destination => {
    inject({ destination });
    expectDropped('martian destination');
  });

  test('destination 224.0.0.5, for multicasts are not routed', () => {
    inject({ destination: '224.0.0.5' });
    expectDropped('not for this host');
  });

  test('and with source validation what comes in by another link than its source would be sent to', () => {
    rig = router({ sourceValidation: true });
    inject({ source: '10.9.9.9', destination: NEXT });
    expectDropped('source validation');
    inject({ source: '172.16.0.1' });
    expect(rig.net.drops.counts['source validation']).toBe(2);
    inject();
    expectForwarded({ ttl: 63 });
  });
});

describe('a broadcast', () => {
  test('1812-9 a limited broadcast is never forwarded', () => {
    inject(
      {
        destination: '255.255.255.255',
        payload: udp({ source: PEER, destination: '255.255.255.255', sourcePort: 9, destinationPort: 9, data: [1] }),
      },
      BROADCAST_MAC,
    );
    expectDropped('no such port');
  });

  test('1812-9 a directed broadcast is not forwarded, and nobody is told', () => {
    inject({ destination: '198.51.100.255' });
    expectDropped('directed broadcast');
  });

  test('1812-9 a directed broadcast is forwarded as a broadcast of the link, if the router is told so (RFC 2644)', () => {
    rig = router({ directedBroadcast: true });
    const fields = { destination: '198.51.100.255' };
    inject(fields);
    rig.expectSent(
      frame({ to: BROADCAST_MAC, from: ETH1_MAC, type: 0x0800, payload: packet({ ...fields, ttl: 63 }) }),
      1,
    );
    inject({ ...fields, ttl: 1 });
    expectDropped('time to live exceeded');
  });

  test('1812-9 a directed broadcast that is forwarded comes to the router too (RFC 1812 section 5.2.3)', () => {
    rig = router({ directedBroadcast: true });
    const received: Uint8Array[] = [];
    rig.spawn('receiver', function* (sys) {
      const socket = sys.socket('udp');
      sys.bind(socket, 0, 7);
      for (;;) received.push((yield* sys.recvfrom(socket))!.bytes);
    });
    const destination = '198.51.100.255';
    const send = (data: Uint8Array, port = 7) => {
      const datagram = udp({ source: PEER, destination, sourcePort: 9, destinationPort: port, data });
      const fields = { source: PEER, destination, protocol: 17, payload: datagram };
      for (const each of pieces(fields, 1480)) inject(each);
      for (const each of pieces({ ...fields, ttl: 63 }, 1480)) {
        const sent = ipv4({ ...fields, ...each, ttl: 63 });
        rig.expectSent(frame({ to: BROADCAST_MAC, from: ETH1_MAC, type: 0x0800, payload: sent }), 1);
      }
      rig.expectNothing();
    };
    send(Uint8Array.of(1, 2, 3));
    send(distinct(4000));
    rig.net.hooks.add('forward', 0, () => true);
    send(distinct(4000));
    expect(received).toEqual([Uint8Array.of(1, 2, 3), distinct(4000), distinct(4000)]);
    // A port where nobody is: nobody is told.
    send(Uint8Array.of(1), 8);
    rig.expectNoLeak();
  });
});

describe('options at a router (RFC 1812 section 5.2.4: none is obeyed, all are passed on)', () => {
  test.each([
    ['1812-4 record route', [7, 7, 4, 0, 0, 0, 0, 0]],
    ['1812-4 timestamp', [0x44, 8, 5, 0, 0, 0, 0, 0]],
    ['1812-4 loose source route', [131, 7, 8, 10, 0, 0, 1, 0]],
    ['1812-4 router alert, and one that nobody knows', [148, 4, 0, 0, 0x5e, 4, 1, 2]],
  ])('%s passes unharmed', (_, options) => {
    inject({ options });
    expectForwarded({ options, ttl: 63 });
  });

  test.each([
    ['record route, of which the length goes beyond the header', [1, 7, 8, 4], 22],
    ['timestamp of no length', [0x44, 0, 5, 0], 21],
    ['what has no room for a length', [1, 1, 1, 0x44], 23],
  ])('792-3 a bad one is not passed on: %s', (_, options, pointer) => {
    inject({ options });
    expectError(12, 0, { options }, { word: pointer * 2 ** 24 });
    expectDropped('bad IPv4 option');
  });
});

describe('what is no good for its receiver', () => {
  test('1812-10 a packet with a wrong header checksum is dropped before anything is made of it', () => {
    inject({ checksumError: 1 });
    expectDropped('bad IPv4 checksum');
  });

  test('1812-10 a packet for one host in a broadcast of the link is not forwarded', () => {
    inject({}, BROADCAST_MAC);
    expectDropped('broadcast on the link only');
  });
});

test('the observer hears which prefix matched, and what the table said', () => {
  const seen: unknown[] = [];
  rig.trace = new Proxy({} as never, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        name === 'forward' && seen.push(args),
  });
  inject();
  expect(seen).toEqual([[parseIpv4(REMOTE), '10.0.0.0/8', parseIpv4(NEXT), 'eth1', 63]]);
});

describe('a next link with a smaller MTU', () => {
  const PAYLOAD = distinct(1000);
  const received = { payload: PAYLOAD };
  beforeEach(() => rig.net.interfaces[1]!.setMtu(576));

  test('FRAG-2 1812-4 is given fragments', () => {
    inject(received);
    const datagram = { source: PEER, destination: REMOTE, protocol: 17, ttl: 63, payload: PAYLOAD };
    for (const each of pieces(datagram, 552)) {
      const packet_ = ipv4({ ...datagram, ...each });
      rig.expectSent(frame({ to: NEXT_MAC, from: ETH1_MAC, type: 0x0800, payload: packet_ }), 1);
    }
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('FRAG-2 1812-4 is not given a packet with DF: its sender hears of the MTU (RFC 1191)', () => {
    inject({ ...received, fragment: 0x4000 });
    expectError(3, 4, { ...received, fragment: 0x4000 }, { word: 576 });
    expectDropped('fragmentation needed');
  });

  test('FRAG-8 with hooks, a datagram in fragments passes them once, whole, and leaves in fragments of the next link', () => {
    const seen: number[] = [];
    rig.net.hooks.add('forward', 0, whole => {
      seen.push(whole.bytes[whole.start + 2]! * 256 + whole.bytes[whole.start + 3]!);
      return true;
    });
    const datagram = { source: PEER, destination: REMOTE, protocol: 17, payload: distinct(4000) };
    for (const each of pieces(datagram, 1480).toReversed()) inject(each);
    expect(seen).toEqual([4020]);
    for (const each of pieces({ ...datagram, ttl: 63 }, 552)) {
      const packet_ = ipv4({ ...datagram, ttl: 63, ...each });
      rig.expectSent(frame({ to: NEXT_MAC, from: ETH1_MAC, type: 0x0800, payload: packet_ }), 1);
    }
    rig.expectNothing();
    rig.expectNoLeak();
  });
});
