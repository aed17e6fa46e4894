/**
 * The EEPROM of 64 words: its contents, the EERD read path, and the microwire pins behind EECD. 82540EM manual,
 * chapter 5 and sections 13.4.3 and 13.4.4; the serial protocol is that of a 93C46.
 *
 * The hardware looks at the signature in word 0Ah alone. The checksum, word 3Fh, is for software: words 00h to 3Fh add
 * up to BABAh.
 */
import type { Timer, TimerState } from '../../sim/clock.ts';
import type { Chip } from './chip.ts';
import { Microwire, type MicrowireState } from './microwire.ts';
import { E1000 } from './registers.ts';

const { CTRL, EECD, EERD, RAH, RAL } = E1000;

const EEPROM_WORDS = 64;
/** What words 00h to 3Fh add up to, modulo 2**16. */
const EEPROM_SUM = 0xbaba;

/** Word addresses. */
const EEPROM_AT = { MAC: 0x00, INIT_CONTROL_1: 0x0a, INIT_CONTROL_3: 0x24, CHECKSUM: 0x3f } as const;
/** Bits of Initialization Control Word 1. */
const SIGNATURE_MASK = 0xc000;
const SIGNATURE = 0x4000;
const INIT_1 = { FRCSPD: 0x0800, FD: 0x0400 } as const;
/** Bits of Initialization Control Word 3. */
const INIT_3 = { APM: 0x0400 } as const;

/** One word through the serial interface: 9 command bits and 16 data bits at about 1 MHz. */
const READ_NS = 25_000;

/** Words 03h to 3Eh of a desktop adapter. */
// biome-ignore format: eight words a line, as manuals print them
const CONTENTS = [
                            0x0000, 0xffff, 0x0000, 0x0000, 0x0000,
  0x3000, 0x1000, 0x6403, 0x100e, 0x8086, 0x100e, 0x8086, 0x3040,
  0x0008, 0x2000, 0x7e14, 0x0048, 0x1000, 0x00d8, 0x0000, 0x2700,
  0x6cc9, 0x3150, 0x0722, 0x040b, 0x0984, 0x0000, 0xc000, 0x0706,
  0x1008, 0x0000, 0x0f04, 0x7fff, 0x4d01, 0xffff, 0xffff, 0xffff,
  0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
  0x0100, 0x4000, 0x121c, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
  0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
];

export interface EepromState {
  readonly words: Uint16Array;
  readonly reading: TimerState;
  readonly pins: MicrowireState;
}

/** The words of an adapter with hardware address `mac`, checksum included. */
export function eepromImage(mac: Uint8Array): Uint16Array {
  const words = new Uint16Array(EEPROM_WORDS);
  for (let i = 0; i < 3; i++) words[EEPROM_AT.MAC + i] = mac[2 * i]! | (mac[2 * i + 1]! << 8);
  words.set(CONTENTS, 3);
  words[EEPROM_AT.CHECKSUM] = EEPROM_SUM - words.reduce((sum, word) => sum + word, 0);
  return words;
}

export class Eeprom {
  readonly words: Uint16Array;
  readonly #registers: Int32Array;
  readonly #reading: Timer;
  readonly #pins: Microwire;

  /** The EEPROM of `chip`, holding `words`, which it takes over: software can write them. */
  constructor(chip: Chip, words: Uint16Array) {
    this.words = words;
    this.#registers = chip.words;
    this.#reading = chip.clock.timer(() => this.#readDone());
    this.#pins = new Microwire(chip.clock, words);
  }

  /** What the hardware takes from the EEPROM by itself: the address and some of CTRL. Nothing if it is not signed. */
  autoload(): void {
    const registers = this.#registers;
    const words = this.words;
    const init1 = words[EEPROM_AT.INIT_CONTROL_1]!;
    const init3 = words[EEPROM_AT.INIT_CONTROL_3]!;
    if ((init1 & SIGNATURE_MASK) !== SIGNATURE) return;
    registers[RAL.n] = words[EEPROM_AT.MAC]! | (words[EEPROM_AT.MAC + 1]! << 16);
    registers[RAH.n] = RAH.AV | words[EEPROM_AT.MAC + 2]!;
    registers[CTRL.n]! &= ~(CTRL.FD | CTRL.FRCSPD | CTRL.SLU);
    if ((init1 & INIT_1.FD) !== 0) registers[CTRL.n]! |= CTRL.FD;
    if ((init1 & INIT_1.FRCSPD) !== 0) registers[CTRL.n]! |= CTRL.FRCSPD;
    if ((init3 & INIT_3.APM) !== 0) registers[CTRL.n]! |= CTRL.SLU;
  }

  /** EERD was written. */
  eerdWritten(): void {
    this.#registers[EERD.n]! &= ~(EERD.DONE | EERD.DATA);
    if ((this.#registers[EERD.n]! & EERD.START) !== 0) this.#reading.armIn(READ_NS);
    else this.#reading.cancel();
  }

  /** EECD was written: the pins moved. Software drives them once it has been granted them. */
  eecdWritten(): void {
    const eecd = this.#registers[EECD.n]!;
    const granted = (eecd & EECD.REQ) !== 0;
    if (granted) this.#pins.drive((eecd & EECD.CS) !== 0, (eecd & EECD.SK) !== 0, (eecd & EECD.DI) !== 0);
    else this.#pins.drive(false, false, false);
    this.#registers[EECD.n] = granted ? eecd | EECD.GNT : eecd & ~EECD.GNT;
  }

  /** Brings EECD.DO up to date, before software reads it. */
  updateDataOut(): void {
    if (this.#pins.dataOut) this.#registers[EECD.n]! |= EECD.DO;
    else this.#registers[EECD.n]! &= ~EECD.DO;
  }

  reset(): void {
    this.#reading.cancel();
    this.#pins.drive(false, false, false);
  }

  save(): EepromState {
    return { words: this.words.slice(), reading: this.#reading.save(), pins: this.#pins.save() };
  }

  load(state: EepromState): void {
    this.words.set(state.words);
    this.#reading.load(state.reading);
    this.#pins.load(state.pins);
  }

  /** An address beyond the EEPROM reads zero. */
  #readDone(): void {
    const address = (this.#registers[EERD.n]! & EERD.ADDR) >>> 8;
    this.#registers[EERD.n]! |= EERD.DONE | ((this.words[address] ?? 0) << 16);
  }
}
