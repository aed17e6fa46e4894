import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { lineCodeOf, throughTheLine } from '../../../../../hw/ethernet/line/line-code.ts';
import { SignalPath } from '../../../../../hw/ethernet/line/signal-path.ts';
import { BitErrors } from '../../../../../hw/ethernet/medium/bit-errors.ts';
import { jammed, truncate } from '../../../../../hw/ethernet/medium/damage.ts';
import { BIT_NS } from '../../../../../hw/ethernet/ports.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { frameOf, Pair } from '../../../../support/ethernet.ts';
import { ARP_REQUEST } from '../../../../support/line.ts';

const SPEEDS = [10, 100, 1000] as const;
const undisturbed = () => {};
/** Symbols of the header behind the idle that leads in. */
const headerSymbols = (speed: 10 | 100 | 1000) => ({ 10: 128, 100: 80, 1000: 80 })[speed];

describe.each(SPEEDS)('a frame through the line at %i Mb/s', speed => {
  const code = lineCodeOf(speed);

  test('comes out as the same frame when nothing disturbs it, cut or jammed as it may be', () => {
    const cut = truncate(ARP_REQUEST, 300, speed !== 10)!;
    for (const frame of [ARP_REQUEST, frameOf(1518), frameOf(9000), cut, jammed(ARP_REQUEST, 147, 115)!, frameOf(4)]) {
      expect(throughTheLine(frame, speed, undisturbed)).toBe(frame);
    }
  });

  test('is nothing to the MAC without its delimiter', () => {
    const begin = code.leadSymbols;
    const silenced = throughTheLine(ARP_REQUEST, speed, symbols =>
      symbols.fill(0, begin, begin + headerSymbols(speed)),
    );
    expect(silenced).toBeNull();
    expect(throughTheLine(ARP_REQUEST, speed, symbols => symbols.fill(0))).toBeNull();
  });

  test('is cut short where the signal stops', () => {
    const kept = code.leadSymbols + headerSymbols(speed) + 5 * (speed === 100 ? 10 : speed === 10 ? 16 : 10);
    const frame = throughTheLine(ARP_REQUEST, speed, symbols => symbols.fill(0, kept))!;
    expect(frame.wire().subarray(0, 5)).toEqual(ARP_REQUEST.wire().subarray(0, 5));
    expect(frame.fcsGood).toBe(false);
    expect(frame.errors.rxError).toBe(speed !== 10);
  });

  test('keeps the errors that it had, and gets those of the line', () => {
    const frame = jammed(ARP_REQUEST, 8 * 30 + 3, 8 * 26 + 3)!;
    const from = code.leadSymbols + headerSymbols(speed);
    const seen = new Set<boolean>();
    for (let at = from; at < from + 20 * code.symbolsPerUnit; at++) {
      const damaged = throughTheLine(frame, speed, symbols => {
        symbols[at] = symbols[at] === 0 ? 1 : speed === 100 ? 0 : -symbols[at]!;
      })!;
      if (damaged === frame || damaged.wireBytes !== frame.wireBytes) continue;
      expect(damaged.errors.dribbleBits).toBe(3);
      seen.add(damaged.errors.rxError);
    }
    expect([...seen].sort()).toEqual({ 10: [false], 100: [false, true], 1000: [true] }[speed]);
    const cut = truncate(ARP_REQUEST, 8 * 30, true)!;
    const odd = throughTheLine(cut, speed, symbols => {
      const at = symbols.length - (speed === 10 ? 9 : 25);
      symbols[at] = symbols[at] === 0 ? 1 : 0;
    })!;
    expect(odd.errors.rxError).toBe(true);
  });
});

describe('line conditions', () => {
  test('a transition in the delimiter at the end of a 10BASE-T frame leaves dribble bits behind a good FCS', () => {
    const frame = throughTheLine(ARP_REQUEST, 10, symbols => {
      symbols[symbols.length - 3] = -1;
    })!;
    expect([frame.fcsGood, frame.errors.rxError]).toEqual([true, false]);
    expect(frame.errors.dribbleBits).toBeGreaterThan(0);
  });

  test('a frame of more than 9000 octets outlasts the descrambler at 100 Mb/s', () => {
    const long = Frame.withFcs(new Uint8Array(9200));
    const received = throughTheLine(long, 100, undisturbed)!;
    expect(received.errors.rxError).toBe(true);
    expect(received.wireBytes).toBeLessThan(long.wireBytes);
    expect(throughTheLine(long, 1000, undisturbed)).toBe(long);
  });
});

describe('a signal path', () => {
  test('takes a rate from 0 to below 1', () => {
    for (const rate of [-0.1, 1, Number.NaN]) {
      expect(() => new SignalPath(rate, new Prng('x'))).toThrow(/symbol error rate/);
    }
  });

  test.each(SPEEDS)('at %i Mb/s has as many bad symbols as its rate says, and repeats itself', speed => {
    const rate = 1e-4;
    const count = 400;
    const run = () => {
      const path = new SignalPath(rate, new Prng('path'));
      return Array.from({ length: count }, () => path.carry(ARP_REQUEST, BIT_NS[speed]));
    };
    const frames = run();
    const damaged = frames.filter(frame => frame !== ARP_REQUEST).length;
    const symbols = lineCodeOf(speed).encode(ARP_REQUEST.wire()).length;
    // Symbols of idle and the half bits that say nothing may be bad without harm; all others are seen.
    const most = count * (1 - (1 - rate) ** symbols);
    expect(damaged).toBeGreaterThan(0.3 * most - 5 * Math.sqrt(most));
    expect(damaged).toBeLessThan(most + 5 * Math.sqrt(most));
    const plain = (each: readonly (Frame | null)[]) => each.map(frame => frame?.save() ?? null);
    expect(plain(run())).toEqual(plain(frames));
  });

  test('carries a bad symbol of MLT-3 to the middle, or from there up as often as down', () => {
    const prng = new Prng('path');
    const path = new SignalPath(1e-3, prng);
    const errors = new BitErrors(1e-3, prng.fork('errors'));
    const side = prng.fork('side');
    let ups = 0;
    let middles = 0;
    for (let i = 0; i < 300; i++) {
      const expected = throughTheLine(ARP_REQUEST, 100, symbols => {
        for (const at of errors.strike(symbols.length) ?? []) {
          if (symbols[at] !== 0) symbols[at] = 0;
          else {
            middles += 1;
            symbols[at] = (side.word() & 1) === 0 ? 1 : -1;
            if (symbols[at] === 1) ups += 1;
          }
        }
      });
      expect(path.carry(ARP_REQUEST, 10)?.save()).toEqual(expected?.save());
    }
    expect(Math.abs(ups - middles / 2)).toBeLessThan(5 * Math.sqrt(middles / 4));
  });

  test('goes on from a snapshot as it would have', () => {
    const path = new SignalPath(1e-3, new Prng('path'));
    for (let i = 0; i < 5; i++) path.carry(ARP_REQUEST, 10);
    const state = structuredClone(path.save());
    const copy = new SignalPath(1e-3, new Prng('another'));
    copy.load(state);
    for (let i = 0; i < 20; i++) {
      expect(copy.carry(ARP_REQUEST, 10)?.save()).toEqual(path.carry(ARP_REQUEST, 10)?.save());
    }
  });

  test('is part of the snapshot of its cable', () => {
    const noisy = (seed: string) => {
      const pair = new Pair({ seed });
      pair.cable.carryThrough(0, new SignalPath(1e-3, new Prng(seed)));
      return pair;
    };
    const original = noisy('one');
    const state = structuredClone(original.cable.save());
    const copy = noisy('another');
    copy.cable.load(state);
    const arrivals = [original, copy].map(pair => {
      pair.force(100);
      pair.a.send(...new Array<Frame>(40).fill(ARP_REQUEST));
      pair.pass(10e6);
      return pair.b.arrivals.map(({ frame }) => frame.save());
    });
    expect(arrivals[1]).toEqual(arrivals[0]);
    expect(new Set(arrivals[0]!.map(({ fcsGood }) => fcsGood)).size).toBe(2);
  });
});
