import { beforeEach, describe, expect, test } from 'vitest';
import type { PacketBuffer } from '../../../../kernel/driver-api.ts';
import { bytesFromHex, hexBytes } from '../../../../src/lib/bytes.ts';
import { BROADCAST_MAC, HOST_MAC, NetRig, PEER_MAC } from '../../../support/net-rig.ts';
import { frame } from '../../../support/packets.ts';

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
});

const framesOf = (etherType: number) => rig.net.ethernet.types().find(type => type.etherType === etherType);
const inject = (type: number, to = HOST_MAC) => rig.inject(frame({ to, from: PEER_MAC, type, payload: [1, 2, 3, 4] }));

describe('EtherType dispatch', () => {
  test.each([
    [0x8137, 'IPX'],
    [0x809b, 'AppleTalk'],
    [0x80f3, 'AARP'],
    [0x86dd, 'IPv6'],
    [0x8100, 'VLAN'],
  ])('a frame of type %s (%s) is recognised, counted and dropped, for nobody registered', (type, name) => {
    inject(type);
    expect(framesOf(type)).toEqual({ etherType: type, name, handled: false, frames: 1 });
    expect(rig.net.drops.counts['no handler for its EtherType']).toBe(1);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('a module that registers gets the frames of its type, from behind the header', () => {
    const received: string[] = [];
    rig.net.ethernet.register(0x8137, 'IPX', (iface, packet: PacketBuffer, group) => {
      const payload = packet.bytes.subarray(packet.start, packet.start + packet.length);
      received.push(`${iface.name} ${hexBytes(payload)} ${group}`);
      rig.packets.free(packet);
    });
    inject(0x8137);
    inject(0x8137, BROADCAST_MAC);
    expect(received).toEqual(['eth0 01 02 03 04 false', 'eth0 01 02 03 04 true']);
    expect(framesOf(0x8137)).toMatchObject({ handled: true, frames: 2 });
    rig.expectNoLeak();
  });

  test('a type has one handler, and a length is no type', () => {
    expect(() => rig.net.ethernet.register(0x0800, 'IPv4 again', () => {})).toThrow(
      'IPv4 has EtherType 0x0800 already',
    );
    expect(() => rig.net.ethernet.register(1535, 'length', () => {})).toThrow(RangeError);
  });

  test('a type that nobody ever heard of gets a counter, until there are too many', () => {
    inject(0x88cc);
    expect(framesOf(0x88cc)).toEqual({ etherType: 0x88cc, name: '0x88cc', handled: false, frames: 1 });
    for (let type = 0x9000; type < 0x9100; type++) inject(type);
    expect(rig.net.ethernet.types().length).toBe(64);
    expect(rig.net.ethernet.counters.otherTypes).toBeGreaterThan(0);
    expect(rig.net.drops.counts['no handler for its EtherType']).toBe(257);
  });

  test.each([0, 46, 1500, 1535])('a field of %s is a length: the frame is LLC, counted and dropped', field => {
    inject(field);
    expect(rig.net.ethernet.counters.lengthFrames).toBe(1);
    rig.expectNoLeak();
  });
});

describe('a received frame', () => {
  test('for another station is dropped', () => {
    rig.inject(frame({ to: '52:54:00:00:00:77', from: PEER_MAC, type: 0x0806, payload: [] }));
    expect(rig.net.drops.counts['not our MAC address']).toBe(1);
    rig.expectNoLeak();
  });

  test.each([0, 1, 13])('of %s octets is dropped', length => {
    rig.inject(bytesFromHex('00'.repeat(length)));
    expect(rig.net.drops.counts['frame too short']).toBe(1);
    rig.expectNoLeak();
  });
});

test('frames in both directions are told to the observer, with the handler of their type', () => {
  const seen: string[] = [];
  rig.trace = {
    frame: (direction, iface, type, length, handler) => seen.push(`${direction} ${iface} ${type} ${length} ${handler}`),
    arp: () => {},
    drop: () => {},
    deferred: () => {},
  } as Partial<NonNullable<NetRig['trace']>> as NonNullable<NetRig['trace']>;
  rig.injectArp({ opcode: 1 });
  inject(0x8137);
  expect(seen).toEqual(['in eth0 2054 42 ARP', 'out eth0 2054 42 ARP', 'in eth0 33079 18 null']);
});
