/**
 * A 93C46 serial EEPROM in its 16-bit organisation: 64 words behind four pins. While CS is high, DI is sampled at each
 * rising edge of SK: a start bit 1, two opcode bits, six address bits, and for writes sixteen data bits. DO changes at
 * rising edges too, and a driver samples it between them.
 *
 * READ answers with a 0 at the last address bit, then D15 to D0, then the words after it. WRITE, ERASE, ERAL and WRAL
 * start when CS falls and take a while, during which DO shows 0 (busy) to whoever raises CS again. Nothing is written
 * before EWEN. CS low puts the state machine back to its start.
 */
import type { Clock } from '../../sim/clock.ts';

const COMMAND_BITS = 8;
const ADDRESS_BITS = 6;
const DATA_BITS = 16;
/** Time that a word takes to be erased and written. */
const WRITE_NS = 2_000_000;

const OPCODE = { EXTENDED: 0, WRITE: 1, READ: 2, ERASE: 3 } as const;
/** With opcode 0 the two highest address bits choose. */
const EXTENDED = { EWDS: 0, WRAL: 1, ERAL: 2, EWEN: 3 } as const;

type Phase = 'start' | 'command' | 'read' | 'write' | 'ready';

export interface MicrowireState {
  readonly phase: Phase;
  readonly pins: readonly [cs: boolean, sk: boolean, dataOut: boolean];
  readonly command: number;
  readonly data: number;
  readonly bits: number;
  readonly address: number;
  readonly writable: boolean;
  readonly busyUntilNs: number;
}

export class Microwire {
  readonly #clock: Clock;
  readonly #words: Uint16Array;
  #phase: Phase = 'start';
  #cs = false;
  #sk = false;
  #out = true;
  #command = 0;
  #data = 0;
  #bits = 0;
  #address = 0;
  #writable = false;
  #busyUntilNs = 0;

  constructor(clock: Clock, words: Uint16Array) {
    this.#clock = clock;
    this.#words = words;
  }

  /** The DO pin; pulled up while nothing drives it. */
  get dataOut(): boolean {
    if (!this.#cs) return true;
    return this.#phase === 'start' ? this.#clock.nowNs >= this.#busyUntilNs : this.#out;
  }

  /** Puts levels on the input pins. */
  drive(cs: boolean, sk: boolean, di: boolean): void {
    if (this.#cs && !cs) this.#deselect();
    if (this.#cs && cs && !this.#sk && sk) this.#clockIn(di ? 1 : 0);
    this.#cs = cs;
    this.#sk = sk;
  }

  save(): MicrowireState {
    return {
      phase: this.#phase,
      pins: [this.#cs, this.#sk, this.#out],
      command: this.#command,
      data: this.#data,
      bits: this.#bits,
      address: this.#address,
      writable: this.#writable,
      busyUntilNs: this.#busyUntilNs,
    };
  }

  load(state: MicrowireState): void {
    this.#phase = state.phase;
    [this.#cs, this.#sk, this.#out] = state.pins;
    this.#command = state.command;
    this.#data = state.data;
    this.#bits = state.bits;
    this.#address = state.address;
    this.#writable = state.writable;
    this.#busyUntilNs = state.busyUntilNs;
  }

  #clockIn(bit: number): void {
    switch (this.#phase) {
      case 'start':
        if (bit === 0 || this.#clock.nowNs < this.#busyUntilNs) return;
        this.#phase = 'command';
        this.#command = this.#bits = 0;
        this.#out = true;
        return;
      case 'command':
        this.#command = (this.#command << 1) | bit;
        if (++this.#bits === COMMAND_BITS) this.#decode();
        return;
      case 'read':
        this.#shiftOut();
        return;
      case 'write':
        this.#data = (this.#data << 1) | bit;
        if (++this.#bits === DATA_BITS) this.#phase = 'ready';
        return;
      case 'ready':
        return;
    }
  }

  #decode(): void {
    this.#address = this.#command & ((1 << ADDRESS_BITS) - 1);
    this.#data = this.#bits = 0;
    const extended = this.#address >> (ADDRESS_BITS - 2);
    switch (this.#command >> ADDRESS_BITS) {
      case OPCODE.READ:
        this.#phase = 'read';
        this.#out = false;
        return;
      case OPCODE.WRITE:
        this.#phase = 'write';
        return;
      case OPCODE.ERASE:
        this.#phase = 'ready';
        return;
      case OPCODE.EXTENDED:
        this.#phase = extended === EXTENDED.WRAL ? 'write' : 'ready';
        if (extended === EXTENDED.EWEN) this.#writable = true;
        if (extended === EXTENDED.EWDS) this.#writable = false;
        return;
    }
  }

  #shiftOut(): void {
    const word = this.#words[this.#address]!;
    this.#out = ((word >> (DATA_BITS - 1 - this.#bits)) & 1) !== 0;
    if (++this.#bits < DATA_BITS) return;
    this.#bits = 0;
    this.#address = (this.#address + 1) % this.#words.length;
  }

  /** CS fell. A complete command that changes the contents begins to take effect. */
  #deselect(): void {
    if (this.#phase === 'ready' && this.#writable) this.#program();
    this.#phase = 'start';
  }

  #program(): void {
    const words = this.#words;
    const extended = this.#address >> (ADDRESS_BITS - 2);
    switch (this.#command >> ADDRESS_BITS) {
      case OPCODE.WRITE:
        words[this.#address] = this.#data;
        break;
      case OPCODE.ERASE:
        words[this.#address] = 0xffff;
        break;
      case OPCODE.EXTENDED:
        if (extended === EXTENDED.WRAL) words.fill(this.#data);
        else if (extended === EXTENDED.ERAL) words.fill(0xffff);
        else return;
        break;
    }
    this.#busyUntilNs = this.#clock.nowNs + WRITE_NS;
  }
}
