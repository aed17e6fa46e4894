/**
 * One computer at the end of a wire that leads out of the world: at 192.0.2.2 it answers ping, echoes datagrams and
 * streams, serves documents, and is measured by iperf3. With `ringtail live lab --wire uplink=SOCKET` real peers can talk to it.
 */
import { type HttpDocument, httpServer } from '../../kernel/apps/http-server.ts';
import { iperf3Server } from '../../kernel/apps/iperf3-server.ts';
import { chargen, discard, tcpEcho } from '../../kernel/apps/stream-services.ts';
import { udpEcho } from '../../kernel/apps/udp-echo.ts';
import { scenario } from '../world/scenario.ts';

/** A megabyte in which no two stretches of 251 octets are out of step with each other. */
const BIG = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251);

const DOCUMENTS = new Map<string, HttpDocument>([
  ['/', 'ringtail\n'],
  ['/big', BIG],
  ['/huge', { lengthBytes: 10 * BIG.length, pieces: () => new Array<Uint8Array>(10).fill(BIG) }],
  ['/stream', { lengthBytes: null, pieces: () => [BIG.subarray(0, 500_000), BIG.subarray(500_000)] }],
]);

export default scenario({
  summary: 'one host on the open wire `uplink`, at 192.0.2.2, for real peers (ringtail live)',
  untilNs: 3_000_000_000,
  build(world) {
    const host = world.computer('host', { nics: [{ address: '192.0.2.2/24' }] });
    world.openWire('uplink', host.nics[0]!);
    host.start('echo', udpEcho());
    host.start('tcp-echo', tcpEcho());
    host.start('discard', discard());
    host.start('chargen', chargen());
    host.start('iperf3', iperf3Server());
    host.start('http', httpServer({ documents: DOCUMENTS }));
    return { result: () => ({ statistics: host.kernel.net.interfaces[0]!.statistics() }) };
  },
});
