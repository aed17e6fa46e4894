/**
 * A cable between two sockets: it delays, and it damages. Whatever goes in at one end comes out at the other after the
 * propagation delay, bit errors apart, until somebody cuts the cable or pulls a plug. Each direction has its own pair of
 * wires, so signals never meet in here: in half duplex it is the ends that collide, by listening while they send.
 *
 * An end hears the other only where the pair that one sends on is the pair that the other listens to: on a straight
 * cable one end is MDI and the other MDI-X, on a crossed one both are alike. While they do not meet, the cable keeps the
 * sample_timer of automatic ends, for both at once and from when they are plugged in: so the search is over before the
 * ends speak, and no timer runs where nothing can be found.
 *
 * The idle signal of an end reaches the far one at once: it consists of pulses milliseconds apart, against which the
 * delay does not show. PHYs answer it by timers, never from inside the call.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { Prng } from '../../sim/prng.ts';
import type { Frame } from '../frame.ts';
import type { SignalPath } from '../line/signal-path.ts';
import type { LinkSignal, MediumListener, MediumPort, Transmission } from '../ports.ts';
import { BitErrors } from './bit-errors.ts';
import { Impairment, type ImpairmentState } from './impairment.ts';
import type { Impairments } from './impairments.ts';
import { Lane, type LaneState } from './lane.ts';

/** Propagation of Cat5 twisted pair, the most that ISO/IEC 11801 allows. */
const NS_PER_METRE = 5.56;
/** Far longer than copper reaches; somebody may want to see a long round trip. */
const MAX_CABLE_METRES = 100_000;

/** sample_timer of clause 40.4.4, 62 ± 2 ms. */
export const SAMPLE_NS = 62_000_000;

/** How the pairs of one plug are wired to those of the other. */
export type Wiring = 'straight' | 'crossed';

/** Which end of a cable. */
export type End = 0 | 1;

/**
 * A frame that went in at `fromEnd` has come out to its last bit; its first bit did at `startNs`. `arrived` is what
 * came out, another object than `transmission.frame` if it was damaged or cut short, and null if nothing did.
 */
export type FrameTap = (fromEnd: End, transmission: Transmission, startNs: number, arrived: Frame | null) => void;

export interface CableState {
  readonly whole: boolean;
  readonly meeting: boolean;
  readonly sampleTimer: TimerState;
  readonly signals: readonly [LinkSignal | null, LinkSignal | null];
  readonly lanes: readonly [LaneState, LaneState];
  readonly impairments: readonly [ImpairmentState | null, ImpairmentState | null];
}

export class Cable {
  readonly delayNs: number;
  /** Observation; null unless somebody watches. */
  onFrame: FrameTap | null = null;
  /**
   * As `onFrame`, behind the boxes in line: what the far PHY is given, and when. A frame that a box doubles is told
   * twice, with the same `transmission`. Without boxes the two tell the same.
   */
  onDelivery: FrameTap | null = null;
  readonly #clock: Clock;
  readonly #prng: Prng;
  readonly #ends: readonly [CableEnd, CableEnd];
  readonly #wiring: Wiring;
  /** Due when automatic ends choose again. */
  readonly #sampleTimer: Timer;
  #whole = true;
  /** Both ends are plugged in, and each listens to the pair that the other sends on. */
  #meeting = false;

  /** `lengthMetres` of Cat5; each bit of a frame, either way, is bad with probability `bitErrorRate`. */
  constructor(clock: Clock, prng: Prng, lengthMetres: number, bitErrorRate = 0, wiring: Wiring = 'straight') {
    if (!(lengthMetres >= 0 && lengthMetres <= MAX_CABLE_METRES)) {
      throw new RangeError(`a cable is 0 to ${MAX_CABLE_METRES} metres long, not ${lengthMetres}`);
    }
    this.#clock = clock;
    this.#prng = prng;
    this.#wiring = wiring;
    this.#sampleTimer = clock.timer(() => this.#sample());
    this.delayNs = Math.round(lengthMetres * NS_PER_METRE);
    const lane = (from: End) => {
      const errors = new BitErrors(bitErrorRate, prng.fork(`from${from}`));
      return new Lane(clock, this.delayNs, errors, (frame, transmission, startNs) =>
        this.#out(from, frame, transmission, startNs),
      );
    };
    this.#ends = [new CableEnd(this, lane(0)), new CableEnd(this, lane(1))];
  }

  /** Whether bits put in at one end come out at the other. */
  get passing(): boolean {
    return this.#whole && this.#meeting;
  }

  /** Puts the plug at `end` into the socket of `phy`. Throws a RangeError unless both are free. */
  connect(end: End, phy: MediumListener): void {
    const near = this.#ends[end];
    if (near.listener !== null) throw new RangeError(`end ${end} of the cable is plugged in already`);
    phy.plugged(near);
    near.listener = this.#far(near).lane.listener = phy;
    this.#meet();
    this.#tellBoth();
  }

  /** Pulls the plug at `end` out. What its PHY has sent so far still arrives; what is coming in is lost. */
  unplug(end: End): void {
    const near = this.#ends[end];
    const phy = near.listener;
    if (phy === null) return;
    near.lane.lose(this.#clock.nowNs + this.delayNs);
    this.#far(near).lose(this.#clock.nowNs);
    near.listener = this.#far(near).lane.listener = null;
    near.idle = null;
    this.#meet();
    phy.plugged(null);
    this.#tellBoth();
  }

  /** Cuts the cable through; what is inside goes with it. Frames that are coming in end here and now. */
  cut(): void {
    if (!this.#whole) return;
    this.#whole = false;
    this.#loseAll();
    this.#meet();
    this.#tellBoth();
  }

  repair(): void {
    if (this.#whole) return;
    this.#whole = true;
    this.#meet();
    this.#tellBoth();
  }

  /**
   * Inverts the bits at `positions` of the next frame from `fromEnd` to arrive, counted from the first bit of DA to
   * the last of the FCS. Further calls are for the frames after it.
   */
  flipNext(fromEnd: End, positions: readonly number[]): void {
    this.#ends[fromEnd].lane.flipNext(positions);
  }

  /** Makes the cable signal-accurate from `fromEnd` on: frames pass `path` before bit errors strike. */
  carryThrough(fromEnd: End, path: SignalPath): void {
    this.#ends[fromEnd].lane.signalPath = path;
  }

  /**
   * Puts a box in line for what `fromEnd` sends, or none, in place of one that may be there; what is inside that is lost.
   * Throws a RangeError when `impairments` make no sense.
   */
  impair(fromEnd: End, impairments: Impairments | null): void {
    const near = this.#ends[fromEnd];
    near.box?.empty();
    near.box =
      impairments &&
      new Impairment(
        this.#clock,
        this.#prng.fork(`impairment${fromEnd}`),
        impairments,
        (frame, transmission, startNs) => this.#deliver(fromEnd, frame, transmission, startNs),
      );
  }

  /** The box in line for what `fromEnd` sends, or null. */
  impairment(fromEnd: End): Impairment | null {
    return this.#ends[fromEnd].box;
  }

  /** For {@link CableEnd}: the idle signal of `near` has changed, and perhaps its crossover. */
  signalled(near: CableEnd): void {
    const met = this.#meeting;
    this.#meet();
    if (met !== this.#meeting) {
      if (met) this.#loseAll();
      this.#tellBoth();
      return;
    }
    if (this.passing) this.#far(near).listener!.linkSignal(near.idle);
  }

  save(): CableState {
    const [left, right] = this.#ends;
    return {
      whole: this.#whole,
      meeting: this.#meeting,
      sampleTimer: this.#sampleTimer.save(),
      signals: [left.idle, right.idle],
      lanes: [left.lane.save(), right.lane.save()],
      impairments: [left.box?.save() ?? null, right.box?.save() ?? null],
    };
  }

  /** Restores what is inside. Which sockets the plugs are in, and boxes in line, is topology, and up to the owner. */
  load(state: CableState): void {
    this.#whole = state.whole;
    this.#meeting = state.meeting;
    this.#sampleTimer.load(state.sampleTimer);
    for (const end of [0, 1] as const) {
      this.#ends[end].idle = state.signals[end];
      this.#ends[end].lane.load(state.lanes[end]);
      const box = state.impairments[end];
      if (box !== null) this.#ends[end].box?.load(box);
    }
  }

  #far(near: CableEnd): CableEnd {
    return this.#ends[near === this.#ends[0] ? 1 : 0];
  }

  /** Looks whether the ends meet; if they do not, and one of them can help it, the search goes on. */
  #meet(): void {
    const [left, right] = [this.#ends[0].listener, this.#ends[1].listener];
    const [a, b] = [left?.crossover, right?.crossover];
    const plugged = left !== null && right !== null;
    const fits = !a || !b || (a.crossed !== b.crossed) === (this.#wiring === 'straight');
    this.#meeting = plugged && fits;
    if (!this.#whole || !plugged || fits || !(a.automatic || b.automatic)) this.#sampleTimer.cancel();
    else if (!this.#sampleTimer.armed) this.#sampleTimer.armIn(SAMPLE_NS);
  }

  #sample(): void {
    for (const { listener } of this.#ends) listener!.crossover!.sample();
    this.#meet();
    if (this.#meeting) this.#tellBoth();
  }

  #loseAll(): void {
    for (const end of this.#ends) end.lose(this.#clock.nowNs);
  }

  /** After a change of the cable itself: each PHY hears the other, or silence. */
  #tellBoth(): void {
    for (const near of this.#ends) near.listener?.linkSignal(this.passing ? this.#far(near).idle : null);
  }

  #out(fromEnd: End, frame: Frame | null, transmission: Transmission, startNs: number): void {
    const listener = this.#ends[fromEnd === 0 ? 1 : 0].listener;
    const arrived = listener === null ? null : frame;
    this.onFrame?.(fromEnd, transmission, startNs, arrived);
    const { box } = this.#ends[fromEnd];
    if (arrived === null || box === null) this.#deliver(fromEnd, arrived, transmission, startNs);
    else if (listener!.carrier) box.bypass(arrived, transmission, startNs);
    else box.take(arrived, transmission, startNs);
  }

  #deliver(fromEnd: End, frame: Frame | null, transmission: Transmission, startNs: number): void {
    this.onDelivery?.(fromEnd, transmission, startNs, frame);
    if (frame !== null) this.#ends[fromEnd === 0 ? 1 : 0].listener!.arrived(frame, transmission, startNs);
  }
}

/** One plug, as the PHY behind it sees it, and the lane that leads away from it, with a box at its end or without. */
class CableEnd implements MediumPort {
  readonly lane: Lane;
  box: Impairment | null = null;
  listener: MediumListener | null = null;
  /** What this end sends while idle. */
  idle: LinkSignal | null = null;
  readonly #cable: Cable;

  constructor(cable: Cable, lane: Lane) {
    this.#cable = cable;
    this.lane = lane;
  }

  /** What would come out at the far end at `fromNs`, which is now, and later never does. */
  lose(fromNs: number): void {
    this.lane.lose(fromNs);
    this.box?.empty();
  }

  transmit(transmission: Transmission): void {
    this.lane.send(transmission, this.#cable.passing);
  }

  abort(transmission: Transmission): void {
    this.lane.abort(transmission);
  }

  signal(signal: LinkSignal | null): void {
    this.idle = signal;
    this.#cable.signalled(this);
  }
}
