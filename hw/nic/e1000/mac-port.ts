/**
 * Where frames leave the chip: the MAC, or with RCTL.LBM = 01 the way back from its transmit side to its receive side,
 * which is as fast as a gigabit wire and needs neither PHY nor link. 82540EM manual, section 13.4.22.
 *
 * In half duplex software sets how the MAC deals with others: TCTL.CT and RTLC say when it gives a frame up, TIPG and AIT
 * which gaps it keeps. What they hold when a frame is handed over counts for that frame, and for the gap behind it.
 */

import { Frame, type FrameState } from '../../ethernet/frame.ts';
import { INTER_FRAME_GAP_BITS, type Mac, type MacState, type TransmitOutcome } from '../../ethernet/mac/mac.ts';
import type { M88E1011 } from '../../ethernet/phy/phy.ts';
import { HEADER_BITS } from '../../ethernet/ports.ts';
import type { Timer, TimerState } from '../../sim/clock.ts';
import type { Chip } from './chip.ts';
import { E1000 } from './registers.ts';

const { AIT, CTRL, RCTL, STATUS, TCTL, TIPG } = E1000;

const LBM_MAC = 0x40;
/** Gigabit: a nanosecond a bit. */
const LOOP_BIT_NS = 1;
/** Bits in a clock of the MAC, at any speed: 8, 80 or 800 ns. */
const CLOCK_BITS = 8;
/** Clocks that the MAC takes beside what TIPG says, 13.4.34. */
const IPGT_CLOCKS = 4;
const IPGR2_CLOCKS = 6;

/** How a frame fared in half duplex. */
export interface Contention {
  /** Collisions that it met, late ones included. */
  readonly collisions: number;
  readonly lateCollisions: number;
  /** It had to wait before its first attempt. */
  readonly deferred: boolean;
}

export interface MacPortState {
  readonly mac: MacState;
  readonly looping: FrameState | null;
  readonly timer: TimerState;
}

export class MacPort {
  /** The frame has left. */
  onTransmitted: ((frame: Frame, outcome: TransmitOutcome) => void) | null = null;
  /** The frame has come back. */
  onLooped: ((frame: Frame) => void) | null = null;
  readonly #words: Int32Array;
  readonly #mac: Mac;
  readonly #phy: M88E1011;
  readonly #timer: Timer;
  #looping: Frame | null = null;
  /** What CTRL forces: it is with the MAC. */
  #forcedDuplex: 'full' | 'half' | null = null;

  constructor(chip: Chip, mac: Mac, phy: M88E1011) {
    this.#words = chip.words;
    this.#mac = mac;
    this.#phy = phy;
    this.#timer = chip.clock.timer(() => this.#looped());
  }

  /** Whether RCTL turns the transmit side back. What then arrives from the wire is lost. */
  get loopback(): boolean {
    return (this.#words[RCTL.n]! & RCTL.LBM) === LBM_MAC;
  }

  /** Whether frames can leave at all. */
  get open(): boolean {
    return (this.#words[STATUS.n]! & STATUS.LU) !== 0 || this.loopback;
  }

  get idle(): boolean {
    return this.#looping === null && this.#mac.idle;
  }

  /** Whether the MAC works in half duplex. */
  get halfDuplex(): boolean {
    return this.#mac.halfDuplex;
  }

  /** Whether the MAC saw carrier all the while that it sent that frame, as it should in half duplex. */
  get ownCarrier(): boolean {
    return this.#phy.echoesCarrier && !this.#mac.carrierLost;
  }

  /** How the frame fared that `onTransmitted` tells of. */
  get contention(): Contention {
    return this.#mac;
  }

  /** Takes the duplex over from CTRL, if that forces one; else it is the link's. */
  adoptDuplex(): void {
    const ctrl = this.#words[CTRL.n]!;
    const full = (ctrl & CTRL.FD) !== 0 ? 'full' : 'half';
    const forced = (ctrl & CTRL.FRCDPLX) === 0 ? null : full;
    if (forced === this.#forcedDuplex) return;
    this.#forcedDuplex = forced;
    this.#mac.forceDuplex(forced);
  }

  /** Sends `frame`. The port must be idle. */
  transmit(frame: Frame): void {
    if (!this.loopback) {
      if (this.#mac.halfDuplex) this.#configure();
      this.#mac.transmit(frame);
      return;
    }
    this.#looping = frame;
    this.#timer.armIn((INTER_FRAME_GAP_BITS + HEADER_BITS + 8 * frame.wireBytes) * LOOP_BIT_NS);
  }

  reset(): void {
    this.#mac.reset();
    this.#timer.cancel();
    this.#looping = null;
  }

  save(): MacPortState {
    return { mac: this.#mac.save(), looping: this.#looping?.save() ?? null, timer: this.#timer.save() };
  }

  load(state: MacPortState): void {
    this.#mac.load(state.mac);
    this.#forcedDuplex = state.mac.forcedDuplex;
    this.#looping = state.looping === null ? null : Frame.load(state.looping);
    this.#timer.load(state.timer);
  }

  /** CT counts retransmissions, and the policy attempts. */
  #configure(): void {
    const words = this.#words;
    const tctl = words[TCTL.n]!;
    const tipg = words[TIPG.n]!;
    const { policy, spacing } = this.#mac;
    policy.attemptLimit = ((tctl & TCTL.CT) >>> 4) + 1;
    policy.retriesLate = (tctl & TCTL.RTLC) !== 0;
    spacing.backToBackBits = ((tipg & TIPG.IPGT) + IPGT_CLOCKS + (words[AIT.n]! & AIT.AIFS)) * CLOCK_BITS;
    spacing.part1Bits = ((tipg & TIPG.IPGR1) >>> 10) * CLOCK_BITS;
    spacing.wholeBits = Math.max(((tipg & TIPG.IPGR2) >>> 20) + IPGR2_CLOCKS, (tipg & TIPG.IPGR1) >>> 10) * CLOCK_BITS;
  }

  #looped(): void {
    const frame = this.#looping!;
    this.#looping = null;
    this.onLooped?.(frame);
    this.onTransmitted?.(frame, 'sent');
  }
}
