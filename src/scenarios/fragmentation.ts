/**
 * A path on which every link takes less than the one before: 1500, 1000 and 576 octets. Datagrams of 8000 octets, which
 * may be cut, leave in fragments; the routers cut these again, and only the far host puts them together. A fragment that
 * is lost (`--lose 3`) takes its whole datagram with it: after 60 seconds the far host gives up and, if it has the first
 * fragment, says so (ICMP 11/1).
 *
 * Where DF forbids to cut, a router says what the next link takes (ICMP 3/4), and the sender finds the path MTU link by
 * link. Two hosts find it, each by itself: on `udp` a program is told and sends less, on `tcp` the stream is cut into
 * smaller segments, and no program hears of it.
 */
import { type BulkReport, bulkSender, bulkSink } from '../../kernel/apps/bulk.ts';
import { type UdpClientReport, udpClient } from '../../kernel/apps/udp-client.ts';
import { ECHO_PORT, udpEcho } from '../../kernel/apps/udp-echo.ts';
import { formatIpv4, parseIpv4 } from '../lib/bytes.ts';
import { scenario } from '../world/scenario.ts';
import { after } from './delayed-program.ts';
import { countFragments, watchLongest } from './fragmentation/packets.ts';
import { FAR, LAST_LINK_FRAGMENTS, narrowingPath, PLAIN } from './fragmentation/path.ts';
import { type Attempt, pathMtuProbe } from './fragmentation/path-mtu-probe.ts';

const LINK_UP_NS = 2_000_000_000;
/** The senders begin one after the other, so that a capture is easy to read. */
const UDP_AT_NS = LINK_UP_NS + 100_000_000;
const TCP_AT_NS = LINK_UP_NS + 200_000_000;
/** Behind the time that the far host waits for a fragment. */
const END_NS = 64_000_000_000;
const DATAGRAMS = 3;
const DATAGRAM_BYTES = 8000;
/** A little longer than the far host waits. */
const TIMEOUT_NS = 61_000_000_000;
const STREAM_BYTES = 100_000;

export default scenario({
  summary: 'datagrams of 8000 octets over links of 1500, 1000 and 576: fragments, and with DF path MTU discovery',
  untilNs: END_NS,
  options: {
    lose: {
      kind: 'integer',
      default: null,
      doc: `fragment of the first datagram, 1 to ${LAST_LINK_FRAGMENTS}, that the last link loses; none unless given`,
    },
  },
  build(world, { lose }) {
    const { plain, udp, tcp, far, routers, links, tcpWire } = narrowingPath(world, lose);
    const address = parseIpv4(FAR);
    const echoes: UdpClientReport[] = [];
    const attempts: Attempt[] = [];
    const arrived: BulkReport[] = [];
    far.start('echo', udpEcho());
    far.start(
      'sink',
      bulkSink(report => arrived.push(report)),
    );
    const datagrams = { count: DATAGRAMS, payloadBytes: DATAGRAM_BYTES, timeoutNs: TIMEOUT_NS };
    const client = udpClient(address, ECHO_PORT, datagrams, report => echoes.push(report));
    plain.start('client', after(LINK_UP_NS, client));
    udp.start('probe', after(UDP_AT_NS, pathMtuProbe(address, attempts)));
    tcp.start(
      'stream',
      after(
        TCP_AT_NS,
        bulkSender(address, { totalBytes: STREAM_BYTES }, () => {}),
      ),
    );
    const counts = links.map(({ wire }) => countFragments(wire.cable, parseIpv4(PLAIN)));
    const pathMtu = () => tcp.kernel.net.ipv4Output.pathMtu(address);
    const longest = watchLongest(tcpWire.cable, pathMtu);
    const result = (): Result => ({
      fragmentsPerDatagram: Object.fromEntries(links.map(({ mtu }, i) => [`MTU ${mtu}`, [...counts[i]!.values()]])),
      datagrams: echoes.map(outcome),
      reassembly: { ...far.kernel.net.ipv4Input.reassembly.counters },
      'udp with DF': attempts,
      'tcp with DF': {
        longestPackets: longest,
        pathMtu: pathMtu(),
        arrivedBytes: arrived[0]?.bytes ?? 0,
        intact: arrived[0]?.intact ?? false,
      },
      fragmentationNeeded: Object.fromEntries(
        routers.map(({ name, kernel }) => [name, kernel.net.drops.counts['fragmentation needed']]),
      ),
    });
    return { result, lines: () => linesOf(result()) };
  },
});

interface Result {
  readonly fragmentsPerDatagram: Readonly<Record<string, readonly number[]>>;
  readonly datagrams: readonly string[];
  readonly reassembly: Readonly<Record<'fragments' | 'reassembled' | 'timedOut', number>>;
  readonly 'udp with DF': readonly Attempt[];
  readonly 'tcp with DF': {
    readonly longestPackets: readonly number[];
    readonly pathMtu: number;
    readonly arrivedBytes: number;
    readonly intact: boolean;
  };
  readonly fragmentationNeeded: Readonly<Record<string, number>>;
}

function linesOf({ fragmentsPerDatagram, datagrams, reassembly, fragmentationNeeded, ...df }: Result): string[] {
  const { 'udp with DF': attempts, 'tcp with DF': tcp } = df;
  return [
    `${datagrams.length} datagrams of ${DATAGRAM_BYTES} octets, in fragments`,
    ...Object.entries(fragmentsPerDatagram).map(([link, counts]) => `  ${link.padEnd(8)}  ${counts.join(', ')}`),
    ...datagrams.map((text, i) => `  datagram ${i + 1}: ${text}`),
    `  at the far host: ${reassembly.reassembled} put together, ${reassembly.timedOut} given up`,
    'udp with DF',
    ...attempts.map(attempt => `  ${String(attempt.packetBytes).padStart(4)} octets: ${textOf(attempt)}`),
    'tcp with DF',
    `  longest packets, one after the other: ${tcp.longestPackets.join(', ')} octets`,
    `  ${tcp.arrivedBytes} octets arrived, ${tcp.intact ? 'intact' : 'changed'}`,
    'packets that routers refused with ICMP 3/4',
    ...Object.entries(fragmentationNeeded).map(([name, count]) => `  ${name}: ${count}`),
  ];
}

function textOf(attempt: Attempt): string {
  if (attempt.outcome !== 'too long') return attempt.outcome;
  return `ICMP ${attempt.icmp} from ${attempt.router}, the next link takes ${attempt.nextMtu}`;
}

function outcome(report: UdpClientReport): string {
  if (report.kind === 'answer') return report.intact ? 'came back whole' : 'came back changed';
  if (report.kind === 'timeout') return 'no answer';
  const { message, report: icmp } = report.error;
  return icmp === null ? message : `${message} (ICMP ${icmp.type}/${icmp.code} from ${formatIpv4(icmp.reporter)})`;
}
