/**
 * One direction of a cable: a line of transmissions on their way, and a timer, due when the last bit of the first of
 * them comes out. They come out in the order in which they went in, since each sender sends one at a time. Where the
 * far end listens for carrier, a second timer is due when the first bit of one comes out.
 *
 * A transmission is on the lane from the moment that its sender commits it. What becomes of it is decided when its end
 * arrives: whole, cut short (by its sender, or by the cable), or nothing at all; then bit errors strike.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { Frame } from '../frame.ts';
import type { SignalPath, SignalPathState } from '../line/signal-path.ts';
import type { MediumListener, Transmission } from '../ports.ts';
import { loadTransmission, moveEnd, saveTransmission, type TransmissionState } from '../transmission.ts';
import type { BitErrorState, BitErrors } from './bit-errors.ts';
import { flipBits, jammed, truncate } from './damage.ts';

/** Transmissions that one lane holds. The longest cable and the shortest frames come to about 2900. */
const MAX_ON_LANE = 4096;
const FIRST_CAPACITY = 8;
/** 10 Mb/s, where a frame has no end-of-stream code that a receiver could miss. */
const BIT_NS_WITHOUT_ESD = 100;

/** Where a lane delivers: `frame` is null when nothing was left of it. `startNs` is the time here. */
type LaneEnd = (frame: Frame | null, transmission: Transmission, startNs: number) => void;

// What the far end knows of a transmission: it does not listen; nothing yet; it has heard the beginning.
const UNHEARD = 0;
const AHEAD = 1;
const BEGUN = 2;

interface OnLane {
  readonly transmission: TransmissionState;
  readonly lostFromNs: number;
  readonly heard: number;
}

export interface LaneState {
  readonly onLane: readonly OnLane[];
  readonly startTimer: TimerState;
  readonly flips: readonly (readonly number[])[];
  readonly errors: BitErrorState;
  readonly signalPath: SignalPathState | null;
  readonly timer: TimerState;
}

export class Lane {
  /** Codes and decodes what comes out, symbol by symbol, before bit errors strike; null on an ordinary cable. */
  signalPath: SignalPath | null = null;
  /** Who is plugged in at the far end. */
  listener: MediumListener | null = null;
  readonly #delayNs: number;
  readonly #errors: BitErrors;
  readonly #deliver: LaneEnd;
  readonly #timer: Timer;
  /** Due when the first transmission that is `ahead` begins at the far end. */
  readonly #startTimer: Timer;
  readonly #clock: Clock;
  // A ring, its capacity a power of two. Beside each transmission the time, at the far end, from which it is lost.
  #ring: (Transmission | null)[] = new Array(FIRST_CAPACITY).fill(null);
  #lostFromNs: number[] = new Array(FIRST_CAPACITY).fill(0);
  #heard: number[] = new Array(FIRST_CAPACITY).fill(UNHEARD);
  #head = 0;
  #count = 0;
  #flips: (readonly number[])[] = [];

  constructor(clock: Clock, delayNs: number, errors: BitErrors, deliver: LaneEnd) {
    this.#clock = clock;
    this.#delayNs = delayNs;
    this.#errors = errors;
    this.#deliver = deliver;
    this.#timer = clock.timer(() => this.#arrive());
    this.#startTimer = clock.timer(() => this.#begin());
  }

  /** Takes a transmission in. `whole` is false when the cable is cut: nothing of it will come out. */
  send(transmission: Transmission, whole: boolean): void {
    const heard = this.listener?.carrier ? AHEAD : UNHEARD;
    this.#push(transmission, whole ? Number.POSITIVE_INFINITY : 0, heard);
    if (heard === AHEAD && !this.#startTimer.armed) this.#startTimer.armAt(transmission.startNs + this.#delayNs);
    if (this.#count === 1) this.#arm();
  }

  /** The end of the latest transmission from here has moved. */
  abort(transmission: Transmission): void {
    const latest = this.#ring[(this.#head + this.#count - 1) & (this.#ring.length - 1)];
    if (latest?.startNs !== transmission.startNs) return; // it never came here: the PHY was isolated
    moveEnd(latest, transmission);
    this.#arm();
  }

  /** The cable was cut: what would come out at `fromNs` and later never does. */
  lose(fromNs: number): void {
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#head + i) & (this.#ring.length - 1);
      if (this.#lostFromNs[at]! > fromNs) this.#lostFromNs[at] = fromNs;
    }
    if (this.#count > 0) this.#arm();
  }

  /** Inverts the bits at `positions` of the next frame that arrives and was not chosen by an earlier call. */
  flipNext(positions: readonly number[]): void {
    this.#flips.push(positions);
  }

  save(): LaneState {
    const onLane = Array.from({ length: this.#count }, (_, i) => {
      const at = (this.#head + i) & (this.#ring.length - 1);
      const transmission = saveTransmission(this.#ring[at]!);
      return { transmission, lostFromNs: this.#lostFromNs[at]!, heard: this.#heard[at]! };
    });
    return {
      onLane,
      flips: this.#flips.slice(),
      errors: this.#errors.save(),
      signalPath: this.signalPath === null ? null : this.signalPath.save(),
      timer: this.#timer.save(),
      startTimer: this.#startTimer.save(),
    };
  }

  load(state: LaneState): void {
    this.#ring.fill(null);
    this.#head = this.#count = 0;
    for (const { transmission, lostFromNs, heard } of state.onLane) {
      this.#push(loadTransmission(transmission), lostFromNs, heard);
    }
    this.#flips = state.flips.slice();
    this.#errors.load(state.errors);
    if (state.signalPath !== null) this.signalPath?.load(state.signalPath);
    this.#timer.load(state.timer);
    this.#startTimer.load(state.startTimer);
  }

  #push(transmission: Transmission, lostFromNs: number, heard: number): void {
    if (this.#count === this.#ring.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#ring.length - 1);
    this.#ring[at] = transmission;
    this.#lostFromNs[at] = lostFromNs;
    this.#heard[at] = heard;
    this.#count += 1;
  }

  /** The first bit of a transmission comes out, unless the cable has lost it. */
  #begin(): void {
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#head + i) & (this.#ring.length - 1);
      if (this.#heard[at] !== AHEAD) continue;
      const transmission = this.#ring[at]!;
      const startNs = transmission.startNs + this.#delayNs;
      if (startNs > this.#clock.nowNs) {
        this.#startTimer.armAt(startNs);
        return;
      }
      const carrier = this.#lostFromNs[at]! > startNs ? this.listener?.carrier : null;
      this.#heard[at] = carrier ? BEGUN : UNHEARD;
      carrier?.carrierOn(transmission);
    }
  }

  #arrive(): void {
    const at = this.#head;
    const transmission = this.#ring[at]!;
    const lostFromNs = this.#lostFromNs[at]!;
    const heard = this.#heard[at]!;
    this.#ring[at] = null;
    this.#head = (at + 1) & (this.#ring.length - 1);
    this.#count -= 1;
    if (this.#count > 0) this.#arm();
    const remains = this.#remains(transmission, lostFromNs);
    const frame =
      remains === null || this.signalPath === null ? remains : this.signalPath.carry(remains, transmission.bitNs);
    const struck = frame === null ? null : this.#strike(frame);
    this.#deliver(struck, transmission, transmission.startNs + this.#delayNs);
    if (heard === BEGUN) this.listener?.carrier?.carrierOff(transmission);
  }

  /** For the first in line: when it ends here, or is first missed. What is lost whole is missed at its end. */
  #arm(): void {
    const { startNs, endNs } = this.#ring[this.#head]!;
    const lostFromNs = this.#lostFromNs[this.#head]!;
    const wholeNs = endNs + this.#delayNs;
    const dueNs = lostFromNs <= startNs + this.#delayNs ? wholeNs : Math.min(lostFromNs, wholeNs);
    if (dueNs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.armAt(Math.max(dueNs, this.#clock.nowNs));
  }

  /** What came out of the cable, bit errors apart. */
  #remains(transmission: Transmission, lostFromNs: number): Frame | null {
    const { frame, bitNs, startNs, headBits, endNs, jamNs } = transmission;
    const arrivalNs = startNs + this.#delayNs;
    if (lostFromNs < endNs + this.#delayNs) {
      const bits = Math.floor((lostFromNs - arrivalNs) / bitNs) - headBits;
      return truncate(frame, bits, bitNs !== BIT_NS_WITHOUT_ESD);
    }
    if (!transmission.aborted) return frame;
    const bits = Math.floor((endNs - startNs) / bitNs) - headBits;
    if (jamNs >= endNs) return truncate(frame, bits, false);
    return jammed(frame, bits, Math.floor((jamNs - startNs) / bitNs) - headBits);
  }

  #strike(frame: Frame): Frame {
    const planned = this.#flips.length > 0 ? this.#flips.shift()! : null;
    const flipped = planned === null ? frame : flipBits(frame, planned);
    const struck = this.#errors.strike(8 * frame.wireBytes);
    return struck === null ? flipped : flipBits(flipped, struck);
  }

  #grow(): void {
    const capacity = this.#ring.length;
    assert(capacity < MAX_ON_LANE, 'more frames on a cable than fit on it');
    const order = Array.from({ length: capacity }, (_, i) => (this.#head + i) & (capacity - 1));
    const more = new Array(capacity).fill(null);
    this.#ring = [...order.map(at => this.#ring[at]!), ...more];
    this.#lostFromNs = [...order.map(at => this.#lostFromNs[at]!), ...more.map(() => 0)];
    this.#heard = [...order.map(at => this.#heard[at]!), ...more.map(() => UNHEARD)];
    this.#head = 0;
  }
}
