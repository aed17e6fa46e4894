/** The resolver against servers that say what a test wants: RFC 1034 section 5, RFC 2308, RFC 5452. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type DnsMessage, RESPONSE } from '../../../../../kernel/apps/dns/message.ts';
import { parseMessage } from '../../../../../kernel/apps/dns/message-reader.ts';
import { emitMessage } from '../../../../../kernel/apps/dns/message-writer.ts';
import { NameError, Resolver, type ResolverOptions } from '../../../../../kernel/apps/dns/resolver.ts';
import { formatIpv4, parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { alias, aRecord, delegation, dnsReply, soa } from '../../../../support/dns.ts';
import { NetRig, SECOND_NS } from '../../../../support/net-rig.ts';

const FIRST = '127.0.0.11';
const SECOND = '127.0.0.12';
const NAME = 'www.example.net';

type Says = Partial<DnsMessage> | null;

let rig: NetRig;
/** All questions, as `SERVER NAME`, and the ports they came from. */
let asked: string[];
let ports: number[];
let ids: number[];
beforeEach(() => {
  rig = new NetRig();
  asked = [];
  ports = [];
  ids = [];
});

/** A server that answers what `says` has; null: nothing. */
function server(address: string, ...says: readonly ((name: string) => Says)[]): void {
  rig.spawn(`server ${address}`, function* (sys) {
    const socket = sys.socket('udp');
    sys.bind(socket, parseIpv4(address), 53);
    for (;;) {
      const datagram = (yield* sys.recvfrom(socket))!;
      const query = parseMessage(datagram.bytes)!;
      asked.push(`${address} ${query.questions[0]!.name}`);
      ports.push(datagram.port);
      ids.push(query.id);
      for (const say of says) {
        const fields = say(query.questions[0]!.name);
        if (fields === null) continue;
        sys.sendto(socket, emitMessage(dnsReply(query, fields), 4096), datagram.address, datagram.port);
      }
    }
  });
}

const resolver = (options: Partial<ResolverOptions> = {}) =>
  new Resolver({ servers: [parseIpv4(FIRST)], timeoutNs: SECOND_NS, ...options });

/** What a program is told of `name`: addresses, or the code of the error. */
function lookup(of: Resolver, name = NAME): { result: string[] | string | null } {
  const outcome: { result: string[] | string | null } = { result: null };
  rig.spawn('client', function* (sys) {
    try {
      outcome.result = (yield* of.lookup(sys, name)).map(formatIpv4);
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      outcome.result = error.code;
    }
  });
  return outcome;
}

const hasAddress = (): Says => ({ answers: [aRecord(NAME, '192.0.2.80', 10)] });

describe('a resolver', () => {
  test('gives all addresses of a name, whatever its case, and with or without the last dot', () => {
    server(FIRST, () => ({ answers: [aRecord(NAME, '192.0.2.80'), aRecord(NAME, '192.0.2.81')] }));
    expect(lookup(resolver(), 'WWW.Example.NET.').result).toEqual(['192.0.2.80', '192.0.2.81']);
    expect(asked).toEqual([`${FIRST} ${NAME}`]);
    expect(rig.net.sockets.list()).toHaveLength(1);
  });

  test.each(['', 'a..b', 'white space', `${'a'.repeat(64)}.net`])('asks nobody about "%s", which is no name', name => {
    server(FIRST, hasAddress);
    expect(lookup(resolver(), name).result).toBe('EAI_FAIL');
    expect(asked).toEqual([]);
  });

  test('follows other names within an answer', () => {
    server(FIRST, () => ({ answers: [alias(NAME, 'web.example.net'), aRecord('web.example.net', '192.0.2.80')] }));
    expect(lookup(resolver()).result).toEqual(['192.0.2.80']);
    expect(asked).toHaveLength(1);
  });

  test('asks again about another name that leads out of an answer (RFC 1034 5.3.3, step 4c)', () => {
    server(FIRST, name => ({
      answers: [name === NAME ? alias(NAME, 'web.example.org') : aRecord(name, '192.0.2.80')],
    }));
    expect(lookup(resolver()).result).toEqual(['192.0.2.80']);
    expect(asked).toEqual([`${FIRST} ${NAME}`, `${FIRST} web.example.org`]);
  });

  test('gives up names in a circle', () => {
    server(FIRST, () => ({ answers: [alias(NAME, 'b.example.net'), alias('b.example.net', NAME)] }));
    expect(lookup(resolver()).result).toBe('EAI_NONAME');
    server(SECOND, name => ({ answers: [alias(name, `x${name}`)] }));
    expect(lookup(resolver({ servers: [parseIpv4(SECOND)] })).result).toBe('EAI_FAIL');
    expect(asked.length).toBeLessThan(20);
  });

  test('asks the servers that it is referred to, at the addresses that came along (RFC 1034 5.3.3, step 4b)', () => {
    const authorities = [delegation('example.net', 'ns.example.net')];
    server(FIRST, () => ({
      authorities,
      additionals: [aRecord('ns.example.net', SECOND), aRecord('other', '127.0.0.9')],
    }));
    server(SECOND, hasAddress);
    expect(lookup(resolver()).result).toEqual(['192.0.2.80']);
    expect(asked).toEqual([`${FIRST} ${NAME}`, `${SECOND} ${NAME}`]);
  });

  test('looks up a server whose address did not come along', () => {
    server(FIRST, name =>
      name === 'ns.example.org'
        ? { answers: [aRecord(name, SECOND)] }
        : { authorities: [delegation('example.net', 'ns.example.org')] },
    );
    server(SECOND, hasAddress);
    expect(lookup(resolver()).result).toEqual(['192.0.2.80']);
    expect(asked).toEqual([`${FIRST} ${NAME}`, `${FIRST} ns.example.org`, `${SECOND} ${NAME}`]);
  });

  test('comes to an end when servers refer to each other for ever', () => {
    const loop = { authorities: [delegation('net', 'ns.net')], additionals: [aRecord('ns.net', FIRST)] };
    server(FIRST, () => loop);
    expect(lookup(resolver()).result).toBe('EAI_FAIL');
    server(SECOND, name => ({ authorities: [delegation('net', `x${name}`)] }));
    expect(lookup(resolver({ servers: [parseIpv4(SECOND)] })).result).toBe('EAI_AGAIN');
    expect(asked.length).toBeLessThan(200);
  });

  test('asks again after a time-out, then the next server', () => {
    server(FIRST, () => null);
    server(SECOND, hasAddress);
    const both = resolver({ servers: [parseIpv4(FIRST), parseIpv4(SECOND)] });
    const outcome = lookup(both);
    rig.advance(2 * SECOND_NS - 100);
    expect(asked).toEqual([`${FIRST} ${NAME}`, `${FIRST} ${NAME}`]);
    rig.advance(100);
    expect(outcome.result).toEqual(['192.0.2.80']);
    expect(both.counters).toEqual({ questions: 3, fromCache: 0, timeouts: 2 });
  });

  test.each([
    ['serverFailure', { code: RESPONSE.serverFailure }],
    ['refused', { code: RESPONSE.refused }],
    ['truncated', { truncated: true }],
  ])('asks the next server when the answer is %s', (_, says) => {
    server(FIRST, () => says);
    server(SECOND, hasAddress);
    expect(lookup(resolver({ servers: [parseIpv4(FIRST), parseIpv4(SECOND)] })).result).toEqual(['192.0.2.80']);
  });

  test('asks the next server at once where nobody is at the port', () => {
    server(SECOND, hasAddress);
    const outcome = lookup(resolver({ servers: [parseIpv4(FIRST), parseIpv4(SECOND)] }));
    rig.advance(100);
    expect(outcome.result).toEqual(['192.0.2.80']);
  });

  test('asks without EDNS where that is not understood (RFC 6891 6.2.2)', () => {
    const sizes: (number | undefined)[] = [];
    rig.spawn('old server', function* (sys) {
      const socket = sys.socket('udp');
      sys.bind(socket, parseIpv4(FIRST), 53);
      for (;;) {
        const { bytes, address, port } = (yield* sys.recvfrom(socket))!;
        const query = parseMessage(bytes)!;
        sizes.push(query.edns?.payloadBytes);
        const fields = query.edns === null ? hasAddress()! : { code: RESPONSE.formatError };
        sys.sendto(socket, emitMessage(dnsReply(query, fields)), address, port);
      }
    });
    expect(lookup(resolver()).result).toEqual(['192.0.2.80']);
    expect(sizes).toEqual([1232, undefined]);
  });

  test('says so when nobody answers, and when there is nobody to ask', () => {
    server(FIRST, () => null);
    const outcome = lookup(resolver({ attempts: 3 }));
    rig.advance(3 * SECOND_NS);
    expect(outcome.result).toBe('EAI_AGAIN');
    expect(asked).toHaveLength(3);
    expect(lookup(resolver({ servers: [] })).result).toBe('EAI_AGAIN');
  });

  test('asks whom there is to ask at the time', () => {
    server(FIRST, () => null);
    server(SECOND, hasAddress);
    let known: number[] = [];
    const following = resolver({ servers: () => known });
    expect(lookup(following).result).toBe('EAI_AGAIN');
    known = [parseIpv4(SECOND)];
    expect(lookup(following).result).toEqual(['192.0.2.80']);
  });
});

describe('what a resolver remembers', () => {
  test('is an address, for its time to live (RFC 1035 7.4)', () => {
    server(FIRST, hasAddress);
    const cached = resolver();
    lookup(cached);
    rig.advance(10 * SECOND_NS - 100);
    expect(lookup(cached).result).toEqual(['192.0.2.80']);
    expect(asked).toHaveLength(1);
    rig.advance(100);
    expect(lookup(cached).result).toEqual(['192.0.2.80']);
    expect(asked).toHaveLength(2);
    expect(cached.counters).toEqual({ questions: 2, fromCache: 1, timeouts: 0 });
  });

  test('holds for the shortest time on the way', () => {
    server(FIRST, () => ({
      answers: [alias(NAME, 'web.example.net', 3), aRecord('web.example.net', '192.0.2.80', 10)],
    }));
    const cached = resolver();
    lookup(cached);
    rig.advance(3 * SECOND_NS);
    lookup(cached);
    expect(asked).toHaveLength(2);
  });

  test('is not what has a time to live of 0 (RFC 1035 3.2.1)', () => {
    server(FIRST, () => ({ answers: [aRecord(NAME, '192.0.2.80', 0)] }));
    const cached = resolver();
    for (let i = 0; i < 3; i++) expect(lookup(cached).result).toEqual(['192.0.2.80']);
    expect(asked).toHaveLength(3);
  });

  test.each([
    ['there is no such name', RESPONSE.nameError, 20, 100, 20],
    ['a name has no address', RESPONSE.noError, 20, 100, 20],
    ['there is no such name, for the time of the SOA itself if that is shorter', RESPONSE.nameError, 20, 7, 7],
    ['there is no such name, for five minutes at most', RESPONSE.nameError, 86_400, 86_400, 300],
  ])('is that %s (RFC 2308 5)', (_, code, minimum, ttl, seconds) => {
    server(FIRST, () => ({ code, authoritative: true, authorities: [soa('example.net', minimum, ttl)] }));
    const cached = resolver();
    expect(lookup(cached).result).toBe('EAI_NONAME');
    rig.advance(seconds * SECOND_NS - 100);
    expect(lookup(cached).result).toBe('EAI_NONAME');
    expect(asked).toHaveLength(1);
    rig.advance(100);
    lookup(cached);
    expect(asked).toHaveLength(2);
  });

  test('is not that there is no such name, without a SOA (RFC 2308 5)', () => {
    server(FIRST, () => ({ code: RESPONSE.nameError, authoritative: true }));
    const cached = resolver();
    for (let i = 0; i < 2; i++) expect(lookup(cached).result).toBe('EAI_NONAME');
    expect(asked).toHaveLength(2);
  });

  test('is not that nobody answered', () => {
    server(FIRST, () => ({ code: RESPONSE.serverFailure }));
    const cached = resolver();
    lookup(cached);
    lookup(cached);
    expect(asked).toHaveLength(4);
  });

  test('is bounded: the oldest of 1024 names goes first', () => {
    server(FIRST, name => ({ answers: [aRecord(name, '192.0.2.1', 3600)] }));
    const cached = resolver();
    for (let i = 0; i < 1025; i++) lookup(cached, `host${i}.example.net`);
    lookup(cached, 'host1.example.net');
    expect(asked).toHaveLength(1025);
    lookup(cached, 'host0.example.net');
    expect(asked).toHaveLength(1026);
  });
});

describe('a resolver does not believe', () => {
  const forged = { answers: [aRecord(NAME, '203.0.113.66')] };

  test.each<[string, Says]>([
    ['another identifier', { ...forged, id: 0xdead }],
    ['another name', { ...forged, questions: [{ name: 'www.example.org', type: 1, class: 1 }] }],
    ['another type', { ...forged, questions: [{ name: NAME, type: 15, class: 1 }] }],
    ['no question', { ...forged, questions: [] }],
    ['a query', { ...forged, response: false }],
  ])('an answer with %s (RFC 5452 9.1), and waits for the right one', (_, says) => {
    server(FIRST, () => says, hasAddress);
    expect(lookup(resolver()).result).toEqual(['192.0.2.80']);
    expect(asked).toHaveLength(1);
  });

  test('an answer of another server (RFC 5452 9.1)', () => {
    server(FIRST, () => null);
    const outcome = lookup(resolver({ attempts: 1 }));
    rig.spawn('forger', function* (sys) {
      yield* [];
      const socket = sys.socket('udp');
      sys.bind(socket, parseIpv4(SECOND), 53);
      const query = { id: ids[0]!, questions: [{ name: NAME, type: 1, class: 1 }] };
      const base = { opcode: 0, code: 0, edns: null, answers: [], authorities: [], additionals: [] };
      const flags = {
        response: true,
        authoritative: true,
        truncated: false,
        recursionDesired: true,
        recursionAvailable: true,
      };
      sys.sendto(socket, emitMessage({ ...base, ...flags, ...query, ...forged }), parseIpv4('127.0.0.1'), ports[0]!);
    });
    expect(outcome.result).toBeNull();
    rig.advance(SECOND_NS);
    expect(outcome.result).toBe('EAI_AGAIN');
  });

  test('records of names that it did not ask about', () => {
    server(FIRST, () => ({ answers: [aRecord('www.example.org', '203.0.113.66'), aRecord(NAME, '192.0.2.80')] }));
    const cached = resolver();
    expect(lookup(cached).result).toEqual(['192.0.2.80']);
    lookup(cached, 'www.example.org');
    expect(asked).toHaveLength(2);
  });

  test('and makes that hard to guess: identifiers and ports are random (RFC 5452 9.2)', () => {
    server(FIRST, () => null);
    lookup(resolver({ attempts: 50 }));
    rig.advance(50 * SECOND_NS);
    expect(new Set(ids).size).toBeGreaterThan(45);
    expect(new Set(ports).size).toBeGreaterThan(45);
  });
});
