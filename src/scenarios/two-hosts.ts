/**
 * Two computers and a cable. One pings the other, then sends it datagrams, which an echo program answers.
 */
import { type PingReport, ping } from '../../kernel/apps/ping.ts';
import { type UdpClientReport, udpClient } from '../../kernel/apps/udp-client.ts';
import { ECHO_PORT, udpEcho } from '../../kernel/apps/udp-echo.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import { scenario } from '../world/scenario.ts';

const ALICE = '192.0.2.1';
const BOB = '192.0.2.2';
/** By then both PHYs have negotiated the link. */
const LINK_UP_NS = 2_000_000_000;
const PING_COUNT = 3;
const PING_INTERVAL_NS = 100_000_000;
const DATAGRAM_COUNT = 5;

/** What became of each request, in order. */
interface TwoHostsResult {
  readonly pings: readonly PingReport[];
  readonly echoes: readonly UdpClientReport[];
}

export default scenario({
  summary: 'two hosts and a cable: a ping, then datagrams to an echo server',
  untilNs: 3_000_000_000,
  build(world) {
    const alice = world.computer('alice', { nics: [{ address: `${ALICE}/24` }] });
    const bob = world.computer('bob', { nics: [{ address: `${BOB}/24` }] });
    world.cable('cable', alice.nics[0]!, bob.nics[0]!);
    const pings: PingReport[] = [];
    const echoes: UdpClientReport[] = [];
    bob.start('echo', udpEcho());
    alice.start('client', function* (sys) {
      yield* sys.sleep(LINK_UP_NS);
      yield* ping(parseIpv4(BOB), { count: PING_COUNT, intervalNs: PING_INTERVAL_NS }, report => pings.push(report))(
        sys,
      );
      yield* udpClient(parseIpv4(BOB), ECHO_PORT, { count: DATAGRAM_COUNT }, report => echoes.push(report))(sys);
    });
    return { result: (): TwoHostsResult => ({ pings, echoes }) };
  },
});
