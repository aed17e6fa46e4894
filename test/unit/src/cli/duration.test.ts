import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../../src/cli/duration.ts';

test.each([
  ['0ns', 0],
  ['800ns', 800],
  ['40us', 40_000],
  ['1.5ms', 1_500_000],
  ['250ms', 250_000_000],
  ['2s', 2_000_000_000],
  ['1min', 60_000_000_000],
])('%s is %d ns', (text, ns) => {
  expect(parseDuration(text)).toBe(ns);
});

test.each(['', '5', 's', '-1s', '1 s', '1e3s', '.5s', '1.s', '1h', '9999999999999s'])('"%s" is no duration', text => {
  expect(() => parseDuration(text)).toThrow('a duration is a number and a unit');
});

test.each([
  [0, '0 ns'],
  [999, '999 ns'],
  [1_000, '1 us'],
  [1_234_567, '1.235 ms'],
  [3_000_000_000, '3 s'],
])('%d ns are shown as %s', (ns, text) => {
  expect(formatDuration(ns)).toBe(text);
});
