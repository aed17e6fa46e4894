/**
 * The thresholds of TXDCTL and RXDCTL, which have one layout: when descriptors are fetched ahead, and when those that
 * are done with are written back. 82540EM manual, sections 3.2.4, 3.2.5, 3.4.1 and 3.4.2, and 13.4.28 and 13.4.44.
 */
import { CONFIG } from '../../pci/config.ts';
import { CACHE_DESCRIPTORS, type Chip, DESCRIPTOR_BYTES } from './chip.ts';
import { E1000 } from './registers.ts';
import type { Ring } from './taps.ts';

const { RXDCTL, TXDCTL } = E1000;
const { CACHE_LATENCY_HEADER_BIST } = CONFIG;

const DWORDS_PER_DESCRIPTOR = DESCRIPTOR_BYTES / 4;

export class Thresholds {
  readonly #chip: Chip;
  readonly #slot: number;

  constructor(chip: Chip, ring: Ring) {
    this.#chip = chip;
    this.#slot = ring === 'rx' ? RXDCTL.n : TXDCTL.n;
  }

  /** Whether to fetch ahead: `onChip` descriptors are there to be used, `inMemory` can be fetched. */
  prefetch(onChip: number, inMemory: number): boolean {
    const word = this.#chip.words[this.#slot]!;
    if (onChip >= this.#descriptors(word & TXDCTL.PTHRESH)) return false;
    return inMemory > 0 && inMemory >= this.#descriptors((word & TXDCTL.HTHRESH) >>> 8);
  }

  /** WTHRESH: descriptors that are written back together; 0 and 1 do not keep any waiting. */
  get writeBack(): number {
    return this.#descriptors((this.#chip.words[this.#slot]! & TXDCTL.WTHRESH) >>> 16);
  }

  /** A threshold in descriptors. As a cache line counts what PCI configuration says, or else one descriptor. */
  #descriptors(units: number): number {
    if (units === 0 || (this.#chip.words[this.#slot]! & TXDCTL.GRAN) !== 0) return units;
    const config = this.#chip.pci.config.registers.values;
    const lineDwords = config[CACHE_LATENCY_HEADER_BIST.n]! & CACHE_LATENCY_HEADER_BIST.CACHE_LINE_SIZE;
    return Math.min(units * Math.max(1, Math.floor(lineDwords / DWORDS_PER_DESCRIPTOR)), CACHE_DESCRIPTORS);
  }
}
