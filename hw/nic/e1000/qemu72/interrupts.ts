/**
 * Causes, mask and pin as QEMU 7.2 has them. Each rise of the pin opens a window in which it does not rise again, 128 us
 * long at the least. ITR, and RADV and TADV where they concern what is pending, are nothing but lengths of that window;
 * the shortest of those that are set counts. There are no delay timers.
 */
import type { Timer, TimerState } from '../../../sim/clock.ts';
import type { Chip } from '../chip.ts';
import { E1000 } from '../registers.ts';

const { ICR, ICS, IMC, IMS, ITR, RADV, RDTR, TADV } = E1000;

const WINDOW_UNIT_NS = 256;
const LEAST_WINDOW_UNITS = 500;
/** RADV and TADV count 1.024 us. */
const UNITS_PER_DELAY = 4;

export interface WindowedInterruptsState {
  readonly level: boolean;
  readonly delayed: boolean;
  readonly window: TimerState;
}

export class WindowedInterrupts {
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #window: Timer;
  #level = false;
  /** A descriptor with IDE was seen since the latest rise. */
  #delayed = false;

  constructor(chip: Chip) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#window = chip.clock.timer(() => this.update());
  }

  /** Latches the causes `bits`. */
  raise(bits: number): void {
    const words = this.#words;
    words[ICR.n]! |= bits;
    this.#chip.taps?.causes(bits, words[ICR.n]!, words[IMS.n]!);
    this.update();
  }

  /** ICS was written. */
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

  /** A transmit descriptor with IDE went by. */
  noteDelay(): void {
    this.#delayed = true;
  }

  /** Brings the pin in line with ICR and IMS. */
  update(): void {
    const words = this.#words;
    const pending = words[ICR.n]! & words[IMS.n]!;
    if (pending !== 0 && !this.#level) {
      if (this.#window.armed) return;
      this.#window.armIn(this.#windowUnits(pending) * WINDOW_UNIT_NS);
      this.#delayed = false;
    }
    this.#level = pending !== 0;
    this.#chip.pci.setInterrupt(this.#level);
  }

  save(): WindowedInterruptsState {
    return { level: this.#level, delayed: this.#delayed, window: this.#window.save() };
  }

  load(state: WindowedInterruptsState): void {
    this.#level = state.level;
    this.#delayed = state.delayed;
    this.#window.load(state.window);
  }

  #windowUnits(pending: number): number {
    const words = this.#words;
    const transmit = this.#delayed && (pending & (ICR.TXDW | ICR.TXQE)) !== 0 ? words[TADV.n]! : 0;
    const receive = words[RDTR.n] !== 0 && (pending & ICR.RXT0) !== 0 ? words[RADV.n]! : 0;
    const units = shorter(words[ITR.n]!, shorter(UNITS_PER_DELAY * transmit, UNITS_PER_DELAY * receive));
    return Math.max(units, LEAST_WINDOW_UNITS);
  }
}

/** The shorter of two delays, where 0 is none. */
const shorter = (a: number, b: number): number => (a === 0 || b === 0 ? a + b : Math.min(a, b));
