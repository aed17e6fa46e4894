/**
 * `npm run bench`: what must be fast, measured. Ratios come from paired runs and hold on a noisy machine; rates are
 * those of this machine at this moment. `--json` prints the same as JSON.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FREE, PCI_LIKE } from '../../src/world/computer.ts';
import { csma } from './csma.ts';
import { events } from './events.ts';
import { filterConnections, filterRules } from './filter.ts';
import { fuzz } from './fuzz.ts';
import { largeNetwork } from './large-network.ts';
import { nat } from './nat.ts';
import { measurePaired } from './paired.ts';
import { registerVariants } from './register-access.ts';
import { forwarding, fullTable } from './router.ts';
import { switched, tableLookups } from './switch.ts';
import { tcpConnections } from './tcp-connections.ts';
import { tcpStream } from './tcp-stream.ts';
import { udpStream } from './udp-stream.ts';

const ROUNDS = 60;
const STREAM_FRAMES = 100_000;
const STREAM_ROUNDS = 4;
const TCP_BYTES = 100_000_000;
const TCP_ROUNDS = 2;
/** The first of them is what the others are compared with. */
const CONNECTIONS = [10, 100, 1000, 10_000] as const;
const CONNECTION_ROUNDS = 20;
const STARTS = 5;
/** Of a TCP transfer, and what it goes through. */
const CHAIN_BYTES = 100_000_000;
const CHAIN_ROUTERS = 3;
const FULL_TABLE_ROUTES = 1_000_000;

/** Saturated stations, and the frames that they send in one round. */
const CSMA_SIZES = [
  [2, 100_000],
  [10, 100_000],
  [100, 10_000],
  [1000, 200],
] as const;
const CSMA_ROUNDS = 2;
/** Rules of a packet filter, and connections that it remembers. */
const FILTER_SIZES = [10, 1000, 100_000] as const;
const FILTER_ROUNDS = 30;
/** Mappings in the table of a NAT. */
const NAT_SIZES = [10, 1000, 100_000] as const;
const NAT_ROUNDS = 30;
const SWITCH_FRAMES = 200_000;
const SWITCH_PORTS = 8;
const SWITCH_ROUNDS = 4;
const TABLE_SIZES = [10, 1000, 100_000];
const MIB = 1024 * 1024;

/** One figure. `aim` is what it should come to, where somebody has said so. */
interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly aim?: string;
}

function main(): void {
  const figures = [
    ...eventFigures(),
    ...registerFigures(),
    ...fuzzFigures(),
    ...streamFigures(),
    ...tcpFigures(),
    ...routerFigures(),
    ...connectionFigures(),
    ...csmaFigures(),
    ...natFigures(),
    ...filterFigures(),
    ...switchFigures(),
    ...largeNetworkFigures(),
    ...processFigures(),
  ];
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
    return;
  }
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, unit, aim } of figures) {
    process.stdout.write(`${name.padEnd(width)}  ${format(value).padStart(12)} ${unit}${aim ? `  (${aim})` : ''}\n`);
  }
}

function eventFigures(): Figure[] {
  return measurePaired([events(8), events(64), events(1024)], ROUNDS).map(({ name, nsPerOperation }) => ({
    name: `events, ${name}`,
    value: 1e9 / nsPerOperation,
    unit: 'events/s',
  }));
}

function registerFigures(): Figure[] {
  const [declared, byHand] = measurePaired(registerVariants(), ROUNDS);
  return [
    { name: 'register accesses through the bus', value: 1e9 / declared!.nsPerOperation, unit: 'accesses/s' },
    {
      name: 'declared registers : hand-written switch',
      value: declared!.nsPerOperation / byHand!.nsPerOperation,
      unit: 'times the cost',
      aim: 'at most 1.5',
    },
  ];
}

function fuzzFigures(): Figure[] {
  const [guest] = measurePaired([fuzz()], ROUNDS);
  return [
    { name: 'fuzz operations', value: 1e9 / guest!.nsPerOperation, unit: 'operations/s' },
    { name: 'time of a fuzz operation', value: guest!.nsPerOperation / 1000, unit: 'us' },
  ];
}

/** The best of a few rounds: the first ones warm the compiler up. */
function streamFigures(): Figure[] {
  const kinds = [
    { name: 'UDP host to host, 1514 B', bytes: 1514, costs: PCI_LIKE, aim: 'aim 250000, at least 100000' },
    { name: 'UDP host to host, 64 B', bytes: 60, costs: PCI_LIKE, aim: '' },
    { name: 'UDP host to host, 1514 B, software free', bytes: 1514, costs: FREE, aim: '' },
  ];
  return kinds.flatMap(({ name, bytes, costs, aim }) => {
    const rounds = Array.from({ length: STREAM_ROUNDS }, () => udpStream(bytes, STREAM_FRAMES, costs));
    const best = Math.max(...rounds.map(({ frames, cpuSeconds }) => frames / cpuSeconds));
    const { eventCount, frames } = rounds[0]!;
    return [
      { name, value: best, unit: 'frames per CPU-second', ...(aim === '' ? {} : { aim }) },
      { name: `${name}: events`, value: eventCount / frames, unit: 'events per frame' },
    ];
  });
}

/** Link frames of a bulk transfer, data and acknowledgements. */
function tcpFigures(): Figure[] {
  const kinds = [
    { name: 'TCP bulk transfer of 100 MB, host to host', costs: PCI_LIKE, aim: 'aim 150000, at least 60000' },
    { name: 'TCP bulk transfer of 100 MB, host to host, software free', costs: FREE, aim: '' },
  ];
  return kinds.map(({ name, costs, aim }) => {
    const rounds = Array.from({ length: TCP_ROUNDS }, () => tcpStream(TCP_BYTES, costs));
    const best = Math.max(...rounds.map(({ frames, cpuSeconds }) => frames / cpuSeconds));
    return { name, value: best, unit: 'frames per CPU-second', ...(aim === '' ? {} : { aim }) };
  });
}

/**
 * Memory and time as the connections of a host grow in number. The memory of a few drowns in what the process does
 * besides, so it is told of the larger numbers only.
 */
function connectionFigures(): Figure[] {
  const all = CONNECTIONS.map(tcpConnections);
  const measured = measurePaired(
    all.map(({ requests }) => requests),
    CONNECTION_ROUNDS,
  );
  const first = measured[0]!;
  return all.flatMap(({ count, idleBytes, usedBytes }, i) => {
    const { name, nsPerOperation } = measured[i]!;
    const time = { name: `${name}: a request and its answer`, value: nsPerOperation / 1000, unit: 'us' };
    const ratio = {
      name: `${name} : ${first.name}`,
      value: nsPerOperation / first.nsPerOperation,
      unit: 'times the time',
      aim: 'flat',
    };
    const memory = [
      { name: `${name}: memory of one, both ends, unused`, value: idleBytes / 1024, unit: 'KiB', aim: 'flat' },
      { name: `${name}: memory of one, both ends, used`, value: usedBytes / 1024, unit: 'KiB', aim: 'flat' },
    ];
    return [time, ...(i === 0 ? [] : [ratio]), ...(count < 1000 ? [] : memory)];
  });
}

/** A router: frames through it, a full routing table, and a transfer through a chain of them. */
function routerFigures(): Figure[] {
  const frames = ([64, 1518] as const).map(bytes => {
    const rounds = Array.from({ length: STREAM_ROUNDS }, () => forwarding(bytes, STREAM_FRAMES, PCI_LIKE));
    const value = Math.max(...rounds.map(round => round.frames / round.cpuSeconds));
    const aim = bytes === 64 ? 'aim 200000' : 'aim 125000';
    return { name: `router, ${bytes} B`, value, unit: 'frames per CPU-second', aim };
  });
  const table = fullTable(FULL_TABLE_ROUTES);
  const chain = tcpStream(CHAIN_BYTES, PCI_LIKE, CHAIN_ROUTERS);
  return [
    ...frames,
    { name: 'full routing table, lookups', value: table.lookupsPerSecond, unit: 'per CPU-second', aim: 'aim 5000000' },
    { name: 'full routing table, memory', value: table.memoryMib, unit: 'MiB' },
    { name: 'full routing table, load', value: table.loadSeconds, unit: 's' },
    { name: 'full routing table, one edit', value: table.editMicroseconds, unit: 'us', aim: 'under 1000' },
    {
      name: `TCP through ${CHAIN_ROUTERS} routers, 100 MB`,
      value: chain.frames / chain.cpuSeconds,
      unit: 'frames per CPU-second',
      aim: 'at least 60000',
    },
    { name: `TCP through ${CHAIN_ROUTERS} routers, 100 MB: time`, value: chain.cpuSeconds, unit: 's' },
    {
      name: `TCP through ${CHAIN_ROUTERS} routers, rate`,
      value: chain.megabitsPerSecond,
      unit: 'Mb/s of virtual time',
    },
  ];
}

/** Saturated stations on a shared medium, and what an edge of a signal costs however many hear it. */
function csmaFigures(): Figure[] {
  return (['coax', 'hub'] as const).flatMap(medium =>
    CSMA_SIZES.flatMap(([stations, frames]) =>
      [64, 1518].flatMap(bytes => {
        const rounds = Array.from({ length: CSMA_ROUNDS }, () => csma(medium, stations, bytes, frames));
        const best = rounds.reduce((a, b) => (a.frames / a.cpuSeconds > b.frames / b.cpuSeconds ? a : b));
        const name = `CSMA/CD on ${medium}, ${stations} stations, ${bytes} B`;
        const aim = stations === 10 && bytes === 64 ? { aim: 'aim 300000' } : {};
        return [
          { name, value: best.frames / best.cpuSeconds, unit: 'frames per CPU-second', ...aim },
          { name: `${name}: event`, value: (1e9 * best.cpuSeconds) / best.eventCount, unit: 'ns' },
        ];
      }),
    ),
  );
}

/** A packet through the tables of a NAT, and how much of that grows with them. */
function natFigures(): Figure[] {
  const measured = measurePaired(NAT_SIZES.map(nat), NAT_ROUNDS);
  const [least] = measured;
  return measured.flatMap(({ name, nsPerOperation }) => [
    { name, value: nsPerOperation, unit: 'ns per packet' },
    { name: `${name} : ${NAT_SIZES[0]}`, value: nsPerOperation / least!.nsPerOperation, unit: 'times the cost' },
  ]);
}

function filterFigures(): Figure[] {
  return [filterRules, filterConnections].flatMap(kind => {
    const measured = measurePaired(FILTER_SIZES.map(kind), FILTER_ROUNDS);
    const [least] = measured;
    return measured.flatMap(({ name, nsPerOperation }) => [
      { name, value: nsPerOperation, unit: 'ns per packet' },
      {
        name: `${name} : ${FILTER_SIZES[0]}`,
        value: nsPerOperation / least!.nsPerOperation,
        unit: 'times the cost',
        aim: 'flat',
      },
    ]);
  });
}

/** Hosts, switches and routers, all with their hardware, drivers and kernels. */
function largeNetworkFigures(): Figure[] {
  const { hosts, answers, eventCount, cpuSeconds, memoryMib, buildSeconds } = largeNetwork();
  const name = `${hosts} hosts on 40 switches and 20 routers`;
  return [
    { name: `${name}: events`, value: eventCount / cpuSeconds, unit: 'events per CPU-second' },
    { name: `${name}: datagrams and their answers`, value: answers / cpuSeconds, unit: 'per CPU-second' },
    { name: `${name}: memory`, value: memoryMib, unit: 'MiB' },
    { name: `${name}: to build it`, value: buildSeconds, unit: 's' },
  ];
}

/** Frames through a switch, and its table of addresses by size. */
function switchFigures(): Figure[] {
  const frames = [64, 1518].map(bytes => {
    const rounds = Array.from({ length: SWITCH_ROUNDS }, () => switched(SWITCH_PORTS, bytes, SWITCH_FRAMES));
    const value = Math.max(...rounds.map(each => each.frames / each.cpuSeconds));
    const name = `switch, ${SWITCH_PORTS} ports at line rate, ${bytes} B`;
    return { name, value, unit: 'frames per CPU-second', aim: 'aim 400000, at least 200000' };
  });
  const tables = measurePaired(TABLE_SIZES.map(tableLookups), ROUNDS).map(({ name, nsPerOperation }) => ({
    name: `switch, learning and looking up among ${name} addresses`,
    value: nsPerOperation,
    unit: 'ns per frame',
  }));
  return [...frames, ...tables];
}

/** Start of the command, and the memory of two hosts. */
function processFigures(): Figure[] {
  const ringtail = fileURLToPath(new URL('../../../../../src/cli/ringtail.js', import.meta.url));
  const times = Array.from({ length: STARTS }, () => {
    const beganNs = process.hrtime.bigint();
    spawnSync(process.execPath, [ringtail, 'list'], { stdio: 'ignore' });
    return Number(process.hrtime.bigint() - beganNs) / 1e9;
  });
  return [
    { name: 'start of the command, `ringtail list`', value: Math.min(...times), unit: 's', aim: 'under 0.4' },
    { name: 'memory of a world of two hosts', value: twoHostsMib(), unit: 'MiB', aim: 'under 100' },
  ];
}

/** How much a process grows that builds and runs a world of two hosts. */
function twoHostsMib(): number {
  const scenario = new URL('../../src/scenarios/two-hosts.js', import.meta.url);
  const world = new URL('../../src/world/world.js', import.meta.url);
  const code = `const { World } = await import(${JSON.stringify(world.href)});
    const { default: scenario } = await import(${JSON.stringify(scenario.href)});
    const before = process.memoryUsage().rss;
    const world = new World('1');
    scenario.build(world);
    world.run(scenario.untilNs);
    process.stdout.write(String(process.memoryUsage().rss - before));`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  return Number(run.stdout) / MIB;
}

const format = (value: number): string => (value >= 1000 ? String(Math.round(value)) : value.toFixed(2));

main();
