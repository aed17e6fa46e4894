/**
 * What a packet costs a NAT, with ever more mappings in its table: datagrams of flows that are there already, out and back
 * in, through the hooks of IPv4 alone. They go through the table in an order that has nothing to do with how it was
 * filled.
 */
import type { PacketBuffer } from '../../kernel/driver-api.ts';
import type { NetStack } from '../../kernel/net/stack.ts';
import { readBe16, readBe32, writeBe16, writeBe32 } from '../../src/lib/bytes.ts';
import { World } from '../../src/world/world.ts';
import type { Variant } from './paired.ts';

const BOOT_NS = 1_000_000;
const OPERATIONS = 20_000;
/** One public address has 64,512 ports that anybody gets. */
const PUBLIC = ['203.0.113.1', '203.0.113.2', '203.0.113.3', '203.0.113.4'];
const HOSTS = 1000;
const FIRST_HOST = 0x0a00_0100;
const FIRST_PORT = 1024;
const SERVER = 0xc633_6407;
/** Shares no factor with a number of mappings: all of them have their turn. */
const STRIDE = 7919;
const HEADERS = [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0];

/** Datagrams through the tables of a NAT that holds `mappings`. */
export function nat(mappings: number): Variant {
  const world = new World('bench');
  const router = world.computer('router', {
    nics: [{ address: '10.0.0.1/8' }, { address: '203.0.113.1/24' }],
    forwarding: true,
    nat: { outside: 'eth1', public: PUBLIC },
  });
  world.run(BOOT_NS);
  const { net, packets } = router.kernel;
  const packet = packets.allocate()!;
  const addresses = new Uint32Array(mappings);
  const ports = new Uint16Array(mappings);
  for (let i = 0; i < mappings; i++) {
    leave(net, packet, i);
    addresses[i] = readBe32(packet.bytes, packet.start + 12);
    ports[i] = readBe16(packet.bytes, packet.start + 20);
  }
  if (net.nat!.table().length !== mappings) throw new Error('some flows got no mapping');
  let at = 0;
  const run = (): void => {
    for (let i = 0; i < OPERATIONS / 2; i++) {
      at = (at + STRIDE) % mappings;
      leave(net, packet, at);
      arrive(net, packet, addresses[at]!, ports[at]!);
    }
  };
  return { name: `NAT, ${mappings} mappings`, operations: OPERATIONS, run };
}

/** Sends a datagram of the flow with that number out. */
function leave(net: NetStack, packet: PacketBuffer, flow: number): void {
  write(packet, FIRST_HOST + (flow % HOSTS), FIRST_PORT + Math.floor(flow / HOSTS), SERVER, 53);
  const [inside, outside] = net.interfaces;
  if (!net.hooks.run('postrouting', packet, inside!, outside!)) throw new Error('dropped on the way out');
}

function arrive(net: NetStack, packet: PacketBuffer, address: number, port: number): void {
  write(packet, SERVER, 53, address, port);
  if (!net.hooks.run('prerouting', packet, net.interfaces[1]!, null)) throw new Error('dropped on the way in');
}

function write(packet: PacketBuffer, source: number, sourcePort: number, destination: number, port: number): void {
  const { bytes, start } = packet;
  for (let i = 0; i < HEADERS.length; i++) bytes[start + i] = HEADERS[i]!;
  packet.length = 28;
  writeBe32(bytes, start + 12, source);
  writeBe32(bytes, start + 16, destination);
  writeBe16(bytes, start + 20, sourcePort);
  writeBe16(bytes, start + 22, port);
  writeBe32(bytes, start + 24, 0x0008_1234);
}
