/**
 * Public addresses that belong to one inside host each, with all its ports and protocols: Basic NAT, RFC 3022 section 2.1.
 * Nothing is remembered of who talks to whom, so nothing ages and everybody is let in.
 */
import type { StaticConfig } from './config.ts';

export class StaticAddresses {
  /** By address as an int32. */
  readonly #public = new Map<number, number>();
  readonly #private = new Map<number, number>();

  constructor(pairs: readonly StaticConfig[]) {
    for (const { publicAddress, privateAddress } of pairs) {
      this.#public.set(privateAddress | 0, publicAddress);
      this.#private.set(publicAddress | 0, privateAddress);
    }
  }

  publicOf(privateAddress: number): number | undefined {
    return this.#public.get(privateAddress | 0);
  }

  privateOf(publicAddress: number): number | undefined {
    return this.#private.get(publicAddress | 0);
  }
}
