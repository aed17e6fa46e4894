import fc from 'fast-check';
import { expect, test } from 'vitest';
import { complement, sum } from '../../../kernel/net/checksum.ts';
import { decrementTimeToLive } from '../../../kernel/net/ipv4/header.ts';
import { readBe16, writeBe16 } from '../../../src/lib/bytes.ts';
import { naiveChecksum } from '../../support/packets.ts';

const IDENTIFICATION = 4;
const TTL = 8;
const CHECKSUM = 10;

/** A header with options as `octets` has it, time to live `ttl`, and the right checksum. */
function header(octets: Uint8Array, words: number, ttl: number): Uint8Array {
  const bytes = octets.slice(0, 4 * words);
  bytes[0] = 0x40 | words;
  bytes[TTL] = ttl;
  return withChecksum(bytes);
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  writeBe16(bytes, CHECKSUM, 0);
  writeBe16(bytes, CHECKSUM, naiveChecksum(bytes));
  return bytes;
}

/** Gives `bytes` the identification with which its checksum is 0 while its time to live is `ttl`. */
function withChecksumZeroAt(bytes: Uint8Array, ttl: number): Uint8Array {
  const before = bytes[TTL]!;
  bytes[TTL] = ttl;
  writeBe16(bytes, IDENTIFICATION, 0);
  writeBe16(bytes, CHECKSUM, 0);
  writeBe16(bytes, IDENTIFICATION, complement(sum(bytes, 0, bytes.length)));
  bytes[TTL] = before;
  return withChecksum(bytes);
}

const octets = fc.uint8Array({ minLength: 60, maxLength: 60 });
const words = fc.integer({ min: 5, max: 15 });
const shape = fc.constantFrom('any', 'zero before', 'zero after', 'nearly zero');

test('1812-3 the checksum that is mended is the one that would be computed anew, both zeros of ones complement included', () => {
  fc.assert(
    fc.property(octets, words, shape, (drawn, count, kind) => {
      for (let ttl = 1; ttl <= 255; ttl++) {
        const bytes = header(drawn, count, ttl);
        if (kind === 'zero before') withChecksumZeroAt(bytes, ttl);
        if (kind === 'zero after') withChecksumZeroAt(bytes, ttl - 1);
        if (kind === 'nearly zero') withChecksumZeroAt(bytes, 255 - ttl);
        const wanted = bytes.slice();
        wanted[TTL] = ttl - 1;
        withChecksum(wanted);
        if (kind === 'zero after') expect(readBe16(wanted, CHECKSUM)).toBe(0);
        decrementTimeToLive(bytes, 0);
        expect(Buffer.compare(bytes, wanted)).toBe(0);
      }
    }),
  );
});
