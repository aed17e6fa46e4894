/**
 * Main memory, seen from two sides: the CPU's, through the bus, and a bus master's. DMA comes here directly, never
 * through a CPU port, and reaches RAM alone, so no descriptor can make a device write into registers, its own included.
 */
import type { AccessSize, BusDevice } from './bus.ts';

/** What a bus-mastering device sees of memory. Addresses are physical. */
export interface BusMaster {
  /** Copies `length` bytes from `address` into `target` at `at`. Outside RAM: zeros are read, returns false. */
  dmaRead(address: number, target: Uint8Array, at: number, length: number): boolean;
  /** Copies `length` bytes of `source` from `at` to `address`. Outside RAM: nothing is written, returns false. */
  dmaWrite(address: number, source: Uint8Array, at: number, length: number): boolean;
}

/** Copies shorter than this are cheaper byte by byte than through a view. */
const SHORT_COPY_BYTES = 32;

export class Ram implements BusDevice, BusMaster {
  readonly name = 'RAM';
  readonly base: number;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** `sizeBytes` of zeroed memory that starts at physical address `base`. */
  constructor(base: number, sizeBytes: number) {
    this.base = base;
    this.bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  read(offset: number, size: AccessSize): number {
    if (size === 4) return this.#view.getInt32(offset, true);
    return size === 2 ? this.#view.getUint16(offset, true) : this.bytes[offset]!;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (size === 4) this.#view.setInt32(offset, value, true);
    else if (size === 2) this.#view.setInt16(offset, value, true);
    else this.bytes[offset] = value;
  }

  dmaRead(address: number, target: Uint8Array, at: number, length: number): boolean {
    const offset = address - this.base;
    if (offset < 0 || offset + length > this.bytes.length) {
      target.fill(0, at, at + length);
      return false;
    }
    copy(this.bytes, offset, target, at, length);
    return true;
  }

  dmaWrite(address: number, source: Uint8Array, at: number, length: number): boolean {
    const offset = address - this.base;
    if (offset < 0 || offset + length > this.bytes.length) return false;
    copy(source, at, this.bytes, offset, length);
    return true;
  }

  save(): Uint8Array {
    return this.bytes.slice();
  }

  load(state: Uint8Array): void {
    this.bytes.set(state);
  }
}

function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  if (length >= SHORT_COPY_BYTES) target.set(source.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) target[to + i] = source[from + i]!;
}
