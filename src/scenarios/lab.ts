/**
 * One computer at the end of a wire that leads out of the world: at 192.0.2.2 it answers ping, and echoes datagrams.
 * With `ringtail live lab --wire uplink=SOCKET` real peers can talk to it.
 */
import { udpEcho } from '../../kernel/apps/udp-echo.ts';
import { scenario } from '../world/scenario.ts';

export default scenario({
  summary: 'one host on the open wire `uplink`, at 192.0.2.2, for real peers (ringtail live)',
  untilNs: 3_000_000_000,
  build(world) {
    const host = world.computer('host', { nics: [{ address: '192.0.2.2/24' }] });
    world.openWire('uplink', host.nics[0]!);
    host.start('echo', udpEcho());
    return { result: () => ({ statistics: host.kernel.net.interfaces[0]!.statistics() }) };
  },
});
