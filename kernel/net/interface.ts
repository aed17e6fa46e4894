/**
 * A network interface: the border between the stack and one driver. It has a hardware address, an IPv4 address, the
 * state of its link, and a queue for packets that come while the driver is out of descriptors.
 *
 * Who calls: the driver `receive` (from deferred work), `wakeQueue` and `linkChanged`; the stack `transmit` and `send`.
 * A driver's `transmit` is full of bus accesses, so an interrupt handler may call `wakeQueue` in the middle of it. It
 * then only notes that there is room: the loop that is under way goes on. What a change of the link brings about is
 * deferred work, for the same reason.
 */
import { formatMac, readBe16, readBe32 } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import type { DeferredWork, LinkState, NetDriverOps, NetFeatures, NetInterface, PacketBuffer } from '../driver-api.ts';
import { chainBytes } from './chain.ts';
import type { Drops } from './drop.ts';
import { LIMITED_BROADCAST, maskOf } from './ipv4/address.ts';
import type { Link } from './ipv4/link.ts';
import { MIN_MTU } from './ipv4/path-mtu.ts';

/** Octets of payload in a frame (IEEE 802.3 clause 3.2.7). */
export const ETHERNET_MTU = 1500;
/** Packets that wait for the driver; the next one is dropped. */
const TRANSMIT_QUEUE_PACKETS = 128;
/** Offers to the driver in one go, after which one that neither takes packets nor means it is left alone. */
const MAX_OFFERS = 2 * TRANSMIT_QUEUE_PACKETS;
/** The longest prefix of a network that has a directed broadcast address (RFC 3021). */
const LONGEST_BROADCAST_PREFIX = 30;

/** Group addresses that an interface receives at most. */
const MAX_GROUPS = 1024;
/** 224.0.0.1, to which every host with an address belongs (RFC 1112 section 4). */
const ALL_HOSTS = macOfGroup(0xe000_0001);

const BROADCAST_KEY = 2 ** 48 - 1;
const LINK_DOWN: LinkState = { up: false, speedMbps: 0, fullDuplex: false };

/** Where received frames go: Ethernet. */
export interface FrameInput {
  input(iface: Interface, packet: PacketBuffer): void;
}

/** Who finds the hardware address of a next hop: the ARP cache. */
export interface Neighbours {
  /** Sends `packet`, which starts at its IPv4 header. Takes the packet over. */
  send(packet: PacketBuffer, nextHop: number): void;
  linkChanged(up: boolean): void;
}

/** Who must know whether packets can go this way: the routing table. */
export interface LinkObserver {
  linkChanged(link: Link, up: boolean): void;
}

/** A group address, and how many want its frames. */
interface Group {
  readonly mac: Uint8Array;
  users: number;
}

export class Interface implements NetInterface, Link {
  /** Position among the interfaces of the host, from 0. */
  readonly index: number;
  readonly name: string;
  readonly type = 'Ethernet';
  readonly mac: Uint8Array;
  readonly loopback = false;
  readonly features: NetFeatures;
  readonly counters = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0 };
  readonly #context: KernelContext;
  readonly #ops: NetDriverOps;
  readonly #drops: Drops;
  readonly #upper: FrameInput;
  readonly #linkWork: DeferredWork;
  #mtu = ETHERNET_MTU;
  #address = 0;
  #prefixLength = 0;
  #broadcast = LIMITED_BROADCAST;
  #neighbours: Neighbours | null = null;
  #routes: LinkObserver | null = null;
  #link = LINK_DOWN;
  /** By the address as a number. */
  readonly #groups = new Map<number, Group>();
  /** A ring. The packet at the head may be on offer to the driver. */
  readonly #queue: (PacketBuffer | null)[] = new Array(TRANSMIT_QUEUE_PACKETS).fill(null);
  #head = 0;
  #count = 0;
  /** The driver had no room, and has not called `wakeQueue` since. */
  #stopped = false;
  #offering = false;

  /** The interface has no IPv4 address yet. */
  constructor(
    context: KernelContext,
    index: number,
    mac: Uint8Array,
    ops: NetDriverOps,
    drops: Drops,
    upper: FrameInput,
  ) {
    this.#context = context;
    this.index = index;
    this.name = `eth${index}`;
    this.mac = mac.slice();
    this.features = ops.features;
    this.#ops = ops;
    this.#drops = drops;
    this.#upper = upper;
    this.#linkWork = context.deferred(`${this.name} link`, () => this.#linkHasChanged());
  }

  get mtu(): number {
    return this.#mtu;
  }

  get address(): number {
    return this.#address;
  }

  get prefixLength(): number {
    return this.#prefixLength;
  }

  get broadcast(): number {
    return this.#broadcast;
  }

  get link(): LinkState {
    return this.#link;
  }

  get neighbours(): Neighbours | null {
    return this.#neighbours;
  }

  /** For the stack alone, once. */
  attach(neighbours: Neighbours, routes: LinkObserver | null): void {
    this.#neighbours = neighbours;
    this.#routes = routes;
    routes?.linkChanged(this, false);
  }

  /**
   * For the stack alone, which keeps routes in step. Address 0: none, and then the interface receives broadcasts only.
   */
  setAddress(address: number, prefixLength: number): void {
    if (address !== 0 && this.#address === 0) this.join(ALL_HOSTS);
    if (address === 0 && this.#address !== 0) this.leave(ALL_HOSTS);
    this.#address = address;
    this.#prefixLength = prefixLength;
    const hasBroadcast = address !== 0 && prefixLength <= LONGEST_BROADCAST_PREFIX;
    this.#broadcast = hasBroadcast ? (address | ~maskOf(prefixLength)) >>> 0 : LIMITED_BROADCAST;
  }

  /** How long a packet may be that is sent. What comes in may be as long as the hardware takes. Throws a RangeError. */
  setMtu(mtu: number): void {
    if (!Number.isInteger(mtu) || mtu < MIN_MTU || mtu > ETHERNET_MTU) {
      throw new RangeError(`an MTU of ${mtu}: it is ${MIN_MTU} to ${ETHERNET_MTU}`);
    }
    this.#mtu = mtu;
  }

  /** Starts the hardware. Throws what the driver throws. */
  open(): void {
    this.#ops.open();
  }

  close(): void {
    this.#ops.close();
  }

  /**
   * Receives frames to the group address `mac` until `leave` was called as often as this. Throws a RangeError when that
   * is no group's address, or one too many.
   */
  join(mac: Uint8Array): void {
    const key = keyOf(mac, 0);
    const group = this.#groups.get(key);
    if (group !== undefined) {
      group.users += 1;
      return;
    }
    if ((mac[0]! & 1) === 0) throw new RangeError(`${formatMac(mac)} is one station's address, not a group's`);
    if (this.#groups.size === MAX_GROUPS) throw new RangeError(`${this.name} receives ${MAX_GROUPS} groups already`);
    this.#groups.set(key, { mac: mac.slice(), users: 1 });
    this.#groupsChanged();
  }

  /** Throws a RangeError when there was no `join` for it. */
  leave(mac: Uint8Array): void {
    const key = keyOf(mac, 0);
    const group = this.#groups.get(key);
    if (group === undefined) throw new RangeError(`${this.name} has not joined ${formatMac(mac)}`);
    group.users -= 1;
    if (group.users > 0) return;
    this.#groups.delete(key);
    this.#groupsChanged();
  }

  joinGroup(group: number): void {
    this.join(macOfGroup(group));
  }

  leaveGroup(group: number): void {
    this.leave(macOfGroup(group));
  }

  /** Whether frames to the group address at `at` are for this host. All those to the broadcast address are. */
  isInGroup(bytes: Uint8Array, at: number): boolean {
    const key = keyOf(bytes, at);
    return key === BROADCAST_KEY || this.#groups.has(key);
  }

  /** The interface's counters and the driver's, by name. */
  statistics(): Readonly<Record<string, number>> {
    return { ...this.counters, ...this.#ops.statistics() };
  }

  // For the driver.

  receive(packet: PacketBuffer): void {
    this.counters.rxPackets += 1;
    this.counters.rxBytes += packet.length;
    this.#upper.input(this, packet);
  }

  wakeQueue(): void {
    this.#stopped = false;
    this.#offer();
  }

  linkChanged(link: LinkState): void {
    this.#link = link;
    this.#linkWork.schedule();
  }

  // For the stack.

  /** Sends an IPv4 packet to a neighbour. Takes the packet over. */
  send(packet: PacketBuffer, nextHop: number): void {
    this.#neighbours!.send(packet, nextHop);
  }

  /** Sends a frame, header and all. Takes the packet over. */
  transmit(packet: PacketBuffer): void {
    if (!this.#link.up || this.#count === TRANSMIT_QUEUE_PACKETS) {
      this.counters.txDropped += 1;
      this.#drops.drop(packet, this.name, this.#link.up ? 'transmit queue is full' : 'link is down');
      return;
    }
    this.#queue[(this.#head + this.#count) % TRANSMIT_QUEUE_PACKETS] = packet;
    this.#count += 1;
    this.#offer();
  }

  #groupsChanged(): void {
    this.#ops.setMulticast(Array.from(this.#groups.values(), ({ mac }) => mac));
  }

  /** Offers packets to the driver, oldest first, until it has no room. */
  #offer(): void {
    if (this.#offering) return;
    this.#offering = true;
    for (let offers = 0; this.#count > 0 && !this.#stopped && offers < MAX_OFFERS; offers++) {
      const packet = this.#queue[this.#head]!;
      const lengthBytes = chainBytes(packet);
      // Stopped beforehand: `wakeQueue` may come while the driver is still about to say that it has no room.
      this.#stopped = true;
      if (!this.#ops.transmit(packet)) continue;
      this.#stopped = false;
      this.#removeHead();
      this.counters.txPackets += 1;
      this.counters.txBytes += lengthBytes;
    }
    this.#offering = false;
  }

  #removeHead(): void {
    this.#queue[this.#head] = null;
    this.#head = (this.#head + 1) % TRANSMIT_QUEUE_PACKETS;
    this.#count -= 1;
  }

  /** Deferred work, so the driver is not in the middle of a packet. What waited for a dead link is of no use later. */
  #linkHasChanged(): boolean {
    const { up, speedMbps, fullDuplex } = this.#link;
    this.#context.log(
      `${this.name}: link ${up ? `up, ${speedMbps} Mb/s ${fullDuplex ? 'full' : 'half'} duplex` : 'down'}`,
    );
    while (!up && this.#count > 0) {
      const packet = this.#queue[this.#head]!;
      this.#removeHead();
      this.counters.txDropped += 1;
      this.#drops.drop(packet, this.name, 'link is down');
    }
    this.#routes?.linkChanged(this, up);
    this.#neighbours?.linkChanged(up);
    return false;
  }
}

/** A MAC address as a number. */
const keyOf = (bytes: Uint8Array, at: number): number => readBe16(bytes, at) * 2 ** 32 + readBe32(bytes, at + 2);

/** RFC 1112 section 6.4: the lower 23 bits of the address. */
export function macOfGroup(group: number): Uint8Array {
  return Uint8Array.of(0x01, 0x00, 0x5e, (group >>> 16) & 0x7f, (group >>> 8) & 0xff, group & 0xff);
}
