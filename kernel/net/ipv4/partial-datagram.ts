/**
 * A datagram of which some fragments have come. Each octet of its payload has a fixed place in a chain of packet buffers
 * (`../chain.ts`); a buffer is there as soon as a fragment needs it. So a datagram takes as much memory as its payload,
 * be its fragments large or small.
 *
 * What has come is a list of ranges that never touch the same octet, by offset. As none overlap, the datagram is whole
 * when the octets that came are as many as it has: the hole list of RFC 815 is what the list leaves out.
 */
import type { PacketBuffer, PacketPool } from '../../driver-api.ts';
import { allocateChainBuffer, CHAIN_BYTES } from '../chain.ts';
import { ETHERNET_HEADER_BYTES, MAX_IPV4_BYTES, push } from '../packet.ts';
import { type Ipv4Header, MORE_FRAGMENTS, rewrite } from './header.ts';
import type { Ipv4Arrival } from './input.ts';
import type { Link } from './link.ts';

/** The two bits of explicit congestion notification (RFC 3168 section 5), and what both of them say. */
const ECN = 0x03;
const TYPE_OF_SERVICE_AT = 1;

/** What became of a fragment. `misfit`: it contradicts what came before, in an octet or in where the datagram ends. */
export type Placement = 'placed' | 'duplicate' | 'misfit' | 'no buffer';

export class PartialDatagram {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly identification: number;
  /** Whether it was sent to more than this host. */
  readonly group: boolean;
  /** Where the first fragment came in; null until it has come. */
  link: Link | null = null;
  /** When a fragment first came, whichever that was. */
  readonly sinceNs: number;
  /** A contradiction was found: nothing of it is kept, and nothing more taken (RFC 5722 section 4). */
  spoilt = false;
  /** Buffers that it holds. */
  bufferCount = 0;
  readonly #buffers: (PacketBuffer | null)[] = [];
  /** Where the fragments that came start and end, ascending. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #receivedBytes = 0;
  /** Octets of payload in all; -1 until the last fragment has come. */
  #payloadBytes = -1;
  /** Of the first fragment, whose header is the datagram's; 0 until it has come. */
  #headerBytes = 0;
  /** A fragment met congestion (RFC 3168 section 5.3). */
  #congested = false;

  constructor(header: Ipv4Arrival, nowNs: number) {
    this.source = header.source;
    this.destination = header.destination;
    this.protocol = header.protocol;
    this.identification = header.identification;
    this.group = header.group;
    this.sinceNs = nowNs;
  }

  /** RFC 791: these four say to which datagram a fragment belongs. */
  isOf(header: Ipv4Header): boolean {
    return (
      this.identification === header.identification &&
      this.source === header.source &&
      this.destination === header.destination &&
      this.protocol === header.protocol
    );
  }

  /** Whether all of it has come. */
  get whole(): boolean {
    return this.#receivedBytes === this.#payloadBytes;
  }

  /** Octets of the header of its first fragment, 0 until that has come. */
  get headerBytes(): number {
    return this.#headerBytes;
  }

  /** Buffers that the fragment with `header` needs and that are not there yet. */
  missingBuffers(header: Ipv4Header): number {
    const end = header.offsetBytes + header.totalBytes - header.headerBytes;
    let missing = 0;
    for (let i = indexOf(header.offsetBytes); i * CHAIN_BYTES < end; i++) {
      if ((this.#buffers[i] ?? null) === null) missing += 1;
    }
    return missing;
  }

  /** Copies the payload of `packet`, which starts at `header` and stays the caller's, to its place. */
  place(pool: PacketPool, packet: PacketBuffer, header: Ipv4Arrival): Placement {
    const start = header.offsetBytes;
    const end = start + header.totalBytes - header.headerBytes;
    const last = (header.fragment & MORE_FRAGMENTS) === 0;
    const index = this.#firstThatEndsAfter(start);
    if (index < this.#starts.length && this.#starts[index]! < end) {
      return this.#starts[index] === start && this.#ends[index] === end ? 'duplicate' : 'misfit';
    }
    if (!this.#canEnd(end, last)) return 'misfit';
    if (!this.#copy(pool, packet.bytes, packet.start + header.headerBytes, start, end)) return 'no buffer';
    this.#starts.splice(index, 0, start);
    this.#ends.splice(index, 0, end);
    this.#receivedBytes += end - start;
    if (last) this.#payloadBytes = end;
    if (start === 0) this.#keepHeader(packet, header);
    if ((header.typeOfService & ECN) === ECN) this.#congested = true;
    return this.#headerBytes + this.#payloadBytes > MAX_IPV4_BYTES ? 'misfit' : 'placed';
  }

  /** The first fragment as an ICMP error quotes it: it starts at its payload, `headerBytes` behind its header. */
  first(): PacketBuffer {
    const first = this.#buffers[0]!;
    first.length = Math.min(this.#ends[0]!, CHAIN_BYTES);
    return first;
  }

  /** The datagram, now that it is whole, from its header on. It is the caller's, and this object is empty. */
  take(): PacketBuffer {
    const buffers = this.#buffers;
    for (let i = 0; i < buffers.length; i++) {
      const buffer = buffers[i]!;
      buffer.length = Math.min(CHAIN_BYTES, this.#payloadBytes - i * CHAIN_BYTES);
      buffer.next = buffers[i + 1] ?? null;
    }
    const first = buffers[0]!;
    push(first, this.#headerBytes);
    const ecnAt = first.start + TYPE_OF_SERVICE_AT;
    if (this.#congested && (first.bytes[ecnAt]! & ECN) !== 0) first.bytes[ecnAt]! |= ECN;
    rewrite(first.bytes, first.start, this.#headerBytes, this.#headerBytes + this.#payloadBytes, 0);
    this.#forget();
    return first;
  }

  /** Gives all buffers back. */
  discard(pool: PacketPool): void {
    for (const buffer of this.#buffers) if (buffer !== undefined && buffer !== null) pool.free(buffer);
    this.#forget();
  }

  #forget(): void {
    this.#buffers.length = this.#starts.length = this.#ends.length = this.bufferCount = 0;
  }

  /** The place in the list of the first fragment that ends behind octet `at`; behind the list if there is none. */
  #firstThatEndsAfter(at: number): number {
    const ends = this.#ends;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      // Most fragments come in order, so the end is looked at first.
      const middle = high === ends.length ? high - 1 : (low + high) >>> 1;
      if (ends[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Whether a fragment that overlaps none may end at `end`, as the datagram's last or not. */
  #canEnd(end: number, last: boolean): boolean {
    if (this.#payloadBytes >= 0) return !last && end <= this.#payloadBytes;
    return !last || end >= (this.#ends.at(-1) ?? 0);
  }

  /** False when there were not buffers enough; those that there were are kept. */
  #copy(pool: PacketPool, bytes: Uint8Array, from: number, start: number, end: number): boolean {
    for (let at = start; at < end; ) {
      const index = indexOf(at);
      const buffer = this.#bufferAt(pool, index);
      if (buffer === null) return false;
      const count = Math.min(end, (index + 1) * CHAIN_BYTES) - at;
      const source = from + at - start;
      buffer.bytes.set(bytes.subarray(source, source + count), buffer.start + at - index * CHAIN_BYTES);
      at += count;
    }
    return true;
  }

  #bufferAt(pool: PacketPool, index: number): PacketBuffer | null {
    const present = this.#buffers[index] ?? null;
    if (present !== null) return present;
    const buffer = allocateChainBuffer(pool);
    if (buffer === null) return null;
    while (this.#buffers.length < index) this.#buffers.push(null);
    this.#buffers[index] = buffer;
    this.bufferCount += 1;
    return buffer;
  }

  /** The header, and that of the link in front of it, come before the payload as in the fragment. */
  #keepHeader(packet: PacketBuffer, header: Ipv4Arrival): void {
    this.link = header.link;
    this.#headerBytes = header.headerBytes;
    const first = this.#buffers[0]!;
    const bytes = header.headerBytes + ETHERNET_HEADER_BYTES;
    const from = packet.start - ETHERNET_HEADER_BYTES;
    first.bytes.set(packet.bytes.subarray(from, from + bytes), first.start - bytes);
  }
}

/** In which buffer octet `at` of the payload lies. */
const indexOf = (at: number): number => Math.floor(at / CHAIN_BYTES);
