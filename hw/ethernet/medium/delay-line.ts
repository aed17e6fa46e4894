/**
 * The way out of a box in line: frames wait for their time, then leave one after another. No two overlap, and the
 * inter-frame gap stands between them, because behind the box there is a wire again, with the rate that it has. They
 * leave in the order in which they came in here, however late each was to be.
 *
 * A frame that has no reason to wait leaves inside the call that brings it, so that a box that does nothing to it is
 * not to be told from a cable.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import { Frame, type FrameState } from '../frame.ts';
import { INTER_FRAME_GAP_BITS } from '../mac/parameters.ts';
import type { Transmission } from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState } from '../transmission.ts';

/** Frames that wait at most: at a gigabit, 50 ms of full-size ones. */
export const DELAY_LINE_FRAMES = 4096;
const FIRST_CAPACITY = 8;

/** A frame in the box: what came, from which transmission, and its interval, here or where it will leave. */
export interface BoxedFrame {
  readonly frame: Frame;
  readonly transmission: Transmission;
  /** When its first bit comes, and its last. */
  readonly startNs: number;
  readonly endNs: number;
}

export interface BoxedFrameState {
  readonly frame: FrameState;
  readonly transmission: TransmissionState;
  readonly startNs: number;
  readonly endNs: number;
}

export interface DelayLineState {
  readonly waiting: readonly BoxedFrameState[];
  readonly freeNs: number;
  readonly timer: TimerState;
}

export class DelayLine {
  readonly #clock: Clock;
  readonly #leave: (boxed: BoxedFrame) => void;
  /** Due when the last bit of the first in line leaves. */
  readonly #timer: Timer;
  // A ring, its capacity a power of two.
  #ring: (BoxedFrame | null)[] = new Array(FIRST_CAPACITY).fill(null);
  #head = 0;
  #count = 0;
  /** From when on the wire behind is free for the next. */
  #freeNs = 0;

  constructor(clock: Clock, leave: (boxed: BoxedFrame) => void) {
    this.#clock = clock;
    this.#leave = leave;
    this.#timer = clock.timer(() => this.#next());
  }

  get count(): number {
    return this.#count;
  }

  /** Puts a frame at the end of the line, to leave from `startNs` on at the earliest. False when the line is full. */
  push({ frame, transmission, startNs: cameNs, endNs: wentNs }: BoxedFrame, fromNs: number): boolean {
    if (this.#count === DELAY_LINE_FRAMES) return false;
    const startNs = Math.max(fromNs, this.#freeNs);
    const endNs = startNs + (wentNs - cameNs);
    this.#freeNs = endNs + INTER_FRAME_GAP_BITS * transmission.bitNs;
    const boxed = { frame, transmission, startNs, endNs };
    if (this.#count === 0 && endNs <= this.#clock.nowNs) {
      this.#leave(boxed);
      return true;
    }
    this.#append(boxed);
    if (this.#count === 1) this.#timer.armAt(endNs);
    return true;
  }

  /** Gives up all that waits, first things first, to `discard`. */
  empty(discard: (boxed: BoxedFrame) => void): void {
    this.#timer.cancel();
    this.#freeNs = 0;
    while (this.#count > 0) discard(this.#shift());
  }

  save(): DelayLineState {
    return {
      waiting: Array.from({ length: this.#count }, (_, i) =>
        saveBoxed(this.#ring[(this.#head + i) & (this.#ring.length - 1)]!),
      ),
      freeNs: this.#freeNs,
      timer: this.#timer.save(),
    };
  }

  load(state: DelayLineState): void {
    this.#ring.fill(null);
    this.#head = this.#count = 0;
    for (const boxed of state.waiting) this.#append(loadBoxed(boxed));
    this.#freeNs = state.freeNs;
    this.#timer.load(state.timer);
  }

  #next(): void {
    const boxed = this.#shift();
    if (this.#count > 0) this.#timer.armAt(this.#ring[this.#head]!.endNs);
    this.#leave(boxed);
  }

  #shift(): BoxedFrame {
    const boxed = this.#ring[this.#head]!;
    this.#ring[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#count -= 1;
    return boxed;
  }

  #append(boxed: BoxedFrame): void {
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#count) & (this.#ring.length - 1)] = boxed;
    this.#count += 1;
  }

  #grow(): void {
    const capacity = this.#ring.length;
    assert(capacity < DELAY_LINE_FRAMES, 'more frames in a delay line than it holds');
    const order = Array.from({ length: capacity }, (_, i) => this.#ring[(this.#head + i) & (capacity - 1)]!);
    this.#ring = [...order, ...new Array(capacity).fill(null)];
    this.#head = 0;
  }
}

export function saveBoxed({ frame, transmission, startNs, endNs }: BoxedFrame): BoxedFrameState {
  return { frame: frame.save(), transmission: saveTransmission(transmission), startNs, endNs };
}

export function loadBoxed({ frame, transmission, startNs, endNs }: BoxedFrameState): BoxedFrame {
  return { frame: Frame.load(frame), transmission: loadTransmission(transmission), startNs, endNs };
}
