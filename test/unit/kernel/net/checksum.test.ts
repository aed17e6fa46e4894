import { expect, test } from 'vitest';
import { complement, fold, isGood, sum, update } from '../../../../kernel/net/checksum.ts';
import { bytesFromHex } from '../../../../src/lib/bytes.ts';

test('the example of RFC 1071 section 3: 0001 F203 F4F5 F6F7 sums to DDF2', () => {
  const bytes = bytesFromHex('0001 f203 f4f5 f6f7');
  expect(fold(sum(bytes, 0, 8))).toBe(0xddf2);
  expect(complement(sum(bytes, 0, 8))).toBe(0x220d);
});

test('the example of RFC 1624 section 4: a checksum of DD2F becomes 0000, not FFFF, when 5555 becomes 3285', () => {
  expect(update(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
});

test('an odd last octet counts as if a zero octet followed', () => {
  const bytes = bytesFromHex('0102 03 ff');
  expect(fold(sum(bytes, 0, 3))).toBe(0x0102 + 0x0300);
});

test('a long message of zeros is not good, one of ones is', () => {
  expect(isGood(sum(new Uint8Array(1480), 0, 1480))).toBe(false);
  expect(isGood(sum(new Uint8Array(1480).fill(0xff), 0, 1480))).toBe(true);
});

test('the longest IPv4 packet, all ones, does not overflow the sum', () => {
  const bytes = new Uint8Array(65_535).fill(0xff);
  expect(fold(sum(bytes, 0, 65_534))).toBe(0xffff);
  expect(fold(sum(bytes, 0, 65_535, 0xffff * 6))).toBe(0xff00);
});

test('a header that a real network carried: 45 00 00 73 00 00 40 00 40 11, 192.168.0.1 to 192.168.0.199, has B861', () => {
  const header = bytesFromHex('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7');
  expect(complement(sum(header, 0, 20))).toBe(0xb861);
});
