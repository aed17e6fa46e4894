/**
 * The EEPROM as QEMU 7.2 has it: the same 64 words, readable alone, by EERD without delay or through the pins of EECD,
 * which software has without asking.
 */
import type { Chip } from '../chip.ts';
import { E1000 } from '../registers.ts';

const { EECD, EERD, RAH, RAL } = E1000;

/** Bits that a command has: start bit, two of opcode, six of address. */
const COMMAND_BITS = 9;
/** Start bit and opcode of READ. */
const READ = 6;
const WORD_BITS = 16;
/** Where EERD has ADDR, and everything above it counts as address. */
const EERD_ADDRESS_AT = 8;

export interface PinsState {
  readonly eecd: number;
  readonly command: number;
  readonly bitsIn: number;
  readonly bitsOut: number;
  readonly reading: boolean;
}

export class ReadableEeprom {
  readonly #words: Int32Array;
  readonly #contents: Uint16Array;
  /** EECD as it was before the latest write. */
  #eecd = 0;
  #command = 0;
  #bitsIn = 0;
  /** Position of the bit that DO shows, from the first one of word 0 on. */
  #bitsOut = 0;
  #reading = false;

  constructor(chip: Chip, contents: Uint16Array) {
    this.#words = chip.words;
    this.#contents = contents;
    chip.words[RAL.n] = contents[0]! | (contents[1]! << 16);
    chip.words[RAH.n] = RAH.AV | contents[2]!;
  }

  /** What EECD reads. */
  get eecd(): number {
    const { length } = this.#contents;
    const word = this.#contents[(this.#bitsOut >> 4) & (length - 1)]!;
    const out = !this.#reading || ((word >> (WORD_BITS - 1 - (this.#bitsOut & 15))) & 1) !== 0;
    return this.#words[EECD.n]! | EECD.PRES | EECD.GNT | (out ? EECD.DO : 0);
  }

  /** What EERD reads. */
  get eerd(): number {
    const eerd = this.#words[EERD.n]!;
    if ((eerd & EERD.START) === 0) return eerd;
    const word = this.#contents[eerd >>> EERD_ADDRESS_AT] ?? 0;
    return (eerd & ~EERD.START) | EERD.DONE | (word << 16);
  }

  /** EECD was written: the pins moved. */
  eecdWritten(): void {
    const eecd = this.#words[EECD.n]!;
    const changed = eecd ^ this.#eecd;
    this.#eecd = eecd;
    if ((eecd & EECD.CS) === 0) return;
    if ((changed & EECD.CS) !== 0) {
      this.#command = this.#bitsIn = this.#bitsOut = 0;
      this.#reading = false;
    }
    if ((changed & EECD.SK) === 0) return;
    if ((eecd & EECD.SK) === 0) this.#bitsOut += 1;
    else this.#clockIn((eecd & EECD.DI) === 0 ? 0 : 1);
  }

  save(): PinsState {
    return {
      eecd: this.#eecd,
      command: this.#command,
      bitsIn: this.#bitsIn,
      bitsOut: this.#bitsOut,
      reading: this.#reading,
    };
  }

  load(state: PinsState): void {
    this.#eecd = state.eecd;
    this.#command = state.command;
    this.#bitsIn = state.bitsIn;
    this.#bitsOut = state.bitsOut;
    this.#reading = state.reading;
  }

  #clockIn(bit: number): void {
    this.#command = ((this.#command << 1) | bit) & 0xffff;
    this.#bitsIn = (this.#bitsIn + 1) & 0xffff;
    if (this.#bitsIn !== COMMAND_BITS || this.#reading) return;
    this.#bitsOut = (this.#command & 0x3f) * WORD_BITS - 1;
    this.#reading = ((this.#command >> 6) & 7) === READ;
  }
}
