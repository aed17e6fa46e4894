/**
 * ICMP on the way in, RFC 792: answers echo requests, passes replies to the sockets that wait for them, and errors to
 * the protocol whose packet they quote. What this host itself has to report is in `icmp-error.ts`.
 */
import { readBe16, readBe32, writeBe16 } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import type { PacketBuffer } from '../driver-api.ts';
import { chainBytes, sumChain } from './chain.ts';
import { isGood, update } from './checksum.ts';
import type { DropReason, Drops } from './drop.ts';
import type { EchoSockets } from './echo-sockets.ts';
import {
  DESTINATION_UNREACHABLE,
  ECHO,
  ECHO_REPLY,
  ICMP_HEADER_BYTES,
  ICMP_PROTOCOL,
  type IcmpReport,
  PARAMETER_PROBLEM,
  REDIRECT,
  TIME_EXCEEDED,
} from './icmp-message.ts';
import { ANY_ADDRESS } from './ipv4/address.ts';
import { Ipv4Header, parseUnchecked } from './ipv4/header.ts';
import type { Ipv4Arrival, Ipv4Input, Ipv4Protocol } from './ipv4/input.ts';
import { DEFAULT_TTL, type Ipv4Output } from './ipv4/output.ts';
import type { Redirects } from './ipv4/redirects.ts';

/** Redirects for a network, a host, and each of them for a type of service: a host has routes to hosts only. */
const LAST_REDIRECT_CODE = 3;

export class Icmp implements Ipv4Protocol {
  readonly name = 'ICMP';
  readonly counters = { received: 0, echoRequests: 0, echoReplies: 0, errors: 0 };
  readonly #context: KernelContext;
  readonly #input: Ipv4Input;
  readonly #output: Ipv4Output;
  readonly #echo: EchoSockets;
  readonly #redirects: Redirects | null;
  readonly #drops: Drops;
  readonly #redirected = new Ipv4Header();

  /** `input` is where errors about other protocols' packets go. `redirects` is null on a router. */
  constructor(
    context: KernelContext,
    input: Ipv4Input,
    output: Ipv4Output,
    echo: EchoSockets,
    redirects: Redirects | null,
    drops: Drops,
  ) {
    this.#context = context;
    this.#input = input;
    this.#output = output;
    this.#echo = echo;
    this.#redirects = redirects;
    this.#drops = drops;
  }

  input(packet: PacketBuffer, arrival: Ipv4Arrival): void {
    this.counters.received += 1;
    if (packet.length < ICMP_HEADER_BYTES) {
      this.#drops.drop(packet, 'icmp', 'malformed ICMP');
      return;
    }
    if (!isGood(sumChain(packet, chainBytes(packet)))) {
      this.#drops.drop(packet, 'icmp', 'bad ICMP checksum');
      return;
    }
    switch (packet.bytes[packet.start]) {
      case ECHO:
        this.#answer(packet, arrival);
        break;
      case ECHO_REPLY:
        this.counters.echoReplies += 1;
        this.#end(packet, this.#echo.input(packet, arrival));
        break;
      case DESTINATION_UNREACHABLE:
      case TIME_EXCEEDED:
      case PARAMETER_PROBLEM:
        this.counters.errors += 1;
        this.#end(packet, this.#passOn(packet, arrival));
        break;
      case REDIRECT:
        this.#end(packet, this.#redirect(packet, arrival));
        break;
      default:
        this.#drops.drop(packet, 'icmp', 'unknown ICMP type');
    }
  }

  /** An error about an ICMP message of this host: only echo requests have somebody who wants to know. */
  error(report: IcmpReport, sent: Ipv4Header, bytes: Uint8Array, start: number): void {
    if (bytes[start] === ECHO) this.#echo.error(report, sent, readBe16(bytes, start + 4));
  }

  /**
   * Turns the request into its reply where it stands: identifier, sequence number and data stay, so the checksum
   * changes by the type alone. The source is the address that was asked (RFC 1122 section 3.2.2.6); options are not
   * sent back.
   */
  #answer(packet: PacketBuffer, arrival: Ipv4Arrival): void {
    this.counters.echoRequests += 1;
    const route = arrival.group || arrival.source === ANY_ADDRESS ? null : this.#output.route(arrival.source);
    if (route === null) {
      this.#drops.drop(packet, 'icmp', 'echo request not answered');
      return;
    }
    const { bytes, start } = packet;
    const checksum = update(readBe16(bytes, start + 2), readBe16(bytes, start), ECHO_REPLY << 8);
    writeBe16(bytes, start, ECHO_REPLY << 8);
    // Of the two zeros of ones' complement only all ones is right for a reply that is all zero.
    writeBe16(bytes, start + 2, checksum === 0 ? 0xffff : checksum);
    const { source, destination, typeOfService } = arrival;
    this.#output.send(packet, route, destination, source, ICMP_PROTOCOL, DEFAULT_TTL, typeOfService);
  }

  /** Null when the error was about something that this host may have sent. */
  #passOn(packet: PacketBuffer, arrival: Ipv4Arrival): DropReason | null {
    const { bytes, start, length } = packet;
    const word = readBe32(bytes, start + 4);
    const report: IcmpReport = { type: bytes[start]!, code: bytes[start + 1]!, word, reporter: arrival.source };
    const quoted = this.#input.error(report, bytes, start + ICMP_HEADER_BYTES, length - ICMP_HEADER_BYTES);
    return quoted ? null : 'malformed ICMP';
  }

  /** RFC 1122 section 3.2.2.2; a router follows none (RFC 1812 section 5.2.7.2). */
  #redirect(packet: PacketBuffer, arrival: Ipv4Arrival): DropReason | null {
    const { bytes, start, length } = packet;
    const quoted = this.#redirected;
    if (!parseUnchecked(bytes, start + ICMP_HEADER_BYTES, length - ICMP_HEADER_BYTES, quoted)) return 'malformed ICMP';
    const sent = this.#output.isOwnAddress(quoted.source) && bytes[start + 1]! <= LAST_REDIRECT_CODE;
    if (!sent || this.#redirects === null || arrival.group) return 'redirect not followed';
    const gateway = readBe32(bytes, start + 4);
    const followed = this.#redirects.follow(arrival.link!, arrival.source, quoted.destination, gateway);
    return followed ? null : 'redirect not followed';
  }

  #end(packet: PacketBuffer, reason: DropReason | null): void {
    if (reason === null) this.#context.packets.free(packet);
    else this.#drops.drop(packet, 'icmp', reason);
  }
}
