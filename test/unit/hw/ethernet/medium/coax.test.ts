import { describe, expect, test } from 'vitest';
import { Coax, THIN_COAX_NS_PER_METRE } from '../../../../../hw/ethernet/medium/coax.ts';
import { AttachmentUnit } from '../../../../../hw/ethernet/phy/attachment-unit.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { Domain, DomainStation, frameWith } from '../../../../support/collision-domain.ts';

describe('coaxial cable', () => {
  test.each([
    ['10BASE5', 500, 4.33, 2165],
    ['10BASE2', 185, THIN_COAX_NS_PER_METRE, 949],
  ])('%s of %i m at %f ns/m: %i ns from end to end', (_, metres, nsPerMetre, delayNs) => {
    const clock = new Clock();
    const coax = new Coax(clock, metres, nsPerMetre);
    const stations = [0, metres].map(at => {
      const station = new DomainStation(clock, new Prng(`${at}`), 's', 10);
      coax.attach(at, station.unit);
      return station;
    });
    stations[0]!.send(frameWith(64));
    clock.run(1e6);
    expect(stations[1]!.heard.map(({ startNs, atNs }) => [startNs, atNs])).toEqual([[delayNs, delayNs + 57_600]]);
  });

  test('has no taps beyond its ends, and takes a unit once', () => {
    const clock = new Clock();
    const coax = new Coax(clock, 500);
    const unit = new AttachmentUnit(clock, new Prng('u'));
    expect(() => coax.attach(501, unit)).toThrow('no tap at 501 m');
    expect(() => coax.attach(-1, unit)).toThrow(RangeError);
    coax.attach(0, unit);
    expect(() => coax.attach(10, unit)).toThrow('attached already');
    expect(() => new Coax(clock, -5)).toThrow(RangeError);
  });

  test('passes a signal along the taps in the order of their distance, and tells who watches when it has left', () => {
    const domain = Domain.onCoax([100, 0, 250, 100], { seed: 'order' });
    const seen: unknown[] = [];
    domain.coax!.onSignal = (from, { endNs, aborted }) =>
      seen.push([from.positionMetres, endNs, aborted, domain.clock.nowNs]);
    domain.stations[0]!.send(frameWith(64));
    domain.pass(5000);
    expect(domain.stations.map(({ heard }) => heard.map(({ startNs }) => startNs / 100))).toEqual([
      [],
      [100],
      [150],
      [0],
    ]);
    expect(seen).toEqual([[100, 57_600, false, 57_600 + 15_000]]);
  });

  test('taken by nobody else costs nothing, and hears nothing', () => {
    const domain = Domain.onCoax([0]);
    domain.stations[0]!.send(frameWith(64), frameWith(64));
    domain.pass(5000);
    expect(domain.stations[0]!.finished.length).toBe(2);
    expect(domain.clock.idle).toBe(true);
  });

  test('a frame overlapped behind its delimiter comes out damaged, as long as the noise; overlapped before, it is none', () => {
    for (const [at, arrivals] of [
      [200, 1],
      [50, 0],
    ] as const) {
      // The listener is where the first sender is; the second is `at` bits away, and begins just before it hears.
      const domain = Domain.onCoax([0, at, 0]);
      const [first, second, listener] = domain.stations;
      first!.send(frameWith(1518, 7));
      domain.pass(at === 200 ? 199 : 0);
      second!.send(frameWith(1518, 9));
      domain.pass(at === 200 ? 700 : 300);
      const damaged = listener!.heard.filter(({ startNs }) => startNs === 0);
      expect(damaged.length).toBe(arrivals);
      for (const { frame, atNs } of damaged) {
        expect(frame.fcsGood).toBe(false);
        expect(frame.octets[0]).toBe(7);
        expect(8 * frame.wireBytes + frame.errors.dribbleBits).toBe(atNs / 100 - 64);
      }
    }
  });

  test('a station taken off in the middle of its frame leaves the beginning of it', () => {
    const clock = new Clock();
    const coax = new Coax(clock, 500);
    const [gone, stays] = ['gone', 'stays'].map(name => new DomainStation(clock, new Prng(name), name, 10));
    const tap = coax.attach(0, gone!.unit);
    coax.attach(500, stays!.unit);
    gone!.send(frameWith(500, 3));
    clock.run(6400 + 8 * 100 * 20);
    coax.detach(tap);
    coax.detach(tap);
    clock.run(1e6);
    expect(stays!.heard.map(({ frame }) => [frame.wireBytes, frame.fcsGood])).toEqual([[20, false]]);
    stays!.send(frameWith(64));
    clock.run(2e6);
    expect(gone!.heard).toEqual([]);
    expect(stays!.finished.length).toBe(1);
  });
});
