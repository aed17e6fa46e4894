/**
 * A host that gets its address from whoever is at the end of the wire that leads out of the world, and asks the name
 * server that it is told of for `h.example`: `ringtail live lab-guest --wire uplink=SOCKET`, with dnsmasq at the other end.
 */
import type { DhcpClient } from '../../kernel/apps/dhcp/client.ts';
import { NameError } from '../../kernel/apps/dns/resolver.ts';
import type { Blocking, Program } from '../../kernel/task.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { scenario } from '../world/scenario.ts';

const NAME = 'h.example';
const RETRY_NS = 1_000_000_000;

export default scenario({
  summary: 'a host on the open wire `uplink` whose address comes by DHCP, from real peers (ringtail live)',
  untilNs: 3_000_000_000,
  build(world) {
    const guest = world.computer('guest', { nics: [{ address: 'dhcp' }] });
    const [nic] = guest.nics;
    world.openWire('uplink', nic!);
    let found: readonly string[] = [];
    guest.start(
      'lookup',
      lookup(guest, addresses => {
        found = addresses;
      }),
    );
    return { result: () => ({ ...summaryOf(nic!.dhcp!), found }) };
  },
});

/** The lease, as people read it. */
function summaryOf({ state, lease, counters }: DhcpClient): Readonly<Record<string, unknown>> {
  if (lease === null) return { state, counters };
  const { address, prefixLength, router, dnsServers, domainName, server, leaseSeconds } = lease;
  return {
    state,
    counters,
    address: `${formatIpv4(address)}/${prefixLength}`,
    router: formatIpv4(router),
    dnsServers: dnsServers.map(formatIpv4),
    domainName,
    server: formatIpv4(server),
    leaseSeconds,
  };
}

/** Asks until somebody answers. */
function lookup(guest: Computer, report: (addresses: readonly string[]) => void): Program {
  return function* (sys): Blocking<void> {
    for (;;) {
      try {
        report((yield* guest.resolver.lookup(sys, NAME)).map(formatIpv4));
        return;
      } catch (error) {
        if (!(error instanceof NameError)) throw error;
      }
      yield* sys.sleep(RETRY_NS);
    }
  };
}
