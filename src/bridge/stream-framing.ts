/**
 * Frames on a byte stream: each one is preceded by its length, four octets, big-endian. This is what QEMU's
 * `-netdev stream` speaks, and so does the TAP relay beside this file; one listener serves both.
 *
 * A frame here is DA to the last octet of the data: no FCS, and no padding is asked for. A length that cannot be one
 * means that the stream is out of step, and nothing behind it can be trusted: the decoder says so and takes no more.
 */
import { readBe32, writeBe32 } from '../lib/bytes.ts';

const LENGTH_BYTES = 4;
/** The longest frame taken from a peer: what an 82540EM receives with long packets enabled. */
export const MAX_FRAME_BYTES = 16_384;

/** The peer has sent a length that no frame has. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/** `frame` as it stands on the stream: its length, then its octets. */
export function encodeFrame(frame: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(LENGTH_BYTES + frame.length);
  writeBe32(encoded, 0, frame.length);
  encoded.set(frame, LENGTH_BYTES);
  return encoded;
}

/** Takes a stream in chunks of any size and gives the frames in it. One decoder serves one connection. */
export class FrameDecoder {
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #length = new Uint8Array(LENGTH_BYTES);
  #lengthFill = 0;
  /** The frame that is being filled, or null while its length is not yet known. */
  #frame: Uint8Array | null = null;
  #frameFill = 0;
  #broken = false;

  /** `onFrame` is given each frame in an array of its own, which it may keep. */
  constructor(onFrame: (frame: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  /** True inside a frame: an end of the stream here cuts it off. */
  get inFrame(): boolean {
    return this.#lengthFill > 0 && !this.#broken;
  }

  /** Takes the next octets of the stream. Throws a {@link FramingError}, now and ever after, at an impossible length. */
  push(chunk: Uint8Array): void {
    if (this.#broken) throw new FramingError('the stream is out of step since an earlier frame');
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame === null) {
        this.#length[this.#lengthFill++] = chunk[at++]!;
        if (this.#lengthFill === LENGTH_BYTES) this.#begin(readBe32(this.#length, 0));
      } else {
        const part = chunk.subarray(at, at + this.#frame.length - this.#frameFill);
        this.#frame.set(part, this.#frameFill);
        this.#frameFill += part.length;
        at += part.length;
        if (this.#frameFill === this.#frame.length) this.#end(this.#frame);
      }
    }
  }

  #begin(lengthBytes: number): void {
    if (lengthBytes === 0 || lengthBytes > MAX_FRAME_BYTES) {
      this.#broken = true;
      throw new FramingError(`a frame of ${lengthBytes} octets is announced; 1 to ${MAX_FRAME_BYTES} are possible`);
    }
    this.#frame = new Uint8Array(lengthBytes);
    this.#frameFill = 0;
  }

  #end(frame: Uint8Array): void {
    this.#frame = null;
    this.#lengthFill = 0;
    this.#onFrame(frame);
  }
}
