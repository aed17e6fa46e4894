/** A request and reply protocol of text lines: requests go out as they come, replies come back in the same order. */
import type { Readable, Writable } from 'node:stream';

export class LineChannel<Reply> {
  readonly #output: Writable;
  readonly #waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];
  readonly #parse: (line: string) => Reply | null;
  #rest = '';
  #ended: Error | null = null;

  /** `parse` is shown every line as it comes, and makes a reply of it, or null of what answers nothing. */
  constructor(input: Readable, output: Writable, parse: (line: string) => Reply | null) {
    this.#output = output;
    this.#parse = parse;
    input.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    const end = () => this.#end();
    input.on('close', end).on('error', end);
    output.on('error', end);
  }

  /** Sends `line`; resolves to the reply. */
  ask(line: string): Promise<Reply> {
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
      const reply = this.#parse(line);
      if (reply !== null) this.#waiting.shift()?.resolve(reply);
    }
  }

  #end(): void {
    this.#ended ??= new Error('the far end of a line channel has gone');
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
