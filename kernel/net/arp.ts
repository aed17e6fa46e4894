/**
 * The ARP cache of one interface: RFC 826, with the rules of RFC 1122 section 2.3.2 for ageing, for flooding (at most
 * one request a second for an address), and for the packets that wait.
 *
 *     (none) --packet--> incomplete --heard of--> reachable --1 min--> stale --packet--> probe
 *       ^                    |                        ^                  |                 |
 *       +----no answer-------+                        +---heard of-------|-----------------+
 *       +--------------------------------------------------1 min---------+----no answer----+
 *
 * `stale` and `probe` entries are used as they are; `probe` asks the neighbour itself, by unicast, whether it is still
 * there. All of this runs as deferred work or from a task's send, never from an interrupt handler.
 */
import { formatIpv4, formatMac } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import type { DriverTimer, PacketBuffer } from '../driver-api.ts';
import type { AddressClaim } from './address-claim.ts';
import { ARP_PACKET_BYTES, ArpPacket, emitArp, parseArp, REPLY, REQUEST } from './arp-packet.ts';
import type { Drops } from './drop.ts';
import { BROADCAST_MAC, ETHERTYPE_ARP, ETHERTYPE_IPV4, type Ethernet } from './ethernet.ts';
import { type Interface, macOfGroup, type Neighbours } from './interface.ts';
import { isClassDOrE, isLoopback, isMulticast, LIMITED_BROADCAST } from './ipv4/address.ts';
import { FRAGMENT_OFFSET, fragmentWordOf } from './ipv4/header.ts';
import { ETHERNET_HEADER_BYTES } from './packet.ts';

const SECOND_NS = 1_000_000_000;
/** How long an entry is believed: "on the order of a minute" (RFC 1122 section 2.3.2.1). */
const REACHABLE_NS = 60 * SECOND_NS;
/** How long one that nobody uses is kept after that. */
const STALE_NS = 60 * SECOND_NS;
/** Between two requests for one address. */
const RETRY_NS = SECOND_NS;
/** Requests without an answer after which the address counts as unreachable. */
const MAX_REQUESTS = 3;
const MAX_ENTRIES = 512;
/** Datagrams that wait for one address, in however many fragments; a newer one takes the place of the oldest. */
const QUEUE_DATAGRAMS = 4;
/** Packets that wait in all, so that a scan of a network cannot take every buffer. */
const MAX_WAITING = 64;

const NO_MAC = new Uint8Array(6);

export type ArpState = 'incomplete' | 'reachable' | 'stale' | 'probe';

/** A row of the table, for inspection. */
export interface ArpRow {
  readonly address: number;
  /** Text form; null while the entry is incomplete. */
  readonly mac: string | null;
  readonly state: ArpState;
  /** Packets that wait for the address. */
  readonly waiting: number;
}

interface Entry {
  readonly address: number;
  readonly mac: Uint8Array;
  state: ArpState;
  /** Requests sent since the last answer. */
  requests: number;
  readonly timer: DriverTimer;
  readonly waiting: PacketBuffer[];
  /** Those among them that begin a datagram. */
  datagrams: number;
}

export class ArpCache implements Neighbours {
  readonly counters = { requestsSent: 0, repliesSent: 0, received: 0, failures: 0 };
  readonly #context: KernelContext;
  readonly #iface: Interface;
  readonly #ethernet: Ethernet;
  readonly #drops: Drops;
  readonly #unreachable: (packet: PacketBuffer) => void;
  readonly #entries = new Map<number, Entry>();
  readonly #received = new ArpPacket();
  readonly #sent = new ArpPacket();
  #claim: AddressClaim | null = null;
  #waitingCount = 0;
  /** As int32. */
  readonly #proxied = new Set<number>();

  /** `unreachable` is told of each packet that is given up, before it is freed; the packet starts at its IPv4 header. */
  constructor(
    context: KernelContext,
    iface: Interface,
    ethernet: Ethernet,
    drops: Drops,
    unreachable: (packet: PacketBuffer) => void,
  ) {
    this.#context = context;
    this.#iface = iface;
    this.#ethernet = ethernet;
    this.#drops = drops;
    this.#unreachable = unreachable;
  }

  /** For the address of the interface alone, once: `claim` hears what comes in. */
  attach(claim: AddressClaim): void {
    this.#claim = claim;
  }

  /** Broadcasts a request for `address`, which comes from it, or, as a probe, from nobody (RFC 5227). */
  ask(address: number, probe: boolean): void {
    this.#emit(REQUEST, BROADCAST_MAC, probe ? 0 : address, address, NO_MAC);
  }

  /** The entries, oldest first. */
  table(): readonly ArpRow[] {
    return Array.from(this.#entries.values(), ({ address, mac, state, waiting }) => {
      return { address, mac: state === 'incomplete' ? null : formatMac(mac), state, waiting: waiting.length };
    });
  }

  /** Answers requests for `address` as for the interface's own: what is sent to it comes here (RFC 1027). */
  answerFor(address: number): void {
    this.#proxied.add(address | 0);
  }

  send(packet: PacketBuffer, nextHop: number): void {
    if (nextHop === LIMITED_BROADCAST || nextHop === this.#iface.broadcast) {
      this.#ethernet.output(this.#iface, packet, BROADCAST_MAC, ETHERTYPE_IPV4);
      return;
    }
    if (isMulticast(nextHop)) {
      this.#ethernet.output(this.#iface, packet, macOfGroup(nextHop), ETHERTYPE_IPV4);
      return;
    }
    const entry = this.#entries.get(nextHop | 0) ?? this.#add(nextHop);
    if (entry === null) {
      this.#drops.drop(packet, this.#iface.name, 'ARP table is full');
      return;
    }
    if (entry.state === 'incomplete') {
      this.#wait(entry, packet);
      return;
    }
    this.#trace('found', nextHop, entry.mac);
    if (entry.state === 'stale') this.#probe(entry);
    this.#ethernet.output(this.#iface, packet, entry.mac, ETHERTYPE_IPV4);
  }

  /** RFC 826, "Packet Reception". `packet` starts at ar$hrd; it is freed here. */
  input(packet: PacketBuffer): void {
    const arp = this.#received;
    if (!parseArp(packet.bytes, packet.start, packet.length, arp) || !this.#isPlausible(arp)) {
      this.#drops.drop(packet, this.#iface.name, 'malformed ARP');
      return;
    }
    this.#context.packets.free(packet);
    this.counters.received += 1;
    if (isSameMac(arp.senderMac, this.#iface.mac)) return;
    if (this.#claim?.heard(arp) === true) {
      this.#trace('address conflict', arp.senderAddress, arp.senderMac);
      return;
    }
    const own = this.#iface.address;
    if (own === 0) return;
    const forMe = arp.targetAddress === own || this.#proxied.has(arp.targetAddress | 0);
    // A probe (RFC 5227) comes from nobody: there is nothing to learn, but the answer defends the address.
    if (arp.senderAddress !== 0) this.#merge(arp, forMe);
    if (forMe && arp.opcode === REQUEST) this.#reply(arp);
  }

  linkChanged(up: boolean): void {
    if (!up) for (const entry of this.#entries.values()) this.#remove(entry);
    this.#claim?.linkChanged(up);
  }

  /** What no station can say of itself: an address that is not one host's. */
  #isPlausible(arp: ArpPacket): boolean {
    return (arp.senderMac[0]! & 1) === 0 && !isClassDOrE(arp.senderAddress) && !isLoopback(arp.senderAddress);
  }

  /** RFC 826's merge flag: who is known is updated by any packet, who is not is entered only if it asks for us. */
  #merge(arp: ArpPacket, forMe: boolean): void {
    const known = this.#entries.get(arp.senderAddress | 0);
    if (known === undefined && !forMe) return;
    const entry = known ?? this.#create(arp.senderAddress);
    if (entry === null) return;
    entry.mac.set(arp.senderMac);
    entry.state = 'reachable';
    entry.requests = 0;
    entry.timer.armIn(REACHABLE_NS);
    this.#trace('learned', entry.address, entry.mac);
    this.#waitingCount -= entry.waiting.length;
    for (const packet of entry.waiting) this.#ethernet.output(this.#iface, packet, entry.mac, ETHERTYPE_IPV4);
    entry.waiting.length = entry.datagrams = 0;
  }

  #reply(arp: ArpPacket): void {
    this.counters.repliesSent += 1;
    this.#emit(REPLY, arp.senderMac, arp.targetAddress, arp.senderAddress, arp.senderMac);
  }

  /** An entry for `address`, and the first request for it. */
  #add(address: number): Entry | null {
    const entry = this.#create(address);
    if (entry !== null) this.#request(entry, BROADCAST_MAC);
    return entry;
  }

  #create(address: number): Entry | null {
    if (this.#entries.size >= MAX_ENTRIES && !this.#evict()) return null;
    const entry: Entry = {
      address,
      mac: new Uint8Array(6),
      state: 'incomplete',
      requests: 0,
      timer: this.#context.timer(() => this.#timeout(entry)),
      waiting: [],
      datagrams: 0,
    };
    this.#entries.set(address | 0, entry);
    return entry;
  }

  /** Makes room: the oldest stale entry goes, or else the oldest on which no packet waits. */
  #evict(): boolean {
    let victim: Entry | null = null;
    for (const entry of this.#entries.values()) {
      if (entry.state === 'stale') {
        victim = entry;
        break;
      }
      if (entry.state === 'reachable') victim ??= entry;
    }
    if (victim !== null) this.#remove(victim);
    return victim !== null;
  }

  #wait(entry: Entry, packet: PacketBuffer): void {
    const begins = beginsDatagram(packet);
    if (begins && entry.datagrams === QUEUE_DATAGRAMS) this.#dropOldest(entry);
    if (this.#waitingCount === MAX_WAITING) {
      this.#drops.drop(packet, this.#iface.name, 'ARP queue is full');
      return;
    }
    this.#waitingCount += 1;
    entry.waiting.push(packet);
    if (begins) entry.datagrams += 1;
  }

  /** Makes room for a datagram: a part of the oldest would be of no use. */
  #dropOldest(entry: Entry): void {
    do {
      this.#waitingCount -= 1;
      this.#drops.drop(entry.waiting.shift()!, this.#iface.name, 'ARP queue is full');
    } while (entry.waiting.length > 0 && !beginsDatagram(entry.waiting[0]!));
    entry.datagrams -= 1;
  }

  #probe(entry: Entry): void {
    entry.state = 'probe';
    this.#request(entry, entry.mac);
  }

  #request(entry: Entry, destination: Uint8Array): void {
    entry.requests += 1;
    entry.timer.armIn(RETRY_NS);
    this.counters.requestsSent += 1;
    this.#emit(REQUEST, destination, this.#iface.address, entry.address, NO_MAC);
  }

  /** The time of the entry's state is up. */
  #timeout(entry: Entry): void {
    if (entry.state === 'reachable') {
      entry.state = 'stale';
      entry.timer.armIn(STALE_NS);
    } else if (entry.state === 'stale') {
      this.#remove(entry);
    } else if (entry.requests < MAX_REQUESTS) {
      this.#request(entry, entry.state === 'probe' ? entry.mac : BROADCAST_MAC);
    } else {
      this.counters.failures += 1;
      this.#trace('no answer', entry.address, null);
      this.#remove(entry);
    }
  }

  #remove(entry: Entry): void {
    entry.timer.cancel();
    this.#entries.delete(entry.address | 0);
    this.#waitingCount -= entry.waiting.length;
    for (const packet of entry.waiting) {
      this.#unreachable(packet);
      this.#drops.drop(packet, this.#iface.name, 'host unreachable');
    }
  }

  /** Without a buffer nothing is sent: the timer, or the neighbour, asks again. */
  #emit(
    opcode: number,
    destination: Uint8Array,
    senderAddress: number,
    targetAddress: number,
    targetMac: Uint8Array,
  ): void {
    const packet = this.#context.packets.allocate();
    if (packet === null) return;
    const arp = this.#sent;
    arp.opcode = opcode;
    arp.senderMac = this.#iface.mac;
    arp.senderAddress = senderAddress;
    arp.targetMac = targetMac;
    arp.targetAddress = targetAddress;
    packet.start += ETHERNET_HEADER_BYTES;
    packet.length = ARP_PACKET_BYTES;
    emitArp(packet.bytes, packet.start, arp);
    this.#trace(opcode === REQUEST ? 'who has' : 'reply to', targetAddress, opcode === REQUEST ? null : targetMac);
    this.#ethernet.output(this.#iface, packet, destination, ETHERTYPE_ARP);
  }

  #trace(what: string, address: number, mac: Uint8Array | null): void {
    const trace = this.#context.trace;
    if (trace === null) return;
    const at = mac === null ? '' : ` at ${formatMac(mac)}`;
    trace.arp(`${this.#iface.name}: ${what} ${formatIpv4(address)}${at}`);
  }
}

/** Whether an IPv4 packet is not a fragment, or the first. */
const beginsDatagram = ({ bytes, start }: PacketBuffer): boolean =>
  (fragmentWordOf(bytes, start) & FRAGMENT_OFFSET) === 0;

function isSameMac(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
