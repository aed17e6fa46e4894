/**
 * The system bus: decodes a physical address to a device and an offset. The hart owns it and pays for each access;
 * the bus itself knows nothing of time. Decode is a page table of 4 KiB pages in two levels, so that moving a BAR is
 * cheap and a thousand hosts fit in memory: the directories that a big region fills are one and the same.
 *
 * An access that no device answers, that crosses the end of one, or that is not aligned to its size, is a bus fault:
 * the hart turns it into an access-fault exception that the driver sees.
 */
import { assert } from '../../src/lib/assert.ts';
import { hex } from '../../src/lib/bytes.ts';

/** Width of one access in bytes. A double access is two words, the low one first, with no time between. */
export type AccessSize = 1 | 2 | 4;

/** Anything that answers at addresses. Values are int32 for words, unsigned for smaller sizes. */
export interface BusDevice {
  readonly name: string;
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
  /** The register's name at `offset`, for messages that a person reads. */
  nameAt?(offset: number): string;
}

/** What one access costs the hart that makes it, in nanoseconds. */
export interface AccessCost {
  readonly readNs: number;
  readonly writeNs: number;
}

/** A device at its place on the bus. */
export interface Region {
  readonly base: number;
  readonly sizeBytes: number;
  readonly device: BusDevice;
  readonly cost: AccessCost;
}

/** An access that the bus could not complete. A hart raises it where the instruction stood. */
export class BusFault extends Error {
  override readonly name = 'BusFault';
  readonly address: number;

  constructor(kind: 'read' | 'write', address: number, size: AccessSize) {
    super(`bus fault: ${kind} of ${size} byte${size === 1 ? '' : 's'} at ${hex(address)}`);
    this.address = address;
  }
}

const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;
const DIRECTORY_BITS = 20;
/** Directories for 4 GiB: every address of the machine is a 32-bit one. */
const DIRECTORY_COUNT = 1 << (32 - DIRECTORY_BITS);
const PAGES_PER_DIRECTORY = 1 << (DIRECTORY_BITS - PAGE_BITS);

export class Bus {
  readonly #directories: (Region[] | null)[] = new Array(DIRECTORY_COUNT).fill(null);
  readonly #regions: Region[] = [];

  get regions(): readonly Region[] {
    return this.#regions;
  }

  /** Places `device` at `base`. The range must be free; both ends are rounded outwards to pages for decoding. */
  map(base: number, sizeBytes: number, device: BusDevice, cost: AccessCost): Region {
    const region: Region = { base, sizeBytes, device, cost };
    let whole: Region[] | null = null;
    this.#eachDirectory(region, (index, firstPage, endPage) => {
      const directory = this.#directories[index] ?? [];
      for (let page = firstPage; page < endPage; page++) {
        assert(directory[page] === undefined, 'two devices on one page of the bus');
      }
      if (endPage - firstPage === PAGES_PER_DIRECTORY) {
        whole ??= new Array<Region>(PAGES_PER_DIRECTORY).fill(region);
        this.#directories[index] = whole;
      } else {
        for (let page = firstPage; page < endPage; page++) directory[page] = region;
        this.#directories[index] = directory;
      }
    });
    this.#regions.push(region);
    return region;
  }

  unmap(region: Region): void {
    const index = this.#regions.indexOf(region);
    assert(index >= 0, 'unmapped a region that is not on the bus');
    this.#regions.splice(index, 1);
    this.#eachDirectory(region, (index, firstPage, endPage) => {
      if (endPage - firstPage === PAGES_PER_DIRECTORY) this.#directories[index] = null;
      else for (let page = firstPage; page < endPage; page++) delete this.#directories[index]![page];
    });
  }

  /** The region that answers the whole aligned access, or null: a bus fault. */
  find(address: number, size: AccessSize): Region | null {
    if (address >= 0x1_0000_0000) return null;
    const page = (address >>> PAGE_BITS) & (PAGES_PER_DIRECTORY - 1);
    const region = this.#directories[address >>> DIRECTORY_BITS]?.[page];
    if (region === undefined) return null;
    const offset = address - region.base;
    if (offset < 0 || offset + size > region.sizeBytes || offset % size !== 0) return null;
    return region;
  }

  /** Visits the directories that `region` touches, with its pages in each: `firstPage` up to, not including, `endPage`. */
  #eachDirectory(region: Region, visit: (index: number, firstPage: number, endPage: number) => void): void {
    const first = Math.floor(region.base / PAGE_BYTES);
    const end = Math.ceil((region.base + region.sizeBytes) / PAGE_BYTES);
    assert(end <= DIRECTORY_COUNT * PAGES_PER_DIRECTORY, 'a device above 4 GiB');
    for (let page = first; page < end; ) {
      const index = Math.floor(page / PAGES_PER_DIRECTORY);
      const firstPage = page % PAGES_PER_DIRECTORY;
      const endPage = Math.min(PAGES_PER_DIRECTORY, firstPage + end - page);
      visit(index, firstPage, endPage);
      page += endPage - firstPage;
    }
  }
}
