/** A request and reply protocol of text lines: requests go out as they come, replies come back in the same order. */
import type { Readable, Writable } from 'node:stream';

export class LineChannel {
  readonly #output: Writable;
  readonly #waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  readonly #consume: (line: string) => boolean;
  #rest = '';
  #ended: Error | null = null;

  /** `consume` is shown every line first and keeps those that are no reply, by returning true. */
  constructor(input: Readable, output: Writable, consume: (line: string) => boolean) {
    this.#output = output;
    this.#consume = consume;
    input.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    const end = () => this.#end();
    input.on('close', end).on('error', end);
    output.on('error', end);
  }

  /** Sends `line`; resolves to the reply. */
  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      this.#waiting.push({ resolve, reject });
      this.#output.write(`${line}\n`);
    });
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) {
      if (!this.#consume(line)) this.#waiting.shift()?.resolve(line);
    }
  }

  #end(): void {
    this.#ended ??= new Error('the far end of a line channel has gone');
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
