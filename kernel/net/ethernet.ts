/**
 * Ethernet II framing: builds headers, and passes received frames to whoever registered for their EtherType (IEEE 802.3
 * clause 3.2.6). The kernel itself registers IPv4 and ARP; other network layers come as modules and do the same.
 *
 * A frame for which nobody registered is counted under its type and dropped. So is one in which the field is a length:
 * an IEEE 802.2 LLC frame.
 *
 * A frame with an IEEE 802.1Q tag has the EtherType VLAN, and goes to whoever registered for that, never to those who
 * registered for the type behind the tag: a VLAN is a network of its own. It makes no difference whether hardware or
 * this module takes the tag out and puts it in.
 *
 * Frames are handed to the interface without padding: the MAC pads to 64 octets as it adds the FCS.
 */
import { hex, readBe16, writeBe16 } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import type { PacketBuffer } from '../driver-api.ts';
import type { Drops } from './drop.ts';
import type { FrameInput, Interface } from './interface.ts';
import { ETHERNET_HEADER_BYTES, pull, push } from './packet.ts';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_VLAN = 0x8100;

/** Types that a network of those days carries too, by name. */
const KNOWN_TYPES: readonly (readonly [etherType: number, name: string])[] = [
  [0x8137, 'IPX'],
  [0x809b, 'AppleTalk'],
  [0x80f3, 'AARP'],
  [0x86dd, 'IPv6'],
  [ETHERTYPE_VLAN, 'VLAN'],
];

/** From here on the field is a type; below it is a length, or undefined. */
const FIRST_ETHERTYPE = 1536;
/** Types with a counter of their own. Frames of still more types share one. */
const MAX_TYPES = 64;
const MAC_BYTES = 6;
const TYPE_AT = 2 * MAC_BYTES;
const VLAN_TAG_BYTES = 4;

export const BROADCAST_MAC = new Uint8Array(MAC_BYTES).fill(0xff);

/**
 * Takes a frame of the registered type: `packet` starts behind the Ethernet header and now belongs to the handler.
 * `group`: it was sent to a broadcast or multicast address. That of VLAN finds the tag's control information in
 * `packet.vlanTag`, and the EtherType that it carries in the two octets before `start`.
 */
export type EtherTypeHandler = (iface: Interface, packet: PacketBuffer, group: boolean) => void;

/** Frames received of one type. */
export interface EtherTypeCounter {
  readonly etherType: number;
  readonly name: string;
  /** Whether a handler is registered. */
  readonly handled: boolean;
  readonly frames: number;
}

interface TypeEntry {
  readonly etherType: number;
  name: string;
  handler: EtherTypeHandler | null;
  frames: number;
}

export class Ethernet implements FrameInput {
  /** Frames with a length field, and frames of types beyond the first {@link MAX_TYPES}. */
  readonly counters = { lengthFrames: 0, otherTypes: 0 };
  readonly #context: KernelContext;
  readonly #drops: Drops;
  readonly #types = new Map<number, TypeEntry>();

  constructor(context: KernelContext, drops: Drops) {
    this.#context = context;
    this.#drops = drops;
    for (const [etherType, name] of KNOWN_TYPES) this.#add(etherType, name);
  }

  /** Makes `handler` take all frames of `etherType` from now on. Throws a RangeError when somebody does already. */
  register(etherType: number, name: string, handler: EtherTypeHandler): void {
    if (etherType < FIRST_ETHERTYPE || etherType > 0xffff) throw new RangeError(`no EtherType: ${hex(etherType, 4)}`);
    const entry = this.#types.get(etherType) ?? this.#add(etherType, name);
    if (entry.handler !== null) throw new RangeError(`${entry.name} has EtherType ${hex(etherType, 4)} already`);
    entry.name = name;
    entry.handler = handler;
  }

  /** Frames received, by type, for types that are known or were seen. */
  types(): readonly EtherTypeCounter[] {
    return Array.from(this.#types.values(), ({ etherType, name, handler, frames }) => {
      return { etherType, name, handled: handler !== null, frames };
    });
  }

  input(iface: Interface, packet: PacketBuffer): void {
    const { bytes, start } = packet;
    if (packet.length < ETHERNET_HEADER_BYTES) {
      this.#drops.drop(packet, iface.name, 'frame too short');
      return;
    }
    const group = (bytes[start]! & 1) !== 0;
    if (group ? !iface.isInGroup(bytes, start) : !isMac(bytes, start, iface.mac)) {
      this.#drops.drop(packet, iface.name, group ? 'group not joined' : 'not our MAC address');
      return;
    }
    let etherType = readBe16(bytes, start + TYPE_AT);
    if (packet.vlanTag !== null) etherType = ETHERTYPE_VLAN;
    else if (etherType === ETHERTYPE_VLAN && !takeTag(packet)) {
      this.#drops.drop(packet, iface.name, 'frame too short');
      return;
    }
    const entry = this.#types.get(etherType) ?? this.#firstSeen(etherType);
    const handler = entry === null ? null : entry.handler;
    const trace = this.#context.trace;
    if (trace !== null) trace.frame('in', iface.name, etherType, packet.length, handler === null ? null : entry!.name);
    if (entry !== null) entry.frames += 1;
    if (handler !== null) {
      pull(packet, ETHERNET_HEADER_BYTES);
      handler(iface, packet, group);
    } else if (etherType < FIRST_ETHERTYPE) {
      this.counters.lengthFrames += 1;
      this.#drops.drop(packet, iface.name, 'length field, not an EtherType');
    } else {
      if (entry === null) this.counters.otherTypes += 1;
      this.#drops.drop(packet, iface.name, 'no handler for its EtherType');
    }
  }

  /** Puts an Ethernet header before `packet`, which it takes over, and sends it: in a VLAN if `vlanTag` says so. */
  output(iface: Interface, packet: PacketBuffer, destination: Uint8Array, etherType: number): void {
    const tagged = packet.vlanTag !== null;
    const inOctets = tagged && !iface.features.vlan;
    if (inOctets) putTag(packet, etherType);
    push(packet, ETHERNET_HEADER_BYTES);
    const { bytes, start } = packet;
    for (let i = 0; i < MAC_BYTES; i++) {
      bytes[start + i] = destination[i]!;
      bytes[start + MAC_BYTES + i] = iface.mac[i]!;
    }
    writeBe16(bytes, start + TYPE_AT, inOctets ? ETHERTYPE_VLAN : etherType);
    const trace = this.#context.trace;
    if (trace !== null) {
      const type = tagged ? ETHERTYPE_VLAN : etherType;
      trace.frame('out', iface.name, type, packet.length, this.#types.get(type)?.name ?? null);
    }
    iface.transmit(packet);
  }

  /** A type that nobody registered: it gets a counter while there is room for one. */
  #firstSeen(etherType: number): TypeEntry | null {
    if (etherType < FIRST_ETHERTYPE || this.#types.size >= MAX_TYPES) return null;
    return this.#add(etherType, hex(etherType, 4));
  }

  #add(etherType: number, name: string): TypeEntry {
    const entry: TypeEntry = { etherType, name, handler: null, frames: 0 };
    this.#types.set(etherType, entry);
    return entry;
  }
}

function isMac(bytes: Uint8Array, at: number, mac: Uint8Array): boolean {
  for (let i = 0; i < MAC_BYTES; i++) if (bytes[at + i] !== mac[i]) return false;
  return true;
}

/** Takes the tag out of the octets of a frame, as hardware does, into `vlanTag`. False when the frame ends in it. */
function takeTag(packet: PacketBuffer): boolean {
  if (packet.length < ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES) return false;
  const { bytes, start } = packet;
  packet.vlanTag = readBe16(bytes, start + TYPE_AT + 2);
  bytes.copyWithin(start + VLAN_TAG_BYTES, start, start + TYPE_AT);
  pull(packet, VLAN_TAG_BYTES);
  return true;
}

/** Puts the tag of `vlanTag`, and the type behind it, in front of `packet`; but for 0x8100, which stands in the header. */
function putTag(packet: PacketBuffer, etherType: number): void {
  push(packet, VLAN_TAG_BYTES);
  writeBe16(packet.bytes, packet.start, packet.vlanTag!);
  writeBe16(packet.bytes, packet.start + 2, etherType);
  packet.vlanTag = null;
}
