/** Property 24: a switch against a reference that says in twenty lines which frame reaches which port. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../hw/ethernet/frame.ts';
import { AGEING_SECONDS } from '../../../hw/ethernet/switch/parameters.ts';
import { readBe32, writeBe32 } from '../../../src/lib/bytes.ts';
import { SwitchRig, station } from '../../support/switch-rig.ts';

const AGEING_NS = AGEING_SECONDS.least * 1e9;

/** Destinations: stations, groups, addresses that are never forwarded, and one of nobody. */
const RESERVED = Uint8Array.of(1, 0x80, 0xc2, 0, 0, 0x0e);
const GROUP = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);
const ALL = new Uint8Array(6).fill(0xff);
const NOBODY = station(999);
const address = fc.oneof(
  { weight: 8, arbitrary: fc.nat(5).map(station) },
  { weight: 1, arbitrary: fc.constantFrom(RESERVED, GROUP, ALL, NOBODY) },
);

const arrival = fc.record({
  port: fc.nat(7),
  destination: address,
  source: fc.oneof({ weight: 9, arbitrary: fc.nat(5).map(station) }, { weight: 1, arbitrary: fc.constant(GROUP) }),
  bytes: fc.oneof(fc.constantFrom(60, 63, 64, 65, 1518, 1519), fc.integer({ min: 64, max: 300 })),
  good: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
  gapNs: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 100_000, max: 1_000_000 }) },
    { weight: 2, arbitrary: fc.constantFrom(AGEING_NS - 1, AGEING_NS, AGEING_NS / 2) },
  ),
});
type Arrival = typeof arrival extends fc.Arbitrary<infer T> ? T : never;

const SERIAL_AT = 20;

function frameOf({ destination, source, bytes, good }: Arrival, serial: number): Frame {
  const octets = new Uint8Array(bytes - 4);
  octets.set(destination);
  octets.set(source, 6);
  writeBe32(octets, SERIAL_AT, serial);
  const frame = Frame.withFcs(octets);
  return good ? frame : Frame.raw(frame.wire().map((octet, i) => (i === 30 ? octet ^ 0x10 : octet)));
}

/** Learn, age, filter, flood: the ports at which each frame has to come out. */
class Reference {
  readonly #table = new Map<string, { port: number; seenNs: number }>();

  outputs({ destination, source, bytes, good }: Arrival, port: number, ports: number, nowNs: number): number[] {
    if (!good || bytes < 64 || bytes > 1518) return [];
    for (const [key, { seenNs }] of this.#table) if (nowNs - seenNs >= AGEING_NS) this.#table.delete(key);
    if ((source[0]! & 1) === 0) this.#table.set(source.join(), { port, seenNs: nowNs });
    if (destination === RESERVED) return [];
    const known = (destination[0]! & 1) === 0 ? this.#table.get(destination.join()) : undefined;
    if (known !== undefined) return known.port === port ? [] : [known.port];
    return [...Array(ports).keys()].filter(other => other !== port);
  }
}

describe('a switch', () => {
  test('24 delivers each frame exactly where a reference says: none back, none twice, none to a reserved address', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 8 }),
        fc.array(arrival, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0, 1000),
        (ports, arrivals, lookupNs) => {
          const rig = new SwitchRig(ports, { ageingSeconds: AGEING_SECONDS.least, lookupNs }).up();
          const reference = new Reference();
          const expected: string[] = [];
          for (const [serial, each] of arrivals.entries()) {
            const port = each.port % ports;
            const frame = frameOf(each, serial);
            rig.pass(each.gapNs);
            rig.stations[port]!.send(frame);
            const decidedNs = rig.clock.nowNs + 8 * (8 + frame.wireBytes) + rig.cables[0]!.delayNs + lookupNs;
            for (const out of reference.outputs(each, port, ports, decidedNs)) expected.push(`${serial} at ${out}`);
          }
          rig.pass(10_000_000);
          const got = rig.stations.flatMap(({ arrivals: all }, port) =>
            all.map(({ frame }) => `${readBe32(frame.octets, SERIAL_AT)} at ${port}`),
          );
          expect(got.sort()).toEqual(expected.sort());
          for (const { counters: c } of rig.device.ports) {
            expect(c.rxFrames).toBe(c.forwarded + c.flooded + c.filtered + c.wrongVlan + c.blocked + c.control);
          }
        },
      ),
    );
  });

  test('24 keeps the order of frames from one port to another, and loses none that fit, under any load', () => {
    const load = fc.array(fc.record({ from: fc.nat(3), to: fc.nat(3), bytes: fc.integer({ min: 64, max: 1518 }) }), {
      minLength: 20,
      maxLength: 200,
    });
    fc.assert(
      fc.property(load, fc.constantFrom(8000, 1 << 20), (frames, queueBytes) => {
        const rig = new SwitchRig(4, { queueBytes }).up();
        for (const port of rig.stations.keys()) rig.device.addStatic(station(port), port);
        for (const [serial, { from, to, bytes }] of frames.entries()) {
          const parts = { destination: station(to), source: station(from), bytes, good: true, gapNs: 0, port: from };
          rig.stations[from]!.send(frameOf(parts, serial));
        }
        rig.pass(100_000_000);
        let delivered = 0;
        for (const to of rig.stations.keys()) {
          const serials = rig.stations[to]!.arrivals.map(({ frame }) => readBe32(frame.octets, SERIAL_AT));
          delivered += serials.length;
          for (const from of rig.stations.keys()) {
            const own = serials.filter(serial => frames[serial]!.from === from);
            expect(own).toEqual([...own].sort((a, b) => a - b));
          }
        }
        const crossing = frames.filter(({ from, to }) => from !== to).length;
        const dropped = rig.device.ports.reduce((sum, { counters }) => sum + counters.droppedQueue, 0);
        expect(delivered + dropped).toBe(crossing);
        if (queueBytes > 1_000_000) expect(dropped).toBe(0);
      }),
    );
  });

  test('24 takes (k + 1) · 8 (L + 8) / R with k switches in a row, and what cables and lookups take', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 64, max: 1518 }),
        fc.constantFrom(10 as const, 100 as const, 1000 as const),
        fc.nat(5000),
        fc.nat(100),
        (bytes, fastestMbps, lookupNs, metres) => {
          const rig = new SwitchRig(2, { fastestMbps, lookupNs, metres }).up();
          const beganNs = rig.clock.nowNs;
          const parts = { destination: station(1), source: station(0), bytes, good: true, gapNs: 0, port: 0 };
          rig.stations[0]!.send(frameOf(parts, 0));
          rig.pass(10_000_000);
          const cables = 2 * rig.cables[0]!.delayNs;
          const expected = (2 * 8 * (bytes + 8) * 1000) / fastestMbps + cables + lookupNs;
          expect(rig.stations[1]!.arrivals.map(({ atNs }) => atNs - beganNs)).toEqual([expected]);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('goes on from a saved state as if nothing had happened, whenever that was taken', () => {
    const load = fc.array(fc.record({ from: fc.nat(2), to: fc.nat(5), bytes: fc.integer({ min: 64, max: 1518 }) }), {
      minLength: 5,
      maxLength: 60,
    });
    fc.assert(
      fc.property(load, fc.nat(400_000), fc.boolean(), (frames, stopNs, stp) => {
        const build = () => {
          const rig = new SwitchRig(3, { queueBytes: 20_000, stp, lookupNs: 500 }).up();
          rig.pass(4e9); // edges are found
          for (const [serial, { from, to, bytes }] of frames.entries()) {
            const parts = { destination: station(to), source: station(from), bytes, good: true, gapNs: 0, port: from };
            rig.stations[from]!.send(frameOf(parts, serial));
          }
          return rig.pass(stopNs);
        };
        const [whole, resumed] = [build(), build()];
        const states = structuredClone([resumed.clock.save(), resumed.device.save()]);
        resumed.device.load(new SwitchRig(3, { queueBytes: 20_000, stp }).device.save());
        resumed.clock.load(states[0] as ReturnType<typeof resumed.clock.save>);
        resumed.device.load(states[1] as ReturnType<typeof resumed.device.save>);
        for (const rig of [whole, resumed]) rig.pass(3e9);
        const heard = ({ stations }: SwitchRig) =>
          stations.map(({ arrivals }) => arrivals.map(({ frame, atNs }) => [atNs, frame.wire().join()]));
        expect(heard(resumed)).toEqual(heard(whole));
        expect(resumed.clock.save()).toEqual(whole.clock.save());
        expect(resumed.device.save()).toEqual(whole.device.save());
      }),
      { numRuns: 30 },
    );
  });
});
