/**
 * Frames that a switch has stored and is looking up: each is decided on a constant time after its last bit came in, in
 * the order in which they came. A ring, and one timer for the first of them.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import { Frame, type FrameState } from '../frame.ts';

const FIRST_CAPACITY = 8;
/** More than arrive at all ports, at 1000 Mb/s, within the longest lookup. */
const MAX_FRAMES = 1 << 20;

export interface LookupState {
  readonly frames: readonly { readonly frame: FrameState; readonly port: number; readonly dueNs: number }[];
  readonly timer: TimerState;
}

export class Lookup {
  readonly #clock: Clock;
  readonly #delayNs: number;
  readonly #decide: (port: number, frame: Frame) => void;
  readonly #timer: Timer;
  // A ring, its capacity a power of two.
  #frames: (Frame | null)[] = new Array(FIRST_CAPACITY).fill(null);
  #ports = new Int16Array(FIRST_CAPACITY);
  #dueNs = new Float64Array(FIRST_CAPACITY);
  #head = 0;
  #count = 0;

  constructor(clock: Clock, delayNs: number, decide: (port: number, frame: Frame) => void) {
    this.#clock = clock;
    this.#delayNs = delayNs;
    this.#decide = decide;
    this.#timer = clock.timer(() => this.#due());
  }

  /** Frames on their way. */
  get length(): number {
    return this.#count;
  }

  /** `frame` has come in at `port`. */
  begin(port: number, frame: Frame): void {
    if (this.#delayNs === 0) this.#decide(port, frame);
    else this.#arrive(port, frame, this.#clock.nowNs + this.#delayNs);
  }

  save(): LookupState {
    const frames = Array.from({ length: this.#count }, (_, i) => {
      const at = (this.#head + i) & (this.#frames.length - 1);
      return { frame: this.#frames[at]!.save(), port: this.#ports[at]!, dueNs: this.#dueNs[at]! };
    });
    return { frames, timer: this.#timer.save() };
  }

  load(state: LookupState): void {
    this.#frames.fill(null);
    this.#head = this.#count = 0;
    for (const { frame, port, dueNs } of state.frames) this.#push(port, Frame.load(frame), dueNs);
    this.#timer.load(state.timer);
  }

  #arrive(port: number, frame: Frame, dueNs: number): void {
    this.#push(port, frame, dueNs);
    if (this.#count === 1) this.#timer.armAt(dueNs);
  }

  #push(port: number, frame: Frame, dueNs: number): void {
    if (this.#count === this.#frames.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#frames.length - 1);
    this.#frames[at] = frame;
    this.#ports[at] = port;
    this.#dueNs[at] = dueNs;
    this.#count += 1;
  }

  #due(): void {
    const { nowNs } = this.#clock;
    while (this.#count > 0) {
      const at = this.#head;
      if (this.#dueNs[at]! > nowNs) {
        this.#timer.armAt(this.#dueNs[at]!);
        return;
      }
      const frame = this.#frames[at]!;
      this.#frames[at] = null;
      this.#head = (at + 1) & (this.#frames.length - 1);
      this.#count -= 1;
      this.#decide(this.#ports[at]!, frame);
    }
  }

  #grow(): void {
    const capacity = this.#frames.length;
    assert(capacity < MAX_FRAMES, 'more frames in a lookup than can have come in');
    const at = (i: number) => (this.#head + i) & (capacity - 1);
    this.#ports = Int16Array.from({ length: 2 * capacity }, (_, i) => this.#ports[at(i)]!);
    this.#dueNs = Float64Array.from({ length: 2 * capacity }, (_, i) => this.#dueNs[at(i)]!);
    this.#frames = Array.from({ length: 2 * capacity }, (_, i) => (i < capacity ? this.#frames[at(i)]! : null));
    this.#head = 0;
  }
}
