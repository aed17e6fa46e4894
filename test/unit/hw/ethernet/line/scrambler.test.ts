import { describe, expect, test } from 'vitest';
import { Descrambler, SCRAMBLER_SEED, scramble } from '../../../../../hw/ethernet/line/scrambler.ts';

const key = (bits: number, seed?: number) => {
  const zeros = new Uint8Array(bits);
  scramble(zeros, seed);
  return zeros;
};
const scrambledIdle = (bits: number, seed?: number) => key(bits, seed).map(bit => bit ^ 1);
/** Data as frames have it: never more than eight ones in a row. */
const data = (bits: number) => Uint8Array.from({ length: bits }, (_, i) => (i % 9 < 5 ? 1 : 0));
const HOLD_BITS = 722_000 / 8;

describe('the scrambler of 100BASE-TX', () => {
  test('from eleven ones its key begins 000000000110000000111100000110011000111111110110', () => {
    expect(key(48).join('')).toBe('000000000110000000111100000110011000111111110110');
  });

  test('the key obeys x[n] = x[n-11] ^ x[n-9], with period 2047, of which 1024 are ones, from every seed', () => {
    const whole = key(2 * 2047);
    for (let n = 11; n < whole.length; n++) expect(whole[n]).toBe(whole[n - 11]! ^ whole[n - 9]!);
    expect(whole.subarray(2047)).toEqual(whole.subarray(0, 2047));
    expect(whole.subarray(0, 2047).reduce((sum, bit) => sum + bit, 0)).toBe(1024);
    const text = whole.join('');
    for (let seed = 1; seed <= SCRAMBLER_SEED; seed++) expect(text).toContain(key(60, seed).join(''));
  });
});

describe('the descrambler', () => {
  test.each([1, 2, 1024, 1365, 2047])('locks on scrambled idle within the inter-frame gap, seed %i', seed => {
    const descrambler = new Descrambler();
    const bits = scrambledIdle(120, seed);
    descrambler.descramble(bits);
    expect(descrambler.locked).toBe(true);
    expect(bits.every(bit => bit === 1)).toBe(true);
  });

  test.each([
    ['zeros', () => 0],
    ['ones', () => 1],
    ['a square wave', (_: unknown, i: number) => i & 1],
  ])('does not take %s for idle', (_, shape) => {
    const descrambler = new Descrambler();
    descrambler.descramble(Uint8Array.from({ length: 5000 }, shape));
    expect(descrambler.locked).toBe(false);
  });

  test('once locked it passes a bad bit on as one bad bit', () => {
    const message = Uint8Array.from([...new Uint8Array(120).fill(1), ...data(500)]);
    const sent = message.slice();
    scramble(sent, 77);
    for (const bad of [120, 121, 300, 619]) {
      const received = sent.slice();
      received[bad]! ^= 1;
      new Descrambler().descramble(received);
      const wrong = [...received.keys()].filter(i => received[i] !== message[i]);
      expect(wrong).toEqual([bad]);
    }
  });

  test('finds the key again after a bad bit before it was sure', () => {
    const received = scrambledIdle(120);
    received[20]! ^= 1;
    const descrambler = new Descrambler();
    descrambler.descramble(received);
    expect(descrambler.locked).toBe(true);
  });

  test('lets go after 722 us without idle, not earlier, and locks again on idle', () => {
    const message = Uint8Array.from([...new Uint8Array(120).fill(1), ...data(HOLD_BITS + 200)]);
    scramble(message);
    const descrambler = new Descrambler();
    descrambler.descramble(message.subarray(0, HOLD_BITS));
    expect(descrambler.locked).toBe(true);
    descrambler.descramble(message.subarray(HOLD_BITS));
    expect(descrambler.locked).toBe(false);
    descrambler.descramble(scrambledIdle(200, 5));
    expect(descrambler.locked).toBe(true);
  });

  test('holds on for as long as idle comes from time to time', () => {
    const frame = Uint8Array.from([...new Uint8Array(120).fill(1), ...data(15_000)]);
    const stream = new Uint8Array(20 * frame.length);
    for (let i = 0; i < 20; i++) stream.set(frame, i * frame.length);
    scramble(stream);
    const descrambler = new Descrambler();
    descrambler.descramble(stream);
    expect(stream.length).toBeGreaterThan(2 * HOLD_BITS);
    expect(descrambler.locked).toBe(true);
  });
});
