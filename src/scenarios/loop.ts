/**
 * Three switches in a ring, a host at each, and each host pings the next. Without a spanning tree the first broadcast, an
 * ARP request, runs round and round in both directions, every host gets every copy, and some more of them all but fill the
 * cables, until somebody pulls one out of the ring. With a spanning tree one port of the ring stays shut: nothing
 * circulates, and when the cable is pulled that port takes over.
 */
import type { PortCounters } from '../../hw/ethernet/switch/counters.ts';
import { type PingReport, ping } from '../../kernel/apps/ping.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import { scenario } from '../world/scenario.ts';
import type { SwitchNode } from '../world/world.ts';

/** By then links are up, and the tree stands. */
const START_NS = 2_500_000_000;
/** So long the pings go on before a cable is pulled. */
const BEFORE_NS = 20_000_000;
const END_NS = START_NS + 200_000_000;
const PINGS = { count: 30, intervalNs: 5_000_000, timeoutNs: 2_000_000 };
const HOSTS = ['alice', 'bob', 'carol'];
const MBPS = 100;
/** Preamble, and the gap behind a frame. */
const OVERHEAD_BYTES = 20;
/** Ports of each switch: to the next one, from the one before, to its host. */
const [NEXT, PREVIOUS, HOST] = [0, 1, 2] as const;

/** What the switches have counted by some time. */
interface Count {
  /** By cable of the ring: octets both ways, with what a frame takes besides. */
  readonly ringBytes: readonly number[];
  /** By host: frames that were sent to it. */
  readonly hostFrames: readonly number[];
  readonly addressMoves: number;
  readonly droppedFrames: number;
  /** Ports of the ring that the spanning tree has shut. */
  readonly shut: readonly string[];
}

export default scenario({
  summary: 'three switches in a ring: a broadcast storm, and with --stp on its cure',
  untilNs: END_NS,
  options: { stp: { kind: ['on', 'off'], default: 'off', doc: 'a spanning tree on the switches' } },
  build(world, { stp }) {
    const ports = [{}, {}, { stp: { edge: true } }];
    const switches = ['a', 'b', 'c'].map(name => world.switch(name, { ports, fastestMbps: MBPS, stp: stp === 'on' }));
    const ring = switches.map(({ name, ports }, i) => {
      const next = switches[(i + 1) % switches.length]!;
      return world.cable(`${name}-${next.name}`, ports[NEXT]!, next.ports[PREVIOUS]!);
    });
    const reports = HOSTS.map((name, i): PingReport[] => {
      const host = world.computer(name, { nics: [{ address: `192.0.2.${i + 1}/24` }] });
      world.cable(name, host.nics[0]!, switches[i]!.ports[HOST]!);
      const answers: PingReport[] = [];
      host.start('ping', function* (sys) {
        yield* sys.sleep(START_NS);
        yield* ping(parseIpv4(`192.0.2.${((i + 1) % HOSTS.length) + 1}`), PINGS, report => answers.push(report))(sys);
      });
      return answers;
    });
    const counts: Count[] = [];
    world.clock.timer(() => counts.push(countOf(switches))).armAt(START_NS);
    const pull = world.clock.timer(() => {
      counts.push(countOf(switches));
      ring[0]!.cable.cut();
    });
    pull.armAt(START_NS + BEFORE_NS);
    return {
      result() {
        const [start, before, end] = [...counts, countOf(switches)] as [Count, Count, Count];
        return {
          root: switches.find(({ device }) => device.tree?.isRoot === true)?.name ?? 'none',
          untilCablePulled: report(ring, start, before, BEFORE_NS),
          after: report(ring, before, end, world.clock.nowNs - START_NS - BEFORE_NS),
          pings: Object.fromEntries(
            HOSTS.map((name, i) => [name, `${answered(reports[i]!)} of ${PINGS.count} answered`]),
          ),
        };
      },
    };
  },
});

function countOf(switches: readonly SwitchNode[]): Count {
  const sum = (of: (counters: PortCounters) => number) =>
    switches.flatMap(({ device }) => device.ports).reduce((total, { counters }) => total + of(counters), 0);
  const sent = ({ txFrames, txBytes }: PortCounters) => txBytes + OVERHEAD_BYTES * txFrames;
  return {
    ringBytes: switches.map(({ device }, i) => {
      const next = switches[(i + 1) % switches.length]!.device;
      return sent(device.ports[NEXT]!.counters) + sent(next.ports[PREVIOUS]!.counters);
    }),
    hostFrames: switches.map(({ device }) => device.ports[HOST]!.counters.txFrames),
    addressMoves: sum(({ moved }) => moved),
    droppedFrames: sum(({ droppedQueue, droppedLink }) => droppedQueue + droppedLink),
    shut: switches.flatMap(({ ports, device }) =>
      [NEXT, PREVIOUS].filter(port => device.ports[port]!.state === 'discarding').map(port => ports[port]!.name),
    ),
  };
}

function report(ring: readonly { readonly name: string }[], from: Count, to: Count, lastedNs: number) {
  const bothWaysBytes = (2 * lastedNs * MBPS) / 8000;
  const percent = (bytes: number) => `${((100 * bytes) / bothWaysBytes).toFixed(1)} % full`;
  return {
    milliseconds: lastedNs / 1e6,
    ring: Object.fromEntries(ring.map(({ name }, i) => [name, percent(to.ringBytes[i]! - from.ringBytes[i]!)])),
    framesToHosts: Object.fromEntries(HOSTS.map((name, i) => [name, to.hostFrames[i]! - from.hostFrames[i]!])),
    addressMoves: to.addressMoves - from.addressMoves,
    droppedFrames: to.droppedFrames - from.droppedFrames,
    shutPorts: to.shut.length === 0 ? 'none' : to.shut.join(', '),
  };
}

function answered(reports: readonly PingReport[]): number {
  return reports.filter(({ kind }) => kind === 'reply').length;
}
