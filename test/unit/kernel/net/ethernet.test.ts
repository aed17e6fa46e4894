import { beforeEach, describe, expect, test } from 'vitest';
import type { PacketBuffer } from '../../../../kernel/driver-api.ts';
import { bytesFromHex, hexBytes } from '../../../../src/lib/bytes.ts';
import { traceOf } from '../../../support/kernel-trace.ts';
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
  rig.trace = traceOf({
    frame: (direction, iface, type, length, handler) => seen.push(`${direction} ${iface} ${type} ${length} ${handler}`),
  });
  rig.injectArp({ opcode: 1 });
  inject(0x8137);
  expect(seen).toEqual(['in eth0 2054 42 ARP', 'out eth0 2054 42 ARP', 'in eth0 33079 18 null']);
});

describe('a frame with an IEEE 802.1Q tag', () => {
  const tagged = (tci: readonly number[], type: readonly number[]) =>
    frame({ to: HOST_MAC, from: PEER_MAC, type: 0x8100, payload: [...tci, ...type, 1, 2, 3] });
  const received: string[] = [];
  const take = () => {
    received.length = 0;
    rig.net.ethernet.register(0x8100, 'VLAN', (_iface, packet) => {
      const { bytes, start, length, vlanTag } = packet;
      received.push(
        `${vlanTag} ${hexBytes(bytes.subarray(start - 2, start))} ${hexBytes(bytes.subarray(start, start + length))}`,
      );
      rig.packets.free(packet);
    });
  };

  test('goes to the handler of VLAN, the tag in the octets or taken out by hardware, and to no other', () => {
    take();
    rig.inject(tagged([0x20, 0x64], [0x08, 0x00]));
    rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload: [1, 2, 3] }), 0, { vlanTag: 0x2064 });
    expect(received).toEqual(['8292 08 00 01 02 03', '8292 08 00 01 02 03']);
    expect(framesOf(0x0800)!.frames).toBe(0);
    rig.expectNoLeak();
  });

  test('has but its outer tag taken out', () => {
    take();
    rig.inject(tagged([0, 7], [0x81, 0x00]));
    rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x8100, payload: [1, 2, 3] }), 0, { vlanTag: 7 });
    expect(received).toEqual(['7 81 00 01 02 03', '7 81 00 01 02 03']);
  });

  test.each([0, 3])('is dropped when it ends after %i octets of the tag and type', length => {
    rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x8100, payload: new Uint8Array(length) }));
    expect(rig.net.drops.counts['frame too short']).toBe(1);
    rig.expectNoLeak();
  });

  test.each([true, false])('is sent with the tag in it, or with the hardware asked for it: %s', vlan => {
    const own = new NetRig(undefined, 1, { features: { checksum: false, segmentationBuffers: 0, vlan } });
    const packet = own.packets.allocate()!;
    packet.start += 14;
    packet.bytes.set([1, 2, 3], packet.start);
    packet.length = 3;
    packet.vlanTag = 0x2064;
    own.net.ethernet.output(own.iface, packet, own.iface.mac, 0x0806);
    const octets = own.driver.sent[0]!.subarray(12);
    expect(hexBytes(octets)).toBe(vlan ? '08 06 01 02 03' : '81 00 20 64 08 06 01 02 03');
    expect(own.driver.requests[0]!.vlanTag).toBe(vlan ? 0x2064 : null);
    own.expectNoLeak();
  });
});
