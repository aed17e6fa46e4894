/**
 * Frames that wait to leave at one port of a switch, first in, first out, bounded in octets: for what
 * finds no room the owner counts a drop (tail drop). A ring that grows to what the bound allows.
 */
import { Frame, type FrameState } from '../frame.ts';

const FIRST_CAPACITY = 16;

export interface OutputQueueState {
  readonly frames: readonly FrameState[];
}

export class OutputQueue {
  readonly maxBytes: number;
  /** Octets, DA to FCS, of what waits. */
  bytes = 0;
  // A ring, its capacity a power of two.
  #frames: (Frame | null)[] = new Array(FIRST_CAPACITY).fill(null);
  #head = 0;
  #count = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get length(): number {
    return this.#count;
  }

  /** Appends `frame`. False when there is no room. */
  push(frame: Frame): boolean {
    const bytes = this.bytes + frame.wireBytes;
    if (bytes > this.maxBytes) return false;
    if (this.#count === this.#frames.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#frames.length - 1);
    this.#frames[at] = frame;
    this.#count += 1;
    this.bytes = bytes;
    return true;
  }

  /** Takes the first frame out; the queue must have one. */
  shift(): Frame {
    const frame = this.#frames[this.#head]!;
    this.#frames[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#frames.length - 1);
    this.#count -= 1;
    this.bytes -= frame.wireBytes;
    return frame;
  }

  clear(): void {
    this.#frames.fill(null);
    this.#head = this.#count = this.bytes = 0;
  }

  save(): OutputQueueState {
    const frames = Array.from({ length: this.#count }, (_, i) => {
      const at = (this.#head + i) & (this.#frames.length - 1);
      return this.#frames[at]!.save();
    });
    return { frames };
  }

  load(state: OutputQueueState): void {
    this.clear();
    for (const frame of state.frames) this.push(Frame.load(frame));
  }

  #grow(): void {
    const capacity = this.#frames.length;
    const at = (i: number) => (this.#head + i) & (capacity - 1);
    this.#frames = Array.from({ length: 2 * capacity }, (_, i) => (i < capacity ? this.#frames[at(i)]! : null));
    this.#head = 0;
  }
}
