/**
 * The kernel's messages: one line each, with the time, to the console. The console takes a line at once and whole, so
 * a handler that interrupts a message to write its own does no harm.
 */
import type { Console } from './driver-api.ts';
import type { Cpu } from './ports.ts';
import { TICK_NS } from './timer.ts';

const TICKS_PER_US = 1000 / TICK_NS;
const US_PER_S = 1_000_000;
/** In a panic the console is polled: at this interval, in which a serial port sends what its FIFO holds. */
const PANIC_POLL_NS = 1_000_000;
const MAX_PANIC_POLLS = 100;

export class Log {
  readonly #cpu: Cpu;
  readonly #console: Console;

  constructor(cpu: Cpu, console: Console) {
    this.#cpu = cpu;
    this.#console = console;
  }

  write(text: string): void {
    this.#console.write(`${this.#stamp()} ${text}\n`);
  }

  /** The last words, with interrupts disabled: nobody else will see to it that the console sends them. */
  panic(text: string): void {
    this.write(text);
    let pollCount = 0;
    do this.#cpu.spend(PANIC_POLL_NS);
    while (this.#console.interrupt() && ++pollCount < MAX_PANIC_POLLS);
  }

  /** Seconds since power-on as on a Linux console: `[    1.234567]`. */
  #stamp(): string {
    const us = Math.floor(this.#cpu.time() / TICKS_PER_US);
    const seconds = String(Math.floor(us / US_PER_S)).padStart(5);
    return `[${seconds}.${String(us % US_PER_S).padStart(6, '0')}]`;
  }
}
