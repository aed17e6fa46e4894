import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import { flipBits, jammed, truncate } from '../../../../hw/ethernet/medium/damage.ts';
import { frameOf } from '../../../support/ethernet.ts';

describe('frame', () => {
  test('a generated FCS is good; the same octets with another FCS are not', () => {
    const frame = frameOf(64);
    expect(frame.fcsGood).toBe(true);
    expect(Frame.raw(frame.wire()).fcsGood).toBe(true);
    const wire = frame.wire();
    wire[63]! ^= 0x80;
    expect(Frame.raw(wire).fcsGood).toBe(false);
    expect(Frame.raw(wire).octets).toEqual(frame.octets);
  });

  test('fewer than four octets hold no FCS, so it is never good', () => {
    for (let length = 0; length < 4; length++) {
      const stump = Frame.raw(new Uint8Array(length));
      expect(stump.wireBytes).toBe(length);
      expect(stump.fcsGood).toBe(false);
      expect(stump.wire()).toEqual(new Uint8Array(length));
    }
    expect(Frame.raw(new Uint8Array(4)).fcsGood).toBe(true); // the FCS of nothing is zero
  });

  test('save and load keep octets, FCS and line errors', () => {
    const damaged = flipBits(frameOf(80), [3]);
    const cut = truncate(frameOf(80), 100, true)!;
    for (const frame of [frameOf(64), damaged, cut]) {
      const copy = Frame.load(structuredClone(frame.save()));
      expect(copy.wire()).toEqual(frame.wire());
      expect([copy.fcsGood, copy.wireBytes, copy.errors]).toEqual([frame.fcsGood, frame.wireBytes, frame.errors]);
    }
  });
});

describe('damage', () => {
  test('bits are counted in the order of the wire, least significant of each octet first', () => {
    const frame = Frame.withFcs(new Uint8Array(60));
    expect(flipBits(frame, [0, 15, 479]).octets).toEqual(
      Uint8Array.from({ length: 60 }, (_, i) => [0x01, 0x80][i] ?? (i === 59 ? 0x80 : 0)),
    );
    expect(frame.octets).toEqual(new Uint8Array(60));
  });

  test('positions behind the end do nothing', () => {
    expect(flipBits(frameOf(64), [512, 9999]).fcsGood).toBe(true);
  });

  test('a truncated frame keeps whole octets, and says how many bits followed', () => {
    const frame = frameOf(64);
    const cut = truncate(frame, 8 * 20 + 5, true)!;
    expect(cut.wire()).toEqual(frame.wire().subarray(0, 20));
    expect(cut.errors).toEqual({ dribbleBits: 5, rxError: true });
    expect(truncate(frame, -1, true)).toBeNull();
  });

  test('an aborted frame ends in 32 bits of jam, at any bit', () => {
    const frame = Frame.withFcs(new Uint8Array(60).fill(0xff));
    for (let bits = 32; bits < 120; bits++) {
      const whole = bits + ((8 - (bits & 7)) & 7);
      const wire = [...jammed(frame, whole, whole - 32)!.wire()];
      const kept = 8 * wire.length - 32;
      const bitAt = (i: number) => (wire[i >>> 3]! >>> (i & 7)) & 1;
      for (let i = 0; i < kept; i++) expect(bitAt(i)).toBe(1);
      const jam = Array.from({ length: 32 }, (_, i) => bitAt(kept + i));
      expect(jam.filter(bit => bit === 0).length).toBe(16);
    }
    expect(jammed(frame, 77, 45)!.errors.dribbleBits).toBe(5);
  });
});
