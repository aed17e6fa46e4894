/**
 * A page on its way through everything there is between a program and a web server: a network at home with its switch,
 * a router that translates addresses, the routers of a provider and of a data centre, and the server. One segment of the
 * answer is lost on the long cable, and sent again. This is the world that the tour walks through.
 *
 *     alice ──┐
 *             ├── switch ── home ── isp ════════ edge ── server
 *     bob   ──┘             NAT     DNS
 */

import { Resolver } from '../../kernel/apps/dns/resolver.ts';
import { dnsServer } from '../../kernel/apps/dns/server.ts';
import { type FetchReport, httpClient } from '../../kernel/apps/http-client.ts';
import { type HttpAnswer, httpServer } from '../../kernel/apps/http-server.ts';
import { parseIpv4, readBe16 } from '../lib/bytes.ts';
import { formatMapping } from '../world/nat-table.ts';
import { scenario } from '../world/scenario.ts';
import { connectionsOf } from './connections.ts';

const URL = 'http://www.example.net/';
const HOME = '192.168.1.1';
const PUBLIC = '203.0.113.2';
const ISP = '203.0.113.1';
const EDGE = '198.51.100.2';
const SERVER = '192.0.2.80';
/** By then all PHYs have negotiated their links. */
const LINK_UP_NS = 2_000_000_000;
/** The page has come, the server has forgotten, and alice, who closed first, is in TIME-WAIT. */
export const CLOSED_NS = 2_100_000_000;
/** Behind 2 MSL, which is four minutes. */
const END_NS = 250_000_000_000;
const LONG_HAUL_METRES = 100_000;

const PAGE_PARAGRAPHS = 400;
const PAGE = [
  '<!doctype html><title>Example</title>\n',
  ...Array.from({ length: PAGE_PARAGRAPHS }, (_, i) => `<p>This is paragraph ${String(i + 1).padStart(3, '0')}.\n`),
].join('');

/** Which of the full segments from the server does not arrive. */
const LOST_SEGMENT = 3;
const FULL_SEGMENT_BYTES = 1400;
const PROTOCOL_AT = 23;
const SOURCE_PORT_AT = 34;
const isFullSegment = (octets: Uint8Array): boolean =>
  octets.length > FULL_SEGMENT_BYTES && octets[PROTOCOL_AT] === 6 && readBe16(octets, SOURCE_PORT_AT) === 80;

/** What became of the page. */
interface PageSummary {
  readonly url: string;
  /** Of HTTP; null for none, and `error` says why. */
  readonly status: number | null;
  readonly error: string | null;
  readonly bodyBytes: number;
  readonly intact: boolean;
  /** From asking for the name to the last octet. */
  readonly durationNs: number;
}

export interface WebJourneyResult extends PageSummary {
  /** How the server knows alice: address and port. */
  readonly client: string;
  readonly lost: number;
  readonly retransmitted: number;
  /** Shortly after the connection was closed. */
  readonly translations: readonly string[];
  readonly timeWait: readonly string[];
  /** Connections at the end. */
  readonly left: readonly string[];
}

export default scenario({
  summary: 'a web page by way of switch, NAT router and two more routers; one segment is lost, and sent again',
  untilNs: END_NS,
  build(world) {
    const alice = world.computer('alice', { nics: [{ address: '192.168.1.2/24', gateway: HOME }] });
    const bob = world.computer('bob', { nics: [{ address: '192.168.1.3/24', gateway: HOME }] });
    const home = world.computer('home', {
      nics: [{ address: `${HOME}/24` }, { address: `${PUBLIC}/24`, gateway: ISP }],
      forwarding: true,
      nat: { outside: 'eth1' },
    });
    const isp = world.computer('isp', {
      nics: [{ address: `${ISP}/24` }, { address: '198.51.100.1/30' }],
      forwarding: true,
      routes: [{ destination: '192.0.2.0/24', gateway: EDGE }],
    });
    const edge = world.computer('edge', {
      nics: [{ address: `${EDGE}/30`, gateway: '198.51.100.1' }, { address: '192.0.2.1/24' }],
      forwarding: true,
    });
    const server = world.computer('server', { nics: [{ address: `${SERVER}/24`, gateway: '192.0.2.1' }] });
    world.switch('switch', [alice.nics[0]!, bob.nics[0]!, home.nics[0]!]);
    world.cable('access', home.nics[1]!, isp.nics[0]!, { lengthMetres: 1000 });
    const longHaul = world.cable('long-haul', isp.nics[1]!, edge.nics[0]!, {
      lengthMetres: LONG_HAUL_METRES,
      impairments: [null, { lose: { nth: [LOST_SEGMENT], matching: isFullSegment } }],
    });
    world.cable('rack', edge.nics[1]!, server.nics[0]!);

    const answers: HttpAnswer[] = [];
    const reports: FetchReport[] = [];
    isp.start('dns', dnsServer({ zones: [{ origin: 'example.net', records: [['www', 'A', SERVER]] }] }));
    home.start('dns', dnsServer({ resolver: new Resolver({ servers: [parseIpv4(ISP)] }) }));
    server.start('http', httpServer({ documents: new Map([['/', PAGE]]), onAnswer: answer => answers.push(answer) }));
    const resolver = new Resolver({ servers: [parseIpv4(HOME)] });
    alice.start('browser', function* (sys) {
      yield* sys.sleep(LINK_UP_NS);
      yield* httpClient([URL], { resolver }, report => reports.push(report))(sys);
    });
    let translations: readonly string[] = [];
    let timeWait: readonly string[] = [];
    home.start('watch', function* (sys) {
      yield* sys.sleep(CLOSED_NS);
      translations = home.kernel.net.nat!.table().map(formatMapping);
      timeWait = connectionsOf(alice, 'TIME-WAIT');
    });
    return {
      result: (): WebJourneyResult => ({
        ...summaryOf(reports[0]),
        client: answers[0]?.client ?? '',
        lost: longHaul.cable.impairment(1)!.counters.lost,
        retransmitted: server.kernel.net.tcp.counters.retransmitted,
        translations,
        timeWait,
        left: [...connectionsOf(alice), ...connectionsOf(server)],
      }),
    };
  },
});

function summaryOf(report: FetchReport | undefined): PageSummary {
  if (report?.kind !== 'answer') {
    const error = report === undefined ? 'the run was too short' : report.error.message;
    return { url: URL, status: null, error, bodyBytes: 0, intact: false, durationNs: 0 };
  }
  const { durationNs, result } = report;
  const { status, bodyBytes, body } = result;
  const intact = new TextDecoder().decode(body) === PAGE;
  return { url: URL, status, error: null, bodyBytes, intact, durationNs };
}
