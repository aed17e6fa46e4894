import { describe, expect, test } from 'vitest';
import { Hub } from '../../../../../hw/ethernet/hub/hub.ts';
import {
  COLLISION_LIMIT,
  JABBER_BITS,
  JABBER_PAUSE_BITS,
  LONG_COLLISION_BITS,
  RECONNECT_BITS,
} from '../../../../../hw/ethernet/hub/parameters.ts';
import { Cable } from '../../../../../hw/ethernet/medium/cable.ts';
import { Coax } from '../../../../../hw/ethernet/medium/coax.ts';
import { M88E1011 } from '../../../../../hw/ethernet/phy/phy.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { Domain, DomainStation, frameWith } from '../../../../support/collision-domain.ts';
import { Endpoint } from '../../../../support/ethernet.ts';
import { HubProbe } from '../../../../support/hub-probe.ts';

const NEVER = Number.POSITIVE_INFINITY;

class Bench {
  readonly clock = new Clock();
  readonly hub: Hub;
  readonly probes: readonly HubProbe[];
  readonly bitNs: number;

  constructor({ ports = 4, speed = 10 as 10 | 100 | 1000, delayBits = 8 } = {}) {
    this.bitNs = 1000 / speed;
    this.hub = new Hub(this.clock, ports, speed, delayBits * this.bitNs);
    this.probes = this.hub.ports.map((_, i) => new HubProbe(this.clock, this.hub, i, this.bitNs));
  }

  at(bits: number): this {
    this.clock.run(bits * this.bitNs);
    return this;
  }

  /** What came out, but for what was sent there: [first bit, bits, bits up to jam] for each port. */
  get outputs(): number[][][] {
    return this.probes.map(({ outputs }) => outputs.map(({ startBits, bits, jamBits }) => [startBits, bits, jamBits]));
  }
}

describe('a hub', () => {
  test('repeats to all ports but the source, with a preamble of 64 bits, a constant delay later', () => {
    for (const delayBits of [0, 8, 14.5]) {
      const bench = new Bench({ delayBits });
      const frame = frameWith(100);
      bench.probes[1]!.send(frame);
      bench.at(5000).probes[3]!.send(frame);
      bench.at(10_000);
      const out = (startBits: number) => ({ startBits, bits: 64 + 800, jamBits: NEVER, frame });
      const first = out(delayBits);
      const second = out(5000 + delayBits);
      expect(bench.probes.map(({ outputs }) => outputs)).toEqual([[first, second], [second], [first, second], [first]]);
      expect(bench.clock.idle).toBe(true);
    }
  });

  test('makes up to 96 bits what is shorter, with jam', () => {
    for (const bits of [10, 40, 64, 95, 96, 97, 300]) {
      const bench = new Bench();
      bench.probes[0]!.burst(bits);
      bench.at(5000);
      const cut = bits < 96 ? [8, 96, bits] : [8, bits, bits];
      expect(bench.outputs).toEqual([[], [cut], [cut], [cut]]);
    }
  });

  test('jams all ports when two are active, and all but the last one when that is left', () => {
    const bench = new Bench();
    bench.probes[0]!.burst(400);
    bench.at(100).probes[1]!.burst(1000);
    bench.at(5000);
    const [first, second, ...others] = bench.outputs;
    // Input 0 counts from 8 to 408, input 1 from 108 to 1108.
    expect(first).toEqual([[108, 1000, 0]]);
    expect(second).toEqual([[8, 400, 100]]);
    for (const other of others) expect(other).toEqual([[8, 1100, 100]]);
    expect(bench.hub.collisions).toBe(1);
  });

  test('jams at least 96 bits, however short the collision is', () => {
    const bench = new Bench();
    bench.probes[0]!.burst(50);
    bench.at(49).probes[1]!.burst(10);
    bench.at(5000);
    for (const output of bench.outputs) for (const [, bits] of output) expect(bits).toBeGreaterThanOrEqual(96);
    expect(bench.outputs[2]).toEqual([[8, 49 + 96, 49]]);
  });

  test('never lets a station take a collision for a frame, at whatever bit it comes', () => {
    for (let bits = 0; bits < 580; bits += 7) {
      const bench = new Bench();
      bench.probes[0]!.send(frameWith(64));
      bench.at(bits).probes[1]!.burst(200);
      bench.at(5000);
      for (const { outputs } of bench.probes)
        for (const { frame } of outputs) expect(frame?.fcsGood ?? false).toBe(bits >= 576);
    }
  });

  test('passes damage on: a frame that comes in damaged goes out so', () => {
    const clock = new Clock();
    const hub = new Hub(clock, 2, 10, 0);
    const probe = new HubProbe(clock, hub, 1, 100);
    const station = new DomainStation(clock, new Prng('s'), 's', 10);
    const cable = new Cable(clock, new Prng('c'), 100);
    cable.connect(0, station.unit);
    cable.connect(1, hub.ports[0]!);
    cable.flipNext(0, [20]);
    station.send(frameWith(64), frameWith(64));
    clock.run(1e6);
    expect(probe.outputs.map(({ frame }) => frame!.fcsGood)).toEqual([false, true]);
  });

  test('and another hub beside it fall silent after a collision: one port left', () => {
    const clock = new Clock();
    const hubs = [new Hub(clock, 3, 10), new Hub(clock, 3, 10), new Hub(clock, 3, 10)];
    for (const i of [0, 1]) {
      const cable = new Cable(clock, new Prng(`link${i}`), 100);
      cable.connect(0, hubs[i]!.ports[2]!);
      cable.connect(1, hubs[i + 1]!.ports[0]!);
    }
    const left = new HubProbe(clock, hubs[0]!, 0, 100);
    const right = new HubProbe(clock, hubs[2]!, 1, 100);
    left.burst(300);
    right.burst(300);
    clock.run(1e6);
    expect(clock.idle).toBe(true);
    left.send(frameWith(64));
    clock.run(2e6);
    expect(right.outputs.at(-1)!.frame?.fcsGood).toBe(true);
    expect(right.outputs.at(-1)!.bits).toBe(576);
  });

  test('three of them in a row carry five stations fairly, and nothing is late', () => {
    const clock = new Clock();
    const hubs = [new Hub(clock, 8, 10), new Hub(clock, 8, 10), new Hub(clock, 8, 10)];
    for (const i of [0, 1]) {
      const cable = new Cable(clock, new Prng(`link${i}`), 100);
      cable.connect(0, hubs[i]!.ports[7]!);
      cable.connect(1, hubs[i + 1]!.ports[6]!);
    }
    const stations = Array.from({ length: 5 }, (_, i) => {
      const station = new DomainStation(clock, new Prng(`s${i}`), `s${i}`, 10);
      const cable = new Cable(clock, new Prng(`c${i}`), 100);
      cable.connect(0, station.unit);
      cable.connect(1, hubs[i % 3]!.ports[i]!);
      station.send(...Array.from({ length: 20 }, (_, n) => frameWith(64 + 70 * n, i)));
      return station;
    });
    clock.run(20e9);
    for (const [i, { mac, finished, delivered }] of stations.entries()) {
      expect(finished.length).toBe(20);
      expect(mac.counters.lateCollisions).toBe(0);
      const sent = stations.flatMap((other, j) => (j === i ? [] : other.finished.filter(f => f.outcome === 'sent')));
      expect(delivered.length).toBe(sent.length);
    }
  });

  test('on a coaxial cable hears two signals there as a collision, and jams', () => {
    const clock = new Clock();
    const hub = new Hub(clock, 2, 10, 800);
    const coax = new Coax(clock, 500);
    coax.attach(250, hub.ports[0]!);
    const probe = new HubProbe(clock, hub, 1, 100);
    const stations = [0, 500].map(at => {
      const station = new DomainStation(clock, new Prng(`at${at}`), 's', 10);
      coax.attach(at, station.unit);
      return station;
    });
    for (const station of stations) station.send(frameWith(200, 1));
    clock.run(10e6);
    expect(hub.collisions).toBeGreaterThan(0);
    expect(probe.outputs.filter(({ frame }) => frame?.fcsGood).length).toBe(2);
    expect(probe.outputs[0]!.bits).toBeGreaterThanOrEqual(96);
  });
});

describe('partition', () => {
  test.each([10, 100] as const)('at %i Mb/s shuts a port out after too many collisions in a row', speed => {
    const bench = new Bench({ speed });
    const told: unknown[] = [];
    bench.hub.onPartition = (port, on) => told.push([port, on]);
    bench.probes[2]!.faulty = true;
    const limit = COLLISION_LIMIT[speed];
    for (let n = 1; n <= limit + 1; n++) {
      expect(told).toEqual([]);
      bench.probes[0]!.burst(200);
      bench.at(1000 * n);
    }
    // Both ends of the collisions are counted; what decides is who goes on.
    expect(told).toContainEqual([2, true]);
    expect(limit).toBe(speed === 10 ? 30 : 60);
  });

  test('leaves the others as if the port were not there, and gives it what goes out to all', () => {
    const bench = new Bench();
    const { hub, probes } = bench;
    probes[2]!.faulty = true;
    for (let n = 1; n <= 31; n++) {
      probes[n % 2]!.burst(200);
      bench.at(1000 * n);
      // A clean frame lets the innocent ones forget.
      if (n % 10 === 0) for (const port of [0, 1]) hub.ports[port]!.collisions = 0;
    }
    expect(hub.ports.map(({ partitioned }) => partitioned)).toEqual([false, false, true, false]);
    const before = probes.map(({ outputs }) => outputs.length);
    probes[0]!.send(frameWith(64));
    bench.at(50_000);
    expect(probes.map(({ outputs }, i) => outputs.length - before[i]!)).toEqual([0, 1, 1, 1]);
    expect(probes[1]!.outputs.at(-1)!.frame?.fcsGood).toBe(true);
  });

  test('ends when 512 bits free of collision come from the port, or go to it while it is silent', () => {
    for (const from of [2, 0]) {
      const bench = new Bench();
      bench.hub.ports[2]!.partitioned = true;
      bench.probes[from]!.burst(RECONNECT_BITS - 1);
      bench.at(2000);
      expect(bench.hub.ports[2]!.partitioned).toBe(true);
      bench.probes[from]!.burst(RECONNECT_BITS);
      bench.at(4000);
      expect(bench.hub.ports[2]!.partitioned).toBe(false);
    }
  });

  test('does not end while the port answers what goes to it', () => {
    const bench = new Bench();
    bench.hub.ports[2]!.partitioned = true;
    bench.probes[2]!.faulty = true;
    for (let n = 1; n < 10; n++) {
      bench.probes[0]!.send(frameWith(64));
      bench.at(1000 * n);
    }
    expect(bench.hub.ports[2]!.partitioned).toBe(true);
    expect(bench.hub.collisions).toBe(0);
  });

  test('also follows a single collision that does not end', () => {
    const bench = new Bench();
    bench.probes[0]!.burst(300);
    bench.probes[1]!.burst(40_000);
    bench.at(8 + LONG_COLLISION_BITS - 1);
    expect(bench.hub.ports[1]!.partitioned).toBe(false);
    bench.at(8 + LONG_COLLISION_BITS);
    expect(bench.hub.ports[1]!.partitioned).toBe(true);
    expect(bench.outputs[3]).toEqual([[8, LONG_COLLISION_BITS, 0]]);
  });
});

describe('jabber', () => {
  test('at 10 Mb/s what goes out is interrupted again and again', () => {
    const bench = new Bench();
    bench.probes[0]!.burst(120_000);
    bench.at(200_000);
    const next = 8 + JABBER_BITS + JABBER_PAUSE_BITS;
    expect(bench.outputs[1]).toEqual([
      [8, JABBER_BITS, NEVER],
      [next, JABBER_BITS, 0],
      [next + JABBER_BITS + JABBER_PAUSE_BITS, 120_008 - (next + JABBER_BITS + JABBER_PAUSE_BITS), 0],
    ]);
    expect(bench.clock.idle).toBe(true);
  });

  test('at 100 Mb/s the port is shut out until it falls silent', () => {
    const bench = new Bench({ speed: 100 });
    bench.probes[0]!.burst(120_000);
    bench.at(60_000).probes[1]!.send(frameWith(64));
    bench.at(130_000).probes[0]!.send(frameWith(64));
    bench.at(200_000);
    expect(bench.outputs[2]).toEqual([
      [8, JABBER_BITS, NEVER],
      [60_008, 576, NEVER],
      [130_008, 576, NEVER],
    ]);
  });
});

describe('a PHY on a hub port', () => {
  test.each([
    [10, 0x0020],
    [100, 0x0080],
  ] as const)('that negotiates detects %i Mb/s by the idle signal, and works in half duplex', (speed, page) => {
    const clock = new Clock();
    const hub = new Hub(clock, 3, speed);
    const ends = [0, 1, 2].map(i => {
      const end = new Endpoint(clock, new Prng(`end${i}`));
      const cable = new Cable(clock, new Prng(`cable${i}`), 50);
      cable.connect(0, end.phy);
      cable.connect(1, hub.ports[i]!);
      return end;
    });
    clock.run(3e9);
    for (const { phy, mac } of ends) {
      expect(phy.link).toEqual({ up: true, speed, fullDuplex: false });
      expect(phy.readRegister(5)).toBe(page);
      expect(mac.halfDuplex).toBe(true);
    }
    for (const [i, end] of ends.entries()) end.send(frameWith(64, i), frameWith(500, i));
    clock.run(4e9);
    for (const end of ends) expect(end.arrivals.filter(({ frame }) => frame.fcsGood).length).toBe(4);
    expect(ends.reduce((sum, { mac }) => sum + mac.counters.collisions, 0)).toBeGreaterThan(0);
    expect(clock.idle).toBe(true);
  });

  test('one plug to a port', () => {
    const bench = new Bench();
    const cable = new Cable(bench.clock, new Prng('more'), 1);
    expect(() => cable.connect(0, bench.hub.ports[0]!)).toThrow('port 0 of the hub is plugged in already');
    expect(() => new Hub(bench.clock, 0, 10)).toThrow(RangeError);
    expect(new M88E1011(bench.clock, new Prng('p')).link.up).toBe(false);
  });

  test('that is unplugged in the middle of a frame ends it', () => {
    const domain = Domain.aroundHub([10, 10, 10], 8);
    const [first, second] = domain.stations;
    first!.send(frameWith(500));
    domain.pass(1000);
    domain.cables[0]!.unplug(0);
    domain.pass(1e5);
    expect(second!.heard.map(({ frame }) => frame.fcsGood)).toEqual([false]);
    second!.send(frameWith(64));
    domain.pass(1e5);
    expect(domain.stations[2]!.delivered.length).toBe(1);
  });
});

test('saved in the midst of collisions and loaded elsewhere, a hub goes on to the same nanosecond', () => {
  const build = () => Domain.aroundHub([3, 50, 80, 100], 14.5, { seed: 'snapshot' });
  const original = build();
  for (const [i, station] of original.stations.entries()) {
    station.send(...Array.from({ length: 10 }, (_, n) => frameWith(64 + 31 * n, 16 * i + n)));
  }
  for (const bits of [100, 10, 3007, 12_345]) {
    original.pass(bits);
    const state = structuredClone({
      clock: original.clock.save(),
      hub: original.hub!.save(),
      cables: original.cables.map(cable => cable.save()),
      stations: original.stations.map(({ mac, unit }) => ({ mac: mac.save(), unit: unit.save() })),
    });
    const copy = build();
    copy.clock.load(state.clock);
    copy.hub!.load(state.hub);
    for (const [i, cable] of copy.cables.entries()) cable.load(state.cables[i]!);
    for (const [i, { mac, unit, queue }] of copy.stations.entries()) {
      unit.load(state.stations[i]!.unit);
      mac.load(state.stations[i]!.mac);
      queue.push(...original.stations[i]!.queue);
    }
    const before = original.stations.map(({ heard }) => heard.length);
    for (const domain of [original, copy]) domain.pass(20_000);
    for (const [i, station] of copy.stations.entries()) {
      const log = (from: DomainStation, at: number) =>
        from.heard.slice(at).map(({ frame, atNs }) => [atNs, frame.wire()]);
      expect(log(station, 0)).toEqual(log(original.stations[i]!, before[i]!));
      expect(station.mac.save()).toEqual(original.stations[i]!.mac.save());
    }
    expect(copy.hub!.save()).toEqual(original.hub!.save());
  }
});
