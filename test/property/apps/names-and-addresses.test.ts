/** The codecs of DNS and DHCP: emit then parse is the identity, and no octets make a parser fail or go on for ever. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DhcpMessage } from '../../../kernel/apps/dhcp/message.ts';
import { parseMessage as parseDhcp } from '../../../kernel/apps/dhcp/message-reader.ts';
import { emitMessage as emitDhcp } from '../../../kernel/apps/dhcp/message-writer.ts';
import type { DnsData, DnsMessage } from '../../../kernel/apps/dns/message.ts';
import { RECORD_TYPE } from '../../../kernel/apps/dns/message.ts';
import { parseMessage as parseDns } from '../../../kernel/apps/dns/message-reader.ts';
import { emitMessage as emitDns } from '../../../kernel/apps/dns/message-writer.ts';

const LARGEST = 65_535;

const word = fc.nat(0xffff);
const long = fc.nat(0xffff_ffff);
/** Few labels, so that names share their ends; and long ones. */
const label = fc.oneof(fc.constantFrom('a', 'b', 'www', 'net'), fc.stringMatching(/^[a-z0-9_-]{1,63}$/));
const name = fc
  .array(label, { maxLength: 6 })
  .map(labels => labels.join('.'))
  .filter(text => text.length <= 253);
const latin1 = fc.array(fc.nat(255), { maxLength: 600 }).map(codes => String.fromCharCode(...codes));
const KNOWN: readonly number[] = Object.values(RECORD_TYPE);

const data: fc.Arbitrary<DnsData> = fc.oneof(
  fc.record({ type: fc.constant('A' as const), address: long }),
  fc.record({ type: fc.constantFrom('NS' as const, 'CNAME' as const, 'PTR' as const), target: name }),
  fc.record({ type: fc.constant('MX' as const), preference: word, target: name }),
  fc.record({ type: fc.constant('TXT' as const), text: latin1 }),
  fc.record({
    type: fc.constant('SOA' as const),
    primary: name,
    mailbox: name,
    serial: long,
    minimumSeconds: long,
  }),
  fc.record({
    type: fc.constant('other' as const),
    number: word.filter(number => !KNOWN.includes(number)),
    bytes: fc.uint8Array({ maxLength: 40 }),
  }),
);
const records = fc.array(fc.record({ name, ttlSeconds: fc.nat(0x7fff_ffff), data }), { maxLength: 5 });
const flag = fc.boolean();

const dnsMessage: fc.Arbitrary<DnsMessage> = fc
  .record({
    id: word,
    response: flag,
    opcode: fc.nat(15),
    authoritative: flag,
    truncated: flag,
    recursionDesired: flag,
    recursionAvailable: flag,
    code: fc.nat(0xfff),
    questions: fc.array(fc.record({ name, type: word, class: word }), { maxLength: 3 }),
    answers: records,
    authorities: records,
    additionals: records,
    edns: fc.option(fc.record({ payloadBytes: word, version: fc.nat(255) })),
  })
  .map(message => (message.edns === null ? { ...message, code: message.code & 15 } : message));

const dhcpMessage: fc.Arbitrary<DhcpMessage> = fc.record({
  op: fc.constantFrom('BOOTREQUEST' as const, 'BOOTREPLY' as const),
  xid: long,
  secs: word,
  broadcast: flag,
  ciaddr: long,
  yiaddr: long,
  siaddr: long,
  giaddr: long,
  chaddr: fc.uint8Array({ minLength: 6, maxLength: 6 }),
  // All but pad, end, and the option that the reader itself makes use of.
  options: fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 600 })), {
      selector: ([code]) => code,
      maxLength: 12,
    })
    .map(pairs => new Map(pairs.filter(([code]) => code !== 52))),
});

/** Octets of a message, some of them others. */
const damaged = (whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(whole, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat())
    .map(([bytes, changes, length]) => {
      const copy = bytes.slice(0, length % 3 === 0 ? length % (bytes.length + 1) : bytes.length);
      for (const [at, octet] of changes) if (copy.length > 0) copy[at % copy.length] = octet;
      return copy;
    });

describe('DNS', () => {
  test('a message that is emitted and parsed is the same', () => {
    fc.assert(
      fc.property(dnsMessage, message => {
        expect(parseDns(emitDns(message, LARGEST))).toEqual(message);
      }),
    );
  });

  test('one that is cut is no longer than it may be, and keeps its question', () => {
    fc.assert(
      fc.property(dnsMessage, message => {
        const bytes = emitDns({ ...message, questions: message.questions.slice(0, 1) }, 512);
        expect(bytes.length).toBeLessThanOrEqual(512);
        expect(parseDns(bytes)?.questions).toEqual(message.questions.slice(0, 1));
      }),
    );
  });

  test('any octets are a message, or none; and what was one is one again', () => {
    const octets = fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged(dnsMessage.map(each => emitDns(each, LARGEST))));
    fc.assert(
      fc.property(octets, bytes => {
        const message = parseDns(bytes);
        if (message !== null) expect(parseDns(emitDns(message, LARGEST))).toEqual(message);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('DHCP', () => {
  test('a message that is emitted and parsed is the same', () => {
    fc.assert(
      fc.property(dhcpMessage, message => {
        expect(parseDhcp(emitDhcp(message, LARGEST))).toEqual(message);
      }),
    );
  });

  test('one for which there is little room keeps its first options', () => {
    fc.assert(
      fc.property(dhcpMessage, message => {
        const bytes = emitDhcp(message);
        expect(bytes.length).toBeLessThanOrEqual(548);
        const { options } = parseDhcp(bytes)!;
        expect([...options]).toEqual([...message.options].slice(0, options.size));
      }),
    );
  });

  test('any octets are a message, or none', () => {
    const octets = fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged(dhcpMessage.map(each => emitDhcp(each, 1000))));
    fc.assert(
      fc.property(octets, bytes => {
        const message = parseDhcp(bytes);
        if (message !== null) expect(parseDhcp(emitDhcp(message, LARGEST))).toEqual(message);
      }),
      { numRuns: 1000 },
    );
  });
});
