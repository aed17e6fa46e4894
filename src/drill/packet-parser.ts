/** Reads the packet of a line: what follows its time, from `<` or `>` on. */
import { bytesFromHex, parseIpv4 } from '../lib/bytes.ts';
import type { Cursor } from './cursor.ts';
import {
  ACK,
  ECN_NAMES,
  FLAG_LETTERS,
  ICMP_CODES,
  ICMP_TYPES,
  type IpFields,
  optionLength,
  type PacketEndpoint,
  type PacketLine,
  type Quoted,
  type TcpOption,
} from './packet-line.ts';

const WORD = /[A-Za-z_]\w*/y;
/** `8080 > 40000`, `192.0.2.1:8080 > 192.168.0.1:40000`. */
const ENDPOINT = /(?:(\d+\.\d+\.\d+\.\d+):)?(\d+)/y;
const ENDPOINTS_AHEAD = /(?:\d+\.\d+\.\d+\.\d+:)?\d+\s*>/y;
const RANGE_AHEAD = /\[\s*(?:\d+\s*:|udp)/y;
const FLAGS = /[FSRP.UEW]+(?=\s)|-(?=\s)/y;
const FOREIGN_FLAGS = /[FSRP.UEWA0-7]+(?=\s)/y;
/** Of other packets than these the language knows, but this runner does not. */
const FOREIGN = /(?:ipv4|ipv6|gre|mpls|udplite|sctp|icmpv6)\b/y;

/** Options that this host does not know, and passes over when they come in: kind, and what identifies them. */
const IGNORED_OPTIONS: Readonly<Record<string, string>> = { FO: '22', FOEXP: 'fef989', md5: '13' };
const OCTETS = /(?:[0-9a-fA-F]{2})+/y;

/** Other names of codes. */
const CODE_ALIASES: Readonly<Record<string, string>> = { admin_prohibited: 'packet_filtered' };

const MAX_WORD = 2 ** 32 - 1;
const MAX_SEGMENT_BYTES = 1_000_000;
const MAX_OPTION_BYTES = 40;
const MAX_SACK_BLOCKS = 4;

/** The next pieces are a packet: takes them. Throws a ScriptError. */
export function parsePacket(cursor: Cursor): PacketLine {
  const direction = cursor.accept('<') ? 'in' : 'out';
  if (direction === 'out') cursor.expect('>');
  if (cursor.sees(FOREIGN)) cursor.unsupported(`a packet of ${cursor.take(WORD)}`);
  const endpoints = cursor.sees(ENDPOINTS_AHEAD) ? parseEndpoints(cursor) : null;
  const ip = parseIp(cursor);
  const base = { direction, ip, endpoints } as const;
  if (cursor.accept('udp')) return { ...base, protocol: 'udp', lengthBytes: parseLength(cursor) };
  if (cursor.accept('icmp')) return { ...base, protocol: 'icmp', ...parseIcmp(cursor) };
  const at = cursor.at;
  const flags = parseFlags(cursor);
  const { seq, lengthBytes } = parseRange(cursor);
  const ack = cursor.accept('ack') ? sequence(cursor) : null;
  // What comes in may be as odd as the script wants it; of the host's own such a segment can only be a mistake.
  if (direction === 'out' && ack !== null && (flags & ACK) === 0)
    cursor.fail('there is an ack, but the flag "." is missing', at);
  if (direction === 'out' && ack === null && (flags & ACK) !== 0)
    cursor.fail('there is the flag ".", but the ack is missing');
  const window = cursor.accept('win') ? number(cursor, 65_535) : null;
  const urgent = cursor.accept('urg') ? number(cursor, 65_535) : 0;
  return {
    ...base,
    protocol: 'tcp',
    flags,
    seq,
    lengthBytes,
    ack,
    window,
    urgent,
    options: parseOptions(cursor, direction),
  };
}

function parseFlags(cursor: Cursor): number {
  const letters = cursor.take(FLAGS);
  if (letters === null) {
    if (cursor.sees(FOREIGN_FLAGS)) cursor.unsupported(`the flags "${cursor.take(FOREIGN_FLAGS)}" of AccECN`);
    cursor.fail('the flags of a segment are missing, such as S, P. or F.');
  }
  return FLAG_LETTERS.reduce((bits, [letter, bit]) => (letters.includes(letter) ? bits | bit : bits), 0);
}

function parseEndpoints(cursor: Cursor): readonly [PacketEndpoint, PacketEndpoint] {
  const source = parseEndpoint(cursor);
  cursor.expect('>');
  return [source, parseEndpoint(cursor)];
}

function parseEndpoint(cursor: Cursor): PacketEndpoint {
  const at = cursor.at;
  const match = cursor.match(ENDPOINT) ?? cursor.fail('a port, or address:port, is missing');
  const port = Number(match[2]);
  if (port > 65_535) cursor.fail(`there is no port ${port}`, at);
  try {
    return { address: match[1] === undefined ? 0 : parseIpv4(match[1]), port };
  } catch (error) {
    return cursor.fail((error as Error).message, at);
  }
}

/** `[ect0]`, `[tos 0x10, ttl 64]`. */
function parseIp(cursor: Cursor): IpFields {
  let ecn: number | null = null;
  let tos: number | null = null;
  let ttl: number | null = null;
  if (!cursor.accept('[')) return { ecn, tos, ttl };
  do {
    const at = cursor.at;
    const name = cursor.require(WORD, 'ect0, ce, tos or ttl');
    const codePoint = (ECN_NAMES as readonly string[]).indexOf(name);
    if (codePoint >= 0) ecn = codePoint;
    else if (name === 'tos') tos = number(cursor, 255);
    else if (name === 'ttl') ttl = number(cursor, 255);
    else cursor.unsupported(`[${name}] of the IP header`, at);
  } while (cursor.accept(','));
  cursor.expect(']');
  return { ecn, tos, ttl };
}

/** `1:1001(1000)`; the three numbers say the same thing twice, and must agree. */
function parseRange(cursor: Cursor): { seq: number; lengthBytes: number } {
  const at = cursor.at;
  const seq = sequence(cursor);
  cursor.expect(':');
  const end = sequence(cursor);
  const lengthBytes = parseLength(cursor);
  if ((seq + lengthBytes) % 2 ** 32 !== end)
    cursor.fail(`from ${seq} to ${end} there are not ${lengthBytes} octets`, at);
  return { seq, lengthBytes };
}

function parseLength(cursor: Cursor): number {
  cursor.expect('(');
  const lengthBytes = number(cursor, MAX_SEGMENT_BYTES);
  cursor.expect(')');
  return lengthBytes;
}

/** None at all when there are no brackets; null for `<...>`. */
function parseOptions(cursor: Cursor, direction: 'in' | 'out'): readonly TcpOption[] | null {
  const start = cursor.at;
  // A `<` on a line of its own would be a packet without a time.
  if (!cursor.accept('<')) return [];
  if (cursor.accept('...')) {
    cursor.expect('>');
    return null;
  }
  const options: TcpOption[] = [];
  if (cursor.accept('>')) return options;
  do options.push(parseOption(cursor, direction));
  while (cursor.accept(','));
  cursor.expect('>');
  if (options.reduce((sum, option) => sum + optionLength(option), 0) > MAX_OPTION_BYTES) {
    cursor.fail(`a header has no room for more than ${MAX_OPTION_BYTES} octets of options`, start);
  }
  return options;
}

function parseOption(cursor: Cursor, direction: 'in' | 'out'): TcpOption {
  const at = cursor.at;
  const name = cursor.require(WORD, 'an option, such as mss, nop or TS,');
  switch (name) {
    case 'mss':
      return { kind: 'mss', value: number(cursor, 65_535) };
    case 'wscale':
      return { kind: 'wscale', shift: number(cursor, 255) };
    case 'sackOK':
    case 'nop':
    case 'eol':
      return { kind: name };
    case 'TS': {
      cursor.expect('val');
      const val = number(cursor, MAX_WORD);
      cursor.expect('ecr');
      return { kind: 'TS', val, ecr: number(cursor, MAX_WORD) };
    }
    case 'sack':
      return { kind: 'sack', blocks: parseBlocks(cursor) };
    case 'raw':
      return parseRaw(cursor);
    default:
      if (direction === 'out' || !Object.hasOwn(IGNORED_OPTIONS, name))
        return cursor.unsupported(`the TCP option "${name}"`, at);
      return { kind: 'raw', hex: ignoredOption(IGNORED_OPTIONS[name]!, cursor.take(OCTETS) ?? '') };
  }
}

/** Kind, length, and what follows. */
function ignoredOption(head: string, octets: string): string {
  const lengthBytes = 2 + (head.length - 2 + octets.length) / 2;
  return `${head.slice(0, 2)}${lengthBytes.toString(16).padStart(2, '0')}${head.slice(2)}${octets.toLowerCase()}`;
}

function parseBlocks(cursor: Cursor): readonly (readonly [number, number])[] {
  const blocks: (readonly [number, number])[] = [];
  while (cursor.sees(/-?\d/y)) {
    const left = sequence(cursor);
    cursor.expect(':');
    blocks.push([left, sequence(cursor)]);
  }
  if (blocks.length === 0 || blocks.length > MAX_SACK_BLOCKS) cursor.fail(`sack has 1 to ${MAX_SACK_BLOCKS} blocks`);
  return blocks;
}

function parseRaw(cursor: Cursor): TcpOption {
  const at = cursor.at;
  const hex = cursor.require(/[0-9a-fA-F]+/y, 'octets in hexadecimal');
  try {
    bytesFromHex(hex);
  } catch (error) {
    cursor.fail((error as Error).message, at);
  }
  return { kind: 'raw', hex: hex.toLowerCase() };
}

function parseIcmp(cursor: Cursor): { type: number; code: number; mtu: number | null; quoted: Quoted | null } {
  const at = cursor.at;
  const name = cursor.require(WORD, 'the type of an ICMP message');
  const type = name === 'type' ? number(cursor, 255) : ICMP_TYPES[name];
  if (type === undefined) cursor.unsupported(`ICMP messages of the type "${name}"`, at);
  const code = parseCode(cursor, ICMP_CODES[name] ?? []);
  const mtu = cursor.accept('mtu') ? number(cursor, 65_535) : null;
  return { type, code, mtu, quoted: cursor.sees(RANGE_AHEAD) ? parseQuoted(cursor) : null };
}

function parseCode(cursor: Cursor, names: readonly string[]): number {
  if (cursor.accept('code')) return number(cursor, 255);
  const at = cursor.at;
  if (!cursor.sees(WORD) || cursor.sees(/mtu\b/y)) return 0;
  const name = cursor.take(WORD)!;
  const code = names.indexOf(CODE_ALIASES[name] ?? name);
  if (code < 0) cursor.fail(`there is no ICMP code "${name}" of that type`, at);
  return code;
}

function parseQuoted(cursor: Cursor): Quoted {
  cursor.expect('[');
  const quoted: Quoted = cursor.accept('udp')
    ? { protocol: 'udp', lengthBytes: parseLength(cursor) }
    : { protocol: 'tcp', ...parseRange(cursor) };
  cursor.expect(']');
  return quoted;
}

/** A sequence number; one below 0 lies before the beginning. */
function sequence(cursor: Cursor): number {
  return cursor.accept('-') ? -number(cursor, MAX_WORD) >>> 0 : number(cursor, MAX_WORD);
}

/** A number that is not more than `most`: decimal, or 0x and hexadecimal. */
function number(cursor: Cursor, most: number): number {
  const at = cursor.at;
  const value = Number(cursor.require(/0x[0-9a-fA-F]+|\d+/y, 'a number'));
  if (value > most) cursor.fail(`${value} is more than ${most}`, at);
  return value;
}
