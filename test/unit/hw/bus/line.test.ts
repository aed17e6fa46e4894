import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Line } from '../../../../hw/bus/line.ts';

describe('level line', () => {
  it('is the OR of its sources, and tells of each change of the OR once', () => {
    const step = fc.tuple(fc.nat(3), fc.boolean());
    fc.assert(
      fc.property(fc.array(step), steps => {
        const line = new Line('INTA');
        const seen: boolean[] = [];
        line.onChange = level => seen.push(level);
        const sources = [0, 1, 2, 3].map(() => line.source());
        const levels = [false, false, false, false];
        const expected: boolean[] = [];
        for (const [index, level] of steps) {
          const before = levels.includes(true);
          levels[index] = level;
          if (levels.includes(true) !== before) expected.push(!before);
          sources[index]!.set(level);
          expect(line.level).toBe(levels.includes(true));
          expect(sources.map(source => source.level)).toEqual(levels);
        }
        expect(seen).toEqual(expected);
      }),
    );
  });

  it('tells the pin at its far end before an observer', () => {
    const line = new Line('INTA');
    const seen: string[] = [];
    line.tap = level => seen.push(`tap ${level}`);
    line.onChange = level => seen.push(`pin ${level}`);
    line.source().set(true);
    expect(seen).toEqual(['pin true', 'tap true']);
  });
});
