/**
 * Next hops: where a packet goes from here. Routes share them, for a router has many routes and few neighbours; and
 * routes that are equally good share the traffic among theirs.
 */
import type { Link } from './ipv4/link.ts';

export interface NextHop {
  /** The router, or 0 when the destination itself is on the link. */
  readonly gateway: number;
  readonly link: Link;
  /** The source address of what this host sends this way. */
  readonly source: number;
}

/** A next hop in the table: whether its link is up, and of how many routes it is the next hop. */
interface SharedHop extends NextHop {
  readonly salt: number;
  up: boolean;
  users: number;
}

export class NextHops {
  readonly #hops: (SharedHop | null)[] = [];
  /** Numbers of hops by gateway. */
  readonly #numbers = new Map<number, number[]>();
  readonly #vacant: number[] = [];
  readonly #down = new Set<Link>();

  /** Hop `number`, which some route uses. */
  at(number: number): NextHop {
    return this.#hops[number]!;
  }

  isUp(number: number): boolean {
    return this.#hops[number]!.up;
  }

  /** Returns false when the link was in that state already. */
  setLink(link: Link, up: boolean): boolean {
    if (up !== this.#down.has(link)) return false;
    if (up) this.#down.delete(link);
    else this.#down.add(link);
    for (const hop of this.#hops) if (hop !== null && hop.link === link) hop.up = up;
    return true;
  }

  /** The number of a hop, -1 when no route uses it. */
  find({ gateway, link, source }: NextHop): number {
    for (const number of this.#numbers.get(gateway) ?? []) {
      const hop = this.#hops[number]!;
      if (hop.link === link && hop.source === source) return number;
    }
    return -1;
  }

  /** One more route uses the hop. Returns its number. */
  acquire(hop: NextHop): number {
    const { gateway, link, source } = hop;
    let number = this.find(hop);
    if (number === -1) {
      number = this.#vacant.pop() ?? this.#hops.length;
      this.#hops[number] = { gateway, link, source, salt: saltOf(hop), up: !this.#down.has(link), users: 0 };
      const numbers = this.#numbers.get(gateway);
      if (numbers === undefined) this.#numbers.set(gateway, [number]);
      else numbers.push(number);
    }
    this.#hops[number]!.users += 1;
    return number;
  }

  /** One route less uses hop `number`. */
  release(number: number): void {
    const hop = this.#hops[number]!;
    hop.users -= 1;
    if (hop.users > 0) return;
    const numbers = this.#numbers.get(hop.gateway)!;
    if (numbers.length === 1) this.#numbers.delete(hop.gateway);
    else numbers.splice(numbers.indexOf(number), 1);
    this.#hops[number] = null;
    this.#vacant.push(number);
  }

  /**
   * How much `flow` likes hop `number`: it goes to the hop that it likes best (highest random weight, RFC 2992 section
   * 3.1). When one hop goes, the flows of the others stay where they are.
   */
  weight(number: number, flow: number): number {
    return mix(flow ^ this.#hops[number]!.salt);
  }
}

/** What all packets from `source` to `destination` have in common, fragments too; those between others mostly differ. */
export const flowOf = (source: number, destination: number): number => mix(mix(source) + destination);

function saltOf({ gateway, link }: NextHop): number {
  let salt = mix(gateway);
  for (let i = 0; i < link.name.length; i++) salt = mix(salt + link.name.charCodeAt(i));
  return salt;
}

/** Spreads a word over all words, one to one: the finalizer of MurmurHash3. int32. */
function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
