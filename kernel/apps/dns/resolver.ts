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
import {
  CLASS_INTERNET,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  EDNS_PAYLOAD_BYTES,
  isName,
  RECORD_TYPE,
  RESPONSE,
} from './message.ts';
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
/** Names of servers that have to be looked up themselves, to look up another one. */
const MAX_DEPTH = 3;
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

  /** What the servers say to `question`, as it is: nothing is followed or remembered. Throws a {@link NameError}. */
  ask(sys: Syscalls, question: DnsQuestion): Blocking<DnsMessage> {
    return this.#ask(sys, this.#servers(), question);
  }

  /** Follows servers and other names until there is an answer. */
  *#find(sys: Syscalls, wanted: string, depth = 0): Blocking<CacheEntry> {
    let name = wanted;
    let servers = this.#servers();
    let leastSeconds = Number.POSITIVE_INFINITY;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const reply = yield* this.#ask(sys, servers, { name, type: RECORD_TYPE.A, class: CLASS_INTERNET });
      const chain = follow(reply.answers, name);
      leastSeconds = Math.min(leastSeconds, chain.ttlSeconds);
      if (chain.addresses.length > 0) return this.#entry(sys, chain.addresses, leastSeconds);
      if (reply.code !== RESPONSE.nameError && chain.name !== name) {
        name = chain.name;
        servers = this.#servers();
      } else if (isReferral(reply, name)) {
        servers = yield* this.#referredServers(sys, reply, depth);
      } else {
        return this.#entry(sys, [], Math.min(leastSeconds, negativeSeconds(reply)));
      }
    }
    throw new NameError('EAI_FAIL', `"${wanted}" leads from one server to the next`);
  }

  /** The addresses of those who know more: those that came along, or else of the first of them that can be found. */
  *#referredServers(
    sys: Syscalls,
    { authorities, additionals }: DnsMessage,
    depth: number,
  ): Blocking<readonly number[]> {
    const names = authorities.flatMap(({ data }) => (data.type === 'NS' ? [data.target] : []));
    const glue = additionals.flatMap(({ name, data }) =>
      data.type === 'A' && names.includes(name) ? [data.address] : [],
    );
    if (glue.length > 0 || depth === MAX_DEPTH) return glue;
    for (const name of names.slice(0, MAX_DEPTH)) {
      const { addresses } = yield* this.#find(sys, name, depth + 1);
      if (addresses.length > 0) return addresses;
    }
    return [];
  }

  /** The first answer of one of the servers. */
  *#ask(sys: Syscalls, servers: readonly number[], question: DnsQuestion): Blocking<DnsMessage> {
    for (const server of servers) {
      for (let attempt = 0; attempt < this.#attempts; attempt++) {
        const reply = yield* this.#askOnce(sys, server, question, attempt === 0);
        if (reply !== null) return reply;
      }
    }
    const text = servers.length === 0 ? 'there is no server to ask' : 'no server answers';
    throw new NameError('EAI_AGAIN', `${text} about "${question.name}"`);
  }

  /** Null when there was no answer, or one that the next server might better. */
  *#askOnce(sys: Syscalls, server: number, question: DnsQuestion, edns: boolean): Blocking<DnsMessage | null> {
    this.counters.questions += 1;
    const id = sys.random() & 0xffff;
    const socket = sys.socket('udp');
    try {
      yield* sys.connect(socket, server, DNS_PORT);
      yield* sys.send(socket, emitMessage(queryOf(id, question, edns)));
      const reply = yield* this.#await(sys, socket, id, question);
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
  *#await(sys: Syscalls, socket: Descriptor, id: number, question: DnsQuestion): Blocking<DnsMessage | null> {
    const untilNs = sys.nowNs() + this.#timeoutNs;
    for (;;) {
      const datagram = yield* sys.recvfrom(socket, Math.max(0, untilNs - sys.nowNs()));
      if (datagram === null) return null;
      const reply = parseMessage(datagram.bytes);
      if (reply === null || !isAnswerTo(reply, id, question)) continue;
      // A truncated one would be asked for again by TCP, which there is not.
      const isUseful = reply.code === RESPONSE.noError || reply.code === RESPONSE.nameError;
      return isUseful && !reply.truncated ? reply : null;
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

/** Long answers are asked for the first time only: not every server knows how to be asked (RFC 6891 section 6.2.2). */
function queryOf(id: number, question: DnsQuestion, edns: boolean): DnsMessage {
  return {
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    code: RESPONSE.noError,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
    edns: edns ? { payloadBytes: EDNS_PAYLOAD_BYTES, version: 0 } : null,
  };
}

/** RFC 5452 section 9.1; that it comes from the server's address and port is seen to by the socket. */
function isAnswerTo(reply: DnsMessage, id: number, { name, type }: DnsQuestion): boolean {
  const [question] = reply.questions;
  return reply.response && reply.id === id && question?.name === name && question.type === type;
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

/** Whether `reply` says of no name that it is not there, but who knows more about one at, or above, `asked`. */
function isReferral({ code, authoritative, answers, authorities }: DnsMessage, asked: string): boolean {
  if (code !== RESPONSE.noError || authoritative || answers.length > 0) return false;
  return authorities.some(
    ({ name, data }) => data.type === 'NS' && `.${asked}`.endsWith(name === '' ? '' : `.${name}`),
  );
}

/** How long it may be remembered that there is nothing: RFC 2308 section 5. */
function negativeSeconds({ authorities }: DnsMessage): number {
  for (const { data, ttlSeconds } of authorities) {
    if (data.type === 'SOA') return Math.min(data.minimumSeconds, ttlSeconds, MAX_NEGATIVE_SECONDS);
  }
  return 0;
}
