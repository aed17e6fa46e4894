/** Properties of a box in line: conservation, the rate of the wire behind it, and a snapshot taken at any moment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Frame } from '../../../hw/ethernet/frame.ts';
import { Cable } from '../../../hw/ethernet/medium/cable.ts';
import type { Impairments } from '../../../hw/ethernet/medium/impairments.ts';
import type { MediumListener, MediumPort, Transmission } from '../../../hw/ethernet/ports.ts';
import { transmissionOf } from '../../../hw/ethernet/transmission.ts';
import { Clock } from '../../../hw/sim/clock.ts';
import { Prng } from '../../../hw/sim/prng.ts';
import { frameOf } from '../../support/ethernet.ts';

const rate = fc.constantFrom(0, 0, 0.1, 0.3, 0.5, 1);
const impairments: fc.Arbitrary<Impairments> = fc.record({
  loss: rate,
  duplicate: rate,
  reorder: rate,
  reorderDepth: fc.integer({ min: 1, max: 8 }),
  corrupt: rate,
  delayNs: fc.oneof(fc.constant(0), fc.nat(100_000)),
  jitterNs: fc.oneof(fc.constant(0), fc.nat(100_000)),
  lose: fc.record({ nth: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 6 }) }),
});
/** The silence in front of each frame, beyond the gap, in bits; and its length. */
const script = fc.array(
  fc.record({ afterBits: fc.constantFrom(0, 0, 100, 4000), bytes: fc.integer({ min: 64, max: 1518 }) }),
  {
    maxLength: 40,
  },
);
const bitNs = fc.constantFrom(1, 10, 100);

interface Heard {
  readonly frame: Frame;
  readonly startNs: number;
  readonly atNs: number;
}

/** One end of a cable that notes what comes. */
class Ear implements MediumListener {
  port: MediumPort | null = null;
  readonly heard: Heard[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  plugged(port: MediumPort | null): void {
    this.port = port;
  }

  arrived(frame: Frame, _: Transmission, startNs: number): void {
    this.heard.push({ frame, startNs, atNs: this.#clock.nowNs });
  }

  linkSignal(): void {
    // Neither end negotiates.
  }
}

function machine(options: Impairments, seed: number) {
  const clock = new Clock();
  const cable = new Cable(clock, new Prng(`box/${seed}`), 20);
  const [near, far] = [new Ear(clock), new Ear(clock)];
  cable.connect(0, near);
  cable.connect(1, far);
  cable.impair(0, options);
  return { clock, cable, near, far };
}

/** When each frame of a script begins to leave, at least a gap behind the one before. */
function timed(lines: readonly { readonly afterBits: number; readonly bytes: number }[], bit: number): Transmission[] {
  let freeNs = 0;
  return lines.map(({ afterBits, bytes }, i) => {
    const octets = frameOf(bytes, i);
    octets.octets.set([8, 0], 12); // an IPv4 packet that fills the frame
    octets.octets.set([(bytes - 18) >> 8, bytes - 18], 16);
    const transmission = transmissionOf(octets, bit, freeNs + afterBits * bit);
    freeNs = transmission.endNs + 96 * bit;
    return transmission;
  });
}

describe('a box in line', () => {
  test('delivers what was sent, less what it lost, and what it doubled; nothing else', () => {
    fc.assert(
      fc.property(impairments, script, bitNs, fc.nat(), (options, lines, bit, seed) => {
        const { clock, cable, near, far } = machine(options, seed);
        const sent = timed(lines, bit);
        for (const transmission of sent) {
          clock.run(transmission.startNs);
          near.port!.transmit(transmission);
        }
        clock.run(1e12);
        const { taken, delivered, lost, duplicated, dropped, corrupted } = cable.impairment(0)!.counters;
        expect(taken).toBe(sent.length);
        expect(delivered).toBe(taken - lost + duplicated);
        expect([far.heard.length, dropped, clock.idle]).toEqual([delivered, 0, true]);
        const whole = new Set(sent.map(({ frame }) => frame));
        const damaged = new Set(far.heard.map(({ frame }) => frame).filter(frame => !whole.has(frame)));
        expect(damaged.size).toBe(corrupted);
        expect([...damaged].every(frame => frame.fcsGood)).toBe(true);
        const copies = new Map<Frame, number>();
        for (const { frame } of far.heard) copies.set(frame, (copies.get(frame) ?? 0) + 1);
        expect([...copies.values()].filter(count => count === 2).length).toBe(duplicated);
        expect(Math.max(0, ...copies.values())).toBeLessThanOrEqual(2);
      }),
    );
  });

  test('lets no two frames overlap, and keeps the gap between them, at the rate of the wire', () => {
    fc.assert(
      fc.property(impairments, script, bitNs, fc.nat(), (options, lines, bit, seed) => {
        const { clock, near, far } = machine(options, seed);
        for (const transmission of timed(lines, bit)) {
          clock.run(transmission.startNs);
          near.port!.transmit(transmission);
        }
        clock.run(1e12);
        let freeNs = 0;
        for (const { frame, startNs, atNs } of far.heard) {
          expect(startNs).toBeGreaterThanOrEqual(freeNs);
          expect(atNs - startNs).toBe((64 + 8 * frame.wireBytes) * bit);
          freeNs = atNs + 96 * bit;
        }
      }),
    );
  });

  test('keeps the order of frames unless it is told to reorder them', () => {
    fc.assert(
      fc.property(impairments, script, bitNs, fc.nat(), (options, lines, bit, seed) => {
        const { clock, near, far } = machine({ ...options, reorder: 0, corrupt: 0 }, seed);
        const sent = timed(lines, bit);
        for (const transmission of sent) {
          clock.run(transmission.startNs);
          near.port!.transmit(transmission);
        }
        clock.run(1e12);
        const order = far.heard.map(({ frame }) => sent.findIndex(transmission => transmission.frame === frame));
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }),
    );
  });

  test('saved at any moment and loaded into another, goes on as it would have', () => {
    const moment = fc.record({ frame: fc.nat(39), afterBits: fc.constantFrom(-1, 0, 64, 500, 600, 700, 5000, 50_000) });
    fc.assert(
      fc.property(impairments, script, bitNs, fc.nat(), moment, (options, lines, bit, seed, { frame, afterBits }) => {
        const sent = timed(lines, bit);
        const savedNs = Math.max(0, (sent[frame]?.startNs ?? 0) + afterBits * bit);
        const whole = machine(options, seed);
        const before = machine(options, seed);
        const after = machine(options, seed + 1);
        let halves = before;
        const change = () => {
          before.clock.run(savedNs);
          after.clock.load(before.clock.save());
          after.cable.load(before.cable.save());
          halves = after;
        };
        for (const transmission of sent) {
          if (halves === before && transmission.startNs > savedNs) change();
          for (const { clock, near } of [whole, halves]) {
            clock.run(transmission.startNs);
            near.port!.transmit({ ...transmission });
          }
        }
        if (halves === before) change();
        for (const { clock } of [whole, after]) clock.run(1e12);
        const plain = ({ frame: { octets, fcs }, startNs, atNs }: Heard) => [startNs, atNs, fcs, octets.length];
        expect([...before.far.heard, ...after.far.heard].map(plain)).toEqual(whole.far.heard.map(plain));
        expect(after.cable.impairment(0)!.counters).toEqual(whole.cable.impairment(0)!.counters);
      }),
      { numRuns: 3 * fc.readConfigureGlobal().numRuns! },
    );
  });
});
