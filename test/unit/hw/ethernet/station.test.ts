import { describe, expect, test } from 'vitest';
import { Cable } from '../../../../hw/ethernet/medium/cable.ts';
import { STATION_QUEUE_FRAMES, Station } from '../../../../hw/ethernet/station.ts';
import { Clock } from '../../../../hw/sim/clock.ts';
import { Prng } from '../../../../hw/sim/prng.ts';
import { Endpoint, frameOf } from '../../../support/ethernet.ts';

function build() {
  const clock = new Clock();
  const prng = new Prng('station');
  const cable = new Cable(clock, prng.fork('cable'), 10);
  const station = new Station(clock, prng.fork('station'));
  const far = new Endpoint(clock, prng.fork('far'));
  cable.connect(0, station.phy);
  cable.connect(1, far.phy);
  const pass = (ns: number) => clock.run(clock.nowNs + ns);
  return { clock, cable, station, far, pass };
}

describe('bare station', () => {
  test('pads to the minimum, appends the FCS, and keeps the order', () => {
    const { station, far, pass } = build();
    pass(3e9);
    expect(station.phy.link).toEqual({ up: true, speed: 1000, fullDuplex: true });
    for (const length of [14, 60, 61, 1514]) expect(station.send(new Uint8Array(length).fill(length))).toBe(true);
    pass(1e6);
    expect(far.arrivals.map(({ frame }) => [frame.wireBytes, frame.fcsGood])).toEqual([
      [64, true],
      [64, true],
      [65, true],
      [1518, true],
    ]);
    expect([...far.arrivals[0]!.frame.octets.subarray(12, 16)]).toEqual([14, 14, 0, 0]);
  });

  test('refuses what its queue cannot hold, and says once when there is room', () => {
    const { station, far, pass } = build();
    let rooms = 0;
    station.onRoom = () => {
      rooms += 1;
    };
    for (let i = 0; i <= STATION_QUEUE_FRAMES; i++) expect(station.send(new Uint8Array(60))).toBe(true);
    expect(station.send(new Uint8Array(60))).toBe(false);
    expect(station.send(new Uint8Array(60))).toBe(false);
    expect(rooms).toBe(0);
    pass(3e9);
    expect(rooms).toBe(1);
    expect(far.arrivals.length).toBe(STATION_QUEUE_FRAMES + 1);
    expect(station.send(new Uint8Array(60))).toBe(true);
  });

  test('hands on good frames alone, and counts the others', () => {
    const { station, far, cable, pass } = build();
    const received: number[] = [];
    station.onReceive = frame => received.push(frame.wireBytes);
    pass(3e9);
    cable.flipNext(1, [77]);
    far.send(frameOf(100), frameOf(63), frameOf(64), frameOf(9022), frameOf(9023));
    pass(1e6);
    expect(received).toEqual([64, 9022]);
    expect(station.discardedFrames).toBe(3);
  });

  test('saved with a queue and loaded elsewhere, it sends the same frames at the same times', () => {
    const original = build();
    original.pass(3e9);
    for (let i = 0; i < 20; i++) original.station.send(new Uint8Array(100 + i).fill(i));
    original.pass(5000);
    const state = structuredClone({
      clock: original.clock.save(),
      cable: original.cable.save(),
      station: original.station.save(),
      phy: original.far.phy.save(),
    });
    const copy = build();
    copy.clock.load(state.clock);
    copy.cable.load(state.cable);
    copy.station.load(state.station);
    copy.far.phy.load(state.phy);
    const before = original.far.arrivals.length;
    for (const { pass } of [original, copy]) pass(1e6);
    const log = (far: Endpoint) => far.arrivals.map(({ frame, atNs }) => [atNs, frame.octets[20], frame.wireBytes]);
    expect(before).toBeLessThan(20);
    expect(log(copy.far)).toEqual(log(original.far).slice(before));
  });
});
