/**
 * A web server behind a router whose packet filter admits connections to port 80, what belongs to them, and nothing else.
 * A client from outside fetches a document; it gets no connection to port 22, which is refused, or with `--ssh drop` not
 * even answered, and no answer to a ping. Inwards comes what the server itself has caused: the ICMP error about a datagram
 * of its, which nobody outside wanted, is `related` to that.
 *
 * Meanwhile mallory sends segments: a reset in the client's name, into its very connection, but not knowing where its
 * sequence numbers are; an acknowledgment of a connection that never was; and a SYN that claims to come from inside.
 *
 * At the end stands the rule table with its counters: which rule has decided on how many packets.
 */
import { type FetchReport, httpClient } from '../../kernel/apps/http-client.ts';
import { type HttpDocument, httpServer } from '../../kernel/apps/http-server.ts';
import { type PingReport, ping } from '../../kernel/apps/ping.ts';
import { SocketError } from '../../kernel/net/socket-error.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import type { Blocking, Program } from '../../kernel/task.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import { scenario } from '../world/scenario.ts';
import type { World } from '../world/world.ts';
import { after } from './delayed-program.ts';
import { summaryOf } from './fetch-summary.ts';
import { type ForgedSegment, Forger } from './firewall/forger.ts';
import { type RuleCount, ruleCounts, ruleLines } from './firewall/rule-counts.ts';

const SERVER = '192.0.2.2';
const CLIENT = '203.0.113.2';
/** Nobody has this address, but it is of the inside. */
const INSIDER = '192.0.2.99';
const START_NS = 2_500_000_000;
/** The document is on its way then: at 10 Mb/s it takes a fifth of a second. */
const ATTACK_NS = START_NS + 100_000_000;
const END_NS = 20_000_000_000;
const BIG_BYTES = 250_000;
const [HTTP_PORT, SSH_PORT, CLOSED_PORT] = [80, 22, 33_000] as const;
const PINGS = { count: 3, intervalNs: 100_000_000, timeoutNs: 500_000_000 };
/** How often a SYN is sent again that nobody answers. */
const SYN_RETRIES = 2;
const ANSWER_NS = 1_000_000_000;

const DOCUMENTS = new Map<string, HttpDocument>([['/', new Uint8Array(BIG_BYTES).fill(0x2e)]]);

const rulesetWith = (ssh: string): string => `
define server = ${SERVER}
define inside = 192.0.2.0/24

table ip filter {
  set services {
    type inet_service
    elements = { http }
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "eth0" ip saddr $inside drop comment "pretends to be inside"
    ct state invalid drop comment "of no connection"
    ct state established,related accept
    iifname "eth1" accept comment "from inside"
    ip daddr $server tcp dport @services accept
    ip daddr $server tcp dport ssh ${ssh}
  }
}`;

export default scenario({
  summary: 'a web server behind a packet filter: what gets through, what is refused, and the rules that decided',
  untilNs: END_NS,
  options: {
    ssh: { kind: ['reject', 'drop'], default: 'reject', doc: 'what becomes of connections to port 22' },
  },
  build(world, { ssh }) {
    const { server, router, client, mallory } = network(world, ssh === 'reject' ? 'reject with tcp reset' : 'drop');
    const fetched: FetchReport[] = [];
    const pings: PingReport[] = [];
    const told = { ssh: 'not tried', datagram: 'not sent' };
    const later = (program: Program): Program => after(START_NS, program);
    server.start('http', httpServer({ documents: DOCUMENTS }));
    server.start(
      'datagram',
      later(function* (sys) {
        told.datagram = yield* datagramTo(sys, CLIENT, CLOSED_PORT);
      }),
    );
    client.start('fetch', later(httpClient([`http://${SERVER}/`], {}, report => fetched.push(report))));
    client.start('ping', later(ping(parseIpv4(SERVER), PINGS, report => pings.push(report))));
    client.start(
      'ssh',
      later(function* (sys) {
        told.ssh = yield* connectionTo(sys, SERVER, SSH_PORT);
      }),
    );
    const attack = world.clock.timer(() => {
      const web = client.kernel.net.sockets.table().find(({ peer }) => peer.port === HTTP_PORT);
      const clientPort = web?.local.port ?? 0;
      for (const segment of forgedSegments(clientPort)) mallory.send(segment);
    });
    attack.armAt(ATTACK_NS);
    const filter = router.kernel.net.filter!;
    const result = (): Result => ({
      web: fetched.map(summaryOf),
      ssh: told.ssh,
      ping: `${pings.filter(({ kind }) => kind === 'reply').length} of ${pings.length} answered`,
      datagramOfServer: told.datagram,
      forgedSegments: mallory.sent,
      flows: filter.tracker.counters.flows,
      rules: ruleCounts(filter),
    });
    return { result, lines: () => linesOf(result()) };
  },
});

interface Result {
  readonly web: readonly string[];
  readonly ssh: string;
  readonly ping: string;
  /** What the server heard of its datagram to a closed port outside. */
  readonly datagramOfServer: string;
  readonly forgedSegments: number;
  /** That the router has kept track of: those whose first packet got through. */
  readonly flows: number;
  readonly rules: readonly RuleCount[];
}

/** The outside is a switch at 10 Mb/s, on which mallory is too; `ssh` is what the filter says of port 22. */
function network(world: World, ssh: string) {
  const server = world.computer('server', { nics: [{ address: `${SERVER}/24`, gateway: '192.0.2.1' }] });
  const router = world.computer('router', {
    nics: [{ address: '203.0.113.1/24' }, { address: '192.0.2.1/24' }],
    forwarding: true,
    filter: rulesetWith(ssh),
  });
  const client = world.computer('client', { nics: [{ address: `${CLIENT}/24`, gateway: '203.0.113.1' }] });
  const outside = world.switch('outside', [router.nics[0]!, client.nics[0]!], { ports: 3, fastestMbps: 10 });
  world.cable('inside', router.nics[1]!, server.nics[0]!);
  const mallory = new Forger(world, 'mallory', outside.ports[2]!, () => router.kernel.net.interfaces[0]!.mac);
  return { server, router, client, mallory };
}

/** `clientPort`: where the client's end of the connection to the web server is. */
function forgedSegments(clientPort: number): readonly ForgedSegment[] {
  const web = { address: parseIpv4(SERVER), port: HTTP_PORT };
  const client = parseIpv4(CLIENT);
  return [
    // All of the connection is right but the number, for which there are four thousand million to choose from.
    { from: { address: client, port: clientPort }, to: web, flags: 'RST', sequence: 0x1234_5678 },
    { from: { address: client, port: 4444 }, to: web, flags: 'ACK', sequence: 1 },
    { from: { address: parseIpv4(INSIDER), port: 4444 }, to: web, flags: 'SYN', sequence: 1 },
  ];
}

/** What came of a connection to that port. */
function* connectionTo(sys: Syscalls, address: string, port: number): Blocking<string> {
  const socket = sys.socket('tcp');
  sys.setsockopt(socket, 'TCP_SYNCNT', SYN_RETRIES);
  const beganNs = sys.nowNs();
  let outcome = 'connected';
  try {
    yield* sys.connect(socket, parseIpv4(address), port);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    outcome = error.message;
  }
  sys.close(socket);
  return `${outcome}, after ${((sys.nowNs() - beganNs) / 1e6).toFixed(1)} ms`;
}

/** What came back for a datagram to that port. */
function* datagramTo(sys: Syscalls, address: string, port: number): Blocking<string> {
  const socket = sys.socket('udp');
  try {
    yield* sys.connect(socket, parseIpv4(address), port);
    yield* sys.send(socket, new Uint8Array(100));
    return (yield* sys.recvfrom(socket, ANSWER_NS)) === null ? 'nothing' : 'an answer';
  } catch (error) {
    if (error instanceof SocketError) return error.message;
    throw error;
  } finally {
    sys.close(socket);
  }
}

function linesOf({ web, ssh, ping, datagramOfServer, forgedSegments, flows, rules }: Result): readonly string[] {
  return [
    ...web.map(text => `web       ${text}`),
    `ssh       ${ssh}`,
    `ping      ${ping}`,
    `datagram  of the server to a closed port outside: ${datagramOfServer}`,
    `forged    ${forgedSegments} segments by mallory`,
    `tracked   ${flows} flows`,
    '',
    ...ruleLines(rules),
  ];
}
