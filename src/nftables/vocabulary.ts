/**
 * The names of nftables for fields and values (nft(8), "Payload expressions"), in both directions: for the parser, and
 * for the printer, which writes what the parser reads.
 */
import { CONNECTION_STATE, type FilterField, PACKET_TYPE } from '../../kernel/net/filter/rule.ts';
import { formatIpv4, formatMac, parseIpv4, parseMac } from '../lib/bytes.ts';

type Values = Readonly<Record<string, number>>;

/** How the values of a field are written. */
export interface FieldKind {
  readonly bits: number;
  /** Names that values have. */
  readonly values: Values;
  readonly notation: 'number' | 'hex' | 'ipv4' | 'mac';
  /** A set of bits: `a,b` without a comparison means that one of them is set. */
  readonly flags?: true;
}

const ETHER_TYPES: Values = { ip: 0x0800, arp: 0x0806, ip6: 0x86dd, vlan: 0x8100 };
/** Those that may go with IPv4, as the protocols(5) of Linux call them. */
const PROTOCOLS: Values = {
  ...{ ip: 0, icmp: 1, igmp: 2, ggp: 3, ipencap: 4, st: 5, tcp: 6, egp: 8, igp: 9, pup: 12, udp: 17, hmp: 20 },
  ...{ 'xns-idp': 22, rdp: 27, 'iso-tp4': 29, dccp: 33, xtp: 36, ddp: 37, ipv6: 41, idrp: 45, rsvp: 46, gre: 47 },
  ...{ esp: 50, ah: 51, skip: 57, rspf: 73, vmtp: 81, eigrp: 88, ospf: 89, ipip: 94, etherip: 97, pim: 103 },
  ...{ ipcomp: 108, vrrp: 112, l2tp: 115, isis: 124, sctp: 132, fc: 133, udplite: 136, manet: 138, hip: 139 },
};
const SERVICES: Values = {
  echo: 7,
  discard: 9,
  'ftp-data': 20,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  bootps: 67,
  bootpc: 68,
  tftp: 69,
  http: 80,
  pop3: 110,
  ntp: 123,
  imap2: 143,
  snmp: 161,
  bgp: 179,
  https: 443,
};
const ICMP_TYPES: Values = {
  'echo-reply': 0,
  'destination-unreachable': 3,
  'source-quench': 4,
  redirect: 5,
  'echo-request': 8,
  'router-advertisement': 9,
  'router-solicitation': 10,
  'time-exceeded': 11,
  'parameter-problem': 12,
  'timestamp-request': 13,
  'timestamp-reply': 14,
};
const ICMP_CODES: Values = {
  'net-unreachable': 0,
  'host-unreachable': 1,
  'prot-unreachable': 2,
  'port-unreachable': 3,
  'frag-needed': 4,
  'net-prohibited': 9,
  'host-prohibited': 10,
  'admin-prohibited': 13,
};
/** RFC 2474, RFC 2597, RFC 3246, RFC 8622. */
const CODE_POINTS: Values = {
  ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`cs${i}`, 8 * i])),
  ...Object.fromEntries(
    [1, 2, 3, 4].flatMap(group => [1, 2, 3].map(drop => [`af${group}${drop}`, 8 * group + 2 * drop])),
  ),
  ef: 46,
  lephb: 1,
};
const TCP_FLAGS: Values = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 };

const number = (bits: number, values: Values = {}): FieldKind => ({ bits, values, notation: 'number' });
const port = number(16, SERVICES);
const mac: FieldKind = { bits: 48, values: {}, notation: 'mac' };
const address: FieldKind = { bits: 32, values: {}, notation: 'ipv4' };

export const FIELDS: Readonly<Record<FilterField, FieldKind>> = {
  'ether saddr': mac,
  'ether daddr': mac,
  'ether type': { bits: 16, values: ETHER_TYPES, notation: 'hex' },
  'ip saddr': address,
  'ip daddr': address,
  'ip protocol': number(8, PROTOCOLS),
  'ip dscp': number(6, CODE_POINTS),
  'ip length': number(16),
  'ip id': number(16),
  'ip ttl': number(8),
  'icmp type': number(8, ICMP_TYPES),
  'icmp code': number(8, ICMP_CODES),
  'icmp id': number(16),
  'icmp sequence': number(16),
  'tcp sport': port,
  'tcp dport': port,
  'tcp flags': { bits: 8, values: TCP_FLAGS, notation: 'hex', flags: true },
  'tcp window': number(16),
  'udp sport': port,
  'udp dport': port,
  'udp length': number(16),
  'th sport': port,
  'th dport': port,
  'ct state': { bits: 4, values: CONNECTION_STATE, notation: 'number', flags: true },
  'meta pkttype': number(2, PACKET_TYPE),
};

/** Other ways to write a field. */
export const ALIASES: Readonly<Record<string, FilterField>> = {
  'meta l4proto': 'ip protocol',
  'meta protocol': 'ether type',
  'meta length': 'ip length',
  'icmp seq': 'icmp sequence',
};

/** The codes of ICMP destination unreachable, for `reject with icmp`. */
export const REJECT_CODES = ICMP_CODES;

/** The value that `text` stands for, or null. */
export function parseValue({ bits, values, notation }: FieldKind, text: string): number | null {
  if (Object.hasOwn(values, text)) return values[text]!;
  if (notation === 'mac' || notation === 'ipv4') return addressOf(notation, text);
  if (!/^(0x[0-9a-fA-F]{1,8}|\d{1,10})$/.test(text)) return null;
  const value = Number(text);
  return value < 2 ** bits ? value : null;
}

/** `value` as it is written: by its name where it has one. */
export function formatValue({ values, notation }: FieldKind, value: number): string {
  const name = Object.keys(values).find(each => values[each] === value);
  if (name !== undefined) return name;
  if (notation === 'ipv4') return formatIpv4(value);
  if (notation === 'mac') return formatMac(macBytes(value));
  return notation === 'hex' ? `0x${value.toString(16)}` : String(value);
}

function addressOf(notation: 'mac' | 'ipv4', text: string): number | null {
  try {
    if (notation === 'ipv4') return parseIpv4(text);
    return parseMac(text).reduce((whole, octet) => whole * 256 + octet, 0);
  } catch {
    return null;
  }
}

const macBytes = (value: number): Uint8Array =>
  Uint8Array.from({ length: 6 }, (_, i) => Math.floor(value / 256 ** (5 - i)) % 256);
