/**
 * A passive star: a medium on which any two stations are equally far apart. It is the coaxial cable of the textbooks,
 * whose throughput formulas know one delay only, and of a star coupler of optical fibre. All that is said of a coaxial
 * cable holds; where a tap is does not matter.
 */
import type { Clock } from '../../sim/clock.ts';
import { Coax } from './coax.ts';

export class PassiveStar extends Coax {
  readonly #delayNs: number;

  constructor(clock: Clock, delayNs: number) {
    if (!(Number.isSafeInteger(delayNs) && delayNs >= 0)) {
      throw new RangeError(`a delay of ${delayNs} ns is not a whole number of nanoseconds`);
    }
    super(clock, 0);
    this.#delayNs = delayNs;
  }

  override delayNs(): number {
    return this.#delayNs;
  }
}
