/** Frames on a stream are the same frames, however the stream is cut into chunks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDecoder, FrameEncoder, FramingError, MAX_FRAME_BYTES } from '../../../../src/bridge/stream-framing.ts';
import { encodeFrame } from '../../../support/stream-peer.ts';

const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 1600 }), { maxLength: 8 });
const chunkLengths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 });

/** `stream` in chunks of the given lengths, over and over. */
function* chunksOf(stream: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < stream.length; i++) {
    const length = lengths[i % lengths.length]!;
    yield stream.subarray(at, at + length);
    at += length;
  }
}

function decode(stream: Uint8Array, lengths: readonly number[]): { frames: Uint8Array[]; inFrame: boolean } {
  const decoded: Uint8Array[] = [];
  const decoder = new FrameDecoder(frame => decoded.push(frame));
  // Each chunk is overwritten once it was taken, as a read buffer that is used again.
  for (const chunk of chunksOf(stream, lengths)) {
    const lent = chunk.slice();
    decoder.push(lent);
    lent.fill(0xee);
  }
  return { frames: decoded, inFrame: decoder.inFrame };
}

const concat = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

describe('frames on a byte stream', () => {
  it('are the frames that were sent, whatever the chunks', () => {
    fc.assert(
      fc.property(frames, chunkLengths, (sent, lengths) => {
        const got = decode(concat(sent.map(encodeFrame)), lengths);
        expect(got.frames).toEqual(sent);
        expect(got.inFrame).toBe(false);
      }),
    );
  });

  it('may share pieces: what is written stays as it is, and no more is in it', () => {
    const cuts = fc.array(fc.boolean(), { minLength: 1 });
    const long = fc.array(fc.uint8Array({ minLength: 1, maxLength: MAX_FRAME_BYTES, size: 'max' }), { maxLength: 12 });
    fc.assert(
      fc.property(long, cuts, (sent, takes) => {
        const encoder = new FrameEncoder();
        const pieces: Uint8Array[] = [];
        sent.forEach((frame, i) => {
          if (!encoder.fits(frame) || takes[i % takes.length]) pieces.push(encoder.take());
          encoder.add(frame);
        });
        pieces.push(encoder.take());
        expect(encoder.take()).toHaveLength(0);
        expect(Buffer.compare(concat(pieces), concat(sent.map(encodeFrame)))).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('are those that came whole when the stream is cut off', () => {
    fc.assert(
      fc.property(frames, chunkLengths, fc.nat(), (sent, lengths, cut) => {
        const encoded = sent.map(encodeFrame);
        const stream = concat(encoded);
        const end = cut % (stream.length + 1);
        let whole = 0;
        let boundary = 0;
        while (whole < sent.length && boundary + encoded[whole]!.length <= end) boundary += encoded[whole++]!.length;
        const got = decode(stream.subarray(0, end), lengths);
        expect(got.frames).toEqual(sent.slice(0, whole));
        expect(got.inFrame).toBe(end > boundary);
      }),
    );
  });

  it('are all delivered up to an impossible length, and none after it', () => {
    const impossible = fc.oneof(fc.constant(0), fc.integer({ min: MAX_FRAME_BYTES + 1, max: 0xffff_ffff }));
    fc.assert(
      fc.property(frames, frames, impossible, chunkLengths, (before, after, length, lengths) => {
        const bad = new Uint8Array(4);
        new DataView(bad.buffer).setUint32(0, length);
        const stream = concat([...before.map(encodeFrame), bad, ...after.map(encodeFrame)]);
        const decoded: Uint8Array[] = [];
        const decoder = new FrameDecoder(frame => decoded.push(frame));
        expect(() => {
          for (const chunk of chunksOf(stream, lengths)) decoder.push(chunk);
        }).toThrow(FramingError);
        expect(() => decoder.push(encodeFrame(new Uint8Array(60)))).toThrow(FramingError);
        expect(decoded).toEqual(before);
      }),
    );
  });
});
