/**
 * Path MTU discovery, RFC 1191: what is known of paths that take less than the link that they begin with. All protocols
 * of a host learn and ask here. Who learns must know that the error is about a packet of its own: anybody can send one
 * (RFC 5927 section 7).
 */
import type { KernelContext } from '../../context.ts';
import type { DriverTimer } from '../../driver-api.ts';

/** RFC 1191 section 3: no link has a smaller MTU. */
export const MIN_MTU = 68;
/** RFC 1191 section 7.1: MTUs that links have, for routers that do not say which. */
const PLATEAUS = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, MIN_MTU];
/** RFC 1191 section 6.3: after so long the path is tried again. */
const EXPIRY_NS = 600_000_000_000;
/** Paths that are known at once; a newer one takes the place of the oldest. */
const MAX_PATHS = 1024;

interface Path {
  readonly mtu: number;
  readonly untilNs: number;
}

export class PathMtus {
  /** Changes whenever an answer may: who keeps one asks again then. */
  generation = 0;
  readonly #context: KernelContext;
  /** By destination, in the order in which they were learnt. */
  readonly #paths = new Map<number, Path>();
  readonly #timer: DriverTimer;

  constructor(context: KernelContext) {
    this.#context = context;
    this.#timer = context.timer(() => this.#expire());
  }

  /** The longest packet in octets that goes to `destination` whole, by a link that takes `linkMtu`. */
  mtu(destination: number, linkMtu: number): number {
    if (this.#paths.size === 0) return linkMtu;
    return Math.min(linkMtu, this.#paths.get(destination | 0)?.mtu ?? linkMtu);
  }

  /**
   * A router could not pass on a packet of `sentBytes` octets to `destination`, for the next link takes `nextHopMtu`; 0:
   * it does not say. `linkMtu` is that of the first link.
   */
  learn(destination: number, nextHopMtu: number, sentBytes: number, linkMtu: number): void {
    const mtu = nextHopMtu === 0 ? plateauBelow(sentBytes) : Math.max(MIN_MTU, nextHopMtu);
    // It never grows by what a router says, only by time.
    if (mtu >= this.mtu(destination, linkMtu)) return;
    const oldest = this.#paths.keys().next().value;
    if (this.#paths.size === MAX_PATHS && oldest !== undefined) this.#paths.delete(oldest);
    this.#paths.delete(destination | 0);
    this.#paths.set(destination | 0, { mtu, untilNs: this.#context.nowNs() + EXPIRY_NS });
    if (this.#paths.size === 1) this.#timer.armIn(EXPIRY_NS);
    this.generation += 1;
  }

  /** The MTU of a link, or a route, has changed: answers may. */
  linksChanged(): void {
    this.generation += 1;
  }

  #expire(): void {
    const nowNs = this.#context.nowNs();
    for (const [destination, { untilNs }] of this.#paths) {
      if (untilNs > nowNs) {
        this.#timer.armIn(untilNs - nowNs);
        return;
      }
      this.#paths.delete(destination);
      this.generation += 1;
    }
  }
}

function plateauBelow(bytes: number): number {
  return PLATEAUS.find(plateau => plateau < bytes) ?? MIN_MTU;
}
