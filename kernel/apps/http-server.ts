/**
 * A web server for documents that it is given, HTTP/1.0 and HTTP/1.1 (RFC 9112), one task per connection. Requests on
 * one connection are answered in their order, also when they come before the answer to an earlier one.
 *
 * Who closes first. After a request of HTTP/1.0 the server does: its closing is what ends the body. After one of
 * HTTP/1.1 with `Connection: close` the client knows by itself where the body ends, and may close at once; the server
 * gives it {@link CLIENT_CLOSES_NS} for that, and then closes as section 9.6 demands. Who closes first has the
 * connection in TIME-WAIT.
 */
import { type Endpoint, formatEndpoint } from '../net/endpoint.ts';
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';
import { bytesOfText, emitResponse, HttpError, type HttpRequest, reasonOf, wantsKeepAlive } from './http-message.ts';
import { HttpReader } from './http-reader.ts';
import { tcpServer } from './tcp-server.ts';

const HTTP_PORT = 80;

/** A body that is made while it is sent. */
export interface GeneratedBody {
  /** Null when it is not known before the end. */
  readonly lengthBytes: number | null;
  pieces(): Iterable<Uint8Array>;
}

/** What is found at a path. Text has one octet a character. */
export type HttpDocument = string | Uint8Array | GeneratedBody;

export interface HttpServerOptions {
  /** By path, which begins with a slash. What follows a `?` in a request is of no meaning. */
  readonly documents: ReadonlyMap<string, HttpDocument>;
  readonly port?: number;
  readonly backlog?: number;
  /** How long an idle connection is kept for another request. */
  readonly keepAliveNs?: number;
  /** Told of each answer when it has been given to TCP. */
  readonly onAnswer?: (answer: HttpAnswer) => void;
}

export interface HttpAnswer {
  /** Address and port. */
  readonly client: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly bodyBytes: number;
}

/** What the server reads of a request's body; there is no use for it here. */
const MAX_REQUEST_BODY_BYTES = 65_536;
const MAX_REQUESTS = 1000;
const KEEP_ALIVE_NS = 5_000_000_000;
/** How long a client has to close first. */
const CLIENT_CLOSES_NS = 1_000_000_000;
/** What a client may still send while the server waits for it to close. */
const MAX_LINGER_BYTES = 1_048_576;
const METHODS = ['GET', 'HEAD'];
const CHUNKS_END = bytesOfText('0\r\n\r\n');
const CRLF = bytesOfText('\r\n');

/** A program that serves `documents`, for ever. */
export function httpServer(options: HttpServerOptions): Program {
  const { port = HTTP_PORT, backlog } = options;
  return tcpServer('http', backlog === undefined ? { port } : { port, backlog }, (sys, socket) =>
    new HttpConversation(sys, socket, options).run(),
  );
}

/** One connection. */
class HttpConversation {
  readonly #sys: Syscalls;
  readonly #socket: Descriptor;
  readonly #options: HttpServerOptions;
  readonly #reader = HttpReader.requests();
  readonly #client: Endpoint;

  constructor(sys: Syscalls, socket: Descriptor, options: HttpServerOptions) {
    this.#client = sys.getpeername(socket);
    this.#sys = sys;
    this.#socket = socket;
    this.#options = options;
  }

  /** Answers requests until one of the two sides has had enough. */
  *run(): Blocking<void> {
    // Head and body are sent one after the other: Nagle's algorithm would have the body wait for a delayed ACK.
    this.#sys.setsockopt(this.#socket, 'TCP_NODELAY', true);
    this.#sys.setsockopt(this.#socket, 'SO_RCVTIMEO', this.#options.keepAliveNs ?? KEEP_ALIVE_NS);
    try {
      for (let count = 1; ; count++) {
        const request = yield* this.#request();
        if (request === null) return;
        const goesOn = wantsKeepAlive(request) && count < MAX_REQUESTS;
        const framed = yield* this.#answer(request, goesOn);
        if (goesOn && framed) continue;
        if (request.version === '1.1' && framed) yield* this.#waitForClient();
        return;
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      yield* this.#complain(error);
    }
  }

  /** The next request, its body read and thrown away; null when the client has none, or waits too long with it. */
  *#request(): Blocking<HttpRequest | null> {
    let request: HttpRequest | null = null;
    for (let bodyBytes = 0; ; ) {
      const part = this.#reader.next();
      if (part === null) {
        if (!(yield* this.#receive())) return null;
      } else if (part.kind === 'head') {
        request = part.message;
      } else if (part.kind === 'end') {
        return request;
      } else {
        bodyBytes += part.bytes.length;
        if (bodyBytes > MAX_REQUEST_BODY_BYTES) throw new HttpError(413, 'the body is too large');
      }
    }
  }

  /** More bytes for the reader. False when there are no more, between two requests. */
  *#receive(): Blocking<boolean> {
    try {
      const bytes = yield* this.#sys.recv(this.#socket);
      if (bytes.length === 0 && this.#reader.betweenMessages) return false;
      this.#reader.push(bytes);
      return true;
    } catch (error) {
      if (!(error instanceof SocketError) || error.code !== 'EAGAIN') throw error;
      if (this.#reader.betweenMessages) return false;
      throw new HttpError(408, 'the request does not come to its end');
    }
  }

  /** Sends the answer. Returns whether its end can be seen without the connection being closed. */
  *#answer(request: HttpRequest, goesOn: boolean): Blocking<boolean> {
    const path = request.target.replace(/[?#].*$/, '');
    const document = this.#options.documents.get(path);
    if (!METHODS.includes(request.method)) return yield* this.#fail(request, 405, goesOn);
    if (document === undefined) return yield* this.#fail(request, 404, goesOn);
    const body = typeof document === 'string' ? bytesOfText(document) : document;
    return yield* this.#send(request, 200, body, goesOn, []);
  }

  #fail(request: HttpRequest, status: number, goesOn: boolean): Blocking<boolean> {
    const fields: [string, string][] = status === 405 ? [['Allow', METHODS.join(', ')]] : [];
    return this.#send(request, status, errorPage(status), goesOn, fields);
  }

  *#send(
    request: HttpRequest,
    status: number,
    body: Uint8Array | GeneratedBody,
    goesOn: boolean,
    fields: [string, string][],
  ): Blocking<boolean> {
    const made = body instanceof Uint8Array ? wholeBody(body) : body;
    const { lengthBytes } = made;
    const chunked = lengthBytes === null && request.version === '1.1';
    const framed = lengthBytes !== null || chunked;
    if (chunked) fields.push(['Transfer-Encoding', 'chunked']);
    if (lengthBytes !== null) fields.push(['Content-Length', String(lengthBytes)]);
    if (!goesOn || !framed) fields.push(['Connection', 'close']);
    else if (request.version === '1.0') fields.push(['Connection', 'keep-alive']);
    yield* this.#sys.send(this.#socket, emitResponse(status, fields));
    const bodyBytes = request.method === 'HEAD' ? 0 : yield* this.#sendBody(made.pieces(), chunked);
    this.#tell(request.method, request.target, status, bodyBytes);
    return framed;
  }

  *#sendBody(pieces: Iterable<Uint8Array>, chunked: boolean): Blocking<number> {
    let bodyBytes = 0;
    for (const piece of pieces) {
      // An empty chunk would be the last one.
      if (piece.length === 0) continue;
      if (chunked) yield* this.#sys.send(this.#socket, bytesOfText(`${piece.length.toString(16)}\r\n`));
      yield* this.#sys.send(this.#socket, piece);
      if (chunked) yield* this.#sys.send(this.#socket, CRLF);
      bodyBytes += piece.length;
    }
    if (chunked) yield* this.#sys.send(this.#socket, CHUNKS_END);
    return bodyBytes;
  }

  /**
   * Answers what is no proper request, and closes. What the client still sends is read: bytes that nobody has read when
   * a socket closes are answered with a reset, which could overtake the answer (RFC 9112 section 9.6).
   */
  *#complain({ status, message }: HttpError): Blocking<void> {
    const page = errorPage(status, message);
    const fields = [
      ['Content-Length', String(page.length)],
      ['Connection', 'close'],
    ] as const;
    yield* this.#sys.send(this.#socket, emitResponse(status, fields));
    yield* this.#sys.send(this.#socket, page);
    this.#tell('-', '-', status, page.length);
    this.#sys.shutdown(this.#socket, 'SHUT_WR');
    yield* this.#waitForClient();
  }

  /** Waits until the client has closed, or for as long as it may take. */
  *#waitForClient(): Blocking<void> {
    const untilNs = this.#sys.nowNs() + CLIENT_CLOSES_NS;
    try {
      for (let left = MAX_LINGER_BYTES; left > 0; ) {
        this.#sys.setsockopt(this.#socket, 'SO_RCVTIMEO', Math.max(0, untilNs - this.#sys.nowNs()));
        const bytes = yield* this.#sys.recv(this.#socket);
        if (bytes.length === 0) return;
        left -= bytes.length;
      }
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  }

  #tell(method: string, target: string, status: number, bodyBytes: number): void {
    if (this.#options.onAnswer === undefined) return;
    const { address, port } = this.#client;
    this.#options.onAnswer({ client: formatEndpoint(address, port), method, target, status, bodyBytes });
  }
}

const wholeBody = (bytes: Uint8Array): GeneratedBody => ({ lengthBytes: bytes.length, pieces: () => [bytes] });

const errorPage = (status: number, text = ''): Uint8Array =>
  bytesOfText(`${status} ${reasonOf(status)}${text === '' ? '' : `: ${text}`}\n`);
