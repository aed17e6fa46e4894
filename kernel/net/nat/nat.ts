/**
 * Network address translation, RFC 3022: hosts of the inside, whose addresses mean nothing on the public network, share
 * public ones. What leaves by the outside interface gets a public source at postrouting; what comes to a public address
 * gets the private destination behind it at prerouting, or at output where this host itself sends it. A packet from the
 * inside to a public address gets both, and goes back in (hairpinning). Between the two points, where the packet filter
 * stands, both ends of a packet are private, or foreign, whichever way it goes.
 *
 * The host's own sockets at the public address need no mapping. A port that one of them holds is given to nobody inside;
 * and if a socket takes one that somebody inside has already, its packets are translated to another as the inside's are.
 * What comes to a port that has neither mapping nor socket is this host's, and answered as any host would, a SYN apart.
 *
 *     nat.ts          which packets
 *     translator.ts   what becomes of one, by          mapping-table.ts, static-addresses.ts
 *     flow.ts         who talks to whom in it          tcp-tracker.ts  how far a connection is
 *     rewrite.ts      its octets, and                  port-pool.ts    which ports are free
 *     icmp-payload.ts those that it quotes             held-syns.ts    who has to wait for an answer
 *     hairpin.ts      what waits for its source        own-ports.ts    what the host itself holds
 */
import { formatIpv4, readBe32 } from '../../../src/lib/bytes.ts';
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import type { Drops } from '../drop.ts';
import type { IcmpErrors } from '../icmp-error.ts';
import { HOOK_PRIORITY, type Hooks } from '../ipv4/hooks.ts';
import type { Link } from '../ipv4/link.ts';
import { isIn, PRIVATE_RANGES, type Prefix } from '../ipv4/private-ranges.ts';
import { checkStatics, type ForwardConfig, type NatConfig, publicAddressesOf, timeoutsOf } from './config.ts';
import { Flow } from './flow.ts';
import { KIND, type Mapping } from './mapping.ts';
import { type MappingRow, rowOf } from './mapping-row.ts';
import { type Change, MappingTable } from './mapping-table.ts';
import type { OwnPorts } from './own-ports.ts';
import { StaticAddresses } from './static-addresses.ts';
import { Translator } from './translator.ts';

const DESTINATION_AT = 16;
const SOURCE_AT = 12;

/** A change of the table: what it is now, or was in the end. */
export type NatObserver = (change: Change, row: MappingRow) => void;

export class Nat {
  /** Told of each change of the table; null unless somebody watches. */
  observer: NatObserver | null = null;
  /** All public addresses, those of static pairs among them: routers outside look for them on this host's network. */
  readonly publicAddresses: readonly number[];
  readonly #context: KernelContext;
  readonly #config: NatConfig;
  readonly #table: MappingTable;
  readonly #translator: Translator;
  readonly #flow = new Flow();
  readonly #insidePrefixes: readonly Prefix[];
  readonly #insideLinks: Link[] = [];
  #outside: Link | null = null;
  /** As int32. */
  readonly #public: ReadonlySet<number>;

  /** `ownAddress` is that of the outside interface, 0 without one. Throws a RangeError when `config` makes no sense. */
  constructor(
    context: KernelContext,
    config: NatConfig,
    ownAddress: number,
    own: OwnPorts,
    hooks: Hooks,
    errors: IcmpErrors,
    drops: Drops,
  ) {
    this.#context = context;
    this.#config = config;
    this.#insidePrefixes = config.insidePrefixes ?? [];
    const shared = publicAddressesOf(config, ownAddress);
    const pairs = config.statics ?? [];
    checkStatics(pairs, ownAddress === 0 ? shared : [ownAddress, ...shared]);
    const statics = new StaticAddresses(pairs);
    this.publicAddresses = [...shared, ...pairs.map(({ publicAddress }) => publicAddress)];
    this.#public = new Set(this.publicAddresses.map(address => address | 0));
    this.#table = new MappingTable(context, timeoutsOf(config), own);
    this.#table.onChange = (change, mapping) => this.observer?.(change, this.#row(mapping, context.nowNs()));
    for (const forward of config.forwards ?? []) this.#addForward(forward, shared);
    const filtering = config.filtering ?? 'endpoint-independent';
    this.#translator = new Translator(context, this.#table, statics, shared, filtering, own, errors, drops);
    this.#hang(hooks);
  }

  /** The interface with that index has appeared. */
  attach(link: Link, index: number): void {
    if (index === this.#config.outside) this.#outside = link;
    if (this.#config.insideInterfaces?.includes(index)) this.#insideLinks.push(link);
  }

  /** The mappings, oldest first. */
  table(): readonly MappingRow[] {
    const nowNs = this.#context.nowNs();
    return Array.from(this.#table.mappings(), mapping => this.#row(mapping, nowNs));
  }

  /** Counters by name. */
  statistics(): Readonly<Record<string, number>> {
    const { heldSyns, counters } = this.#translator;
    const { held, matched, refused } = heldSyns.counters;
    return {
      mappings: this.#table.mappingCount,
      sessions: this.#table.sessionCount,
      ...counters,
      synsHeld: held,
      synsMatched: matched,
      synsRefused: refused,
    };
  }

  #row(mapping: Mapping, nowNs: number): MappingRow {
    return rowOf(mapping, nowNs, session => this.#table.timeoutOf(session));
  }

  #hang(hooks: Hooks): void {
    const { destinationNat, sourceNat } = HOOK_PRIORITY;
    const { hairpin } = this.#translator;
    hooks.add('prerouting', destinationNat, (packet, from) => {
      // What was turned round before has come to its end, wherever that was.
      hairpin.packet = null;
      return from?.loopback || this.#toPublic(packet, from);
    });
    hooks.add('output', destinationNat, packet => {
      // A buffer that was given back, and taken for this packet.
      if (packet === hairpin.packet) hairpin.packet = null;
      return this.#toPublic(packet, null);
    });
    hooks.add('input', sourceNat, packet => packet !== hairpin.packet || this.#finishHairpin(packet));
    hooks.add('postrouting', sourceNat, (packet, from, to) => {
      if (packet === hairpin.packet) return this.#finishHairpin(packet);
      if (to === this.#outside) return this.#toOutside(packet, from);
      return from !== null || hairpin.packet === null || this.#answerHairpin(packet);
    });
  }

  /** Prerouting, and output where `from` is null. */
  #toPublic(packet: PacketBuffer, from: Link | null): boolean {
    const { bytes, start } = packet;
    if (!this.#public.has(readBe32(bytes, start + DESTINATION_AT) | 0)) return true;
    const flow = this.#flow;
    const fault = flow.read(bytes, start, packet.length, false);
    if (fault !== null) return this.#translator.drop(packet, fault);
    const own = from === null;
    const turns = own || this.#isInside(flow.header.source, from);
    return this.#translator.inbound(packet, flow, turns, own);
  }

  #finishHairpin(packet: PacketBuffer): boolean {
    const fault = this.#flow.read(packet.bytes, packet.start, packet.length, false);
    if (fault !== null) return this.#translator.drop(packet, fault);
    return this.#translator.finishHairpin(packet, this.#flow);
  }

  /** The host itself sends something while a packet is being turned round: it may be about that. */
  #answerHairpin(packet: PacketBuffer): boolean {
    const fault = this.#flow.read(packet.bytes, packet.start, packet.length, false);
    return fault !== null || this.#translator.answerHairpin(packet, this.#flow);
  }

  /** Postrouting by the outside interface. */
  #toOutside(packet: PacketBuffer, from: Link | null): boolean {
    const { bytes, start } = packet;
    const source = readBe32(bytes, start + SOURCE_AT);
    const own = from === null && this.#public.has(source | 0);
    const inside = own || this.#isInside(source, from);
    if (!inside && from !== null) return this.#passUntranslated(packet, source);
    const flow = this.#flow;
    const fault = flow.read(bytes, start, packet.length, false);
    if (fault !== null) return this.#translator.drop(packet, fault);
    if (own && !this.#needsTranslation(flow)) return true;
    // The host itself speaks in the name of one inside, whose connection it refuses; or it has another address.
    if (!inside && !this.#translator.hasPublic(flow)) return this.#passUntranslated(packet, source);
    return this.#translator.outbound(packet, flow, from === null);
  }

  #isInside(source: number, from: Link | null): boolean {
    if (from !== null && from === this.#outside) return false;
    if (isIn(this.#insidePrefixes, source)) return true;
    const links = this.#insideLinks;
    if (from !== null) return links.includes(from);
    for (let i = 0; i < links.length; i++) if (links[i]!.address === source) return true;
    return false;
  }

  /** Whether a packet of the host itself, from a public address, must change: its port is in the table, or it is an error. */
  #needsTranslation(flow: Flow): boolean {
    if (flow.icmp === 'error') return true;
    if (flow.icmp !== 'none' && flow.icmp !== 'request') return false;
    const { kind, sourcePort } = flow;
    const { source } = flow.header;
    return (
      this.#table.findPublic(kind, source, sourcePort) !== null ||
      this.#table.findPrivate(kind, source, sourcePort) !== null
    );
  }

  /** RFC 1918 section 3: private addresses are of no use to anybody out there. */
  #passUntranslated(packet: PacketBuffer, source: number): boolean {
    if (this.#config.passPrivateSources || !isIn(PRIVATE_RANGES, source)) return true;
    return this.#translator.drop(packet, 'private source');
  }

  #addForward(forward: ForwardConfig, shared: readonly number[]): void {
    const { protocol, publicAddress = shared[0]!, publicPort, privateAddress, privatePort } = forward;
    const name = `forward of ${protocol} ${formatIpv4(publicAddress)}:${publicPort}`;
    if (!shared.includes(publicAddress)) throw new RangeError(`${name}: that is none of the shared public addresses`);
    if (!isPort(publicPort) || !isPort(privatePort)) throw new RangeError(`${name} to ${privatePort}: not a port`);
    if (this.#table.addForward(KIND[protocol], publicAddress, publicPort, privateAddress, privatePort)) return;
    throw new RangeError(`${name} to ${formatIpv4(privateAddress)}:${privatePort}: one of the two is in use already`);
  }
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;
