import { beforeEach, describe, expect, test } from 'vitest';
import { type FetchOptions, type FetchReport, httpClient, parseUrl } from '../../../../kernel/apps/http-client.ts';
import { bytesOfText } from '../../../../kernel/apps/http-message.ts';
import { type HttpAnswer, type HttpDocument, httpServer } from '../../../../kernel/apps/http-server.ts';
import { SECOND_NS } from '../../../support/net-rig.ts';
import { LOCALHOST, StreamRig } from '../../../support/stream-rig.ts';

const BIG = Uint8Array.from({ length: 300_000 }, (_, i) => i % 253);
const DOCUMENTS = new Map<string, HttpDocument>([
  ['/', 'hello'],
  ['/big', BIG],
  ['/known', { lengthBytes: 6, pieces: () => [bytesOfText('abc'), bytesOfText('def')] }],
  ['/unknown', { lengthBytes: null, pieces: () => ['abc', '', 'def'].map(bytesOfText) }],
]);
const URL = 'http://127.0.0.1';

let rig: StreamRig;
let answers: HttpAnswer[];
beforeEach(() => {
  rig = new StreamRig();
  answers = [];
  rig.spawn('server', httpServer({ documents: DOCUMENTS, onAnswer: answer => answers.push(answer) }));
});

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** What the server says, up to its end, to a client that sends `text` and then nothing. */
function say(text: string): { text: string } {
  const said = { text: '' };
  rig.start('client', function* (sys) {
    const socket = sys.socket('tcp');
    yield* sys.connect(socket, LOCALHOST, 80);
    yield* sys.send(socket, bytesOfText(text));
    for (;;) {
      const bytes = yield* sys.recv(socket);
      if (bytes.length === 0) return 'the server closed';
      said.text += textOf(bytes);
    }
  });
  return said;
}

function get(paths: readonly string[], options: FetchOptions = {}): FetchReport[] {
  const reports: FetchReport[] = [];
  rig.spawn(
    'client',
    httpClient(
      paths.map(path => URL + path),
      options,
      report => reports.push(report),
    ),
  );
  return reports;
}
const seen = (reports: readonly FetchReport[]) =>
  reports.map(report =>
    report.kind === 'answer' ? [report.result.status, textOf(report.result.body)] : ['error', report.error.message],
  );

describe('the server', () => {
  test('answers HTTP/1.0 with a document, and closes', () => {
    const said = say('GET / HTTP/1.0\r\n\r\n');
    expect(said.text).toBe('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello');
    expect(rig.notes).toEqual(['client: the server closed']);
  });

  test('leaves it to a client of HTTP/1.1 that said close to close first, for a second', () => {
    say('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    rig.advance(SECOND_NS - 100);
    expect(rig.notes).toEqual([]);
    rig.advance(100);
    expect(rig.notes).toEqual(['client: the server closed']);
  });

  test('keeps a connection of HTTP/1.1 for five seconds', () => {
    const said = say('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(said.text).toBe('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    rig.advance(5 * SECOND_NS - 100);
    expect(rig.notes).toEqual([]);
    rig.advance(100);
    expect(rig.notes).toEqual(['client: the server closed']);
  });

  test('answers requests that come before the answer to an earlier one, in order', () => {
    const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
    const { text } = say(['/', '/none', '/known'].map(request).join(''));
    expect(text.match(/HTTP\/1.1 \d+|hello|abcdef/g)).toEqual([
      'HTTP/1.1 200',
      'hello',
      'HTTP/1.1 404',
      'HTTP/1.1 200',
      'abcdef',
    ]);
    expect(answers.map(({ target, status, bodyBytes }) => [target, status, bodyBytes])).toEqual([
      ['/', 200, 5],
      ['/none', 404, 14],
      ['/known', 200, 6],
    ]);
  });

  test('sends a body of unknown length in chunks, or to HTTP/1.0 up to its closing', () => {
    const chunked = say('GET /unknown HTTP/1.1\r\nHost: h\r\n\r\n').text;
    expect(chunked).toMatch(/Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n$/);
    const plain = say('GET /unknown HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').text;
    expect(plain).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef$/);
    expect(rig.notes).toEqual(['client: the server closed']);
  });

  test('keeps a connection of HTTP/1.0 when it is asked to', () => {
    expect(say('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n').text).toContain('Connection: keep-alive');
    expect(rig.notes).toEqual([]);
  });

  test.each<[string, string, number]>([
    ['an unknown path', 'GET /none HTTP/1.0\r\n\r\n', 404],
    ['another method', 'PUT / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc', 405],
    ['what is no request', 'hello\r\n\r\n', 400],
    ['a body that is too large', `PUT / HTTP/1.0\r\nContent-Length: 70000\r\n\r\n${'a'.repeat(70_000)}`, 413],
    ['another HTTP', 'GET / HTTP/3.0\r\n\r\n', 505],
  ])('answers %s, and closes', (_, text, status) => {
    expect(say(text).text).toMatch(new RegExp(`^HTTP/1.1 ${status} .*Connection: close`, 's'));
    rig.advance(SECOND_NS);
    expect(rig.notes).toEqual(['client: the server closed']);
    if (status === 405) expect(answers).toMatchObject([{ method: 'PUT', status: 405 }]);
  });

  test('answers 408 to a request that does not come to its end', () => {
    const said = say('GET / HTT');
    rig.advance(6 * SECOND_NS);
    expect(said.text).toMatch(/^HTTP\/1.1 408 /);
    expect(rig.notes).toEqual(['client: the server closed']);
  });

  test('gives HEAD the fields of GET, and no body', () => {
    expect(say('HEAD / HTTP/1.0\r\n\r\n').text).toBe(
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
    );
  });

  test('is not disturbed by a client that goes away', () => {
    rig.start('rude', function* (sys) {
      const socket = sys.socket('tcp');
      yield* sys.connect(socket, LOCALHOST, 80);
      yield* sys.send(socket, bytesOfText('GET /big HTTP/1.0\r\n\r\n'));
      sys.close(socket);
    });
    expect(seen(get(['/']))).toEqual([[200, 'hello']]);
    expect(rig.net.sockets.list().length).toBe(1);
  });

  test('serves several clients at once, whatever one of them does', () => {
    rig.start('slow', function* (sys) {
      const socket = sys.socket('tcp');
      yield* sys.connect(socket, LOCALHOST, 80);
      yield* sys.send(socket, bytesOfText('GET /big HTTP/1.0\r\n\r\n'));
      yield* sys.sleep(60 * SECOND_NS);
    });
    expect(seen(get(['/', '/known']))).toEqual([
      [200, 'hello'],
      [200, 'abcdef'],
    ]);
  });
});

describe('the client', () => {
  test.each<[FetchOptions, number]>([
    [{ version: '1.0' }, 3],
    [{ version: '1.1' }, 3],
    [{ version: '1.1', keepAlive: true }, 1],
    [{ version: '1.0', keepAlive: true }, 2],
  ])('with %o fetches three documents over %s connections', (options, connections) => {
    expect(seen(get(['/', '/unknown', '/known'], options))).toEqual([
      [200, 'hello'],
      [200, 'abcdef'],
      [200, 'abcdef'],
    ]);
    expect(new Set(answers.map(({ client }) => client)).size).toBe(connections);
  });

  test('brings a large document over whole', () => {
    const [report] = get(['/big']);
    expect(report).toMatchObject({ kind: 'answer', result: { bodyBytes: BIG.length } });
    if (report?.kind === 'answer') expect(Buffer.compare(report.result.body, BIG)).toBe(0);
  });

  test('gives the pieces of a body to who wants them, and keeps none', () => {
    let bytes = 0;
    const [report] = get(['/big'], { onBody: piece => (bytes += piece.length) });
    expect(bytes).toBe(BIG.length);
    expect(report).toMatchObject({ result: { body: new Uint8Array(0), bodyBytes: BIG.length } });
  });

  test('opens another connection when the server has closed the one it kept', () => {
    const reports: FetchReport[] = [];
    const urls = [`${URL}/`, `${URL}/known`];
    rig.spawn('client', function* (sys) {
      yield* httpClient(urls, { keepAlive: true }, report => {
        reports.push(report);
        // The server gives up waiting before the second request is sent.
        if (reports.length === 1) for (const { user, state } of rig.tcp.all) if (state !== 'CLOSED') user?.changed();
        rig.tcp.all[0]!.fail('ECONNRESET');
      })(sys);
    });
    expect(seen(reports)).toEqual([
      [200, 'hello'],
      [200, 'abcdef'],
    ]);
    expect(new Set(answers.map(({ client }) => client)).size).toBe(2);
  });

  test('reports what went wrong, and goes on', () => {
    const reports: FetchReport[] = [];
    const urls = ['http://127.0.0.1:81/', `${URL}/`];
    rig.spawn(
      'client',
      httpClient(urls, {}, report => reports.push(report)),
    );
    expect(reports).toMatchObject([{ kind: 'error', error: { code: 'ECONNREFUSED' } }, { kind: 'answer' }]);
  });

  test.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', 'the stream ended within a message'],
    ['', 'no answer came'],
    ['nonsense\r\n\r\n', 'malformed status line'],
  ])('reports an answer that is none: %j', (text, message) => {
    rig.start('server', function* (sys) {
      const socket = sys.socket('tcp');
      sys.bind(socket, 0, 81);
      sys.listen(socket);
      const client = yield* sys.accept(socket);
      yield* sys.recv(client);
      yield* sys.send(client, bytesOfText(text));
    });
    const reports: FetchReport[] = [];
    rig.spawn(
      'client',
      httpClient(['http://127.0.0.1:81/'], {}, report => reports.push(report)),
    );
    expect(seen(reports)).toEqual([['error', message]]);
  });

  test('passes over interim answers', () => {
    rig.start('server', function* (sys) {
      const socket = sys.socket('tcp');
      sys.bind(socket, 0, 81);
      sys.listen(socket);
      const client = yield* sys.accept(socket);
      yield* sys.recv(client);
      yield* sys.send(client, bytesOfText('HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    const reports: FetchReport[] = [];
    rig.spawn(
      'client',
      httpClient(['http://127.0.0.1:81/'], {}, report => reports.push(report)),
    );
    expect(seen(reports)).toEqual([[200, 'ok']]);
  });
});

test('a URL names a host, by name or address, port and path', () => {
  expect(parseUrl('http://127.0.0.1')).toEqual({ name: '127.0.0.1', port: 80, host: '127.0.0.1', path: '/' });
  expect(parseUrl('http://www.example.net')).toMatchObject({ name: 'www.example.net', host: 'www.example.net' });
  expect(parseUrl('http://127.0.0.1:8080/a?b')).toMatchObject({ port: 8080, host: '127.0.0.1:8080', path: '/a?b' });
  for (const url of [
    'https://127.0.0.1/',
    'http://a..b/',
    'http://name_/',
    'http://127.0.0.1:0/',
    'http://1.2.3/',
    'http://127.0.0.1/ ',
  ]) {
    expect(() => parseUrl(url)).toThrow(RangeError);
  }
});
