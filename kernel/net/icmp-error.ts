/**
 * ICMP errors that this host sends: who may be told of what (RFC 1122 section 3.2.2, RFC 1812 section 4.3.2), how much of
 * the packet is quoted, and how often.
 */
import type { KernelContext } from '../context.ts';
import type { PacketBuffer } from '../driver-api.ts';
import { emitIcmp, ICMP_HEADER_BYTES, ICMP_PROTOCOL, isErrorType, REDIRECT } from './icmp-message.ts';
import { ANY_ADDRESS } from './ipv4/address.ts';
import { FRAGMENT_OFFSET } from './ipv4/header.ts';
import type { Ipv4Arrival } from './ipv4/input.ts';
import { DEFAULT_TTL, type Ipv4Output } from './ipv4/output.ts';
import { allocateTransport, IPV4_HEADER_BYTES } from './packet.ts';
import { TokenBucket } from './token-bucket.ts';

/** An error is at most this long, IPv4 header and all (RFC 1812 section 4.3.2.3). */
const MAX_ERROR_BYTES = 576;
const MAX_QUOTE_BYTES = MAX_ERROR_BYTES - IPV4_HEADER_BYTES - ICMP_HEADER_BYTES;
/** Errors in a burst, and the time between two after that (RFC 1812 section 4.3.2.8). */
const BURST_ERRORS = 50;
const ERROR_INTERVAL_NS = 10_000_000;
/** The same for redirects, of which a sender that does not follow them would cause one with each packet. */
const BURST_REDIRECTS = 10;
const REDIRECT_INTERVAL_NS = 100_000_000;
/** What a router has to say goes before its users' packets: precedence "internetwork control" (RFC 1812 4.3.2.5). */
const INTERNETWORK_CONTROL = 0xc0;

export class IcmpErrors {
  readonly counters = { sent: 0, notAllowed: 0, rateLimited: 0 };
  readonly #context: KernelContext;
  readonly #output: Ipv4Output;
  readonly #bucket = new TokenBucket(BURST_ERRORS, ERROR_INTERVAL_NS);
  readonly #redirects = new TokenBucket(BURST_REDIRECTS, REDIRECT_INTERVAL_NS);

  constructor(context: KernelContext, output: Ipv4Output) {
    this.#context = context;
    this.#output = output;
  }

  /**
   * Tells the sender of `packet`, which starts at its payload and stays the caller's, that it was not delivered, or that
   * there is a better way. `word` is the second word of the message: pointer, MTU, gateway, or zero where it is unused.
   *
   * The source is the address that the packet was sent to, if that is this host's; else, as RFC 1812 section 4.3.2.4 has
   * it, that of the interface by which the error leaves.
   */
  send(type: number, code: number, word: number, packet: PacketBuffer, arrival: Ipv4Arrival): void {
    if (!this.#mayAnswer(packet, arrival)) {
      this.counters.notAllowed += 1;
      return;
    }
    const route = this.#output.route(arrival.source);
    if (route === null) return;
    if (!(type === REDIRECT ? this.#redirects : this.#bucket).take(this.#context.nowNs())) {
      this.counters.rateLimited += 1;
      return;
    }
    const quoteBytes = Math.min(arrival.headerBytes + packet.length, MAX_QUOTE_BYTES);
    const error = allocateTransport(this.#context.packets, ICMP_HEADER_BYTES + quoteBytes);
    if (error === null) return;
    const quoteAt = packet.start - arrival.headerBytes;
    error.bytes.set(packet.bytes.subarray(quoteAt, quoteAt + quoteBytes), error.start + ICMP_HEADER_BYTES);
    emitIcmp(error, type, code, word);
    this.counters.sent += 1;
    const asHost = this.#output.isOwnAddress(arrival.destination);
    const source = asHost ? arrival.destination : route.source;
    const typeOfService = asHost ? 0 : INTERNETWORK_CONTROL;
    this.#output.send(error, route, source, arrival.source, ICMP_PROTOCOL, DEFAULT_TTL, typeOfService);
  }

  /**
   * Never about an ICMP error, a broadcast of IPv4 or of the link, a fragment but the first, or a packet of which the
   * source is not one host: else one packet could make many, or go round for ever.
   */
  #mayAnswer(packet: PacketBuffer, arrival: Ipv4Arrival): boolean {
    if (arrival.group || arrival.source === ANY_ADDRESS) return false;
    if ((arrival.fragment & FRAGMENT_OFFSET) !== 0) return false;
    if (arrival.protocol !== ICMP_PROTOCOL) return true;
    return packet.length > 0 && !isErrorType(packet.bytes[packet.start]!);
  }
}
