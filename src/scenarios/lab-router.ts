/**
 * Two emulated routers between two wires that lead out of the world, for real peers on both (ringtail live):
 *
 *     inside   10.0.0.0/24 --- [ edge ] --- 203.0.113.0/30 --- [ core ] --- 192.0.2.0/24   outside
 *                      .1              .1               .2              .1
 *
 * The link between the two may be narrower than the wires. `edge` can translate the addresses of the inside to its own,
 * 203.0.113.1, of which port 8080 then leads to a web server at 10.0.0.2, and it can filter what comes in. The result says
 * what both routers have counted, and lists the connections that translation and filter remember.
 */
import type { Flow } from '../../kernel/net/filter/flow.ts';
import type { MappingRow } from '../../kernel/net/nat/mapping-row.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import type { Computer } from '../world/computer.ts';
import { scenario } from '../world/scenario.ts';
import type { NatOptions } from '../world/translation.ts';

const NAT: NatOptions = {
  outside: 'eth1',
  inside: 'eth0',
  forward: [{ protocol: 'tcp', port: 8080, to: '10.0.0.2:80' }],
};

/** The inside may begin anything, the outside only answer, and ask the web server; `otherwise` is for what is left. */
const stateful = (otherwise: string): string => `
table ip filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state invalid drop
    ct state established,related accept
    iifname "eth0" accept
    ip daddr 10.0.0.2 tcp dport 80 accept
    ${otherwise}
  }
}
`;
const RULESETS = {
  off: null,
  drop: stateful('drop'),
  reject: stateful(`ip protocol tcp reject with tcp reset
    reject with icmp admin-prohibited`),
} as const;

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp' };

export default scenario({
  summary: 'two routers between the open wires `inside`, 10.0.0.1/24, and `outside`, 192.0.2.1/24 (ringtail live)',
  untilNs: 3_000_000_000,
  options: {
    nat: { kind: ['on', 'off'], default: 'off', doc: 'the inside shares the address 203.0.113.1' },
    filter: { kind: ['off', 'drop', 'reject'], default: 'off', doc: 'what becomes of what nobody inside asked for' },
    mtu: { kind: 'integer', default: 1500, doc: 'octets of the longest packet between the routers, 68 to 1500' },
  },
  build(world, { nat, filter, mtu }) {
    const ruleset = RULESETS[filter];
    const edge = world.computer('edge', {
      nics: [{ address: '10.0.0.1/24' }, { address: '203.0.113.1/30', gateway: '203.0.113.2', mtu }],
      forwarding: true,
      ...(nat === 'on' && { nat: NAT }),
      ...(ruleset !== null && { filter: ruleset }),
    });
    const core = world.computer('core', {
      nics: [{ address: '203.0.113.2/30', mtu }, { address: '192.0.2.1/24' }],
      forwarding: true,
      ...(nat === 'off' && { routes: [{ destination: '10.0.0.0/24', gateway: '203.0.113.1' }] }),
    });
    world.openWire('inside', edge.nics[0]!);
    world.cable('link', edge.nics[1]!, core.nics[0]!);
    world.openWire('outside', core.nics[1]!);
    return {
      result: () => ({
        edge: countersOf(edge),
        core: countersOf(core),
        mappings: (edge.kernel.net.nat?.table() ?? []).flatMap(mappingLines),
        connections: (edge.kernel.net.filter?.tracker.flows() ?? []).map(connectionLine),
      }),
    };
  },
});

function countersOf({ kernel }: Computer) {
  const { 'ipv4 forward': forward, nat, filter, 'icmp errors': errors, drops } = kernel.net.statistics();
  const dropped = Object.fromEntries(Object.entries(drops!).filter(([, count]) => count > 0));
  return { ...forward, ...(nat && { nat }), ...(filter && { filter }), errors, dropped };
}

/** `tcp 10.0.0.2:41000 as 203.0.113.1:41000 with 192.0.2.2:80: ESTABLISHED`, a line for each peer. */
function mappingLines(row: MappingRow): readonly string[] {
  const { protocol, privateAddress, privatePort, publicAddress, publicPort } = row;
  const mapping = `${protocol} ${end(privateAddress, privatePort)} as ${end(publicAddress, publicPort)}`;
  if (row.sessions.length === 0) return [`${mapping}: ${row.state}`];
  return row.sessions.map(({ remoteAddress, remotePort, state }) => {
    const peer = remoteAddress === 0 ? 'anybody' : end(remoteAddress, remotePort);
    return `${mapping} with ${peer}: ${state}`;
  });
}

/** `tcp from 10.0.0.2:41000 to 192.0.2.2:80: ESTABLISHED`, `icmp from 10.0.0.2 to 192.0.2.2: answered`. */
function connectionLine({ protocol, source, sourcePort, destination, destinationPort, tcp, answered }: Flow): string {
  const name = PROTOCOLS[protocol] ?? String(protocol);
  const hasPorts = name === 'tcp' || name === 'udp';
  const from = hasPorts ? end(source, sourcePort) : formatIpv4(source);
  const to = hasPorts ? end(destination, destinationPort) : formatIpv4(destination);
  return `${name} from ${from} to ${to}: ${tcp?.state ?? (answered ? 'answered' : 'unanswered')}`;
}

const end = (address: number, port: number): string => `${formatIpv4(address)}:${port}`;
