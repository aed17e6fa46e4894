/**
 * HTTP/1.0 and HTTP/1.1 messages (RFC 9112): heads as bytes, and the other way about. What is wrong with a message is
 * an {@link HttpError} with the status that a server answers. Lenient only where section 2.2 is: a line may end in a
 * bare LF, and empty lines may precede a request.
 */

export type HttpVersion = '1.0' | '1.1';
/** Names in lower case. A field that came several times has its values joined by commas (RFC 9110 section 5.3). */
export type HttpFields = ReadonlyMap<string, string>;

export interface HttpRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly target: string;
  readonly version: HttpVersion;
  readonly fields: HttpFields;
}

export interface HttpResponse {
  readonly kind: 'response';
  readonly version: HttpVersion;
  readonly status: number;
  readonly reason: string;
  readonly fields: HttpFields;
}

/** A message that cannot be taken, or a peer that ended in the middle of one. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** The status that tells a client of it. */
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** RFC 9110 section 15. */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  505: 'HTTP Version Not Supported',
};

const MAX_TARGET_BYTES = 2048;
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible characters, blanks, and octets beyond ASCII: no CR, LF or NUL (RFC 9110 section 5.5). */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The lines of a head, without the empty one that ends it, as a request. */
export function parseRequest(lines: readonly string[]): HttpRequest {
  const [method, target, protocol, ...rest] = lines[0]!.split(' ');
  if (protocol === undefined || rest.length > 0 || !TOKEN.test(method!) || !/^[\x21-\x7e]+$/.test(target!)) {
    throw new HttpError(400, 'malformed request line');
  }
  if (target!.length > MAX_TARGET_BYTES) throw new HttpError(414, `a target of ${target!.length} bytes`);
  const version = versionOf(protocol);
  const fields = parseFields(lines.slice(1));
  if (version === '1.1' && !fields.has('host')) throw new HttpError(400, 'no Host field');
  return { kind: 'request', method: method!, target: target!, version, fields };
}

/** The same, as a response. */
export function parseResponse(lines: readonly string[]): HttpResponse {
  const [, protocol, status, reason] = /^(\S+) (\d{3})(?: (.*))?$/.exec(lines[0]!) ?? [];
  if (protocol === undefined) throw new HttpError(400, 'malformed status line');
  const fields = parseFields(lines.slice(1));
  return { kind: 'response', version: versionOf(protocol), status: Number(status), reason: reason ?? '', fields };
}

export function emitRequest(
  method: string,
  target: string,
  version: HttpVersion,
  fields: Iterable<readonly [string, string]>,
): Uint8Array {
  return emitHead(`${method} ${target} HTTP/${version}`, fields);
}

/** The protocol of a status line is always the server's own (RFC 9110 section 6.2). */
export function emitResponse(status: number, fields: Iterable<readonly [string, string]>): Uint8Array {
  return emitHead(`HTTP/1.1 ${status} ${reasonOf(status)}`, fields);
}

export const reasonOf = (status: number): string => REASONS[status] ?? 'Unknown';

/** Whether the sender of `message` lets the connection go on after it (RFC 9112 section 9.3). */
export function wantsKeepAlive({ version, fields }: Pick<HttpRequest, 'version' | 'fields'>): boolean {
  const options = listOf(fields.get('connection'));
  if (options.includes('close')) return false;
  return version === '1.1' || options.includes('keep-alive');
}

/** The members of a comma-separated value, in lower case. */
export const listOf = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map(member => member.trim().toLowerCase())
    .filter(member => member !== '');

/** One octet a character: what HTTP calls text. Characters beyond them become `?`. */
export const bytesOfText = (text: string): Uint8Array =>
  Uint8Array.from(text, character => (character.length === 1 && character <= '\xff' ? character.charCodeAt(0) : 0x3f));

function emitHead(startLine: string, fields: Iterable<readonly [string, string]>): Uint8Array {
  const lines = Array.from(fields, ([name, value]) => `${name}: ${value}\r\n`);
  return bytesOfText(`${startLine}\r\n${lines.join('')}\r\n`);
}

function versionOf(protocol: string): HttpVersion {
  const [, major, minor] = /^HTTP\/(\d)\.(\d)$/.exec(protocol) ?? [];
  if (major === undefined) throw new HttpError(400, 'malformed protocol version');
  if (major !== '1') throw new HttpError(505, `HTTP/${major}.${minor}`);
  return minor === '0' ? '1.0' : '1.1';
}

function parseFields(lines: readonly string[]): HttpFields {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    // A name with a blank behind it, or a line that begins with one, is how one message is made to look like two.
    if (colon < 1 || !TOKEN.test(name) || !FIELD_VALUE.test(value)) throw new HttpError(400, 'malformed field');
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return fields;
}
