/**
 * A frame FIFO in packet buffer memory: frames in order, each with a word that travels with it. It is full by octets,
 * or by entries when the frames are tiny. A null entry stands for work without a frame and takes no octets.
 */
import { Frame, type FrameState } from '../../ethernet/frame.ts';

/** Packet buffer memory comes in lines; a frame takes whole ones, and one more for its status. */
const LINE_BYTES = 16;

/** Octets of packet buffer that a frame of `wireBytes` takes. */
const costOf = (wireBytes: number): number => (wireBytes + 2 * LINE_BYTES - 1) & -LINE_BYTES;

export interface FifoState {
  readonly entries: readonly { readonly frame: FrameState | null; readonly info: number }[];
  readonly capacityBytes: number;
}

export class FrameFifo {
  capacityBytes = 0;
  readonly #frames: (Frame | null)[];
  readonly #infos: Int32Array;
  #first = 0;
  #count = 0;
  #usedBytes = 0;

  constructor(entries: number) {
    this.#frames = new Array(entries).fill(null);
    this.#infos = new Int32Array(entries);
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === this.#frames.length;
  }

  /** Octets of packet buffer in use. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The oldest frame. The FIFO must not be empty. */
  get frame(): Frame | null {
    return this.#frames[this.#first]!;
  }

  /** The word that travels with the oldest frame. */
  get info(): number {
    return this.#infos[this.#first]!;
  }

  /** Whether there is room for a frame of `wireBytes`. */
  fits(wireBytes: number): boolean {
    return !this.full && this.#usedBytes + costOf(wireBytes) <= this.capacityBytes;
  }

  /** Whether there would be room for a frame of `wireBytes` if nothing else were there. */
  canHold(wireBytes: number): boolean {
    return costOf(wireBytes) <= this.capacityBytes;
  }

  push(frame: Frame | null, info: number): void {
    const at = (this.#first + this.#count) % this.#frames.length;
    this.#count += 1;
    this.#frames[at] = frame;
    this.#infos[at] = info;
    if (frame !== null) this.#usedBytes += costOf(frame.wireBytes);
  }

  /** Removes the oldest entry. */
  shift(): void {
    const frame = this.#frames[this.#first]!;
    if (frame !== null) this.#usedBytes -= costOf(frame.wireBytes);
    this.#frames[this.#first] = null;
    this.#first = (this.#first + 1) % this.#frames.length;
    this.#count -= 1;
  }

  /** Zeroes the word of every entry. */
  forgetInfos(): void {
    this.#infos.fill(0);
  }

  clear(): void {
    this.#frames.fill(null);
    this.#first = this.#count = this.#usedBytes = 0;
  }

  save(): FifoState {
    const entries = Array.from({ length: this.#count }, (_, i) => {
      const at = (this.#first + i) % this.#frames.length;
      return { frame: this.#frames[at]?.save() ?? null, info: this.#infos[at]! };
    });
    return { entries, capacityBytes: this.capacityBytes };
  }

  load(state: FifoState): void {
    this.clear();
    this.capacityBytes = state.capacityBytes;
    for (const { frame, info } of state.entries) this.push(frame === null ? null : Frame.load(frame), info);
  }
}
