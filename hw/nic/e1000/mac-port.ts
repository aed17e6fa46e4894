/**
 * Where frames leave the chip: the MAC, or with RCTL.LBM = 01 the way back from its transmit side to its receive side,
 * which is as fast as a gigabit wire and needs neither PHY nor link. 82540EM manual, section 13.4.22.
 */

import { Frame, type FrameState } from '../../ethernet/frame.ts';
import { INTER_FRAME_GAP_BITS, type Mac, type MacState, type TransmitOutcome } from '../../ethernet/mac/mac.ts';
import { HEADER_BITS } from '../../ethernet/ports.ts';
import type { Timer, TimerState } from '../../sim/clock.ts';
import type { Chip } from './chip.ts';
import { E1000 } from './registers.ts';

const { RCTL, STATUS } = E1000;

const LBM_MAC = 0x40;
/** Gigabit: a nanosecond a bit. */
const LOOP_BIT_NS = 1;

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
  readonly #timer: Timer;
  #looping: Frame | null = null;

  constructor(chip: Chip, mac: Mac) {
    this.#words = chip.words;
    this.#mac = mac;
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

  /** Sends `frame`. The port must be idle. */
  transmit(frame: Frame): void {
    if (!this.loopback) {
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
    this.#looping = state.looping === null ? null : Frame.load(state.looping);
    this.#timer.load(state.timer);
  }

  #looped(): void {
    const frame = this.#looping!;
    this.#looping = null;
    this.onLooped?.(frame);
    this.onTransmitted?.(frame, 'sent');
  }
}
