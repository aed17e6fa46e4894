/**
 * Flows by their ends, of which it makes no difference which is the source: a hash table with chains through the flows.
 * What is due is found by a walk around the buckets, a few at a time. A table that has become empty is as small as a new
 * one.
 */
import type { Ends, Flow } from './flow.ts';

const FIRST_BUCKETS = 256;

export class FlowTable {
  #buckets: (Flow | null)[] = new Array(FIRST_BUCKETS).fill(null);
  #count = 0;
  /** The bucket at which the walk goes on. */
  #hand = 0;

  get size(): number {
    return this.#count;
  }

  get bucketCount(): number {
    return this.#buckets.length;
  }

  find(ends: Ends): Flow | null {
    let flow: Flow | null = this.#buckets[this.#index(ends)]!;
    while (flow !== null && !flow.joins(ends)) flow = flow.nextInBucket;
    return flow;
  }

  /** `flow` is not in the table, and no other has its ends. */
  add(flow: Flow): void {
    if (this.#count === this.#buckets.length) this.#grow();
    this.#link(flow);
    this.#count += 1;
  }

  remove(flow: Flow): void {
    const index = this.#index(flow);
    let before: Flow | null = null;
    let at: Flow | null = this.#buckets[index]!;
    while (at !== flow) {
      if (at === null) return;
      before = at;
      at = at.nextInBucket;
    }
    if (before === null) this.#buckets[index] = flow.nextInBucket;
    else before.nextInBucket = flow.nextInBucket;
    flow.nextInBucket = null;
    this.#count -= 1;
    if (this.#count === 0 && this.#buckets.length > FIRST_BUCKETS) this.#buckets = new Array(FIRST_BUCKETS).fill(null);
  }

  /** Looks through the next `buckets` buckets, and removes the flows there that are due at `nowNs`. */
  sweep(buckets: number, nowNs: number): void {
    for (let i = 0; i < buckets; i++) {
      this.#hand = (this.#hand + 1) & (this.#buckets.length - 1);
      for (let flow: Flow | null = this.#buckets[this.#hand]!; flow !== null; ) {
        const next: Flow | null = flow.nextInBucket;
        if (flow.dueNs <= nowNs) this.remove(flow);
        flow = next;
      }
    }
  }

  list(): Flow[] {
    const flows: Flow[] = [];
    for (const first of this.#buckets) for (let flow = first; flow !== null; flow = flow.nextInBucket) flows.push(flow);
    return flows;
  }

  /** Both ends go in the same way, so that both directions of a connection are in one bucket. */
  #index({ protocol, source, sourcePort, destination, destinationPort }: Ends): number {
    let hash = end(source, sourcePort) + end(destination, destinationPort) + protocol;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) & (this.#buckets.length - 1);
  }

  #link(flow: Flow): void {
    const index = this.#index(flow);
    flow.nextInBucket = this.#buckets[index]!;
    this.#buckets[index] = flow;
  }

  #grow(): void {
    const flows = this.list();
    this.#buckets = new Array(2 * this.#buckets.length).fill(null);
    for (const flow of flows) this.#link(flow);
  }
}

function end(address: number, port: number): number {
  const hash = Math.imul(address ^ Math.imul(port, 0x9e3779b1), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
