/**
 * Which pair of wires a PHY sends on: MDI or, crossed over, MDI-X. Clause 40.4.4; owned by the PHY, sampled by the cable.
 *
 * Software fixes one of them, or leaves it to the PHY. An automatic PHY that hears nothing for a sample_timer lets the
 * next bit of a linear feedback shift register choose. Two ends whose registers agree would choose alike for ever, so
 * A_timer seeds the register anew.
 */
import type { Prng, PrngState } from '../../sim/prng.ts';
import type { Crossover } from '../ports.ts';

/** A_timer, 1.3 s ± 25 %, counted in sample_timers of 62 ms. */
const SAMPLES_PER_SEED = 21;
/** The 11 bits of the register, and its feedback: x^11 + x^9 + 1, which visits every state but 0. */
const LFSR_STATES = 0x7ff;
const LFSR_TAP = 2;
const LFSR_TOP = 10;

/** As PSCON.MDI_X codes it; 2 is reserved, and taken for automatic. */
const MANUAL_MDI = 0;
const MANUAL_MDI_X = 1;

export interface MdixState {
  readonly crossed: boolean;
  readonly automatic: boolean;
  readonly lfsr: number;
  readonly samples: number;
  readonly prng: PrngState;
}

export class Mdix implements Crossover {
  crossed = false;
  automatic = true;
  /** Called when `crossed` has been chosen, by software or by a sample. */
  readonly #chosen: (crossed: boolean) => void;
  readonly #prng: Prng;
  #lfsr = 0;
  /** Samples until the register is seeded. */
  #samples = 0;

  constructor(prng: Prng, chosen: (crossed: boolean) => void) {
    this.#prng = prng;
    this.#chosen = chosen;
  }

  /** Takes over the mode of PSCON. An automatic PHY begins with what it has. */
  configure(mode: number): void {
    this.automatic = mode !== MANUAL_MDI && mode !== MANUAL_MDI_X;
    if (!this.automatic) this.crossed = mode === MANUAL_MDI_X;
    this.#chosen(this.crossed);
  }

  sample(): void {
    if (!this.automatic) return;
    if (this.#samples === 0) {
      this.#samples = SAMPLES_PER_SEED;
      this.#lfsr = 1 + this.#prng.below(LFSR_STATES);
    }
    this.#samples -= 1;
    const bit = ((this.#lfsr >>> LFSR_TAP) ^ this.#lfsr) & 1;
    this.#lfsr = (this.#lfsr >>> 1) | (bit << LFSR_TOP);
    this.crossed = bit !== 0;
    this.#chosen(this.crossed);
  }

  save(): MdixState {
    const { crossed, automatic } = this;
    return { crossed, automatic, lfsr: this.#lfsr, samples: this.#samples, prng: this.#prng.save() };
  }

  load(state: MdixState): void {
    this.crossed = state.crossed;
    this.automatic = state.automatic;
    this.#lfsr = state.lfsr;
    this.#samples = state.samples;
    this.#prng.load(state.prng);
  }
}
