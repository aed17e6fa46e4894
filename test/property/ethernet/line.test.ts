/** Line codes: what is sent comes out, noise does no more than it can, and no signal whatever breaks a receiver. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../hw/ethernet/frame.ts';
import { bitsOfGroups, decodeStream, encodeStream } from '../../../hw/ethernet/line/four-b-five-b.ts';
import { lineCodeOf, throughTheLine } from '../../../hw/ethernet/line/line-code.ts';
import { decodeManchester, encodeManchester } from '../../../hw/ethernet/line/manchester.ts';
import { octetsOf, unitsOf } from '../../../hw/ethernet/line/mii.ts';
import { decodeMlt3, encodeMlt3 } from '../../../hw/ethernet/line/mlt3.ts';
import { Descrambler, SCRAMBLER_SEED, scramble } from '../../../hw/ethernet/line/scrambler.ts';
import { frameOf } from '../../support/ethernet.ts';

const speeds = fc.constantFrom(10 as const, 100 as const, 1000 as const);
const octets = fc.uint8Array({ maxLength: 300 });
const bits = fc.uint8Array({ max: 1, maxLength: 400 });
const seeds = fc.integer({ min: 1, max: SCRAMBLER_SEED });
const LEAD_GROUPS = 24;

/** Where two sequences of one length differ. */
const differences = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from({ length: a.length }, (_, i) => i).filter(i => a[i] !== b[i]);

describe('round trip', () => {
  test('every length of frame comes out of every line as it went in', () => {
    for (const speed of [10, 100, 1000] as const) {
      for (let length = 0; length < 200; length++) {
        const frame = Frame.raw(frameOf(204, length).octets.slice(0, length));
        expect(throughTheLine(frame, speed, () => {})).toBe(frame);
        expect(lineCodeOf(speed).decode(lineCodeOf(speed).encode(frame.wire()))).toEqual({
          octets: frame.wire(),
          dribbleBits: 0,
          rxError: false,
        });
      }
    }
  });

  test('Manchester: any octets, behind any preamble of eight bits or more', () => {
    fc.assert(
      fc.property(octets, fc.integer({ min: 0, max: 48 }), (sent, missing) => {
        const halves = encodeManchester(unitsOf(sent, 1).subarray(missing));
        expect(octetsOf(decodeManchester(halves), 1)).toEqual({ octets: sent, dribbleBits: 0 });
      }),
    );
  });

  test('4B/5B, scrambler and MLT-3: any octets, any seed', () => {
    fc.assert(
      fc.property(octets, seeds, (sent, seed) => {
        const code = bitsOfGroups(encodeStream(unitsOf(sent, 4), LEAD_GROUPS, 2));
        scramble(code, seed);
        const received = decodeMlt3(encodeMlt3(code));
        new Descrambler().descramble(received);
        const stream = decodeStream(received);
        expect([stream.rxError, octetsOf(stream.nibbles, 4)]).toEqual([false, { octets: sent, dribbleBits: 0 }]);
      }),
    );
  });
});

describe('the signal', () => {
  test('Manchester has a transition in the middle of every bit', () => {
    fc.assert(
      fc.property(bits, sent => {
        const halves = encodeManchester(sent);
        sent.forEach((bit, i) => {
          expect([halves[2 * i], halves[2 * i + 1]]).toEqual(bit === 1 ? [-1, 1] : [1, -1]);
        });
      }),
    );
  });

  test('MLT-3 never goes from + to - in one step, nor back', () => {
    fc.assert(
      fc.property(bits, sent => {
        const levels = [0, ...encodeMlt3(sent)];
        for (let i = 1; i < levels.length; i++) expect(Math.abs(levels[i]! - levels[i - 1]!)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('8B/10B as it stands on the line: five equal bits at most, and a balance within three', () => {
    fc.assert(
      fc.property(octets, sent => {
        const levels = lineCodeOf(1000).encode(sent);
        let run = 0;
        let balance = 0;
        levels.forEach((level, i) => {
          run = level === levels[i - 1] ? run + 1 : 1;
          balance += level;
          if (run > 5 || Math.abs(balance) > 4) throw new Error(`run ${run}, balance ${balance} at ${i}`);
          if (i % 10 === 9) expect(Math.abs(balance - 1)).toBeLessThanOrEqual(1);
        });
      }),
    );
  });
});

describe('one bad symbol', () => {
  test('of MLT-3 changes the bits at its two edges at most', () => {
    fc.assert(
      fc.property(bits, fc.nat(), fc.integer({ min: 1, max: 2 }), (sent, place, step) => {
        fc.pre(sent.length > 0);
        const at = place % sent.length;
        const levels = encodeMlt3(sent);
        const before = levels[at]!;
        levels[at] = ((before + 1 + step) % 3) - 1;
        const wrong = differences(decodeMlt3(levels), sent);
        expect(wrong.every(i => i === at || i === at + 1)).toBe(true);
        const acrossBoth = Math.abs(levels[at]! - before) === 2;
        if (!acrossBoth && at < sent.length - 1) expect(wrong.length).toBeGreaterThan(0);
      }),
    );
  });

  test('of Manchester changes its own bit at most, or ends the frame there', () => {
    fc.assert(
      fc.property(octets, fc.nat(), (payload, place) => {
        const sent = unitsOf(payload, 1);
        const halves = encodeManchester(sent);
        const at = 16 + (place % (2 * sent.length - 16));
        halves[at]! *= -1;
        const received = decodeManchester(halves);
        const bit = at >> 1;
        const common = Math.min(received.length, sent.length);
        const wrong = differences(received.subarray(0, common), sent);
        expect(wrong.every(i => i === bit)).toBe(true);
        expect(Math.abs(received.length - sent.length) <= 3 || Math.abs(received.length - bit) <= 2).toBe(true);
      }),
    );
  });

  test('of 100BASE-TX within the data changes two neighbouring nibbles at most, or ends the frame, with RX_ER', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 100 }), fc.nat(), fc.nat(1), (sent, place, side) => {
        const code = lineCodeOf(100);
        const symbols = code.encode(sent);
        const at = code.leadSymbols + 80 + (place % (10 * sent.length - 10));
        symbols[at] = symbols[at] === 0 ? 1 - 2 * side : 0;
        const { octets: received, rxError, dribbleBits } = code.decode(symbols)!;
        if (received.length !== sent.length || dribbleBits !== 0) {
          expect(rxError).toBe(true);
          return;
        }
        const nibbles = (bytes: Uint8Array) => Array.from(bytes).flatMap(byte => [byte & 15, byte >> 4]);
        const wrong = differences(nibbles(received), nibbles(sent));
        const hit = Math.floor((at - code.leadSymbols - 80) / 5);
        expect(wrong.every(i => i === hit || i === hit + 1)).toBe(true);
        if (wrong.length === 0) expect(rxError).toBe(true);
      }),
    );
  });

  test('of 1000BASE-X within the data always raises RX_ER', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 100 }), fc.nat(), (sent, place) => {
        const code = lineCodeOf(1000);
        const symbols = code.encode(sent);
        symbols[code.leadSymbols + 80 + (place % (10 * sent.length))]! *= -1;
        expect(code.decode(symbols)!.rxError).toBe(true);
      }),
    );
  });
});

describe('any signal', () => {
  const noise = fc.oneof(
    fc.int8Array({ maxLength: 3000 }),
    fc.array(fc.constantFrom(-1, 0, 1), { maxLength: 3000 }).map(levels => Int8Array.from(levels)),
  );

  test('is taken by every receiver without a complaint, and makes no more than it could hold', () => {
    fc.assert(
      fc.property(speeds, noise, (speed, symbols) => {
        const received = lineCodeOf(speed).decode(symbols);
        if (received === null) return;
        expect(received.octets.length * 8).toBeLessThanOrEqual(symbols.length);
        expect(received.dribbleBits).toBeLessThan(8);
      }),
    );
  });

  test('so is a frame with any stretch of it replaced by noise', () => {
    fc.assert(
      fc.property(speeds, fc.nat(2000), noise, (speed, from, symbols) => {
        const frame = frameOf(100);
        const received = throughTheLine(frame, speed, sent => {
          sent.set(symbols.subarray(0, Math.max(0, sent.length - from)), Math.min(from, sent.length));
        });
        if (received !== null) expect(received.wireBytes).toBeLessThan(2 * frame.wireBytes);
      }),
    );
  });

  test('lone code bits never break the 4B/5B receiver, nor what hears its nibbles', () => {
    fc.assert(
      fc.property(bits, received => {
        const { nibbles, rxError, falseCarriers } = decodeStream(received);
        if (nibbles.length === 0) expect(rxError).toBe(falseCarriers > 0);
        expect(nibbles.every(nibble => nibble < 16)).toBe(true);
        octetsOf(nibbles, 4);
      }),
    );
  });
});
