/**
 * Driver of the platform-level interrupt controller (RISC-V PLIC specification 1.0.0, chapter "Memory Map"), for one
 * context: the level of the hart that this kernel runs at. Every source that is in use has the same priority.
 */
import type { InterruptController, Io } from '../kernel/driver-api.ts';

export const PRIORITY = 0x00_0000;
export const ENABLE = 0x00_2000;
export const ENABLE_PER_CONTEXT = 0x80;
export const THRESHOLD = 0x20_0000;
export const CLAIM = 0x20_0004;
export const THRESHOLD_PER_CONTEXT = 0x1000;

/** Words of enable bits: 96 sources, of which the device tree says `riscv,ndev`. */
const ENABLE_WORDS = 3;
/** The lowest priority that interrupts at all. */
const IN_USE = 1;

export class PlicDriver implements InterruptController {
  readonly #io: Io;
  readonly #base: number;
  readonly #enable: number;
  readonly #threshold: number;
  readonly #claim: number;
  /** What the enable registers hold: this driver alone writes them. */
  readonly #enabled = new Int32Array(ENABLE_WORDS);

  /** `base` is the physical address of the controller; `context` counts as its device tree node does. */
  constructor(io: Io, base: number, context: number) {
    this.#io = io;
    this.#base = base;
    this.#enable = base + ENABLE + context * ENABLE_PER_CONTEXT;
    this.#threshold = base + THRESHOLD + context * THRESHOLD_PER_CONTEXT;
    this.#claim = base + CLAIM + context * THRESHOLD_PER_CONTEXT;
  }

  /** Shuts every source out, and lets every priority through. */
  reset(): void {
    this.#enabled.fill(0);
    for (let word = 0; word < ENABLE_WORDS; word++) this.#io.write32(this.#enable + 4 * word, 0);
    this.#io.write32(this.#threshold, 0);
  }

  enable(source: number): void {
    this.#io.write32(this.#base + PRIORITY + 4 * source, IN_USE);
    this.#enabled[source >>> 5]! |= 1 << (source & 31);
    this.#writeEnable(source >>> 5);
  }

  disable(source: number): void {
    this.#enabled[source >>> 5]! &= ~(1 << (source & 31));
    this.#writeEnable(source >>> 5);
  }

  claim(): number {
    return this.#io.read32(this.#claim);
  }

  /** Only while `source` is enabled: the controller ignores it otherwise, and never asks for the source again. */
  complete(source: number): void {
    this.#io.write32(this.#claim, source);
  }

  #writeEnable(word: number): void {
    this.#io.write32(this.#enable + 4 * word, this.#enabled[word]!);
  }
}
