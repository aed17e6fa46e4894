/**
 * The address filter: which frames are for this station. 82540EM manual, section 3.2.1. A frame passes on its
 * destination address, and then on its VLAN tag if VLAN filtering is on. Sixteen addresses match exactly; the
 * multicast table matches a hash, inexactly, so that software must look again.
 */
import { E1000 } from './registers.ts';
import { isTagged, tagOf } from './vlan.ts';

const { MTA, RAH, RAL, RCTL, VET, VFTA } = E1000;

/** Octets of the two addresses: below that there is nothing to filter. */
const ADDRESSES_BYTES = 12;
/** Right shift of the 16 bits {DA[5], DA[4]} for RCTL.MO 0 to 3. */
const HASH_SHIFTS = [4, 3, 2, 0] as const;

/** What the filter says. `inexact` is PIF in the descriptor's status. */
export const FILTER = { REJECT: 0, EXACT: 1, INEXACT: 2 } as const;
type FilterResult = (typeof FILTER)[keyof typeof FILTER];

export const isBroadcast = (octets: Uint8Array): boolean =>
  (octets[0]! & octets[1]! & octets[2]! & octets[3]! & octets[4]! & octets[5]!) === 0xff;

export class AddressFilter {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Whether the destination address lets the frame in. `octets` are a frame from DA on. */
  match(octets: Uint8Array): FilterResult {
    if (octets.length < ADDRESSES_BYTES) return FILTER.REJECT;
    const rctl = this.#words[RCTL.n]!;
    if (this.#exact(octets)) return FILTER.EXACT;
    if ((octets[0]! & 1) === 0) return (rctl & RCTL.UPE) !== 0 ? FILTER.INEXACT : FILTER.REJECT;
    if (isBroadcast(octets)) return (rctl & RCTL.BAM) !== 0 ? FILTER.EXACT : FILTER.REJECT;
    return (rctl & RCTL.MPE) !== 0 || this.#hashed(octets, rctl) ? FILTER.INEXACT : FILTER.REJECT;
  }

  /** Whether the VLAN filter lets the frame in: it looks at tagged frames only, and while RCTL.VFE is set. */
  vlanMatch(octets: Uint8Array): boolean {
    const rctl = this.#words[RCTL.n]!;
    if ((rctl & RCTL.VFE) === 0 || !isTagged(octets, this.#words[VET.n]!)) return true;
    const tag = tagOf(octets);
    const vlan = tag & 0xfff;
    if ((rctl & RCTL.CFIEN) !== 0 && ((tag >>> 12) & 1) !== ((rctl & RCTL.CFI) === 0 ? 0 : 1)) return false;
    return ((this.#words[VFTA.n + (vlan >>> 5)]! >>> (vlan & 31)) & 1) !== 0;
  }

  #exact(octets: Uint8Array): boolean {
    const words = this.#words;
    for (let i = 0; i < RAL.count; i++) {
      const high = words[RAH.n + i]!;
      if (high >= 0) continue; // AV is the sign
      const at = (high & RAH.AS) === 0 ? 0 : 6;
      if ((high & RAH.RAH) !== (octets[at + 4]! | (octets[at + 5]! << 8))) continue;
      const low = octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24);
      if (low === words[RAL.n + i]!) return true;
    }
    return false;
  }

  #hashed(octets: Uint8Array, rctl: number): boolean {
    const shift = HASH_SHIFTS[((rctl & RCTL.MO) >>> 12) as 0 | 1 | 2 | 3];
    const hash = ((octets[4]! | (octets[5]! << 8)) >>> shift) & 0xfff;
    return ((this.#words[MTA.n + (hash >>> 5)]! >>> (hash & 31)) & 1) !== 0;
  }
}
