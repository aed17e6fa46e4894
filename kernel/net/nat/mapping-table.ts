/**
 * The table of a NAT: mappings by either of their ends, sessions by their peer, and the ports that are free. It is a
 * bijection: no two mappings of one kind share a private end, or a public one.
 *
 * Everything in it, forwards apart, goes when it has been idle for long enough. Sessions stand in a heap by the time at
 * which they may be due, and one timer stands at the earliest. To use a session is to note the time, no more; when its
 * turn comes it is found to have been used, and put back for later. So it ends on time, and packets do not pay for that.
 */

import { Heap } from '../../../src/lib/heap.ts';
import type { KernelContext } from '../../context.ts';
import type { DriverTimer } from '../../driver-api.ts';
import type { NatTimeouts } from './config.ts';
import { KIND, type Kind, Mapping, Session, type SessionState } from './mapping.ts';
import { NO_PORT, PortPool } from './port-pool.ts';
import { isEstablished } from './tcp-tracker.ts';
import { TupleIndex } from './tuple-index.ts';

/** When there are so many, who needs another is refused: nobody's is taken away. */
export const MAX_MAPPINGS = 131_072;
export const MAX_SESSIONS = 262_144;
/** Sessions that are looked at before other work has its turn. */
const LOOKS_PER_RUN = 256;

/** What the table asks about the host's own sockets: whether one holds `port` at `address`. */
export interface PortHolders {
  holds(kind: Kind, address: number, port: number): boolean;
}

export type Change = 'added' | 'changed' | 'removed';

const nobody = (): boolean => false;

export class MappingTable {
  /** Told of each change of a mapping or of its sessions; null unless somebody watches. */
  onChange: ((change: Change, mapping: Mapping) => void) | null = null;
  readonly #context: KernelContext;
  readonly #own: PortHolders;
  readonly #byPrivate = new TupleIndex<Mapping>();
  readonly #byPublic = new TupleIndex<Mapping>();
  readonly #sessions = new TupleIndex<Session>();
  readonly #mappings = new Set<Mapping>();
  /** By kind, then by public address as an int32. */
  readonly #pools: readonly Map<number, PortPool>[] = [new Map(), new Map(), new Map()];
  readonly #timeouts: NatTimeouts;
  readonly #ages = new Heap<Session>();
  readonly #timer: DriverTimer;
  #armedNs = Number.POSITIVE_INFINITY;
  #nextId = 0;
  #nextSeq = 0;

  constructor(context: KernelContext, timeouts: NatTimeouts, own: PortHolders) {
    this.#context = context;
    this.#own = own;
    this.#timeouts = timeouts;
    this.#timer = context.timer(() => this.#expire());
  }

  get mappingCount(): number {
    return this.#mappings.size;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** The mappings, oldest first. */
  mappings(): Iterable<Mapping> {
    return this.#mappings;
  }

  findPrivate(kind: Kind, address: number, port: number): Mapping | null {
    return this.#byPrivate.find(kind, address, port);
  }

  findPublic(kind: Kind, address: number, port: number): Mapping | null {
    return this.#byPublic.find(kind, address, port);
  }

  /** A forwarded port. False when one of its ends is in the table. */
  addForward(kind: Kind, publicAddress: number, publicPort: number, address: number, port: number): boolean {
    if (this.findPrivate(kind, address, port) !== null) return false;
    if (!this.#pool(kind, publicAddress).reserve(publicPort)) return false;
    this.#add(kind, publicAddress, publicPort, address, port, true);
    return true;
  }

  /**
   * A mapping for a private end that has none, and its first session. Null when no port of `publicAddress` is left, or
   * the table is full. `own`: it is the host itself that uses the port, so that its own sockets are not in the way.
   */
  open(
    kind: Kind,
    publicAddress: number,
    address: number,
    port: number,
    remoteAddress: number,
    remotePort: number,
    state: SessionState,
    own: boolean,
  ): Session | null {
    if (this.#mappings.size >= MAX_MAPPINGS || this.#sessions.size >= MAX_SESSIONS) return null;
    const publicPort = this.#takePort(kind, publicAddress, port, own);
    if (publicPort === NO_PORT) return null;
    const mapping = this.#add(kind, publicAddress, publicPort, address, port, false);
    return this.addSession(mapping, remoteAddress, remotePort, state);
  }

  findSession(mapping: Mapping, remoteAddress: number, remotePort: number): Session | null {
    // Most have one session, and it is at hand.
    const newest = mapping.sessions;
    if (newest !== null && newest.remoteAddress === (remoteAddress | 0) && newest.remotePort === remotePort)
      return newest;
    return this.#sessions.find(mapping.id, remoteAddress, remotePort);
  }

  /** A session that `mapping` does not have yet. Null when the table is full. */
  addSession(mapping: Mapping, remoteAddress: number, remotePort: number, state: SessionState): Session | null {
    if (this.#sessions.size >= MAX_SESSIONS) return null;
    const session = new Session(mapping, remoteAddress, remotePort, state);
    const first = mapping.sessions === null;
    session.older = mapping.sessions;
    if (session.older !== null) session.older.newer = session;
    mapping.sessions = session;
    this.#sessions.add(mapping.id, remoteAddress, remotePort, session);
    this.touch(session);
    session.due = session.touchedNs + this.timeoutOf(session);
    session.seq = this.#nextSeq++;
    this.#ages.push(session);
    this.#arm();
    this.onChange?.(first ? 'added' : 'changed', mapping);
    return session;
  }

  /** The session is used, and goes to another state. It may be due sooner than it was. */
  setState(session: Session, state: SessionState): void {
    session.state = state;
    this.touch(session);
    const due = session.touchedNs + this.timeoutOf(session);
    if (due < session.due) {
      session.due = due;
      this.#ages.update(session);
      this.#arm();
    }
    this.onChange?.('changed', session.mapping);
  }

  /** The session is used: its time begins anew. */
  touch(session: Session): void {
    session.touchedNs = this.#context.nowNs();
  }

  /** How long the session may be idle, in nanoseconds. */
  timeoutOf({ mapping, state }: Session): number {
    const { tcpEstablishedNs, tcpTransitoryNs, icmpNs, udpNs } = this.#timeouts;
    if (state !== 'ACTIVE') return isEstablished(state) ? tcpEstablishedNs : tcpTransitoryNs;
    return mapping.kind === KIND.icmp ? icmpNs : udpNs;
  }

  #takePort(kind: Kind, publicAddress: number, port: number, own: boolean): number {
    if (kind === KIND.other) {
      const taken = this.findPublic(kind, publicAddress, port) !== null;
      return taken || (!own && this.#own.holds(kind, publicAddress, port)) ? NO_PORT : port;
    }
    const isBarred = own ? nobody : (each: number) => this.#own.holds(kind, publicAddress, each);
    return this.#pool(kind, publicAddress).take(port, isBarred);
  }

  #pool(kind: Kind, publicAddress: number): PortPool {
    const pools = this.#pools[kind]!;
    let pool = pools.get(publicAddress | 0);
    if (pool === undefined) {
      pool = new PortPool(kind !== KIND.icmp, () => this.#context.random());
      pools.set(publicAddress | 0, pool);
    }
    return pool;
  }

  #add(
    kind: Kind,
    publicAddress: number,
    publicPort: number,
    address: number,
    port: number,
    forward: boolean,
  ): Mapping {
    const nowNs = this.#context.nowNs();
    const mapping = new Mapping(this.#nextId, kind, publicAddress, publicPort, address, port, nowNs, forward);
    this.#nextId = (this.#nextId + 1) | 0;
    this.#mappings.add(mapping);
    this.#byPrivate.add(kind, address, port, mapping);
    this.#byPublic.add(kind, publicAddress, publicPort, mapping);
    return mapping;
  }

  /** The timer stands at the earliest time, or before it. */
  #arm(): void {
    const dueNs = this.#ages.peek()?.due ?? Number.POSITIVE_INFINITY;
    if (dueNs >= this.#armedNs) return;
    this.#armedNs = dueNs;
    this.#timer.armIn(Math.max(0, dueNs - this.#context.nowNs()));
  }

  #expire(): void {
    const nowNs = this.#context.nowNs();
    for (let looks = 0; looks < LOOKS_PER_RUN; looks++) {
      const session = this.#ages.peek();
      if (session === undefined || session.due > nowNs) break;
      const due = session.touchedNs + this.timeoutOf(session);
      if (due > nowNs) {
        session.due = due;
        this.#ages.update(session);
      } else this.#end(session);
    }
    this.#armedNs = Number.POSITIVE_INFINITY;
    this.#arm();
  }

  #end(session: Session): void {
    const { mapping, newer, older } = session;
    this.#ages.remove(session);
    this.#sessions.remove(mapping.id, session.remoteAddress, session.remotePort);
    if (newer === null) mapping.sessions = older;
    else newer.older = older;
    if (older !== null) older.newer = newer;
    if (mapping.sessions !== null) {
      this.onChange?.('changed', mapping);
      return;
    }
    this.#mappings.delete(mapping);
    this.#byPrivate.remove(mapping.kind, mapping.privateAddress, mapping.privatePort);
    this.#byPublic.remove(mapping.kind, mapping.publicAddress, mapping.publicPort);
    if (mapping.kind !== KIND.other) this.#releasePort(mapping);
    this.onChange?.('removed', mapping);
  }

  #releasePort({ kind, publicAddress, publicPort }: Mapping): void {
    const pool = this.#pool(kind, publicAddress);
    pool.release(publicPort);
    if (pool.takenCount === 0) this.#pools[kind]!.delete(publicAddress | 0);
  }
}
