/**
 * The core-local interruptor, in the layout of SiFive's CLINT and of the RISC-V ACLINT specification: a software
 * interrupt bit and a timer comparator per hart, and the time counter that all share. It counts at 10 MHz.
 *
 * 64-bit registers are two words. A double access is both, low word first, at one instant. Software that writes the
 * halves one by one passes through a third value, and the interrupt follows it: harmless when one half holds all ones
 * meanwhile, which is how the privileged specification advises to write them. MTIME is derived from the clock, so
 * reading it is cheap and no event happens per tick. Only word accesses are defined: narrower ones read zero and do
 * nothing.
 */
import { assert } from '../../src/lib/assert.ts';
import type { AccessSize, BusDevice } from '../bus/bus.ts';
import { RegisterFile, registers } from '../bus/registers.ts';
import { type Cause, MACHINE_SOFTWARE, MACHINE_TIMER } from '../cpu/hart.ts';
import type { Clock, Timer, TimerState } from '../sim/clock.ts';

/** Bytes of address space. */
export const CLINT_BYTES = 0x1_0000;

/** Harts that the register map has room for. */
const MAX_HARTS = 8;
/** 10 MHz: the counter advances once in this many nanoseconds. */
const TICK_NS = 100;
const TWO_32 = 0x1_0000_0000;

export const CLINT = registers({
  MSIP: [
    0x0000,
    'Software interrupt of hart n',
    {
      MSIP: ['rw', 0, 0, 0, 'Drives the machine software interrupt'],
    },
    { count: MAX_HARTS },
  ],
  MTIMECMP: [
    0x4000,
    'Time of the next timer interrupt of hart n, low word',
    {
      VALUE: ['rw', 31, 0, -1, 'The interrupt is high while MTIME is not below MTIMECMP'],
    },
    { count: MAX_HARTS, stride: 8 },
  ],
  MTIMECMPH: [
    0x4004,
    'Time of the next timer interrupt of hart n, high word',
    {
      VALUE: ['rw', 31, 0, -1, 'Unsigned, like the low word'],
    },
    { count: MAX_HARTS, stride: 8 },
  ],
  MTIME: [0xbff8, 'Time in ticks of 100 ns, low word', { VALUE: ['rw', 31, 0, 0, 'Counts from power-on'] }],
  MTIMEH: [0xbffc, 'Time in ticks of 100 ns, high word', { VALUE: ['rw', 31, 0, 0, 'Counts from power-on'] }],
});

/** The interrupt inputs of one hart. */
interface InterruptInputs {
  setInterrupt(cause: Cause, level: boolean): void;
}

export interface ClintState {
  readonly registers: Int32Array;
  readonly timers: readonly TimerState[];
}

export class Clint implements BusDevice {
  readonly name = 'CLINT';
  /** MTIME and MTIMEH hold what software added to the ticks of the clock, modulo 2**64. */
  readonly registers = new RegisterFile(CLINT, CLINT_BYTES);
  readonly #clock: Clock;
  readonly #harts: readonly InterruptInputs[];
  /** Per hart: fires when the comparison changes by itself. */
  readonly #timers: readonly Timer[];

  constructor(clock: Clock, harts: readonly InterruptInputs[]) {
    assert(harts.length <= MAX_HARTS, 'more harts than the CLINT has registers for');
    this.#clock = clock;
    this.#harts = harts;
    this.#timers = harts.map((_, hart) => clock.timer(() => this.#updateTimer(hart)));
  }

  read(offset: number, size: AccessSize): number {
    return size === 4 ? this.peek(offset) : 0;
  }

  /** Nothing here has a side effect on reading. Registers of harts that are not fitted read zero. */
  peek(offset: number): number {
    const slot = this.registers.slot(offset);
    if (slot === CLINT.MTIME.n) return this.#mtimeLow() | 0;
    if (slot === CLINT.MTIMEH.n) return this.#mtimeHigh() | 0;
    return this.#fitted(slot) ? this.registers.peek(slot) : 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    const slot = this.registers.slot(offset);
    if (size !== 4 || slot === 0) return;
    if (slot === CLINT.MTIME.n || slot === CLINT.MTIMEH.n) {
      this.#setTime(slot, value);
      for (let hart = 0; hart < this.#harts.length; hart++) this.#updateTimer(hart);
    } else if (this.#fitted(slot)) {
      this.registers.write(slot, value);
      if (slot < CLINT.MTIMECMP.n) this.#updateSoftware(slot - CLINT.MSIP.n);
      else this.#updateTimer((slot - CLINT.MTIMECMP.n) % MAX_HARTS);
    }
  }

  nameAt(offset: number): string {
    return this.registers.nameOf(this.registers.slot(offset));
  }

  save(): ClintState {
    return { registers: this.registers.save(), timers: this.#timers.map(timer => timer.save()) };
  }

  load(state: ClintState): void {
    this.registers.load(state.registers);
    for (const [hart, timer] of this.#timers.entries()) {
      timer.load(state.timers[hart]!);
      this.#harts[hart]!.setInterrupt(MACHINE_TIMER, this.#expired(hart));
      this.#updateSoftware(hart);
    }
  }

  /** MSIP, MTIMECMP and MTIMECMPH follow each other, with room for {@link MAX_HARTS} each. */
  #fitted(slot: number): boolean {
    return (slot - CLINT.MSIP.n) % MAX_HARTS < this.#harts.length;
  }

  #ticks(): number {
    return Math.floor(this.#clock.nowNs / TICK_NS);
  }

  #mtimeLow(): number {
    return (this.#ticks() + this.registers.values[CLINT.MTIME.n]!) >>> 0;
  }

  #mtimeHigh(): number {
    const ticks = this.#ticks();
    const carry = (ticks % TWO_32) + (this.registers.values[CLINT.MTIME.n]! >>> 0) >= TWO_32 ? 1 : 0;
    return (Math.floor(ticks / TWO_32) + this.registers.values[CLINT.MTIMEH.n]! + carry) >>> 0;
  }

  /** Sets one half of the counter and leaves the other as it reads now. */
  #setTime(slot: number, value: number): void {
    const low = slot === CLINT.MTIME.n ? value >>> 0 : this.#mtimeLow();
    const high = slot === CLINT.MTIMEH.n ? value >>> 0 : this.#mtimeHigh();
    const ticks = this.#ticks();
    const borrow = low < ticks % TWO_32 ? 1 : 0;
    this.registers.values[CLINT.MTIME.n] = low - ticks;
    this.registers.values[CLINT.MTIMEH.n] = high - Math.floor(ticks / TWO_32) - borrow;
  }

  #updateSoftware(hart: number): void {
    this.#harts[hart]!.setInterrupt(MACHINE_SOFTWARE, this.registers.values[CLINT.MSIP.n + hart]! !== 0);
  }

  #expired(hart: number): boolean {
    const compareHigh = this.registers.values[CLINT.MTIMECMPH.n + hart]! >>> 0;
    const high = this.#mtimeHigh();
    if (high !== compareHigh) return high > compareHigh;
    return this.#mtimeLow() >= this.registers.values[CLINT.MTIMECMP.n + hart]! >>> 0;
  }

  /** Drives the timer interrupt, and arms the timer for the tick at which the comparison turns out differently. */
  #updateTimer(hart: number): void {
    const expired = this.#expired(hart);
    this.#harts[hart]!.setInterrupt(MACHINE_TIMER, expired);
    const dueNs = (this.#ticks() + this.#ticksLeft(hart, expired)) * TICK_NS;
    if (Number.isSafeInteger(dueNs)) this.#timers[hart]!.armAt(dueNs);
    else this.#timers[hart]!.cancel();
  }

  /** Ticks until MTIME reaches the comparator, or wraps to zero if past it. Rounded only beyond the clock's range. */
  #ticksLeft(hart: number, expired: boolean): number {
    const high = expired ? TWO_32 : this.registers.values[CLINT.MTIMECMPH.n + hart]! >>> 0;
    const low = expired ? 0 : this.registers.values[CLINT.MTIMECMP.n + hart]! >>> 0;
    return (high - this.#mtimeHigh()) * TWO_32 + (low - this.#mtimeLow());
  }
}
