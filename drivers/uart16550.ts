/**
 * Driver of a 16550 serial port (PC16550D data sheet, section 8) as the kernel's console: output alone, 8N1.
 *
 * Text waits in a queue. Whenever the transmitter FIFO is empty it is filled at one go, first by `write` itself, then
 * by the interrupt that says it is empty again; so nobody ever waits for the line, which takes 43 us for a character.
 * The interrupt is enabled only while text waits. Whoever owns the console requests its interrupt line and has it call
 * `interrupt`; without that, text beyond a FIFO waits for the next `write`.
 *
 * The interrupt may come between any two accesses of `#fill`, and its own fill then only leaves a note: see there.
 */
import type { Console, Io } from '../kernel/driver-api.ts';

export const THR = 0;
export const DLL = 0;
export const IER = 1;
export const DLM = 1;
export const IIR = 2;
export const FCR = 2;
export const LCR = 3;
export const LSR = 5;

export const IER_ETBEI = 1 << 1;
export const IIR_NONE_PENDING = 1 << 0;
export const FCR_FIFO_ENABLE = 1 << 0;
export const FCR_RCVR_RESET = 1 << 1;
export const FCR_XMIT_RESET = 1 << 2;
export const LCR_WLS_8 = 3;
export const LCR_DLAB = 1 << 7;
export const LSR_THRE = 1 << 5;

/** 230400 baud from the 3.6864 MHz clock. */
const DIVISOR = 1;
const FIFO_BYTES = 16;
/** Characters that may wait. Text that finds no room is dropped whole, and the loss is told when there is room. */
const MAX_QUEUED = 65_536;
/** What stands in for a character that is not ASCII. */
const REPLACEMENT = 0x3f;

export class UartConsole implements Console {
  readonly #io: Io;
  readonly #base: number;
  readonly #queue: number[] = [];
  #started = false;
  #lostCount = 0;
  /** What IER holds: the transmitter's interrupt is enabled. */
  #armed = false;
  #filling = false;
  #again = false;

  constructor(io: Io, base: number) {
    this.#io = io;
    this.#base = base;
  }

  write(text: string): void {
    if (!this.#started) this.#start();
    if (this.#queue.length + text.length > MAX_QUEUED) {
      this.#lostCount += text.length;
      return;
    }
    if (this.#lostCount > 0) this.#append(`[${this.#lostCount} characters lost]\n`);
    this.#lostCount = 0;
    this.#append(text);
    this.#fill();
  }

  /** The interrupt handler. Reading IIR is what clears the interrupt. */
  interrupt(): boolean {
    if (!this.#started || (this.#io.read8(this.#base + IIR) & IIR_NONE_PENDING) !== 0) return false;
    this.#fill();
    return true;
  }

  #start(): void {
    this.#started = true;
    this.#put(IER, 0);
    this.#put(LCR, LCR_DLAB);
    this.#put(DLL, DIVISOR);
    this.#put(DLM, DIVISOR >>> 8);
    this.#put(LCR, LCR_WLS_8);
    this.#put(FCR, FCR_FIFO_ENABLE | FCR_RCVR_RESET | FCR_XMIT_RESET);
  }

  #append(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.#queue.push(code < 0x80 ? code : REPLACEMENT);
    }
  }

  /**
   * Fills an empty FIFO. If the interrupt comes in between, filling twice would overflow it: the handler then only sets
   * `#again`. It has cleared the interrupt by reading IIR, so the round is repeated, lest the queue stand still.
   */
  #fill(): void {
    this.#again = true;
    if (this.#filling) return;
    this.#filling = true;
    while (this.#again) {
      this.#again = false;
      if ((this.#io.read8(this.#base + LSR) & LSR_THRE) !== 0) this.#sendFifo();
      this.#arm(this.#queue.length > 0);
    }
    this.#filling = false;
  }

  #sendFifo(): void {
    for (const byte of this.#queue.splice(0, FIFO_BYTES)) this.#put(THR, byte);
  }

  #arm(on: boolean): void {
    if (on === this.#armed) return;
    this.#armed = on;
    this.#put(IER, on ? IER_ETBEI : 0);
  }

  #put(register: number, byte: number): void {
    this.#io.write8(this.#base + register, byte);
  }
}
