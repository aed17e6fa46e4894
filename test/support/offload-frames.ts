/**
 * Frames that a driver may leave to the hardware to finish, and what must come out on the wire: worked out here field by
 * field from RFC 768, 791 and 793 and IEEE 802.1Q, with nothing of the driver's, the kernel's or the hardware's.
 */
import type { DriverPlatform } from './driver-platform.ts';
import { frame, ipv4, naiveChecksum, naiveSum, udp } from './packets.ts';

const SOURCE = '192.0.2.1';
const DESTINATION = '192.0.2.2';
const ADDRESSES = [192, 0, 2, 1, 192, 0, 2, 2];
const FROM = '52:54:00:00:00:07';
const TO = 'ff:ff:ff:ff:ff:ff';
const HEADERS_BYTES = 14 + 20 + 20;
const FIN_AND_PSH = 0x09;

const word = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
const long = (value: number): number[] => [...word(value >>> 16), ...word(value & 0xffff)];

/** What is asked of a driver: octets, and what the hardware shall do with them. */
export interface Request {
  readonly octets: Uint8Array;
  readonly vlanTag: number | null;
  /** Offset of the TCP or UDP header, and of its checksum; 0: no checksum is asked for. */
  readonly checksumStart: number;
  readonly checksumAt: number;
  readonly segmentBytes: number;
  /** What must be on the wire, tags and all, without padding. */
  readonly frames: readonly Uint8Array[];
}

/** `frame` with an 802.1Q tag; as it is for null. */
export function tagged(octets: Uint8Array, tag: number | null): Uint8Array {
  if (tag === null) return octets;
  return Uint8Array.from([...octets.subarray(0, 12), 0x81, 0x00, ...word(tag), ...octets.subarray(12)]);
}

/** A frame that asks for nothing but maybe a tag. */
export function plain(octets: Uint8Array, vlanTag: number | null): Request {
  return { octets, vlanTag, checksumStart: 0, checksumAt: 0, segmentBytes: 0, frames: [tagged(octets, vlanTag)] };
}

/** A UDP datagram whose checksum is left to the hardware. */
export function datagram(data: ArrayLike<number>, vlanTag: number | null): Request {
  const fields = { source: SOURCE, destination: DESTINATION, sourcePort: 1000, destinationPort: 2000, data };
  const inFrame = (payload: Uint8Array): Uint8Array =>
    frame({
      to: TO,
      from: FROM,
      type: 0x0800,
      payload: ipv4({ source: SOURCE, destination: DESTINATION, protocol: 17, payload }),
    });
  const pseudoHeader = naiveSum([...ADDRESSES, 0, 17, ...word(8 + data.length)]);
  const octets = inFrame(udp({ ...fields, checksum: pseudoHeader }));
  const whole = udp(fields);
  // The hardware does not know that zero means something else to UDP.
  const checksum = whole[6] === 0xff && whole[7] === 0xff ? 0 : whole[6]! * 256 + whole[7]!;
  const frames = [tagged(inFrame(udp({ ...fields, checksum })), vlanTag)];
  return { octets, vlanTag, checksumStart: 34, checksumAt: 40, segmentBytes: 0, frames };
}

/** A TCP packet to be cut into segments of `segmentBytes`. */
export function stream(
  data: Uint8Array,
  segmentBytes: number,
  { flags = 0x19, sequence = 0xffff_ff00, identification = 0xfffe, vlanTag = null as number | null } = {},
): Request {
  const header = (at: number, flag: number, checksum: number): number[] => [
    ...[...word(1000), ...word(80), ...long((sequence + at) >>> 0), ...long(0x1234_5678)],
    ...[0x50, flag, ...word(4096), ...word(checksum), 0, 0],
  ];
  const inFrame = (id: number, payload: number[]): Uint8Array =>
    frame({
      to: TO,
      from: FROM,
      type: 0x0800,
      payload: ipv4({
        source: SOURCE,
        destination: DESTINATION,
        protocol: 6,
        identification: (identification + id) & 0xffff,
        payload,
      }),
    });
  const frames: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += segmentBytes) {
    const piece = data.subarray(at, at + segmentBytes);
    const last = at + segmentBytes >= data.length;
    const flag = last ? flags : flags & ~FIN_AND_PSH;
    const pseudoHeader = [...ADDRESSES, 0, 6, ...word(20 + piece.length)];
    const checksum = naiveChecksum([...pseudoHeader, ...header(at, flag, 0), ...piece]);
    frames.push(tagged(inFrame(frames.length, [...header(at, flag, checksum), ...piece]), vlanTag));
  }
  const withoutLength = naiveSum([...ADDRESSES, 0, 6]);
  const octets = inFrame(0, [...header(0, flags, withoutLength), ...data]);
  return { octets, vlanTag, checksumStart: 34, checksumAt: 50, segmentBytes, frames };
}

/**
 * Hands a request to the driver, in buffers of at most `bufferBytes`, the first of which holds all headers. What the
 * interface does not offer is done in software first. Returns the frames that the driver accepted.
 */
export function submit(platform: DriverPlatform, request: Request, bufferBytes = 1900): readonly Uint8Array[] {
  const { ops } = platform.iface!;
  const { checksum, segmentationBuffers, vlan } = ops.features;
  const buffers = Math.ceil(request.octets.length / bufferBytes);
  const offloads = request.segmentBytes === 0 ? checksum : buffers <= segmentationBuffers;
  const { vlanTag } = request;
  if (!offloads && request.checksumStart !== 0) {
    const tag = vlanTag !== null && vlan ? vlanTag : null;
    return request.frames.filter(
      octets => submit(platform, plain(tag === null ? octets : untagged(octets), tag)).length,
    );
  }
  const inOctets = vlan ? null : vlanTag;
  const octets = tagged(request.octets, inOctets);
  const shift = inOctets === null ? 0 : 4;
  const packet = fill(platform, octets, request.segmentBytes === 0 ? octets.length : bufferBytes);
  if (packet === null) return [];
  if (vlan) packet.vlanTag = vlanTag;
  if (request.checksumStart !== 0) {
    packet.checksumStart = packet.start + request.checksumStart + shift;
    packet.checksumAt = packet.start + request.checksumAt + shift;
  }
  packet.segmentBytes = request.segmentBytes;
  packet.dataStart = packet.start + HEADERS_BYTES + shift;
  if (ops.transmit(packet)) return request.frames;
  platform.packets.free(packet);
  return [];
}

const untagged = (octets: Uint8Array): Uint8Array =>
  Uint8Array.from([...octets.subarray(0, 12), ...octets.subarray(16)]);

/** A packet with `octets` in buffers of at most `bufferBytes`; null when there are too few. */
function fill(platform: DriverPlatform, octets: Uint8Array, bufferBytes: number) {
  const packet = platform.packets.allocate();
  if (packet === null) return null;
  const piece = octets.subarray(0, bufferBytes);
  packet.bytes.set(piece, packet.start);
  packet.length = piece.length;
  if (octets.length <= bufferBytes) return packet;
  packet.next = fill(platform, octets.subarray(bufferBytes), bufferBytes);
  if (packet.next !== null) return packet;
  platform.packets.free(packet);
  return null;
}
