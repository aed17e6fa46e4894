/**
 * The half-duplex side of a MAC: CSMA/CD, the processes TransmitLinkMgmt, BitTransmitter and their kin of clause 4.2.8.
 *
 *   idle        no frame
 *   deferring   waits for the medium; the timer runs while the inter-frame gap does, and rests while carrier holds
 *   sending     the preamble has begun; the timer is due at the last bit
 *   jamming     has collided; finishes preamble and delimiter if it is still in them, then 32 bits of jam
 *   backoff     waits r slots from the end of the jam, whatever the carrier does
 *
 * Carrier comes in as edges from the medium; a collision is carrier while sending. At 1000 Mb/s a short frame is extended
 * to a slot, and frames that follow at once are joined to it by 96 bits of extension: a burst, in which there is no gap.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { PrngState } from '../../sim/prng.ts';
import { Frame, type FrameState } from '../frame.ts';
import { HEADER_BITS, type Phy, type SpeedMbps, type Transmission } from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState } from '../transmission.ts';
import { Arrivals, type ArrivalsState } from './arrivals.ts';
import { Backoff } from './backoff.ts';
import type { MacCounters } from './counters.ts';
import { Deference, type DeferenceState } from './deference.ts';
import type { TransmitOutcome } from './outcome.ts';
import {
  BURST_LIMIT_BITS,
  type CollisionPolicy,
  INTER_FRAME_GAP_BITS,
  JAM_BITS,
  MAX_DEFER_BITS,
  SLOT_BITS,
  type Spacing,
  SQE_TEST_WINDOW_NS,
} from './parameters.ts';
import { Progress, type ProgressState } from './progress.ts';

const NEVER = Number.POSITIVE_INFINITY;

type Phase = 'idle' | 'deferring' | 'sending' | 'jamming' | 'backoff';

/** The MAC around it. */
interface Host {
  /** The frame is done with; the next may be handed over from inside the call. */
  finished(frame: Frame, outcome: TransmitOutcome): void;
  /** The frame cannot go on for want of a link. It begins anew when there is one. */
  park(frame: Frame): void;
}

export interface HalfDuplexState {
  readonly phase: Phase;
  readonly frame: FrameState | null;
  readonly transmission: TransmissionState | null;
  readonly progress: ProgressState;
  readonly burstNs: number;
  readonly burst: boolean;
  readonly arrivals: ArrivalsState;
  readonly deference: DeferenceState;
  readonly prng: PrngState;
  readonly timer: TimerState;
  readonly sqeTimer: TimerState;
}

export class HalfDuplex {
  /** How the frame in hand, or the latest one, has fared. */
  readonly progress = new Progress();
  readonly #clock: Clock;
  readonly #phy: Phy;
  readonly #host: Host;
  readonly #policy: CollisionPolicy;
  readonly #counters: MacCounters;
  readonly #deference: Deference;
  readonly #backoff: Backoff;
  readonly #arrivals: Arrivals;
  readonly #timer: Timer;
  /** Runs out when the SQE test pulse is missing. */
  readonly #sqeTimer: Timer;
  #phase: Phase = 'idle';
  #speed: SpeedMbps = 10;
  #bitNs = 1;
  #frame: Frame | null = null;
  /** The attempt that is on the wire. */
  #transmission: Transmission | null = null;
  /** When the burst began, and whether this frame continues it. */
  #burstNs = 0;
  #burst = false;
  /** The client is being told of a frame behind which a burst may go on. */
  #burstOpen = false;

  constructor(clock: Clock, phy: Phy, host: Host, spacing: Spacing, policy: CollisionPolicy, counters: MacCounters) {
    this.#clock = clock;
    this.#phy = phy;
    this.#host = host;
    this.#policy = policy;
    this.#counters = counters;
    this.#deference = new Deference(spacing);
    this.#backoff = new Backoff(phy.prng.fork('backoff'));
    this.#arrivals = new Arrivals(counters);
    this.#timer = clock.timer(() => this.#due());
    this.#sqeTimer = clock.timer(() => {
      counters.sqeTestErrors += 1;
    });
  }

  get idle(): boolean {
    return this.#frame === null;
  }

  /** Sends `frame` when the medium lets it. There must be a link, and no frame. */
  transmit(frame: Frame): void {
    this.#counters.framesOffered += 1;
    this.#frame = frame;
    this.progress.begin();
    if (this.#burstOpen && this.#clock.nowNs - this.#burstNs < BURST_LIMIT_BITS * this.#bitNs) {
      this.#burstOpen = false;
      this.#burst = true;
      this.#begin(INTER_FRAME_GAP_BITS + HEADER_BITS);
      return;
    }
    this.#closeBurst();
    this.#contend();
  }

  /** Another station's signal begins here. */
  carrierOn(): void {
    const { nowNs } = this.#clock;
    const postponed = this.#deference.carrierOn(nowNs);
    if (this.#phase === 'sending') {
      if (nowNs < this.#transmission!.endNs) this.#collide();
    } else if (postponed && this.#phase === 'deferring') {
      this.#timer.cancel();
    }
  }

  carrierOff(): void {
    const { nowNs } = this.#clock;
    this.#deference.carrierOff(nowNs);
    if (this.#phase !== 'deferring' || this.#timer.armed) return;
    const clearNs = this.#deference.clearAt(nowNs);
    if (clearNs !== NEVER) this.#timer.armAt(clearNs);
  }

  /** The transceiver says so, though there is no carrier. */
  collision(): void {
    if (this.#phase === 'sending') this.#collide();
  }

  /** The SQE test pulse. */
  signalQuality(): void {
    this.#sqeTimer.cancel();
  }

  /** Whether an arrival that ends now is for the client, and not the remains of a collision. */
  accepts(startNs: number): boolean {
    return this.#arrivals.accept(startNs, this.#clock.nowNs, this.#speed === 1000);
  }

  /** The link has changed. A frame on the wire goes on; one that waits is taken back with `release`. */
  linkChanged(up: boolean, speed: SpeedMbps, bitNs: number): void {
    if (!up && this.#phase === 'sending') this.progress.carrierLost = true;
    if (!up) return;
    this.#speed = speed;
    this.#bitNs = bitNs;
    this.#deference.linkChanged(bitNs);
  }

  /** Takes back a frame that is not on the wire, its collisions forgotten; null if there is none. */
  release(): Frame | null {
    if (this.#phase !== 'deferring' && this.#phase !== 'backoff') return null;
    this.#timer.cancel();
    this.#counters.framesOffered -= 1;
    return this.#takeFrame();
  }

  /** Forgets the frame; what is on the wire is cut off where it is. */
  reset(): void {
    const cut = this.#transmission;
    if (cut !== null) {
      cut.aborted = true;
      cut.endNs = this.#clock.nowNs;
      this.#transmission = null;
      this.#phy.abort(cut);
      this.#deference.transmitEnds(cut.endNs);
    }
    this.#timer.cancel();
    if (this.#frame === null) return;
    this.#counters.framesOffered -= 1;
    this.#takeFrame();
  }

  save(): HalfDuplexState {
    return {
      phase: this.#phase,
      frame: this.#frame?.save() ?? null,
      transmission: this.#transmission === null ? null : saveTransmission(this.#transmission),
      progress: this.progress.save(),
      burstNs: this.#burstNs,
      burst: this.#burst,
      arrivals: this.#arrivals.save(),
      deference: this.#deference.save(),
      prng: this.#backoff.save(),
      timer: this.#timer.save(),
      sqeTimer: this.#sqeTimer.save(),
    };
  }

  load(state: HalfDuplexState, speed: SpeedMbps, bitNs: number): void {
    this.#phase = state.phase;
    this.#speed = speed;
    this.#bitNs = this.#deference.bitNs = bitNs;
    this.#frame = state.frame === null ? null : Frame.load(state.frame);
    this.#transmission = state.transmission === null ? null : loadTransmission(state.transmission);
    this.progress.load(state.progress);
    this.#burstNs = state.burstNs;
    this.#burst = state.burst;
    this.#arrivals.load(state.arrivals);
    this.#deference.load(state.deference);
    this.#backoff.load(state.prng);
    this.#timer.load(state.timer);
    this.#sqeTimer.load(state.sqeTimer);
  }

  #due(): void {
    switch (this.#phase) {
      case 'deferring':
        if (this.progress.endWait(this.#clock.nowNs, MAX_DEFER_BITS[this.#speed] * this.#bitNs)) {
          this.#counters.excessiveDeferrals += 1;
        }
        this.#begin(HEADER_BITS);
        break;
      case 'backoff':
        this.#contend();
        break;
      case 'sending':
        this.#sent();
        break;
      case 'jamming':
        this.#jammed();
        break;
    }
  }

  /** Sends at once if the medium is free, or waits for it. */
  #contend(): void {
    const { nowNs } = this.#clock;
    const clearNs = this.#deference.clearAt(nowNs);
    if (clearNs === nowNs) {
      this.#begin(HEADER_BITS);
      return;
    }
    this.#phase = 'deferring';
    this.progress.wait(nowNs);
    if (clearNs !== NEVER) this.#timer.armAt(clearNs);
  }

  /** The first bit leaves now: preamble, or the extension that joins the frame to the one before. */
  #begin(headBits: number): void {
    const frame = this.#frame!;
    const startNs = this.#clock.nowNs;
    const bitNs = this.#bitNs;
    let bits = 8 * frame.wireBytes;
    if (headBits === HEADER_BITS) {
      this.#burstNs = startNs;
      this.#burst = false;
      if (this.#speed === 1000) bits = Math.max(bits, SLOT_BITS[1000]);
    }
    const endNs = startNs + (headBits + bits) * bitNs;
    const transmission = { frame, bitNs, startNs, headBits, endNs, aborted: false, jamNs: NEVER };
    this.#transmission = transmission;
    this.#counters.attempts += 1;
    this.progress.carrierLost = false;
    this.#phase = 'sending';
    this.#deference.transmitBegins();
    this.#timer.armAt(endNs);
    this.#phy.transmit(transmission);
    if (this.#deference.carrier && this.#transmission === transmission && !transmission.aborted) this.#collide();
  }

  /** Carrier while sending. Preamble and delimiter are always completed, and jam begins at the end of a bit. */
  #collide(): void {
    const transmission = this.#transmission!;
    const { startNs, headBits, bitNs } = transmission;
    const sentNs = this.#clock.nowNs - startNs;
    const late = this.#burst || sentNs > SLOT_BITS[this.#speed] * bitNs;
    transmission.jamNs = startNs + Math.max(headBits, Math.ceil(sentNs / bitNs)) * bitNs;
    transmission.endNs = transmission.jamNs + JAM_BITS * bitNs;
    transmission.aborted = true;
    this.#arrivals.collided(startNs, transmission.endNs);
    this.#phase = 'jamming';
    this.#counters.collisions += 1;
    if (late) this.#counters.lateCollisions += 1;
    this.progress.collided(late);
    this.#timer.armAt(transmission.endNs);
    this.#phy.abort(transmission);
  }

  #jammed(): void {
    this.#transmission = null;
    this.#deference.transmitEnds(this.#clock.nowNs);
    this.#awaitSignalQuality();
    const { attemptLimit, retriesLate } = this.#policy;
    if (this.progress.late && (!retriesLate || this.#speed === 1000)) {
      this.#counters.lateAborted += 1;
      this.#host.finished(this.#takeFrame(), 'late-collision');
    } else if (this.progress.collisions >= attemptLimit) {
      this.#counters.excessiveCollisions += 1;
      this.#host.finished(this.#takeFrame(), 'excessive-collisions');
    } else if (!this.#phy.link.up) {
      this.#counters.framesOffered -= 1;
      this.#host.park(this.#takeFrame());
    } else {
      this.#backOff();
    }
  }

  #backOff(): void {
    const slots = this.#backoff.draw(this.progress.collisions);
    this.#phase = 'backoff';
    if (slots === 0) this.#contend();
    else this.#timer.armIn(slots * SLOT_BITS[this.#speed] * this.#bitNs);
  }

  #sent(): void {
    const counters = this.#counters;
    this.#transmission = null;
    this.#awaitSignalQuality();
    counters.sent(this.progress.collisions);
    if (this.progress.deferred && this.progress.collisions === 0) counters.deferredTransmissions += 1;
    if (this.progress.carrierLost) counters.carrierSenseErrors += 1;
    if (this.#speed === 1000) this.#burstOpen = true;
    else this.#deference.transmitEnds(this.#clock.nowNs);
    this.#host.finished(this.#takeFrame(), 'sent');
    this.#closeBurst();
  }

  /** The client had no frame to go on with, or the burst is long enough. */
  #closeBurst(): void {
    if (!this.#burstOpen) return;
    this.#burstOpen = false;
    this.#deference.transmitEnds(this.#clock.nowNs);
  }

  #awaitSignalQuality(): void {
    if (this.#policy.expectsSqeTest && this.#speed === 10) this.#sqeTimer.armIn(SQE_TEST_WINDOW_NS);
  }

  #takeFrame(): Frame {
    const frame = this.#frame!;
    this.#frame = null;
    this.#phase = 'idle';
    return frame;
  }
}
