/**
 * A name server, RFC 1034 section 4.3: answers from the zones that it has, and, where it is told to, asks others for the
 * rest: the resolver in a home router.
 */
import { SocketError } from '../../net/socket-error.ts';
import type { Syscalls } from '../../syscall.ts';
import type { Blocking, Program } from '../../task.ts';
import { type DnsMessage, type DnsQuestion, type DnsRecord, RECORD_TYPE, RESPONSE } from './message.ts';
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
/** Questions that are being looked up for others at once; further ones are refused for now. */
const MAX_LOOKUPS = 64;

/** A program that answers on UDP port 53, for ever. Throws a RangeError for what is no zone. */
export function dnsServer({ zones = [], resolver, onAnswer }: DnsServerOptions): Program {
  const known = zones.map(config => new Zone(config)).toSorted((a, b) => b.origin.length - a.origin.length);
  return function* (sys: Syscalls): Blocking<void> {
    const socket = sys.socket('udp');
    sys.bind(socket, 0, DNS_PORT);
    let lookups = 0;
    for (;;) {
      const datagram = yield* sys.recvfrom(socket);
      if (datagram === null) continue;
      const { address, port } = datagram;
      const reply = (query: DnsMessage, answer: ZoneAnswer): void => {
        onAnswer?.(query.questions[0] ?? { name: '', type: 0 }, answer.code);
        sendQuietly(() =>
          sys.sendto(socket, emitMessage(replyTo(query, answer, resolver !== undefined)), address, port),
        );
      };
      const query = parseMessage(datagram.bytes);
      if (query === null || query.response) continue;
      const [question] = query.questions;
      if (query.opcode !== QUERY) reply(query, failed(RESPONSE.notImplemented));
      else if (question === undefined || query.questions.length > 1) reply(query, failed(RESPONSE.formatError));
      else {
        const zone = known.find(each => each.has(question.name));
        if (zone !== undefined) reply(query, zone.answer(question));
        else if (resolver === undefined || !query.recursionDesired) reply(query, failed(RESPONSE.refused));
        else if (lookups === MAX_LOOKUPS) reply(query, failed(RESPONSE.serverFailure));
        else {
          lookups += 1;
          sys.spawn('dns lookup', function* (own) {
            const answer = yield* lookedUp(own, resolver, question);
            lookups -= 1;
            reply(query, answer);
          });
        }
      }
    }
  };
}

function* lookedUp(sys: Syscalls, resolver: Resolver, question: DnsQuestion): Blocking<ZoneAnswer> {
  if (question.type !== RECORD_TYPE.A) return failed(RESPONSE.notImplemented);
  try {
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

function replyTo(query: DnsMessage, answer: ZoneAnswer, recursionAvailable: boolean): DnsMessage {
  const { id, opcode, recursionDesired, questions } = query;
  return { id, response: true, opcode, truncated: false, recursionDesired, recursionAvailable, questions, ...answer };
}

/** An answer that cannot be sent is lost to its client, and no reason to stop serving the others. */
function sendQuietly(send: () => void): void {
  try {
    send();
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
  }
}
