/**
 * Reassembly of datagrams from fragments: RFC 791 section 3.2 and RFC 1122 section 3.3.2, for datagrams of up to 65,535
 * octets, in any order. What is done with fragments that nobody sends in good faith:
 *
 *     a fragment again             ignored
 *     one that overlaps others     the whole datagram goes, with what of it is still to come (RFC 5722 section 4)
 *     TCP in tiny pieces           dropped, for filters cannot judge them (RFC 1858 section 3, RFC 3128 section 2)
 *     more than memory allows      the oldest datagrams go
 *
 * What is not whole after {@link REASSEMBLY_NS}, counted from the fragment that came first, goes too; its sender hears of
 * it if the fragment with the header of the transport is there. A datagram is whole or it is nothing: no octet is ever
 * read before.
 */
import type { KernelContext } from '../../context.ts';
import type { DriverTimer, PacketBuffer } from '../../driver-api.ts';
import type { DropReason, Drops } from '../drop.ts';
import type { IcmpErrors } from '../icmp-error.ts';
import { TIME_EXCEEDED } from '../icmp-message.ts';
import { MAX_IPV4_BYTES } from '../packet.ts';
import { TCP_PROTOCOL } from '../tcp/segment.ts';
import { MORE_FRAGMENTS, parseUnchecked } from './header.ts';
import type { Ipv4Arrival } from './input.ts';
import { PartialDatagram } from './partial-datagram.ts';

/** How long a datagram may take: "between 60 and 120 seconds", and no fragment prolongs it (RFC 1122 section 3.3.2). */
const REASSEMBLY_NS = 60_000_000_000;
/** Datagrams in work at once. */
const MAX_DATAGRAMS = 256;
/** Buffers that they hold at most, and the part of the pool that is never exceeded either. */
const MAX_BUFFERS = 256;
const POOL_SHARE = 0.25;
/** Code of time exceeded. */
const REASSEMBLY_TIME_EXCEEDED = 1;
/** RFC 1858 section 3.2: a first fragment with less of TCP does not have all that filters look at. */
const TCP_MIN_BYTES = 16;

export class Reassembly {
  readonly counters = { fragments: 0, reassembled: 0, timedOut: 0, evicted: 0 };
  readonly #context: KernelContext;
  readonly #errors: IcmpErrors;
  readonly #drops: Drops;
  /** Filled in for a datagram that is given up. */
  readonly #given: Ipv4Arrival;
  /** Oldest first. */
  readonly #datagrams: PartialDatagram[] = [];
  readonly #timer: DriverTimer;
  readonly #maxBuffers: number;
  #bufferCount = 0;

  /** `scratch` is this object's from now on. */
  constructor(context: KernelContext, errors: IcmpErrors, drops: Drops, scratch: Ipv4Arrival) {
    this.#context = context;
    this.#errors = errors;
    this.#drops = drops;
    this.#given = scratch;
    this.#timer = context.timer(() => this.#expire());
    const { free, cpu, device } = context.packets.usage();
    this.#maxBuffers = Math.min(MAX_BUFFERS, Math.floor((free + cpu + device) * POOL_SHARE));
  }

  /** Datagrams in work, those among them of which nothing is kept, and the buffers that they hold. */
  get datagramCount(): number {
    return this.#datagrams.length;
  }

  get bufferCount(): number {
    return this.#bufferCount;
  }

  /**
   * Takes over a fragment: `packet` starts at its header, which `arrival` describes, and ends with its payload. Returns
   * the datagram that it made whole, from its header on, as if it had come in one piece, where its first fragment came in:
   * `arrival` then describes that.
   * Null: there is nothing to go on with.
   */
  add(packet: PacketBuffer, arrival: Ipv4Arrival): PacketBuffer | null {
    this.counters.fragments += 1;
    const fault = faultOf(arrival);
    if (fault !== null) {
      this.#drops.drop(packet, 'ipv4', fault);
      return null;
    }
    const datagram = this.#find(arrival) ?? this.#begin(arrival);
    const refusal = this.#place(datagram, packet, arrival);
    if (refusal !== null) {
      this.#drops.drop(packet, 'ipv4', refusal);
      return null;
    }
    this.#context.packets.free(packet);
    return datagram.whole ? this.#finish(datagram, arrival) : null;
  }

  /** Null when the fragment is in its place; otherwise why it is of no use. */
  #place(datagram: PartialDatagram, packet: PacketBuffer, arrival: Ipv4Arrival): DropReason | null {
    if (datagram.spoilt) return 'overlapping fragment';
    if (!this.#makeRoom(datagram, datagram.missingBuffers(arrival))) return 'reassembly is full';
    const before = datagram.bufferCount;
    const placement = datagram.place(this.#context.packets, packet, arrival);
    this.#bufferCount += datagram.bufferCount - before;
    switch (placement) {
      case 'placed':
        return null;
      case 'duplicate':
        return 'duplicate fragment';
      case 'no buffer':
        return 'no packet buffer is free';
      default:
        // It stays in the list without memory, so that what is still to come makes no datagram of its own.
        this.#release(datagram);
        datagram.spoilt = true;
        return 'overlapping fragment';
    }
  }

  #find(arrival: Ipv4Arrival): PartialDatagram | null {
    for (let i = 0; i < this.#datagrams.length; i++) {
      if (this.#datagrams[i]!.isOf(arrival)) return this.#datagrams[i]!;
    }
    return null;
  }

  #begin(arrival: Ipv4Arrival): PartialDatagram {
    if (this.#datagrams.length === MAX_DATAGRAMS) this.#evict(0);
    const datagram = new PartialDatagram(arrival, this.#context.nowNs());
    this.#datagrams.push(datagram);
    if (this.#datagrams.length === 1) this.#timer.armIn(REASSEMBLY_NS);
    return datagram;
  }

  #finish(datagram: PartialDatagram, arrival: Ipv4Arrival): PacketBuffer {
    this.#bufferCount -= datagram.bufferCount;
    const packet = datagram.take();
    this.#remove(this.#datagrams.indexOf(datagram));
    parseUnchecked(packet.bytes, packet.start, packet.length, arrival);
    arrival.link = datagram.link;
    this.counters.reassembled += 1;
    return packet;
  }

  /** Evicts the oldest datagrams, but not `keep`, until `buffers` more are within the bound. False: they never are. */
  #makeRoom(keep: PartialDatagram, buffers: number): boolean {
    for (let i = 0; i < this.#datagrams.length && this.#bufferCount + buffers > this.#maxBuffers; ) {
      if (this.#datagrams[i] === keep || this.#datagrams[i]!.bufferCount === 0) i += 1;
      else this.#evict(i);
    }
    return this.#bufferCount + buffers <= this.#maxBuffers;
  }

  #evict(index: number): void {
    this.#release(this.#datagrams[index]!);
    this.#remove(index);
    this.counters.evicted += 1;
    this.#drops.count('ipv4', 'reassembly is full');
  }

  #release(datagram: PartialDatagram): void {
    this.#bufferCount -= datagram.bufferCount;
    datagram.discard(this.#context.packets);
  }

  #remove(index: number): void {
    this.#datagrams.splice(index, 1);
    if (this.#datagrams.length === 0) this.#timer.cancel();
  }

  /** The timer is armed for the oldest datagram that there was; there may be an older one no more. */
  #expire(): void {
    const nowNs = this.#context.nowNs();
    for (;;) {
      const oldest = this.#datagrams[0];
      if (oldest === undefined) return;
      const leftNs = oldest.sinceNs + REASSEMBLY_NS - nowNs;
      if (leftNs > 0) {
        this.#timer.armIn(leftNs);
        return;
      }
      this.#giveUp(oldest);
    }
  }

  /** RFC 1122 section 3.3.2: nobody is told who would not know of which datagram. */
  #giveUp(datagram: PartialDatagram): void {
    if (!datagram.spoilt) {
      this.counters.timedOut += 1;
      this.#drops.count('ipv4', 'reassembly timed out');
      if (datagram.headerBytes > 0) this.#report(datagram);
    }
    this.#release(datagram);
    this.#remove(0);
  }

  #report(datagram: PartialDatagram): void {
    const first = datagram.first();
    const { bytes, start } = first;
    const arrival = this.#given;
    const { headerBytes } = datagram;
    parseUnchecked(bytes, start - headerBytes, headerBytes, arrival);
    arrival.group = datagram.group;
    this.#errors.send(TIME_EXCEEDED, REASSEMBLY_TIME_EXCEEDED, 0, first, arrival);
  }
}

/** What is wrong with a fragment whatever others there are, or null. */
function faultOf(arrival: Ipv4Arrival): DropReason | null {
  const { headerBytes, totalBytes, offsetBytes } = arrival;
  const payloadBytes = totalBytes - headerBytes;
  const more = (arrival.fragment & MORE_FRAGMENTS) !== 0;
  if (payloadBytes === 0 || (more && payloadBytes % 8 !== 0)) return 'malformed fragment';
  if (headerBytes + offsetBytes + payloadBytes > MAX_IPV4_BYTES) return 'malformed fragment';
  if (arrival.protocol !== TCP_PROTOCOL) return null;
  const tiny = offsetBytes === 8 || (offsetBytes === 0 && payloadBytes < TCP_MIN_BYTES);
  return tiny ? 'tiny fragment' : null;
}
