/** What a zone answers: RFC 1034 section 4.3.2, RFC 4592 for wildcards, RFC 2308 for what is not there. */
import { describe, expect, test } from 'vitest';
import { RECORD_TYPE, RESPONSE } from '../../../../../kernel/apps/dns/message.ts';
import { Zone, type ZoneRecord } from '../../../../../kernel/apps/dns/zone.ts';
import { alias, aRecord, delegation, dnsRecord, soa } from '../../../../support/dns.ts';

const ask = (records: readonly ZoneRecord[], name: string, type: keyof typeof RECORD_TYPE = 'A') =>
  new Zone({ origin: 'example.net', records, ttlSeconds: 100 }).answer({ name, type: RECORD_TYPE[type], class: 1 });

const SOA = [soa('example.net', 60, 60)];

describe('a zone', () => {
  test('answers with all records of the name that have the type, with authority', () => {
    const records: ZoneRecord[] = [
      ['www', 'A', '192.0.2.1'],
      ['www', 'A', '192.0.2.2'],
      ['www', 'TXT', 'hello'],
    ];
    expect(ask(records, 'www.example.net')).toEqual({
      code: RESPONSE.noError,
      authoritative: true,
      answers: [aRecord('www.example.net', '192.0.2.1'), aRecord('www.example.net', '192.0.2.2')],
      authorities: [],
      additionals: [],
    });
    expect(ask(records, 'www.example.net', 'ANY').answers).toHaveLength(3);
  });

  test('takes names with a dot at the end for whole ones, and @ for its own', () => {
    const records: ZoneRecord[] = [
      ['@', 'MX', 'mail', 10],
      ['@', 'MX', 'backup.example.org.', 20],
    ];
    expect(ask(records, 'example.net', 'MX').answers.map(({ data }) => data)).toEqual([
      { type: 'MX', target: 'mail.example.net', preference: 10 },
      { type: 'MX', target: 'backup.example.org', preference: 20 },
    ]);
  });

  test('has a SOA record (RFC 1035 5.2)', () => {
    expect(ask([], 'example.net', 'SOA').answers).toEqual([soa('example.net', 60, 100)]);
  });

  test('follows another name, and answers with the whole chain (RFC 1034 3.6.2)', () => {
    const records: ZoneRecord[] = [
      ['www', 'CNAME', 'web'],
      ['web', 'CNAME', 'host'],
      ['host', 'A', '192.0.2.1'],
    ];
    expect(ask(records, 'www.example.net').answers).toEqual([
      alias('www.example.net', 'web.example.net'),
      alias('web.example.net', 'host.example.net'),
      aRecord('host.example.net', '192.0.2.1'),
    ]);
    expect(ask(records, 'www.example.net', 'CNAME').answers).toEqual([alias('www.example.net', 'web.example.net')]);
  });

  test('leaves names that lead out of it to the client', () => {
    const { code, answers } = ask([['www', 'CNAME', 'www.example.org.']], 'www.example.net');
    expect([code, answers]).toEqual([RESPONSE.noError, [alias('www.example.net', 'www.example.org')]]);
  });

  test('says of names in a circle what they are, and comes to an end', () => {
    const records: ZoneRecord[] = [
      ['a', 'CNAME', 'b'],
      ['b', 'CNAME', 'a'],
    ];
    expect(ask(records, 'a.example.net').answers.length).toBeLessThan(20);
  });

  test('says that there is no such name, with the SOA (RFC 2308 2.1)', () => {
    expect(ask([], 'www.example.net')).toEqual({
      code: RESPONSE.nameError,
      authoritative: true,
      answers: [],
      authorities: SOA,
      additionals: [],
    });
  });

  test('says that the last name of a chain is not there, by the code (RFC 6604 3)', () => {
    const { code, answers, authorities } = ask([['www', 'CNAME', 'web']], 'www.example.net');
    expect([code, answers.length, authorities]).toEqual([RESPONSE.nameError, 1, SOA]);
  });

  test('says that a name has no such record, with the SOA (RFC 2308 2.2)', () => {
    const { code, answers, authorities } = ask([['www', 'TXT', 'hello']], 'www.example.net');
    expect([code, answers, authorities]).toEqual([RESPONSE.noError, [], SOA]);
  });

  test('knows that a name between two others is there (RFC 4592 2.2.2)', () => {
    expect(ask([['a.b', 'A', '192.0.2.1']], 'b.example.net').code).toBe(RESPONSE.noError);
  });

  test('refers to the servers of a zone below, with their addresses, without authority (RFC 1034 4.3.2, step 3b)', () => {
    const records: ZoneRecord[] = [
      ['sub', 'NS', 'ns.sub'],
      ['sub', 'NS', 'ns.example.org.'],
      ['ns.sub', 'A', '192.0.2.53'],
      ['*', 'A', '192.0.2.9'],
    ];
    for (const name of ['sub.example.net', 'www.sub.example.net', 'ns.sub.example.net']) {
      expect(ask(records, name)).toEqual({
        code: RESPONSE.noError,
        authoritative: false,
        answers: [],
        authorities: [
          delegation('sub.example.net', 'ns.sub.example.net'),
          delegation('sub.example.net', 'ns.example.org'),
        ],
        additionals: [aRecord('ns.sub.example.net', '192.0.2.53')],
      });
    }
  });

  test('answers about its own NS records itself', () => {
    const { authoritative, answers } = ask([['@', 'NS', 'ns.example.org.']], 'example.net', 'NS');
    expect([authoritative, answers]).toEqual([true, [delegation('example.net', 'ns.example.org')]]);
  });
});

// The zone of RFC 4592 section 2.2.1, and what it says of it.
describe('a wildcard', () => {
  const records: ZoneRecord[] = [
    ['*', 'TXT', 'this is a wildcard'],
    ['*', 'MX', 'host1.example.', 10],
    ['sub.*', 'TXT', 'this is not a wildcard'],
    ['host1', 'A', '192.0.2.1'],
    ['_ssh._tcp.host1', 'TXT', 'service'],
    ['subdel', 'NS', 'ns.example.com.'],
  ];

  test.each([
    ['host3', 'MX', 'NOERROR', 1],
    ['host3', 'A', 'NOERROR', 0],
    ['foo.bar', 'TXT', 'NOERROR', 1],
    ['host1', 'MX', 'NOERROR', 0],
    ['sub.*', 'MX', 'NOERROR', 0],
    ['_telnet._tcp.host1', 'TXT', 'NXDOMAIN', 0],
    ['host.subdel', 'A', 'NOERROR', 0],
    ['ghost.*', 'MX', 'NXDOMAIN', 0],
    ['*', 'TXT', 'NOERROR', 1],
  ] as const)('%s %s is answered with %s and %d records', (name, type, code, count) => {
    const answer = ask(records, `${name}.example.net`, type);
    expect(answer.code).toBe(code === 'NOERROR' ? RESPONSE.noError : RESPONSE.nameError);
    expect(answer.answers).toHaveLength(count);
    for (const record of answer.answers) expect(record.name).toBe(`${name}.example.net`);
  });

  test('that is another name leads on', () => {
    const { answers } = ask(
      [
        ['*', 'CNAME', 'host'],
        ['host', 'A', '192.0.2.1'],
      ],
      'any.example.net',
    );
    expect(answers).toEqual([alias('any.example.net', 'host.example.net'), aRecord('host.example.net', '192.0.2.1')]);
  });
});

test('the root is a zone too', () => {
  const root = new Zone({
    origin: '',
    records: [
      ['net', 'NS', 'ns.net'],
      ['ns.net', 'A', '192.0.2.53'],
    ],
    ttlSeconds: 100,
  });
  expect(root.answer({ name: 'www.example.net', type: 1, class: 1 })).toMatchObject({
    authorities: [dnsRecord('net', { type: 'NS', target: 'ns.net' })],
    additionals: [aRecord('ns.net', '192.0.2.53')],
  });
  expect(root.answer({ name: 'example', type: 1, class: 1 }).code).toBe(RESPONSE.nameError);
});

test.each<[string, ZoneRecord[], RegExp]>([
  ['example..net', [], /no name of a zone/],
  ['example.net', [['a..b', 'A', '192.0.2.1']], /"a..b" is no name/],
  ['example.net', [['www', 'A', '192.0.2']], /not an IPv4 address/],
  ['example.net', [['www', 'MX', 'mail', 65_536]], /preference 65536/],
  ['example.net', [['www', 'TXT', '\u20ac']], /no text of octets/],
  [
    'example.net',
    [
      ['www', 'CNAME', 'a'],
      ['www', 'A', '192.0.2.1'],
    ],
    /can have no other records/,
  ],
  ['example.net', [['@', 'CNAME', 'a']], /can have no other records/],
])('%s with %j is no zone', (origin, records, message) => {
  expect(() => new Zone({ origin, records })).toThrow(message);
});
