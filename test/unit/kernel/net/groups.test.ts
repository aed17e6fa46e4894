/** Broadcast, multicast (RFC 1112) and interfaces without an address, as sockets see them. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../../kernel/net/datagram-socket.ts';
import { formatMac, parseIpv4 } from '../../../../src/lib/bytes.ts';
import { BROADCAST_MAC, HOST, HOST_MAC, NetRig, PEER, PEER_MAC } from '../../../support/net-rig.ts';
import { frame, icmp, ipv4, udp } from '../../../support/packets.ts';

const GROUP = '224.0.0.9';
const GROUP_MAC = '01:00:5e:00:00:09';
const group = parseIpv4(GROUP);
const ETH1 = '198.51.100.1';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig({ interfaces: [HOST, ETH1].map(address => ({ address: parseIpv4(address), prefixLength: 24 })) }, 3);
});

const open = (port = 520): DatagramSocket => {
  const socket = rig.net.sockets.socket('udp');
  socket.bind(0, port);
  return socket;
};

/** A datagram of one octet from the peer to port 520. */
const arrive = (destination: string, to: string, index = 0): void => {
  const payload = udp({ source: PEER, destination, sourcePort: 520, destinationPort: 520, data: [7] });
  const packet = ipv4({ source: PEER, destination, protocol: 17, ttl: 1, payload });
  rig.inject(frame({ to, from: PEER_MAC, type: 0x0800, payload: packet }), index);
};

const codeOf = (call: () => void): string => {
  try {
    call();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};

describe('a multicast datagram', () => {
  test('comes in where a socket has joined the group, and nowhere else', () => {
    const [joined, other] = [open(), open(521)];
    arrive(GROUP, GROUP_MAC);
    joined.setsockopt('IP_ADD_MEMBERSHIP', { group, interface: 'eth1' });
    expect(rig.drivers[1]!.groups.map(mac => formatMac(mac))).toContain(GROUP_MAC);
    arrive(GROUP, GROUP_MAC);
    expect(joined.counters.received).toBe(0);
    arrive(GROUP, GROUP_MAC, 1);
    expect(joined.counters.received).toBe(1);
    expect(other.counters.received).toBe(0);
    rig.expectNoLeak();
  });

  test('comes to each of the sockets that share a port and have joined', () => {
    const sockets = [0, 1, 2].map(() => {
      const socket = rig.net.sockets.socket('udp');
      socket.setsockopt('SO_REUSEADDR', true);
      socket.bind(0, 520);
      return socket;
    });
    for (const socket of sockets.slice(1)) socket.setsockopt('IP_ADD_MEMBERSHIP', { group });
    arrive(GROUP, GROUP_MAC);
    expect(sockets.map(socket => socket.counters.received)).toEqual([0, 1, 1]);
  });

  test('is received until the last socket has left: by itself, or by being closed', () => {
    const [first, second] = [open(), open(521)];
    first.setsockopt('IP_ADD_MEMBERSHIP', { group });
    second.setsockopt('IP_ADD_MEMBERSHIP', { group });
    first.setsockopt('IP_DROP_MEMBERSHIP', { group });
    expect(rig.driver.groups.map(mac => formatMac(mac))).toContain(GROUP_MAC);
    second.close();
    expect(rig.driver.groups.map(mac => formatMac(mac))).not.toContain(GROUP_MAC);
  });

  test('1122-3 to a closed port is not answered', () => {
    open(521).setsockopt('IP_ADD_MEMBERSHIP', { group });
    arrive(GROUP, GROUP_MAC);
    rig.expectNothing();
    expect(rig.net.drops.counts['no such port']).toBe(1);
  });

  test('leaves by the first interface with an address, for the MAC address of its group, with a time to live of 1', () => {
    open().sendto(Uint8Array.of(7), group, 520);
    const payload = udp({ source: HOST, destination: GROUP, sourcePort: 520, destinationPort: 520, data: [7] });
    rig.expectSentIpv4({ protocol: 17, destination: GROUP, ttl: 1, payload }, GROUP_MAC);
  });

  test('goes to the lower 23 bits of its group (RFC 1112 section 6.4)', () => {
    open().sendto(Uint8Array.of(7), parseIpv4('239.255.1.2'), 520);
    expect(formatMac(rig.sent())).toBe('01:00:5e:7f:01:02');
  });

  test('has the interface and the time to live that the socket is set to', () => {
    const socket = open();
    socket.setsockopt('IP_MULTICAST_IF', 'eth1');
    socket.setsockopt('IP_MULTICAST_TTL', 9);
    socket.sendto(Uint8Array.of(7), group, 520);
    const octets = rig.sent(1);
    expect([octets[22], octets.subarray(26, 30).join('.')]).toEqual([9, ETH1]);
    expect([socket.getsockopt('IP_MULTICAST_IF'), socket.getsockopt('IP_MULTICAST_TTL')]).toEqual(['eth1', 9]);
  });

  test('to 224.0.0.1 is for every host with an address; an echo request in it is not answered (RFC 1122 3.2.2.6)', () => {
    const payload = icmp({ type: 8 });
    const packet = ipv4({ source: PEER, destination: '224.0.0.1', protocol: 1, payload });
    rig.inject(frame({ to: '01:00:5e:00:00:01', from: PEER_MAC, type: 0x0800, payload: packet }));
    rig.expectNothing();
    expect(rig.net.drops.counts['echo request not answered']).toBe(1);
  });

  test.each([
    ['EINVAL', { group: parseIpv4(PEER) }],
    ['ENODEV', { group, interface: 'eth7' }],
  ])('joining fails with %s', (code, membership) => {
    expect(codeOf(() => open().setsockopt('IP_ADD_MEMBERSHIP', membership))).toBe(code);
  });

  test('is joined once, left once, and by 20 groups for a socket', () => {
    const socket = open();
    socket.setsockopt('IP_ADD_MEMBERSHIP', { group });
    expect(codeOf(() => socket.setsockopt('IP_ADD_MEMBERSHIP', { group }))).toBe('EADDRINUSE');
    socket.setsockopt('IP_DROP_MEMBERSHIP', { group });
    expect(codeOf(() => socket.setsockopt('IP_DROP_MEMBERSHIP', { group }))).toBe('EADDRNOTAVAIL');
    for (let i = 0; i < 20; i++) socket.setsockopt('IP_ADD_MEMBERSHIP', { group: group + i });
    expect(codeOf(() => socket.setsockopt('IP_ADD_MEMBERSHIP', { group: group + 20 }))).toBe('ENOBUFS');
  });
});

describe('a broadcast', () => {
  test.each(['255.255.255.255', '192.0.2.255'])('to %s is sent by sockets with SO_BROADCAST alone', destination => {
    const socket = open();
    expect(codeOf(() => socket.sendto(Uint8Array.of(7), parseIpv4(destination), 9))).toBe('EACCES');
    rig.expectNothing();
    socket.setsockopt('SO_BROADCAST', true);
    socket.sendto(Uint8Array.of(7), parseIpv4(destination), 9);
    expect(formatMac(rig.sent())).toBe(BROADCAST_MAC);
  });

  test('comes to all sockets at its port', () => {
    const sockets = [0, 1].map(() => {
      const socket = rig.net.sockets.socket('udp');
      socket.setsockopt('SO_REUSEADDR', true);
      socket.bind(0, 520);
      return socket;
    });
    arrive('192.0.2.255', BROADCAST_MAC);
    expect(sockets.map(socket => socket.counters.received)).toEqual([1, 1]);
    rig.expectNoLeak();
  });
});

describe('an interface without an address', () => {
  const client = (): DatagramSocket => {
    const socket = rig.net.sockets.socket('udp');
    socket.setsockopt('SO_BINDTODEVICE', 'eth2');
    socket.setsockopt('SO_BROADCAST', true);
    socket.bind(0, 68);
    return socket;
  };

  test('1122-6 sends broadcasts from 0.0.0.0 for a socket that is bound to it', () => {
    client().sendto(Uint8Array.of(1), parseIpv4('255.255.255.255'), 67);
    const addresses = { source: '0.0.0.0', destination: '255.255.255.255' };
    const octets = rig.sent(2);
    const identification = octets[18]! * 256 + octets[19]!;
    const payload = udp({ ...addresses, sourcePort: 68, destinationPort: 67, data: [1] });
    const packet = ipv4({ ...addresses, identification, protocol: 17, payload });
    expect(octets).toEqual(frame({ to: BROADCAST_MAC, from: '52:54:00:00:02:01', type: 0x0800, payload: packet }));
  });

  test('receives broadcasts, for that socket and not for one that is bound to another interface', () => {
    const [here, there] = [client(), rig.net.sockets.socket('udp')];
    there.setsockopt('SO_BINDTODEVICE', 'eth1');
    there.bind(0, 68);
    const addresses = { source: '192.0.2.7', destination: '255.255.255.255' };
    const payload = udp({ ...addresses, sourcePort: 67, destinationPort: 68, data: [2] });
    const packet = ipv4({ ...addresses, protocol: 17, payload });
    rig.inject(frame({ to: BROADCAST_MAC, from: PEER_MAC, type: 0x0800, payload: packet }), 2);
    expect([here.counters.received, there.counters.received]).toEqual([1, 0]);
  });

  test('is not named by a route, so that a socket that is bound to none does not find it', () => {
    rig = new NetRig({ interfaces: [] });
    const socket = open(68);
    socket.setsockopt('SO_BROADCAST', true);
    expect(codeOf(() => socket.sendto(Uint8Array.of(1), parseIpv4('255.255.255.255'), 67))).toBe('ENETUNREACH');
  });
});

test('a socket that is bound to an interface sends by it and receives by it alone', () => {
  const socket = rig.net.sockets.socket('udp');
  socket.setsockopt('SO_BINDTODEVICE', 'eth1');
  socket.bind(0, 520);
  arrive(HOST, HOST_MAC);
  expect(socket.counters.received).toBe(0);
  expect(rig.net.drops.counts['no such port']).toBe(1);
  rig.driver.sent.length = 0;
  socket.sendto(Uint8Array.of(1), parseIpv4(PEER), 9);
  rig.expectSent(
    frame({
      to: BROADCAST_MAC,
      from: '52:54:00:00:01:01',
      type: 0x0806,
      payload: rig.drivers[1]!.sent[0]!.slice(14),
    }),
    1,
  );
  expect(socket.getsockopt('SO_BINDTODEVICE')).toBe('eth1');
  expect(codeOf(() => socket.setsockopt('SO_BINDTODEVICE', 'eth9'))).toBe('ENODEV');
});

describe('IP_MTU_DISCOVER (RFC 1191)', () => {
  const df = (octets: Uint8Array): boolean => (octets[20]! & 0x40) !== 0;
  const tooBig = (about: Uint8Array, mtu: number): void =>
    rig.injectIpv4({ protocol: 1, payload: icmp({ type: 3, code: 4, word: mtu, data: about.subarray(14, 14 + 28) }) });
  beforeEach(() => rig.introducePeer());

  test('DONT, as sockets are made: packets have no DF, and a report of their being too long is not believed', () => {
    const socket = open();
    socket.sendto(new Uint8Array(1400), parseIpv4(PEER), 9);
    const octets = rig.sent();
    expect(df(octets)).toBe(false);
    tooBig(octets, 576);
    socket.sendto(new Uint8Array(1400), parseIpv4(PEER), 9);
    expect(rig.sent().length).toBe(14 + 28 + 1400);
  });

  test('WANT: packets have DF, until the path is known to take less; then they are cut here', () => {
    const socket = open();
    socket.setsockopt('IP_MTU_DISCOVER', 'IP_PMTUDISC_WANT');
    socket.sendto(new Uint8Array(1400), parseIpv4(PEER), 9);
    const octets = rig.sent();
    expect(df(octets)).toBe(true);
    tooBig(octets, 576);
    socket.sendto(new Uint8Array(1000), parseIpv4(PEER), 9);
    expect(rig.driver.sent.splice(0).map(each => [each.length, df(each)])).toEqual([
      [14 + 572, false],
      [14 + 476, false],
    ]);
    socket.sendto(new Uint8Array(500), parseIpv4(PEER), 9);
    expect(df(rig.sent())).toBe(true);
  });

  test('DO: what is longer than the path takes is EMSGSIZE', () => {
    const socket = open();
    socket.setsockopt('IP_MTU_DISCOVER', 'IP_PMTUDISC_DO');
    expect(codeOf(() => socket.sendto(new Uint8Array(1473), parseIpv4(PEER), 9))).toBe('EMSGSIZE');
    socket.sendto(new Uint8Array(1472), parseIpv4(PEER), 9);
    tooBig(rig.sent(), 576);
    expect(codeOf(() => socket.sendto(new Uint8Array(549), parseIpv4(PEER), 9))).toBe('EMSGSIZE');
    socket.sendto(new Uint8Array(548), parseIpv4(PEER), 9);
    expect(df(rig.sent())).toBe(true);
  });

  test.each([
    ['0: the next plateau below what was sent', 0, 1006],
    ['10: the least that there is', 10, 68],
    ['more than the path was known to take: ignored', 4000, 1500],
  ])('an MTU of %s', (_, said, mtu) => {
    const socket = open();
    socket.setsockopt('IP_MTU_DISCOVER', 'IP_PMTUDISC_WANT');
    socket.sendto(new Uint8Array(1400), parseIpv4(PEER), 9);
    tooBig(rig.sent(), said);
    expect(rig.net.ipv4Output.pathMtu(parseIpv4(PEER))).toBe(mtu);
  });

  test('what was learnt of a path is forgotten after 10 minutes, and TCP hears of both', () => {
    const socket = open();
    socket.setsockopt('IP_MTU_DISCOVER', 'IP_PMTUDISC_WANT');
    socket.sendto(new Uint8Array(1400), parseIpv4(PEER), 9);
    tooBig(rig.sent(), 1006);
    rig.advance(599e9);
    expect(rig.net.ipv4Output.pathMtu(parseIpv4(PEER))).toBe(1006);
    rig.advance(1e9);
    expect(rig.net.ipv4Output.pathMtu(parseIpv4(PEER))).toBe(1500);
  });
});
