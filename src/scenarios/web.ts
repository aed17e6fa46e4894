/**
 * A web server, and a computer with two clients on it. One speaks HTTP/1.0: the server closes first, and has the
 * connection in TIME-WAIT. The other speaks HTTP/1.1: documents over one connection that is kept, then one with
 * `Connection: close`, after which the client closes first. Twice the maximum segment lifetime later all that is gone.
 *
 * With `--until 3s --sockets` the connections are still to be seen.
 */
import { type FetchReport, httpClient } from '../../kernel/apps/http-client.ts';
import { type HttpAnswer, type HttpDocument, httpServer } from '../../kernel/apps/http-server.ts';
import { scenario } from '../world/scenario.ts';
import { connectionsOf } from './connections.ts';
import { after } from './delayed-program.ts';
import { summaryOf } from './fetch-summary.ts';

const SERVER = '192.0.2.1';
const CLIENT = '192.0.2.2';
/** By then both PHYs have negotiated the link. */
const LINK_UP_NS = 2_000_000_000;
/** Both clients are done; who closed first is in TIME-WAIT. */
const CLOSED_NS = 2_900_000_000;
/** Behind 2 MSL, which is four minutes. */
const END_NS = 260_000_000_000;
const PIECES = 200;
const PIECE = new Uint8Array(1000).fill(0x2e);

const DOCUMENTS = new Map<string, HttpDocument>([
  ['/', '<!doctype html><title>Ringtail</title><p>A ring, and its tail register.\n'],
  ['/big', { lengthBytes: PIECES * PIECE.length, pieces }],
  ['/stream', { lengthBytes: null, pieces }],
]);

function* pieces(): Iterable<Uint8Array> {
  for (let i = 0; i < PIECES; i++) yield PIECE;
}

export default scenario({
  summary: 'a web server and two clients, HTTP/1.0 and 1.1: who closes first, and what stays behind',
  untilNs: END_NS,
  build(world) {
    const server = world.computer('server', { nics: [{ address: `${SERVER}/24` }] });
    const client = world.computer('client', { nics: [{ address: `${CLIENT}/24` }] });
    world.cable('cable', server.nics[0]!, client.nics[0]!);
    const answers: HttpAnswer[] = [];
    const timeWait: Record<string, string[]> = {};
    server.start('http', httpServer({ documents: DOCUMENTS, onAnswer: answer => answers.push(answer) }));
    const http10: FetchReport[] = [];
    const http11: FetchReport[] = [];
    const url = (path: string) => `http://${SERVER}${path}`;
    const kept = { version: '1.1', keepAlive: true } as const;
    client.start(
      'old',
      after(
        LINK_UP_NS,
        httpClient([url('/'), url('/stream')], { version: '1.0' }, report => http10.push(report)),
      ),
    );
    client.start(
      'new',
      after(
        LINK_UP_NS,
        httpClient([url('/'), url('/big')], kept, report => http11.push(report)),
      ),
    );
    client.start(
      'last',
      after(
        LINK_UP_NS,
        httpClient([url('/')], {}, report => http11.push(report)),
      ),
    );
    for (const computer of [server, client]) {
      computer.start(
        'watch',
        after(CLOSED_NS, function* () {
          yield* [];
          timeWait[computer.name] = connectionsOf(computer, 'TIME-WAIT');
        }),
      );
    }
    return {
      result: () => ({
        answers: answers.map(({ method, target, status, bodyBytes }) => `${method} ${target} ${status} ${bodyBytes}`),
        'HTTP/1.0': http10.map(summaryOf),
        'HTTP/1.1': http11.map(summaryOf),
        'in TIME-WAIT after 2.9 s': timeWait,
        'connections at the end': { server: connectionsOf(server), client: connectionsOf(client) },
      }),
    };
  },
});
