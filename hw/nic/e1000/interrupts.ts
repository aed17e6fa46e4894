/**
 * Causes, mask, throttle and pin. Causes latch in ICR whether or not they are enabled; the pin is high while an
 * enabled one stands, and ITR keeps successive rises apart. 82540EM manual, sections 13.4.17 to 13.4.21.
 *
 * `update` is the one place that decides the level of the pin, and the only caller of `setInterrupt`.
 */
import type { Timer, TimerState } from '../../sim/clock.ts';
import type { Chip } from './chip.ts';
import { Moderation, type ModerationState } from './moderation.ts';
import { E1000 } from './registers.ts';

const { ICR, ICS, IMC, IMS, ITR, RADV, RDTR, RSRPD, TADV, TIDV } = E1000;

const ITR_UNIT_NS = 256;
/** A rise so long ago that no interval reaches back to it. */
const LONG_AGO_NS = -ITR.INTERVAL * ITR_UNIT_NS;

export interface InterruptsState {
  readonly level: boolean;
  readonly roseNs: number;
  readonly gap: TimerState;
  readonly receive: ModerationState;
  readonly transmit: ModerationState;
}

export class Interrupts {
  /** Before RXT0 for received frames, and before TXDW: descriptors that wait for it are written back now. */
  onReceiveTimer: (() => void) | null = null;
  onTransmitTimer: (() => void) | null = null;
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #gap: Timer;
  readonly #receive: Moderation;
  readonly #transmit: Moderation;
  #level = false;
  #roseNs = LONG_AGO_NS;

  constructor(chip: Chip) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#gap = chip.clock.timer(() => this.update());
    this.#receive = new Moderation(chip.clock, () => this.#raiseReceived(ICR.RXT0));
    this.#transmit = new Moderation(chip.clock, () => {
      this.onTransmitTimer?.();
      this.raise(ICR.TXDW);
    });
  }

  /** Latches the causes `bits`. */
  raise(bits: number): void {
    const words = this.#words;
    words[ICR.n]! |= bits;
    this.#chip.taps?.causes(bits, words[ICR.n]!, words[IMS.n]!);
    this.update();
  }

  /** ICS was written: its causes are raised as the hardware would raise them. */
  raiseFromIcs(): void {
    const bits = this.#words[ICS.n]!;
    this.#words[ICS.n] = 0;
    this.raise(bits);
  }

  /** IMC was written: its bits leave the mask. */
  clearMaskFromImc(): void {
    this.#words[IMS.n]! &= ~this.#words[IMC.n]!;
    this.#words[IMC.n] = 0;
    this.update();
  }

  /** A frame of `lengthBytes` is in memory. Its descriptors may still wait to be written back. */
  received(lengthBytes: number): void {
    const words = this.#words;
    if (lengthBytes <= words[RSRPD.n]!) {
      this.#receive.cancel();
      this.#raiseReceived(ICR.SRPD | ICR.RXT0);
      return;
    }
    const delay = words[RDTR.n]! & RDTR.DELAY;
    if (delay === 0) this.#raiseReceived(ICR.RXT0);
    else this.#receive.delay(delay, words[RADV.n]!);
  }

  /** RDTR.FPD was written: RXT0 now. */
  flushReceive(): void {
    this.#words[RDTR.n]! &= ~RDTR.FPD;
    this.#receive.flush();
  }

  /** A descriptor with RS is done with; `delayed` is its IDE bit. A delay of zero is not allowed: it is none. */
  transmitted(delayed: boolean): void {
    const delay = this.#words[TIDV.n]!;
    if (delayed && delay !== 0) this.#transmit.delay(delay, this.#words[TADV.n]!);
    else this.#transmit.flush();
  }

  reset(): void {
    this.#receive.cancel();
    this.#transmit.cancel();
    this.#roseNs = LONG_AGO_NS;
    this.update();
  }

  /** Brings the pin in line with ICR, IMS and ITR. */
  update(): void {
    const words = this.#words;
    if ((words[ICR.n]! & words[IMS.n]!) === 0) {
      this.#gap.cancel();
      if (this.#level) this.#drive(false);
      return;
    }
    if (this.#level) return;
    const nowNs = this.#chip.clock.nowNs;
    const dueNs = this.#roseNs + words[ITR.n]! * ITR_UNIT_NS;
    if (nowNs < dueNs) {
      this.#gap.armAt(dueNs);
      return;
    }
    this.#gap.cancel();
    this.#roseNs = nowNs;
    this.#drive(true);
  }

  save(): InterruptsState {
    return {
      level: this.#level,
      roseNs: this.#roseNs,
      gap: this.#gap.save(),
      receive: this.#receive.save(),
      transmit: this.#transmit.save(),
    };
  }

  load(state: InterruptsState): void {
    this.#level = state.level;
    this.#roseNs = state.roseNs;
    this.#gap.load(state.gap);
    this.#receive.load(state.receive);
    this.#transmit.load(state.transmit);
  }

  #raiseReceived(causes: number): void {
    this.onReceiveTimer?.();
    this.raise(causes);
  }

  #drive(level: boolean): void {
    this.#level = level;
    this.#chip.pci.setInterrupt(level);
  }
}
