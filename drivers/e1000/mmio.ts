/** The register window of one adapter: BAR0. All registers are words (13.2); each access is one on the bus. */
import type { Io } from '../../kernel/driver-api.ts';

export class Mmio {
  readonly #io: Io;
  readonly #base: number;

  /** `base` is the physical address that BAR0 was given. */
  constructor(io: Io, base: number) {
    this.#io = io;
    this.#base = base;
  }

  /** The register at `offset`, unsigned. */
  read(offset: number): number {
    return this.#io.read32(this.#base + offset);
  }

  write(offset: number, value: number): void {
    this.#io.write32(this.#base + offset, value);
  }
}
