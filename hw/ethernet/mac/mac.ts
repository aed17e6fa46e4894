/**
 * The medium access controller, IEEE 802.3 clause 4, full duplex: frames one at a time, each behind its preamble and
 * start-of-frame delimiter, 96 bit times apart.
 *
 * The client (a NIC, a switch port, a bare station) hands a frame over and is told when its last bit has left. From
 * inside that call it may hand over the next: the inter-frame gap is arithmetic, the new transmission simply starts
 * ahead of now. So a frame costs one event and one object here, whatever its length.
 *
 * The frame that is being sent always completes for the client, even if the link breaks under it: a MAC in full duplex
 * does not listen to its own frame. A frame handed over while the link is down waits for the link.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import { Frame, type FrameState } from '../frame.ts';
import { BIT_NS, type Phy, type PhyListener, type Transmission } from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState, transmissionOf } from '../transmission.ts';

/** Least silence between two frames of one sender, in bits, Table 4-2. */
export const INTER_FRAME_GAP_BITS = 96;

/** How a transmission ended. Only half duplex knows more than the first. */
export type TransmitOutcome = 'sent' | 'excessive-collisions' | 'late-collision';

/** What a MAC tells the device that it belongs to. */
export interface MacClient {
  /** The last bit of `frame` is on the wire, or the MAC gave it up. The MAC is idle: the next may follow at once. */
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
}

export class Mac implements PhyListener {
  readonly #clock: Clock;
  readonly #phy: Phy;
  readonly #client: MacClient;
  /** Due when the last bit of `#sending` leaves. */
  readonly #timer: Timer;
  #bitNs: number;
  #sending: Transmission | null = null;
  #waiting: Frame | null = null;
  /** When the gap after the latest own frame is over. */
  #freeNs = 0;

  /** A MAC on `phy`, whose listener it becomes. */
  constructor(clock: Clock, phy: Phy, client: MacClient) {
    this.#clock = clock;
    this.#phy = phy;
    this.#client = client;
    this.#timer = clock.timer(() => this.#sent());
    this.#bitNs = BIT_NS[phy.link.speed];
    phy.listener = this;
  }

  /** Whether a frame may be handed over. */
  get idle(): boolean {
    return this.#sending === null && this.#waiting === null;
  }

  /** Whether a frame handed over now would start, after the inter-frame gap at the latest. */
  get canTransmit(): boolean {
    return this.idle && this.#phy.link.up;
  }

  /** Sends `frame` as soon as gap and link allow. The MAC must be idle. */
  transmit(frame: Frame): void {
    assert(this.idle, 'frame handed to a MAC that has one');
    if (this.#phy.link.up) this.#start(frame);
    else this.#waiting = frame;
  }

  /** Back to idle without a word to the client. A frame on the wire is cut off where it is. */
  reset(): void {
    this.#waiting = null;
    const cut = this.#sending;
    if (cut === null) return;
    this.#sending = null;
    this.#timer.cancel();
    cut.aborted = true;
    cut.endNs = Math.max(cut.startNs, this.#clock.nowNs);
    this.#freeNs = cut.endNs + INTER_FRAME_GAP_BITS * cut.bitNs;
    this.#phy.abort(cut);
  }

  // From the PHY.

  received(frame: Frame, startNs: number, bitNs: number): void {
    this.#client.received(frame, startNs, bitNs);
  }

  linkChanged(): void {
    this.#bitNs = BIT_NS[this.#phy.link.speed];
    const frame = this.#waiting;
    if (frame !== null && this.#phy.link.up) {
      this.#waiting = null;
      this.#start(frame);
    }
    this.#client.linkChanged();
  }

  save(): MacState {
    return {
      sending: this.#sending === null ? null : saveTransmission(this.#sending),
      waiting: this.#waiting === null ? null : this.#waiting.save(),
      freeNs: this.#freeNs,
      timer: this.#timer.save(),
    };
  }

  /** To be called after the PHY's own load. */
  load(state: MacState): void {
    this.#sending = state.sending === null ? null : loadTransmission(state.sending);
    this.#waiting = state.waiting === null ? null : Frame.load(state.waiting);
    this.#freeNs = state.freeNs;
    this.#bitNs = BIT_NS[this.#phy.link.speed];
    this.#timer.load(state.timer);
  }

  #start(frame: Frame): void {
    const transmission = transmissionOf(frame, this.#bitNs, Math.max(this.#clock.nowNs, this.#freeNs));
    this.#sending = transmission;
    this.#freeNs = transmission.endNs + INTER_FRAME_GAP_BITS * this.#bitNs;
    this.#phy.transmit(transmission);
    this.#timer.armAt(transmission.endNs);
  }

  #sent(): void {
    const { frame } = this.#sending!;
    this.#sending = null;
    this.#client.transmitted(frame, 'sent');
  }
}
