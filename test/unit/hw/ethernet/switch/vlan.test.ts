/** VLANs of a switch, IEEE 802.1Q. */
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import type { SwitchPortOptions } from '../../../../../hw/ethernet/switch/options.ts';
import { tagged, untagged } from '../../../../../hw/ethernet/switch/vlan.ts';
import { BROADCAST, type FrameParts, frameTo, SwitchRig, station } from '../../../../support/switch-rig.ts';

const A = station(1);
const B = station(2);

const access = (vlan: number): SwitchPortOptions => ({ vlans: { access: vlan } });
const trunk = (allowed: 'all' | readonly number[], native?: number | null): SwitchPortOptions => ({
  vlans: { trunk: allowed, ...(native === undefined ? {} : { native }) },
});

/** The ports that a broadcast from port 0 reaches. */
function reached(ports: readonly SwitchPortOptions[], parts: FrameParts = {}): { rig: SwitchRig; ports: number[] } {
  const rig = new SwitchRig(ports.length, { ports }).up();
  rig.send(0, frameTo(BROADCAST, A, parts));
  return { rig, ports: rig.stations.flatMap(({ arrivals }, port) => (arrivals.length > 0 ? [port] : [])) };
}

const tagOf = (rig: SwitchRig, port: number) => {
  const { octets, fcsGood } = rig.stations[port]!.arrivals[0]!.frame;
  expect(fcsGood).toBe(true);
  return octets[12] === 0x81 && octets[13] === 0 ? (octets[14]! << 8) | octets[15]! : null;
};

describe('an access port', () => {
  test('8.8 its frames belong to its VLAN, and reach no other', () => {
    expect(reached([access(5), access(5), access(6), access(5)]).ports).toEqual([1, 3]);
  });

  test('a port of which nothing is said belongs to VLAN 1 where others have VLANs', () => {
    expect(reached([{}, access(5), access(1), {}]).ports).toEqual([2, 3]);
  });

  test('6.9 takes frames tagged with its own VLAN or with a priority alone, and drops those of others', () => {
    const ports = [access(5), access(5), access(6)];
    expect(reached(ports, { tag: 5 }).ports).toEqual([1]);
    expect(reached(ports, { tag: 0xa000 }).ports).toEqual([1]);
    const { rig, ports: none } = reached(ports, { tag: 6 });
    expect(none).toEqual([]);
    expect(rig.device.ports[0]!.counters.wrongVlan).toBe(1);
    expect(rig.device.table()).toEqual([]);
    expect(reached(ports, { tag: 4095 }).ports).toEqual([]);
  });

  test('sends without a tag', () => {
    const { rig } = reached([access(5), access(5)], { tag: 0xe005 });
    expect(tagOf(rig, 1)).toBe(null);
  });
});

describe('a trunk', () => {
  test('sends with the tag of the VLAN, and without one in its native VLAN', () => {
    const { rig } = reached([access(5), trunk('all'), trunk([1, 5], 5)]);
    expect(tagOf(rig, 1)).toBe(5);
    expect(tagOf(rig, 2)).toBe(null);
  });

  test('carries what is allowed', () => {
    expect(reached([access(5), trunk([5, 6]), trunk([6, 7]), trunk('all')]).ports).toEqual([1, 3]);
    expect(reached([trunk([5, 6]), access(5), access(6), access(7)], { tag: 7 }).ports).toEqual([]);
  });

  test('gives frames without a tag to its native VLAN; without one it drops them', () => {
    expect(reached([trunk('all'), access(1), access(5)]).ports).toEqual([1]);
    expect(reached([trunk('all', 5), access(1), access(5)]).ports).toEqual([2]);
    expect(reached([trunk('all', null), access(1), access(5)]).ports).toEqual([]);
    expect(reached([trunk([5, 6]), access(1), access(5)]).ports).toEqual([]);
  });

  test('keeps the priority of a frame that had one', () => {
    const { rig } = reached([trunk('all', 5), trunk('all', 1)], { tag: 0xd000 }); // a priority, DEI, VID 0
    expect(tagOf(rig, 1)).toBe(0xd005);
    const { rig: through } = reached([trunk('all'), trunk('all')], { tag: 0x7009 });
    expect(tagOf(through, 1)).toBe(0x7009);
  });

  test('a frame that leaves with the tag that it came with is the same frame, FCS included', () => {
    const rig = new SwitchRig(2, { ports: [trunk('all'), trunk('all')] }).up();
    const frame = frameTo(B, A, { tag: 9 });
    rig.send(0, frame);
    expect(rig.stations[1]!.arrivals[0]!.frame).toBe(frame);
  });

  test('3.2.7 a frame of the greatest length gets a tag and has 1522 octets, which the next switch takes', () => {
    const { rig } = reached([access(5), trunk('all')], { bytes: 1518 });
    expect(rig.stations[1]!.arrivals[0]!.frame.wireBytes).toBe(1522);
    expect(reached([trunk('all'), access(5)], { bytes: 1522, tag: 5 }).ports).toEqual([1]);
    expect(reached([trunk('all'), access(5)], { bytes: 1522 }).ports).toEqual([]);
  });

  test('3.2.8 a frame of the least length that loses its tag is made up to 64 octets', () => {
    const { rig } = reached([trunk('all'), access(5)], { bytes: 64, tag: 5 });
    expect(rig.stations[1]!.arrivals[0]!.frame.wireBytes).toBe(64);
  });
});

describe('the table', () => {
  test('8.8.8 learns in each VLAN by itself: one address may be at two ports', () => {
    const rig = new SwitchRig(4, { ports: [access(5), access(5), access(6), access(6)] }).up();
    rig.send(0, frameTo(BROADCAST, A)).send(2, frameTo(BROADCAST, A));
    const [five, six] = [frameTo(A, B), frameTo(A, B)];
    rig.send(1, five).send(3, six);
    expect([rig.receivers(five), rig.receivers(six)]).toEqual([[0], [2]]);
    expect(rig.device.table().map(({ vlan, port }) => [vlan, port])).toEqual([
      [5, 0],
      [6, 2],
      [5, 1],
      [6, 3],
    ]);
  });

  test('a static entry whose port is not in the VLAN leads nowhere', () => {
    const rig = new SwitchRig(3, { ports: [access(5), access(5), access(6)] }).up();
    rig.device.addStatic(B, 2, 5);
    const frame = frameTo(B, A);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([]);
    expect(rig.device.ports[0]!.counters.filtered).toBe(1);
  });
});

describe('a switch of which nothing is said about VLANs', () => {
  test('6.2 of 802.1D carries tagged frames as any others', () => {
    const { rig, ports } = reached([{}, {}, {}], { tag: 0x6123 });
    expect(ports).toEqual([1, 2]);
    expect(tagOf(rig, 1)).toBe(0x6123);
  });
});

describe('a tag', () => {
  test('stands behind the addresses: 81-00, then priority and VLAN', () => {
    const frame = frameTo(B, A, { bytes: 100 });
    const { octets } = tagged(frame, 0x123);
    expect([...octets.subarray(12, 16)]).toEqual([0x81, 0x00, 0x01, 0x23]);
    expect([...octets.subarray(16)]).toEqual([...frame.octets.subarray(12)]);
  });

  test('put in and taken out again leaves the frame as it was', () => {
    for (const bytes of [64, 65, 67, 68, 1518]) {
      const frame = frameTo(B, A, { bytes });
      const back = untagged(tagged(frame, 77));
      expect(back.wire()).toEqual(frame.wire());
      expect(Frame.raw(back.wire()).fcsGood).toBe(true);
    }
  });
});
