/**
 * A cable that inverts one bit in a hundred thousand. Each damaged frame is recognized by its frame check sequence and
 * dropped by the NIC that receives it; the sender, whose protocol is UDP, only notices that no answer came.
 */
import { type UdpClientReport, udpClient } from '../../kernel/apps/udp-client.ts';
import { ECHO_PORT, udpEcho } from '../../kernel/apps/udp-echo.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { scenario } from '../world/scenario.ts';

const BOB = '192.0.2.2';
const LINK_UP_NS = 2_000_000_000;
const BIT_ERROR_RATE = 1e-5;
const DATAGRAM_COUNT = 500;
const PAYLOAD_BYTES = 1000;
const TIMEOUT_NS = 1_000_000;

export default scenario({
  summary: 'bit errors on the cable: frames that the FCS gives away, dropped by the NIC',
  untilNs: 4_000_000_000,
  build(world) {
    const alice = world.computer('alice', { nics: [{ address: '192.0.2.1/24' }] });
    const bob = world.computer('bob', { nics: [{ address: `${BOB}/24` }] });
    world.cable('cable', alice.nics[0]!, bob.nics[0]!, { bitErrorRate: BIT_ERROR_RATE });
    const count: Record<UdpClientReport['kind'], number> = { answer: 0, timeout: 0, error: 0 };
    bob.start('echo', udpEcho());
    alice.start('client', function* (sys) {
      yield* sys.sleep(LINK_UP_NS);
      const options = { count: DATAGRAM_COUNT, payloadBytes: PAYLOAD_BYTES, timeoutNs: TIMEOUT_NS };
      yield* udpClient(parseIpv4(BOB), ECHO_PORT, options, report => {
        count[report.kind] += 1;
      })(sys);
    });
    return {
      result: () => ({
        datagrams: DATAGRAM_COUNT,
        answered: count.answer,
        timedOut: count.timeout,
        fcsErrors: { alice: fcsErrors(alice), bob: fcsErrors(bob) },
      }),
    };
  },
});

/** Frames that the NIC of `computer` has dropped for a bad FCS, as its driver counts them. */
function fcsErrors(computer: Computer): number {
  return computer.kernel.net.interfaces[0]!.statistics()['CRCERRS']!;
}
