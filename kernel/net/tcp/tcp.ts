/**
 * TCP, RFC 9293, of one host: where segments come in and are given to connections and listeners, and where users get
 * these. The rest of the folder, from the outside in: `connection.ts` and `listener.ts` (what users call),
 * `control-block.ts` (all that is known of a connection), `input.ts` and `output.ts` (what happens to it),
 * `recovery.ts`, `congestion/`, `timers.ts`, and the small things that these are made of.
 */
import { formatIpv4, readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import type { KernelContext } from '../../context.ts';
import type { DeferredWork, PacketBuffer } from '../../driver-api.ts';
import { chainBytes, readChain } from '../chain.ts';
import type { Drops } from '../drop.ts';
import { type Endpoint, formatEndpoint } from '../endpoint.ts';
import type { IcmpReport } from '../icmp-message.ts';
import { ANY_ADDRESS, isMulticast, LIMITED_BROADCAST } from '../ipv4/address.ts';
import type { Ipv4Header } from '../ipv4/header.ts';
import type { Ipv4Arrival, Ipv4Protocol } from '../ipv4/input.ts';
import type { Ipv4Output } from '../ipv4/output.ts';
import { MAX_IPV4_BYTES } from '../packet.ts';
import { PortTable } from '../port-table.ts';
import { SocketError } from '../socket-error.ts';
import { TcpConnection } from './connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { ControlBlock, type TcpCounters } from './control-block.ts';
import { setState } from './ending.ts';
import { icmpArrives } from './icmp.ts';
import { segmentArrives } from './input.ts';
import { InitialNumbers } from './isn.ts';
import { type ListenerHost, TcpListener } from './listener.ts';
import { output, sendSyn } from './output.ts';
import { refreshPathMtu } from './path-mtu.ts';
import { replyReset } from './reset.ts';
import { parseSegment, Segment, type SegmentFault } from './segment.ts';
import { seqAdd, seqLeq } from './seq.ts';
import { SynCookies } from './syn-cookies.ts';
import { attachTimers } from './timers.ts';
import { updateSendMss } from './transmit.ts';
import { DEFAULT_TCP_OPTIONS, type TcpOptions, type TcpState, type TcpUser } from './user.ts';

/** Connections of one host, TIME-WAIT among them. */
const MAX_CONNECTIONS = 65_536;
/** Connections that have their turn before other deferred work has. */
const BLOCKS_PER_RUN = 64;
/** Connections that have had their turn after which the front of the line is cut off. */
const LINE_CUT = 4096;
/** How far the ISN of a connection is above the last number of the one whose place it takes. */
const ISS_STEP = 64_000;
/** Ephemeral ports, RFC 6335 section 6. */
const FIRST_EPHEMERAL_PORT = 49_152;
const EPHEMERAL_PORTS = 65_536 - FIRST_EPHEMERAL_PORT;

export class Tcp implements Ipv4Protocol, ListenerHost {
  readonly name = 'TCP';
  readonly context: KernelContext;
  readonly output: Ipv4Output;
  readonly initialNumbers: InitialNumbers;
  readonly cookies: SynCookies;
  /** What a new socket begins with: for whoever administers the host to change, at any time. */
  readonly defaults: TcpOptions = { ...DEFAULT_TCP_OPTIONS };
  readonly counters: TcpCounters = {
    received: 0,
    sent: 0,
    activeOpens: 0,
    passiveOpens: 0,
    failedOpens: 0,
    established: 0,
    resetsSent: 0,
    resetsReceived: 0,
    retransmitted: 0,
    timeouts: 0,
    fastRetransmits: 0,
    challengeAcks: 0,
    duplicateSegments: 0,
    outOfOrderSegments: 0,
    zeroWindowProbes: 0,
    keepAliveProbes: 0,
    synCookiesSent: 0,
    synCookiesAccepted: 0,
    synQueueOverflows: 0,
    acceptQueueOverflows: 0,
    pawsRejected: 0,
    outOfBuffers: 0,
  };
  readonly #drops: Drops;
  readonly #table = new ConnectionTable();
  readonly #listeners: PortTable<TcpListener>;
  readonly #listening = new Set<TcpListener>();
  readonly #segment = new Segment();
  #longSegment: Uint8Array | null = null;
  readonly #work: DeferredWork;
  /** Connections that wait for their turn, from `#lineHead` on. */
  #line: ControlBlock[] = [];
  #lineHead = 0;

  constructor(context: KernelContext, output: Ipv4Output, drops: Drops) {
    this.context = context;
    this.output = output;
    this.#drops = drops;
    const random = () => context.random();
    this.initialNumbers = new InitialNumbers(random);
    this.cookies = new SynCookies(random);
    this.#listeners = new PortTable(random);
    this.#work = context.deferred('tcp', () => this.#run());
  }

  /**
   * OPEN, active (RFC 9293 section 3.10.1): sends a SYN. `local` null, or parts of it 0: the stack chooses. Throws
   * EADDRNOTAVAIL, EADDRINUSE, ENETUNREACH, ENOBUFS.
   */
  connect(local: Endpoint | null, remote: Endpoint, options: TcpOptions, user: TcpUser): TcpConnection {
    const address = this.#localAddress(local?.address ?? ANY_ADDRESS, remote);
    const port = this.#localPort(address, local?.port ?? 0, remote);
    const block = this.open({ address, port }, remote, options, null);
    if (block === null) throw new SocketError('ENOBUFS', `no more than ${MAX_CONNECTIONS} connections`);
    this.counters.activeOpens += 1;
    block.active = true;
    block.user = user;
    setState(block, 'SYN-SENT');
    sendSyn(block);
    return new TcpConnection(block);
  }

  /** OPEN, passive. Port 0: an ephemeral one. Throws EADDRNOTAVAIL, EADDRINUSE. */
  listen(local: Endpoint, backlog: number, options: TcpOptions, user: TcpUser): TcpListener {
    if (local.address !== ANY_ADDRESS && !this.output.isOwnAddress(local.address)) {
      throw new SocketError('EADDRNOTAVAIL', `${formatIpv4(local.address)} is not an address of this host`);
    }
    const port = this.#listeners.choose(local.address, local.port);
    const listener = new TcpListener(this, { address: local.address, port }, backlog, options, user);
    this.#listeners.add(listener);
    this.#listening.add(listener);
    return listener;
  }

  /** Whether a listener or a connection has the port, at `address` or, where one of them is 0, at any. */
  portTaken(address: number, port: number): boolean {
    for (const { localAddress, localPort } of this.#listening) {
      const meets = address === ANY_ADDRESS || localAddress === ANY_ADDRESS || localAddress === address;
      if (meets && localPort === port) return true;
    }
    return this.#table.hasLocal(address, port);
  }

  /** Whether a connection, or else a listener, would take a segment with these ends. */
  expects(address: number, port: number, remoteAddress: number, remotePort: number): boolean {
    return (
      this.#table.find(address, port, remoteAddress, remotePort) !== null ||
      this.#listeners.find(address, port, remoteAddress, remotePort) !== null
    );
  }

  /** Listeners, then connections, those that nobody has accepted yet and those in TIME-WAIT among them. */
  connections(): readonly (TcpListener | TcpConnection)[] {
    return [...this.#listening, ...this.#table.list().map(block => block.connection ?? new TcpConnection(block))];
  }

  // For IPv4.

  input(packet: PacketBuffer, arrival: Ipv4Arrival): void {
    this.counters.received += 1;
    const segment = this.#segment;
    const fault = this.#parse(packet, arrival);
    if (fault !== null) {
      this.#drops.drop(packet, 'tcp', fault);
      return;
    }
    // MUST-57: neither end of a connection is a group, or nobody.
    if (arrival.group || isMulticast(arrival.destination) || arrival.source === ANY_ADDRESS) {
      this.#drops.drop(packet, 'tcp', 'TCP to or from no single host');
      return;
    }
    this.#deliver(segment);
    this.context.packets.free(packet);
  }

  error(report: IcmpReport, sent: Ipv4Header, bytes: Uint8Array, start: number): void {
    const localPort = readBe16(bytes, start);
    const block = this.#table.find(sent.source, localPort, sent.destination, readBe16(bytes, start + 2));
    if (block !== null) icmpArrives(block, report, readBe32(bytes, start + 4) | 0, sent.totalBytes);
  }

  /**
   * Answers the segment that `packet` starts with, and which stays the caller's, as a host answers that has no such port
   * (RFC 9293 section 3.10.7.1). For the packet filter, which refuses what is not for this host too.
   */
  refuse(packet: PacketBuffer, arrival: Ipv4Arrival): void {
    const segment = this.#segment;
    const fault = this.#parse(packet, arrival);
    if (fault === null && !arrival.group) replyReset(this, segment);
  }

  // For connections and listeners.

  schedule(block: ControlBlock): void {
    if (block.scheduled) return;
    block.scheduled = true;
    this.#line.push(block);
    this.#work.schedule();
  }

  forget(block: ControlBlock): void {
    this.#table.remove(block);
  }

  forgetListener(listener: TcpListener): void {
    this.#listeners.remove(listener);
    this.#listening.delete(listener);
  }

  open(local: Endpoint, remote: Endpoint, options: TcpOptions, previous: ControlBlock | null): ControlBlock | null {
    if (this.#table.size === MAX_CONNECTIONS) return null;
    const block = new ControlBlock(this, local, remote, options, null);
    attachTimers(block);
    block.iss = this.initialNumbers.sequence(block, this.context.nowNs());
    // Less than the clock makes of 4 us, or more than it makes in the time, may have been sent since the last ISN.
    if (previous !== null && seqLeq(block.iss, previous.sndMax)) block.iss = seqAdd(previous.sndMax, ISS_STEP);
    block.tsOffset = this.initialNumbers.timestampOffset(block);
    block.sndUna = block.sndNxt = block.sndMax = block.recover = block.retransmittedTo = block.iss;
    block.sendBuffer.begin(seqAdd(block.iss, 1));
    block.linkMtu = this.output.linkMtu(remote.address);
    refreshPathMtu(block);
    updateSendMss(block);
    this.#table.add(block);
    return block;
  }

  /** A segment that IPv4 put together may lie in several buffers, and is copied into one: nobody of ours sends such. */
  #parse(packet: PacketBuffer, arrival: Ipv4Arrival): SegmentFault | null {
    const { bytes, start, length } = packet;
    if (packet.next === null) return parseSegment(bytes, start, length, arrival, this.#segment);
    this.#longSegment ??= new Uint8Array(MAX_IPV4_BYTES);
    const total = chainBytes(packet);
    readChain(packet, 0, total, this.#longSegment, 0);
    return parseSegment(this.#longSegment, 0, total, arrival, this.#segment);
  }

  #deliver(segment: Segment): void {
    const { sourceAddress, sourcePort, destinationAddress, destinationPort } = segment;
    const block = this.#table.find(destinationAddress, destinationPort, sourceAddress, sourcePort);
    const watched = this.context.trace !== null;
    if (block !== null) {
      if (watched) this.#tell(segment, block.name, block.state);
      if (!segmentArrives(block, segment)) return;
    }
    const listener = this.#listeners.find(destinationAddress, destinationPort, sourceAddress, sourcePort);
    if (watched) this.#tell(segment, listener?.name ?? null, listener?.state ?? null);
    if (listener !== null) listener.segmentArrives(segment, block);
    else replyReset(this, segment);
  }

  /** For observers: who has the four addresses of `segment`. */
  #tell(segment: Segment, found: string | null, state: TcpState | null): void {
    const local = formatEndpoint(segment.destinationAddress, segment.destinationPort);
    const remote = formatEndpoint(segment.sourceAddress, segment.sourcePort);
    this.context.trace?.demultiplex(local, remote, found, state);
  }

  /**
   * Deferred work: when all segments at hand have been looked at, sends what they call for, one ACK for all of them
   * (MUST-58, MUST-59), and tells the users.
   */
  #run(): boolean {
    for (let i = 0; i < BLOCKS_PER_RUN && this.#lineHead < this.#line.length; i++) {
      const block = this.#line[this.#lineHead++]!;
      block.scheduled = false;
      if (block.state !== 'CLOSED') {
        refreshPathMtu(block);
        output(block);
      }
      if (!block.changed) continue;
      block.changed = false;
      block.user?.changed();
    }
    const more = this.#lineHead < this.#line.length;
    // Under load the line may never be empty.
    if (!more || this.#lineHead >= LINE_CUT) {
      this.#line.splice(0, this.#lineHead);
      this.#lineHead = 0;
    }
    return more;
  }

  /** MUST-46: no connection to a group, or to nobody. The address is chosen before the SYN, and kept (MUST-45). */
  #localAddress(wanted: number, remote: Endpoint): number {
    if (remote.address === ANY_ADDRESS || remote.port === 0) {
      throw new SocketError('EADDRNOTAVAIL', 'the peer has no address, or no port');
    }
    const route = this.output.routeFor({ localAddress: wanted }, remote.address, 0);
    if (isMulticast(remote.address)) {
      throw new SocketError('ENETUNREACH', `${formatIpv4(remote.address)} is a group`);
    }
    if (remote.address === LIMITED_BROADCAST || (remote.address === route.link.broadcast && !route.link.loopback)) {
      throw new SocketError('ENETUNREACH', `${formatIpv4(remote.address)} is a broadcast address`);
    }
    if (wanted === ANY_ADDRESS) return route.source;
    if (!this.output.isOwnAddress(wanted)) {
      throw new SocketError('EADDRNOTAVAIL', `${formatIpv4(wanted)} is not an address of this host`);
    }
    return wanted;
  }

  /** RFC 6056 section 3.3.1: from a random start upwards, the first with which the connection is the only one. */
  #localPort(address: number, wanted: number, remote: Endpoint): number {
    const isFree = (port: number) => this.#table.find(address, port, remote.address, remote.port) === null;
    if (wanted !== 0) {
      if (isFree(wanted)) return wanted;
      throw new SocketError('EADDRINUSE', `there is a connection from port ${wanted} to that peer`);
    }
    const first = (this.context.random() >>> 0) % EPHEMERAL_PORTS;
    for (let i = 0; i < EPHEMERAL_PORTS; i++) {
      const port = FIRST_EPHEMERAL_PORT + ((first + i) % EPHEMERAL_PORTS);
      if (isFree(port) && this.#listeners.find(address, port, remote.address, remote.port) === null) return port;
    }
    throw new SocketError('EADDRNOTAVAIL', 'no ephemeral port is left for that peer');
  }
}
