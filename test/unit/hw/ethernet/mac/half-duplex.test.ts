import { describe, expect, test } from 'vitest';
import { Coax, type CoaxTap } from '../../../../../hw/ethernet/medium/coax.ts';
import { JABBER_NS, UNJAB_NS } from '../../../../../hw/ethernet/phy/transceiver.ts';
import type { MediumListener, MediumPort } from '../../../../../hw/ethernet/ports.ts';
import { transmissionOf } from '../../../../../hw/ethernet/transmission.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { Domain, DomainStation, frameWith } from '../../../../support/collision-domain.ts';

/** A coaxial cable of no length with one station, and a tap that sends what the test says, by no rules at all. */
class Bench {
  readonly clock = new Clock();
  readonly coax: Coax;
  readonly station: DomainStation;
  readonly tap: CoaxTap;
  readonly bitNs: number;

  constructor(speed: 10 | 100 | 1000 = 10, seed = 'bench') {
    this.bitNs = 1000 / speed;
    this.coax = new Coax(this.clock, 1000, this.bitNs);
    this.station = new DomainStation(this.clock, new Prng(seed), 'station', speed);
    this.coax.attach(0, this.station.unit);
    const noise: MediumListener = { plugged: () => {}, arrived: () => {}, linkSignal: () => {} };
    this.tap = this.coax.attach(0, noise);
  }

  get bits(): number {
    return this.clock.nowNs / this.bitNs;
  }

  at(bits: number): this {
    this.clock.run(bits * this.bitNs);
    return this;
  }

  /** Carrier for `bits`, from now. */
  carrier(bits: number): void {
    const transmission = transmissionOf(frameWith(64), this.bitNs, this.clock.nowNs);
    transmission.endNs = this.clock.nowNs + bits * this.bitNs;
    transmission.aborted = true;
    this.tap.transmit(transmission);
  }

  /** Own attempts: begin, end of clean bits (Infinity for a whole frame), end; in bit times. */
  get attempts(): number[][] {
    return this.station.transmissions.map(({ startNs, jamNs, endNs }) =>
      [startNs, jamNs, endNs].map(ns => ns / this.bitNs),
    );
  }
}

/** A station that answers any carrier with noise at once: nothing gets through. */
function jammer(bench: Bench): { on: boolean } {
  const state = { on: true };
  let port: MediumPort | null = null;
  const listener: MediumListener = {
    plugged: plug => {
      port = plug;
    },
    arrived: () => {},
    linkSignal: () => {},
    carrier: {
      carrierOn: () => {
        if (!state.on) return;
        const noise = transmissionOf(frameWith(64), bench.bitNs, bench.clock.nowNs);
        noise.endNs = noise.startNs + 96 * bench.bitNs;
        noise.aborted = true;
        port!.transmit(noise);
      },
      carrierOff: () => {},
    },
  };
  bench.coax.attach(0, listener);
  return state;
}

describe.each([10, 100] as const)('deference at %i Mb/s', speed => {
  test('after carrier a frame waits 96 bit times, and is counted as deferred', () => {
    const bench = new Bench(speed);
    bench.carrier(600);
    bench.at(300).station.send(frameWith(64));
    bench.at(1e5);
    expect(bench.attempts).toEqual([[696, Number.POSITIVE_INFINITY, 696 + 576]]);
    expect(bench.station.finished[0]).toMatchObject({ deferred: true, collisions: 0, outcome: 'sent' });
    expect(bench.station.mac.counters.deferredTransmissions).toBe(1);
  });

  test('carrier within 64 bits of silence begins the wait anew; in the rest of the gap it is ignored, and collides', () => {
    for (let bits = 1; bits <= 96; bits++) {
      const bench = new Bench(speed);
      bench.carrier(600);
      bench.at(300).station.send(frameWith(64));
      bench.at(600 + bits).carrier(200);
      bench.at(3000);
      const [start, jam] = bench.attempts[0]!;
      if (bits <= 64) {
        expect([start, jam]).toEqual([600 + bits + 200 + 96, Number.POSITIVE_INFINITY]);
      } else {
        expect([start, jam]).toEqual([696, 696 + 64]);
        expect(bench.station.mac.counters.collisions).toBeGreaterThan(0);
      }
    }
  });

  test('after an own frame carrier does not begin the wait anew in either part', () => {
    for (let bits = 1; bits <= 96; bits++) {
      const bench = new Bench(speed);
      bench.station.send(frameWith(64), frameWith(64, 1));
      bench.at(576 + bits).carrier(200);
      bench.at(676);
      expect(bench.attempts[1]).toEqual([672, 672 + 64, 672 + 96]);
    }
  });

  test('a frame that comes to an idle medium goes at once; one that comes within a gap, at its end', () => {
    for (const [bits, start] of [
      [1, 696],
      [95, 696],
      [96, 696],
      [97, 697],
      [1000, 1600],
    ] as const) {
      const bench = new Bench(speed);
      bench.carrier(600);
      bench.at(600 + bits).station.send(frameWith(64));
      expect(bench.at(5000).attempts[0]![0]).toBe(start);
    }
  });

  test('the device may set the parts of the gap, as TIPG does', () => {
    const bench = new Bench(speed);
    Object.assign(bench.station.mac.spacing, { backToBackBits: 50, part1Bits: 10, wholeBits: 200 });
    bench.carrier(600);
    bench.at(300).station.send(frameWith(64), frameWith(64));
    bench.at(611).carrier(30);
    bench.at(5000);
    expect(bench.attempts.map(([start]) => start)).toEqual([800, 800 + 576 + 50]);
  });

  test('whoever waits longer than maxDeferTime says so, once a frame, and goes on waiting', () => {
    const bench = new Bench(speed);
    bench.carrier(25_000);
    bench.station.send(frameWith(64), frameWith(64));
    bench.at(50_000);
    expect(bench.station.mac.counters.excessiveDeferrals).toBe(1);
    expect(bench.station.finished.map(({ outcome }) => outcome)).toEqual(['sent', 'sent']);
  });
});

describe('collision', () => {
  test('preamble and delimiter are completed, then come 32 bits of jam, and that is all', () => {
    for (const bits of [0, 1, 10, 63, 64, 65, 200, 511, 512]) {
      const bench = new Bench(10);
      bench.station.send(frameWith(1518));
      bench.at(bits).carrier(100);
      bench.at(bits + 120);
      expect(bench.attempts[0]).toEqual([0, Math.max(bits, 64), Math.max(bits, 64) + 32]);
    }
  });

  test('within a bit, jam begins at the end of it', () => {
    const bench = new Bench(10);
    bench.station.send(frameWith(1518));
    bench.at(100.01).carrier(100);
    bench.at(300);
    expect(bench.attempts[0]).toEqual([0, 101, 133]);
  });

  test.each([
    [10, 512],
    [100, 512],
    [1000, 4096],
  ] as const)('at %i Mb/s is late after %i bit times from the first bit of the preamble', (speed, slot) => {
    for (const [bits, late] of [
      [slot, 0],
      [slot + 1, 1],
    ] as const) {
      const bench = new Bench(speed);
      bench.station.send(frameWith(1518));
      bench.at(bits).carrier(100);
      bench.at(1e6);
      expect(bench.station.mac.counters.lateCollisions).toBe(late);
      const dropped = late === 1 && speed === 1000;
      expect(bench.station.finished).toMatchObject([
        { outcome: dropped ? 'late-collision' : 'sent', collisions: 1, lateCollisions: late },
      ]);
    }
  });

  test('a late one is retried, or gives the frame up, as the device has it', () => {
    const bench = new Bench(10);
    bench.station.mac.policy.retriesLate = false;
    bench.station.send(frameWith(1518), frameWith(64));
    bench.at(600).carrier(100);
    bench.at(1e5);
    expect(bench.station.finished.map(({ outcome }) => outcome)).toEqual(['late-collision', 'sent']);
    const { counters } = bench.station.mac;
    expect([counters.lateAborted, counters.framesOk, counters.collisions]).toEqual([1, 1, 1]);
    expect(bench.attempts[1]![0]).toBe(700 + 96); // after the other's carrier
  });

  test('of 64 octets may be late in its last 64 bit times', () => {
    const bench = new Bench(10);
    bench.station.send(frameWith(64));
    bench.at(575).carrier(100);
    bench.at(1e5);
    expect(bench.station.mac.counters.lateCollisions).toBe(1);
  });

  test('carrier at the end of the last bit is none', () => {
    const bench = new Bench(10);
    bench.station.send(frameWith(64));
    bench.at(576).carrier(100);
    bench.at(1e5);
    expect(bench.station.finished[0]).toMatchObject({ outcome: 'sent', collisions: 0 });
  });
});

describe('attempts', () => {
  test('are 16, not 17; the next frame begins with a backoff of its own', () => {
    const bench = new Bench(10);
    const noise = jammer(bench);
    bench.station.send(frameWith(64), frameWith(64));
    bench.clock.run(60e9, () => bench.station.finished.length === 1);
    expect(bench.station.finished[0]).toMatchObject({ outcome: 'excessive-collisions', collisions: 16 });
    expect(bench.attempts.length).toBe(16);
    const gaveUp = bench.bits;
    bench.at(gaveUp + 96);
    expect(bench.attempts[16]![0]).toBe(gaveUp + 96);
    noise.on = false;
    bench.at(gaveUp + 1e6);
    // One collision, so at most one slot.
    const [, second] = bench.attempts.slice(16);
    expect([96, 512]).toContain(second![0]! - bench.attempts[16]![2]!);
    expect(bench.station.mac.counters).toMatchObject({ excessiveCollisions: 1, framesOk: 1, collisions: 17 });
  });

  test('are as many as the device allows', () => {
    for (const limit of [1, 2, 5, 20]) {
      const bench = new Bench(10);
      jammer(bench);
      bench.station.mac.policy.attemptLimit = limit;
      bench.station.send(frameWith(64));
      bench.clock.run(100e9);
      expect(bench.attempts.length).toBe(limit);
      expect(bench.station.finished[0]).toMatchObject({ outcome: 'excessive-collisions', collisions: limit });
    }
  });

  test('wait at most 7151 slots in all: 366 ms at 10 Mb/s', () => {
    const most = Array.from({ length: 15 }, (_, i) => 2 ** Math.min(i + 1, 10) - 1).reduce((a, b) => a + b);
    expect(most).toBe(7151);
    const bench = new Bench(10);
    jammer(bench);
    bench.station.send(frameWith(64));
    bench.clock.run(60e9);
    const waited = bench.attempts.at(-1)![0]! - 16 * (96 + 96 + 96);
    expect(waited).toBeLessThan(7151 * 512);
  });
});

test('backoff after collision n is uniform on [0, 2^min(n, 10)): chi-squared at 1e-6', () => {
  const bench = new Bench(10, 'uniform');
  jammer(bench);
  const counts = Array.from({ length: 16 }, () => new Map<number, number>());
  const { transmissions } = bench.station;
  while (bench.station.finished.length < 7000) {
    bench.station.send(frameWith(64));
    bench.clock.run(bench.clock.nowNs + 60e9, () => bench.station.mac.idle);
    for (let n = 1; n < 16; n++) {
      const waited = (transmissions[n]!.startNs - transmissions[n - 1]!.endNs) / bench.bitNs;
      // A draw of 0 waits for the gap after the noise.
      const slots = waited === 96 ? 0 : waited / 512;
      expect(Number.isInteger(slots)).toBe(true);
      counts[n]!.set(slots, (counts[n]!.get(slots) ?? 0) + 1);
    }
    (transmissions as unknown[]).length = 0;
    bench.clock.run(bench.clock.nowNs + 1e6);
  }
  for (let n = 1; n < 16; n++) {
    const range = 2 ** Math.min(n, 10);
    expect(Math.max(...counts[n]!.keys())).toBeLessThan(range);
    const expected = 7000 / range;
    let chi2 = 0;
    for (let slots = 0; slots < range; slots++) chi2 += ((counts[n]!.get(slots) ?? 0) - expected) ** 2 / expected;
    // Wilson and Hilferty: the quantile at 1e-6 lies 4.75 deviations up.
    const freedom = range - 1;
    const limit = freedom * (1 - 2 / (9 * freedom) + 4.75 * Math.sqrt(2 / (9 * freedom))) ** 3;
    expect(chi2).toBeLessThan(limit);
  }
});

describe('gigabit half duplex', () => {
  test('extends a short frame to a slot of 4096 bits behind the preamble; the receiver takes it', () => {
    const domain = Domain.onCoax([0, 100], { speed: 1000 });
    domain.stations[0]!.send(frameWith(64));
    domain.pass(1e5);
    const { startNs, endNs } = domain.stations[0]!.transmissions[0]!;
    expect(endNs - startNs).toBe(64 + 4096);
    expect(domain.stations[1]!.delivered.length).toBe(1);
  });

  test('joins frames that follow at once by 96 bits of extension, and extends the first alone', () => {
    const domain = Domain.onCoax([0, 100], { speed: 1000 });
    domain.stations[0]!.send(frameWith(64), frameWith(64, 1), frameWith(100, 2));
    domain.pass(1e5);
    const times = domain.stations[0]!.transmissions.map(({ startNs, endNs }) => [startNs, endNs]);
    expect(times).toEqual([
      [0, 4160],
      [4160, 4160 + 96 + 576],
      [4832, 4832 + 96 + 64 + 800],
    ]);
    expect(domain.stations[1]!.delivered.map(({ frame }) => frame.octets[0])).toEqual([0, 1, 2]);
  });

  test('begins no frame of a burst after 65 536 bits', () => {
    const domain = Domain.onCoax([0, 100], { speed: 1000 });
    domain.stations[0]!.send(...new Array(12).fill(frameWith(1518)));
    domain.pass(1e6);
    const { transmissions } = domain.stations[0]!;
    const gaps = transmissions.slice(1).map(({ startNs }, i) => startNs - transmissions[i]!.endNs);
    // Frame i of a burst begins at 64 + 12144 + (i − 1) · (96 + 64 + 12144) bits: the sixth at 61 424, a seventh too late.
    expect(gaps).toEqual([0, 0, 0, 0, 0, 96, 0, 0, 0, 0, 0]);
  });

  test('a collision in a later frame of a burst is late, and gives it up', () => {
    const bench = new Bench(1000);
    bench.station.send(frameWith(64), frameWith(1518), frameWith(64));
    bench.at(4160 + 10).carrier(100);
    bench.at(1e6);
    expect(bench.station.finished.map(({ outcome }) => outcome)).toEqual(['sent', 'late-collision', 'sent']);
  });

  test('an arrival that does not fill a slot is what a collision left, though its FCS be good', () => {
    const bench = new Bench(1000);
    bench.tap.transmit(transmissionOf(frameWith(64), 1, 0));
    bench.at(1e5);
    expect(bench.station.heard).toEqual([]);
    expect(bench.station.mac.counters.arrivalsShort).toBe(1);
  });
});

describe('transceiver at 10 Mb/s', () => {
  test('a missing SQE test counts once a transmission, and one that comes is no collision', () => {
    for (const [sqeTest, errors] of [
      [true, 0],
      [false, 3],
    ] as const) {
      const bench = new Bench(10);
      bench.station.unit.transceiver.sqeTest = sqeTest;
      bench.station.mac.policy.expectsSqeTest = true;
      bench.station.send(frameWith(64), frameWith(64), frameWith(1518));
      bench.at(1e6);
      expect(bench.station.mac.counters).toMatchObject({ sqeTestErrors: errors, collisions: 0, framesOk: 3 });
    }
  });

  test('cuts a MAC off that does not stop, and lets it in again after half a second of silence', () => {
    const bench = new Bench(10);
    const ends: number[] = [];
    bench.coax.onSignal = (_, { endNs }) => ends.push(endNs);
    bench.station.mac.policy.attemptLimit = 1;
    const huge = frameWith(100_000);
    bench.station.send(huge, frameWith(64));
    bench.clock.run(JABBER_NS - 1);
    expect(bench.station.unit.transceiver.jabbering).toBe(false);
    bench.clock.run(JABBER_NS + 100_000);
    expect(bench.station.unit.transceiver.jabbering).toBe(true);
    expect(ends).toEqual([JABBER_NS]);
    bench.clock.run(JABBER_NS + 1_000_000);
    // The collision wire stays up: the next frame collides too.
    expect(bench.station.finished.map(({ outcome }) => outcome)).toEqual([
      'excessive-collisions',
      'excessive-collisions',
    ]);
    bench.clock.run(JABBER_NS + 2_000_000 + UNJAB_NS);
    expect(bench.station.unit.transceiver.jabbering).toBe(false);
    bench.station.send(frameWith(64));
    bench.clock.run(2e9);
    expect(bench.station.finished[2]!.outcome).toBe('sent');
  });
});

describe('the link', () => {
  test('lost in the middle of a frame is a carrier sense error; the frame counts as sent, the next waits', () => {
    const bench = new Bench(10);
    const station = new DomainStation(bench.clock, new Prng('y'), 'y', 10);
    const own = bench.coax.attach(7, station.unit);
    station.send(frameWith(512), frameWith(64));
    bench.at(300);
    bench.coax.detach(own);
    bench.at(1e5);
    expect(station.finished.length).toBe(1);
    expect(station.mac.counters.carrierSenseErrors).toBe(1);
    bench.coax.attach(7, station.unit);
    bench.at(2e5);
    expect(station.finished.length).toBe(2);
    expect(bench.station.heard.map(({ frame }) => frame.fcsGood)).toEqual([false, true]);
  });

  test('reset cuts what is on the wire off, says nothing, and keeps the gap', () => {
    const bench = new Bench(10);
    bench.station.send(frameWith(512));
    bench.at(1000);
    bench.station.mac.reset();
    expect(bench.station.mac.idle).toBe(true);
    bench.station.mac.transmit(frameWith(64));
    bench.at(1e5);
    expect(bench.attempts).toEqual([
      [0, Number.POSITIVE_INFINITY, 1000],
      [1096, Number.POSITIVE_INFINITY, 1096 + 576],
    ]);
    expect(bench.station.mac.counters).toMatchObject({ framesOffered: 1, framesOk: 1 });
  });
});

test('saved in the midst of collisions and loaded elsewhere, a domain goes on to the same nanosecond', () => {
  const build = () => Domain.onCoax([0, 50, 120, 200], { seed: 'snapshot' });
  const original = build();
  for (const [i, station] of original.stations.entries()) {
    station.send(...Array.from({ length: 10 }, (_, n) => frameWith(64 + 31 * n, 16 * i + n)));
  }
  original.pass(30_011);
  const state = structuredClone({
    clock: original.clock.save(),
    coax: original.coax!.save(),
    stations: original.stations.map(({ mac, unit }) => ({ mac: mac.save(), unit: unit.save() })),
  });
  const copy = build();
  copy.clock.load(state.clock);
  copy.coax!.load(state.coax);
  for (const [i, { mac, unit, queue }] of copy.stations.entries()) {
    unit.load(state.stations[i]!.unit);
    mac.load(state.stations[i]!.mac);
    queue.push(...original.stations[i]!.queue);
  }
  const before = original.stations.map(({ heard }) => heard.length);
  for (const domain of [original, copy]) domain.pass(1e6);
  for (const [i, station] of copy.stations.entries()) {
    const log = (from: DomainStation, at: number) =>
      from.heard.slice(at).map(({ frame, atNs }) => [atNs, frame.wire()]);
    expect(log(station, 0)).toEqual(log(original.stations[i]!, before[i]!));
    expect(station.mac.save()).toEqual(original.stations[i]!.mac.save());
  }
  expect(copy.clock.save()).toEqual(original.clock.save());
});
