import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { DELAY_LINE_FRAMES } from '../../../../../hw/ethernet/medium/delay-line.ts';
import { HOLD_NS, MAX_HELD_FRAMES } from '../../../../../hw/ethernet/medium/impairment.ts';
import type { Impairments } from '../../../../../hw/ethernet/medium/impairments.ts';
import { frameOf, Pair } from '../../../../support/ethernet.ts';

/** Preamble to FCS, and the gap behind it, of 64 octets at a gigabit. */
const FRAME_NS = 576;
const GAP_NS = 96;

/** Two gigabit stations with a box in line for what the first one sends. */
function impaired(impairments: Impairments, { metres = 0, seed = 'pair' } = {}) {
  const pair = new Pair({ metres, seed }).up();
  pair.cable.impair(0, impairments);
  return { pair, box: pair.cable.impairment(0)!, beganNs: pair.clock.nowNs };
}

const frames = (count: number) => Array.from({ length: count }, (_, i) => frameOf(64, i));
/** Which of the `sent` frames came, in the order in which they did. */
const came = (pair: Pair, sent: readonly Frame[]) => pair.b.arrivals.map(({ frame }) => sent.indexOf(frame));

/** A frame with an IPv4 packet of `packetBytes`, padded to the minimum, and whatever EtherType. */
function packetOf(packetBytes: number, etherType = 0x0800): Frame {
  const octets = new Uint8Array(Math.max(60, 14 + packetBytes));
  octets.set([etherType >> 8, etherType & 255, 0x45, 0, packetBytes >> 8, packetBytes & 255], 12);
  return Frame.withFcs(octets);
}

describe('a box in line', () => {
  test('that does nothing is not to be told from a cable, by time or by step', () => {
    const outcomes = [false, true].map(boxed => {
      const pair = new Pair({ metres: 100 }).up();
      if (boxed) pair.cable.impair(0, {});
      pair.a.send(...frames(50));
      pair.pass(1e6);
      return [pair.clock.stepCount, pair.b.arrivals.map(({ startNs, atNs }) => [startNs, atNs])];
    });
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  test('loses frames: the cable has carried them, the far end is given nothing', () => {
    const { pair, box } = impaired({ loss: 1 });
    const carried: (Frame | null)[] = [];
    const delivered: (Frame | null)[] = [];
    pair.cable.onFrame = (_, __, ___, arrived) => carried.push(arrived);
    pair.cable.onDelivery = (_, __, ___, arrived) => delivered.push(arrived);
    const sent = frames(3);
    pair.a.send(...sent);
    pair.b.send(frameOf(64, 9));
    pair.pass(1e6);
    expect(carried.filter(frame => sent.includes(frame!))).toEqual(sent);
    expect(delivered.filter(frame => frame === null)).toHaveLength(3);
    expect([pair.a.arrivals.length, pair.b.arrivals.length]).toEqual([1, 0]);
    expect(box.counters).toMatchObject({ taken: 3, lost: 3, delivered: 0 });
  });

  test('loses by plan the frames that are named, and no others', () => {
    const { pair, box } = impaired({ lose: { nth: [2, 5] } });
    const sent = frames(7);
    pair.a.send(...sent);
    pair.pass(1e6);
    expect(came(pair, sent)).toEqual([0, 2, 3, 5, 6]);
    expect(box.counters.lost).toBe(2);
  });

  test('counts for the plan only the frames that match', () => {
    const { pair } = impaired({ lose: { nth: [2], matching: octets => octets[0]! % 2 === 1 } });
    const sent = frames(7); // octet 0 is the number of the frame
    pair.a.send(...sent);
    pair.pass(1e6);
    expect(came(pair, sent)).toEqual([0, 1, 2, 4, 5, 6]);
  });

  test('doubles frames: the copy follows after the gap, and what comes behind makes room', () => {
    const { pair, box, beganNs } = impaired({ duplicate: 1 });
    const sent = frames(2);
    pair.a.send(...sent);
    pair.pass(1e6);
    expect(came(pair, sent)).toEqual([0, 0, 1, 1]);
    const slots = [0, 1, 2, 3].map(i => beganNs + i * (FRAME_NS + GAP_NS));
    expect(pair.b.arrivals.map(({ startNs }) => startNs)).toEqual(slots);
    expect(pair.b.arrivals.map(({ atNs }) => atNs)).toEqual(slots.map(startNs => startNs + FRAME_NS));
    expect(box.counters).toMatchObject({ taken: 2, duplicated: 2, delivered: 4 });
  });

  test.each([1, 3, 5])('lets %i frames overtake one', reorderDepth => {
    const { pair, box } = impaired({ reorder: 0.08, reorderDepth });
    const sent = frames(60);
    pair.a.send(...sent);
    pair.pass(HOLD_NS - 1e6);
    const order = came(pair, sent);
    const isHeld = (i: number) => !order.includes(i) || order.slice(0, order.indexOf(i)).some(other => other > i);
    const held = sent.map((_, i) => i).filter(isHeld);
    expect(box.counters.reordered).toBe(held.length);
    const letGo = held.filter(i => order.includes(i));
    expect(letGo.length).toBeGreaterThan(1);
    for (const i of letGo) {
      const past = order.slice(0, order.indexOf(i)).filter(other => other > i && !held.includes(other));
      expect(past).toHaveLength(reorderDepth);
    }
  });

  test('lets a frame go after 10 ms when nothing comes to overtake it', () => {
    const { pair, beganNs } = impaired({ reorder: 1 });
    pair.a.send(frameOf(64));
    pair.pass(1e9);
    expect(pair.b.arrivals.map(({ startNs }) => startNs)).toEqual([beganNs + FRAME_NS + HOLD_NS]);
  });

  test('holds only so many back: further frames keep their place', () => {
    const { pair, box } = impaired({ reorder: 1, reorderDepth: 64 });
    const sent = frames(MAX_HELD_FRAMES + 2);
    pair.a.send(...sent);
    pair.pass(1e9);
    expect(came(pair, sent).slice(0, 2)).toEqual([MAX_HELD_FRAMES, MAX_HELD_FRAMES + 1]);
    expect(box.counters).toMatchObject({ reordered: MAX_HELD_FRAMES, delivered: sent.length });
  });

  test('delays every frame by as much, whatever others do', () => {
    const { pair, beganNs } = impaired({ delayNs: 20_000_000 }, { metres: 100 });
    pair.a.send(...frames(3));
    pair.pass(1e9);
    const first = beganNs + 556 + 20_000_000;
    expect(pair.b.arrivals.map(({ startNs }) => startNs)).toEqual([first, first + 672, first + 1344]);
  });

  test('jitter adds up to so much more, and keeps the order', () => {
    const { pair } = impaired({ delayNs: 1000, jitterNs: 50_000 });
    const sent = frames(200);
    for (const frame of sent) {
      pair.a.send(frame);
      pair.pass(30_000);
    }
    pair.pass(1e6);
    expect(came(pair, sent)).toEqual(sent.map((_, i) => i));
    const laterNs = pair.b.arrivals.map(({ atNs }, i) => atNs - pair.a.sent[i]!.atNs - 1000);
    expect(Math.min(...laterNs)).toBeLessThan(5000);
    expect(Math.max(...laterNs)).toBeGreaterThan(45_000);
    expect(Math.max(...laterNs)).toBeLessThanOrEqual(50_000);
  });

  test('is bounded: what finds no room is dropped and counted', () => {
    const { pair, box } = impaired({ delayNs: 1_000_000_000 });
    pair.a.send(...frames(DELAY_LINE_FRAMES + 10));
    pair.pass(2e9);
    expect(box.counters).toMatchObject({ dropped: 10, delivered: DELAY_LINE_FRAMES });
  });

  test('loses what is inside when the cable is cut, and when the far plug is pulled, not the near one', () => {
    const left = (disturb: (pair: Pair) => void) => {
      const { pair, box } = impaired({ delayNs: 1_000_000, reorder: 0.5, duplicate: 0.5 });
      pair.a.send(...frames(10));
      pair.pass(100_000);
      disturb(pair);
      pair.pass(1e8);
      const { duplicated, delivered, dropped } = box.counters;
      expect(pair.b.arrivals.length).toBe(delivered);
      expect(delivered + dropped).toBe(10 + duplicated);
      return dropped - duplicated;
    };
    expect(left(pair => pair.cable.cut())).toBe(10);
    expect(left(pair => pair.cable.unplug(1))).toBe(10);
    expect(left(pair => pair.cable.unplug(0))).toBeLessThan(0);
  });

  test('lets everything pass in half duplex, and counts it', () => {
    const pair = new Pair().force(100, false);
    pair.cable.impair(0, { loss: 1 });
    const sent = frames(3);
    pair.a.send(...sent);
    pair.pass(1e6);
    expect(came(pair, sent)).toEqual([0, 1, 2]);
    expect(pair.cable.impairment(0)!.counters).toMatchObject({ taken: 3, bypassed: 3, lost: 0 });
  });

  test('that is taken away takes along what is in it', () => {
    const { pair, box } = impaired({ delayNs: 1_000_000 });
    pair.a.send(frameOf(64));
    pair.pass(10_000);
    pair.cable.impair(0, null);
    pair.a.send(frameOf(64, 1));
    pair.pass(1e7);
    expect(pair.b.arrivals).toHaveLength(1);
    expect([box.counters.dropped, pair.cable.impairment(0)]).toEqual([1, null]);
  });
});

describe('corruption', () => {
  test('changes one octet of the IPv4 packet, never the padding, and the FCS fits', () => {
    const { pair, box } = impaired({ corrupt: 1 });
    const places = new Set<number>();
    const count = 400;
    const sent = Array.from({ length: count }, () => packetOf(28));
    pair.a.send(...sent);
    pair.pass(1e6);
    expect(box.counters.corrupted).toBe(count);
    pair.b.arrivals.forEach(({ frame }, i) => {
      const changed = [...frame.octets.keys()].filter(at => frame.octets[at] !== sent[i]!.octets[at]);
      expect([frame.fcsGood, changed.length]).toEqual([true, 1]);
      places.add(changed[0]!);
    });
    expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: 28 }, (_, i) => 14 + i));
  });

  test.each([
    ['ARP, which has no checksum', packetOf(28, 0x0806)],
    ['a frame that is too short for IPv4', Frame.withFcs(new Uint8Array(20).fill(8))],
    ['a frame whose FCS is bad', Frame.raw(packetOf(46).wire().fill(1, 60))],
  ])('spares %s', (_, frame) => {
    const { pair, box } = impaired({ corrupt: 1 });
    pair.a.send(frame);
    pair.pass(1e6);
    expect(pair.b.arrivals.map(arrival => arrival.frame)).toEqual([frame]);
    expect(box.counters.corrupted).toBe(0);
  });
});

describe('decisions', () => {
  const COUNT = 500;
  const lostBy = (impairments: Impairments, seed?: string) => {
    const { pair } = impaired(impairments, { ...(seed && { seed }) });
    const sent = frames(COUNT);
    pair.a.send(...sent);
    pair.pass(1e8);
    const order = came(pair, sent);
    return sent.map((_, i) => i).filter(i => !order.includes(i));
  };

  test('of one kind do not move those of another', () => {
    const alone = lostBy({ loss: 0.1 });
    expect(lostBy({ loss: 0.1, duplicate: 0.3, reorder: 0.2, corrupt: 0.1, jitterNs: 5000 })).toEqual(alone);
    expect(alone.length).toBeGreaterThan(20);
  });

  test('at a higher rate are the same and more', () => {
    const [few, many] = [lostBy({ loss: 0.05 }), lostBy({ loss: 0.2 })];
    expect(many).toEqual(expect.arrayContaining(few));
    expect(many.length).toBeGreaterThan(few.length);
  });

  test('follow from the seed, and differ with it', () => {
    expect(lostBy({ loss: 0.1 }, 'x')).toEqual(lostBy({ loss: 0.1 }, 'x'));
    expect(lostBy({ loss: 0.1 }, 'x')).not.toEqual(lostBy({ loss: 0.1 }, 'y'));
  });

  test('come at their rates', () => {
    const count = 20_000;
    const rates = { loss: 0.05, duplicate: 0.02, reorder: 0.03, corrupt: 0.01 };
    const { pair, box } = impaired({ ...rates, reorderDepth: 1 });
    pair.a.send(...new Array<Frame>(count).fill(packetOf(46)));
    pair.pass(1e9);
    const { lost, duplicated, reordered, corrupted } = box.counters;
    const within = (hits: number, of: number, rate: number) =>
      expect(Math.abs(hits - of * rate)).toBeLessThan(5 * Math.sqrt(of * rate * (1 - rate)));
    within(lost, count, rates.loss);
    within(duplicated, count - lost, rates.duplicate);
    within(reordered, count - lost, rates.reorder);
    within(corrupted, count - lost, rates.corrupt);
  });
});

test.each<[Impairments, string]>([
  [{ loss: 1.1 }, 'loss is a probability from 0 to 1, not 1.1'],
  [{ duplicate: -0.1 }, 'duplicate is a probability'],
  [{ reorder: Number.NaN }, 'reorder is a probability'],
  [{ corrupt: 2 }, 'corrupt is a probability'],
  [{ delayNs: -1 }, 'delayNs is 0 to 2000000000 whole nanoseconds, not -1'],
  [{ delayNs: 2_000_000_001 }, 'delayNs is 0 to'],
  [{ jitterNs: 0.5 }, 'jitterNs is 0 to'],
  [{ reorderDepth: 0 }, 'reorderDepth is 1 to 64 frames, not 0'],
  [{ reorderDepth: 65 }, 'reorderDepth is 1 to 64'],
  [{ lose: { nth: [1, 0] } }, 'so none is number 0'],
])('impairments %j are refused', (impairments, message) => {
  const { cable } = new Pair();
  expect(() => cable.impair(0, impairments)).toThrow(RangeError);
  expect(() => cable.impair(0, impairments)).toThrow(message);
});
