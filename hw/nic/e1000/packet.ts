/**
 * The packet that the transmitter is putting together. Its octets are gathered in a slab, a large array from which
 * frames are carved: an array per frame would cost more than moving the octets. A frame keeps its slab alive.
 */

/** Longest packet that the transmit path takes: what one descriptor may name. */
export const MAX_PACKET_BYTES = 16_288;
const VLAN_TAG_BYTES = 4;
const ADDRESSES_BYTES = 12;
const SLAB_BYTES = 65_536;

export class PacketBuilder {
  /** The slab; the packet is `length` octets from `start`. */
  bytes = new Uint8Array(SLAB_BYTES);
  start = 0;
  length = 0;

  /** Makes room for `more` octets at the end, and says where they go. Null: the packet would be too long. */
  extend(more: number): number | null {
    if (this.length + more > MAX_PACKET_BYTES) return null;
    if (this.start + this.length + more + VLAN_TAG_BYTES > SLAB_BYTES) this.#renew();
    const at = this.start + this.length;
    this.length += more;
    return at;
  }

  /** Appends zeros up to `length` octets. */
  pad(length: number): void {
    const at = this.extend(length - this.length)!;
    this.bytes.fill(0, at, this.start + length);
  }

  /** Inserts a VLAN tag behind the addresses. A packet without those has no place for one. */
  insertTag(etherType: number, tag: number): void {
    if (this.length < ADDRESSES_BYTES) return;
    const at = this.start + ADDRESSES_BYTES;
    this.bytes.copyWithin(at + VLAN_TAG_BYTES, at, this.start + this.length);
    this.bytes[at] = etherType >>> 8;
    this.bytes[at + 1] = etherType;
    this.bytes[at + 2] = tag >>> 8;
    this.bytes[at + 3] = tag;
    this.length += VLAN_TAG_BYTES;
  }

  /** The packet, which nobody writes to from now on; the next one begins behind it. */
  take(): Uint8Array {
    const octets = this.bytes.subarray(this.start, this.start + this.length);
    this.start = (this.start + this.length + 3) & ~3; // whole words: they are summed faster
    this.length = 0;
    return octets;
  }

  /** Forgets the octets gathered so far. */
  clear(): void {
    this.length = 0;
  }

  #renew(): void {
    const slab = new Uint8Array(SLAB_BYTES);
    slab.set(this.bytes.subarray(this.start, this.start + this.length));
    this.bytes = slab;
    this.start = 0;
  }
}
