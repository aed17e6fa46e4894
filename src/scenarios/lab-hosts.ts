/**
 * DHCP and DNS at the end of a wire that leads out of the world: at 192.0.2.2 a host leases 192.0.2.100 to 192.0.2.199, and
 * knows the zone `example.net`. With `ringtail live lab-hosts --wire uplink=SOCKET` real peers get addresses and names.
 */
import { DhcpServer } from '../../kernel/apps/dhcp/server.ts';
import { dnsServer } from '../../kernel/apps/dns/server.ts';
import type { ZoneConfig } from '../../kernel/apps/dns/zone.ts';
import { scenario } from '../world/scenario.ts';

const SERVER = '192.0.2.2';
const ZONE: ZoneConfig = {
  origin: 'example.net',
  records: [
    ['@', 'NS', 'ns'],
    ['@', 'MX', 'mail', 10],
    ['ns', 'A', SERVER],
    ['mail', 'A', '192.0.2.25'],
    ['www', 'CNAME', 'web'],
    ['web', 'A', '192.0.2.80'],
    ['web', 'A', '192.0.2.81'],
    ['note', 'TXT', 'a ring, and its tail'],
    ['*.any', 'A', '192.0.2.99'],
    ['sub', 'NS', 'ns.sub'],
    ['ns.sub', 'A', '192.0.2.53'],
    ...Array.from({ length: 60 }, (_, i) => ['many', 'A', `198.51.100.${i + 1}`] as const),
  ],
};
/** So short that a client is seen to renew its lease. */
const LEASE_SECONDS = 30;

export default scenario({
  summary: 'a DHCP and DNS server on the open wire `uplink`, at 192.0.2.2, for real peers (ringtail live)',
  untilNs: 3_000_000_000,
  build(world) {
    const host = world.computer('host', { nics: [{ address: `${SERVER}/24` }] });
    world.openWire('uplink', host.nics[0]!);
    const dhcp = new DhcpServer({
      ranges: [['192.0.2.100', '192.0.2.199']],
      router: SERVER,
      dnsServers: [SERVER],
      domainName: ZONE.origin,
      leaseSeconds: LEASE_SECONDS,
    });
    host.start('dhcp', dhcp.program);
    host.start('dns', dnsServer({ zones: [ZONE] }));
    return { result: () => ({ leases: dhcp.leases(host.kernel.nowNs()), counters: dhcp.counters }) };
  },
});
