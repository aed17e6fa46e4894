/**
 * Memory that devices can reach: rings, and the area that becomes the packet pool. First fit over a list of free
 * extents, ordered by address; neighbours that are free become one. It is meant for what is allocated when a device is
 * opened and freed when it is closed, so the list is short and a search is cheap.
 *
 * The ledger: every allocation carries its owner's name until it is freed, so that what a closed driver still holds can
 * be named; a second free, or the free of something else, is an error where it happens. Rings are read and written by
 * CPU and device at once, so unlike packets (packet-pool.ts) they have no side that owns them.
 *
 * Not for interrupt handlers, although nothing would break: there is no bus access in here.
 */
import { KernelBug } from './bug.ts';
import type { DmaBuffer, DmaMemory } from './driver-api.ts';
import type { Memory } from './ports.ts';

/** Sizes are rounded up to this, and nothing is aligned to less: a descriptor's size. */
const GRAIN_BYTES = 16;

interface Extent {
  address: number;
  sizeBytes: number;
}

class Allocation implements DmaBuffer {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly owner: string;
  /** What the allocation takes from the free list: the size asked for, rounded up. */
  readonly sizeBytes: number;

  constructor(address: number, bytes: Uint8Array, sizeBytes: number, owner: string) {
    this.address = address;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.sizeBytes = sizeBytes;
    this.owner = owner;
  }
}

/** One live allocation. */
export interface AllocationUsage {
  readonly owner: string;
  readonly address: number;
  readonly sizeBytes: number;
}

export interface MemoryUsage {
  readonly freeBytes: number;
  readonly largestFreeBytes: number;
  /** In the order of allocation. */
  readonly allocations: readonly AllocationUsage[];
}

export class DmaAllocator implements DmaMemory {
  readonly #memory: Memory;
  /** Free extents, ascending, never adjacent. */
  readonly #free: Extent[];
  readonly #live = new Set<DmaBuffer>();
  /** The buffers that were freed, for as long as somebody still holds them: to tell a second free from a wrong one. */
  readonly #freed = new WeakSet<DmaBuffer>();

  /** All of `memory` is free at first. */
  constructor(memory: Memory) {
    this.#memory = memory;
    const address = roundUp(memory.base, GRAIN_BYTES);
    const end = memory.base + memory.bytes.length;
    this.#free = [{ address, sizeBytes: end - address - ((end - address) % GRAIN_BYTES) }];
  }

  /** See {@link DmaMemory}. Throws a KernelBug for a size that is not positive or an alignment that is no power of 2. */
  allocate(sizeBytes: number, alignBytes: number, owner: string): DmaBuffer | null {
    if (!Number.isInteger(Math.log2(alignBytes))) throw new KernelBug(`${owner}: alignment of ${alignBytes} bytes`);
    if (!(Number.isInteger(sizeBytes) && sizeBytes > 0)) throw new KernelBug(`${owner}: ${sizeBytes} bytes asked for`);
    const roundedBytes = roundUp(sizeBytes, GRAIN_BYTES);
    const address = this.#take(roundedBytes, Math.max(alignBytes, GRAIN_BYTES));
    if (address === null) return null;
    const at = address - this.#memory.base;
    const bytes = this.#memory.bytes.subarray(at, at + sizeBytes).fill(0);
    const buffer = new Allocation(address, bytes, roundedBytes, owner);
    this.#live.add(buffer);
    return buffer;
  }

  /** Throws a KernelBug for a buffer that was freed before, or that did not come from here. */
  free(buffer: DmaBuffer): void {
    if (!this.#live.delete(buffer)) {
      const owner = buffer instanceof Allocation ? buffer.owner : 'somebody';
      throw new KernelBug(`${owner}: ${this.#freed.has(buffer) ? 'memory freed twice' : 'freed foreign memory'}`);
    }
    this.#freed.add(buffer);
    const { address, sizeBytes } = buffer as Allocation;
    this.#give(address, sizeBytes);
  }

  usage(): MemoryUsage {
    let freeBytes = 0;
    let largestFreeBytes = 0;
    for (const { sizeBytes } of this.#free) {
      freeBytes += sizeBytes;
      largestFreeBytes = Math.max(largestFreeBytes, sizeBytes);
    }
    const allocations = Array.from(this.#live as Set<Allocation>, ({ owner, address, sizeBytes }) => {
      return { owner, address, sizeBytes };
    });
    return { freeBytes, largestFreeBytes, allocations };
  }

  /** What `owner` has not given back: after its end, its leaks. */
  leaks(owner: string): readonly AllocationUsage[] {
    return this.usage().allocations.filter(allocation => allocation.owner === owner);
  }

  /** Cuts `sizeBytes` from the first extent that has room at a multiple of `alignBytes`. */
  #take(sizeBytes: number, alignBytes: number): number | null {
    for (let i = 0; i < this.#free.length; i++) {
      const extent = this.#free[i]!;
      const address = roundUp(extent.address, alignBytes);
      const gapBytes = address - extent.address;
      const restBytes = extent.sizeBytes - gapBytes - sizeBytes;
      if (restBytes < 0) continue;
      const pieces: Extent[] = [];
      if (gapBytes > 0) pieces.push({ address: extent.address, sizeBytes: gapBytes });
      if (restBytes > 0) pieces.push({ address: address + sizeBytes, sizeBytes: restBytes });
      this.#free.splice(i, 1, ...pieces);
      return address;
    }
    return null;
  }

  /** Puts an extent back in its place, and joins it with free neighbours. */
  #give(address: number, sizeBytes: number): void {
    let i = 0;
    while (i < this.#free.length && this.#free[i]!.address < address) i += 1;
    this.#free.splice(i, 0, { address, sizeBytes });
    this.#join(i);
    if (i > 0) this.#join(i - 1);
  }

  #join(i: number): void {
    const extent = this.#free[i]!;
    const next = this.#free[i + 1];
    if (next === undefined || extent.address + extent.sizeBytes !== next.address) return;
    extent.sizeBytes += next.sizeBytes;
    this.#free.splice(i + 1, 1);
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
