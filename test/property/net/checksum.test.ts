/** The fast checksum is the plain one, wherever the range lies and however long it is. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { complement, fold, isGood, sum, update } from '../../../kernel/net/checksum.ts';
import { readBe16, writeBe16 } from '../../../src/lib/bytes.ts';
import { naiveChecksum, naiveSum } from '../../support/packets.ts';

const memory = new Uint8Array(4096 + 3);
const range = fc.record({
  offset: fc.nat({ max: 3 }),
  start: fc.nat({ max: 64 }),
  bytes: fc.uint8Array({ maxLength: 2000, size: 'max' }),
});

/** The content, at some place in a larger memory, so that every alignment occurs. */
function place({ offset, start, bytes }: { offset: number; start: number; bytes: Uint8Array }): Uint8Array {
  const view = memory.subarray(offset);
  memory.fill(0xee);
  view.set(bytes, start);
  return view;
}

test('the sum of a range equals the naive sum of its octets', () => {
  fc.assert(
    fc.property(range, at => {
      expect(fold(sum(place(at), at.start, at.bytes.length))).toBe(naiveSum(at.bytes));
    }),
  );
});

test('a range may be summed in pieces, if all but the last have even length', () => {
  fc.assert(
    fc.property(range, fc.nat(), (at, cut) => {
      const first = Math.min(at.bytes.length, cut % 2000) & ~1;
      const view = place(at);
      const running = sum(view, at.start, first);
      expect(fold(sum(view, at.start + first, at.bytes.length - first, running))).toBe(naiveSum(at.bytes));
    }),
  );
});

test('a message with its checksum in it is good, and is not good after one bit of it changed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }), fc.nat(), (message, bit) => {
      message[0] = 0x45;
      writeBe16(message, 2, 0);
      writeBe16(message, 2, complement(sum(message, 0, message.length)));
      expect(isGood(sum(message, 0, message.length))).toBe(true);
      message[(bit >>> 3) % message.length]! ^= 1 << (bit & 7);
      expect(isGood(sum(message, 0, message.length))).toBe(false);
    }),
  );
});

test('RFC 1624: the incremental update equals recomputation', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 6, maxLength: 60 }),
      fc.nat(),
      fc.nat({ max: 0xffff }),
      (message, at, after) => {
        message[0] = 0x45;
        const words = (message.length >> 1) - 1;
        const place = 2 + 2 * (at % words);
        const checksum = naiveChecksum(message);
        const before = readBe16(message, place);
        writeBe16(message, place, after);
        expect(update(checksum, before, after)).toBe(naiveChecksum(message));
      },
    ),
  );
});
