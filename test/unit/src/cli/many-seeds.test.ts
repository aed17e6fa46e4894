/** Mean and spread over runs with many seeds. */
import { expect, test } from 'vitest';
import { seedsOf, spreadLines, spreadOf } from '../../../../src/cli/many-seeds.ts';

test('the first seed is the one that was given', () => {
  expect(seedsOf('abc', 3)).toEqual(['abc', 'abc+1', 'abc+2']);
});

test('numbers are summed up by their path, where every run has one', () => {
  const spread = spreadOf([
    { a: 1, deep: { list: [4, 5] }, name: 'x', once: 3 },
    { a: 3, deep: { list: [4, 8] }, name: 'y' },
  ]);
  expect(spread).toEqual({
    a: { mean: 2, deviation: Math.SQRT2, min: 1, max: 3 },
    'deep.list.0': { mean: 4, deviation: 0, min: 4, max: 4 },
    'deep.list.1': { mean: 6.5, deviation: Math.sqrt(4.5), min: 5, max: 8 },
  });
  expect(spreadLines(spread)).toEqual(['a  2 ± 1.4142  (1 to 3)']);
});

test('one run has no deviation', () => {
  expect(spreadOf([{ a: 5 }])).toEqual({ a: { mean: 5, deviation: 0, min: 5, max: 5 } });
});
