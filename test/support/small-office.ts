/**
 * A scenario with something in every table: two hosts and a printer at a switch, a router that translates addresses and
 * filters, and a server outside. Alice pings the server, then fetches something over TCP and keeps the connection open.
 */
import { ping } from '../../kernel/apps/ping.ts';
import { tcpServer } from '../../kernel/apps/tcp-server.ts';
import { parseIpv4, parseMac } from '../../src/lib/bytes.ts';
import type { Computer } from '../../src/world/computer.ts';
import { scenario } from '../../src/world/scenario.ts';
import type { SwitchNode, World } from '../../src/world/world.ts';

const SERVER = '203.0.113.9';
const HTTP_PORT = 80;
const LINK_UP_NS = 2_500_000_000;
const PRINTER_MAC = '52:54:00:aa:00:01';
const RULES = `
  table ip filter {
    chain input {
      type filter hook input priority 0; policy accept;
    }
    chain forward {
      type filter hook forward priority 0; policy drop;
      ct state established,related accept
      iifname "eth0" jump outgoing
    }
    chain outgoing {
      ip protocol icmp counter
      tcp dport 23 reject with tcp reset
      accept
    }
  }`;

export interface SmallOffice {
  readonly world: World;
  readonly alice: Computer;
  readonly bob: Computer;
  readonly router: Computer;
  readonly server: Computer;
  readonly sw: SwitchNode;
}

export function smallOffice(world: World): SmallOffice {
  const alice = world.computer('alice', { nics: [{ address: '10.0.0.2/24', gateway: '10.0.0.1' }] });
  const bob = world.computer('bob', { nics: [{ address: '10.0.0.3/24', gateway: '10.0.0.1' }] });
  const router = world.computer('router', {
    nics: [{ address: '10.0.0.1/24' }, { address: '203.0.113.1/24' }],
    forwarding: true,
    nat: { outside: 'eth1', forward: [{ protocol: 'tcp', port: 8080, to: '10.0.0.3:80' }] },
    filter: RULES,
  });
  const server = world.computer('server', { nics: [{ address: `${SERVER}/24` }] });
  const sw = world.switch('sw', [alice.nics[0]!, bob.nics[0]!, router.nics[0]!], { ports: 4 });
  sw.device.addStatic(parseMac(PRINTER_MAC), 3);
  world.cable('uplink', router.nics[1]!, server.nics[0]!);
  server.start(
    'greeter',
    tcpServer('greeter', { port: HTTP_PORT }, function* (sys, socket) {
      yield* sys.send(socket, new TextEncoder().encode('hello'));
      yield* sys.recv(socket);
    }),
  );
  alice.start('visit', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    yield* ping(parseIpv4(SERVER), { count: 1 }, () => {})(sys);
    const socket = sys.socket('tcp');
    sys.bind(socket, 0, 40_000);
    yield* sys.connect(socket, parseIpv4(SERVER), HTTP_PORT);
    yield* sys.recv(socket);
    yield* sys.recv(socket);
  });
  return { world, alice, bob, router, server, sw };
}

export default scenario({
  summary: 'a small office',
  untilNs: 4_000_000_000,
  build(world) {
    smallOffice(world);
    return { result: () => 'done' };
  },
});
