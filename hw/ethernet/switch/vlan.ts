/**
 * Virtual LANs, IEEE 802.1Q: which VLAN a frame belongs to that comes in at a port, which ports belong to a VLAN, and
 * whether a frame leaves with a tag. A tag sits behind the addresses: 0x8100, then priority (3 bits), DEI (1) and VLAN
 * identifier (12). VID 0 says nothing but a priority; 4095 is reserved.
 *
 * An access port belongs to one VLAN and sends without tags; it also takes frames tagged with its own. A trunk port
 * sends with tags, but for its native VLAN, to which untagged arrivals belong.
 */
import { readBe16, writeBe16 } from '../../../src/lib/bytes.ts';
import { FCS_BYTES, Frame, MIN_FRAME_BYTES } from '../frame.ts';

/** The VLAN of everything where nobody has configured any; also the native VLAN of a trunk unless said otherwise. */
export const DEFAULT_VLAN = 1;
const MAX_VLAN = 4094;
const VLANS = 4096;
/** Tag protocol identifier. */
const TAG_TYPE = 0x8100;
const TAG_AT = 12;
const TAG_BYTES = 4;
const VID_MASK = 0x0fff;
/** No VLAN: the frame is not for this port. */
export const NO_VLAN = -1;

/** The part of a port in the VLANs. */
export type PortVlans =
  | { readonly access: number }
  | {
      /** The VLANs whose frames it carries, or all. */
      readonly trunk: 'all' | readonly number[];
      /** The VLAN of frames without a tag, 1 unless given; it must be among those carried. Null drops such frames. */
      readonly native?: number | null;
    };

/** Whether `octets`, DA first, carry a tag. */
export function isTagged(octets: Uint8Array): boolean {
  return octets[TAG_AT] === TAG_TYPE >>> 8 && octets[TAG_AT + 1] === (TAG_TYPE & 0xff);
}

export class VlanMembership {
  /** The VLAN of frames without a tag: an access port's own, or the native one; -1 for none. */
  readonly untagged: number;
  readonly trunk: boolean;
  /** By VLAN: 1 where this port belongs to it. */
  readonly #member = new Uint8Array(VLANS);

  /** Throws a RangeError when that makes no sense. */
  constructor(vlans: PortVlans) {
    this.trunk = 'trunk' in vlans;
    if ('access' in vlans) {
      this.untagged = checked(vlans.access);
      this.#member[this.untagged] = 1;
      return;
    }
    const { trunk, native } = vlans;
    if (trunk === 'all') this.#member.fill(1, 1, MAX_VLAN + 1);
    else for (const vlan of trunk) this.#member[checked(vlan)] = 1;
    // A trunk that leaves VLAN 1 out, and says nothing, has no native VLAN.
    if (native === undefined) this.untagged = this.#member[DEFAULT_VLAN] === 1 ? DEFAULT_VLAN : NO_VLAN;
    else this.untagged = native === null ? NO_VLAN : checked(native);
    if (this.untagged !== NO_VLAN && this.#member[this.untagged] === 0) {
      throw new RangeError(`native VLAN ${this.untagged} is not among those that the trunk carries`);
    }
  }

  /** The VLAN of a frame that comes in here, 6.9 of 802.1Q; -1 when it may not. */
  vlanOf(octets: Uint8Array): number {
    const vid = isTagged(octets) ? readBe16(octets, TAG_AT + 2) & VID_MASK : 0;
    if (vid === 0) return this.untagged;
    return this.#member[vid] === 1 ? vid : NO_VLAN;
  }

  /** Whether frames of `vlan` leave here. */
  has(vlan: number): boolean {
    return this.#member[vlan] === 1;
  }

  /** Whether frames of `vlan` leave here with a tag. */
  tags(vlan: number): boolean {
    return this.trunk && vlan !== this.untagged;
  }
}

/** `frame` with the tag of `vlan`: itself if it has that already, else a new one with a new FCS. Priority is kept. */
export function tagged(frame: Frame, vlan: number): Frame {
  const { octets } = frame;
  const old = isTagged(octets) ? readBe16(octets, TAG_AT + 2) : NO_VLAN;
  if (old !== NO_VLAN && (old & VID_MASK) === vlan) return frame;
  const from = old === NO_VLAN ? TAG_AT : TAG_AT + TAG_BYTES;
  const changed = new Uint8Array(octets.length - from + TAG_AT + TAG_BYTES);
  changed.set(octets.subarray(0, TAG_AT));
  writeBe16(changed, TAG_AT, TAG_TYPE);
  writeBe16(changed, TAG_AT + 2, (old === NO_VLAN ? 0 : old & ~VID_MASK) | vlan);
  changed.set(octets.subarray(from), TAG_AT + TAG_BYTES);
  return Frame.withFcs(changed);
}

/** `frame` without a tag: itself if it has none, else a new one with a new FCS, made up to the least length. */
export function untagged(frame: Frame): Frame {
  const { octets } = frame;
  if (!isTagged(octets)) return frame;
  const changed = new Uint8Array(Math.max(octets.length - TAG_BYTES, MIN_FRAME_BYTES - FCS_BYTES));
  changed.set(octets.subarray(0, TAG_AT));
  changed.set(octets.subarray(TAG_AT + TAG_BYTES), TAG_AT);
  return Frame.withFcs(changed);
}

function checked(vlan: number): number {
  if (!(Number.isInteger(vlan) && vlan >= 1 && vlan <= MAX_VLAN))
    throw new RangeError(`no VLAN has the number ${vlan}`);
  return vlan;
}
