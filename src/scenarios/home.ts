/**
 * A network at home: two hosts behind a hub or a switch, and a router that has one public address for all of them, with a
 * name server in it that asks the one of the provider. Both hosts fetch a page from the Internet at once. One of them
 * has a web server of its own, to which a port of the public address leads: a visitor reaches it from outside, and the
 * neighbour reaches it by the public name from inside, by way of the router and back (hairpinning).
 *
 *     alice ──┐                           ┌── www
 *             ├── switch or hub ── home ── isp
 *     bob   ──┘                    NAT    └── visitor
 */

import { Resolver } from '../../kernel/apps/dns/resolver.ts';
import { dnsServer } from '../../kernel/apps/dns/server.ts';
import { type FetchReport, httpClient } from '../../kernel/apps/http-client.ts';
import { type HttpAnswer, httpServer } from '../../kernel/apps/http-server.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { formatMapping, MAPPING_COLUMNS } from '../world/nat-table.ts';
import { scenario } from '../world/scenario.ts';
import { after } from './delayed-program.ts';

const ROUTER = '192.168.1.1';
const BOB = '192.168.1.3';
const PUBLIC = '203.0.113.2';
const ISP = '203.0.113.1';
const WWW = '192.0.2.80';
const VISITOR = '198.51.100.7';
/** The address of the provider's router on the visitor's network, where its name server answers too. */
const VISITORS_ISP = '198.51.100.1';
/** The port of the public address that leads to bob's web server. */
const FORWARDED_PORT = 8080;
const PAGE_URL = 'http://www.example.net/';
const BOB_URL = `http://home.example.net:${FORWARDED_PORT}/`;
/** By then all PHYs have negotiated their links. */
const LINK_UP_NS = 2_000_000_000;
const VISIT_NS = 3_000_000_000;
const END_NS = 4_000_000_000;
const ACCESS_METRES = 5000;
const PAGE = `<!doctype html><title>Example</title>\n${'<p>All of this fits into no single segment.\n'.repeat(1000)}`;
const BOBS_PAGE = "<!doctype html><title>bob's</title>\n";

/** What became of the pages, and what the addresses looked like to whom. */
export interface HomeResult {
  readonly fetches: readonly string[];
  /** As the server in the Internet knows its clients: address and port. */
  readonly seenByWww: readonly string[];
  /** As bob's server knows them. */
  readonly seenByBob: readonly string[];
  readonly translations: readonly string[];
  /** Collisions that the three NICs in the house have had. */
  readonly collisions: number;
}

export default scenario({
  summary: 'two hosts at home behind one public address: NAT, DNS, a forwarded port, and a hairpin',
  untilNs: END_NS,
  options: { segment: { kind: ['switch', 'hub'], default: 'switch', doc: 'what joins the network at home' } },
  build(world, { segment }) {
    const alice = world.computer('alice', { nics: [{ address: '192.168.1.2/24', gateway: ROUTER }] });
    const bob = world.computer('bob', { nics: [{ address: `${BOB}/24`, gateway: ROUTER }] });
    const home = world.computer('home', {
      nics: [{ address: `${ROUTER}/24` }, { address: `${PUBLIC}/24`, gateway: ISP }],
      forwarding: true,
      nat: { outside: 'eth1', forward: [{ protocol: 'tcp', port: FORWARDED_PORT, to: `${BOB}:80` }] },
    });
    const isp = world.computer('isp', {
      nics: [{ address: `${ISP}/24` }, { address: '192.0.2.1/24' }, { address: `${VISITORS_ISP}/24` }],
      forwarding: true,
    });
    const www = world.computer('www', { nics: [{ address: `${WWW}/24`, gateway: '192.0.2.1' }] });
    const visitor = world.computer('visitor', { nics: [{ address: `${VISITOR}/24`, gateway: VISITORS_ISP }] });
    const inside = [alice, bob, home];
    const jacks = inside.map(({ nics }) => nics[0]!);
    if (segment === 'hub') world.hub('hub', jacks);
    else world.switch('switch', jacks);
    world.cable('access', home.nics[1]!, isp.nics[0]!, { lengthMetres: ACCESS_METRES });
    world.cable('rack', isp.nics[1]!, www.nics[0]!);
    world.cable('elsewhere', isp.nics[2]!, visitor.nics[0]!);

    const zone = { origin: 'example.net', records: [['www', 'A', WWW] as const, ['home', 'A', PUBLIC] as const] };
    isp.start('dns', dnsServer({ zones: [zone] }));
    home.start('dns', dnsServer({ resolver: new Resolver({ servers: [parseIpv4(ISP)] }) }));
    const seenByWww: string[] = [];
    const seenByBob: string[] = [];
    serve(www, PAGE, seenByWww);
    serve(bob, BOBS_PAGE, seenByBob);
    const fetches: string[] = [];
    const client = (computer: Computer, startNs: number, server: string, url: string) => {
      const resolver = new Resolver({ servers: [parseIpv4(server)] });
      const report = (fetched: FetchReport) => fetches.push(`${computer.name}: ${summaryOf(fetched)}`);
      computer.start('browser', after(startNs, httpClient([url], { resolver }, report)));
    };
    client(alice, LINK_UP_NS, ROUTER, PAGE_URL);
    client(bob, LINK_UP_NS, ROUTER, PAGE_URL);
    client(visitor, VISIT_NS, VISITORS_ISP, BOB_URL);
    client(alice, VISIT_NS, ROUTER, BOB_URL);
    const result = (): HomeResult => ({
      fetches,
      seenByWww,
      seenByBob,
      translations: home.kernel.net.nat!.table().map(formatMapping),
      collisions: inside.reduce((sum, computer) => sum + collisionsOf(computer), 0),
    });
    return { result, lines: () => linesOf(result()) };
  },
});

function serve(computer: Computer, page: string, seen: string[]): void {
  const onAnswer = ({ client }: HttpAnswer) => seen.push(client);
  computer.start('http', httpServer({ documents: new Map([['/', page]]), onAnswer }));
}

/** What the NIC in the house counts. */
const collisionsOf = ({ kernel }: Computer): number => kernel.net.interfaces[0]!.statistics()['COLC'] ?? 0;

function summaryOf(report: FetchReport): string {
  if (report.kind === 'error') return `${report.url}: ${report.error.message}`;
  return `${report.url}: ${report.result.status}, ${report.result.bodyBytes} bytes`;
}

function linesOf({ fetches, seenByWww, seenByBob, translations, collisions }: HomeResult): string[] {
  return [
    ...fetches,
    `www has seen ${seenByWww.join(' and ')}`,
    `bob has seen ${seenByBob.join(' and ')}`,
    `collisions in the house: ${collisions}`,
    MAPPING_COLUMNS,
    ...translations,
  ];
}
