/**
 * Two computers that talk at the same moment, each to an echo program on the other: what the scenarios about half and
 * full duplex have in common. What they differ in is what is between them, and what that does to their frames.
 */
import { ping } from '../../../kernel/apps/ping.ts';
import { udpClient } from '../../../kernel/apps/udp-client.ts';
import { ECHO_PORT, udpEcho } from '../../../kernel/apps/udp-echo.ts';
import { parseIpv4 } from '../../lib/bytes.ts';
import { frameEvents } from '../../observe/frame-probe.ts';
import { type Signal, spaceTime } from '../../observe/space-time.ts';
import type { Computer } from '../../world/computer.ts';
import type { NicOptions } from '../../world/nic.ts';
import type { ScenarioRun } from '../../world/scenario.ts';
import type { Wire, World } from '../../world/world.ts';

const ADDRESSES = ['192.0.2.1', '192.0.2.2'] as const;
const NAMES = ['alice', 'bob'] as const;
/** By then every kind of link is up. */
const LINK_UP_NS = 2_500_000_000;
/** Both begin at once. By then they know each other's hardware address. */
const TALK_NS = 3_000_000_000;
const TIMEOUT_NS = 20_000_000;
/** Two that give up at the same time would go on in step for ever. */
const timeoutNs = (talker: number): number => TIMEOUT_NS + talker * 777_777;
/** Signals of each host that the diagram shows. */
const SHOWN_SIGNALS = 4;

export const TALKERS_END_NS = 4_000_000_000;

/** Counters of the drivers that tell the story; those that stayed at zero on both sides are left out. */
const COUNTERS = {
  GPTC: 'frames sent',
  GPRC: 'good frames received',
  DC: 'frames that had to wait',
  COLC: 'collisions',
  SCC: 'frames sent after one collision',
  MCC: 'frames sent after several',
  ECOL: 'frames given up after 16 collisions',
  LATECOL: 'late collisions',
  CRCERRS: 'frames received with a bad FCS',
  ALGNERRC: 'the same, ending between octets',
  RFC: 'fragments received',
  txErrors: 'frames that were never sent',
} as const;

type Counter = keyof typeof COUNTERS;

export interface TalkersOptions {
  /** NIC options of alice, and of bob. */
  readonly nics: readonly [NicOptions, NicOptions];
  readonly datagrams: number;
  readonly payloadBytes: number;
  /** What the run shows, in a sentence or two. */
  readonly moral: string;
  /** Puts something between the two. Returns the wires, each with a talker at its end 0, or the one between both. */
  connect(world: World, talkers: readonly [Computer, Computer]): { wires: readonly Wire[]; delayNs: number };
}

export interface TalkersResult {
  readonly datagrams: Readonly<Record<'alice' | 'bob', { readonly sent: number; readonly answered: number }>>;
  readonly counters: Readonly<Record<'alice' | 'bob', Readonly<Record<Counter, number>>>>;
}

/** Builds the world and starts the talk. */
export function twoTalkers(world: World, options: TalkersOptions): ScenarioRun {
  const [alice, bob] = NAMES.map((name, i) =>
    world.computer(name, { nics: [{ address: `${ADDRESSES[i]}/24`, ...options.nics[i] }] }),
  ) as [Computer, Computer];
  const { wires, delayNs } = options.connect(world, [alice, bob]);
  const signals = watch(world, wires);
  const answered = [0, 0];
  for (const [i, talker] of [alice, bob].entries()) {
    const peer = parseIpv4(ADDRESSES[1 - i]!);
    talker.start('echo', udpEcho());
    talker.start('client', function* (sys) {
      yield* sys.sleep(LINK_UP_NS + i * 100_000_000);
      yield* ping(peer, { count: 1, timeoutNs: TIMEOUT_NS }, () => {})(sys);
      yield* sys.sleep(TALK_NS - sys.nowNs());
      const { datagrams: count, payloadBytes } = options;
      yield* udpClient(peer, ECHO_PORT, { count, payloadBytes, timeoutNs: timeoutNs(i) }, report => {
        if (report.kind === 'answer') answered[i]! += 1;
      })(sys);
    });
  }
  const result = (): TalkersResult => ({
    datagrams: {
      alice: { sent: options.datagrams, answered: answered[0]! },
      bob: { sent: options.datagrams, answered: answered[1]! },
    },
    counters: { alice: countersOf(alice), bob: countersOf(bob) },
  });
  return { result, lines: () => [...story(result(), options.moral), '', ...diagram(signals, delayNs)] };
}

/** Keeps what each talker puts on its wire from the talk on: at first up to the first collision, then a few more. */
function watch(world: World, wires: readonly Wire[]): readonly (readonly Signal[])[] {
  const tracks: Signal[][] = [[], []];
  let collided = false;
  for (const [i, { cable }] of wires.entries()) {
    frameEvents(cable).subscribe(({ fromEnd, timeNs, endNs, jamNs, aborted }) => {
      const talker = wires.length === 1 ? fromEnd : i;
      if (world.clock.nowNs < TALK_NS || (wires.length > 1 && fromEnd === 1)) return;
      collided ||= aborted;
      const track = tracks[talker]!;
      if (collided && track.length >= SHOWN_SIGNALS) return;
      if (track.length >= SHOWN_SIGNALS) track.shift();
      track.push({ startNs: timeNs, endNs, jamNs });
    });
  }
  return tracks;
}

function countersOf(computer: Computer): Record<Counter, number> {
  const statistics = computer.kernel.net.interfaces[0]!.statistics();
  const names = Object.keys(COUNTERS) as Counter[];
  return Object.fromEntries(names.map(name => [name, statistics[name] ?? 0])) as Record<Counter, number>;
}

function story({ datagrams, counters }: TalkersResult, moral: string): readonly string[] {
  const shown = Object.entries(COUNTERS).filter(([name]) => NAMES.some(host => counters[host][name as Counter] > 0));
  return [
    ...NAMES.map(name => `${name.padEnd(6)} ${datagrams[name].answered} of ${datagrams[name].sent} datagrams answered`),
    '',
    `${''.padEnd(10)}${NAMES.map(name => name.padStart(7)).join('')}`,
    ...shown.map(([name, meaning]) => {
      const cells = NAMES.map(host => String(counters[host][name as Counter]).padStart(7));
      return `${name.padEnd(10)}${cells.join('')}  ${meaning}`;
    }),
    '',
    moral,
  ];
}

function diagram(signals: readonly (readonly Signal[])[], delayNs: number): readonly string[] {
  const startNs = Math.min(...signals.flat().map(signal => signal.startNs));
  const tracks = signals.map((transmissions, i) => ({
    name: NAMES[i]!,
    transmissions: transmissions.map(({ startNs: from, endNs, jamNs }) => ({
      startNs: from - startNs,
      endNs: endNs - startNs,
      jamNs: jamNs - startNs,
    })),
  }));
  const key = '| silence   * sends   # jams   : hears the other   X hears while it sends';
  return [`${NAMES.join(' (0) and ')} (1):`, ...spaceTime(tracks, () => delayNs, 1000, 'us').split('\n'), key];
}
