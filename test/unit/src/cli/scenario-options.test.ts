/** Options of a scenario on the command line. */
import { describe, expect, test } from 'vitest';
import { describeOptions, optionValues } from '../../../../src/cli/scenario-options.ts';
import { scenario } from '../../../../src/world/scenario.ts';

const pond = scenario({
  summary: 'a pond',
  untilNs: 1,
  options: {
    frogs: { kind: 'integer', default: 3, doc: 'frogs in it' },
    depth: { kind: 'number', default: null, doc: 'metres' },
    water: { kind: ['sweet', 'salt'], default: 'sweet', doc: 'what is in it' },
  },
  build: (_world, values) => ({ result: () => values }),
});
const parse = (...args: string[]) => optionValues('pond', pond, args);

test('options that are not given have their defaults', () => {
  expect(parse()).toEqual({ frogs: 3, depth: null, water: 'sweet' });
});

test('a value stands behind its option, or behind an equals sign', () => {
  expect(parse('--frogs', '4', '--depth=1.5', '--water', 'salt')).toEqual({ frogs: 4, depth: 1.5, water: 'salt' });
  expect(parse('--depth', '-2e-3')).toMatchObject({ depth: -0.002 });
});

describe('refused, with a message that says why', () => {
  test.each([
    [['--toads', '1'], 'scenario pond has no option "--toads": it has --frogs, --depth, --water'],
    [['4'], 'scenario pond has no option "4"'],
    [['--toString', '4'], 'no option "--toString"'],
    [['--frogs'], '--frogs wants a value'],
    [['--frogs', '1', '--frogs=1'], '--frogs is given twice'],
    [['--frogs', '1.5'], '--frogs is an integer, not "1.5"'],
    [['--depth', 'deep'], '--depth is a number, not "deep"'],
    [['--depth', ''], '--depth is a number, not ""'],
    [['--water', 'muddy'], '--water is sweet or salt, not "muddy"'],
  ])('%j', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test('any option of a scenario that has none', () => {
    const plain = scenario({ summary: '', untilNs: 1, build: () => ({ result: () => null }) });
    expect(() => optionValues('plain', plain, ['--x=1'])).toThrow('it has no options of its own');
  });
});

test('the list shows each with its values and its default', () => {
  expect(describeOptions(pond)).toEqual([
    '--frogs N              frogs in it; 3',
    '--depth N              metres',
    '--water sweet|salt     what is in it; sweet',
  ]);
});
