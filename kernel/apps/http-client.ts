/**
 * A web client (RFC 9112), in three sizes: a connection on which one request follows the other, `fetch` for programs,
 * and a program that fetches a list of documents, as curl does.
 *
 * With HTTP/1.0 the client waits until the server closes. With HTTP/1.1 it closes as soon as it has the whole answer,
 * if it said `Connection: close`; if not, the connection is kept for the next request.
 */
import { parseIpv4 } from '../../src/lib/bytes.ts';
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';
import { isName } from './dns/message.ts';
import { NameError, type Resolver } from './dns/resolver.ts';
import { emitRequest, HttpError, type HttpResponse, type HttpVersion, wantsKeepAlive } from './http-message.ts';
import { HttpReader } from './http-reader.ts';

const HTTP_PORT = 80;
const TIMEOUT_NS = 30_000_000_000;
/** Interim answers (1xx) that a client passes over before the real one. */
const MAX_INTERIM = 16;

export interface FetchOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly version?: HttpVersion;
  /** Whether the connection may serve further requests; otherwise the client asks the server to close. */
  readonly keepAlive?: boolean;
  /** How long the server may be silent. */
  readonly timeoutNs?: number;
  /** Whom to ask about names in URLs; without one those have to be addresses. */
  readonly resolver?: Resolver;
  /** Told of each piece of the body, which is not kept then. */
  readonly onBody?: (bytes: Uint8Array) => void;
}

export interface HttpResult {
  readonly status: number;
  readonly version: HttpVersion;
  readonly fields: ReadonlyMap<string, string>;
  /** Empty when `onBody` took it. */
  readonly body: Uint8Array;
  readonly bodyBytes: number;
}

/** What a document's address says. */
export interface HttpUrl {
  /** Who serves it: a name, or an address in dots. */
  readonly name: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
}

/** `http://192.0.2.1:8080/path`, `http://www.example.net/`. Throws a RangeError for anything else. */
export function parseUrl(url: string): HttpUrl {
  const [, name, digits, path] = /^http:\/\/([0-9A-Za-z.-]+)(?::(\d{1,5}))?(\/[\x21-\x7e]*)?$/.exec(url) ?? [];
  const port = digits === undefined ? HTTP_PORT : Number(digits);
  if (name === undefined || port < 1 || port > 65_535) throw new RangeError(`not an http URL: "${url}"`);
  if (isDotted(name)) parseIpv4(name);
  else if (!isName(name.toLowerCase())) throw new RangeError(`not an http URL: "${url}"`);
  const host = digits === undefined ? name : `${name}:${digits}`;
  return { name, port, host, path: path ?? '/' };
}

const isDotted = (name: string): boolean => /^[0-9.]+$/.test(name);

/** The address of `name`, which may be one already. Throws a NameError. */
function* addressOf(sys: Syscalls, name: string, resolver: Resolver | undefined): Blocking<number> {
  if (isDotted(name)) return parseIpv4(name);
  if (resolver === undefined) throw new NameError('EAI_AGAIN', `nobody to ask about "${name}"`);
  return (yield* resolver.lookup(sys, name))[0]!;
}

/** A connection to one server. Requests follow each other; each answer is read whole before the next request. */
class HttpConnection {
  readonly #sys: Syscalls;
  readonly #socket: Descriptor;
  readonly #host: string;
  readonly #reader: HttpReader<HttpResponse>;
  #toHead = false;
  #open = true;

  private constructor(sys: Syscalls, socket: Descriptor, host: string) {
    this.#sys = sys;
    this.#socket = socket;
    this.#host = host;
    this.#reader = HttpReader.responses(() => this.#toHead);
  }

  /** Throws the errors of `connect`, and a NameError. */
  static *open(sys: Syscalls, { name, port, host }: HttpUrl, options: FetchOptions): Blocking<HttpConnection> {
    const { timeoutNs = TIMEOUT_NS, resolver } = options;
    const address = yield* addressOf(sys, name, resolver);
    const socket = sys.socket('tcp');
    sys.setsockopt(socket, 'SO_RCVTIMEO', timeoutNs);
    try {
      yield* sys.connect(socket, address, port);
    } catch (error) {
      sys.close(socket);
      throw error;
    }
    return new HttpConnection(sys, socket, host);
  }

  /** Whether another request may follow. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Throws an HttpError when the answer is malformed or cut short; otherwise as `send` and `recv`. */
  *request(path: string, options: FetchOptions = {}): Blocking<HttpResult> {
    const { method = 'GET', version = '1.1', keepAlive = false } = options;
    this.#toHead = method === 'HEAD';
    try {
      yield* this.#sys.send(this.#socket, emitRequest(method, path, version, this.#fields(version, keepAlive)));
      const result = yield* this.#answer(options);
      if (!keepAlive || !wantsKeepAlive(result)) this.close();
      return result;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sys.close(this.#socket);
  }

  #fields(version: HttpVersion, keepAlive: boolean): [string, string][] {
    const fields: [string, string][] = [['Host', this.#host]];
    if (version === '1.1' && !keepAlive) fields.push(['Connection', 'close']);
    if (version === '1.0' && keepAlive) fields.push(['Connection', 'keep-alive']);
    return fields;
  }

  /** The answer, up to where its head says that it ends. With HTTP/1.0 the server's closing is awaited too. */
  *#answer(options: FetchOptions): Blocking<HttpResult> {
    let head: HttpResponse | null = null;
    let bodyBytes = 0;
    let interim = 0;
    const pieces: Uint8Array[] = [];
    for (;;) {
      const part = this.#reader.next();
      if (part === null) yield* this.#receive();
      else if (part.kind === 'head') head = part.message;
      else if (part.kind === 'body') {
        bodyBytes += part.bytes.length;
        if (options.onBody === undefined) pieces.push(part.bytes);
        else options.onBody(part.bytes);
      } else if (head!.status >= 200) break;
      else if (++interim > MAX_INTERIM) throw new HttpError(400, 'nothing but interim answers');
    }
    if (options.version === '1.0' && options.keepAlive !== true) yield* this.#waitForServer();
    const { status, version, fields } = head!;
    return { status, version, fields, body: joined(pieces), bodyBytes };
  }

  *#receive(): Blocking<void> {
    const bytes = yield* this.#sys.recv(this.#socket);
    if (bytes.length === 0 && this.#reader.betweenMessages) throw new HttpError(400, 'no answer came');
    this.#reader.push(bytes);
  }

  *#waitForServer(): Blocking<void> {
    while ((yield* this.#sys.recv(this.#socket)).length > 0);
  }
}

/** Fetches one document over a connection of its own. Throws a SocketError, an HttpError or a NameError. */
export function* fetch(sys: Syscalls, url: string, options: FetchOptions = {}): Blocking<HttpResult> {
  const parsed = parseUrl(url);
  const connection = yield* HttpConnection.open(sys, parsed, options);
  const result = yield* connection.request(parsed.path, options);
  connection.close();
  return result;
}

/** What became of one URL. */
export type FetchReport =
  | { readonly kind: 'answer'; readonly url: string; readonly durationNs: number; readonly result: HttpResult }
  | { readonly kind: 'error'; readonly url: string; readonly error: FetchError };

type FetchError = SocketError | HttpError | NameError;

const isFetchError = (error: unknown): error is FetchError =>
  error instanceof SocketError || error instanceof HttpError || error instanceof NameError;

/**
 * A program that fetches `urls` one after the other, and calls `report` once for each. With `keepAlive` a connection
 * serves as many of them as it can; when the server closes it in between, another is opened.
 */
export function httpClient(
  urls: readonly string[],
  options: FetchOptions,
  report: (result: FetchReport) => void,
): Program {
  return function* (sys: Syscalls): Blocking<void> {
    const kept = new KeptConnection();
    for (const url of urls) {
      const beganNs = sys.nowNs();
      try {
        const result = yield* kept.fetch(sys, url, options);
        report({ kind: 'answer', url, durationNs: sys.nowNs() - beganNs, result });
      } catch (error) {
        if (!isFetchError(error)) throw error;
        report({ kind: 'error', url, error });
      }
    }
    kept.close();
  };
}

/** The connection that the last request left open, if any. */
class KeptConnection {
  #connection: HttpConnection | null = null;
  #host = '';

  *fetch(sys: Syscalls, url: string, options: FetchOptions): Blocking<HttpResult> {
    const parsed = parseUrl(url);
    if (parsed.host !== this.#host) this.close();
    const kept = this.#connection;
    if (kept?.isOpen === true) {
      try {
        return yield* kept.request(parsed.path, options);
      } catch (error) {
        // The server may have closed it while nothing was asked (RFC 9112 section 9.3.1): then it is asked anew, once.
        if (!(error instanceof SocketError || error instanceof HttpError)) throw error;
      }
    }
    this.#host = parsed.host;
    this.#connection = yield* HttpConnection.open(sys, parsed, options);
    return yield* this.#connection.request(parsed.path, options);
  }

  close(): void {
    this.#connection?.close();
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
