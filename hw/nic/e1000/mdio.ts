/**
 * MDIC: the management interface to the PHY. A transaction is 64 bits at 1 MHz; until it is over, R reads zero. The
 * PHY answers at address 1; elsewhere nobody does, which reads as all ones, with E. 82540EM manual, section 13.4.7.
 */
import type { Timer, TimerState } from '../../sim/clock.ts';
import type { Chip } from './chip.ts';
import type { Interrupts } from './interrupts.ts';
import { E1000 } from './registers.ts';

const { ICR, MDIC } = E1000;

const TRANSACTION_NS = 64_000;
const PHY_ADDRESS = 1;
const OP_WRITE = 1;
const OP_READ = 2;

/** The registers of a PHY, IEEE 802.3 clause 22. */
export interface PhyRegisters {
  readRegister(register: number): number;
  writeRegister(register: number, value: number): void;
}

export class Mdio {
  readonly #words: Int32Array;
  readonly #interrupts: Interrupts;
  readonly #phy: PhyRegisters;
  readonly #transaction: Timer;

  constructor(chip: Chip, interrupts: Interrupts, phy: PhyRegisters) {
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#phy = phy;
    this.#transaction = chip.clock.timer(() => this.#done());
  }

  /** MDIC was written: a transaction begins. One that was under way is lost, as on the wire. */
  written(): void {
    this.#words[MDIC.n]! &= ~(MDIC.R | MDIC.E);
    this.#transaction.armIn(TRANSACTION_NS);
  }

  reset(): void {
    this.#transaction.cancel();
  }

  save(): TimerState {
    return this.#transaction.save();
  }

  load(state: TimerState): void {
    this.#transaction.load(state);
  }

  #done(): void {
    const mdic = this.#words[MDIC.n]!;
    const register = (mdic & MDIC.REGADD) >>> 16;
    const op = (mdic & MDIC.OP) >>> 26;
    let result = mdic | MDIC.R;
    if ((mdic & MDIC.PHYADD) >>> 21 !== PHY_ADDRESS || (op !== OP_READ && op !== OP_WRITE)) {
      result |= MDIC.E | (op === OP_READ ? MDIC.DATA : 0);
    } else if (op === OP_READ) {
      result = (result & ~MDIC.DATA) | (this.#phy.readRegister(register) & MDIC.DATA);
    } else {
      this.#phy.writeRegister(register, mdic & MDIC.DATA);
    }
    this.#words[MDIC.n] = result;
    if ((mdic & MDIC.I) !== 0) this.#interrupts.raise(ICR.MDAC);
  }
}
