import { describe, expect, test } from 'vitest';
import { Cable, SAMPLE_NS, type Wiring } from '../../../../../hw/ethernet/medium/cable.ts';
import { LINK_LOSS_NS } from '../../../../../hw/ethernet/phy/link.ts';
import { Mdix } from '../../../../../hw/ethernet/phy/mdix.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { Endpoint, frameOf } from '../../../../support/ethernet.ts';

const [PCTRL, PSCON, PSSTAT] = [0, 16, 17];
const RESTART = 0x1340;
const [MDI, MDI_X, AUTO] = [0x0300, 0x0320, 0x0360];

const mdix = (seed: string) => new Mdix(new Prng(seed), () => {});
const draw = (end: Mdix, count: number) =>
  Array.from({ length: count }, () => {
    end.sample();
    return end.crossed;
  });

/** Two stations over a cable, with what each has in PSCON put into effect before the plugs go in. */
function join(wiring: Wiring, left: number, right: number, seed = 'join') {
  const clock = new Clock();
  const ends = [new Endpoint(clock, new Prng(`${seed}/a`)), new Endpoint(clock, new Prng(`${seed}/b`))] as const;
  const cable = new Cable(clock, new Prng('cable'), 10, 0, wiring);
  [left, right].forEach((mode, i) => {
    ends[i]!.phy.writeRegister(PSCON, mode);
    ends[i]!.phy.writeRegister(PCTRL, RESTART);
  });
  cable.connect(0, ends[0].phy);
  cable.connect(1, ends[1].phy);
  const crossed = () => ends.map(({ phy }) => (phy.readRegister(PSSTAT) & 0x40) !== 0);
  const up = () => ends.map(({ phy }) => phy.link.up);
  return { clock, cable, a: ends[0], b: ends[1], crossed, up };
}

describe('the choice of a pair', () => {
  test('is fixed where software has fixed it, whatever is sampled', () => {
    const end = mdix('fixed');
    end.configure(1);
    expect(draw(end, 50)).toEqual(new Array(50).fill(true));
    end.configure(0);
    expect(draw(end, 50)).toEqual(new Array(50).fill(false));
  });

  test('of an automatic end is a fair coin', () => {
    const crossed = draw(mdix('coin'), 10_000).filter(Boolean).length;
    expect(Math.abs(crossed - 5000)).toBeLessThan(250);
  });

  test('A_timer parts two ends whose registers agree: alike until it expires, and not for ever', () => {
    const [left, right] = [mdix('left'), mdix('right')];
    left.sample();
    right.load({ ...left.save(), prng: right.save().prng });
    expect(draw(left, 20)).toEqual(draw(right, 20));
    expect(draw(left, 21)).not.toEqual(draw(right, 21));
  });

  test('saved and loaded, goes on with the same choices', () => {
    const original = mdix('saved');
    draw(original, 30);
    const copy = mdix('other');
    copy.load(structuredClone(original.save()));
    expect(draw(copy, 60)).toEqual(draw(original, 60));
  });
});

describe('two ends over a cable', () => {
  test('that are alike and automatic take n samples with probability 2^-n', () => {
    const runs = 2000;
    const counts = new Array(5).fill(0);
    for (let run = 0; run < runs; run++) {
      const { clock, cable } = join('straight', AUTO, AUTO, `run${run}`);
      for (let n = 1; !cable.passing && n < 100; n++) {
        clock.run(n * SAMPLE_NS - 1);
        expect(cable.passing).toBe(false);
        clock.run(n * SAMPLE_NS);
        if (cable.passing && n < 5) counts[n] += 1;
      }
    }
    // Five standard deviations of a binomial count.
    for (const n of [1, 2, 3, 4]) {
      const p = 2 ** -n;
      expect(Math.abs(counts[n] - runs * p)).toBeLessThan(5 * Math.sqrt(runs * p * (1 - p)));
    }
  });

  test('meet at once where the cable fits what they have', () => {
    expect(join('crossed', AUTO, AUTO).cable.passing).toBe(true);
    expect(join('straight', MDI_X, AUTO).cable.passing).toBe(true);
    expect(join('straight', MDI, MDI_X).cable.passing).toBe(true);
  });

  test('an automatic one gives way to a fixed one', () => {
    for (const [wiring, fixed, expected] of [
      ['straight', MDI, [false, true]],
      ['straight', MDI_X, [true, false]],
      ['crossed', MDI, [false, false]],
      ['crossed', MDI_X, [true, true]],
    ] as const) {
      const pair = join(wiring, fixed, AUTO);
      pair.clock.run(3e9);
      expect([pair.up(), pair.crossed()]).toEqual([[true, true], expected]);
    }
  });

  test('both fixed to the same never link over a straight cable, and nothing stirs', () => {
    for (const mode of [MDI, MDI_X]) {
      const pair = join('straight', mode, mode);
      pair.clock.run(60e9);
      expect([pair.up(), pair.clock.idle]).toEqual([[false, false], true]);
    }
  });

  test('a new choice waits for a restart; then frames stop, and the partner’s link with them', () => {
    const pair = join('crossed', MDI, MDI);
    pair.clock.run(3e9);
    expect(pair.up()).toEqual([true, true]);
    pair.a.phy.writeRegister(PSCON, MDI_X);
    pair.b.send(frameOf(64));
    pair.clock.run(4e9);
    expect([pair.up(), pair.a.arrivals.length]).toEqual([[true, true], 1]);
    pair.a.phy.writeRegister(PCTRL, RESTART);
    pair.b.send(frameOf(64));
    pair.clock.run(4e9 + LINK_LOSS_NS);
    expect([pair.up(), pair.a.arrivals.length]).toEqual([[false, false], 1]);
    pair.b.phy.writeRegister(PSCON, AUTO);
    pair.b.phy.writeRegister(PCTRL, RESTART);
    pair.clock.run(9e9);
    expect([pair.up(), pair.crossed()]).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  test('saved while they search and loaded elsewhere, they meet at the same sample', () => {
    for (const seed of ['one', 'two', 'three', 'four']) {
      const [original, copy] = [join('straight', AUTO, AUTO, seed), join('straight', AUTO, AUTO, 'other')];
      original.clock.run(SAMPLE_NS / 2);
      copy.clock.load(structuredClone(original.clock.save()));
      copy.cable.load(structuredClone(original.cable.save()));
      copy.a.phy.load(structuredClone(original.a.phy.save()));
      copy.b.phy.load(structuredClone(original.b.phy.save()));
      for (const { clock } of [original, copy]) clock.run(3e9);
      expect(copy.cable.save()).toEqual(original.cable.save());
      expect([copy.crossed(), copy.up()]).toEqual([original.crossed(), [true, true]]);
    }
  });
});
