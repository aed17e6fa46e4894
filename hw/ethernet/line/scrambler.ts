/**
 * The scrambler of 100BASE-TX (TP-PMD, which clause 25 takes over): code bits XOR a key with the recurrence
 * x[n] = x[n-11] ^ x[n-9], of period 2047. It spreads the spectrum, so that idle is not a pure tone.
 *
 * The receiver finds the key by itself. In idle the code bits are ones, so what arrives is the key inverted: eleven
 * bits load the register, further ones confirm it. From then on the register runs by its own recurrence, and a bad bit
 * stays one bad bit. It lets go of the key when it has seen no idle for 722 us, longer than any frame it must pass.
 */
const REGISTER_BITS = 11;
const MASK = (1 << REGISTER_BITS) - 1;
/** Bits of idle, beyond those that load the register, that must be as predicted. */
const CONFIRM_BITS = 29;
/** So many ones in a row are idle: five groups. No frame holds more than eight. */
const IDLE_BITS = 25;
/** 722 us at 125 Mb/s. */
const HOLD_BITS = 90_250;

/** The register when all its bits are ones. Any seed from 1 on will do; with 0 there is no key. */
export const SCRAMBLER_SEED = MASK;

/** XORs the key that follows from `seed` on `bits`, in place. Bit 0 of the seed is the latest key bit, x[n-1]. */
export function scramble(bits: Uint8Array, seed = SCRAMBLER_SEED): void {
  let register = seed & MASK;
  for (let i = 0; i < bits.length; i++) {
    register = step(register);
    bits[i]! ^= register & 1;
  }
}

export class Descrambler {
  /** Whether the key is known. Until then nothing comes out but ones, which is idle. */
  locked = false;
  #register = 0;
  #loadedBits = 0;
  #confirmedBits = 0;
  #ones = 0;
  #sinceIdleBits = 0;

  /** Takes what has arrived, and replaces it by code bits. Further calls go on where the last one ended. */
  descramble(bits: Uint8Array): void {
    for (let i = 0; i < bits.length; i++) {
      const received = bits[i]! & 1;
      const next = step(this.#register);
      if (this.locked) {
        bits[i] = received ^ (next & 1);
        this.#register = next;
        this.#watch(bits[i]!);
      } else {
        bits[i] = 1;
        this.#seek(received ^ 1, next & 1);
      }
    }
  }

  /** Not locked: the key bit, if this is idle, and what the register predicted. */
  #seek(key: number, predicted: number): void {
    const confirmed = this.#loadedBits === REGISTER_BITS && this.#register !== 0 && key === predicted;
    this.#confirmedBits = confirmed ? this.#confirmedBits + 1 : 0;
    this.#register = ((this.#register << 1) | key) & MASK;
    if (this.#loadedBits < REGISTER_BITS) this.#loadedBits += 1;
    if (this.#confirmedBits < CONFIRM_BITS) return;
    this.locked = true;
    this.#ones = this.#sinceIdleBits = 0;
  }

  /** Locked: is there still idle from time to time? */
  #watch(codeBit: number): void {
    this.#ones = codeBit === 1 ? this.#ones + 1 : 0;
    this.#sinceIdleBits = this.#ones >= IDLE_BITS ? 0 : this.#sinceIdleBits + 1;
    if (this.#sinceIdleBits <= HOLD_BITS) return;
    this.locked = false;
    this.#loadedBits = 0;
  }
}

/** The register with the next key bit shifted in. */
const step = (register: number): number => ((register << 1) | (((register >>> 10) ^ (register >>> 8)) & 1)) & MASK;
