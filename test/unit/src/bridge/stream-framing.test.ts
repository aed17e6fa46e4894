/** The octets of the framing, and the edges of its lengths. The rest is in test/property. */
import { describe, expect, it } from 'vitest';
import { FrameDecoder, MAX_FRAME_BYTES } from '../../../../src/bridge/stream-framing.ts';
import { encodeFrame } from '../../../support/stream-peer.ts';

describe('a frame on a byte stream', () => {
  it('is preceded by its length, four octets, big-endian', () => {
    const frame = new Uint8Array(0x102).fill(7);
    expect([...encodeFrame(frame).subarray(0, 6)]).toEqual([0, 0, 1, 2, 7, 7]);
  });

  it.each([1, MAX_FRAME_BYTES])('may have %i octets', length => {
    const decoded: number[] = [];
    new FrameDecoder(frame => decoded.push(frame.length)).push(encodeFrame(new Uint8Array(length)));
    expect(decoded).toEqual([length]);
  });

  it.each([
    [0, [0, 0, 0, 0]],
    [MAX_FRAME_BYTES + 1, [0, 0, 0x40, 1]],
    [0xffff_ffff, [255, 255, 255, 255]],
  ])('may not have %i octets, and the message says so', (length, octets) => {
    const decoder = new FrameDecoder(() => undefined);
    expect(() => decoder.push(Uint8Array.from(octets))).toThrow(`a frame of ${length} octets is announced`);
  });
});
