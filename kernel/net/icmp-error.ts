/**
 * ICMP errors that this host sends: who may be told of what (RFC 1122 section 3.2.2), how much of the packet is quoted,
 * and how often.
 */
import type { KernelContext } from '../context.ts';
import type { PacketBuffer } from '../driver-api.ts';
import { emitIcmp, ICMP_HEADER_BYTES, ICMP_PROTOCOL, isErrorType } from './icmp-message.ts';
import { ANY_ADDRESS } from './ipv4/address.ts';
import { FRAGMENT_OFFSET } from './ipv4/header.ts';
import type { Ipv4Arrival } from './ipv4/input.ts';
import { DEFAULT_TTL, type Ipv4Output } from './ipv4/output.ts';
import { allocateTransport, IPV4_HEADER_BYTES } from './packet.ts';

/** An error is at most this long, IPv4 header and all (RFC 1812 section 4.3.2.3). */
const MAX_ERROR_BYTES = 576;
const MAX_QUOTE_BYTES = MAX_ERROR_BYTES - IPV4_HEADER_BYTES - ICMP_HEADER_BYTES;
/** The token bucket of RFC 1812 section 4.3.2.8: a burst, then so many a second. */
const BURST_ERRORS = 50;
const ERROR_INTERVAL_NS = 10_000_000;

export class IcmpErrors {
  readonly counters = { sent: 0, notAllowed: 0, rateLimited: 0 };
  readonly #context: KernelContext;
  readonly #output: Ipv4Output;
  #tokens = BURST_ERRORS;
  /** When the bucket was last filled up to `#tokens`. */
  #filledNs = 0;

  constructor(context: KernelContext, output: Ipv4Output) {
    this.#context = context;
    this.#output = output;
  }

  /**
   * Tells the sender of `packet`, which starts at its payload and stays the caller's, that it was not delivered. `word`
   * is the second word of the message: pointer, MTU, or zero where it is unused.
   */
  send(type: number, code: number, word: number, packet: PacketBuffer, arrival: Ipv4Arrival): void {
    if (!this.#mayAnswer(packet, arrival)) {
      this.counters.notAllowed += 1;
      return;
    }
    const route = this.#output.route(arrival.source);
    if (route === null) return;
    if (!this.#takeToken()) {
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
    this.#output.send(error, route, arrival.destination, arrival.source, ICMP_PROTOCOL, DEFAULT_TTL, 0);
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

  #takeToken(): boolean {
    const nowNs = this.#context.nowNs();
    const earned = Math.floor((nowNs - this.#filledNs) / ERROR_INTERVAL_NS);
    this.#tokens = Math.min(BURST_ERRORS, this.#tokens + earned);
    this.#filledNs += earned * ERROR_INTERVAL_NS;
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }
}
