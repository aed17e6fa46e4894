/** Receive classification is total and exclusive (clauses 4.2.9, 5.2.4.3). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Frame, type FrameErrors } from '../../../hw/ethernet/frame.ts';
import { classify, type ReceiveClass } from '../../../hw/ethernet/mac/receive.ts';
import { flipBits } from '../../../hw/ethernet/medium/damage.ts';

const MAX_BYTES = 1518;

/** Each class as its own predicate, as the standard words it, so that an arrival could satisfy none or several. */
const RULES: Readonly<Record<ReceiveClass, (bytes: number, good: boolean, errors: FrameErrors) => boolean>> = {
  undersize: (bytes, good, { rxError }) => bytes < 64 && good && !rxError,
  fragment: (bytes, good, { rxError }) => bytes < 64 && (!good || rxError),
  'rx-error': (bytes, _, { rxError }) => bytes >= 64 && rxError,
  oversize: (bytes, good, { rxError }) => bytes > MAX_BYTES && good && !rxError,
  jabber: (bytes, good, { rxError }) => bytes > MAX_BYTES && !good && !rxError,
  alignment: (bytes, good, { dribbleBits, rxError }) =>
    bytes >= 64 && bytes <= MAX_BYTES && !good && dribbleBits > 0 && !rxError,
  fcs: (bytes, good, { dribbleBits, rxError }) =>
    bytes >= 64 && bytes <= MAX_BYTES && !good && dribbleBits === 0 && !rxError,
  ok: (bytes, good, { rxError }) => bytes >= 64 && bytes <= MAX_BYTES && good && !rxError,
};

/** An arrival of `bytes` octets whose FCS is as asked for; below four octets it cannot be good. */
function arrival(bytes: number, good: boolean, errors: FrameErrors): Frame {
  if (bytes < 4) return Frame.raw(new Uint8Array(bytes), errors);
  const frame = Frame.raw(Frame.withFcs(new Uint8Array(bytes - 4).fill(bytes)).wire(), errors);
  return good ? frame : flipBits(frame, [bytes % 8]);
}

function check(bytes: number, good: boolean, errors: FrameErrors): ReceiveClass {
  const frame = arrival(bytes, good, errors);
  const fitting = Object.entries(RULES).filter(([, rule]) => rule(bytes, good && bytes >= 4, errors));
  expect(fitting.map(([kind]) => kind)).toEqual([classify(frame, MAX_BYTES)]);
  return classify(frame, MAX_BYTES);
}

describe('receive classification', () => {
  test('gives exactly one class for any size, FCS, dribble and RX_ER', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(2100), fc.constantFrom(0, 3, 4, 63, 64, 1518, 1519)),
        fc.boolean(),
        fc.nat(7),
        fc.boolean(),
        (bytes, good, dribbleBits, rxError) => {
          check(bytes, good, { dribbleBits, rxError });
        },
      ),
    );
  });

  test('at every size around the limits, and each class is met', () => {
    const met = new Set<ReceiveClass>();
    for (const bytes of [0, 1, 3, 4, 5, 62, 63, 64, 65, 1517, 1518, 1519, 2100]) {
      for (const good of [false, true]) {
        for (let dribbleBits = 0; dribbleBits < 8; dribbleBits++) {
          for (const rxError of [false, true]) met.add(check(bytes, good, { dribbleBits, rxError }));
        }
      }
    }
    expect([...met].sort()).toEqual(Object.keys(RULES).sort());
  });
});
