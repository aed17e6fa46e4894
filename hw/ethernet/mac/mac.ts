/**
 * The medium access controller, IEEE 802.3 clause 4: frames one at a time, each behind its preamble and start-of-frame
 * delimiter, 96 bit times apart.
 *
 * The client (a NIC, a switch port, a bare station) hands a frame over and is told when its last bit has left. From
 * inside that call it may hand over the next.
 *
 * Full duplex is in this file. The inter-frame gap is arithmetic, the new transmission simply starts ahead of now, so a
 * frame costs one event and one object here, whatever its length. The frame that is being sent always completes for the
 * client, even if the link breaks under it: a MAC in full duplex does not listen to its own frame.
 *
 * Half duplex is in `half-duplex.ts`: there a frame waits for the medium, may collide, and may be given up. Which of
 * the two it is follows the link, unless the device forces it.
 *
 * A frame handed over while the link is down waits for the link.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import { Frame, type FrameState } from '../frame.ts';
import { BIT_NS, type Phy, type PhyListener, type Transmission } from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState, transmissionOf } from '../transmission.ts';
import { MacCounters, type MacCountersState } from './counters.ts';
import { HalfDuplex, type HalfDuplexState } from './half-duplex.ts';
import type { TransmitOutcome } from './outcome.ts';
import { CollisionPolicy, Spacing } from './parameters.ts';

export type { TransmitOutcome } from './outcome.ts';
export { INTER_FRAME_GAP_BITS } from './parameters.ts';

/** What a MAC tells the device that it belongs to. */
export interface MacClient {
  /**
   * The last bit of `frame` is on the wire, or the MAC gave it up. The MAC is idle: the next may follow at once. Until
   * then the MAC's `collisions`, `lateCollisions`, `deferred` and `excessivelyDeferred` are those of `frame`.
   */
  transmitted(frame: Frame, outcome: TransmitOutcome): void;
  /** A frame, good or bad, has come in to its last bit; its first preamble bit did at `startNs`. */
  received(frame: Frame, startNs: number, bitNs: number): void;
  /** `phy.link` has changed. A frame that waited for the link is on its way already. */
  linkChanged(): void;
}

export interface MacState {
  readonly sending: TransmissionState | null;
  readonly waiting: FrameState | null;
  readonly freeNs: number;
  readonly timer: TimerState;
  readonly forcedDuplex: 'full' | 'half' | null;
  readonly half: HalfDuplexState;
  readonly counters: MacCountersState;
}

export class Mac implements PhyListener {
  /** The gaps that this MAC keeps. */
  readonly spacing = new Spacing();
  /** What it does about collisions. */
  readonly policy = new CollisionPolicy();
  readonly counters = new MacCounters();
  readonly #clock: Clock;
  readonly #phy: Phy;
  readonly #client: MacClient;
  readonly #half: HalfDuplex;
  /** Full duplex: due when the last bit of `#sending` leaves. */
  readonly #timer: Timer;
  #bitNs: number;
  #halfDuplex = false;
  #forcedDuplex: 'full' | 'half' | null = null;
  #sending: Transmission | null = null;
  /** A frame without a link. */
  #waiting: Frame | null = null;
  /** When the gap after the latest own frame in full duplex is over. */
  #freeNs = 0;

  /** A MAC on `phy`, whose listener it becomes. */
  constructor(clock: Clock, phy: Phy, client: MacClient) {
    this.#clock = clock;
    this.#phy = phy;
    this.#client = client;
    this.#timer = clock.timer(() => this.#sent());
    this.#half = new HalfDuplex(
      clock,
      phy,
      { finished: (frame, outcome) => this.#client.transmitted(frame, outcome), park: frame => this.#resume(frame) },
      this.spacing,
      this.policy,
      this.counters,
    );
    this.#bitNs = BIT_NS[phy.link.speed];
    phy.listener = this;
    this.#adoptLink();
  }

  /** Whether a frame may be handed over. */
  get idle(): boolean {
    return this.#sending === null && this.#waiting === null && this.#half.idle;
  }

  /** Whether a frame handed over now would start, once gap and medium allow. */
  get canTransmit(): boolean {
    return this.idle && this.#phy.link.up;
  }

  /** Whether the MAC works in half duplex: it listens before it sends, and while it does. */
  get halfDuplex(): boolean {
    return this.#halfDuplex;
  }

  /** Collisions that the frame in hand, or the latest one, has met; late ones included. */
  get collisions(): number {
    return this.#halfDuplex ? this.#half.progress.collisions : 0;
  }

  /** Those of {@link collisions} that came after the slot time. */
  get lateCollisions(): number {
    return this.#halfDuplex ? this.#half.progress.lateCollisions : 0;
  }

  /** Whether that frame's first attempt had to wait. */
  get deferred(): boolean {
    return this.#halfDuplex && this.#half.progress.deferred;
  }

  /** Whether that frame waited longer than maxDeferTime. */
  get excessivelyDeferred(): boolean {
    return this.#halfDuplex && this.#half.progress.excessivelyDeferred;
  }

  /** Whether the link went away during that frame's latest attempt. */
  get carrierLost(): boolean {
    return this.#halfDuplex && this.#half.progress.carrierLost;
  }

  /** Full or half duplex whatever the link says; null to follow the link. */
  forceDuplex(duplex: 'full' | 'half' | null): void {
    this.#forcedDuplex = duplex;
    this.#adoptLink();
  }

  /** Sends `frame` as soon as gap, medium and link allow. The MAC must be idle. */
  transmit(frame: Frame): void {
    assert(this.idle, 'frame handed to a MAC that has one');
    this.#resume(frame);
  }

  /** Back to idle without a word to the client. A frame on the wire is cut off where it is. */
  reset(): void {
    this.#waiting = null;
    this.#half.reset();
    const cut = this.#sending;
    if (cut === null) return;
    this.#sending = null;
    this.#timer.cancel();
    cut.aborted = true;
    cut.endNs = Math.max(cut.startNs, this.#clock.nowNs);
    this.#freeNs = cut.endNs + this.spacing.backToBackBits * cut.bitNs;
    this.#phy.abort(cut);
  }

  // From the PHY.

  received(frame: Frame, startNs: number, bitNs: number): void {
    if (this.#halfDuplex && !this.#half.accepts(startNs)) return;
    this.#client.received(frame, startNs, bitNs);
  }

  carrierOn(): void {
    if (this.#halfDuplex) this.#half.carrierOn();
  }

  carrierOff(): void {
    if (this.#halfDuplex) this.#half.carrierOff();
  }

  collision(): void {
    if (this.#halfDuplex) this.#half.collision();
  }

  signalQuality(): void {
    this.#half.signalQuality();
  }

  linkChanged(): void {
    this.#adoptLink();
    this.#client.linkChanged();
  }

  save(): MacState {
    return {
      sending: this.#sending === null ? null : saveTransmission(this.#sending),
      waiting: this.#waiting === null ? null : this.#waiting.save(),
      freeNs: this.#freeNs,
      timer: this.#timer.save(),
      forcedDuplex: this.#forcedDuplex,
      half: this.#half.save(),
      counters: this.counters.save(),
    };
  }

  /** To be called after the PHY's own load. */
  load(state: MacState): void {
    const { speed, fullDuplex } = this.#phy.link;
    this.#sending = state.sending === null ? null : loadTransmission(state.sending);
    this.#waiting = state.waiting === null ? null : Frame.load(state.waiting);
    this.#freeNs = state.freeNs;
    this.#bitNs = BIT_NS[speed];
    this.#timer.load(state.timer);
    this.#forcedDuplex = state.forcedDuplex;
    this.#halfDuplex = this.#forcedDuplex === null ? !fullDuplex : this.#forcedDuplex === 'half';
    this.#half.load(state.half, speed, this.#bitNs);
    this.counters.load(state.counters);
  }

  /** Takes over speed and duplex; a frame that waits goes on as they now are. */
  #adoptLink(): void {
    const { up, speed, fullDuplex } = this.#phy.link;
    this.#bitNs = BIT_NS[speed];
    this.#halfDuplex = this.#forcedDuplex === null ? !fullDuplex : this.#forcedDuplex === 'half';
    this.#half.linkChanged(up, speed, this.#bitNs);
    const frame = this.#half.release() ?? this.#waiting;
    this.#waiting = null;
    if (frame !== null) this.#resume(frame);
  }

  #resume(frame: Frame): void {
    if (!this.#phy.link.up) this.#waiting = frame;
    else if (this.#halfDuplex) this.#half.transmit(frame);
    else this.#start(frame);
  }

  #start(frame: Frame): void {
    const transmission = transmissionOf(frame, this.#bitNs, Math.max(this.#clock.nowNs, this.#freeNs));
    this.#sending = transmission;
    this.#freeNs = transmission.endNs + this.spacing.backToBackBits * this.#bitNs;
    this.#phy.transmit(transmission);
    this.#timer.armAt(transmission.endNs);
  }

  #sent(): void {
    const { frame } = this.#sending!;
    this.#sending = null;
    this.counters.sentInFullDuplex();
    this.#client.transmitted(frame, 'sent');
  }
}
