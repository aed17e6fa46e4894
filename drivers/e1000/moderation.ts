/**
 * Interrupt moderation, 3.2.7. An interrupt costs more than a frame, so a stream of frames shall not bring one for each;
 * and a question shall be answered at once. The driver therefore goes by what comes in: while received frames take up
 * most of the time of a wire of 1000 Mb/s, ITR keeps interrupts apart. Questions and answers never do that, for they
 * wait for each other; and on a slower wire frames are far enough apart as it is. RDTR and RADV, which delay all frames
 * alike, stay 0.
 *
 * For sent frames nobody waits, unless the ring is full: their buffers come back with the next interrupt of any kind, or
 * when nothing more was sent for a while, or when half a ring of them waits (see `tx.ts`).
 */
import type { Platform } from '../../kernel/driver-api.ts';
import type { Mmio } from './mmio.ts';
import { ITR, TADV, TIDV } from './registers.ts';

/** Time on the wire at 1000 Mb/s: of an octet, and of the octets around a frame: preamble, FCS, gap. */
const OCTET_NS = 8;
const OVERHEAD_OCTETS = 24;
/** In a stream: the least time between interrupts, 20 us, in which two of the longest frames come in. */
const STREAM_INTERVAL = Math.round(20_000 / 256);
/** From the last frame sent to TXDW: 66 us, which is more than the five longest frames take. */
const TX_DELAY = 64;
/** From the first: 262 us, which is what 21 of the longest frames take. */
const TX_ABSOLUTE_DELAY = 256;

export class Moderation {
  readonly #regs: Mmio;
  readonly #platform: Platform;
  /** When frames were received last. */
  #lastNs: number;
  #stream = false;

  /** The hardware must be fresh from a reset: all these registers are 0. */
  constructor(regs: Mmio, platform: Platform) {
    this.#regs = regs;
    this.#platform = platform;
    this.#lastNs = platform.nowNs();
    regs.write(TIDV, TX_DELAY);
    regs.write(TADV, TX_ABSOLUTE_DELAY);
  }

  /** A poll found so many frames, with so many octets. */
  received(frames: number, octets: number): void {
    const nowNs = this.#platform.nowNs();
    const wireNs = OCTET_NS * (octets + OVERHEAD_OCTETS * frames);
    const stream = 2 * wireNs > nowNs - this.#lastNs;
    this.#lastNs = nowNs;
    if (stream === this.#stream) return;
    this.#stream = stream;
    this.#regs.write(ITR, stream ? STREAM_INTERVAL : 0);
  }
}
