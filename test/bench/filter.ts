/**
 * What a packet costs a packet filter, with ever more rules, each of them for an address of its own, and with ever more
 * connections that are remembered: datagrams of flows that are there already, through the hooks of IPv4 alone, in an order
 * that has nothing to do with how the tables were filled.
 */
import type { PacketBuffer } from '../../kernel/driver-api.ts';
import type { FilterRule, FilterRules } from '../../kernel/net/filter/rule.ts';
import type { NetStack } from '../../kernel/net/stack.ts';
import { writeBe16, writeBe32 } from '../../src/lib/bytes.ts';
import { parseRuleset } from '../../src/nftables/parser.ts';
import { World } from '../../src/world/world.ts';
import type { Variant } from './paired.ts';

const BOOT_NS = 1_000_000;
const OPERATIONS = 20_000;
const FIRST_HOST = 0x0a00_0100;
const HOSTS = 1000;
const FIRST_PORT = 1024;
/** 198.18.0.0/15, of which each rule has an address. */
const FIRST_SERVER = 0xc612_0000;
const SERVERS = 2 ** 17;
/** Flows that are there while rules are counted. */
const FLOWS = 1000;
/** Shares no factor with the numbers of rules and flows. */
const STRIDE = 7919;
const HEADERS = [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0];

const STATEFUL = parseRuleset(`table ip filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state invalid drop
    ct state established,related accept
    iifname "eth0" accept
  }
}`);

/** Datagrams through a chain of that many rules, of which one lets each through. */
export function filterRules(count: number): Variant {
  const net = routerWith(chainOf(Array.from({ length: count }, (_, i) => ruleOf(i))));
  const flows = Array.from({ length: FLOWS }, (_, i) => [i, (i * STRIDE) % count] as const);
  return through(`packet filter, ${count} rules`, net, flows);
}

/** Datagrams through a stateful filter that remembers that many connections. */
export function filterConnections(count: number): Variant {
  const net = routerWith(STATEFUL);
  return through(
    `packet filter, ${count} connections`,
    net,
    Array.from({ length: count }, (_, i) => [i, i % SERVERS] as const),
  );
}

/** `flows` are numbers of a client and of a server that it talks to. All of them are begun first. */
function through(
  name: string,
  { net, packet }: Router,
  flows: readonly (readonly [client: number, server: number])[],
): Variant {
  for (const flow of flows) send(net, packet, ...flow);
  if (net.filter!.tracker.flows().length !== flows.length) throw new Error('some flows were not kept');
  let at = 0;
  const run = (): void => {
    for (let i = 0; i < OPERATIONS; i++) {
      at = (at + STRIDE) % flows.length;
      const [client, server] = flows[at]!;
      send(net, packet, client, server);
    }
  };
  return { name, operations: OPERATIONS, run };
}

interface Router {
  readonly net: NetStack;
  readonly packet: PacketBuffer;
}

function routerWith(filter: FilterRules): Router {
  const world = new World('bench');
  const nics = [{ address: '10.0.0.1/8' }, { address: '203.0.113.1/24' }];
  const { kernel } = world.computer('router', { nics, forwarding: true, filter });
  world.run(BOOT_NS);
  return { net: kernel.net, packet: kernel.packets.allocate()! };
}

const chainOf = (rules: readonly FilterRule[]): FilterRules => ({
  chains: [{ name: 'forward', base: { hook: 'forward', priority: 0, policy: 'drop' }, rules }],
});

function ruleOf(index: number): FilterRule {
  const server = FIRST_SERVER + index;
  return {
    matches: [
      { kind: 'field', field: 'ip daddr', ranges: [{ from: server, to: server }], negated: false },
      { kind: 'field', field: 'udp dport', ranges: [{ from: 53, to: 53 }], negated: false },
    ],
    verdict: { kind: 'accept' },
  };
}

function send(net: NetStack, packet: PacketBuffer, client: number, server: number): void {
  const { bytes, start } = packet;
  for (let i = 0; i < HEADERS.length; i++) bytes[start + i] = HEADERS[i]!;
  packet.length = 28;
  writeBe32(bytes, start + 12, FIRST_HOST + (client % HOSTS));
  writeBe32(bytes, start + 16, FIRST_SERVER + server);
  writeBe16(bytes, start + 20, FIRST_PORT + Math.floor(client / HOSTS));
  writeBe16(bytes, start + 22, 53);
  writeBe32(bytes, start + 24, 0x0008_1234);
  const [inside, outside] = net.interfaces;
  const { hooks } = net;
  const passed =
    hooks.run('prerouting', packet, inside!, null) &&
    hooks.run('forward', packet, inside!, outside!) &&
    hooks.run('postrouting', packet, inside!, outside!);
  if (!passed) throw new Error('the filter has dropped a datagram');
}
