/**
 * Properties of CSMA/CD on a coaxial cable, IEEE 802.3 clause 4.2. The oracle is interval arithmetic on the trace: what
 * was on the wire, from when to when, and hence what each station heard when it decided.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Transmission } from '../../../hw/ethernet/ports.ts';
import { Domain, type DomainOptions, type Handover } from '../../support/collision-domain.ts';

const SLOT_BITS = 512;

const speeds = fc.constantFrom(10 as const, 100 as const);
const script = fc.array(
  fc.record({
    // Often together, or a slot apart: where stations meet.
    atBits: fc.oneof(fc.nat(4000), fc.constantFrom(0, 1, 95, 96, 512), fc.nat(700)),
    station: fc.nat(11),
    bytes: fc.oneof(fc.integer({ min: 64, max: 1518 }), fc.constantFrom(64, 65, 1518)),
    fill: fc.nat(255),
  }),
  { minLength: 1, maxLength: 25 },
);
/** Positions of 2 to 12 stations on a cable of `maxBits`. */
const places = (maxBits: number) => fc.array(fc.nat(Math.floor(maxBits)), { minLength: 2, maxLength: 12 });
const seeds = fc.nat(1_000_000).map(String);

interface Sent {
  readonly station: number;
  readonly transmission: Transmission;
}

/** All transmissions of a domain, first to last. */
function trace(domain: Domain): Sent[] {
  return domain.stations
    .flatMap((station, i) => station.transmissions.map(transmission => ({ station: i, transmission })))
    .sort((a, b) => a.transmission.startNs - b.transmission.startNs);
}

/** What `place` hears of others, as intervals in bit times, first to last. */
function heardAt(domain: Domain, sent: readonly Sent[], place: number): [from: number, to: number][] {
  return sent
    .filter(({ station }) => station !== place)
    .map(({ station, transmission: { startNs, endNs } }): [number, number] => {
      const delay = domain.delayNs(station, place);
      return [(startNs + delay) / domain.bitNs, (endNs + delay) / domain.bitNs];
    })
    .sort((a, b) => a[0] - b[0]);
}

/** Intervals that touch or overlap, joined. */
function joined(intervals: readonly [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

/** Plays random scripts on random cables and checks each run. */
function forRuns(maxBits: number, check: (domain: Domain, sent: Sent[], handovers: readonly Handover[]) => void): void {
  fc.assert(
    fc.property(speeds, places(maxBits), script, seeds, (speed, positions, handovers, seed) => {
      const domain = Domain.onCoax(positions, { speed, seed }).play(handovers);
      domain.explain(() => check(domain, trace(domain), handovers));
    }),
  );
}

describe('CSMA/CD on a coaxial cable', () => {
  test('a transmission collides exactly if another one arrives while it lasts, and then jams at the next bit', () => {
    let collided = 0;
    forRuns(256, (domain, sent) => {
      for (const { station, transmission } of sent) {
        const [from, to] = [transmission.startNs / domain.bitNs, transmission.endNs / domain.bitNs];
        const meets = heardAt(domain, sent, station).filter(other => other[0] < to && other[1] > from);
        expect(transmission.aborted).toBe(meets.length > 0);
        if (meets.length === 0) continue;
        collided += 1;
        const bits = Math.ceil(Math.max(0, meets[0]![0] - from));
        expect(transmission.jamNs / domain.bitNs - from).toBe(Math.max(bits, 64));
        expect(to - from).toBe(Math.max(bits, 64) + 32);
      }
      const counted = domain.stations.reduce((sum, { mac }) => sum + mac.counters.collisions, 0);
      expect(counted).toBe(sent.filter(({ transmission }) => transmission.aborted).length);
    });
    expect(collided).toBeGreaterThan(1000);
  });

  test('with a round trip of up to 512 bit times no collision is late', () => {
    forRuns(SLOT_BITS / 2, domain => {
      for (const { mac } of domain.stations) expect(mac.counters.lateCollisions).toBe(0);
    });
  });

  test('where the round trip and 96 bits of a jammed preamble fit in 575, two stations leave no fragment of 64 octets', () => {
    const pairs = script.map(handovers => handovers.map(handover => ({ ...handover, station: handover.station % 2 })));
    fc.assert(
      fc.property(places((575 - 96) / 2), pairs, seeds, (positions, handovers, seed) => {
        const domain = Domain.onCoax(positions, { seed }).play(handovers);
        domain.explain(() => {
          for (const { heard } of domain.stations) {
            for (const { frame } of heard) expect(frame.fcsGood || frame.wireBytes < 64).toBe(true);
          }
        });
      }),
    );
  });

  test('with a longer round trip a collision may be late: counted as such, and retried as any other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 258, max: 2000 }), seeds, (delay, seed) => {
        const domain = Domain.onCoax([0, delay], { seed });
        const bytes = Math.ceil((2 * delay) / 8) + 64;
        domain.play([
          { atBits: 0, station: 0, bytes },
          { atBits: delay - 1, station: 1, bytes },
        ]);
        domain.explain(() => {
          const [first, second] = domain.stations;
          expect(first!.mac.counters.lateCollisions).toBeGreaterThan(0);
          expect(first!.finished.map(({ outcome, lateCollisions }) => [outcome, lateCollisions > 0])).toEqual([
            ['sent', true],
          ]);
          expect(second!.finished[0]!.outcome).toBe('sent');
        });
      }),
    );
  });

  test('a frame is delivered exactly where it arrives whole and alone, once, and nothing else ever is', () => {
    // Cables far longer than the rules allow: there a frame may get through to some and be hit before others.
    for (const maxBits of [256, 3000]) {
      forRuns(maxBits, (domain, sent) => {
        for (const [place, station] of domain.stations.entries()) {
          const whole = sent.filter(({ station: from, transmission }) => {
            if (from === place || transmission.aborted) return false;
            const delay = domain.delayNs(from, place);
            const [a, b] = [transmission.startNs + delay, transmission.endNs + delay];
            return !sent.some(({ station: other, transmission: { startNs, endNs } }) => {
              if (other === from) return false;
              const late = other === place ? 0 : domain.delayNs(other, place);
              return startNs + late < b && endNs + late > a;
            });
          });
          const expected = whole.map(
            ({ station: from, transmission }) => transmission.endNs + domain.delayNs(from, place),
          );
          expect(station.delivered.map(({ atNs }) => atNs)).toEqual(expected.sort((x, y) => x - y));
        }
      });
    }
  });

  test('frames are conserved: offered = sent + given up, and the counters are what happened', () => {
    forRuns(256, domain => {
      for (const { mac, finished, offered, transmissions } of domain.stations) {
        const { counters } = mac;
        expect(finished.length).toBe(offered);
        expect(counters.framesOffered).toBe(offered);
        expect(counters.framesOk + counters.excessiveCollisions + counters.lateAborted).toBe(offered);
        expect(counters.attempts).toBe(transmissions.length);
        expect(counters.attempts).toBe(counters.framesOk + counters.collisions);
        const ok = finished.filter(({ outcome }) => outcome === 'sent');
        expect(counters.framesOk).toBe(ok.length);
        expect(counters.singleCollisionFrames).toBe(ok.filter(({ collisions }) => collisions === 1).length);
        expect(counters.multipleCollisionFrames).toBe(ok.filter(({ collisions }) => collisions > 1).length);
        const deferred = ok.filter(frame => frame.deferred && frame.collisions === 0).length;
        expect(counters.deferredTransmissions).toBe(deferred);
        const weighed = counters.collisionFrames.reduce((sum, frames, k) => sum + k * frames, 0);
        expect(weighed + 16 * counters.excessiveCollisions).toBe(counters.collisions);
      }
    });
  });

  test('no station starts while it hears carrier, nor within 96 bit times of it, but for the second part of the gap', () => {
    let pushedIn = 0;
    forRuns(256, (domain, sent) => {
      for (const [place, { transmissions }] of domain.stations.entries()) {
        const own = transmissions.map(({ startNs, endNs }): [number, number] => [
          startNs / domain.bitNs,
          endNs / domain.bitNs,
        ]);
        const heard = heardAt(domain, sent, place);
        for (const [i, [start]] of own.entries()) {
          // Everything before this start, own frames included; a carrier that begins right now is not heard yet.
          const busy = joined([...heard.filter(([from]) => from < start), ...own.slice(0, i)]);
          const last = busy.at(-1);
          if (last === undefined || start - last[1] >= 96) continue;
          // Carrier is on, or was a moment ago. The wait began at the silence before it.
          const before = busy.at(-2);
          expect(before, `station ${place} starts at ${start} into carrier`).toBeDefined();
          expect(start - before![1]).toBe(96);
          const afterOwn = own.slice(0, i).some(([from, to]) => from >= before![0] && to <= before![1]);
          const sinceSilence = last[0] - before![1];
          if (!afterOwn) expect(sinceSilence).toBeGreaterThan(64);
          expect(sinceSilence).toBeLessThanOrEqual(96);
          pushedIn += 1;
        }
        for (let i = 1; i < own.length; i++) expect(own[i]![0] - own[i - 1]![1]).toBeGreaterThanOrEqual(96);
      }
    });
    expect(pushedIn).toBeGreaterThan(20);
  });

  test('after its nth collision a station waits r slots, 0 <= r < 2^min(n, 10), from the end of its jam, or for the medium', () => {
    forRuns(256, (domain, sent) => {
      for (const [place, { transmissions }] of domain.stations.entries()) {
        const heard = heardAt(domain, sent, place);
        let collisions = 0;
        for (const [i, { aborted, endNs }] of transmissions.entries()) {
          collisions = aborted ? collisions + 1 : 0;
          const next = transmissions[i + 1];
          if (!aborted || next === undefined || collisions === 16) continue;
          const waited = (next.startNs - endNs) / domain.bitNs;
          const slots = waited / SLOT_BITS;
          const inRange = Number.isInteger(slots) && slots >= 0 && slots < 2 ** Math.min(collisions, 10);
          const start = next.startNs / domain.bitNs;
          const busy = joined([...heard.filter(([from]) => from < start), [0, endNs / domain.bitNs]]);
          const clear = Math.max(...busy.map(([, to]) => (to <= start ? to + 96 : Number.NEGATIVE_INFINITY)));
          const second = busy.filter(([, to]) => to > start - 96).length > 1; // pushed in behind a new carrier
          expect(inRange || clear === start || second, `station ${place} waited ${waited} bits`).toBe(true);
        }
      }
    });
  });

  test('the speed is only a scale: at 10 and 100 Mb/s the same seed gives the same trace in bit times', () => {
    fc.assert(
      fc.property(places(400), script, seeds, (positions, handovers, seed) => {
        const traces = ([10, 100] as const).map(speed => {
          const domain = Domain.onCoax(positions, { speed, seed }).play(handovers);
          return trace(domain).map(({ station, transmission: { startNs, endNs, jamNs } }) => [
            station,
            startNs / domain.bitNs,
            endNs / domain.bitNs,
            jamNs / domain.bitNs,
          ]);
        });
        expect(traces[0]).toEqual(traces[1]);
      }),
    );
  });

  test('names do not matter: stations attached in another order, each with its seed, do the same', () => {
    const run = (
      positions: readonly number[],
      order: readonly number[],
      handovers: readonly Handover[],
      seed: string,
    ) => {
      const options: DomainOptions = { seed, labels: order.map(String) };
      const domain = Domain.onCoax(
        order.map(i => positions[i]!),
        options,
      );
      const place = (station: number) => order.indexOf(station % positions.length);
      domain.play(
        handovers.map((handover, i) => ({
          ...handover,
          station: place(handover.station),
          atBits: handover.atBits + i / 100,
        })),
      );
      return order
        .map((label, i) => [label, domain.stations[i]!.transmissions.map(({ startNs, endNs }) => [startNs, endNs])])
        .sort((a, b) => (a[0] as number) - (b[0] as number));
    };
    fc.assert(
      fc.property(places(400), script, seeds, fc.nat(), (positions, handovers, seed, shift) => {
        const order = positions.map((_, i) => i);
        const turned = order.map(
          i => (i * (shift % 2 === 0 ? 1 : -1) + shift + positions.length ** 9) % positions.length,
        );
        const distinct = new Set(turned).size === order.length ? turned : [...order].reverse();
        expect(run(positions, distinct, handovers, seed)).toEqual(run(positions, order, handovers, seed));
      }),
    );
  });
});
