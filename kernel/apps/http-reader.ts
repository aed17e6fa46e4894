/**
 * Takes HTTP messages apart as their bytes come in (RFC 9112), in pieces of any size: for each message its head, then
 * the pieces of its body, then its end. Holds at most one head, or one line; bodies pass through.
 */
import { HttpError, type HttpRequest, type HttpResponse, listOf, parseRequest, parseResponse } from './http-message.ts';

/** What a reader gives, in this order: one head, pieces of the body if there is one, the end. */
export type HttpPart<M extends HttpRequest | HttpResponse> =
  | { readonly kind: 'head'; readonly message: M }
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

/** The start line and all fields together; also the trailer. */
const MAX_HEAD_BYTES = 16_384;
const MAX_FIELDS = 100;
/** Empty lines that may precede a start line. */
const MAX_EMPTY_LINES = 4;
/** Hexadecimal digits of the size of a chunk. */
const MAX_CHUNK_DIGITS = 8;
const LF = 10;
const CR = 13;
const NOTHING = new Uint8Array(0);
const END = { kind: 'end' } as const;

type State = 'head' | 'sized body' | 'body up to the end' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer' | 'end';

export class HttpReader<M extends HttpRequest | HttpResponse> {
  readonly #parse: (lines: readonly string[]) => M;
  readonly #hasBody: (message: M) => boolean;
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  /** The peer has finished sending. */
  #ended = false;
  #state: State = 'head';
  #lines: string[] = [];
  #headBytes = 0;
  #emptyLines = 0;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;

  private constructor(parse: (lines: readonly string[]) => M, hasBody: (message: M) => boolean) {
    this.#parse = parse;
    this.#hasBody = hasBody;
  }

  static requests(): HttpReader<HttpRequest> {
    return new HttpReader(parseRequest, () => true);
  }

  /** `toHead` says of each response whether it answers HEAD, and so has no body whatever its fields say. */
  static responses(toHead: () => boolean): HttpReader<HttpResponse> {
    return new HttpReader(
      parseResponse,
      ({ status }) => !(toHead() || (status >= 100 && status < 200) || status === 204 || status === 304),
    );
  }

  /** Whether nothing of a next message has come yet. */
  get betweenMessages(): boolean {
    return this.#state === 'head' && this.#headBytes === 0 && this.#at === this.#bytes.length;
  }

  /** More bytes of the stream; none at all: it has ended. They must not change until all parts are taken. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) {
      this.#ended = true;
      return;
    }
    const rest = this.#bytes.subarray(this.#at);
    this.#at = 0;
    if (rest.length === 0) {
      this.#bytes = bytes;
      return;
    }
    this.#bytes = new Uint8Array(rest.length + bytes.length);
    this.#bytes.set(rest);
    this.#bytes.set(bytes, rest.length);
  }

  /** The next part, or null when more bytes are needed. Throws an HttpError. */
  next(): HttpPart<M> | null {
    for (;;) {
      switch (this.#state) {
        case 'end':
          this.#state = 'head';
          return END;
        case 'sized body':
        case 'chunk':
          return this.#piece();
        case 'body up to the end':
          return this.#pieceUpToEnd();
        default: {
          const line = this.#line();
          if (line === null) return null;
          const part = this.#takeLine(line);
          if (part !== null) return part;
        }
      }
    }
  }

  #takeLine(line: string): HttpPart<M> | null {
    switch (this.#state) {
      case 'head':
        if (line !== '') this.#addLine(line);
        else if (this.#lines.length > 0) return this.#head();
        else if (++this.#emptyLines > MAX_EMPTY_LINES) throw new HttpError(400, 'nothing but empty lines');
        else this.#headBytes = 0;
        return null;
      case 'chunk size':
        this.#startChunk(line);
        return null;
      case 'chunk end':
        if (line !== '') throw new HttpError(400, 'a chunk is longer than its size');
        this.#state = 'chunk size';
        this.#headBytes = 0;
        return null;
      default:
        // The fields of a trailer say nothing that a program here would use.
        if (line !== '') return null;
        this.#finish();
        return null;
    }
  }

  #addLine(line: string): void {
    if (this.#lines.length > MAX_FIELDS) throw new HttpError(431, `more than ${MAX_FIELDS} fields`);
    this.#lines.push(line);
  }

  #head(): HttpPart<M> {
    const message = this.#parse(this.#lines);
    this.#lines = [];
    this.#headBytes = this.#emptyLines = 0;
    this.#startBody(message);
    return { kind: 'head', message };
  }

  /** RFC 9112 section 6.3: where the body ends. */
  #startBody(message: M): void {
    const { fields } = message;
    const codings = listOf(fields.get('transfer-encoding'));
    const lengths = listOf(fields.get('content-length'));
    this.#state = 'end';
    if (!this.#hasBody(message)) return;
    if (codings.length > 0) {
      if (lengths.length > 0) throw new HttpError(400, 'both a length and a transfer coding');
      if (codings.length > 1 || codings[0] !== 'chunked') throw new HttpError(501, `transfer coding ${codings.join()}`);
      this.#state = 'chunk size';
    } else if (lengths.length > 0) {
      this.#left = lengthOf(lengths);
      if (this.#left > 0) this.#state = 'sized body';
    } else if (message.kind === 'response') this.#state = 'body up to the end';
  }

  #startChunk(line: string): void {
    const [digits] = /^[0-9A-Fa-f]+(?=[ \t]*(;|$))/.exec(line) ?? [];
    if (digits === undefined) throw new HttpError(400, 'malformed chunk size');
    if (digits.length > MAX_CHUNK_DIGITS) throw new HttpError(413, `a chunk of ${digits} bytes`);
    this.#left = Number.parseInt(digits, 16);
    this.#state = this.#left > 0 ? 'chunk' : 'trailer';
  }

  #piece(): HttpPart<M> | null {
    const bytes = this.#take(this.#left);
    if (bytes.length === 0) return this.#starve();
    this.#left -= bytes.length;
    if (this.#left === 0 && this.#state === 'chunk') this.#state = 'chunk end';
    else if (this.#left === 0) this.#finish();
    return { kind: 'body', bytes };
  }

  #pieceUpToEnd(): HttpPart<M> | null {
    const bytes = this.#take(Number.POSITIVE_INFINITY);
    if (bytes.length > 0) return { kind: 'body', bytes };
    if (!this.#ended) return null;
    this.#state = 'head';
    return END;
  }

  #finish(): void {
    this.#state = 'end';
    this.#headBytes = 0;
  }

  #take(mostBytes: number): Uint8Array {
    const end = Math.min(this.#bytes.length, this.#at + mostBytes);
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** The next line, without its end; null when it has not come in whole. */
  #line(): string | null {
    const end = this.#bytes.indexOf(LF, this.#at);
    const length = (end < 0 ? this.#bytes.length : end + 1) - this.#at;
    if (this.#headBytes + length > MAX_HEAD_BYTES)
      throw new HttpError(431, `a head of more than ${MAX_HEAD_BYTES} bytes`);
    if (end < 0) return this.#starve();
    this.#headBytes += length;
    const line = this.#bytes.subarray(this.#at, end > this.#at && this.#bytes[end - 1] === CR ? end - 1 : end);
    this.#at = end + 1;
    return String.fromCharCode(...line);
  }

  /** There is nothing to go on with. Between two messages the stream may end; within one it may not. */
  #starve(): null {
    if (this.#ended && !this.betweenMessages) throw new HttpError(400, 'the stream ended within a message');
    return null;
  }
}

function lengthOf(values: readonly string[]): number {
  const [first] = values;
  if (values.some(value => value !== first)) throw new HttpError(400, 'lengths that contradict each other');
  if (!/^\d{1,15}$/.test(first!)) throw new HttpError(400, 'malformed length');
  return Number(first);
}
