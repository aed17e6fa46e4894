/**
 * Where address translation and the packet filter see packets: five points on the way of a packet through IPv4, in the
 * names and the order that netfilter gave them.
 *
 *     prerouting   came in, passed the checks of its header; whose it is has not been decided yet
 *     input        is for this host
 *     forward      is for others: its route is known, its TTL not yet decremented
 *     output       comes from this host: its route is known
 *     postrouting  is about to leave, forwarded or this host's own
 *
 * Hooks see whole packets: as soon as there is one hook, fragments are put together before prerouting, and cut again
 * after postrouting where they have to be. A host without hooks pays one comparison per packet and point.
 */
import type { PacketBuffer } from '../../driver-api.ts';
import type { Link } from './link.ts';

export type HookPoint = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** In what order hooks run at one point: the lower number goes first (the priorities of nftables). */
export const HOOK_PRIORITY = { destinationNat: -100, filter: 0, sourceNat: 100 } as const;

/**
 * Looks at `packet`, which starts at its IPv4 header and whose link-layer header, if it came in with one, still stands
 * in front. `from` is where it came in, null for what this host sends; `to` is where it leaves, null where that is not
 * known or there is none. May rewrite the packet in place. False: the hook has taken it over, to drop it or to
 * answer it.
 */
export type Hook = (packet: PacketBuffer, from: Link | null, to: Link | null) => boolean;

interface Entry {
  readonly priority: number;
  readonly hook: Hook;
}

export class Hooks {
  readonly #points: Readonly<Record<HookPoint, Entry[]>> = {
    prerouting: [],
    input: [],
    forward: [],
    output: [],
    postrouting: [],
  };
  #count = 0;

  /** Whether there is any hook. */
  get active(): boolean {
    return this.#count > 0;
  }

  /** Hooks of equal priority run in the order in which they were added. */
  add(point: HookPoint, priority: number, hook: Hook): void {
    const entries = this.#points[point];
    const place = entries.findIndex(other => other.priority > priority);
    entries.splice(place < 0 ? entries.length : place, 0, { priority, hook });
    this.#count += 1;
  }

  /** False when a hook has taken `packet` over. */
  run(point: HookPoint, packet: PacketBuffer, from: Link | null, to: Link | null): boolean {
    const entries = this.#points[point];
    for (let i = 0; i < entries.length; i++) if (!entries[i]!.hook(packet, from, to)) return false;
    return true;
  }
}
