import { expect, test } from 'vitest';
import { type KernelEvent, kernelEvents } from '../../../../src/observe/kernel-probe.ts';
import { type SwitchEvent, switchEvents } from '../../../../src/observe/switch-probe.ts';
import webJourney, { CLOSED_NS, type WebJourneyResult } from '../../../../src/scenarios/web-journey.ts';
import { World } from '../../../../src/world/world.ts';

/** IEEE 802.1D-2004 table 7-5. */
const AGEING_NS = 300e9;

/** The scenario with that seed, and what kernels and switch told. */
function run(seed: string, untilNs = webJourney.untilNs) {
  const world = new World(seed);
  const scenario = webJourney.build(world);
  const kernel: KernelEvent[] = [];
  const relay: SwitchEvent[] = [];
  for (const { name, kernel: watched } of world.computers.values()) {
    kernelEvents(watched, name, world.clock).subscribe(event => kernel.push(event));
  }
  for (const { name, device } of world.switches.values()) {
    switchEvents(device, name, world.clock).subscribe(event => relay.push(event));
  }
  world.run(CLOSED_NS);
  const states = () => world.computers.get('alice')!.kernel.net.sockets.table();
  const closed = states().map(({ state }) => state);
  world.run(untilNs);
  expect(world.failedPrograms()).toEqual([]);
  return { result: scenario.result() as WebJourneyResult, kernel, relay, closed, left: states() };
}

test('whatever the seed: one segment is lost, a fast retransmission replaces it, the page is whole', () => {
  for (const seed of ['1', '2', 'x']) {
    const { result, kernel, closed, left } = run(seed);
    expect(result).toMatchObject({ status: 200, error: null, intact: true, lost: 1, retransmitted: 1, left: [] });
    const resends = kernel.filter(({ kind }) => kind === 'resend');
    expect(resends).toMatchObject([{ host: 'server', reason: 'fast retransmit', lengthBytes: 1448 }]);
    expect(result.client).toMatch(/^203\.0\.113\.2:\d+$/);
    const port = result.client.split(':')[1];
    expect(result.translations[0]).toBe(`203.0.113.2 | ${port} | 192.168.1.2 | ${port} | tcp | BOTH FINS`);
    expect([closed, left]).toEqual([['TIME-WAIT'], []]);
  }
});

test('each packet of a host is told with its route, and each that arrives with the protocol that takes it', () => {
  const { kernel } = run('1');
  const of = (host: string, kind: string) => kernel.filter(event => event.host === host && event.kind === kind);
  const sent = (host: string) => of(host, 'ipv4').filter(event => event.kind === 'ipv4' && event.direction === 'out');
  expect(of('alice', 'route').length).toBe(sent('alice').length);
  expect(new Set(of('alice', 'route').map(event => event.kind === 'route' && event.prefix))).toEqual(
    new Set(['192.168.1.0/24', '0.0.0.0/0']),
  );
  expect(new Set(of('server', 'protocol').map(event => event.kind === 'protocol' && event.handler))).toEqual(
    new Set(['TCP']),
  );
  // What an edge router forwards is none of its protocols' business.
  expect(of('edge', 'protocol')).toEqual([]);
  expect(of('edge', 'forward').length).toBeGreaterThan(10);
});

test('a switch tells of each frame where it goes, and of each address where it is', () => {
  const { relay } = run('1', CLOSED_NS + 1.001 * AGEING_NS);
  const learned = relay.flatMap(event => (event.kind === 'learned' ? [event.entry.port] : []));
  expect(learned).toEqual([0, 2]);
  const decisions = relay.flatMap(event => (event.kind === 'decision' ? [event] : []));
  expect(decisions.filter(({ verdict }) => verdict === 'flooded').map(({ port, to }) => [port, to])).toEqual([
    [0, [1, 2]],
  ]);
  const forwarded = decisions.filter(({ verdict }) => verdict === 'forwarded');
  expect(forwarded.length).toBe(decisions.length - 1);
  for (const { port, to } of forwarded) expect([port, ...to].toSorted()).toEqual([0, 2]);
  // Nobody has said anything for so long.
  expect(relay.flatMap(event => (event.kind === 'aged' ? [event.entry.port] : [])).toSorted()).toEqual([0, 2]);
});
