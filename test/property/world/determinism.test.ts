/** One seed, one run: to the bit, watched or not, however it is cut into pieces. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Impairments } from '../../../hw/ethernet/medium/impairments.ts';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import { type UdpClientReport, udpClient } from '../../../kernel/apps/udp-client.ts';
import { ECHO_PORT, udpEcho } from '../../../kernel/apps/udp-echo.ts';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { BUILT_IN } from '../../../src/scenarios/index.ts';
import { FREE, PCI_LIKE } from '../../../src/world/computer.ts';
import { type Build, runUnwatched, runWatched } from '../../support/world-trace.ts';

const END_NS = 2_600_000_000;
/** A world takes tens of milliseconds, and each case runs several. */
const SOME = { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 8) };

interface Plan {
  readonly free: boolean;
  readonly lengthMetres: number;
  readonly bitErrorRate: number;
  readonly payloadBytes: number;
  readonly startNs: number;
  readonly impairments: Impairments;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  free: fc.boolean(),
  lengthMetres: fc.integer({ min: 0, max: 2000 }),
  bitErrorRate: fc.constantFrom(0, 1e-5, 1e-4),
  payloadBytes: fc.integer({ min: 4, max: 1472 }),
  startNs: fc.integer({ min: 0, max: 2_400_000_000 }),
  impairments: fc.record({
    loss: fc.constantFrom(0, 0.2),
    duplicate: fc.constantFrom(0, 0.2),
    reorder: fc.constantFrom(0, 0.2),
    corrupt: fc.constantFrom(0, 0.2),
    jitterNs: fc.constantFrom(0, 10_000),
  }),
});

/** Two hosts that ping and echo, and draw random numbers: what everything random is for. */
const build =
  ({ free, lengthMetres, bitErrorRate, payloadBytes, startNs, impairments }: Plan): Build =>
  world => {
    const costs = free ? FREE : PCI_LIKE;
    const [a, b] = [1, 2].map(n => world.computer(`h${n}`, { nics: [{ address: `192.0.2.${n}/24` }], costs }));
    world.cable('cable', a!.nics[0]!, b!.nics[0]!, { lengthMetres, bitErrorRate, impairments });
    const reports: (PingReport | UdpClientReport | number)[] = [];
    const there = parseIpv4('192.0.2.2');
    b!.start('echo', udpEcho());
    a!.start('client', function* (sys) {
      yield* sys.sleep(startNs);
      reports.push(sys.random());
      const timing = { intervalNs: 100_000, timeoutNs: 2_000_000, payloadBytes };
      yield* ping(there, { count: 5, ...timing }, report => reports.push(report))(sys);
      yield* udpClient(there, ECHO_PORT, { count: 20, ...timing }, report => reports.push(report))(sys);
      sys.log(`done with ${reports.length}`);
    });
    return { result: () => reports };
  };

describe.each(Object.keys(BUILT_IN))('scenario %s', name => {
  test('runs the same twice, watched or not, whole or in pieces', async () => {
    const { default: scenario } = await BUILT_IN[name]!();
    const { untilNs } = scenario;
    const first = runWatched('1', scenario.build, untilNs);
    expect(
      runWatched('1', scenario.build, untilNs, [1, Math.round(untilNs / 2.7), untilNs / 2, untilNs - 1], 777),
    ).toEqual(first);
    const { pcapng: _, vcd: __, ...seen } = first;
    expect(runUnwatched('1', scenario.build, untilNs)).toEqual(seen);
  });
});

test('a world repeats with its seed, bytes of captures and waveforms included', () => {
  fc.assert(
    fc.property(fc.string(), plan, (seed, drawn) => {
      expect(runWatched(seed, build(drawn), END_NS)).toEqual(runWatched(seed, build(drawn), END_NS));
    }),
    SOME,
  );
});

test('whether somebody watches makes no difference to a world', () => {
  fc.assert(
    fc.property(fc.string(), plan, (seed, drawn) => {
      const { pcapng: _, vcd: __, ...seen } = runWatched(seed, build(drawn), END_NS);
      expect(runUnwatched(seed, build(drawn), END_NS)).toEqual(seen);
    }),
    SOME,
  );
});

test('where a run is cut into pieces makes no difference', () => {
  const stops = fc.array(fc.nat(END_NS), { maxLength: 20 }).map(each => each.sort((a, b) => a - b));
  fc.assert(
    fc.property(plan, stops, fc.integer({ min: 1, max: 50 }), (drawn, stopsNs, stopSteps) => {
      expect(runWatched('1', build(drawn), END_NS, stopsNs, stopSteps)).toEqual(runWatched('1', build(drawn), END_NS));
    }),
    SOME,
  );
});

test('another seed gives another run', () => {
  const drawn = {
    free: false,
    lengthMetres: 10,
    bitErrorRate: 1e-4,
    payloadBytes: 1000,
    startNs: 2_100_000_000,
    impairments: {},
  };
  const [one, two] = ['1', '2'].map(seed => runWatched(seed, build(drawn), END_NS));
  expect(two!.pcapng).not.toBe(one!.pcapng);
  expect(two!.vcd).not.toBe(one!.vcd);
  expect(two!.result).not.toEqual(one!.result);
});
