import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytesOfText,
  emitRequest,
  emitResponse,
  HttpError,
  type HttpRequest,
  type HttpResponse,
  wantsKeepAlive,
} from '../../../../kernel/apps/http-message.ts';
import { HttpReader } from '../../../../kernel/apps/http-reader.ts';

interface Message {
  readonly head: HttpRequest | HttpResponse;
  readonly body: string;
  readonly ended: boolean;
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** What a reader makes of a stream that came in these pieces, and then ended. */
function read(reader: HttpReader<HttpRequest> | HttpReader<HttpResponse>, pieces: readonly Uint8Array[]): Message[] {
  const messages: { head: HttpRequest | HttpResponse; body: string; ended: boolean }[] = [];
  for (const piece of [...pieces, new Uint8Array(0)]) {
    reader.push(piece);
    for (let part = reader.next(); part !== null; part = reader.next()) {
      if (part.kind === 'head') messages.push({ head: part.message, body: '', ended: false });
      else if (part.kind === 'body') messages.at(-1)!.body += textOf(part.bytes);
      else messages.at(-1)!.ended = true;
    }
  }
  return messages;
}

const requests = (text: string) => read(HttpReader.requests(), [bytesOfText(text)]);
const responses = (text: string, toHead = false) =>
  read(
    HttpReader.responses(() => toHead),
    [bytesOfText(text)],
  );
const statusOf = (text: string) => {
  try {
    requests(text);
  } catch (error) {
    if (error instanceof HttpError) return error.status;
    throw error;
  }
  return 200;
};

describe('a request', () => {
  test('has a method, a target, a version and fields', () => {
    const [message] = requests('GET /a?b HTTP/1.1\r\nHost: h\r\nX-Two:  1 \r\nx-two:2\r\n\r\n');
    expect(message!.ended).toBe(true);
    expect(message!.head).toMatchObject({ method: 'GET', target: '/a?b', version: '1.1' });
    expect([...message!.head.fields]).toEqual([
      ['host', 'h'],
      ['x-two', '1, 2'],
    ]);
  });

  test('may end its lines with LF alone, and come after empty lines (RFC 9112 section 2.2)', () => {
    expect(requests('\r\n\nGET / HTTP/1.0\nA: b\n\n')).toMatchObject([{ ended: true, head: { version: '1.0' } }]);
  });

  test.each<[string, number, string]>([
    ['without a version', 400, 'GET /\r\n\r\n'],
    ['with two blanks', 400, 'GET  / HTTP/1.1\r\nHost: h\r\n\r\n'],
    ['with a control character in its target', 400, 'GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n'],
    ['of HTTP/2', 505, 'GET / HTTP/2.0\r\nHost: h\r\n\r\n'],
    ['of something else', 400, 'GET / FTP/1.0\r\n\r\n'],
    ['of 1.1 without Host (RFC 9112 section 3.2)', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['with a blank before a colon (section 5.1)', 400, 'GET / HTTP/1.0\r\nA : b\r\n\r\n'],
    ['with a folded field (section 5.2)', 400, 'GET / HTTP/1.0\r\nA: b\r\n c\r\n\r\n'],
    ['with a field that has no name', 400, 'GET / HTTP/1.0\r\n: b\r\n\r\n'],
    ['with a NUL in a field', 400, 'GET / HTTP/1.0\r\nA: b\0\r\n\r\n'],
    ['with two lengths (section 6.3)', 400, 'GET / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['with a length that is no number', 400, 'GET / HTTP/1.0\r\nContent-Length: +1\r\n\r\n'],
    ['with a length and chunks', 400, 'GET / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['with a transfer coding nobody knows', 501, 'GET / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['with a chunk size that is no number', 400, 'GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'],
    ['with a chunk longer than it says', 400, 'GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
    ['with an endless chunk', 413, 'GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n123456789\r\n'],
    ['with a long target', 414, `GET /${'a'.repeat(2048)} HTTP/1.0\r\n\r\n`],
    ['with a large field', 431, `GET / HTTP/1.0\r\nA: ${'a'.repeat(16_384)}\r\n\r\n`],
    ['with a line that does not end', 431, 'a'.repeat(16_385)],
    ['with many fields', 431, `GET / HTTP/1.0\r\n${'A: b\r\n'.repeat(101)}\r\n`],
    ['that is only empty lines', 400, '\r\n'.repeat(5)],
    ['that is cut short in its head', 400, 'GET / HTTP/1.0\r\nA'],
    ['that is cut short in its body', 400, 'GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nab'],
    ['that is cut short in a chunk', 400, 'GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'],
  ])('%s is answered with %s', (_, status, text) => {
    expect(statusOf(text)).toBe(status);
  });
});

describe('a response', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\n';

  test('without a length goes up to the end of the stream', () => {
    expect(responses(`${HEAD}\r\nabc`)).toMatchObject([{ body: 'abc', ended: true }]);
  });

  test('has as many octets as it says, and another may follow', () => {
    const text = `${HEAD}Content-Length: 3\r\n\r\nabc`;
    expect(responses(text + text)).toMatchObject([
      { body: 'abc', ended: true },
      { body: 'abc', ended: true },
    ]);
  });

  test('may come in chunks, with extensions and a trailer (RFC 9112 section 7.1)', () => {
    const text = `${HEAD}Transfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n${HEAD}\r\n`;
    expect(responses(text)).toMatchObject([{ body: 'abc0123456789', ended: true }, { body: '' }]);
  });

  test.each([100, 204, 304])('with status %s has no body, whatever its fields say', status => {
    const text = `HTTP/1.1 ${status} \r\nContent-Length: 3\r\n\r\n`;
    expect(responses(text + text)).toMatchObject([{ ended: true }, { ended: true, head: { status } }]);
  });

  test('to HEAD has no body', () => {
    expect(responses(`${HEAD}Content-Length: 3\r\n\r\n`, true)).toMatchObject([{ body: '', ended: true }]);
  });

  test('with a malformed status line is an error', () => {
    expect(() => responses('HTTP/1.1 OK\r\n\r\n')).toThrow(HttpError);
  });
});

test.each<[string, string, boolean]>([
  ['1.0', '', false],
  ['1.0', 'Keep-Alive', true],
  ['1.1', '', true],
  ['1.1', 'upgrade, Close', false],
])('a connection of HTTP/%s with Connection: "%s" goes on: %s (RFC 9112 section 9.3)', (version, value, goesOn) => {
  const fields = new Map(value === '' ? [] : [['connection', value]]);
  expect(wantsKeepAlive({ version: version as '1.0' | '1.1', fields })).toBe(goesOn);
});

test('messages read the same in whatever pieces they come', () => {
  const field = fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), fc.stringMatching(/^[!-~]{0,9}$/));
  const body = fc.stringMatching(/^[ -~]{0,30}$/);
  const response = fc.record({
    fields: fc.array(field, { maxLength: 3 }),
    body,
    chunk: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(response, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(400)), (messages, cuts) => {
      const text = messages
        .map(({ fields, body, chunk }) =>
          chunk === 0
            ? textOf(emitResponse(200, [...fields, ['Content-Length', String(body.length)]])) + body
            : textOf(emitResponse(200, [...fields, ['Transfer-Encoding', 'chunked']])) + chunksOf(body, chunk),
        )
        .join('');
      const bytes = bytesOfText(text);
      const ends = [...new Set([0, ...cuts.filter(cut => cut < bytes.length), bytes.length])].sort((a, b) => a - b);
      const pieces = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
      const got = read(
        HttpReader.responses(() => false),
        pieces,
      );
      expect(got.map(({ body, ended }) => [body, ended])).toEqual(messages.map(({ body }) => [body, true]));
    }),
  );
});

function chunksOf(body: string, size: number): string {
  const chunks = body.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
  return `${chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
}

test('a reader never does anything with any bytes but give parts or an HttpError', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[GETHP/1.0: \r\nachunked-]{0,40}$/)), lines => {
      try {
        requests(lines.join('\r\n'));
      } catch (error) {
        expect(error).toBeInstanceOf(HttpError);
      }
    }),
  );
});

test('what is emitted has one octet a character', () => {
  expect(textOf(emitRequest('GET', '/', '1.0', [['Host', 'h']]))).toBe('GET / HTTP/1.0\r\nHost: h\r\n\r\n');
  expect([...bytesOfText('é\u{1f600}')]).toEqual([0xe9, 0x3f]);
});
