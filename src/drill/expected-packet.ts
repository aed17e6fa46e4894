/**
 * One expected packet against what the host has sent. A script may write as one what goes over the wire as several full
 * segments, for that is how a host with segmentation offload hands it to its card.
 */
import type { Flow } from './flow.ts';
import { FIN, type PacketLine, PSH, RST, SYN, type TcpLine } from './packet-line.ts';
import { differences, type StampCheck } from './packet-match.ts';
import type { Sent } from './traffic.ts';
import { describe, type WirePacket, wireFlags, wireSeq, wireStamp } from './wire-packet.ts';

/** What was taken off the wire for one expected packet. */
export interface Taken {
  readonly actual: PacketLine;
  readonly segments: readonly WirePacket[];
  /** Names of the fields in which it differs from what was expected. */
  readonly differences: readonly string[];
}

/** Whether `waiting` begins with a part of `expected`, and the rest has yet to come. */
export function isIncomplete(expected: PacketLine, flow: Flow, waiting: readonly Sent[]): boolean {
  if (expected.protocol !== 'tcp' || waiting.length === 0) return false;
  const parts = partsOf(expected, flow, waiting);
  return parts > 0 && parts === waiting.length && lengthOf(waiting) < expected.lengthBytes;
}

/** Takes from `waiting`, which is not empty, what stands for `expected`. */
export function takeExpected(expected: PacketLine, flow: Flow, waiting: Sent[], stamps: StampCheck): Taken {
  const parts = expected.protocol === 'tcp' ? Math.max(1, partsOf(expected, flow, waiting)) : 1;
  const taken = waiting.splice(0, parts);
  const first = taken[0]!;
  const last = taken.at(-1)!;
  if (expected.protocol === 'tcp' && first.wire.protocol === 'tcp') learn(expected, first);
  const actual = merge(first, last, taken, expected);
  const found = differences(expected, actual, { exact: stamps.exact && flow.knowsStamps });
  if (expected.protocol === 'tcp' && found.length === 0) learnStamp(expected, last);
  if (first.flow !== flow && first.wire.protocol !== 'icmp') found.unshift('endpoints');
  if (!evenlyCut(taken)) found.push('segments');
  for (const { wire } of taken) found.push(...wire.faults);
  if (taken.some(each => !carriesStream(each))) found.push('data');
  return { actual, segments: taken.map(({ wire }) => wire), differences: found };
}

/** How many of the packets that wait are full segments of `expected`, the last of them included; 0 when one packet is all. */
function partsOf(expected: TcpLine, flow: Flow, waiting: readonly Sent[]): number {
  let next = flow.toWire(expected.seq);
  let left = expected.lengthBytes;
  let parts = 0;
  for (const { wire, flow: of } of waiting) {
    const lengthBytes = wire.payload.length;
    if (of !== flow || wire.protocol !== 'tcp' || wireSeq(wire) !== next || lengthBytes === 0 || lengthBytes > left)
      break;
    const ends = (wireFlags(wire) & (FIN | PSH)) !== 0;
    parts += 1;
    left -= lengthBytes;
    next = (next + lengthBytes) % 2 ** 32;
    if (left === 0 || ends) break;
  }
  return parts;
}

const lengthOf = (waiting: readonly Sent[]): number => waiting.reduce((sum, { wire }) => sum + wire.payload.length, 0);

/** All segments but the last are equally long, and the last is not longer. */
function evenlyCut(taken: readonly Sent[]): boolean {
  const full = taken[0]!.wire.payload.length;
  return taken.every(({ wire: { payload } }, i) =>
    i < taken.length - 1 ? payload.length === full : payload.length <= full,
  );
}

function merge(first: Sent, last: Sent, taken: readonly Sent[], expected: PacketLine): PacketLine {
  const end = describe(last.wire, last.flow, expected);
  if (taken.length === 1 || end.protocol !== 'tcp') return end;
  return { ...end, seq: first.flow.toScript(wireSeq(first.wire)), lengthBytes: lengthOf(taken) };
}

/** A SYN says where the numbers of the host begin. */
function learn(expected: TcpLine, { wire, flow }: Sent): void {
  const flags = wireFlags(wire);
  if ((expected.flags & SYN) === 0 || (flags & SYN) === 0 || (flags & RST) !== 0) return;
  flow.begin(wireSeq(wire), expected.seq);
}

function learnStamp(expected: TcpLine, { wire, flow }: Sent): void {
  const stamp = wireStamp(wire);
  const wanted = expected.options?.find(option => option.kind === 'TS');
  if (stamp !== null && wanted !== undefined) flow.learnStamp(stamp, wanted.val);
}

/** Whether the octets are those that the script has put into the socket. */
function carriesStream({ wire, flow }: Sent): boolean {
  if (wire.protocol !== 'tcp' || flow.stream === null) return true;
  const offset = flow.offsetOf(wireSeq(wire));
  const { stream } = flow;
  return offset === null || wire.payload.every((octet, i) => octet === stream.octet(offset + i));
}
