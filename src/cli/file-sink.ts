/**
 * A file that is written in pieces, buffered, in order. When writing fails, which an observer in the middle of a run
 * has no one to tell, the rest is thrown away and `close` says so.
 */
import { closeSync, existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './usage-error.ts';

const BUFFER_BYTES = 1 << 16;

export class FileSink {
  readonly path: string;
  readonly #file: number;
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #failure: UsageError | null = null;

  /** Makes or empties the file, and its directory. Throws a UsageError when that cannot be. */
  constructor(path: string) {
    this.path = path;
    try {
      makeDirectory(dirname(path));
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  readonly bytes = (chunk: Uint8Array): void => {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= BUFFER_BYTES) this.#flush();
  };

  readonly text = (chunk: string): void => this.bytes(Buffer.from(chunk));

  /** Throws a UsageError when something could not be written. */
  close(): void {
    this.#flush();
    closeSync(this.#file);
    if (this.#failure !== null) throw this.#failure;
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    this.#waitingBytes = 0;
    try {
      for (let at = 0; at < bytes.length && this.#failure === null; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      this.#failure = cannotWrite(this.path, error);
    }
  }
}

function cannotWrite(path: string, error: unknown): UsageError {
  return new UsageError(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`);
}

/** Makes a directory and those above it, one by one: Node's recursive mkdir never returns on `/proc/x`. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  mkdirSync(path);
}
