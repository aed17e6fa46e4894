import { beforeEach, describe, expect, test } from 'vitest';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { BROADCAST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../support/net-rig.ts';
import { frame } from '../../../support/packets.ts';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
});

/** Sends a datagram with one octet, `mark`, to the peer. */
function send(mark: number): void {
  rig.net.sockets.list()[0]!.sendto(Uint8Array.of(mark), parseIpv4(PEER), 9);
}

const marks = () => rig.driver.sent.map(octets => octets[42]);

beforeEach(() => {
  rig.net.sockets.socket('udp');
});

describe('the transmit queue', () => {
  test('holds packets while the ring is full, and keeps their order', () => {
    rig.driver.room = 2;
    for (const mark of [1, 2, 3, 4]) send(mark);
    expect(marks()).toEqual([1, 2]);
    rig.driver.room = 1;
    send(5);
    expect(marks()).toEqual([1, 2]);
    rig.iface.wakeQueue();
    expect(marks()).toEqual([1, 2, 3]);
    rig.driver.room = 10;
    rig.iface.wakeQueue();
    expect(marks()).toEqual([1, 2, 3, 4, 5]);
    rig.expectNoLeak();
  });

  test('is bounded: the packet that finds it full is dropped and counted', () => {
    rig.driver.room = 0;
    for (let mark = 0; mark < 130; mark++) send(mark);
    expect(rig.net.drops.counts['transmit queue is full']).toBe(2);
    expect(rig.iface.counters.txDropped).toBe(2);
    rig.driver.room = 1000;
    rig.iface.wakeQueue();
    expect(marks()).toEqual(Array.from({ length: 128 }, (_, mark) => mark));
    rig.expectNoLeak();
  });

  test('is not stuck when the driver wakes it in the middle of the transmit that finds the ring full', () => {
    rig.driver.room = 0;
    let interrupts = 0;
    rig.driver.onTransmit = () => {
      interrupts += 1;
      if (interrupts === 1) rig.iface.wakeQueue();
      else rig.driver.room = 1;
    };
    send(7);
    expect(marks()).toEqual([7]);
    expect(interrupts).toBe(2);
  });

  test('leaves alone a driver that wakes it for ever and never takes a packet', () => {
    rig.driver.room = 0;
    let offers = 0;
    rig.driver.onTransmit = () => {
      offers += 1;
      rig.iface.wakeQueue();
    };
    send(7);
    expect(offers).toBe(256);
  });

  test('is thrown away when the link goes down, and what comes then is dropped', () => {
    rig.driver.room = 0;
    send(1);
    send(2);
    rig.setLink(false);
    send(3);
    expect(rig.net.drops.counts['link is down']).toBe(3);
    rig.advance(3 * SECOND_NS);
    rig.expectNoLeak();
    rig.expectNothing();
    expect(rig.messages).toContain('eth0: link down');
  });
});

test('interfaces are named in the order in which drivers add them, and take the configuration in that order', () => {
  const two = new NetRig({ interfaces: [{ address: parseIpv4('10.0.0.1'), prefixLength: 8 }] }, 2);
  expect(two.net.interfaces.map(({ name, address, broadcast }) => ({ name, address, broadcast }))).toEqual([
    { name: 'eth0', address: parseIpv4('10.0.0.1'), broadcast: parseIpv4('10.255.255.255') },
    { name: 'eth1', address: 0, broadcast: 0xffff_ffff },
  ]);
});

test('an interface without an address answers nobody', () => {
  const bare = new NetRig({ interfaces: [] });
  bare.injectArp({ opcode: 1, target: '0.0.0.0' });
  bare.injectArp({ opcode: 1 });
  bare.injectIpv4({ protocol: 1, payload: [8, 0, 0xf7, 0xff, 0, 0, 0, 0] });
  bare.injectIpv4({ protocol: 1, payload: [8, 0, 0xf7, 0xff, 0, 0, 0, 0], destination: '0.0.0.0' });
  bare.expectNothing();
  bare.expectNoLeak();
});

test('an interface that cannot start is logged, and the others go on', () => {
  const two = new NetRig({ interfaces: [] }, 2);
  two.drivers[0]!.openError = new Error('no such device');
  two.net.openAll();
  expect(two.messages).toContain('eth0: no such device');
  expect(two.drivers.map(driver => driver.opened)).toEqual([1, 2]);
});

test('statistics have the interface, the driver, each layer, and each reason to drop', () => {
  send(1);
  const statistics = rig.net.statistics();
  expect(statistics['eth0']).toMatchObject({ rxPackets: 1, rxBytes: 42, txPackets: 2, txBytes: 42 + 43, frames: 1 });
  expect(statistics['eth0 arp']).toMatchObject({ received: 1, repliesSent: 1 });
  expect(statistics['udp']).toMatchObject({ sent: 1 });
  expect(statistics['drops']).toHaveProperty('malformed fragment', 0);
});

describe('group addresses', () => {
  const ALL_HOSTS = [1, 0, 0x5e, 0, 0, 1];
  const group = (last: number) => Uint8Array.of(1, 0, 0x5e, 0, 0, last);
  const groups = () => rig.driver.groups.map(each => [...each]);

  test('an interface with an address receives those for all hosts from the start', () => {
    expect(groups()).toEqual([ALL_HOSTS]);
    expect(new NetRig({ interfaces: [] }).driver.groups).toEqual([]);
  });

  test('are received until each that joined has left', () => {
    rig.iface.join(group(9));
    rig.iface.join(group(9));
    expect(groups()).toEqual([ALL_HOSTS, [...group(9)]]);
    rig.iface.leave(group(9));
    expect(groups()).toEqual([ALL_HOSTS, [...group(9)]]);
    rig.iface.leave(group(9));
    expect(groups()).toEqual([ALL_HOSTS]);
    expect(() => rig.iface.leave(group(9))).toThrow('eth0 has not joined 01:00:5e:00:00:09');
  });

  test('are kept as they were joined, whatever becomes of the array', () => {
    const mac = group(9);
    rig.iface.join(mac);
    mac[5] = 10;
    expect(rig.iface.isInGroup(group(9), 0)).toBe(true);
    expect(groups()[1]).toEqual([...group(9)]);
  });

  test('are groups, and not too many', () => {
    expect(() => rig.iface.join(Uint8Array.of(2, 0, 0, 0, 0, 1))).toThrow("02:00:00:00:00:01 is one station's");
    for (let i = 1; i < 1024; i++) rig.iface.join(Uint8Array.of(3, 0, 0, 0, i >> 8, i));
    expect(() => rig.iface.join(group(9))).toThrow('eth0 receives 1024 groups already');
    rig.iface.join(group(1));
  });

  test('that were not joined are dropped, though a coarse filter let them in', () => {
    const to = (mac: string) => frame({ to: mac, from: PEER_MAC, type: 0x8137, payload: [] });
    rig.inject(to('01:00:5e:00:00:01'));
    rig.inject(to(BROADCAST_MAC));
    expect(rig.net.drops.counts['no handler for its EtherType']).toBe(2);
    rig.inject(to('01:00:5e:00:00:02'));
    expect(rig.net.drops.counts['group not joined']).toBe(1);
    rig.expectNoLeak();
  });
});
