/**
 * Translates packets that its owner found to concern it, by the mapping table: what comes from the inside gets a public
 * source, what goes to a public address the private destination behind it. Each method returns whether the packet goes
 * on; if not, it has been dropped, with the answer that the standards ask for.
 *
 * RFC 4787 (UDP), RFC 5382 (TCP), RFC 5508 (ICMP).
 */
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import type { DropReason, Drops } from '../drop.ts';
import type { IcmpErrors } from '../icmp-error.ts';
import { COMMUNICATION_PROHIBITED, DESTINATION_UNREACHABLE, REDIRECT } from '../icmp-message.ts';
import { parseUnchecked } from '../ipv4/header.ts';
import { Ipv4Arrival } from '../ipv4/input.ts';
import { pull } from '../packet.ts';
import { SYN } from '../tcp/segment.ts';
import type { Filtering } from './config.ts';
import type { Flow } from './flow.ts';
import { Hairpin } from './hairpin.ts';
import { HeldSyns } from './held-syns.ts';
import { IcmpPayload } from './icmp-payload.ts';
import { KIND, KIND_NAMES, type Mapping, type Session } from './mapping.ts';
import type { MappingTable } from './mapping-table.ts';
import type { OwnPorts } from './own-ports.ts';
import { type End, rewrite, SAME_PORT } from './rewrite.ts';
import type { StaticAddresses } from './static-addresses.ts';
import { firstState, nextState, refreshes } from './tcp-tracker.ts';

export class Translator {
  readonly counters = { out: 0, in: 0, errorsOut: 0, errorsIn: 0, refused: 0 };
  readonly heldSyns: HeldSyns;
  readonly hairpin = new Hairpin();
  readonly #context: KernelContext;
  readonly #table: MappingTable;
  readonly #statics: StaticAddresses;
  /** The addresses that the inside shares. */
  readonly #shared: readonly number[];
  readonly #filtering: Filtering;
  readonly #own: OwnPorts;
  readonly #errors: IcmpErrors;
  readonly #drops: Drops;
  readonly #payload = new IcmpPayload();
  readonly #arrival = new Ipv4Arrival();

  constructor(
    context: KernelContext,
    table: MappingTable,
    statics: StaticAddresses,
    shared: readonly number[],
    filtering: Filtering,
    own: OwnPorts,
    errors: IcmpErrors,
    drops: Drops,
  ) {
    this.#context = context;
    this.#table = table;
    this.#statics = statics;
    this.#shared = shared;
    this.#filtering = filtering;
    this.#own = own;
    this.#errors = errors;
    this.#drops = drops;
    this.heldSyns = new HeldSyns(context, errors);
  }

  /** Gives a packet a public source. `own`: the host itself sends it. */
  outbound(packet: PacketBuffer, flow: Flow, own: boolean): boolean {
    if (flow.icmp === 'error') return this.#errorOut(packet, flow, own);
    const fixed = this.#statics.publicOf(flow.header.source);
    if (fixed !== undefined) return this.#pass(packet, flow, 'source', fixed, SAME_PORT);
    const mapping = this.#outboundMapping(packet, flow, own);
    if (mapping === null) return false;
    return this.#pass(packet, flow, 'source', mapping.publicAddress, mapping.publicPort);
  }

  /**
   * Gives a packet to a public address the destination behind it. One that nobody is behind is left as it is if it may be
   * for the host itself. `turns`: it comes from the inside, or from the host (`own`), and is to look as if it came from
   * outside (RFC 4787 REQ-9); see {@link finishHairpin}.
   */
  inbound(packet: PacketBuffer, flow: Flow, turns: boolean, own: boolean): boolean {
    if (flow.icmp === 'error') return this.#errorIn(packet, flow, turns, own);
    const { hairpin } = this;
    const { source, destination } = flow.header;
    const fixed = this.#statics.privateOf(destination);
    const mapping = fixed === undefined ? this.#mappingAt(flow, 'destination', destination) : null;
    if (fixed === undefined && mapping === null) return own || this.#unmapped(packet, flow);
    if (turns && !this.#beginHairpin(packet, flow, own)) return false;
    if (fixed !== undefined) {
      this.#pass(packet, flow, 'destination', fixed, SAME_PORT);
    } else {
      const port = turns && hairpin.port !== SAME_PORT ? hairpin.port : flow.sourcePort;
      if (!this.#admits(packet, flow, mapping!, turns ? hairpin.address : source, port)) return false;
      this.#pass(packet, flow, 'destination', mapping!.privateAddress, mapping!.privatePort);
    }
    if (turns) hairpin.turn(flow);
    return true;
  }

  /** Gives the packet that {@link inbound} turned round the source that it is to have. */
  finishHairpin(packet: PacketBuffer, flow: Flow): boolean {
    const { address, port } = this.hairpin;
    this.hairpin.packet = null;
    if (flow.icmp === 'error') return this.#errorOut(packet, flow, true);
    return this.#pass(packet, flow, 'source', address, port);
  }

  /**
   * What the host itself sends, if it is about the packet that is being turned round, is made such as its sender knows
   * it: a reset in the name of whom it went to, or what an error quotes.
   */
  answerHairpin(packet: PacketBuffer, flow: Flow): boolean {
    const { hairpin } = this;
    if (hairpin.isAnsweredBy(flow)) {
      return this.#pass(packet, flow, 'source', hairpin.destination, hairpin.destinationPort);
    }
    if (flow.icmp !== 'error' || this.#payload.read(packet, flow) !== null) return true;
    if (!hairpin.isQuoted(this.#payload.flow)) return true;
    if (!this.#isTranslatable(packet)) return false;
    this.#payload.rewrite(packet.bytes, 'destination', hairpin.destination, hairpin.destinationPort);
    return true;
  }

  /** Whether the source of `flow` is somebody of the inside who has a public address already. */
  hasPublic({ kind, header, sourcePort }: Flow): boolean {
    const { source } = header;
    return this.#statics.publicOf(source) !== undefined || this.#table.findPrivate(kind, source, sourcePort) !== null;
  }

  /** Ends `packet`. Returns false. */
  drop(packet: PacketBuffer, reason: DropReason): false {
    this.#drops.drop(packet, 'nat', reason);
    return false;
  }

  /** Finds the source that `packet` will have. False when there is none, and the packet is dropped. */
  #beginHairpin(packet: PacketBuffer, flow: Flow, own: boolean): boolean {
    const fixed = this.#statics.publicOf(flow.header.source);
    if (fixed !== undefined) {
      this.hairpin.begin(packet, flow, fixed, SAME_PORT);
      return true;
    }
    const mapping = this.#outboundMapping(packet, flow, own);
    if (mapping === null) return false;
    this.hairpin.begin(packet, flow, mapping.publicAddress, mapping.publicPort);
    return true;
  }

  /** The mapping for a packet from the inside, made if need be; null when there is none, and the packet is dropped. */
  #outboundMapping(packet: PacketBuffer, flow: Flow, own: boolean): Mapping | null {
    const { kind, icmp, sourcePort } = flow;
    const { source, destination } = flow.header;
    const table = this.#table;
    if (icmp !== 'none' && icmp !== 'request') {
      this.drop(packet, 'NAT cannot translate');
      return null;
    }
    const mapping = table.findPrivate(kind, source, sourcePort);
    if (mapping?.forward) return mapping;
    const remoteAddress = this.#remoteAddress(flow, destination);
    const remotePort = this.#remotePort(flow, flow.destinationPort);
    let session = mapping === null ? null : table.findSession(mapping, remoteAddress, remotePort);
    if (session !== null) {
      this.#advance(session, flow, true);
    } else {
      const state = kind === KIND.tcp ? firstState(flow.tcpFlags, true) : 'ACTIVE';
      if (state === null) {
        this.drop(packet, 'NAT sees no connection');
        return null;
      }
      session =
        mapping === null
          ? table.open(kind, this.#shareOf(source, own), source, sourcePort, remoteAddress, remotePort, state, own)
          : table.addSession(mapping, remoteAddress, remotePort, state);
      if (session === null) {
        this.#refuse(packet);
        return null;
      }
    }
    const used = session.mapping;
    if (kind === KIND.tcp && (flow.tcpFlags & SYN) !== 0) {
      this.heldSyns.match(used.publicAddress >>> 0, used.publicPort, destination, flow.destinationPort);
    }
    return used;
  }

  /** RFC 4787 REQ-2, "paired": the same inside host always gets the same address. The host itself has its own. */
  #shareOf(source: number, own: boolean): number {
    return own && this.#shared.includes(source) ? source : this.#shared[source % this.#shared.length]!;
  }

  /** A TCP session has one peer. Of others, what the filter looks at tells peers apart: the rest counts as one. */
  #remoteAddress({ kind }: Flow, address: number): number {
    return kind === KIND.tcp || this.#filtering !== 'endpoint-independent' ? address : 0;
  }

  #remotePort({ kind }: Flow, port: number): number {
    return kind === KIND.tcp || this.#filtering === 'address-and-port-dependent' ? port : 0;
  }

  /** The session has seen a packet. What comes in refreshes TCP alone: RFC 4787 REQ-6. */
  #advance(session: Session, flow: Flow, fromInside: boolean): void {
    const { state } = session;
    if (state === 'ACTIVE') {
      if (fromInside) this.#table.touch(session);
      return;
    }
    const next = nextState(state, flow.tcpFlags, fromInside);
    if (next !== state) this.#table.setState(session, next);
    else if (refreshes(state, flow.tcpFlags)) this.#table.touch(session);
  }

  /** Whether `mapping` lets in a packet from these ends, as the outside knows them; otherwise it is dropped, or held. */
  #admits(packet: PacketBuffer, flow: Flow, mapping: Mapping, address: number, port: number): boolean {
    if (mapping.forward) return true;
    const remoteAddress = this.#remoteAddress(flow, address);
    const session = this.#table.findSession(mapping, remoteAddress, this.#remotePort(flow, port));
    if (session !== null) {
      this.#advance(session, flow, false);
      return true;
    }
    if (flow.kind !== KIND.tcp) {
      return this.#filtering === 'endpoint-independent' || this.drop(packet, 'NAT filters');
    }
    const state = firstState(flow.tcpFlags, false);
    if (state === null) return this.drop(packet, 'NAT sees no connection');
    if (!this.#letsIn(mapping, address)) return this.#hold(packet, flow, address, port);
    if (this.#table.addSession(mapping, address, port, state) !== null) return true;
    return this.drop(packet, 'NAT has no port left');
  }

  /** Whether `mapping` lets somebody at `address` open a TCP connection to whom it has none. */
  #letsIn(mapping: Mapping, address: number): boolean {
    if (this.#filtering !== 'address-dependent') return this.#filtering === 'endpoint-independent';
    for (let session = mapping.sessions; session !== null; session = session.older) {
      if (session.remoteAddress === (address | 0)) return true;
    }
    return false;
  }

  /** Nobody inside is behind the destination. */
  #unmapped(packet: PacketBuffer, flow: Flow): boolean {
    const { source, destination } = flow.header;
    const own = this.#own.isOwnAddress(destination);
    if (flow.kind !== KIND.tcp) return own || this.drop(packet, 'NAT has no mapping');
    const { sourcePort, destinationPort } = flow;
    if (own && this.#own.expectsSegment(destination, destinationPort, source, sourcePort)) return true;
    if (firstState(flow.tcpFlags, false) !== null) return this.#hold(packet, flow, source, sourcePort);
    return this.drop(packet, 'NAT has no mapping');
  }

  #hold(packet: PacketBuffer, flow: Flow, address: number, port: number): false {
    this.heldSyns.hold(packet, flow, address, port);
    return this.drop(packet, 'NAT holds the SYN');
  }

  /** RFC 5508 REQ-8: tells the sender that there is nothing left for it. */
  #refuse(packet: PacketBuffer): void {
    const arrival = this.#arrival;
    parseUnchecked(packet.bytes, packet.start, packet.length, arrival);
    pull(packet, arrival.headerBytes);
    this.counters.refused += 1;
    this.#errors.send(DESTINATION_UNREACHABLE, COMMUNICATION_PROHIBITED, 0, packet, arrival);
    this.drop(packet, 'NAT has no port left');
  }

  /**
   * An error about something that came to the inside: RFC 5508 REQ-3 and REQ-5. It quotes what was translated on its way in. What
   * the host itself has to say need not be about that.
   */
  #errorOut(packet: PacketBuffer, flow: Flow, own: boolean): boolean {
    const fault = this.#payload.read(packet, flow);
    if (fault !== null) return this.drop(packet, fault);
    const quoted = this.#payload.flow;
    const { destination } = quoted.header;
    const fixed = this.#statics.publicOf(destination);
    const mapping = fixed === undefined ? this.#mappingOf(quoted, 'destination', destination) : null;
    const address = fixed ?? mapping?.publicAddress;
    if (address === undefined) return own || this.drop(packet, 'NAT cannot translate');
    if (!this.#isTranslatable(packet)) return false;
    this.#payload.rewrite(packet.bytes, 'destination', address, mapping?.publicPort ?? SAME_PORT);
    const { source } = flow.header;
    if (!this.#shared.includes(source)) {
      rewrite(packet.bytes, flow, 'source', this.#statics.publicOf(source) ?? address, SAME_PORT, false);
    }
    this.counters.errorsOut += 1;
    return true;
  }

  /** An error about something that the inside sent: RFC 5508 REQ-4. No error ends or refreshes a session (REQ-6). */
  #errorIn(packet: PacketBuffer, flow: Flow, turns: boolean, own: boolean): boolean {
    const fault = this.#payload.read(packet, flow);
    if (fault !== null) return this.drop(packet, fault);
    const quoted = this.#payload.flow;
    const { source } = quoted.header;
    const fixed = this.#statics.privateOf(source);
    const mapping = fixed === undefined ? this.#mappingAt(quoted, 'source', source) : null;
    const address = fixed ?? mapping?.privateAddress;
    if (address === undefined || source !== flow.header.destination) {
      return own || this.#own.isOwnAddress(flow.header.destination) || this.drop(packet, 'NAT has no mapping');
    }
    if (!this.#isTranslatable(packet)) return false;
    // REQ-7: an error about a packet that was turned round quotes two ends that were translated. The other one waits.
    if (turns) this.hairpin.begin(packet, flow, 0, SAME_PORT);
    this.#payload.rewrite(packet.bytes, 'source', address, mapping?.privatePort ?? SAME_PORT);
    rewrite(packet.bytes, flow, 'destination', address, SAME_PORT, false);
    this.counters.errorsIn += 1;
    return true;
  }

  /**
   * Whether the error that was read last can be passed on; otherwise it is dropped. A redirect never: its receiver would go
   * round the NAT, and be confused by whom it meets.
   */
  #isTranslatable(packet: PacketBuffer): boolean {
    if (!this.#payload.isIntact(packet.bytes)) return this.drop(packet, 'malformed ICMP');
    return this.#payload.type !== REDIRECT || this.drop(packet, 'NAT cannot translate');
  }

  /** The mapping with the public `address` and the port that `flow` has at `end`. */
  #mappingAt(flow: Flow, end: End, address: number): Mapping | null {
    return hasPort(flow, end) ? this.#table.findPublic(flow.kind, address, portOf(flow, end)) : null;
  }

  /** The mapping with the private `address` and the port that `flow` has at `end`. */
  #mappingOf(flow: Flow, end: End, address: number): Mapping | null {
    return hasPort(flow, end) ? this.#table.findPrivate(flow.kind, address, portOf(flow, end)) : null;
  }

  #pass(packet: PacketBuffer, flow: Flow, end: End, address: number, port: number): true {
    if (end === 'source') this.counters.out += 1;
    else this.counters.in += 1;
    const trace = this.#context.trace;
    const before = trace === null ? '' : formatEnd(flow, end);
    rewrite(packet.bytes, flow, end, address, port, packet.checksumStart !== 0);
    if (trace !== null) trace.nat(`${KIND_NAMES[flow.kind]} ${before} → ${formatEnd(flow, end)}`);
    return true;
  }
}

const portOf = (flow: Flow, end: End): number => (end === 'source' ? flow.sourcePort : flow.destinationPort);

/** Whether there is a port at that end: an ICMP query has its identifier at the one that asks. */
const hasPort = ({ icmp }: Flow, end: End): boolean =>
  icmp === 'none' || icmp === (end === 'source' ? 'request' : 'reply');

function formatEnd(flow: Flow, end: End): string {
  const address = formatIpv4(flow.header[end]);
  return flow.kind === KIND.other ? address : `${address}:${portOf(flow, end)}`;
}
