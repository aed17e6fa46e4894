/**
 * Five routers in a row, r1 to r5, and r6 beside r3: from r2 to r4 there are two ways that are equally good, and which one
 * a packet goes depends on who sends it to whom. Traceroute shows who is on the way, and, by its marks, why it goes no
 * further: nobody is there (!H), no route leads there (!N), a filter forbids it (!X).
 *
 * With `--loop on` r5 sends everything that it knows no route for back to r4, which got it from there: a loop. What gets
 * into it goes round until its time to live has run out, and traceroute sees the two over and over.
 */
import { type PingReport, ping } from '../../kernel/apps/ping.ts';
import { type TracerouteHop, traceroute } from '../../kernel/apps/traceroute.ts';
import { formatIpv4, parseIpv4 } from '../lib/bytes.ts';
import { scenario } from '../world/scenario.ts';
import { LAN, LINKS_UP_NS, routersInARow } from './traceroute/routers.ts';

const MAX_HOPS = 30;
const PROBES = 3;
/** Longer than a router asks for a host by ARP before it gives up. */
const TIMEOUT_NS = 5_000_000_000;
const END_NS = 120_000_000_000;
/** Where no route leads: beyond all routers. */
const NOWHERE = '198.51.100.1';

/** What is traced, and what it shows. */
const JOURNEYS = [
  [LAN.web, 'a host'],
  [LAN.mail, 'another one, by the other of two equal ways'],
  [LAN.nobody, 'an address that nobody has'],
  [LAN.guarded, 'a host behind a filter'],
  [NOWHERE, 'a network that no route leads to'],
] as const;

interface Trace {
  readonly destination: string;
  readonly what: string;
  readonly hops: readonly TracerouteHop[];
}

export default scenario({
  summary: 'traceroute over five routers: equal ways, !H, !N and !X, and with --loop on a loop in the routes',
  untilNs: END_NS,
  options: { loop: { kind: ['on', 'off'], default: 'off', doc: 'r5 sends back what it knows no route for' } },
  build(world, { loop }) {
    const { client, names, routers } = routersInARow(world, loop === 'on');
    const traces: Trace[] = [];
    const pings: PingReport[] = [];
    client.start('traceroute', function* (sys) {
      yield* sys.sleep(LINKS_UP_NS);
      for (const [destination, what] of JOURNEYS) {
        const hops: TracerouteHop[] = [];
        traces.push({ destination, what, hops });
        const options = { maxHops: MAX_HOPS, probes: PROBES, timeoutNs: TIMEOUT_NS };
        yield* traceroute(parseIpv4(destination), options, hop => hops.push(hop))(sys);
      }
      yield* ping(parseIpv4(NOWHERE), { count: 1, timeoutNs: TIMEOUT_NS }, report => pings.push(report))(sys);
    });
    const nameOf = (address: number): string => names.get(address) ?? formatIpv4(address);
    return {
      result: () => ({
        traces: traces.map(({ destination, what, hops }) => ({
          destination,
          what,
          hops: hops.map(hop => hopOf(hop, nameOf)),
        })),
        [`ping ${NOWHERE}`]: pings.map(report => outcome(report, nameOf)),
        timeToLiveExceeded: Object.fromEntries(
          routers.map(({ name, kernel }) => [name, kernel.net.drops.counts['time to live exceeded']]),
        ),
      }),
      lines: () => [
        ...traces.flatMap(trace => [...traceLines(trace, nameOf), '']),
        ...pings.map(report => `ping ${NOWHERE}: ${outcome(report, nameOf)}`),
      ],
    };
  },
});

type NameOf = (address: number) => string;

/** A hop as data: who answered, how long that took, and the mark of traceroute, null where nobody answered. */
function hopOf({ ttl, probes }: TracerouteHop, nameOf: NameOf) {
  return {
    ttl,
    probes: probes.map(probe =>
      probe.kind === 'timeout'
        ? null
        : { name: nameOf(probe.address), address: formatIpv4(probe.address), rttNs: probe.rttNs, mark: probe.failure },
    ),
  };
}

/** As traceroute prints it: each address once, until another one answers. */
function traceLines({ destination, what, hops }: Trace, nameOf: NameOf): string[] {
  return [
    `traceroute to ${destination} (${what}), ${MAX_HOPS} hops max`,
    ...hops.map(({ ttl, probes }) => {
      let last = -1;
      const texts = probes.map(probe => {
        if (probe.kind === 'timeout') return '*';
        const { address, rttNs, failure } = probe;
        const who = address === last ? '' : `${nameOf(address)} (${formatIpv4(address)})  `;
        last = address;
        return `${who}${(rttNs / 1e6).toFixed(3)} ms${failure === '' ? '' : ` ${failure}`}`;
      });
      return `${String(ttl).padStart(2)}  ${texts.join('  ')}`;
    }),
  ];
}

function outcome(report: PingReport, nameOf: NameOf): string {
  if (report.kind === 'reply') return `an answer after ${report.rttNs} ns`;
  if (report.kind === 'timeout') return 'no answer';
  const { message, reporter } = report.error;
  return `${message}, says ${nameOf(reporter)}`;
}
