/**
 * The op language of the differential test: what software, a peer and time do to a NIC. A program is a list of ops that
 * begins at power-on; a target runs it and says what each op brought to light. Two targets agree when they say the same.
 *
 * Register addresses are byte offsets in BAR0, configuration ones offsets in the function's header, memory ones physical.
 */
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { hex, hexBytes } from '../../src/lib/bytes.ts';

export type Size = 1 | 2 | 4;

export type Op =
  | { readonly op: 'read'; readonly at: number; readonly size: Size }
  | { readonly op: 'write'; readonly at: number; readonly size: Size; readonly value: number }
  | { readonly op: 'config-read'; readonly at: number; readonly size: Size }
  | { readonly op: 'config-write'; readonly at: number; readonly size: Size; readonly value: number }
  | { readonly op: 'load'; readonly address: number; readonly bytes: number }
  | { readonly op: 'store'; readonly address: number; readonly data: Uint8Array }
  /** A frame, DA to the last octet before the FCS, begins to wait for the NIC. It is offered when the NIC asks, and when time passes. */
  | { readonly op: 'frame'; readonly octets: Uint8Array }
  /** The peer's end of the link goes up or down. Frames sent since time last passed may be lost with it. */
  | { readonly op: 'link'; readonly up: boolean }
  /**
   * Time passes: a multiple of 100 ns, at least 200. Frames that wait are offered to the NIC when it begins and when it
   * ends; whenever the NIC says that it can take some in between they are too. Those still there at the end are lost.
   */
  | { readonly op: 'pass'; readonly ns: number };

export type Program = readonly Op[];

/** What one op brought to light: what was read, in hexadecimal, and the edges of the interrupt pin during it. */
export interface Outcome {
  readonly value: string;
  readonly edges: readonly ('raise' | 'lower')[];
}

/** A whole run: an outcome per op, and the frames that left the NIC, in order, without FCS. */
export interface Run {
  readonly outcomes: readonly Outcome[];
  readonly frames: readonly Uint8Array[];
}

/** A physical address space with the NIC in slot 1 of `virt`, as the targets map it. */
export const RAM_BASE = 0x8000_0000;
/** Memory that programs use. The parked hart of QEMU has the page in front of it. */
export const ARENA_BASE = 0x8000_1000;
export const ARENA_BYTES = 0x1_8000;
export const BAR0_BASE = 0x4000_0000;
export const BAR1_PORT = 0x1000;
/** Memory decoding, I/O decoding, bus master. */
export const COMMAND_ON = 7;

export const MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);

/** The op as a line of a transcript. */
export function opText(op: Op): string {
  switch (op.op) {
    case 'read':
      return `r${op.size * 8} ${registerName(op.at)}`;
    case 'write':
      return `w${op.size * 8} ${registerName(op.at)} ${hex(op.value, 2 * op.size)}`;
    case 'config-read':
      return `c${op.size * 8} ${hex(op.at, 2)}`;
    case 'config-write':
      return `c${op.size * 8} ${hex(op.at, 2)} = ${hex(op.value, 2 * op.size)}`;
    case 'load':
      return `load ${hex(op.address)} ${op.bytes}`;
    case 'store':
      return `store ${hex(op.address)} ${abridged(op.data)}`;
    case 'frame':
      return `frame ${op.octets.length}: ${abridged(op.octets)}`;
    case 'link':
      return `link ${op.up ? 'up' : 'down'}`;
    case 'pass':
      return `pass ${op.ns} ns`;
  }
}

/** A few octets whole, many by their beginning. */
export function abridged(bytes: Uint8Array, limit = 32): string {
  return bytes.length <= limit ? hexBytes(bytes) : `${hexBytes(bytes.subarray(0, limit))} ... (${bytes.length})`;
}

const NAMES = new Map<number, string>();
for (const [name, { at, count, stride }] of Object.entries(E1000)) {
  for (let i = 0; i < count; i++) NAMES.set(at + i * stride, count > 1 ? `${name}[${i}]` : name);
}

function registerName(at: number): string {
  const byte = at & 3;
  const name = NAMES.get(at - byte) ?? hex(at - byte, 5);
  return byte === 0 ? name : `${name}+${byte}`;
}

/** What was read, as both targets print it. */
export function valueText(value: number, size: Size): string {
  const bits = size === 4 ? value >>> 0 : value & (size === 2 ? 0xffff : 0xff);
  return bits.toString(16).padStart(2 * size, '0');
}
