/** DNS messages for tests: those that a client and a server send when there is nothing special. */
import { CLASS_INTERNET, type DnsData, type DnsMessage, type DnsRecord } from '../../kernel/apps/dns/message.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';

export const TYPE_A = 1;
export const TYPE_MX = 15;
export const TYPE_TXT = 16;

export const dnsQuery = (name: string, type = TYPE_A, fields: Partial<DnsMessage> = {}): DnsMessage => ({
  id: 0x1234,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: true,
  recursionAvailable: false,
  code: 0,
  questions: [{ name, type, class: CLASS_INTERNET }],
  answers: [],
  authorities: [],
  additionals: [],
  edns: null,
  ...fields,
});

export const dnsReply = (query: DnsMessage, fields: Partial<DnsMessage>): DnsMessage => ({
  ...query,
  response: true,
  edns: null,
  ...fields,
});

export const dnsRecord = (name: string, data: DnsData, ttlSeconds = 100): DnsRecord => ({ name, ttlSeconds, data });
export const aRecord = (name: string, address: string, ttlSeconds?: number): DnsRecord =>
  dnsRecord(name, { type: 'A', address: parseIpv4(address) }, ttlSeconds);
export const alias = (name: string, target: string, ttlSeconds?: number): DnsRecord =>
  dnsRecord(name, { type: 'CNAME', target }, ttlSeconds);
export const delegation = (name: string, target: string): DnsRecord => dnsRecord(name, { type: 'NS', target });
export const soa = (name: string, minimumSeconds: number, ttlSeconds?: number): DnsRecord =>
  dnsRecord(name, { type: 'SOA', primary: name, mailbox: `hostmaster.${name}`, serial: 1, minimumSeconds }, ttlSeconds);
