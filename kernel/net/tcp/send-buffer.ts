/**
 * What the user has written and the peer has not acknowledged. A ring in which an octet stands at its sequence number
 * modulo the size, a power of two; it grows as it is filled.
 */
import { Ring } from './ring.ts';
import { seqAdd, seqDiff } from './seq.ts';

export class SendBuffer {
  /** Bytes that may be held. */
  limit: number;
  /** Sequence number of the first octet. */
  #start = 0;
  #length = 0;
  readonly #ring = new Ring();

  constructor(limit: number) {
    this.limit = limit;
  }

  get start(): number {
    return this.#start;
  }

  /** The number of the next octet that will be written: when the user has closed, that of the FIN. */
  get end(): number {
    return seqAdd(this.#start, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that the buffer takes. */
  get heldBytes(): number {
    return this.#ring.size;
  }

  get room(): number {
    return Math.max(0, this.limit - this.#length);
  }

  /** Before the first write: the first octet will have the number `seq`. */
  begin(seq: number): void {
    this.#start = seq;
  }

  /** Takes up to `length` octets of `bytes` from `at`; returns how many. */
  write(bytes: Uint8Array, at: number, length: number): number {
    const count = Math.min(length, this.room);
    if (count === 0) return 0;
    this.#ring.reserve(this.#start, this.#length, this.#length + count);
    this.#ring.write(this.end, bytes, at, count);
    this.#length += count;
    return count;
  }

  /** Copies `length` octets from number `seq` on. */
  copy(seq: number, length: number, target: Uint8Array, targetAt: number): void {
    this.#ring.read(seq, length, target, targetAt);
  }

  /** Everything below `seq` has arrived. */
  acknowledge(seq: number): void {
    const count = Math.min(seqDiff(seq, this.#start), this.#length);
    if (count <= 0) return;
    this.#start = seqAdd(this.#start, count);
    this.#length -= count;
  }

  /** Forgets all, and gives the memory back. */
  release(): void {
    this.#start = this.end;
    this.#length = 0;
    this.#ring.release();
  }
}
