import { beforeAll, describe, expect, test } from 'vitest';
import { fetch } from '../../../../kernel/apps/http-client.ts';
import { httpServer } from '../../../../kernel/apps/http-server.ts';
import type { KernelEvent } from '../../../../src/observe/kernel-probe.ts';
import { kernelEvents } from '../../../../src/observe/kernel-probe.ts';
import web from '../../../../src/scenarios/web.ts';
import { recordFrames } from '../../../../src/world/recorders.ts';
import { World } from '../../../../src/world/world.ts';
import { type CapturedSegment, conversations, readSegments } from '../../../support/tcp-capture.ts';

const SECOND_NS = 1_000_000_000;
const LINK_UP_NS = 2 * SECOND_NS;
const SERVER = '192.0.2.1:80';
/** RFC 9293 section 3.4.1: twice two minutes. */
const TIME_WAIT_NS = 240 * SECOND_NS;

interface Run {
  readonly world: World;
  readonly segments: CapturedSegment[];
  readonly changes: { readonly timeNs: number; readonly host: string; readonly to: string }[];
  readonly states: (computer: string) => string[];
}

/** One document, fetched with that version, and the capture of it. */
function fetchOnce(version: '1.0' | '1.1'): Run {
  const world = new World('1');
  const server = world.computer('server', { nics: [{ address: '192.0.2.1/24' }] });
  const client = world.computer('client', { nics: [{ address: '192.0.2.2/24' }] });
  world.cable('cable', server.nics[0]!, client.nics[0]!);
  server.start('http', httpServer({ documents: new Map([['/', 'hello']]) }));
  client.start('fetch', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    yield* fetch(sys, 'http://192.0.2.1/', { version });
  });
  const chunks: Uint8Array[] = [];
  const recorder = recordFrames(world, chunk => chunks.push(chunk.slice()));
  const changes: (KernelEvent & { kind: 'state' })[] = [];
  for (const { name, kernel } of [server, client]) {
    kernelEvents(kernel, name, world.clock).subscribe(event => {
      if (event.kind === 'state') changes.push(event);
    });
  }
  world.run(3 * SECOND_NS);
  recorder.close();
  const states = (computer: string) =>
    world.computers
      .get(computer)!
      .kernel.net.sockets.table()
      .map(({ state }) => state);
  expect(world.failedPrograms()).toEqual([]);
  return { world, segments: readSegments(chunks), changes, states };
}

describe.each<['1.0' | '1.1', string, string[], string[]]>([
  [
    '1.0',
    'server',
    ['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED'],
    ['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
  ],
  [
    '1.1',
    'client',
    ['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED'],
    ['CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
  ],
])('with HTTP/%s', (version, first, firstStates, otherStates) => {
  let run: Run;
  beforeAll(() => {
    run = fetchOnce(version);
  });
  const other = first === 'server' ? 'client' : 'server';

  test(`the capture shows the ${first} close first, after the whole answer, and no reset`, () => {
    const fins = run.segments.filter(({ flags }) => flags.includes('FIN'));
    expect(fins.map(({ from }) => (from === SERVER ? 'server' : 'client'))).toEqual([first, other]);
    expect(run.segments.filter(({ flags }) => flags.includes('RST'))).toEqual([]);
    const answer = run.segments.filter(({ from }) => from === SERVER).map(({ text }) => text);
    expect(answer.join('')).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello$/);
    expect(run.segments.map(({ text }) => text).join('')).toContain(`GET / HTTP/${version}\r\n`);
  });

  test(`the ${first} is in TIME-WAIT for four minutes, then its socket is deleted`, () => {
    expect(run.states(first)).toContain('TIME-WAIT');
    expect(run.states(other)).not.toContain('TIME-WAIT');
    const began = run.changes.find(({ to }) => to === 'TIME-WAIT')!;
    expect(began.host).toBe(first);
    run.world.run(began.timeNs + TIME_WAIT_NS - 1_000_000);
    expect(run.states(first)).toContain('TIME-WAIT');
    run.world.run(began.timeNs + TIME_WAIT_NS + 1_000_000);
    expect(run.states(first).filter(state => state !== 'LISTEN')).toEqual([]);
  });

  test('every change of state is told', () => {
    const of = (host: string) => run.changes.filter(change => change.host === host).map(({ to }) => to);
    expect(of(first).slice(-firstStates.length)).toEqual(firstStates);
    expect(of(other).slice(-otherStates.length)).toEqual(otherStates);
    expect(of('server').slice(0, 3)).toEqual(['LISTEN', 'SYN-RECEIVED', 'ESTABLISHED']);
  });
});

test('the scenario: several clients at once, a connection that is kept, and nothing left at its end', () => {
  const world = new World('1');
  const scenario = web.build(world);
  const chunks: Uint8Array[] = [];
  const recorder = recordFrames(world, chunk => chunks.push(chunk.slice()));
  world.run(web.untilNs);
  recorder.close();
  expect(world.failedPrograms()).toEqual([]);
  const result = scenario.result() as Record<string, unknown>;
  expect(result['connections at the end']).toEqual({ server: [], client: [] });
  expect(result['answers']).toHaveLength(5);
  const connections = [...conversations(readSegments(chunks), SERVER).values()];
  const seen = connections.map(segments => {
    const closer = segments.find(({ flags }) => flags.includes('FIN'))!.from === SERVER ? 'server' : 'client';
    return [closer, ...segments.flatMap(({ text }) => text.match(/^GET \S+ HTTP\/1../)?.[0] ?? [])];
  });
  expect(seen.sort()).toEqual([
    ['client', 'GET / HTTP/1.1'],
    ['client', 'GET / HTTP/1.1', 'GET /big HTTP/1.1'],
    ['server', 'GET / HTTP/1.0'],
    ['server', 'GET /stream HTTP/1.0'],
  ]);
});
