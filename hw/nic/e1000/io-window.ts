/**
 * The I/O BAR: two registers through which software without access to memory space reaches the others. Drivers reset
 * the chip this way. 82540EM manual, section 13.2.2.
 */
import type { AccessSize, BusDevice } from '../../bus/bus.ts';
import { REGISTER_SPACE_BYTES } from './registers.ts';

/** Size of BAR1. */
export const IO_WINDOW_BYTES = 64;

/** Offset of the register that IODATA stands for. */
const IOADDR = 0;
const IODATA = 4;

export class IoWindow implements BusDevice {
  readonly name = 'e1000 I/O';
  readonly #registers: BusDevice | null;
  #address = 0;

  /** A window onto `registers`, what BAR0 shows. Null: a BAR with nothing behind it, which reads zero. */
  constructor(registers: BusDevice | null) {
    this.#registers = registers;
  }

  /** Only whole words are decoded. */
  read(offset: number, size: AccessSize): number {
    if (size !== 4 || this.#registers === null) return 0;
    if (offset === IOADDR) return this.#address;
    return offset === IODATA && this.#inside ? this.#registers.read(this.#address, 4) : 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (size !== 4 || this.#registers === null) return;
    if (offset === IOADDR) this.#address = value;
    else if (offset === IODATA && this.#inside) this.#registers.write(this.#address, 4, value);
  }

  nameAt(offset: number): string {
    return offset === IOADDR ? 'IOADDR' : offset === IODATA ? 'IODATA' : `${offset}`;
  }

  save(): number {
    return this.#address;
  }

  load(state: number): void {
    this.#address = state;
  }

  get #inside(): boolean {
    return this.#address >= 0 && this.#address < REGISTER_SPACE_BYTES && (this.#address & 3) === 0;
  }
}
