/**
 * The connections of a host by their four addresses and ports: a hash table with chains through the control blocks, so
 * that a segment costs one hash and, nearly always, one comparison. Beside it, how many connections each local port has.
 */
import type { ControlBlock } from './control-block.ts';

const FIRST_BUCKETS = 256;

export class ConnectionTable {
  #buckets: (ControlBlock | null)[] = new Array(FIRST_BUCKETS).fill(null);
  #count = 0;
  /** Connections by local endpoint, and by local port with address 0. */
  readonly #atLocal = new Map<number, number>();

  get size(): number {
    return this.#count;
  }

  find(localAddress: number, localPort: number, remoteAddress: number, remotePort: number): ControlBlock | null {
    let block: ControlBlock | null = this.#buckets[this.#index(localAddress, localPort, remoteAddress, remotePort)]!;
    while (block !== null) {
      if (
        block.remotePort === remotePort &&
        block.localPort === localPort &&
        block.remoteAddress === remoteAddress &&
        block.localAddress === localAddress
      ) {
        return block;
      }
      block = block.nextInBucket;
    }
    return null;
  }

  /** `block` is not in the table, and no other has its endpoints. */
  add(block: ControlBlock): void {
    if (this.#count === this.#buckets.length) this.#grow();
    this.#link(block);
    this.#count += 1;
    this.#countAtLocal(block, 1);
  }

  /** Whether a connection has the local port, at `address` or, if that is 0, at any. */
  hasLocal(address: number, port: number): boolean {
    return this.#atLocal.has(localKey(address, port));
  }

  remove(block: ControlBlock): void {
    const index = this.#index(block.localAddress, block.localPort, block.remoteAddress, block.remotePort);
    let before: ControlBlock | null = null;
    let at: ControlBlock | null = this.#buckets[index]!;
    while (at !== null && at !== block) {
      before = at;
      at = at.nextInBucket;
    }
    if (at === null) return;
    if (before === null) this.#buckets[index] = block.nextInBucket;
    else before.nextInBucket = block.nextInBucket;
    block.nextInBucket = null;
    this.#count -= 1;
    this.#countAtLocal(block, -1);
  }

  list(): ControlBlock[] {
    const blocks: ControlBlock[] = [];
    for (const first of this.#buckets) {
      for (let block = first; block !== null; block = block.nextInBucket) blocks.push(block);
    }
    return blocks;
  }

  #countAtLocal({ localAddress, localPort }: ControlBlock, change: number): void {
    for (const address of [localAddress, 0]) {
      const key = localKey(address, localPort);
      const count = (this.#atLocal.get(key) ?? 0) + change;
      if (count === 0) this.#atLocal.delete(key);
      else this.#atLocal.set(key, count);
    }
  }

  #index(localAddress: number, localPort: number, remoteAddress: number, remotePort: number): number {
    let hash = Math.imul(remoteAddress ^ Math.imul(localAddress, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ ((localPort << 16) | remotePort), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & (this.#buckets.length - 1);
  }

  #link(block: ControlBlock): void {
    const index = this.#index(block.localAddress, block.localPort, block.remoteAddress, block.remotePort);
    block.nextInBucket = this.#buckets[index]!;
    this.#buckets[index] = block;
  }

  #grow(): void {
    const blocks = this.list();
    this.#buckets = new Array(2 * this.#buckets.length).fill(null);
    for (const block of blocks) this.#link(block);
  }
}

const localKey = (address: number, port: number): number => address * 65_536 + port;
