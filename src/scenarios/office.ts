/**
 * An office of two departments, sales in VLAN 10 and engineering in VLAN 20, with desks of both at three switches that
 * are joined by trunks, in a ring. Who broadcasts is heard in the own department only. From one to the other leads a
 * router, which has a cable to an access port of each VLAN, and what it passes on crosses the same switches twice.
 *
 * In the middle of the run somebody cuts one cable of the ring. With a spanning tree (the default) the port that it had
 * shut takes over, after a few pings. With `--stp off` broadcasts of both departments go round from the first one on, in
 * all the cables, until that cut ends the storm.
 */
import { type PingReport, ping } from '../../kernel/apps/ping.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { scenario } from '../world/scenario.ts';
import type { SwitchNode, World } from '../world/world.ts';
import { broadcasts, type Hearing } from './office/broadcasts.ts';
import { countOf, type Phase, phaseOf, type SwitchCount, tableOf } from './office/switch-report.ts';

/** By then links are up, and the tree stands. */
const START_NS = 2_500_000_000;
/** From then on until a cable is cut. Programs begin some 14 ms later than they are told: computers boot first. */
const BEFORE_NS = 40_000_000;
/** Long enough for an ARP request that was lost in a storm to be sent again, after a second. */
const END_NS = START_NS + 1_300_000_000;
const PINGS = { count: 120, intervalNs: 10_000_000, timeoutNs: 5_000_000 };
const MBPS = 100;
/** Ports of each switch: to the next one, from the one before; then desks, and at the first one the router. */
const [NEXT, PREVIOUS, DESKS] = [0, 1, 2] as const;
const SWITCHES = ['floor1', 'floor2', 'floor3'] as const;
const VLANS = { sales: 10, engineering: 20 } as const;

/** The desks: department, number in its network, which is that of the VLAN, and floor. */
const DESK = {
  alice: { department: 'sales', number: 1, floor: 0 },
  bob: { department: 'sales', number: 2, floor: 1 },
  carol: { department: 'engineering', number: 1, floor: 0 },
  dave: { department: 'engineering', number: 2, floor: 2 },
} as const;
type Name = keyof typeof DESK;
const NAMES = Object.keys(DESK) as Name[];
/** Who pings whom: a colleague by way of the cable that is cut, and somebody beyond the router. */
const JOURNEYS = [
  ['alice', 'bob'],
  ['bob', 'dave'],
] as const;

export default scenario({
  summary: 'two departments as VLANs over three switches in a ring, a router between them, and a cable that is cut',
  untilNs: END_NS,
  options: { stp: { kind: ['on', 'off'], default: 'on', doc: 'a spanning tree on the switches' } },
  build(world, { stp }) {
    const switches = SWITCHES.map((name, floor) => floorSwitch(world, name, floor, stp === 'on'));
    const ring = switches.map(({ name, ports }, i) => {
      const next = switches[(i + 1) % switches.length]!;
      return world.cable(`${name}-${next.name}`, ports[NEXT]!, next.ports[PREVIOUS]!);
    });
    const desks = NAMES.map(name => desk(world, name, switches));
    const router = theRouter(world, switches[0]!);
    const hearing = broadcasts(
      desks.map((host, i) => [host, broadcastOf(NAMES[i]!)] as const),
      START_NS,
    );
    const journeys = JOURNEYS.map(([from, to]) => journey(world.computers.get(from)!, to));
    const counts: SwitchCount[] = [];
    const tables: ReturnType<typeof tablesOf>[] = [];
    const look = () => {
      counts.push(countOf(switches));
      tables.push(tablesOf(switches, [...desks, router]));
    };
    world.clock.timer(look).armAt(START_NS);
    const cut = world.clock.timer(() => {
      look();
      ring[0]!.cable.cut();
    });
    cut.armAt(START_NS + BEFORE_NS);
    const result = () => {
      const [start, before, end] = [...counts, countOf(switches)] as [SwitchCount, SwitchCount, SwitchCount];
      return {
        root: switches.find(({ device }) => device.tree?.isRoot === true)?.name ?? 'none',
        untilCut: phaseOf(start, before, BEFORE_NS, MBPS),
        after: phaseOf(before, end, world.clock.nowNs - START_NS - BEFORE_NS, MBPS),
        broadcastsHeard: Object.fromEntries(hearing.map((each, i) => [NAMES[i]!, heard(each)])),
        pings: Object.fromEntries(journeys.map(({ label, reports }) => [label, outcome(reports)])),
        forwardedByRouter: router.kernel.net.ipv4Forward!.counters.forwarded,
        macTables: { beforeCut: tables[1]!, atEnd: tablesOf(switches, [...desks, router]) },
      };
    };
    return { result, lines: () => linesOf(result(), ring[0]!.name) };
  },
});

type Result = {
  readonly root: string;
  readonly untilCut: Phase;
  readonly after: Phase;
  readonly broadcastsHeard: Readonly<Record<string, ReturnType<typeof heard>>>;
  readonly pings: Readonly<Record<string, ReturnType<typeof outcome>>>;
  readonly forwardedByRouter: number;
  readonly macTables: { readonly beforeCut: ReturnType<typeof tablesOf>; readonly atEnd: ReturnType<typeof tablesOf> };
};

const addressOf = (name: Name): string => `10.0.${VLANS[DESK[name].department]}.${DESK[name].number}`;
const broadcastOf = (name: Name): number => parseIpv4(`10.0.${VLANS[DESK[name].department]}.255`);

/** One of the ring: two trunks, two desks or access ports of the router. The lowest priority makes the first the root. */
function floorSwitch(world: World, name: string, floor: number, stp: boolean): SwitchNode {
  const trunk = { vlans: { trunk: Object.values(VLANS), native: null } } as const;
  const access = (vlan: number) => ({ vlans: { access: vlan }, stp: { edge: true } });
  const desks = NAMES.filter(each => DESK[each].floor === floor).map(each => access(VLANS[DESK[each].department]));
  const router = floor === 0 ? Object.values(VLANS).map(access) : [];
  return world.switch(name, { ports: [trunk, trunk, ...desks, ...router], fastestMbps: MBPS, stp });
}

function desk(world: World, name: Name, switches: readonly SwitchNode[]): Computer {
  const { department, floor } = DESK[name];
  const gateway = `10.0.${VLANS[department]}.254`;
  const host = world.computer(name, { nics: [{ address: `${addressOf(name)}/24`, gateway }] });
  const place = NAMES.filter(each => DESK[each].floor === floor).indexOf(name);
  world.cable(name, host.nics[0]!, switches[floor]!.ports[DESKS + place]!);
  return host;
}

/** A NIC for each department, at the last ports of `floor`. */
function theRouter(world: World, floor: SwitchNode): Computer {
  const vlans = Object.values(VLANS);
  const nics = vlans.map(vlan => ({ address: `10.0.${vlan}.254/24` }));
  const router = world.computer('router', { nics, forwarding: true });
  for (const [i, nic] of router.nics.entries()) {
    world.cable(nic.name, nic, floor.ports[floor.ports.length - vlans.length + i]!);
  }
  return router;
}

interface Journey {
  readonly label: string;
  readonly reports: readonly PingReport[];
}

function journey(from: Computer, to: Name): Journey {
  const reports: PingReport[] = [];
  from.start('ping', function* (sys) {
    yield* sys.sleep(START_NS);
    yield* ping(parseIpv4(addressOf(to)), PINGS, report => reports.push(report))(sys);
  });
  return { label: `${from.name} to ${to}`, reports };
}

/** By sender, how often it was heard; a storm repeats each of them. */
const heard = ({ bySource }: Hearing): Readonly<Record<string, number>> =>
  Object.fromEntries(
    NAMES.map(name => [name, bySource.get(parseIpv4(addressOf(name))) ?? 0] as const).filter(([, times]) => times > 0),
  );

/** `routers`: how many each answer has passed, by its time to live, which hosts begin at 64. */
function outcome(reports: readonly PingReport[]) {
  const replies = reports.filter(report => report.kind === 'reply');
  return {
    sent: reports.length,
    answered: replies.length,
    lost: runsOf(reports.filter(({ kind }) => kind !== 'reply').map(({ sequence }) => sequence)),
    routers: replies.length === 0 ? null : 64 - replies[0]!.ttl,
  };
}

/** Ascending numbers, those in a row as one: `1, 5-14`. */
function runsOf(numbers: readonly number[]): string {
  const begins = numbers.filter(number => !numbers.includes(number - 1));
  const ends = numbers.filter(number => !numbers.includes(number + 1));
  return begins.map((begin, i) => (begin === ends[i] ? `${begin}` : `${begin}-${ends[i]}`)).join(', ');
}

const tablesOf = (switches: readonly SwitchNode[], computers: readonly Computer[]) =>
  Object.fromEntries(switches.map(node => [node.name, tableOf(node, computers)]));

function linesOf(result: Result, cut: string): readonly string[] {
  const { root, untilCut, after, broadcastsHeard, pings, macTables } = result;
  const phase = ({ milliseconds, ringPercent, framesToDesks, addressMoves, droppedFrames, shutPorts }: Phase) => [
    `  ${milliseconds} ms, ring ${ringPercent} % full, ${framesToDesks} frames to desks and router`,
    `  ${addressMoves} addresses moved, ${droppedFrames} frames dropped, shut: ${shutPorts.join(', ') || 'none'}`,
  ];
  const table = (rows: readonly string[]) => rows.map(row => `    ${row}`);
  return [
    `root of the spanning tree: ${root}`,
    `until ${cut} is cut`,
    ...phase(untilCut),
    'after that',
    ...phase(after),
    'broadcasts heard',
    ...Object.entries(broadcastsHeard).map(([name, from]) => {
      const list = Object.entries(from).map(([sender, times]) => `${times} of ${sender}'s`);
      return `  ${name.padEnd(6)} ${list.join(', ') || 'none'}`;
    }),
    'pings',
    ...Object.entries(pings).map(
      ([label, { sent, answered, lost, routers }]) =>
        `  ${label.padEnd(14)} ${answered} of ${sent} answered, by ${routers ?? '?'} routers` +
        (lost === '' ? '' : `; lost: ${lost}`),
    ),
    'MAC tables at the end (VLAN, whose address, port)',
    ...Object.entries(macTables.atEnd).flatMap(([name, rows]) => [`  ${name}`, ...table(rows)]),
  ];
}
