/** How an interface claims its address: RFC 5227, and what changes with the address while the host runs. */
import { describe, expect, test } from 'vitest';
import type { InterfaceConfig } from '../../../../kernel/net/interface-address.ts';
import { formatRoute } from '../../../../kernel/net/route.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { BROADCAST_MAC, HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../support/net-rig.ts';
import { arpFrame, icmp } from '../../../support/packets.ts';

const CONFIG: InterfaceConfig = { address: parseIpv4(HOST), prefixLength: 24, detectConflicts: true };
const PROBE = arpFrame({ opcode: 1, senderMac: HOST_MAC, sender: '0.0.0.0', target: HOST }, BROADCAST_MAC);
const ANNOUNCEMENT = arpFrame({ opcode: 1, senderMac: HOST_MAC, sender: HOST, target: HOST }, BROADCAST_MAC);

const claiming = (): NetRig => new NetRig({ interfaces: [CONFIG] });

/** Lets time pass until something is sent, and returns how much that was. */
function waitForFrame(rig: NetRig, mostNs: number): number {
  const fromNs = rig.nowNs();
  while (rig.driver.sent.length === 0) {
    if (rig.nowNs() - fromNs > mostNs) throw new Error('nothing was sent');
    rig.advance(Math.max(0, rig.nextTimerNs() - rig.nowNs()));
  }
  return rig.nowNs() - fromNs;
}

/** The rig has its address, and has announced it. */
function assigned(): NetRig {
  const rig = claiming();
  rig.advance(12 * SECOND_NS);
  rig.driver.sent.length = 0;
  return rig;
}

describe('an interface that detects conflicts', () => {
  test('5227-1 sends 3 probes, from nobody, 1 to 2 s apart after 0 to 1 s, and announces the address 2 s after the last', () => {
    const rig = claiming();
    expect(waitForFrame(rig, 10 * SECOND_NS)).toBeLessThanOrEqual(SECOND_NS);
    rig.expectSent(PROBE);
    for (let i = 0; i < 2; i++) {
      const apartNs = waitForFrame(rig, 10 * SECOND_NS);
      expect(apartNs).toBeGreaterThanOrEqual(SECOND_NS);
      expect(apartNs).toBeLessThanOrEqual(2 * SECOND_NS);
      rig.expectSent(PROBE);
    }
    expect(rig.iface.address).toBe(0);
    expect(waitForFrame(rig, 10 * SECOND_NS)).toBe(2 * SECOND_NS);
    rig.expectSent(ANNOUNCEMENT);
    expect(rig.iface.address).toBe(parseIpv4(HOST));
  });

  test('5227-2 announces the address twice, 2 s apart', () => {
    const rig = claiming();
    while (rig.net.addressState(0) !== 'assigned') {
      waitForFrame(rig, 10 * SECOND_NS);
      rig.driver.sent.splice(0, rig.net.addressState(0) === 'assigned' ? 0 : 9);
    }
    rig.expectSent(ANNOUNCEMENT);
    expect(waitForFrame(rig, 10 * SECOND_NS)).toBe(2 * SECOND_NS);
    rig.expectSent(ANNOUNCEMENT);
    rig.advance(100 * SECOND_NS);
    rig.expectNothing();
  });

  test('5227-1 answers nothing and receives nothing while it probes', () => {
    const rig = claiming();
    rig.injectArp({ opcode: 1 });
    rig.injectIpv4({ protocol: 1, payload: icmp({ type: 8 }) });
    rig.expectNothing();
    expect(rig.net.drops.counts['not for this host']).toBe(1);
  });

  test.each([
    ['an answer', { opcode: 2, sender: HOST, target: '0.0.0.0' }],
    ['any other packet of somebody who has the address', { opcode: 1, sender: HOST, target: PEER }],
    ['the probe of somebody who wants it too', { opcode: 1, sender: '0.0.0.0', target: HOST }],
  ])('5227-1 does not use the address after %s', (_, fields) => {
    const rig = claiming();
    waitForFrame(rig, 10 * SECOND_NS);
    rig.expectSent(PROBE);
    rig.injectArp(fields);
    expect(rig.net.addressState(0)).toBe('conflict');
    rig.advance(100 * SECOND_NS);
    rig.expectNothing();
    expect(rig.iface.address).toBe(0);
    expect(rig.messages).toContain(`eth0: ${HOST} is not used, for ${PEER_MAC} has it`);
  });

  test('5227-1 looks for conflicts until 2 s after the last probe', () => {
    const rig = claiming();
    for (let i = 0; i < 3; i++) {
      waitForFrame(rig, 10 * SECOND_NS);
      rig.expectSent(PROBE);
    }
    rig.advance(2 * SECOND_NS - 1000);
    rig.injectArp({ opcode: 2, sender: HOST });
    expect(rig.net.addressState(0)).toBe('conflict');
  });

  test('5227-1 is not troubled by its own probe, or by probes for other addresses', () => {
    const rig = claiming();
    waitForFrame(rig, 10 * SECOND_NS);
    rig.inject(rig.sent());
    rig.injectArp({ opcode: 1, sender: '0.0.0.0', target: PEER });
    rig.advance(10 * SECOND_NS);
    expect(rig.net.addressState(0)).toBe('assigned');
  });

  test('5227-3 defends the address by one announcement', () => {
    const rig = assigned();
    rig.injectArp({ opcode: 1, sender: HOST });
    rig.expectSent(ANNOUNCEMENT);
    rig.advance(10 * SECOND_NS);
    rig.injectArp({ opcode: 1, sender: HOST });
    rig.expectSent(ANNOUNCEMENT);
    expect(rig.net.addressState(0)).toBe('assigned');
  });

  test('5227-3 gives the address up at the second conflict within 10 s', () => {
    const rig = assigned();
    rig.injectArp({ opcode: 1, sender: HOST });
    rig.sent();
    rig.advance(10 * SECOND_NS - 1000);
    rig.injectArp({ opcode: 2, sender: HOST });
    rig.expectNothing();
    expect(rig.net.addressState(0)).toBe('conflict');
    expect(rig.iface.address).toBe(0);
    expect(rig.net.routes.list().map(formatRoute)).toEqual(['127.0.0.0/8 dev lo']);
  });

  test('answers the probe of another host, which then knows that the address is taken', () => {
    const rig = assigned();
    rig.injectArp({ opcode: 1, sender: '0.0.0.0', target: HOST });
    rig.expectSent(
      arpFrame({ opcode: 2, senderMac: HOST_MAC, sender: HOST, targetMac: PEER_MAC, target: '0.0.0.0' }, PEER_MAC),
    );
  });

  test('probes again when the link comes back: it may be another network', () => {
    const rig = assigned();
    rig.setLink(false);
    expect(rig.iface.address).toBe(0);
    rig.setLink(true);
    expect(rig.net.addressState(0)).toBe('probing');
    waitForFrame(rig, 10 * SECOND_NS);
    rig.expectSent(PROBE);
  });
});

describe('another configuration', () => {
  const NEW: InterfaceConfig = {
    address: parseIpv4('198.51.100.7'),
    prefixLength: 25,
    gateway: parseIpv4('198.51.100.1'),
  };

  test('has its routes in the place of the old ones', () => {
    const rig = new NetRig();
    rig.net.configure(0, NEW);
    expect(rig.net.routes.list().map(formatRoute).sort()).toEqual([
      '0.0.0.0/0 via 198.51.100.1 dev eth0',
      '127.0.0.0/8 dev lo',
      '198.51.100.0/25 dev eth0',
      '198.51.100.7/32 dev lo',
      '255.255.255.255/32 dev eth0',
    ]);
    rig.net.configure(0, { address: 0, prefixLength: 0 });
    expect(rig.net.routes.list().map(formatRoute)).toEqual(['127.0.0.0/8 dev lo']);
    expect(rig.driver.groups).toEqual([]);
  });

  test('is what the host answers from', () => {
    const rig = new NetRig();
    rig.net.configure(0, NEW);
    rig.injectIpv4({ protocol: 1, payload: icmp({ type: 8 }) });
    rig.expectNothing();
    rig.injectArp({ opcode: 1, sender: '198.51.100.9', target: '198.51.100.7' });
    expect(rig.sent()[21]).toBe(2);
  });

  test('leaves a socket bound to the old address as it is; sending from it is EADDRNOTAVAIL', () => {
    const rig = new NetRig();
    const socket = rig.net.sockets.socket('udp');
    socket.bind(parseIpv4(HOST), 5000);
    rig.net.configure(0, NEW);
    expect(() => socket.sendto(new Uint8Array(1), parseIpv4('198.51.100.9'), 9)).toThrow('EADDRNOTAVAIL');
    expect(socket.getsockname()).toEqual({ address: parseIpv4(HOST), port: 5000 });
    rig.net.configure(0, { address: parseIpv4(HOST), prefixLength: 24 });
    socket.sendto(new Uint8Array(1), parseIpv4(PEER), 9);
    rig.expectArpRequest(PEER);
  });

  test.each([
    ['a prefix of 33 bits', { ...NEW, prefixLength: 33 }],
    ['a multicast address', { ...NEW, address: parseIpv4('224.0.0.1') }],
    ['a loopback address', { ...NEW, address: parseIpv4('127.0.0.1') }],
    ['a gateway on another network', { ...NEW, gateway: parseIpv4('192.0.2.1') }],
    ['a gateway without an address', { address: 0, prefixLength: 0, gateway: 1 }],
    ['an MTU of 67', { ...NEW, mtu: 67 }],
    ['an MTU of 1501', { ...NEW, mtu: 1501 }],
  ])('with %s is a RangeError and changes nothing', (_, config) => {
    const rig = new NetRig();
    const before = rig.net.routes.list().map(formatRoute);
    expect(() => rig.net.configure(0, config)).toThrow(RangeError);
    expect(rig.net.routes.list().map(formatRoute)).toEqual(before);
    expect(rig.iface.mtu).toBe(1500);
  });

  test('of an interface that is not there is a RangeError', () => {
    expect(() => new NetRig().net.configure(1, NEW)).toThrow('there is no interface 1');
  });

  test('has the MTU by which packets are cut from then on', () => {
    const rig = new NetRig();
    rig.introducePeer();
    rig.net.configure(0, { address: parseIpv4(HOST), prefixLength: 24, mtu: 576 });
    rig.net.sockets.socket('udp').sendto(new Uint8Array(1000), parseIpv4(PEER), 9);
    expect(rig.driver.sent.map(octets => octets.length)).toEqual([14 + 572, 14 + 476]);
  });
});
