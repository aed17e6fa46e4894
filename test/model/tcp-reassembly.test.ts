/**
 * The receive buffer against a model that keeps one octet for each place: what has arrived first at a place is what is
 * read there, in order, once.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReceiveBuffer } from '../../kernel/net/tcp/receive-buffer.ts';

const WINDOW = 5000;

const insert = fc.record({
  offset: fc.integer({ min: -300, max: 3000 }),
  length: fc.integer({ min: 0, max: 1000 }),
  fill: fc.integer({ min: 0, max: 255 }),
});
const read = fc.record({ read: fc.integer({ min: 1, max: 2000 }) });

test('a piece lands where it belongs, the first copy of an octet wins, and reading gives all in order', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.oneof(insert, insert, read), { maxLength: 60 }), (start, steps) => {
      const buffer = new ReceiveBuffer(WINDOW);
      buffer.begin(start | 0);
      const model = new Map<number, number>();
      let next = 0;
      let readTo = 0;
      for (const step of steps) {
        if ('read' in step) {
          const bytes = buffer.read(step.read);
          const expected = Array.from({ length: Math.min(step.read, next - readTo) }, (_, i) => model.get(readTo + i)!);
          expect(bytes === null ? [] : [...bytes]).toEqual(expected);
          readTo += expected.length;
          continue;
        }
        // TCP trims to the window before it inserts.
        const from = next + step.offset;
        const length = Math.min(step.length, Math.max(0, readTo + WINDOW - from));
        const bytes = Uint8Array.from({ length: length + 3 }, (_, i) => step.fill + i);
        const before = next;
        const advance = buffer.insert((start + from) | 0, bytes, 3, length);
        for (let i = 0; i < length; i++)
          if (from + i >= before && !model.has(from + i)) model.set(from + i, bytes[3 + i]!);
        while (model.has(next)) next += 1;
        expect(advance).toBe(next - before);
        expect(buffer.next).toBe((start + next) | 0);
        expect(buffer.pieces.total()).toBe([...model.keys()].filter(place => place >= next).length);
      }
    }),
  );
});
