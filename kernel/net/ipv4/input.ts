/**
 * IPv4 on the way in: the checks of RFC 1122 section 3.2.1, "is it for me", and the protocol registered for its number.
 * What is for others a router forwards; with a host it ends here, in silence.
 */
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import { copyChain } from '../chain.ts';
import type { DropReason, Drops } from '../drop.ts';
import type { IcmpErrors } from '../icmp-error.ts';
import {
  DESTINATION_UNREACHABLE,
  type IcmpReport,
  PARAMETER_PROBLEM,
  POINTER_SHIFT,
  PROTOCOL_UNREACHABLE,
} from '../icmp-message.ts';
import { IPV4_HEADER_BYTES, pull } from '../packet.ts';
import { isClassDOrE, isLoopback, isMulticast, LIMITED_BROADCAST } from './address.ts';
import type { Ipv4Forward } from './forward.ts';
import type { Ipv4Groups } from './groups.ts';
import { FRAGMENT_OFFSET, Ipv4Header, parse, parseUnchecked } from './header.ts';
import type { HookPoint, Hooks } from './hooks.ts';
import { isOwnAddress, type Link } from './link.ts';
import { findBadOption } from './options.ts';
import { Reassembly } from './reassembly.ts';

/** What a sender hears at least of its packet in an ICMP error, beyond the IPv4 header (RFC 792). */
const QUOTED_PAYLOAD_BYTES = 8;

/** A packet that arrived, as protocols get it: its header, and how it came. One object is filled in again and again. */
export class Ipv4Arrival extends Ipv4Header {
  /** Where it came in; the field is meaningful while the packet is being handled. */
  link: Link | null = null;
  /** Whether it was sent to more than this host. A datagram for one host in a link-layer broadcast is refused. */
  group = false;
}

/** A protocol above IPv4. */
export interface Ipv4Protocol {
  readonly name: string;
  /**
   * Takes over `packet`, which starts at its payload, `arrival.headerBytes` behind its header, and may be a chain of
   * buffers (`../chain.ts`). Nothing of it is kept.
   */
  input(packet: PacketBuffer, arrival: Ipv4Arrival): void;
  /**
   * Something that this host sent with `sent` as its header did not arrive. At least {@link QUOTED_PAYLOAD_BYTES} of its
   * payload stand at `start`; the rest may be missing.
   */
  error(report: IcmpReport, sent: Ipv4Header, bytes: Uint8Array, start: number): void;
}

export class Ipv4Input {
  readonly counters = { received: 0, delivered: 0 };
  readonly reassembly: Reassembly;
  readonly #context: KernelContext;
  readonly #links: readonly Link[];
  readonly #groups: Ipv4Groups;
  readonly #errors: IcmpErrors;
  readonly #hooks: Hooks;
  readonly #forward: Ipv4Forward | null;
  readonly #drops: Drops;
  readonly #protocols: (Ipv4Protocol | null)[] = new Array(256).fill(null);
  readonly #arrival = new Ipv4Arrival();
  readonly #quoted = new Ipv4Header();

  /** `links` is the stack's list, which grows as interfaces appear. `forward` is null on a host. */
  constructor(
    context: KernelContext,
    links: readonly Link[],
    groups: Ipv4Groups,
    errors: IcmpErrors,
    hooks: Hooks,
    forward: Ipv4Forward | null,
    drops: Drops,
  ) {
    this.#context = context;
    this.#links = links;
    this.#groups = groups;
    this.#errors = errors;
    this.#hooks = hooks;
    this.#forward = forward;
    this.#drops = drops;
    this.reassembly = new Reassembly(context, errors, drops, new Ipv4Arrival());
  }

  /** Makes `protocol` take all packets with its number from now on. Throws a RangeError when another does already. */
  register(number: number, protocol: Ipv4Protocol): void {
    const present = this.#protocols[number];
    if (present !== null) throw new RangeError(`protocol ${number} is registered`);
    this.#protocols[number] = protocol;
  }

  /** Whether this host itself speaks the protocol with that number. */
  speaks(number: number): boolean {
    return this.#protocols[number] !== null;
  }

  /**
   * Takes over `packet`, which starts at its IPv4 header and may end in the link's padding. `linkGroup`: it came in a
   * link-layer broadcast or multicast.
   */
  input(link: Link, packet: PacketBuffer, linkGroup: boolean): void {
    this.counters.received += 1;
    const arrival = this.#arrival;
    const fault = parse(packet.bytes, packet.start, packet.length, arrival) ?? this.#sourceFault(link);
    if (fault !== null) {
      this.#drops.drop(packet, 'ipv4', fault);
      return;
    }
    packet.length = arrival.totalBytes;
    arrival.link = link;
    const trace = this.#context.trace;
    if (trace !== null) trace.ipv4('in', arrival.source, arrival.destination, arrival.protocol, packet.length);
    if (this.#hooks.active) this.#prerouting(link, packet, linkGroup);
    else this.#sort(link, packet, linkGroup);
  }

  /** Hooks see whole packets. One that was put together came in where its first fragment did. */
  #prerouting(link: Link, packet: PacketBuffer, linkGroup: boolean): void {
    const arrival = this.#arrival;
    let whole: PacketBuffer | null = packet;
    if (arrival.isFragment) {
      arrival.group = linkGroup || this.#isGroup(link, arrival.destination);
      whole = this.reassembly.add(packet, arrival);
      if (whole === null) return;
    }
    const from = arrival.link!;
    if (this.#runHooks('prerouting', from, whole)) this.#sort(from, whole, linkGroup);
  }

  /** Whether `destination` is more than one host on `link`, and this host is one of them. */
  #isGroup(link: Link, destination: number): boolean {
    if (destination === LIMITED_BROADCAST || destination === link.broadcast) return true;
    return isMulticast(destination) && this.#groups.isMember(link, destination);
  }

  /** Decides whose `packet` is. */
  #sort(link: Link, packet: PacketBuffer, linkGroup: boolean): void {
    const arrival = this.#arrival;
    const { destination } = arrival;
    const group = this.#isGroup(link, destination);
    arrival.group = group;
    const own = group || (isOwnAddress(this.#links, destination) && (link.loopback || !isLoopback(destination)));
    if (!own && (this.#forward === null || isMulticast(destination))) {
      this.#drops.drop(packet, 'ipv4', 'not for this host');
      return;
    }
    if (linkGroup && !group) {
      this.#drops.drop(packet, 'ipv4', 'broadcast on the link only');
      return;
    }
    if (arrival.headerBytes > IPV4_HEADER_BYTES && !this.#hasGoodOptions(packet)) return;
    if (own) {
      this.#deliver(link, packet);
      return;
    }
    const copy = this.#isForThisHostToo(destination) ? copyChain(this.#context.packets, packet) : null;
    this.#forward!.forward(link, packet, arrival);
    if (copy === null) return;
    parseUnchecked(copy.bytes, copy.start, copy.length, arrival);
    arrival.link = link;
    arrival.group = true;
    this.#deliver(link, copy);
  }

  /** A directed broadcast that is passed on to one of this router's networks: on that it is a host like the others. */
  #isForThisHostToo(destination: number): boolean {
    if (!this.#forward!.passesBroadcasts) return false;
    for (let i = 0; i < this.#links.length; i++) if (this.#links[i]!.broadcast === destination) return true;
    return false;
  }

  /** Hands `piece`, which may be a fragment, to its protocol as soon as all of the datagram is there. */
  #deliver(link: Link, piece: PacketBuffer): void {
    const arrival = this.#arrival;
    const packet = arrival.isFragment ? this.reassembly.add(piece, arrival) : piece;
    if (packet === null) return;
    if (this.#hooks.active && !this.#runHooks('input', link, packet)) return;
    const protocol = this.#protocols[arrival.protocol]!;
    const trace = this.#context.trace;
    if (trace !== null) trace.protocol(arrival.protocol, protocol === null ? null : protocol.name);
    pull(packet, arrival.headerBytes);
    if (protocol !== null) {
      this.counters.delivered += 1;
      protocol.input(packet, arrival);
      return;
    }
    this.#errors.send(DESTINATION_UNREACHABLE, PROTOCOL_UNREACHABLE, 0, packet, arrival);
    this.#drops.drop(packet, 'ipv4', 'no such protocol');
  }

  /**
   * An ICMP error about something that this host sent, be it from the network or from the ARP cache of an interface:
   * passes it to the protocol that sent it. `length` octets of the packet stand at `start`. False when they are not
   * the start of a packet of this host.
   */
  error(report: IcmpReport, bytes: Uint8Array, start: number, length: number): boolean {
    const quoted = this.#quoted;
    if (!parseUnchecked(bytes, start, length, quoted)) return false;
    if (length < quoted.headerBytes + QUOTED_PAYLOAD_BYTES) return false;
    if (!isOwnAddress(this.#links, quoted.source)) return false;
    // What stands behind the header of a later fragment is the middle of something: nobody can be told.
    if ((quoted.fragment & FRAGMENT_OFFSET) !== 0) return true;
    this.#protocols[quoted.protocol]?.error(report, quoted, bytes, start + quoted.headerBytes);
    return true;
  }

  /** RFC 1122 section 3.2.1.3, RFC 1812 section 5.3.7. */
  #sourceFault(link: Link): DropReason | null {
    const { source } = this.#arrival;
    if (link.loopback) return null;
    if (isClassDOrE(source) || isLoopback(source) || source === link.broadcast) return 'martian source';
    return isOwnAddress(this.#links, source) ? 'martian source' : null;
  }

  /** Runs hooks, which may rewrite the header. False when one has taken `packet` over. */
  #runHooks(point: HookPoint, link: Link, packet: PacketBuffer): boolean {
    if (!this.#hooks.run(point, packet, link, null)) return false;
    parseUnchecked(packet.bytes, packet.start, packet.length, this.#arrival);
    return true;
  }

  /** Otherwise `packet` has been answered and dropped. */
  #hasGoodOptions(packet: PacketBuffer): boolean {
    const arrival = this.#arrival;
    const pointer = findBadOption(packet.bytes, packet.start, arrival.headerBytes);
    if (pointer < 0) return true;
    pull(packet, arrival.headerBytes);
    this.#errors.send(PARAMETER_PROBLEM, 0, pointer << POINTER_SHIFT, packet, arrival);
    this.#drops.drop(packet, 'ipv4', 'bad IPv4 option');
    return false;
  }
}
