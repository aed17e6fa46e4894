/** Histories against the tables themselves: at any time that was sampled they agree, and patches alone lead there. */
import fc from 'fast-check';
import { applyPatches } from 'immer';
import { expect, test } from 'vitest';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import { Clock } from '../../../../hw/sim/clock.ts';
import type { Link } from '../../../../kernel/net/ipv4/link.ts';
import { RouteTable } from '../../../../kernel/net/route.ts';
import { macEntry, macHistory } from '../../../../src/observe/mac-history.ts';
import { mappingEntry, natHistory } from '../../../../src/observe/nat-history.ts';
import { routeEntry, routeHistory } from '../../../../src/observe/route-history.ts';
import type { TableHistory } from '../../../../src/observe/table-history.ts';
import {
  ALICE,
  BOB,
  echoPacket,
  FLAGS,
  NatRig,
  OTHER_SERVER,
  PUBLIC,
  SERVER,
  tcpPacket,
  udpPacket,
} from '../../../support/nat-rig.ts';
import { SwitchRig } from '../../../support/switch-rig.ts';

/** Samples a table while things happen to it, and compares its history with that in the end. */
class Witness<Entry extends object> {
  readonly #history: TableHistory<Entry>;
  readonly #live: () => readonly Entry[];
  readonly #nowNs: () => number;
  /** By time; of several samples at one time the last one counts. */
  readonly #samples = new Map<number, readonly string[]>();

  constructor(history: TableHistory<Entry>, live: () => readonly Entry[], nowNs: () => number) {
    this.#history = history;
    this.#live = live;
    this.#nowNs = nowNs;
    this.sample();
  }

  sample(): void {
    this.#samples.set(this.#nowNs(), texts(this.#live()));
  }

  /** Returns the kinds of changes that there were. */
  verify(): readonly string[] {
    const history = this.#history;
    history.close();
    for (const [timeNs, rows] of this.#samples) {
      expect(texts(Object.values(history.at(timeNs))), `at ${timeNs}`).toEqual(rows);
    }
    const patches = history.changes().flatMap(change => change.patches);
    expect(applyPatches({}, patches)).toEqual(history.current);
    return history.changes().flatMap(({ rows }) => rows.map(({ change }) => change));
  }
}

const texts = (rows: readonly object[]): readonly string[] => rows.map(row => JSON.stringify(row)).toSorted();

/** A case in so many, as a share of those that a property has otherwise. */
const runs = (share: number) => ({ numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! * share) });

const host = fc.constantFrom(ALICE, BOB);
const server = fc.constantFrom(SERVER, OTHER_SERVER);
const port = fc.integer({ min: 4000, max: 4002 });
const natStep = fc.oneof(
  fc.record({ kind: fc.constant('udp' as const), host, server, port }),
  fc.record({ kind: fc.constant('echo' as const), host, server, port }),
  fc.record({
    kind: fc.constant('tcp' as const),
    host,
    server,
    port,
    flags: fc.constantFrom(FLAGS.SYN, FLAGS.ACK, FLAGS.FIN | FLAGS.ACK, FLAGS.RST),
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    server,
    nth: fc.nat(5),
    flags: fc.constantFrom(FLAGS.SYN | FLAGS.ACK, FLAGS.ACK, FLAGS.FIN | FLAGS.ACK, FLAGS.RST),
  }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 59, 61, 241, 301, 7441) }),
);

function natMoves(rig: NatRig, step: typeof natStep extends fc.Arbitrary<infer T> ? T : never): void {
  switch (step.kind) {
    case 'udp':
      rig.fromInside(udpPacket(`${step.host}:${step.port}`, `${step.server}:53`));
      break;
    case 'echo':
      rig.fromInside(echoPacket(step.host, step.server, 8, step.port));
      break;
    case 'tcp':
      rig.fromInside(tcpPacket(`${step.host}:${step.port}`, `${step.server}:80`, step.flags));
      break;
    case 'answer': {
      const rows = rig.nat.table().filter(({ protocol }) => protocol === 'tcp');
      const row = rows[step.nth % rows.length];
      if (row !== undefined) rig.fromOutside(tcpPacket(`${step.server}:80`, `${PUBLIC}:${row.publicPort}`, step.flags));
      break;
    }
    case 'wait':
      rig.wait(step.seconds);
  }
}

test('the history of a NAT has each mapping and its sessions as the table had them', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(natStep, { maxLength: 40, size: 'max' }), steps => {
      const rig = new NatRig();
      const clock = {
        get nowNs() {
          return rig.nowNs();
        },
      } as Clock;
      const history = natHistory(rig.nat, 'router', clock);
      const witness = new Witness(
        history,
        () => rig.nat.table().map(mappingEntry),
        () => rig.nowNs(),
      );
      for (const step of steps) {
        natMoves(rig, step);
        witness.sample();
      }
      for (const change of witness.verify()) seen.add(change);
    }),
    runs(0.5),
  );
  expect(seen.size, 'added, changed, removed').toBe(3);
});

const macStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('frame' as const), at: fc.nat(2), from: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 4000, 9999, 10_001) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cable' as const), at: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('static' as const), at: fc.nat(2), from: fc.nat(5) }) },
);

function macMoves(rig: SwitchRig, step: typeof macStep extends fc.Arbitrary<infer T> ? T : never): void {
  switch (step.kind) {
    case 'frame': {
      const octets = new Uint8Array(60).fill(0xff, 0, 6);
      octets.set([2, 0, 0, 0, 0, step.from], 6);
      if (rig.device.ports[step.at]!.up) rig.send(step.at, Frame.withFcs(octets));
      break;
    }
    case 'wait':
      rig.pass(step.ms * 1_000_000);
      break;
    case 'cable':
      if (rig.device.ports[step.at]!.up) rig.cables[step.at]!.cut();
      else rig.cables[step.at]!.repair();
      rig.pass(3_000_000_000);
      break;
    case 'static':
      try {
        rig.device.addStatic(Uint8Array.of(2, 0, 0, 0, 0, step.from), step.at);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
  }
}

test('the history of a switch has each address at the port where the table had it', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(macStep, { maxLength: 30, size: 'max' }), steps => {
      const rig = new SwitchRig(3, { ageingSeconds: 10, tableEntries: 4 }).up();
      const history = macHistory(rig.device, 'sw', rig.clock);
      const witness = new Witness(
        history,
        () => rig.device.table().map(macEntry),
        () => rig.clock.nowNs,
      );
      for (const step of steps) {
        macMoves(rig, step);
        witness.sample();
      }
      for (const change of witness.verify()) seen.add(change);
    }),
    runs(0.3),
  );
  expect(seen.size, 'added, changed, removed').toBe(3);
});

const LINKS: readonly Link[] = ['eth0', 'eth1'].map((name, i) => ({
  name,
  type: 'none',
  mtu: 1500,
  address: 0x0a00_0001 + i * 0x100,
  prefixLength: 24,
  broadcast: 0xffff_ffff,
  loopback: false,
  features: { checksum: false, segmentationBuffers: 0, vlan: false },
  send: () => {},
}));
const route = fc.record({
  destination: fc.constantFrom(0, 0x0a01_0000, 0xc0a8_0000),
  prefixLength: fc.constantFrom(0, 16),
  gateway: fc.nat(2),
  link: fc.constantFrom(...LINKS),
  metric: fc.nat(1),
});
const edit = fc.record({ action: fc.constantFrom('add' as const, 'remove' as const), route });
const routeStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), edits: fc.array(edit, { maxLength: 8 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('link' as const), link: fc.constantFrom(...LINKS), up: fc.boolean() }),
  },
);

test('the history of a routing table has each edit as one change, and routes as the table had them', () => {
  fc.assert(
    fc.property(fc.array(routeStep, { maxLength: 20, size: 'max' }), steps => {
      const clock = new Clock();
      const table = new RouteTable();
      const history = routeHistory(table, 'router', clock);
      const witness = new Witness(
        history,
        () => table.list().map(routeEntry),
        () => clock.nowNs,
      );
      for (const [i, step] of steps.entries()) {
        clock.run(100 * (i + 1));
        const before = history.changes().length;
        if (step.kind === 'edit') table.edit(step.edits);
        else table.linkChanged(step.link, step.up);
        expect(history.changes().length - before).toBeLessThanOrEqual(1);
        witness.sample();
      }
      witness.verify();
    }),
  );
});
