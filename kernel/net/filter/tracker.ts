/**
 * Connection tracking: which flows go through this host, so that the filter can tell the answer to something that it let
 * out from something that nobody asked for (`ct state`).
 *
 * A packet is classified once, as it comes in or is sent, when destinations are translated already and sources not yet:
 * so all chains see a flow with the same ends. A flow that begins is kept only when its first packet has got through all
 * chains; what was dropped leaves no trace, and takes no older flow's place.
 *
 * While a packet that came in is handled this host may send another about it (a redirect, an error, a reset), which is
 * handled to its end before the first goes on. So there are two at most, and each has its {@link Verdict}.
 */
import type { KernelContext } from '../../context.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import type { Timer } from '../../timer.ts';
import { ICMP_HEADER_BYTES, ICMP_PROTOCOL, isErrorType } from '../icmp-message.ts';
import { Ipv4Header, parseUnchecked } from '../ipv4/header.ts';
import type { Hooks } from '../ipv4/hooks.ts';
import { ACK, RST, SYN, TCP_PROTOCOL } from '../tcp/segment.ts';
import { UDP_PROTOCOL } from '../udp.ts';
import { Flow } from './flow.ts';
import { FlowTable } from './flow-table.ts';
import { canBegin, isWellFormed, PacketEnds } from './packet-ends.ts';
import { ABSENT, PacketView } from './packet-view.ts';
import { CONNECTION_STATE } from './rule.ts';
import { TcpFlow, type TcpFlowState } from './tcp-flow.ts';

/** Flows at once. While so many are there, what begins is invalid. */
const MAX_FLOWS = 262_144;
/** Classification goes before the filter and behind translated destinations; a flow is kept behind everything. */
const CLASSIFY_PRIORITY = -50;
const KEEP_PRIORITY = 1000;

const SECOND_NS = 1_000_000_000;
/** How long a silent flow is remembered. */
const TCP_LIFE_NS: Readonly<Record<TcpFlowState, number>> = {
  'SYN-SENT': 120 * SECOND_NS,
  'SYN-RECEIVED': 60 * SECOND_NS,
  // RFC 5382 REQ-5: at least 2 hours 4 minutes.
  ESTABLISHED: 7440 * SECOND_NS,
  'FIN-WAIT': 240 * SECOND_NS,
  CLOSING: 240 * SECOND_NS,
  'TIME-WAIT': 120 * SECOND_NS,
  CLOSED: 10 * SECOND_NS,
};
const UDP_LIFE_NS = { asked: 30 * SECOND_NS, answered: 180 * SECOND_NS } as const;
const ICMP_LIFE_NS = 60 * SECOND_NS;
const OTHER_LIFE_NS = 600 * SECOND_NS;

/** How often a part of the table is looked through for flows that are due. */
const SWEEP_INTERVAL_NS = SECOND_NS;
/** The whole table is seen within so many sweeps. */
const SWEEPS_PER_ROUND = 16;

/** Octets behind an IPv4 header in which the ends of a quoted packet stand. */
const QUOTED_BYTES = 8;

/** What was found out about a packet that is under way. */
class Verdict {
  packet: PacketBuffer | null = null;
  /** A bit of `CONNECTION_STATE`. */
  state = 0;
  /** The flow that it begins, until that is kept. */
  begun: Flow | null = null;
}

export class Tracker {
  readonly counters = { flows: 0, invalid: 0, tableFull: 0 };
  readonly #context: KernelContext;
  readonly #table = new FlowTable();
  readonly #view = new PacketView();
  readonly #ends = new PacketEnds();
  readonly #quoted = new Ipv4Header();
  readonly #sweep: Timer;
  /** On what came in last, and on what this host has sent last. */
  readonly #received = new Verdict();
  readonly #sent = new Verdict();

  constructor(context: KernelContext, hooks: Hooks) {
    this.#context = context;
    this.#sweep = context.timer(() => this.#sweepSome());
    hooks.add('prerouting', CLASSIFY_PRIORITY, packet => {
      // What was sent before is gone, and its buffer may have been taken for this packet.
      this.#sent.packet = this.#sent.begun = null;
      return this.#classify(packet, this.#received);
    });
    hooks.add('output', CLASSIFY_PRIORITY, packet => this.#classify(packet, this.#sent));
    hooks.add('input', KEEP_PRIORITY, packet => this.#keep(packet));
    hooks.add('postrouting', KEEP_PRIORITY, packet => this.#keep(packet));
  }

  /** The state of the flow of `packet`: a bit of `CONNECTION_STATE`, or 0 before it was classified. */
  stateOf(packet: PacketBuffer): number {
    return this.#verdictOn(packet)?.state ?? 0;
  }

  /** The flows that are remembered. */
  flows(): readonly Flow[] {
    return this.#table.list();
  }

  /** What this host sends is looked for first: its buffer may be that of a packet that came in and was dropped. */
  #verdictOn(packet: PacketBuffer): Verdict | null {
    if (packet === this.#sent.packet) return this.#sent;
    return packet === this.#received.packet ? this.#received : null;
  }

  #classify(packet: PacketBuffer, verdict: Verdict): boolean {
    const view = this.#view;
    view.look(packet, null, null);
    // What came in before this has been handled to its end: if its flow is not kept, it was dropped.
    const begunBefore = verdict === this.#sent ? verdict.begun : null;
    verdict.packet = packet;
    verdict.begun = null;
    verdict.state = isError(view) ? this.#classifyError(begunBefore) : this.#classifyFlow(begunBefore, verdict);
    if (verdict.state === CONNECTION_STATE.invalid) this.counters.invalid += 1;
    return true;
  }

  /** An ICMP error belongs to the flow of the packet that it quotes, and goes to who sent that. */
  #classifyError(begunBefore: Flow | null): number {
    const { header, bytes, transportAt, transportBytes } = this.#view;
    const quoted = this.#quoted;
    const at = transportAt + ICMP_HEADER_BYTES;
    const length = transportBytes - ICMP_HEADER_BYTES;
    if (!parseUnchecked(bytes, at, length, quoted) || length < quoted.headerBytes + QUOTED_BYTES) {
      return CONNECTION_STATE.invalid;
    }
    if (quoted.source !== header.destination || quoted.offsetBytes !== 0) return CONNECTION_STATE.invalid;
    if (!this.#ends.read(quoted, bytes, at + quoted.headerBytes)) return CONNECTION_STATE.invalid;
    const flow = this.#find() ?? this.#refused(begunBefore);
    return flow === null ? CONNECTION_STATE.invalid : CONNECTION_STATE.related;
  }

  #classifyFlow(begunBefore: Flow | null, verdict: Verdict): number {
    if (!this.#readEnds()) return CONNECTION_STATE.invalid;
    const { bytes, transportAt } = this.#view;
    const flow = this.#find() ?? (isReset(this.#view) ? this.#refused(begunBefore) : null);
    const forward = flow?.isForward(this.#ends) ?? true;
    if (flow === null || isOver(flow, forward, this.#view)) return this.#begin(flow === null, verdict);
    if (flow.tcp !== null && !flow.tcp.accept(forward ? 0 : 1, bytes, transportAt, this.#view.transportBytes)) {
      return CONNECTION_STATE.invalid;
    }
    if (!forward) flow.answered = true;
    this.#keepAlive(flow);
    return flow.answered ? CONNECTION_STATE.established : CONNECTION_STATE.new;
  }

  #readEnds(): boolean {
    const { header, bytes, transportAt, transportBytes } = this.#view;
    const { protocol } = header;
    if (transportAt === ABSENT && hasPorts(protocol)) return false;
    return isWellFormed(protocol, bytes, transportAt, transportBytes) && this.#ends.read(header, bytes, transportAt);
  }

  /** `more`: there is no older flow with these ends, whose place the new one takes. */
  #begin(more: boolean, verdict: Verdict): number {
    const { header, bytes, transportAt, transportBytes } = this.#view;
    if (!canBegin(header.protocol, bytes, transportAt)) return CONNECTION_STATE.invalid;
    if (more && this.#table.size >= MAX_FLOWS) {
      this.counters.tableFull += 1;
      return CONNECTION_STATE.invalid;
    }
    const flow = new Flow(this.#ends, header.protocol === TCP_PROTOCOL ? new TcpFlow() : null);
    flow.tcp?.open(bytes, transportAt, transportBytes);
    this.#keepAlive(flow);
    verdict.begun = flow;
    return CONNECTION_STATE.new;
  }

  /** The packet has got through: so has its flow. */
  #keep(packet: PacketBuffer): boolean {
    const verdict = this.#verdictOn(packet);
    const flow = verdict?.begun ?? null;
    if (verdict === null || flow === null) return true;
    verdict.begun = null;
    const over = this.#table.find(flow);
    if (over !== null) this.#table.remove(over);
    this.counters.flows += 1;
    this.#table.add(flow);
    if (!this.#sweep.armed) this.#sweep.armIn(SWEEP_INTERVAL_NS);
    return true;
  }

  /** The flow with the ends at hand, if it is not due. */
  #find(): Flow | null {
    const flow = this.#table.find(this.#ends);
    if (flow === null || flow.dueNs > this.#context.nowNs()) return flow;
    this.#table.remove(flow);
    return null;
  }

  /**
   * The flow with the ends at hand that has begun and is not kept: what this host sends may be about its first packet,
   * which is still being handled. That came in, or was sent before.
   */
  #refused(begunBefore: Flow | null): Flow | null {
    const { begun } = this.#received;
    if (begun?.joins(this.#ends)) return begun;
    return begunBefore?.joins(this.#ends) ? begunBefore : null;
  }

  #keepAlive(flow: Flow): void {
    flow.dueNs = this.#context.nowNs() + lifeNs(flow);
  }

  #sweepSome(): void {
    this.#table.sweep(Math.ceil(this.#table.bucketCount / SWEEPS_PER_ROUND), this.#context.nowNs());
    if (this.#table.size > 0) this.#sweep.armIn(SWEEP_INTERVAL_NS);
  }
}

const isError = ({ header, bytes, transportAt }: PacketView): boolean =>
  header.protocol === ICMP_PROTOCOL && transportAt !== ABSENT && isErrorType(bytes[transportAt]!);

/** Protocols of which a flow is known by more than its addresses. */
const hasPorts = (protocol: number): boolean =>
  protocol === TCP_PROTOCOL || protocol === UDP_PROTOCOL || protocol === ICMP_PROTOCOL;

const isReset = ({ header, bytes, transportAt }: PacketView): boolean =>
  header.protocol === TCP_PROTOCOL && transportAt !== ABSENT && (bytes[transportAt + 13]! & RST) !== 0;

/** Whether the packet in `view` is the SYN of a new connection between the ends of one that has ended. */
function isOver({ tcp }: Flow, forward: boolean, { bytes, transportAt }: PacketView): boolean {
  if (tcp === null || !tcp.isOverFor(forward ? 0 : 1)) return false;
  return (bytes[transportAt + 13]! & (SYN | ACK | RST)) === SYN;
}

function lifeNs({ protocol, tcp, answered }: Flow): number {
  if (tcp !== null) return TCP_LIFE_NS[tcp.state];
  if (protocol === UDP_PROTOCOL) return answered ? UDP_LIFE_NS.answered : UDP_LIFE_NS.asked;
  return protocol === ICMP_PROTOCOL ? ICMP_LIFE_NS : OTHER_LIFE_NS;
}
