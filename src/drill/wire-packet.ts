/**
 * Packets as octets: builds what a script injects, and reads what the host sends. Apart from the stack's own code on
 * purpose, so that one mistake cannot cancel out another.
 */
import { bytesFromHex, readBe16, readBe32, writeBe16, writeBe32 } from '../lib/bytes.ts';
import type { Flow } from './flow.ts';
import {
  ACK,
  type IcmpLine,
  type IpFields,
  optionLength,
  type PacketEndpoint,
  type PacketLine,
  rawOption,
  type TcpLine,
  type TcpOption,
} from './packet-line.ts';

const IP_BYTES = 20;
const TCP_BYTES = 20;
const UDP_BYTES = 8;
const ICMP_BYTES = 8;
const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;
const DEFAULT_TTL = 255;
const DONT_FRAGMENT = 0x4000;
/** Window of an injected segment whose window the script leaves open. */
const DEFAULT_WINDOW = 65_535;
const NO_IP = { ecn: null, tos: null, ttl: null };

/** A packet that the host has sent. Numbers are those on the wire. */
export interface WirePacket {
  readonly timeNs: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly source: PacketEndpoint;
  readonly destination: PacketEndpoint;
  readonly tos: number;
  readonly ttl: number;
  /** The header of TCP or ICMP, and what follows it. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  /** What is wrong with it that no script could ask for. */
  readonly faults: readonly string[];
}

/** The octet that stands at the number `seq` of everything that the peer sends. */
export const peerOctet = (seq: number): number => (seq * 7 + (seq >>> 8)) & 0xff;

/** An IPv4 packet of the peer's, as the script has it. */
export function buildPacket(packet: PacketLine, flow: Flow, identification: number): Uint8Array {
  const { source, destination } = inboundEndpoints(packet, flow);
  const payload = buildPayload(packet, flow, source, destination);
  return ipPacket(packet.protocol, source.address, destination.address, packet.ip, identification, payload);
}

/** Reads an IPv4 packet; null when it is of a protocol that scripts do not speak of. */
export function readPacket(timeNs: number, bytes: Uint8Array): WirePacket | null {
  const headerBytes = (bytes[0]! & 15) * 4;
  const payload = bytes.subarray(headerBytes, readBe16(bytes, 2));
  const number = bytes[9]!;
  const protocol = (['tcp', 'udp', 'icmp'] as const).find(each => PROTOCOL[each] === number);
  if (protocol === undefined) return null;
  const source = readBe32(bytes, 12);
  const destination = readBe32(bytes, 16);
  const faults: string[] = [];
  if (checksum(bytes.subarray(0, headerBytes)) !== 0) faults.push('the IP checksum is bad');
  if (!isIntact(protocol, source, destination, payload)) faults.push(`the ${protocol.toUpperCase()} checksum is bad`);
  const ports = protocol === 'icmp' ? [0, 0] : [readBe16(payload, 0), readBe16(payload, 2)];
  const split = protocol === 'tcp' ? (payload[12]! >>> 4) * 4 : 8;
  return {
    timeNs,
    protocol,
    source: { address: source, port: ports[0]! },
    destination: { address: destination, port: ports[1]! },
    tos: bytes[1]!,
    ttl: bytes[8]!,
    header: payload.subarray(0, split),
    payload: payload.subarray(split),
    faults,
  };
}

/** The packet in the terms of a script, in as much detail as `like` has of the IP header. */
export function describe(wire: WirePacket, flow: Flow, like: PacketLine | null): PacketLine {
  const ip = {
    ecn: like?.ip.ecn == null ? null : wire.tos & 3,
    tos: like?.ip.tos == null ? null : wire.tos,
    ttl: like?.ip.ttl == null ? null : wire.ttl,
  };
  const base = { direction: 'out', ip, endpoints: null } as const;
  const { header, payload } = wire;
  if (wire.protocol === 'udp') return { ...base, protocol: 'udp', lengthBytes: payload.length };
  if (wire.protocol === 'icmp') {
    const [type, code] = [header[0]!, header[1]!];
    const mtu = type === 3 && code === 4 ? readBe16(header, 6) : null;
    return { ...base, protocol: 'icmp', type, code, mtu, quoted: null };
  }
  const flags = header[13]!;
  return {
    ...base,
    protocol: 'tcp',
    flags,
    seq: flow.toScript(readBe32(header, 4)),
    lengthBytes: payload.length,
    ack: (flags & ACK) === 0 ? null : readBe32(header, 8),
    window: readBe16(header, 14),
    urgent: readBe16(header, 18),
    options: readOptions(header.subarray(TCP_BYTES), flow),
  };
}

export const wireFlags = (wire: WirePacket): number => wire.header[13]!;

/** The timestamp value of a TCP packet; null when it has none. */
export function wireStamp(wire: WirePacket): number | null {
  const options = wire.header.subarray(TCP_BYTES);
  for (let at = 0; at < options.length; at += options[at]! < 2 ? 1 : Math.max(2, options[at + 1] ?? 0)) {
    if (options[at] === 8 && at + 10 <= options.length) return readBe32(options, at + 2);
  }
  return null;
}

/** The sequence number of a TCP packet. */
export const wireSeq = (wire: WirePacket): number => readBe32(wire.header, 4);

function readOptions(bytes: Uint8Array, flow: Flow): TcpOption[] {
  const options: TcpOption[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at]!;
    if (kind < 2) {
      options.push({ kind: kind === 0 ? 'eol' : 'nop' });
      at += 1;
      continue;
    }
    const length = Math.max(2, bytes[at + 1] ?? 0);
    options.push(readOption(bytes.subarray(at, at + length), flow));
    at += length;
  }
  return options;
}

function readOption(bytes: Uint8Array, flow: Flow): TcpOption {
  const [kind, length] = [bytes[0], bytes.length];
  if (kind === 2 && length === 4) return { kind: 'mss', value: readBe16(bytes, 2) };
  if (kind === 3 && length === 3) return { kind: 'wscale', shift: bytes[2]! };
  if (kind === 4 && length === 2) return { kind: 'sackOK' };
  if (kind === 8 && length === 10) {
    return { kind: 'TS', val: flow.stampToScript(readBe32(bytes, 2)), ecr: readBe32(bytes, 6) };
  }
  if (kind !== 5 || length % 8 !== 2) return rawOption(bytes);
  const blocks = Array.from({ length: (length - 2) / 8 }, (_, i) => {
    return [readBe32(bytes, 2 + 8 * i), readBe32(bytes, 6 + 8 * i)] as const;
  });
  return { kind: 'sack', blocks };
}

/** Who sends and who receives a packet of the peer's: what the script says, and where it says nothing the flow. */
function inboundEndpoints({ endpoints }: PacketLine, flow: Flow) {
  const fill = (given: PacketEndpoint | undefined, usual: PacketEndpoint): PacketEndpoint =>
    given === undefined ? usual : { address: given.address || usual.address, port: given.port };
  return { source: fill(endpoints?.[0], flow.remote), destination: fill(endpoints?.[1], flow.local) };
}

function buildPayload(packet: PacketLine, flow: Flow, source: PacketEndpoint, destination: PacketEndpoint): Uint8Array {
  switch (packet.protocol) {
    case 'tcp':
      return tcpSegment(packet, flow, source, destination);
    case 'udp':
      return udpDatagram(packet.lengthBytes, source, destination);
    case 'icmp':
      return icmpMessage(packet, flow);
  }
}

function tcpSegment(packet: TcpLine, flow: Flow, source: PacketEndpoint, destination: PacketEndpoint): Uint8Array {
  const options = (packet.options ?? []).flatMap(option => optionBytes(option, flow));
  while (options.length % 4 !== 0) options.push(0);
  const headerBytes = TCP_BYTES + options.length;
  const bytes = new Uint8Array(headerBytes + packet.lengthBytes);
  writeBe16(bytes, 0, source.port);
  writeBe16(bytes, 2, destination.port);
  writeBe32(bytes, 4, packet.seq);
  writeBe32(bytes, 8, packet.ack === null && (packet.flags & ACK) === 0 ? 0 : flow.toWire(packet.ack ?? 0));
  bytes[12] = headerBytes << 2;
  bytes[13] = packet.flags;
  writeBe16(bytes, 14, packet.window ?? DEFAULT_WINDOW);
  writeBe16(bytes, 18, packet.urgent);
  bytes.set(options, TCP_BYTES);
  for (let i = 0; i < packet.lengthBytes; i++) bytes[headerBytes + i] = peerOctet(packet.seq + i);
  writeBe16(bytes, 16, transportChecksum('tcp', source.address, destination.address, bytes));
  return bytes;
}

function optionBytes(option: TcpOption, flow: Flow): number[] {
  switch (option.kind) {
    case 'eol':
      return [0];
    case 'nop':
      return [1];
    case 'mss':
      return [2, 4, ...word16(option.value)];
    case 'wscale':
      return [3, 3, option.shift];
    case 'sackOK':
      return [4, 2];
    case 'TS':
      return [8, 10, ...word32(option.val), ...word32(flow.stampToWire(option.ecr))];
    case 'sack': {
      const edges = option.blocks.flat().flatMap(edge => word32(flow.toWire(edge)));
      return [5, optionLength(option), ...edges];
    }
    case 'raw':
      return [...bytesFromHex(option.hex)];
  }
}

const word16 = (value: number): number[] => [value >>> 8, value & 255];
const word32 = (value: number): number[] => [...word16(value >>> 16), ...word16(value & 0xffff)];

function udpDatagram(lengthBytes: number, source: PacketEndpoint, destination: PacketEndpoint): Uint8Array {
  const bytes = new Uint8Array(UDP_BYTES + lengthBytes);
  writeBe16(bytes, 0, source.port);
  writeBe16(bytes, 2, destination.port);
  writeBe16(bytes, 4, bytes.length);
  for (let i = 0; i < lengthBytes; i++) bytes[UDP_BYTES + i] = peerOctet(i);
  writeBe16(bytes, 6, transportChecksum('udp', source.address, destination.address, bytes) || 0xffff);
  return bytes;
}

/** An error quotes the IP header and eight octets of a packet that the host has sent, or might have. */
function icmpMessage(packet: IcmpLine, flow: Flow): Uint8Array {
  const quoted = packet.quoted === null ? new Uint8Array(0) : quotedPacket(packet.quoted, flow);
  const bytes = new Uint8Array(ICMP_BYTES + quoted.length);
  bytes[0] = packet.type;
  bytes[1] = packet.code;
  if (packet.mtu !== null) writeBe16(bytes, 6, packet.mtu);
  bytes.set(quoted, ICMP_BYTES);
  writeBe16(bytes, 2, checksum(bytes));
  return bytes;
}

function quotedPacket(quoted: NonNullable<IcmpLine['quoted']>, flow: Flow): Uint8Array {
  const head = new Uint8Array(8);
  writeBe16(head, 0, flow.local.port);
  writeBe16(head, 2, flow.remote.port);
  if (quoted.protocol === 'tcp') writeBe32(head, 4, flow.toWire(quoted.seq));
  else writeBe16(head, 4, UDP_BYTES + quoted.lengthBytes);
  const whole = IP_BYTES + quoted.lengthBytes + (quoted.protocol === 'tcp' ? TCP_BYTES : UDP_BYTES);
  return ipPacket(quoted.protocol, flow.local.address, flow.remote.address, NO_IP, 0, head, whole);
}

function ipPacket(
  protocol: keyof typeof PROTOCOL,
  source: number,
  destination: number,
  ip: IpFields,
  identification: number,
  payload: Uint8Array,
  totalBytes = IP_BYTES + payload.length,
): Uint8Array {
  const bytes = new Uint8Array(IP_BYTES + payload.length);
  bytes[0] = 0x45;
  bytes[1] = (ip.tos ?? 0) | (ip.ecn ?? 0);
  writeBe16(bytes, 2, totalBytes);
  writeBe16(bytes, 4, identification);
  writeBe16(bytes, 6, DONT_FRAGMENT);
  bytes[8] = ip.ttl ?? DEFAULT_TTL;
  bytes[9] = PROTOCOL[protocol];
  writeBe32(bytes, 12, source);
  writeBe32(bytes, 16, destination);
  writeBe16(bytes, 10, checksum(bytes.subarray(0, IP_BYTES)));
  bytes.set(payload, IP_BYTES);
  return bytes;
}

function isIntact(protocol: WirePacket['protocol'], source: number, destination: number, payload: Uint8Array): boolean {
  if (protocol === 'icmp') return checksum(payload) === 0;
  if (protocol === 'udp' && readBe16(payload, 6) === 0) return true;
  return transportChecksum(protocol, source, destination, payload) === 0;
}

function transportChecksum(protocol: 'tcp' | 'udp', source: number, destination: number, bytes: Uint8Array): number {
  const pseudo = new Uint8Array(12);
  writeBe32(pseudo, 0, source);
  writeBe32(pseudo, 4, destination);
  pseudo[9] = PROTOCOL[protocol];
  writeBe16(pseudo, 10, bytes.length);
  return checksum(pseudo, bytes);
}

/** RFC 1071, in the plainest way; each piece but the last has an even length. */
function checksum(...pieces: readonly Uint8Array[]): number {
  let sum = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at++) sum += (at & 1) === 0 ? piece[at]! << 8 : piece[at]!;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
