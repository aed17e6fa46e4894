/**
 * A resolver, RFC 1034 section 5: asks servers for the addresses of a name, and remembers what they say as long as they
 * allow. A server that knows somebody who knows more is taken at its word, up to a bound.
 *
 * It belongs to a computer, as a library does, and every program there may use it; the program that calls does the
 * waiting. Identifier and source port of each question are random, so that nobody can answer who has not seen it
 * (RFC 5452).
 */
import type { Descriptor } from '../../net/socket.ts';
import { SocketError } from '../../net/socket-error.ts';
import type { Syscalls } from '../../syscall.ts';
import type { Blocking } from '../../task.ts';
import { type DnsMessage, type DnsRecord, isName, RECORD_TYPE, RESPONSE } from './message.ts';
import { parseMessage } from './message-reader.ts';
import { emitMessage } from './message-writer.ts';

export const DNS_PORT = 53;

export interface ResolverOptions {
  /** Addresses of servers, asked in turn; or where those are to be had, if they may be others each time. */
  readonly servers: readonly number[] | (() => readonly number[]);
  /** How long to wait for each answer. */
  readonly timeoutNs?: number;
  /** Questions to each server before the next one is tried. */
  readonly attempts?: number;
}

const DEFAULT_TIMEOUT_NS = 2_000_000_000;
const DEFAULT_ATTEMPTS = 2;
/** Servers that are followed from one to the next, and other names, for one question. */
const MAX_STEPS = 16;
/** Names that are remembered; the oldest goes first. */
const MAX_CACHED = 1024;
const SECOND_NS = 1_000_000_000;
/** How long it is remembered at most that there is no such name (RFC 2308 section 5). */
const MAX_NEGATIVE_SECONDS = 300;

/** Why a name has no address. */
export class NameError extends Error {
  override readonly name = 'NameError';
  /** The codes of getaddrinfo: no such name; no answer, now; a name that cannot be. */
  readonly code: 'EAI_NONAME' | 'EAI_AGAIN' | 'EAI_FAIL';

  constructor(code: NameError['code'], text: string) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

interface CacheEntry {
  /** None at all: there is no such name. */
  readonly addresses: readonly number[];
  readonly untilNs: number;
}

export class Resolver {
  readonly counters = { questions: 0, fromCache: 0, timeouts: 0 };
  readonly #servers: () => readonly number[];
  readonly #timeoutNs: number;
  readonly #attempts: number;
  readonly #cache = new Map<string, CacheEntry>();

  constructor({ servers, timeoutNs = DEFAULT_TIMEOUT_NS, attempts = DEFAULT_ATTEMPTS }: ResolverOptions) {
    this.#servers = typeof servers === 'function' ? servers : () => servers;
    this.#timeoutNs = timeoutNs;
    this.#attempts = attempts;
  }

  /** The addresses of `name`. Throws a {@link NameError}. */
  *lookup(sys: Syscalls, name: string): Blocking<readonly number[]> {
    const wanted = name.toLowerCase().replace(/\.$/, '');
    if (!isName(wanted)) throw new NameError('EAI_FAIL', `"${name}" is no name`);
    const cached = this.#cache.get(wanted);
    if (cached !== undefined && cached.untilNs > sys.nowNs()) {
      this.counters.fromCache += 1;
      return addressesOf(name, cached);
    }
    const entry = yield* this.#find(sys, wanted);
    this.#remember(wanted, entry);
    return addressesOf(name, entry);
  }

  /** Follows servers and other names until there is an answer. */
  *#find(sys: Syscalls, wanted: string): Blocking<CacheEntry> {
    let name = wanted;
    let servers = this.#servers();
    let leastSeconds = Number.POSITIVE_INFINITY;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const reply = yield* this.#ask(sys, servers, name);
      if (reply.code === RESPONSE.nameError)
        return this.#entry(sys, [], Math.min(leastSeconds, negativeSeconds(reply)));
      const chain = follow(reply.answers, name);
      leastSeconds = Math.min(leastSeconds, chain.ttlSeconds);
      if (chain.addresses.length > 0) return this.#entry(sys, chain.addresses, leastSeconds);
      const referred = referredServers(reply);
      if (chain.name !== name) {
        name = chain.name;
        servers = this.#servers();
      } else if (referred.length > 0) {
        servers = referred;
      } else {
        return this.#entry(sys, [], Math.min(leastSeconds, negativeSeconds(reply)));
      }
    }
    throw new NameError('EAI_FAIL', `"${wanted}" leads from one server to the next`);
  }

  /** The first answer of one of the servers. */
  *#ask(sys: Syscalls, servers: readonly number[], name: string): Blocking<DnsMessage> {
    for (const server of servers) {
      for (let attempt = 0; attempt < this.#attempts; attempt++) {
        const reply = yield* this.#askOnce(sys, server, name);
        if (reply !== null) return reply;
      }
    }
    throw new NameError('EAI_AGAIN', `no server answers about "${name}"`);
  }

  /** Null when there was no answer, or one that the next server might better. */
  *#askOnce(sys: Syscalls, server: number, name: string): Blocking<DnsMessage | null> {
    this.counters.questions += 1;
    const id = sys.random() & 0xffff;
    const socket = sys.socket('udp');
    try {
      yield* sys.connect(socket, server, DNS_PORT);
      yield* sys.send(socket, emitMessage(questionAbout(id, name)));
      const reply = yield* this.#await(sys, socket, id, name);
      if (reply === null) this.counters.timeouts += 1;
      return reply;
    } catch (error) {
      if (error instanceof SocketError) return null;
      throw error;
    } finally {
      sys.close(socket);
    }
  }

  /** What is no answer to this question is passed over. */
  *#await(sys: Syscalls, socket: Descriptor, id: number, name: string): Blocking<DnsMessage | null> {
    const untilNs = sys.nowNs() + this.#timeoutNs;
    for (;;) {
      const datagram = yield* sys.recvfrom(socket, Math.max(0, untilNs - sys.nowNs()));
      if (datagram === null) return null;
      const reply = parseMessage(datagram.bytes);
      if (reply === null || !reply.response || reply.id !== id || reply.questions[0]?.name !== name) continue;
      return reply.code === RESPONSE.noError || reply.code === RESPONSE.nameError ? reply : null;
    }
  }

  #entry(sys: Syscalls, addresses: readonly number[], seconds: number): CacheEntry {
    return { addresses, untilNs: sys.nowNs() + seconds * SECOND_NS };
  }

  #remember(name: string, entry: CacheEntry): void {
    this.#cache.delete(name);
    if (this.#cache.size === MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(name, entry);
  }
}

function addressesOf(name: string, { addresses }: CacheEntry): readonly number[] {
  if (addresses.length === 0) throw new NameError('EAI_NONAME', `"${name}" has no address`);
  return addresses;
}

function questionAbout(id: number, name: string): DnsMessage {
  return {
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    code: RESPONSE.noError,
    questions: [{ name, type: RECORD_TYPE.A }],
    answers: [],
    authorities: [],
    additionals: [],
  };
}

/** Where `name` leads among `records` by other names, the addresses there, and how long all of that holds. */
function follow(
  records: readonly DnsRecord[],
  start: string,
): { readonly name: string; readonly addresses: readonly number[]; readonly ttlSeconds: number } {
  let name = start;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const here = records.filter(record => record.name === name);
    const addresses = here.flatMap(({ data }) => (data.type === 'A' ? [data.address] : []));
    for (const record of here) ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds);
    const alias = here.find(({ data }) => data.type === 'CNAME');
    if (addresses.length > 0 || alias?.data.type !== 'CNAME') return { name, addresses, ttlSeconds };
    name = alias.data.target;
  }
  return { name: start, addresses: [], ttlSeconds };
}

/** The addresses that came with the names of servers that know more. */
function referredServers({ authorities, additionals }: DnsMessage): readonly number[] {
  const names = authorities.flatMap(({ data }) => (data.type === 'NS' ? [data.target] : []));
  return additionals.flatMap(({ name, data }) => (data.type === 'A' && names.includes(name) ? [data.address] : []));
}

/** How long it may be remembered that there is nothing: RFC 2308 section 5. */
function negativeSeconds({ authorities }: DnsMessage): number {
  for (const { data, ttlSeconds } of authorities) {
    if (data.type === 'SOA') return Math.min(data.minimumSeconds, ttlSeconds, MAX_NEGATIVE_SECONDS);
  }
  return 0;
}
