import { beforeEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../../kernel/net/datagram-socket.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { traceOf } from '../../../support/kernel-trace.ts';
import { BROADCAST_MAC, GATEWAY, HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../support/net-rig.ts';
import { arpFrame } from '../../../support/packets.ts';

const OTHER = '192.0.2.3';
const OTHER_MAC = '52:54:00:00:00:03';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
  rig.net.sockets.socket('udp').bind(0, 5000);
});

const socket = () => rig.net.sockets.list()[0] as DatagramSocket;
const send = (mark: number, to = PEER) => socket().sendto(Uint8Array.of(mark), parseIpv4(to), 9);
const row = (address: string) => rig.net.arpTable(0).find(entry => entry.address === parseIpv4(address));
const state = (address = PEER) => row(address)?.state;

/** The mark of the next datagram that was sent, and to which hardware address. */
function sentMark(to = PEER_MAC): number {
  const octets = rig.sent();
  expect([...octets.subarray(0, 6)].map(byte => byte.toString(16).padStart(2, '0')).join(':')).toBe(to);
  expect([octets[12], octets[13]]).toEqual([0x08, 0x00]);
  return octets[42]!;
}

describe('826-1 a request (RFC 826)', () => {
  test('for my address is answered to the asker alone', () => {
    rig.injectArp({ opcode: 1 });
    const reply = { opcode: 2, senderMac: HOST_MAC, sender: HOST, targetMac: PEER_MAC, target: PEER };
    rig.expectSent(arpFrame(reply, PEER_MAC));
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('for the address of another is not answered', () => {
    rig.injectArp({ opcode: 1, target: OTHER });
    rig.expectNothing();
  });

  test('for me enters its sender in the table', () => {
    rig.injectArp({ opcode: 1 });
    expect(row(PEER)).toEqual({ address: parseIpv4(PEER), mac: PEER_MAC, state: 'reachable', waiting: 0 });
  });

  test('for another does not enter a sender that is not known', () => {
    rig.injectArp({ opcode: 1, target: OTHER });
    expect(rig.net.arpTable(0)).toEqual([]);
  });

  test('for another updates a sender that is known: the merge flag', () => {
    rig.injectArp({ opcode: 1 });
    rig.injectArp({ opcode: 1, target: OTHER, senderMac: OTHER_MAC });
    expect(row(PEER)?.mac).toBe(OTHER_MAC);
  });

  test('is answered also when the packet is padded to the least frame', () => {
    const request = arpFrame({ opcode: 1, senderMac: PEER_MAC, sender: PEER, target: HOST });
    rig.inject(Uint8Array.from([...request, ...new Array(18).fill(0)]));
    expect(rig.sent().length).toBe(42);
  });

  test('by a probe (RFC 5227: sender address zero) is answered, and nothing is learned', () => {
    rig.injectArp({ opcode: 1, sender: '0.0.0.0' });
    rig.expectSent(
      arpFrame({ opcode: 2, senderMac: HOST_MAC, sender: HOST, targetMac: PEER_MAC, target: '0.0.0.0' }, PEER_MAC),
    );
    expect(rig.net.arpTable(0)).toEqual([]);
  });
});

describe('826-1 a reply', () => {
  test('is not answered', () => {
    rig.injectArp({ opcode: 2, targetMac: HOST_MAC }, HOST_MAC);
    rig.expectNothing();
    expect(state()).toBe('reachable');
  });
});

describe('826-2 a malformed packet is ignored', () => {
  test.each([
    ['hardware type', { hardware: 6 }],
    ['protocol type', { protocol: 0x86dd }],
    ['hardware address length', { hardwareLength: 8 }],
    ['protocol address length', { protocolLength: 16 }],
    ['sender that is a group', { senderMac: '53:54:00:00:00:02' }],
    ['sender that is a broadcast address', { sender: '255.255.255.255' }],
    ['sender in the loopback network', { sender: '127.0.0.1' }],
  ])('for its %s', (_, fields) => {
    rig.injectArp({ opcode: 1, ...fields });
    rig.expectNothing();
    expect(rig.net.arpTable(0)).toEqual([]);
    expect(rig.net.drops.counts['malformed ARP']).toBe(1);
    rig.expectNoLeak();
  });

  test('for being cut short', () => {
    rig.inject(arpFrame({ opcode: 1, senderMac: PEER_MAC, sender: PEER, target: HOST }).subarray(0, 41));
    rig.expectNothing();
    expect(rig.net.drops.counts['malformed ARP']).toBe(1);
  });
});

describe('1122-8 an address that is not known', () => {
  test('is asked for by broadcast; the packet waits, and goes out once the answer comes', () => {
    send(1);
    rig.expectArpRequest(PEER);
    rig.expectNothing();
    expect(row(PEER)).toEqual({ address: parseIpv4(PEER), mac: null, state: 'incomplete', waiting: 1 });
    rig.injectArp({ opcode: 2 }, HOST_MAC);
    expect(sentMark()).toBe(1);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('off the network is reached by way of the gateway, which is who is asked for', () => {
    send(1, '203.0.113.9');
    rig.expectArpRequest(GATEWAY);
  });

  test('has four packets wait for it: a newer one takes the place of the oldest (RFC 1122 section 2.3.2.2)', () => {
    for (const mark of [1, 2, 3, 4, 5, 6]) send(mark);
    rig.expectArpRequest(PEER);
    rig.expectNothing();
    expect(rig.net.drops.counts['ARP queue is full']).toBe(2);
    rig.injectArp({ opcode: 2 }, HOST_MAC);
    expect([sentMark(), sentMark(), sentMark(), sentMark()]).toEqual([3, 4, 5, 6]);
    rig.expectNoLeak();
  });

  test('is asked for at most once a second, three times; then its packets are given up', () => {
    send(1);
    rig.expectArpRequest(PEER);
    for (let retry = 0; retry < 2; retry++) {
      rig.advance(SECOND_NS - 100);
      send(2 + retry);
      rig.expectNothing();
      rig.advance(100);
      rig.expectArpRequest(PEER);
    }
    rig.advance(SECOND_NS - 100);
    expect(row(PEER)?.waiting).toBe(3);
    rig.advance(100);
    rig.expectNothing();
    expect(rig.net.arpTable(0)).toEqual([]);
    expect(rig.net.drops.counts['host unreachable']).toBe(3);
    rig.expectNoLeak();
  });

  test('that stays silent is reported to the sender as host unreachable', () => {
    send(1);
    rig.advance(3 * SECOND_NS);
    expect(socket().takeError()).toMatchObject({ code: 'EHOSTUNREACH', reporter: parseIpv4(HOST) });
  });

  test('is asked for again by the next packet, no sooner than a second after the last request', () => {
    send(1);
    rig.advance(3 * SECOND_NS);
    for (let i = 0; i < 3; i++) rig.sent();
    send(2);
    rig.expectArpRequest(PEER);
  });

  test('keeps no more than 64 packets waiting in all, so that a scan cannot take every buffer', () => {
    for (let host = 100; host < 200; host++) send(1, `192.0.2.${host}`);
    expect(rig.packets.usage().cpu).toBe(64);
    expect(rig.net.drops.counts['ARP queue is full']).toBe(36);
    rig.advance(3 * SECOND_NS);
    rig.expectNoLeak();
  });
});

test('packets that were sent on, or given up, no longer count as waiting', () => {
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 4; i++) {
      send(1, PEER);
      send(1, OTHER);
    }
    rig.injectArp({ opcode: 2 }, HOST_MAC);
    rig.advance(3 * SECOND_NS);
    rig.setLink(false);
    rig.setLink(true);
  }
  expect(rig.net.drops.counts['ARP queue is full']).toBe(0);
  rig.expectNoLeak();
});

describe('1122-8 an entry ages (RFC 1122 section 2.3.2.1)', () => {
  beforeEach(() => rig.introducePeer());

  test('after a minute it is stale', () => {
    rig.advance(60 * SECOND_NS - 100);
    expect(state()).toBe('reachable');
    rig.advance(100);
    expect(state()).toBe('stale');
  });

  test('and after another minute without use it is gone, and was never asked for', () => {
    rig.advance(120 * SECOND_NS);
    expect(state()).toBeUndefined();
    rig.expectNothing();
  });

  test('anything heard from its owner makes it reachable for another minute', () => {
    rig.advance(59 * SECOND_NS);
    rig.injectArp({ opcode: 1, target: OTHER });
    rig.advance(59 * SECOND_NS);
    expect(state()).toBe('reachable');
  });

  test('a stale one is used, and its owner is polled by unicast', () => {
    rig.advance(60 * SECOND_NS);
    send(1);
    rig.expectArpRequest(PEER, PEER_MAC);
    expect(sentMark()).toBe(1);
    send(2);
    expect(sentMark()).toBe(2);
    expect(state()).toBe('probe');
    rig.injectArp({ opcode: 2 }, HOST_MAC);
    expect(state()).toBe('reachable');
    rig.advance(10 * SECOND_NS);
    rig.expectNothing();
  });

  test('an owner that answers no poll is forgotten, and asked for by broadcast from then on', () => {
    rig.advance(60 * SECOND_NS);
    send(1);
    rig.expectArpRequest(PEER, PEER_MAC);
    sentMark();
    rig.advance(2 * SECOND_NS);
    rig.expectArpRequest(PEER, PEER_MAC);
    rig.expectArpRequest(PEER, PEER_MAC);
    rig.advance(SECOND_NS);
    expect(state()).toBeUndefined();
    send(2);
    rig.expectArpRequest(PEER);
  });
});

describe('the table is bounded', () => {
  const many = () => {
    const config = { interfaces: [{ address: parseIpv4('10.0.0.1'), prefixLength: 8 }] };
    return new NetRig(config);
  };

  test('at 512 entries; the oldest of those that are resolved makes room', () => {
    const big = many();
    for (let i = 0; i < 513; i++) {
      big.injectArp({ opcode: 1, sender: `10.1.${i >> 8}.${i & 255}`, target: '10.0.0.1' });
    }
    const table = big.net.arpTable(0);
    expect(table.length).toBe(512);
    expect(table[0]?.address).toBe(parseIpv4('10.1.0.1'));
    big.expectNoLeak();
  });

  test('a stale entry goes before one that is reachable', () => {
    const big = many();
    big.injectArp({ opcode: 1, sender: '10.2.0.1', target: '10.0.0.1' });
    big.injectArp({ opcode: 1, sender: '10.2.0.2', target: '10.0.0.1' });
    big.advance(30 * SECOND_NS);
    big.injectArp({ opcode: 1, sender: '10.2.0.1', target: '10.0.0.1' });
    big.advance(30 * SECOND_NS);
    for (let i = 0; i < 511; i++) {
      big.injectArp({ opcode: 1, sender: `10.1.${i >> 8}.${i & 255}`, target: '10.0.0.1' });
    }
    const addresses = big.net.arpTable(0).map(entry => entry.address);
    expect(addresses).toContain(parseIpv4('10.2.0.1'));
    expect(addresses).not.toContain(parseIpv4('10.2.0.2'));
  });

  test('when all are being resolved, a packet for yet another address is dropped', () => {
    const big = many();
    const scanner = big.net.sockets.socket('udp');
    for (let i = 0; i < 513; i++) scanner.sendto(Uint8Array.of(1), parseIpv4('10.1.0.0') + i, 9);
    expect(big.net.drops.counts['ARP table is full']).toBe(1);
    big.advance(3 * SECOND_NS);
    big.expectNoLeak();
  });
});

describe('gratuitous ARP (RFC 5227)', () => {
  const announcement = arpFrame({ opcode: 1, senderMac: HOST_MAC, sender: HOST, target: HOST });

  test('is sent twice, two seconds apart, when the link comes up and the host is told to announce', () => {
    const config = { interfaces: [{ address: parseIpv4(HOST), prefixLength: 24, announce: true }] };
    const loud = new NetRig(config);
    loud.expectSent(announcement);
    loud.advance(2 * SECOND_NS - 100);
    loud.expectNothing();
    loud.advance(100);
    loud.expectSent(announcement);
    loud.advance(60 * SECOND_NS);
    loud.expectNothing();
    loud.setLink(false);
    loud.setLink(true);
    loud.expectSent(announcement);
    loud.expectNoLeak();
  });

  test('is not tried on a link that went down between the two', () => {
    const config = { interfaces: [{ address: parseIpv4(HOST), prefixLength: 24, announce: true }] };
    const loud = new NetRig(config);
    loud.expectSent(announcement);
    loud.setLink(false);
    loud.advance(10 * SECOND_NS);
    expect(loud.net.drops.counts['link is down']).toBe(0);
  });

  test('is not sent otherwise', () => {
    rig.advance(10 * SECOND_NS);
    rig.expectNothing();
  });

  test('5227-2 by a neighbour updates the table', () => {
    rig.introducePeer();
    rig.injectArp({ opcode: 1, senderMac: OTHER_MAC, target: PEER });
    send(1);
    expect(sentMark(OTHER_MAC)).toBe(1);
  });

  test('for my own address by another is a conflict: counted, logged once, not answered, not learned', () => {
    for (let i = 0; i < 3; i++) rig.injectArp({ opcode: 1, sender: HOST, target: HOST });
    rig.expectNothing();
    expect(rig.net.arpTable(0)).toEqual([]);
    expect(rig.net.statistics()['eth0 arp']).toMatchObject({ conflicts: 3 });
    expect(rig.messages.filter(text => text.includes('uses'))).toEqual([`eth0: ${PEER_MAC} uses ${HOST} too`]);
  });

  test('of my own that a hub brings back is nothing', () => {
    rig.inject(announcement);
    rig.expectNothing();
    expect(rig.net.statistics()['eth0 arp']).toMatchObject({ conflicts: 0 });
  });
});

test('when the link goes down the table is emptied, and who waited is told', () => {
  rig.introducePeer();
  send(1, OTHER);
  rig.expectArpRequest(OTHER);
  rig.setLink(false);
  expect(rig.net.arpTable(0)).toEqual([]);
  expect(socket().takeError()).toMatchObject({ code: 'EHOSTUNREACH' });
  rig.expectNoLeak();
  rig.advance(10 * SECOND_NS);
  rig.expectNothing();
});

test.each(['255.255.255.255', '192.0.2.255'])('%s needs no ARP: it is the broadcast address of the link', address => {
  socket().setsockopt('SO_BROADCAST', true);
  send(1, address);
  expect(sentMark(BROADCAST_MAC)).toBe(1);
  rig.expectNothing();
});

test('without a free buffer nothing breaks: the request is made by the timer', () => {
  const held = [];
  for (let packet = rig.packets.allocate(); packet !== null; packet = rig.packets.allocate()) held.push(packet);
  rig.packets.free(held.pop()!);
  send(1);
  rig.expectNothing();
  for (const packet of held) rig.packets.free(packet);
  rig.advance(SECOND_NS);
  rig.expectArpRequest(PEER);
});

test('an observer hears who was asked for, who was learned, and who was found', () => {
  const seen: string[] = [];
  rig.trace = traceOf({ arp: text => seen.push(text) });
  send(1);
  expect(seen.splice(0)).toEqual([`eth0: who has ${PEER}`]);
  rig.injectArp({ opcode: 2, targetMac: HOST_MAC }, HOST_MAC);
  expect(seen.splice(0)).toEqual([`eth0: learned ${PEER} at ${PEER_MAC}`]);
  send(2);
  expect(seen).toEqual([`eth0: found ${PEER} at ${PEER_MAC}`]);
});
