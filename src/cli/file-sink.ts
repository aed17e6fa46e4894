/** A file that is written in pieces, buffered, in order. Throws a UsageError when it cannot be made. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './usage-error.ts';

const BUFFER_BYTES = 1 << 16;

export class FileSink {
  readonly path: string;
  readonly #file: number;
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;

  /** Makes or empties the file, and its directory. */
  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw new UsageError(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  readonly bytes = (chunk: Uint8Array): void => {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= BUFFER_BYTES) this.#flush();
  };

  readonly text = (chunk: string): void => this.bytes(Buffer.from(chunk));

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    writeSync(this.#file, Buffer.concat(this.#chunks));
    this.#chunks.length = 0;
    this.#waitingBytes = 0;
  }
}
