/**
 * The table of a NAT: mappings by either of their ends, sessions by their peer, and the ports that are free. It is a
 * bijection: no two mappings of one kind share a private end, or a public one.
 *
 * Everything in it, forwards apart, goes when it has been idle for long enough. One timer stands at the earliest time at
 * which something may be due; what was used since then is found to be so, and the timer goes on to the next.
 */
import type { KernelContext } from '../../context.ts';
import type { DriverTimer } from '../../driver-api.ts';
import { AgeList } from './age-list.ts';
import type { NatTimeouts } from './config.ts';
import { KIND, type Kind, Mapping, Session, type SessionState } from './mapping.ts';
import { NO_PORT, PortPool } from './port-pool.ts';
import { isEstablished } from './tcp-tracker.ts';
import { TupleIndex } from './tuple-index.ts';

/** When there are so many, who needs another is refused: nobody's is taken away. */
export const MAX_MAPPINGS = 131_072;
export const MAX_SESSIONS = 262_144;
/** Sessions that end before other work has its turn. */
const EXPIRIES_PER_RUN = 256;

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
  readonly #established: AgeList;
  readonly #transitory: AgeList;
  readonly #udp: AgeList;
  readonly #icmp: AgeList;
  readonly #lists: readonly AgeList[];
  readonly #timer: DriverTimer;
  #armedNs = Number.POSITIVE_INFINITY;
  #nextId = 0;

  constructor(context: KernelContext, timeouts: NatTimeouts, own: PortHolders) {
    this.#context = context;
    this.#own = own;
    this.#established = new AgeList(timeouts.tcpEstablishedNs);
    this.#transitory = new AgeList(timeouts.tcpTransitoryNs);
    this.#udp = new AgeList(timeouts.udpNs);
    this.#icmp = new AgeList(timeouts.icmpNs);
    this.#lists = [this.#established, this.#transitory, this.#udp, this.#icmp];
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
    this.onChange?.(first ? 'added' : 'changed', mapping);
    return session;
  }

  setState(session: Session, state: SessionState): void {
    if (session.state === state) return;
    session.state = state;
    this.touch(session);
    this.onChange?.('changed', session.mapping);
  }

  /** The session is used: its time begins anew. */
  touch(session: Session): void {
    const list = this.#listOf(session);
    list.touch(session, this.#context.nowNs());
    // An established session goes back to the short list only with a packet, so what is due first is seldom earlier.
    if (list.first === session && list.dueNs < this.#armedNs) this.#arm(list.dueNs);
  }

  #listOf({ mapping, state }: Session): AgeList {
    if (state !== 'ACTIVE') return isEstablished(state) ? this.#established : this.#transitory;
    return mapping.kind === KIND.icmp ? this.#icmp : this.#udp;
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

  #arm(dueNs: number): void {
    this.#armedNs = dueNs;
    this.#timer.armIn(Math.max(0, dueNs - this.#context.nowNs()));
  }

  #expire(): void {
    const nowNs = this.#context.nowNs();
    let left = EXPIRIES_PER_RUN;
    let nextNs = Number.POSITIVE_INFINITY;
    for (const list of this.#lists) {
      while (left > 0 && list.dueNs <= nowNs) {
        this.#end(list.first!);
        left -= 1;
      }
      nextNs = Math.min(nextNs, list.dueNs);
    }
    this.#armedNs = Number.POSITIVE_INFINITY;
    if (nextNs !== Number.POSITIVE_INFINITY) this.#arm(nextNs);
  }

  #end(session: Session): void {
    const { mapping, newer, older } = session;
    session.ageList!.remove(session);
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
