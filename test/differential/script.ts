/**
 * Turns steps into ops: what a driver in a hurry would do, with the state that a driver keeps. Steps are small and plain
 * data, so that fast-check can drop any of them and the rest still makes sense.
 */
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { writeLe16, writeLe32 } from '../../src/lib/bytes.ts';
import { ARENA_BASE, BAR0_BASE, type Op, type Size } from './ops.ts';

const TX_RING = ARENA_BASE;
const RX_RING = ARENA_BASE + 0x800;
const TX_BUFFERS = ARENA_BASE + 0x1000;
const TX_BUFFERS_BYTES = 0x4000;
const RX_BUFFERS = ARENA_BASE + 0x5000;
const DESCRIPTOR_BYTES = 16;
/** No memory is there: behind it, above 4 GiB, and in the NIC's own registers. */
export const NOWHERE = [0x9000_0000, 0x1_0000_0000 + 0x1234, 0x7f_0000_0000, BAR0_BASE] as const;

export type Place = 'buffer' | 'null' | (typeof NOWHERE)[number];

/** A data buffer of a transmit descriptor. */
export interface Piece {
  readonly place: Place;
  readonly bytes: number;
  /** The first octets; the rest counts up from `fill`. */
  readonly head: Uint8Array;
  readonly fill: number;
}

export interface Context {
  readonly ip: readonly [css: number, cso: number, cse: number];
  readonly tu: readonly [css: number, cso: number, cse: number];
  readonly payload: number;
  readonly tucmd: number;
  readonly header: number;
  readonly mss: number;
  readonly dtyp: number;
}

export type Step =
  | { readonly step: 'tx-ring'; readonly count: number; readonly at: number; readonly tctl: number }
  | {
      readonly step: 'rx-ring';
      readonly count: number;
      readonly rctl: number;
      /** A bit for each descriptor without a buffer, and a buffer of the second one. */
      readonly nulls: number;
      readonly astray: Place;
      /** What all octets of the descriptors behind the address are: what the NIC leaves alone is to be seen. */
      readonly rest: number;
      readonly settle: boolean;
    }
  | {
      readonly step: 'legacy';
      readonly pieces: readonly Piece[];
      readonly cmd: number;
      readonly css: number;
      readonly cso: number;
      readonly special: number;
      readonly sta: number;
    }
  | {
      readonly step: 'data';
      readonly pieces: readonly Piece[];
      readonly dcmd: number;
      readonly popts: number;
      readonly special: number;
      readonly sta: number;
      readonly last: boolean;
    }
  | { readonly step: 'context'; readonly context: Context }
  | { readonly step: 'doorbell' }
  | { readonly step: 'frames'; readonly frames: readonly Uint8Array[]; readonly ns: number }
  | { readonly step: 'give'; readonly count: number }
  | { readonly step: 'ops'; readonly ops: readonly Op[] };

/** The state of the driver. */
class Driver {
  readonly ops: Op[] = [];
  txCount = 8;
  txTail = 0;
  rxCount = 8;
  rxTail = 0;
  #bufferAt = 0;

  write(at: number, value: number, size: Size = 4): void {
    this.ops.push({ op: 'write', at, size, value: value >>> 0 });
  }

  store(address: number, data: Uint8Array): void {
    this.ops.push({ op: 'store', address, data });
  }

  txDescriptor(bytes: Uint8Array): void {
    this.store(TX_RING + this.txTail * DESCRIPTOR_BYTES, bytes);
    this.txTail = (this.txTail + 1) % this.txCount;
  }

  /** Puts a piece into memory; returns its address. */
  buffer({ place, bytes, head, fill }: Piece): number {
    if (place === 'null') return 0;
    if (place !== 'buffer') return place;
    if (this.#bufferAt + bytes > TX_BUFFERS_BYTES) this.#bufferAt = 0;
    const address = TX_BUFFERS + this.#bufferAt;
    this.#bufferAt += Math.min(bytes, TX_BUFFERS_BYTES);
    const data = Uint8Array.from({ length: Math.min(bytes, TX_BUFFERS_BYTES) }, (_, i) => head[i] ?? fill + i);
    if (data.length > 0) this.store(address, data);
    return address;
  }
}

export function opsOf(steps: readonly Step[]): Op[] {
  const driver = new Driver();
  for (const step of steps) perform(driver, step);
  return driver.ops;
}

function perform(driver: Driver, step: Step): void {
  switch (step.step) {
    case 'tx-ring':
      openTx(driver, step);
      break;
    case 'rx-ring':
      openRx(driver, step);
      break;
    case 'legacy':
      step.pieces.forEach((piece, i) => {
        legacy(driver, piece, i === step.pieces.length - 1, step);
      });
      break;
    case 'data':
      step.pieces.forEach((piece, i) => {
        data(driver, piece, i === step.pieces.length - 1 && step.last, step);
      });
      break;
    case 'context':
      context(driver, step.context);
      break;
    case 'doorbell':
      driver.write(E1000.TDT.at, driver.txTail);
      break;
    case 'frames':
      for (const octets of step.frames) driver.ops.push({ op: 'frame', octets });
      if (step.ns > 0) driver.ops.push({ op: 'pass', ns: step.ns });
      break;
    case 'give':
      driver.rxTail = (driver.rxTail + step.count) % driver.rxCount;
      driver.write(E1000.RDT.at, driver.rxTail);
      break;
    case 'ops':
      driver.ops.push(...step.ops);
      break;
  }
}

function openTx(driver: Driver, step: Extract<Step, { step: 'tx-ring' }>): void {
  driver.txCount = step.count;
  driver.txTail = step.at % step.count;
  driver.write(E1000.TDBAL.at, TX_RING);
  driver.write(E1000.TDBAH.at, 0);
  driver.write(E1000.TDLEN.at, step.count * DESCRIPTOR_BYTES);
  driver.write(E1000.TDH.at, driver.txTail);
  driver.write(E1000.TDT.at, driver.txTail);
  driver.write(E1000.TCTL.at, step.tctl);
}

function openRx(driver: Driver, step: Extract<Step, { step: 'rx-ring' }>): void {
  driver.rxCount = step.count;
  driver.rxTail = step.count - 1;
  const ring = new Uint8Array(step.count * DESCRIPTOR_BYTES);
  for (let i = 0; i < step.count; i++) {
    if (((step.nulls >> i) & 1) === 0) writeLe32(ring, i * DESCRIPTOR_BYTES, RX_BUFFERS + i * 0x800 + i);
    if (i === 1 && typeof step.astray === 'number') writeAddress(ring.subarray(DESCRIPTOR_BYTES), step.astray);
    ring.fill(step.rest, i * DESCRIPTOR_BYTES + 8, (i + 1) * DESCRIPTOR_BYTES);
  }
  driver.store(RX_RING, ring);
  driver.write(E1000.RDBAL.at, RX_RING);
  driver.write(E1000.RDBAH.at, 0);
  driver.write(E1000.RDLEN.at, ring.length);
  driver.write(E1000.RDH.at, 0);
  driver.write(E1000.RDT.at, driver.rxTail);
  driver.write(E1000.RCTL.at, step.rctl);
  if (step.settle) driver.ops.push({ op: 'pass', ns: 1_001_000_000 });
}

function legacy(driver: Driver, piece: Piece, last: boolean, step: Extract<Step, { step: 'legacy' }>): void {
  const descriptor = new Uint8Array(DESCRIPTOR_BYTES);
  writeAddress(descriptor, driver.buffer(piece));
  writeLe16(descriptor, 8, piece.bytes);
  descriptor[10] = step.cso;
  descriptor[11] = (step.cmd & ~0x21) | (last ? 1 : 0);
  descriptor[12] = step.sta;
  descriptor[13] = step.css;
  writeLe16(descriptor, 14, step.special);
  driver.txDescriptor(descriptor);
}

function data(driver: Driver, piece: Piece, last: boolean, step: Extract<Step, { step: 'data' }>): void {
  const descriptor = new Uint8Array(DESCRIPTOR_BYTES);
  writeAddress(descriptor, driver.buffer(piece));
  writeLe32(descriptor, 8, piece.bytes | (1 << 20));
  descriptor[11] = (step.dcmd & ~1) | 0x20 | (last ? 1 : 0);
  descriptor[12] = step.sta;
  descriptor[13] = step.popts;
  writeLe16(descriptor, 14, step.special);
  driver.txDescriptor(descriptor);
}

function context(driver: Driver, { ip, tu, payload, tucmd, header, mss, dtyp }: Context): void {
  const descriptor = new Uint8Array(DESCRIPTOR_BYTES);
  descriptor.set(ip.slice(0, 2), 0);
  writeLe16(descriptor, 2, ip[2]);
  descriptor.set(tu.slice(0, 2), 4);
  writeLe16(descriptor, 6, tu[2]);
  writeLe32(descriptor, 8, (payload & 0xf_ffff) | (dtyp << 20));
  descriptor[11] = tucmd | 0x20;
  descriptor[13] = header;
  writeLe16(descriptor, 14, mss);
  driver.txDescriptor(descriptor);
}

function writeAddress(descriptor: Uint8Array, address: number): void {
  writeLe32(descriptor, 0, address | 0);
  writeLe32(descriptor, 4, Math.floor(address / 0x1_0000_0000));
}
