/** DNS messages to the octet: RFC 1035 section 4.1, and the OPT record of RFC 6891. */
import { describe, expect, test } from 'vitest';
import { parseMessage } from '../../../../../kernel/apps/dns/message-reader.ts';
import { emitMessage } from '../../../../../kernel/apps/dns/message-writer.ts';
import { bytesFromHex, hexBytes } from '../../../../../src/lib/bytes.ts';
import { aRecord, dnsQuery, dnsRecord, dnsReply, TYPE_A } from '../../../../support/dns.ts';

const HEADER = '1234 8180 0001 0001 0000 0000';
/** www.example.net A IN, at octet 12; `example` is at octet 16, `net` at 24. */
const QUESTION = '03777777 076578616d706c65 036e6574 00 0001 0001';

const parse = (text: string) => parseMessage(bytesFromHex(text));

describe('a DNS message', () => {
  test('is a header, questions, and records in three sections (RFC 1035 4.1)', () => {
    expect(hexBytes(emitMessage(dnsQuery('www.example.net')), '')).toBe(
      `123401000001000000000000${QUESTION.replaceAll(' ', '')}`,
    );
  });

  test('has a pointer where a name stands in it already (RFC 1035 4.1.4)', () => {
    const answers = [aRecord('www.example.net', '192.0.2.80', 60), aRecord('net', '192.0.2.1', 60)];
    const bytes = emitMessage(dnsReply(dnsQuery('www.example.net'), { answers }));
    expect(hexBytes(bytes.subarray(33), '')).toBe(
      'c00c000100010000003c0004c0000250' + 'c018000100010000003c0004c0000201',
    );
    expect(parseMessage(bytes)?.answers).toEqual(answers);
  });

  test.each([
    ['to itself', 'c021'],
    ['forwards', 'c031'],
    ['to one that leads back to it', '0161 c021'],
  ])('is none if a pointer leads %s: each leads to a prior occurrence', (_, name) => {
    expect(parse(`${HEADER} ${QUESTION} ${name} 0001 0001 0000003c 0004 c0000250 000000000000000000`)).toBeNull();
  });

  test('is none if a name is longer than 255 octets, or a label than 63 (RFC 1035 2.3.4)', () => {
    const label = (length: number) => hexBytes(Uint8Array.of(length)) + '61'.repeat(length);
    const question = (text: string) => `1234 0100 0001 0000 0000 0000 ${text} 00 0001 0001`;
    expect(parse(question(label(63).repeat(3) + label(61)))?.questions[0]?.name).toHaveLength(253);
    expect(parse(question(label(63).repeat(3) + label(62)))).toBeNull();
    expect(parse(question(label(63)))?.questions[0]?.name).toHaveLength(63);
    expect(parse(question(label(64)))).toBeNull();
  });

  test('has names without regard to case, of ASCII letters alone (RFC 4343)', () => {
    expect(parse('1234 0100 0001 0000 0000 0000 02 57c0 00 0001 0001')?.questions[0]?.name).toBe('w\u00c0');
  });

  test.each([4, 11, 12, 20, 30, 40, 44, 47])('is none when it ends after %d octets', length => {
    const bytes = bytesFromHex(`${HEADER} ${QUESTION} c00c 0001 0001 0000003c 0004 c0000250`);
    expect(parseMessage(bytes)?.answers).toHaveLength(1);
    expect(parseMessage(bytes.subarray(0, length))).toBeNull();
  });

  test('is none when an address has other than four octets', () => {
    expect(parse(`${HEADER} ${QUESTION} c00c 0001 0001 0000003c 0003 c00002`)).toBeNull();
  });

  test('counts a time to live with the first bit set as 0 (RFC 2181 8)', () => {
    const reply = parse(`${HEADER} ${QUESTION} c00c 0001 0001 80000001 0004 c0000250`);
    expect(reply?.answers[0]?.ttlSeconds).toBe(0);
  });

  test('has text in pieces of at most 255 octets (RFC 1035 3.3.14)', () => {
    const text = 'x'.repeat(300);
    const bytes = emitMessage(dnsReply(dnsQuery('a', 16), { answers: [dnsRecord('a', { type: 'TXT', text })] }), 1232);
    expect(bytes[31]).toBe(255);
    expect(bytes[31 + 256]).toBe(45);
    expect(parseMessage(bytes)?.answers[0]?.data).toEqual({ type: 'TXT', text });
  });

  test('that is too long goes without records, and says so (RFC 2181 9)', () => {
    const answers = Array.from({ length: 40 }, (_, i) => aRecord(`host${i}`, '192.0.2.1'));
    const reply = dnsReply(dnsQuery('a'), { answers });
    const cut = parseMessage(emitMessage(reply, 512));
    expect(cut).toEqual({ ...reply, truncated: true, answers: [] });
    expect(parseMessage(emitMessage(reply, 1232))?.answers).toHaveLength(40);
  });

  test('says in an OPT record how long an answer may be (RFC 6891 6.1.2)', () => {
    const query = dnsQuery('a', TYPE_A, { edns: { payloadBytes: 1232, version: 0 } });
    const bytes = emitMessage(query);
    expect(hexBytes(bytes.subarray(-11), '')).toBe('0000 29 04d0 00000000 0000'.replaceAll(' ', ''));
    expect(bytes[11]).toBe(1);
    expect(parseMessage(bytes)).toEqual(query);
  });

  test('has the upper bits of a response code in the OPT record (RFC 6891 6.1.3)', () => {
    const reply = dnsReply(dnsQuery('a'), { code: 16, edns: { payloadBytes: 1232, version: 0 } });
    expect(parseMessage(emitMessage(reply))?.code).toBe(16);
  });

  test('is none with two OPT records (RFC 6891 6.1.1)', () => {
    const opt = '00 0029 04d0 00000000 0000';
    expect(parse(`1234 0100 0000 0000 0000 0001 ${opt}`)?.edns?.payloadBytes).toBe(0x4d0);
    expect(parse(`1234 0100 0000 0000 0000 0002 ${opt} ${opt}`)).toBeNull();
  });
});
