import { beforeEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../../kernel/net/datagram-socket.ts';
import type { DropReason } from '../../../../kernel/net/drop.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { BROADCAST_MAC, HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { type IcmpFields, type Ipv4Fields, icmp, ipv4, naiveSum, udp } from '../../../support/packets.ts';

const ROUTER = '203.0.113.7';
const REMOTE = '198.51.100.5';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
});

const inject = (fields: IcmpFields, more: Partial<Ipv4Fields> = {}, to?: string) =>
  rig.injectIpv4({ protocol: 1, payload: icmp(fields), ...more }, to === undefined ? {} : { to });

function expectDropped(reason: DropReason): void {
  rig.expectNothing();
  expect(rig.net.drops.counts[reason]).toBe(1);
  rig.expectNoLeak();
}

describe('792-1 1122-4 an echo request', () => {
  test.each([0, 1, 2, 55, 56, 1471, 1472])(
    '792-2 with %s octets of data is answered with the same id, sequence, data',
    n => {
      const data = Uint8Array.from({ length: n }, (_, i) => 7 * i + n);
      inject({ type: 8, word: 0xbeef_0102, data });
      rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 0, word: 0xbeef_0102, data }) });
      rig.expectNothing();
      rig.expectNoLeak();
    },
  );

  test('is answered with a code of 0, whatever its own', () => {
    inject({ type: 8, code: 9, word: 0x0001_0001, data: [5] });
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 0, word: 0x0001_0001, data: [5] }) });
  });

  test('is answered with the same type of service (RFC 1122 section 3.2.2)', () => {
    inject({ type: 8, data: [1] }, { tos: 0x10 });
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 0, data: [1] }), tos: 0x10 });
  });

  test.each([0x0000_0000, 0xffff_0000, 0xf7ff_0000])(
    'whose sum, or that of its reply, is one of the two zeros, is answered with a good checksum: %s',
    word => {
      inject({ type: 8, word });
      expect(naiveSum(rig.sent().subarray(34))).toBe(0xffff);
    },
  );

  test('to a broadcast address is not answered', () => {
    inject({ type: 8 }, { destination: '192.0.2.255' }, BROADCAST_MAC);
    expectDropped('echo request not answered');
  });

  test('from a host without an address is not answered', () => {
    inject({ type: 8 }, { source: '0.0.0.0' });
    expectDropped('echo request not answered');
  });

  test('with a wrong checksum is dropped', () => {
    inject({ type: 8, data: [1], checksumError: 0x100 });
    expectDropped('bad ICMP checksum');
  });

  test('of fewer than eight octets is dropped', () => {
    rig.injectIpv4({ protocol: 1, payload: [8, 0, 0xf7, 0xff, 0, 0, 0] });
    expectDropped('malformed ICMP');
  });
});

test.each([1, 2, 4, 6, 7, 9, 10, 13, 14, 15, 16, 17, 18, 30, 40, 255])(
  '792-1 a message of type %s MUST be silently discarded (RFC 1122 section 3.2.2)',
  type => {
    inject({ type, data: ipv4({ source: HOST, destination: PEER, protocol: 17, payload: new Uint8Array(8) }) });
    expectDropped('unknown ICMP type');
  },
);

describe('1122-3 an ICMP error is never sent about (RFC 1122 section 3.2.2)', () => {
  const closedPort = { source: PEER, destination: HOST, sourcePort: 9, destinationPort: 9, data: [1, 2] };
  const send = (more: Partial<Ipv4Fields>, to?: string) =>
    rig.injectIpv4({ protocol: 17, payload: udp(closedPort), ...more }, to === undefined ? {} : { to });

  test.each([3, 4, 5, 11, 12])('an ICMP error message: type %s with a bad option', type => {
    inject({ type, data: new Uint8Array(28) }, { options: [7, 0, 0, 0] });
    expectDropped('bad IPv4 option');
    expect(rig.net.icmpErrors.counters.notAllowed).toBe(1);
  });

  test('but it is about an echo request, which is no error', () => {
    inject({ type: 8 }, { options: [7, 0, 0, 0] });
    expect(rig.sent()[34]).toBe(12);
  });

  test('a datagram to the directed broadcast address', () => {
    const payload = udp({ ...closedPort, destination: '192.0.2.255' });
    send({ destination: '192.0.2.255', payload }, BROADCAST_MAC);
    expectDropped('no such port');
  });

  test('a datagram to the limited broadcast address', () => {
    const payload = udp({ ...closedPort, destination: '255.255.255.255' });
    send({ destination: '255.255.255.255', payload }, BROADCAST_MAC);
    expectDropped('no such port');
  });

  test('a datagram whose source is no single host', () => {
    send({ source: '0.0.0.0', payload: udp({ ...closedPort, source: '0.0.0.0' }) });
    expectDropped('no such port');
  });

  test('a fragment that is not the first', () => {
    send({ fragment: 0x0001 });
    rig.advance(200 * SECOND_NS);
    rig.expectNothing();
    rig.expectNoLeak();
  });
});

describe('an ICMP error that the host sends', () => {
  const closedPort = { source: PEER, destination: HOST, sourcePort: 9, destinationPort: 9 };

  test('quotes header and data up to 576 octets in all (RFC 1812 section 4.3.2.3)', () => {
    const packet = { protocol: 17, payload: udp({ ...closedPort, data: new Uint8Array(1000).fill(0x5a) }) };
    rig.injectIpv4(packet);
    const quote = ipv4({ source: PEER, destination: HOST, ...packet }).subarray(0, 548);
    rig.expectSentIpv4({ protocol: 1, payload: icmp({ type: 3, code: 3, data: quote }) });
    rig.expectNoLeak();
  });

  test('792-2 quotes all of a short datagram, though it be odd, behind a word of zero, but not the padding of the link', () => {
    const packet = { protocol: 17, payload: udp({ ...closedPort, data: [1] }) };
    rig.injectIpv4(packet, { padding: 17 });
    rig.expectSentIpv4({
      protocol: 1,
      payload: icmp({ type: 3, code: 3, data: ipv4({ source: PEER, destination: HOST, ...packet }) }),
    });
  });

  test('is one of a burst of 50, then of 100 a second: a token bucket', () => {
    const packet = { protocol: 17, payload: udp({ ...closedPort, data: [] }) };
    const count = (n: number) => {
      for (let i = 0; i < n; i++) rig.injectIpv4(packet);
      return rig.driver.sent.splice(0).length;
    };
    expect(count(60)).toBe(50);
    rig.advance(SECOND_NS / 10);
    expect(count(60)).toBe(10);
    expect(rig.net.icmpErrors.counters).toMatchObject({ sent: 60, rateLimited: 60 });
    rig.advance(SECOND_NS / 200);
    expect(count(1)).toBe(0);
    rig.advance(SECOND_NS / 200);
    expect(count(2)).toBe(1);
    rig.advance(30 * SECOND_NS);
    expect(count(60)).toBe(50);
    rig.expectNoLeak();
  });

  test('is not sent when no buffer is free', () => {
    const packet = { protocol: 17, payload: udp({ ...closedPort, data: [] }) };
    const held = Array.from({ length: rig.packets.usage().free - 1 }, () => rig.packets.allocate()!);
    rig.injectIpv4(packet);
    rig.expectNothing();
    for (const buffer of held) rig.packets.free(buffer);
    rig.expectNoLeak();
  });
});

describe('an ICMP error that the host receives', () => {
  let socket: DatagramSocket;
  beforeEach(() => {
    socket = rig.net.sockets.socket('udp');
    socket.bind(0, 5000);
    socket.connect(parseIpv4(REMOTE), 7);
  });

  const sent = udp({ source: HOST, destination: REMOTE, sourcePort: 5000, destinationPort: 7, data: [1, 2, 3] });
  const quote = (fields: Partial<Ipv4Fields> = {}) =>
    ipv4({ source: HOST, destination: REMOTE, protocol: 17, payload: sent, ...fields });
  const report = (fields: IcmpFields) => inject(fields, { source: ROUTER });

  test.each([
    [3, 0, 'ENETUNREACH'],
    [3, 1, 'EHOSTUNREACH'],
    [3, 2, 'ENOPROTOOPT'],
    [3, 3, 'ECONNREFUSED'],
    [3, 4, 'EMSGSIZE'],
    [3, 13, 'EHOSTUNREACH'],
    [11, 0, 'EHOSTUNREACH'],
    [11, 1, 'EHOSTUNREACH'],
    [12, 0, 'EPROTO'],
  ])('792-1 %s/%s is passed to the socket that sent the datagram, as %s', (type, code, name) => {
    report({ type, code, data: quote() });
    expect(socket.takeError()).toMatchObject({ code: name, reporter: parseIpv4(ROUTER) });
    expect(socket.takeError()).toBeNull();
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('need quote no more than the header and eight octets', () => {
    report({ type: 3, code: 3, data: quote().subarray(0, 28) });
    expect(socket.takeError()?.code).toBe('ECONNREFUSED');
  });

  test('may quote a header with options', () => {
    report({ type: 3, code: 3, data: quote({ options: [1, 1, 1, 0] }) });
    expect(socket.takeError()?.code).toBe('ECONNREFUSED');
  });

  test('may quote a header whose checksum a router did not keep right', () => {
    report({ type: 11, code: 0, data: quote({ ttl: 0, checksumError: 5 }) });
    expect(socket.takeError()?.code).toBe('EHOSTUNREACH');
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['less than a header', quote().subarray(0, 19)],
    ['less than eight octets of data', quote().subarray(0, 27)],
    ['no IPv4 packet', quote({ version: 6 })],
    ['a packet of another host', quote({ source: '192.0.2.99' })],
  ])('and quotes %s is dropped', (_, data) => {
    report({ type: 3, code: 3, data });
    expect(socket.takeError()).toBeNull();
    expectDropped('malformed ICMP');
  });

  test('about what no socket sent is ignored', () => {
    const other = udp({ source: HOST, destination: REMOTE, sourcePort: 5001, destinationPort: 7, data: [] });
    report({ type: 3, code: 3, data: quote({ payload: other }) });
    report({ type: 3, code: 3, data: quote({ protocol: 99 }) });
    report({ type: 3, code: 3, data: quote({ destination: '198.51.100.6' }) });
    expect(socket.takeError()).toBeNull();
    rig.expectNoLeak();
  });

  test('about an echo request goes to the socket with its identifier; one about a reply to nobody', () => {
    const pinger = rig.net.sockets.socket('icmp');
    pinger.connect(parseIpv4(REMOTE));
    const word = pinger.localPort * 0x1_0000 + 1;
    report({ type: 11, data: quote({ protocol: 1, payload: icmp({ type: 0, word }) }) });
    expect(pinger.takeError()).toBeNull();
    report({ type: 11, data: quote({ protocol: 1, payload: icmp({ type: 8, word }) }) });
    expect(pinger.takeError()).toMatchObject({ code: 'EHOSTUNREACH', message: 'EHOSTUNREACH: time to live exceeded' });
  });
});
