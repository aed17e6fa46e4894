/** The name server as a client on the wire sees it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type DnsMessage, RESPONSE } from '../../../../../kernel/apps/dns/message.ts';
import { parseMessage } from '../../../../../kernel/apps/dns/message-reader.ts';
import { emitMessage } from '../../../../../kernel/apps/dns/message-writer.ts';
import { Resolver } from '../../../../../kernel/apps/dns/resolver.ts';
import { type DnsServerOptions, dnsServer } from '../../../../../kernel/apps/dns/server.ts';
import { parseIpv4, readBe16 } from '../../../../../src/lib/bytes.ts';
import { alias, aRecord, dnsQuery, dnsRecord, dnsReply, soa, TYPE_MX, TYPE_TXT } from '../../../../support/dns.ts';
import { HOST, NetRig, PEER, SECOND_NS } from '../../../../support/net-rig.ts';
import { udp } from '../../../../support/packets.ts';

const CLIENT_PORT = 4000;
/** Ethernet, IPv4 and UDP. */
const HEADERS_BYTES = 42;
const ZONE = {
  origin: 'example.net',
  records: [
    ['www', 'A', '192.0.2.80'],
    ['deep.sub', 'A', '192.0.2.81'],
    ...Array.from({ length: 40 }, (_, i) => ['many', 'A', `198.51.100.${i}`] as const),
  ],
  ttlSeconds: 100,
} as const;

let rig: NetRig;
let asked: unknown[];
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
  asked = [];
});

const serve = (options: DnsServerOptions = { zones: [ZONE] }) =>
  rig.spawn('dns', dnsServer({ ...options, onAnswer: ({ name }, code) => asked.push([name, code]) }));

function inject(data: Uint8Array): void {
  const ports = { sourcePort: CLIENT_PORT, destinationPort: 53 };
  rig.injectIpv4({ protocol: 17, payload: udp({ source: PEER, destination: HOST, ...ports, data }) });
}

const answer = (): DnsMessage => parseMessage(rig.sent().subarray(HEADERS_BYTES))!;

function ask(query: DnsMessage): DnsMessage {
  inject(emitMessage(query));
  return answer();
}

describe('a name server', () => {
  test('answers with the identifier and the question of the query (RFC 1035 4.1.1)', () => {
    serve();
    const query = dnsQuery('www.example.net');
    const answers = [aRecord('www.example.net', '192.0.2.80')];
    expect(ask(query)).toEqual(dnsReply(query, { authoritative: true, answers }));
    expect(asked).toEqual([['www.example.net', RESPONSE.noError]]);
    rig.expectNoLeak();
  });

  test('answers from the zone that says most about the name', () => {
    const inner = { origin: 'sub.example.net', records: [['deep', 'A', '203.0.113.1']] } as const;
    serve({ zones: [ZONE, inner] });
    expect(ask(dnsQuery('deep.sub.example.net')).answers[0]?.data).toEqual({
      type: 'A',
      address: parseIpv4('203.0.113.1'),
    });
  });

  test('refuses names that are in no zone of its own', () => {
    serve();
    expect(ask(dnsQuery('www.example.org')).code).toBe(RESPONSE.refused);
    expect(ask(dnsQuery('notexample.net')).code).toBe(RESPONSE.refused);
  });

  test('does nothing but queries of the class of the Internet', () => {
    serve();
    expect(ask(dnsQuery('www.example.net', 1, { opcode: 2 })).code).toBe(RESPONSE.notImplemented);
    const chaos = { name: 'version.bind', type: TYPE_TXT, class: 3 };
    expect(ask(dnsQuery('', 0, { questions: [chaos] })).code).toBe(RESPONSE.refused);
  });

  test('answers one question at a time', () => {
    serve();
    expect(ask(dnsQuery('', 0, { questions: [] })).code).toBe(RESPONSE.formatError);
    const question = { name: 'www.example.net', type: 1, class: 1 };
    expect(ask(dnsQuery('', 0, { questions: [question, question] })).code).toBe(RESPONSE.formatError);
  });

  test('says that it cannot understand a query, and does not answer responses or less than a header', () => {
    serve();
    const bytes = emitMessage(dnsQuery('www.example.net'));
    inject(bytes.subarray(0, bytes.length - 1));
    const { id, response, code, questions } = answer();
    expect([id, response, code, questions]).toEqual([0x1234, true, RESPONSE.formatError, []]);
    inject(bytes.subarray(0, 11));
    inject(emitMessage(dnsReply(dnsQuery('www.example.net'), {})));
    inject(emitMessage(dnsReply(dnsQuery('www.example.net'), {})).subarray(0, 20));
    rig.expectNothing();
  });

  test('cuts what is longer than 512 octets, unless the client takes more (RFC 6891 6.2.3)', () => {
    serve();
    const cut = ask(dnsQuery('many.example.net'));
    expect([cut.truncated, cut.answers.length]).toEqual([true, 0]);
    const whole = ask(dnsQuery('many.example.net', 1, { edns: { payloadBytes: 4096, version: 0 } }));
    expect([whole.truncated, whole.answers.length, whole.edns?.version]).toEqual([false, 40, 0]);
    const small = ask(dnsQuery('many.example.net', 1, { edns: { payloadBytes: 100, version: 0 } }));
    expect(small.truncated).toBe(true);
  });

  test('knows version 0 of EDNS only (RFC 6891 6.1.3)', () => {
    serve();
    const reply = ask(dnsQuery('www.example.net', 1, { edns: { payloadBytes: 4096, version: 1 } }));
    expect([reply.code, reply.edns?.version, reply.answers]).toEqual([RESPONSE.badVersion, 0, []]);
  });

  test('goes on when an answer cannot be sent', () => {
    const task = serve();
    const data = emitMessage(dnsQuery('www.example.net'));
    rig.injectIpv4({
      protocol: 17,
      payload: udp({ source: PEER, destination: HOST, sourcePort: 0, destinationPort: 53, data }),
    });
    rig.expectNothing();
    expect(task.error).toBeNull();
    expect(ask(dnsQuery('www.example.net')).answers).toHaveLength(1);
  });
});

describe('a name server with a resolver', () => {
  const resolver = () => new Resolver({ servers: [parseIpv4(PEER)], timeoutNs: SECOND_NS, attempts: 1 });

  /** The peer, as the server that is asked, gets the next question and answers it. */
  function upstream(fields: Partial<DnsMessage>): void {
    const octets = rig.sent();
    expect(readBe16(octets, 36)).toBe(53);
    const data = emitMessage(dnsReply(parseMessage(octets.subarray(HEADERS_BYTES))!, fields));
    const ports = { sourcePort: 53, destinationPort: readBe16(octets, 34) };
    rig.injectIpv4({ protocol: 17, payload: udp({ source: PEER, destination: HOST, ...ports, data }) });
  }

  test('finds addresses for its clients, and says that it does', () => {
    serve({ resolver: resolver() });
    const query = dnsQuery('www.example.org');
    inject(emitMessage(query));
    upstream({ answers: [alias('www.example.org', 'web.example.org'), aRecord('web.example.org', '203.0.113.80')] });
    const answers = [aRecord('www.example.org', '203.0.113.80', 60)];
    expect(answer()).toEqual(dnsReply(query, { recursionAvailable: true, answers }));
    // The second client is answered from what the first one has made known.
    inject(emitMessage(query));
    expect(answer().answers).toEqual(answers);
  });

  test('passes on what is said of other types', () => {
    serve({ resolver: resolver() });
    inject(emitMessage(dnsQuery('example.org', TYPE_MX)));
    const answers = [dnsRecord('example.org', { type: 'MX', preference: 10, target: 'mail.example.org' }, 77)];
    upstream({ authoritative: true, answers });
    const { authoritative, answers: passed } = answer();
    expect([authoritative, passed]).toEqual([false, answers]);
  });

  test('tells no such name from no answer', () => {
    serve({ resolver: resolver() });
    inject(emitMessage(dnsQuery('no.example.org')));
    upstream({ code: RESPONSE.nameError, authorities: [soa('example.org', 60)] });
    expect(answer().code).toBe(RESPONSE.nameError);
    inject(emitMessage(dnsQuery('silent.example.org')));
    rig.sent();
    rig.advance(SECOND_NS);
    expect(answer().code).toBe(RESPONSE.serverFailure);
  });

  test('asks others only for clients that want it (RFC 1034 4.3.1)', () => {
    serve({ resolver: resolver() });
    expect(ask(dnsQuery('www.example.org', 1, { recursionDesired: false })).code).toBe(RESPONSE.refused);
  });

  test('goes on answering while it waits, for 64 questions at once', () => {
    serve({ zones: [ZONE], resolver: resolver() });
    for (let i = 0; i < 64; i++) {
      inject(emitMessage(dnsQuery(`host${i}.example.org`)));
      rig.sent();
    }
    expect(ask(dnsQuery('one-more.example.org')).code).toBe(RESPONSE.serverFailure);
    expect(ask(dnsQuery('www.example.net')).answers).toHaveLength(1);
    rig.advance(SECOND_NS);
    rig.driver.sent.length = 0;
    inject(emitMessage(dnsQuery('later.example.org')));
    upstream({ answers: [aRecord('later.example.org', '203.0.113.1')] });
    expect(answer().answers).toHaveLength(1);
  });
});
