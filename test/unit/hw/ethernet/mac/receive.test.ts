import { describe, expect, test } from 'vitest';
import { Frame, type FrameErrors } from '../../../../../hw/ethernet/frame.ts';
import { classify } from '../../../../../hw/ethernet/mac/receive.ts';
import { flipBits } from '../../../../../hw/ethernet/medium/damage.ts';
import { frameOf } from '../../../../support/ethernet.ts';

const MAX_BYTES = 1518;

const good = (bytes: number, errors: Partial<FrameErrors> = {}) =>
  Frame.raw(frameOf(bytes).wire(), { dribbleBits: 0, rxError: false, ...errors });
const bad = (bytes: number, errors: Partial<FrameErrors> = {}) => flipBits(good(bytes, errors), [8]);

describe('receive classification, clauses 4.2.9 and 5.2.4.3', () => {
  test.each([
    ['ok', good(64)],
    ['ok', good(1518)],
    ['undersize', good(63)],
    ['fragment', bad(63)],
    ['fragment', good(63, { rxError: true })],
    ['oversize', good(1519)],
    ['jabber', bad(1519)],
    ['fcs', bad(64)],
    ['alignment', bad(64, { dribbleBits: 3 })],
    ['ok', good(64, { dribbleBits: 7 })],
    ['rx-error', good(64, { rxError: true })],
    ['rx-error', bad(1519, { rxError: true })],
  ] as const)('%s', (kind, frame) => {
    expect(classify(frame, MAX_BYTES)).toBe(kind);
  });

  test('the limit is the caller’s: a tagged frame of 1522 octets is not oversize where those are taken', () => {
    expect(classify(good(1522), 1522)).toBe('ok');
    expect(classify(good(1522), 1518)).toBe('oversize');
  });
});
