/**
 * Frames on a byte stream: each one is preceded by its length, four octets, big-endian. This is what QEMU's
 * `-netdev stream` speaks, and so does the TAP relay beside this file; one listener serves both.
 *
 * A frame here is DA to the last octet of the data: no FCS, and no padding is asked for. A length that cannot be one
 * means that the stream is out of step, and nothing behind it can be trusted: the decoder says so and takes no more.
 */
import { assert } from '../lib/assert.ts';
import { readBe32, writeBe32 } from '../lib/bytes.ts';

const LENGTH_BYTES = 4;
/** The longest frame taken from a peer: what an 82540EM receives with long packets enabled. */
export const MAX_FRAME_BYTES = 16_384;
/** What pieces are cut from: two dozen full-size frames are a piece worth writing. */
const BLOCK_BYTES = 65_536;

/** The peer has sent a length that no frame has. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

/**
 * Puts frames on a stream, as many as one likes into one piece, since a stream is written in few large pieces faster
 * than in many small ones.
 */
export class FrameEncoder {
  #block = new Uint8Array(0);
  /** What stands in the block from here to `#end` has not been taken. */
  #begin = 0;
  #end = 0;

  /** Whether `frame` still fits into this piece. The first one always does. */
  fits(frame: Uint8Array): boolean {
    return this.#end === this.#begin || this.#end + LENGTH_BYTES + frame.length <= this.#block.length;
  }

  /** Adds a frame that fits: its length, then its octets. */
  add(frame: Uint8Array): void {
    if (this.#end + LENGTH_BYTES + frame.length > this.#block.length) this.#renew();
    writeBe32(this.#block, this.#end, frame.length);
    this.#block.set(frame, this.#end + LENGTH_BYTES);
    this.#end += LENGTH_BYTES + frame.length;
  }

  /** The frames that were added since the last call. Theirs is the memory: nothing more is written there. */
  take(): Uint8Array {
    const piece = this.#block.subarray(this.#begin, this.#end);
    this.#begin = this.#end;
    return piece;
  }

  /** A whole block for the next piece. Nothing waits in the old one. */
  #renew(): void {
    assert(this.#end === this.#begin, 'a frame was added that does not fit');
    this.#block = new Uint8Array(BLOCK_BYTES);
    this.#begin = this.#end = 0;
  }
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
    // A slice of Node's pool: an allocation for each frame costs more than all else that is done here.
    const { buffer, byteOffset } = Buffer.allocUnsafe(lengthBytes);
    this.#frame = new Uint8Array(buffer, byteOffset, lengthBytes);
    this.#frameFill = 0;
  }

  #end(frame: Uint8Array): void {
    this.#frame = null;
    this.#lengthFill = 0;
    this.#onFrame(frame);
  }
}
