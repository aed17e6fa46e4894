/**
 * A name server, RFC 1034 section 4.3: answers from the zones that it has, and, where it is told to, asks others for the
 * rest: the resolver in a home router. It speaks UDP, with the longer messages of RFC 6891.
 */
import { readBe16 } from '../../../src/lib/bytes.ts';
import type { Datagram, Descriptor } from '../../net/socket.ts';
import { SocketError } from '../../net/socket-error.ts';
import type { Syscalls } from '../../syscall.ts';
import type { Blocking, Program } from '../../task.ts';
import {
  CLASS_ANY,
  CLASS_INTERNET,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  EDNS_PAYLOAD_BYTES,
  FLAG,
  MAX_UDP_MESSAGE_BYTES,
  RECORD_TYPE,
  RESPONSE,
} from './message.ts';
import { parseMessage } from './message-reader.ts';
import { emitMessage } from './message-writer.ts';
import { DNS_PORT, NameError, type Resolver } from './resolver.ts';
import { Zone, type ZoneAnswer, type ZoneConfig } from './zone.ts';

export interface DnsServerOptions {
  readonly zones?: readonly ZoneConfig[];
  /** Finds what is in no zone; without one that is refused. */
  readonly resolver?: Resolver;
  /** Told of each question and the code of its answer. */
  readonly onAnswer?: (question: DnsQuestion, code: number) => void;
}

/** How long others may remember what a resolver has found. It does not tell how long it would itself. */
const FOUND_TTL_SECONDS = 60;
const QUERY = 0;
/** Questions that are being looked up for others at once; further ones fail for now. */
const MAX_LOOKUPS = 64;
const HEADER_BYTES = 12;

/** A program that answers on UDP port 53, for ever. Throws a RangeError for what is no zone. */
export function dnsServer(options: DnsServerOptions): Program {
  const zones = (options.zones ?? []).map(config => new Zone(config));
  // The zone that says most about a name comes first.
  zones.sort((a, b) => b.origin.length - a.origin.length);
  return function* (sys: Syscalls): Blocking<void> {
    const socket = sys.socket('udp');
    sys.bind(socket, 0, DNS_PORT);
    const server = new DnsServer(sys, socket, zones, options);
    for (;;) {
      const datagram = yield* sys.recvfrom(socket);
      if (datagram !== null) server.received(datagram);
    }
  };
}

class DnsServer {
  readonly #sys: Syscalls;
  readonly #socket: Descriptor;
  readonly #zones: readonly Zone[];
  readonly #options: DnsServerOptions;
  #lookups = 0;

  constructor(sys: Syscalls, socket: Descriptor, zones: readonly Zone[], options: DnsServerOptions) {
    this.#sys = sys;
    this.#socket = socket;
    this.#zones = zones;
    this.#options = options;
  }

  received(datagram: Datagram): void {
    const { bytes } = datagram;
    const query = parseMessage(bytes);
    if (query === null) this.#refuseMalformed(datagram);
    else if (!query.response) this.#answer(datagram, query);
  }

  #answer(client: Datagram, query: DnsMessage): void {
    const [question] = query.questions;
    const { resolver } = this.#options;
    if (query.edns !== null && query.edns.version > 0) this.#reply(client, query, failed(RESPONSE.badVersion));
    else if (query.opcode !== QUERY) this.#reply(client, query, failed(RESPONSE.notImplemented));
    else if (question === undefined || query.questions.length > 1) {
      this.#reply(client, query, failed(RESPONSE.formatError));
    } else {
      const answer = this.#fromZones(question);
      if (answer !== null) this.#reply(client, query, answer);
      else if (resolver === undefined || !query.recursionDesired) this.#reply(client, query, failed(RESPONSE.refused));
      else this.#lookUp(client, query, question, resolver);
    }
  }

  /** Null when no zone knows. */
  #fromZones(question: DnsQuestion): ZoneAnswer | null {
    if (question.class !== CLASS_INTERNET && question.class !== CLASS_ANY) return failed(RESPONSE.refused);
    return this.#zones.find(zone => zone.has(question.name))?.answer(question) ?? null;
  }

  /** Asks others, while the server goes on. */
  #lookUp(client: Datagram, query: DnsMessage, question: DnsQuestion, resolver: Resolver): void {
    if (this.#lookups === MAX_LOOKUPS) {
      this.#reply(client, query, failed(RESPONSE.serverFailure));
      return;
    }
    this.#lookups += 1;
    const server = this;
    this.#sys.spawn('dns lookup', function* (sys) {
      const answer = yield* lookedUp(sys, resolver, question);
      server.#lookups -= 1;
      server.#reply(client, query, answer);
    });
  }

  /** What is longer than the client takes goes without its records. */
  #reply(client: Datagram, query: DnsMessage, answer: ZoneAnswer): void {
    const { id, opcode, recursionDesired, questions, edns } = query;
    this.#options.onAnswer?.(questions[0] ?? { name: '', type: 0, class: 0 }, answer.code);
    const mostBytes = Math.min(EDNS_PAYLOAD_BYTES, Math.max(MAX_UDP_MESSAGE_BYTES, edns?.payloadBytes ?? 0));
    const message: DnsMessage = {
      id,
      response: true,
      opcode,
      truncated: false,
      recursionDesired,
      recursionAvailable: this.#options.resolver !== undefined,
      questions,
      edns: edns === null ? null : { payloadBytes: EDNS_PAYLOAD_BYTES, version: 0 },
      ...answer,
    };
    this.#send(client, emitMessage(message, mostBytes));
  }

  /** Where there is at least the header of a query, its sender hears that the rest makes no sense. */
  #refuseMalformed(client: Datagram): void {
    const { bytes } = client;
    if (bytes.length < HEADER_BYTES) return;
    const flags = readBe16(bytes, 2);
    if ((flags & FLAG.response) !== 0) return;
    const answer = bytes.slice(0, HEADER_BYTES).fill(0, 2);
    answer[2] = FLAG.response >>> 8;
    answer[3] = RESPONSE.formatError;
    this.#send(client, answer);
  }

  /** An answer that cannot be sent is lost to its client, and no reason to stop serving the others. */
  #send({ address, port }: Datagram, bytes: Uint8Array): void {
    try {
      this.#sys.sendto(this.#socket, bytes, address, port);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  }
}

/** Addresses are remembered by the resolver; what else there is to ask for is passed on. */
function* lookedUp(sys: Syscalls, resolver: Resolver, question: DnsQuestion): Blocking<ZoneAnswer> {
  try {
    if (question.type !== RECORD_TYPE.A) return { ...(yield* resolver.ask(sys, question)), authoritative: false };
    const addresses = yield* resolver.lookup(sys, question.name);
    const answers = addresses.map((address): DnsRecord => {
      return { name: question.name, ttlSeconds: FOUND_TTL_SECONDS, data: { type: 'A', address } };
    });
    return { ...failed(RESPONSE.noError), answers };
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    return failed(error.code === 'EAI_NONAME' ? RESPONSE.nameError : RESPONSE.serverFailure);
  }
}

const failed = (code: number): ZoneAnswer => {
  return { code, authoritative: false, answers: [], authorities: [], additionals: [] };
};
