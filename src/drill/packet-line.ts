/**
 * A packet as a script writes it, and its text. Sequence numbers are the script's own: relative to the initial ones,
 * which `flow.ts` knows. What a packet that came off the wire looks like in the same terms is in `wire-packet.ts`, so
 * that expected and actual packet can be compared field by field, and shown side by side.
 */
import { formatIpv4, hexBytes } from '../lib/bytes.ts';

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
const URG = 0x20;
const ECE = 0x40;
const CWR = 0x80;

/** The letters of the flags, in the order in which they are written. */
export const FLAG_LETTERS: readonly (readonly [string, number])[] = [
  ['F', FIN],
  ['S', SYN],
  ['R', RST],
  ['P', PSH],
  ['.', ACK],
  ['U', URG],
  ['E', ECE],
  ['W', CWR],
];

export type TcpOption =
  | { readonly kind: 'mss'; readonly value: number }
  | { readonly kind: 'wscale'; readonly shift: number }
  | { readonly kind: 'sackOK' }
  | { readonly kind: 'nop' }
  | { readonly kind: 'eol' }
  | { readonly kind: 'TS'; readonly val: number; readonly ecr: number }
  /** Left and right edges. */
  | { readonly kind: 'sack'; readonly blocks: readonly (readonly [number, number])[] }
  /** Octets as they stand in the header. */
  | { readonly kind: 'raw'; readonly hex: string };

/** The two bits of RFC 3168 section 5, by name. */
export const ECN_NAMES = ['noecn', 'ect1', 'ect0', 'ce'] as const;

/** What the script says of the IP header; null: nothing. */
export interface IpFields {
  readonly ecn: number | null;
  /** The whole octet, the bits of ECN in it. */
  readonly tos: number | null;
  readonly ttl: number | null;
}

/** Addresses are unsigned; 0: the usual one. */
export interface PacketEndpoint {
  readonly address: number;
  readonly port: number;
}

interface LineBase {
  readonly direction: 'in' | 'out';
  readonly ip: IpFields;
  /** Source and destination, where the script names them. */
  readonly endpoints: readonly [PacketEndpoint, PacketEndpoint] | null;
}

export interface TcpLine extends LineBase {
  readonly protocol: 'tcp';
  readonly flags: number;
  readonly seq: number;
  readonly lengthBytes: number;
  /** Null in a segment without one. */
  readonly ack: number | null;
  /** Null: whatever it is. */
  readonly window: number | null;
  readonly urgent: number;
  /** Null for `<...>`: whatever they are. */
  readonly options: readonly TcpOption[] | null;
}

export interface UdpLine extends LineBase {
  readonly protocol: 'udp';
  readonly lengthBytes: number;
}

/** What an ICMP error quotes: a TCP segment, or a UDP datagram of so many octets. */
export type Quoted =
  | { readonly protocol: 'tcp'; readonly seq: number; readonly lengthBytes: number }
  | { readonly protocol: 'udp'; readonly lengthBytes: number };

export interface IcmpLine extends LineBase {
  readonly protocol: 'icmp';
  readonly type: number;
  readonly code: number;
  /** Of the next hop, in a message that says so. */
  readonly mtu: number | null;
  readonly quoted: Quoted | null;
}

export type PacketLine = TcpLine | UdpLine | IcmpLine;

/** Names of ICMP types, and of the codes of those that have some. The place of a name is its number. */
export const ICMP_TYPES: Readonly<Record<string, number>> = {
  echo_reply: 0,
  unreachable: 3,
  source_quench: 4,
  redirect: 5,
  echo_request: 8,
  time_exceeded: 11,
  parameter_problem: 12,
};
export const ICMP_CODES: Readonly<Record<string, readonly string[]>> = {
  unreachable: [
    'net_unreachable',
    'host_unreachable',
    'protocol_unreachable',
    'port_unreachable',
    'frag_needed',
    'source_route_failed',
    'net_unknown',
    'host_unknown',
    'source_host_isolated',
    'net_prohibited',
    'host_prohibited',
    'net_unreachable_for_tos',
    'host_unreachable_for_tos',
    'packet_filtered',
    'precedence_violation',
    'precedence_cutoff',
  ],
  time_exceeded: ['exceeded_in_transit', 'exceeded_in_reassembly'],
};

const flagsText = (flags: number): string =>
  FLAG_LETTERS.map(([letter, bit]) => ((flags & bit) === 0 ? '' : letter)).join('') || '-';

/** The line that says so, without its time. Parsing it gives the same packet again. */
export function packetText(packet: PacketLine): string {
  const parts = [packet.direction === 'in' ? '<' : '>'];
  if (packet.endpoints !== null) parts.push(packet.endpoints.map(endpointText).join(' > '));
  const ip = ipText(packet.ip);
  if (ip !== '') parts.push(`[${ip}]`);
  switch (packet.protocol) {
    case 'tcp':
      parts.push(tcpText(packet));
      break;
    case 'udp':
      parts.push(`udp (${packet.lengthBytes})`);
      break;
    case 'icmp':
      parts.push(icmpText(packet));
  }
  return parts.join(' ');
}

const endpointText = ({ address, port }: PacketEndpoint): string =>
  address === 0 ? String(port) : `${formatIpv4(address)}:${port}`;

function ipText({ ecn, tos, ttl }: IpFields): string {
  const parts: string[] = [];
  if (ecn !== null) parts.push(ECN_NAMES[ecn]!);
  if (tos !== null) parts.push(`tos 0x${tos.toString(16)}`);
  if (ttl !== null) parts.push(`ttl ${ttl}`);
  return parts.join(', ');
}

function tcpText(packet: TcpLine): string {
  const parts = [flagsText(packet.flags), rangeText(packet.seq, packet.lengthBytes)];
  if (packet.ack !== null) parts.push(`ack ${packet.ack}`);
  if (packet.window !== null) parts.push(`win ${packet.window}`);
  if (packet.urgent !== 0) parts.push(`urg ${packet.urgent}`);
  if (packet.options === null) parts.push('<...>');
  else if (packet.options.length > 0) parts.push(`<${packet.options.map(optionText).join(', ')}>`);
  return parts.join(' ');
}

const rangeText = (seq: number, lengthBytes: number): string =>
  `${seq}:${(seq + lengthBytes) % 2 ** 32}(${lengthBytes})`;

function optionText(option: TcpOption): string {
  switch (option.kind) {
    case 'mss':
      return `mss ${option.value}`;
    case 'wscale':
      return `wscale ${option.shift}`;
    case 'TS':
      return `TS val ${option.val} ecr ${option.ecr}`;
    case 'sack':
      return `sack ${option.blocks.map(([left, right]) => `${left}:${right}`).join(' ')}`;
    case 'raw':
      return `raw ${option.hex}`;
    default:
      return option.kind;
  }
}

function icmpText({ type, code, mtu, quoted }: IcmpLine): string {
  const name = Object.keys(ICMP_TYPES).find(each => ICMP_TYPES[each] === type);
  const parts = ['icmp', name ?? `type ${type}`];
  const codeName = name === undefined ? undefined : ICMP_CODES[name]?.[code];
  if (codeName !== undefined) parts.push(codeName);
  else if (code !== 0) parts.push(`code ${code}`);
  if (mtu !== null) parts.push(`mtu ${mtu}`);
  if (quoted?.protocol === 'tcp') parts.push(`[${rangeText(quoted.seq, quoted.lengthBytes)}]`);
  else if (quoted?.protocol === 'udp') parts.push(`[udp (${quoted.lengthBytes})]`);
  return parts.join(' ');
}

/** The octets of a raw option. */
export const rawOption = (bytes: Uint8Array): TcpOption => ({ kind: 'raw', hex: hexBytes(bytes, '') });

/** Octets that an option takes in the header. */
export function optionLength(option: TcpOption): number {
  switch (option.kind) {
    case 'mss':
      return 4;
    case 'wscale':
      return 3;
    case 'sackOK':
      return 2;
    case 'TS':
      return 10;
    case 'sack':
      return 2 + 8 * option.blocks.length;
    case 'raw':
      return option.hex.length / 2;
    default:
      return 1;
  }
}
