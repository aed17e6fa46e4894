/** Port mirroring: what leaves at the port where somebody listens. */
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import type { Mirror } from '../../../../../hw/ethernet/switch/mirror.ts';
import { BROADCAST, frameTo, SwitchRig, station } from '../../../../support/switch-rig.ts';

const [A, B, LISTENER] = [1, 2, 3].map(station) as [Uint8Array, Uint8Array, Uint8Array];
const MIRROR = 2;

function rigOf(direction: Mirror['direction']): SwitchRig {
  const rig = new SwitchRig(4, { mirror: { from: [0], direction, to: MIRROR } }).up();
  rig.device.addStatic(A, 0);
  rig.device.addStatic(B, 1);
  return rig;
}

describe.each([
  ['ingress', true, false],
  ['egress', false, true],
  ['both', true, true],
] as const)('%s', (direction, ingress, egress) => {
  test('copies what it says, and the frames go where they would have gone', () => {
    const rig = rigOf(direction);
    const [out, back] = [frameTo(B, A), frameTo(A, B)];
    rig.send(0, out).send(1, back);
    expect(rig.receivers(out)).toEqual(ingress ? [1, MIRROR] : [1]);
    expect(rig.receivers(back)).toEqual(egress ? [0, MIRROR] : [0]);
  });

  test('copies nothing of what goes by the port', () => {
    const rig = rigOf(direction);
    rig.device.addStatic(station(7), 3);
    const frame = frameTo(station(7), B);
    rig.send(1, frame);
    expect(rig.receivers(frame)).toEqual([3]);
  });
});

test('a copy of what comes in does not depend on where it goes', () => {
  const rig = rigOf('ingress');
  const filtered = frameTo(A, station(9));
  const reserved = frameTo(Uint8Array.of(1, 0x80, 0xc2, 0, 0, 14), A);
  const bad = frameTo(B, A);
  rig.send(0, filtered).send(0, reserved);
  rig.send(0, Frame.raw(bad.wire().map((octet, i) => (i === 30 ? octet ^ 1 : octet))));
  expect(rig.receivers(filtered)).toEqual([MIRROR]);
  expect(rig.receivers(reserved)).toEqual([MIRROR]);
  expect(rig.stations[MIRROR]!.arrivals.length).toBe(2); // a damaged one is no frame
});

test('a frame between two watched ports is copied when it comes and when it leaves', () => {
  const rig = new SwitchRig(3, { mirror: { from: [0, 1], direction: 'both', to: MIRROR } }).up();
  rig.device.addStatic(B, 1);
  const frame = frameTo(B, A);
  rig.send(0, frame);
  expect(rig.receivers(frame)).toEqual([1, MIRROR, MIRROR]);
});

test('the port of the listener takes no part: nothing is flooded there, and what comes from there goes nowhere', () => {
  const rig = rigOf('egress');
  const flooded = frameTo(BROADCAST, B);
  rig.send(1, flooded);
  expect(rig.receivers(flooded)).toEqual([0, MIRROR, 3]); // by way of port 0, whose egress is watched
  const own = frameTo(BROADCAST, LISTENER);
  rig.send(MIRROR, own);
  expect(rig.receivers(own)).toEqual([]);
  expect(rig.device.ports[MIRROR]!.counters.filtered).toBe(1);
  expect(
    rig.device
      .table()
      .filter(entry => !entry.static)
      .map(({ port }) => port),
  ).toEqual([]);
});

test('with VLANs the copy shows the tags as they were on the wire', () => {
  const ports = [{ vlans: { trunk: 'all' } }, { vlans: { access: 5 } }, {}] as const;
  const rig = new SwitchRig(3, { ports, mirror: { from: [0, 1], direction: 'both', to: MIRROR } }).up();
  rig.send(0, frameTo(BROADCAST, A, { tag: 5, bytes: 100 }));
  expect(rig.stations[MIRROR]!.arrivals.map(({ frame }) => frame.wireBytes)).toEqual([100, 96]);
});

test('a mirror with a spanning tree has no part in that', () => {
  const rig = new SwitchRig(3, { stp: true, mirror: { from: [0], direction: 'ingress', to: MIRROR } }).up();
  rig.pass(10e9);
  expect(rig.device.tree!.view().map(({ port }) => port)).toEqual([0, 1]);
  expect(rig.stations[MIRROR]!.arrivals).toEqual([]);
});
