/**
 * Linux as a router with two TAP interfaces, tap0 inside and tap1 outside, in a network namespace of its own: what goes in
 * by one comes out by the other, after a ruleset of nftables has had its say. Addresses and hardware addresses are those of
 * `nat-rig.ts`, so both can be given the same packets. It is gone with its processes.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FrameDecoder } from '../../src/bridge/stream-framing.ts';
import { frame } from './packets.ts';
import { encodeFrame, until } from './stream-peer.ts';

const RELAY = resolve('src/bridge/tap-relay.pl');
const ROUTER_MACS = ['52:54:00:00:00:01', '52:54:00:00:01:01'] as const;
const PEER_MACS = ['52:54:00:aa:00:01', '52:54:00:aa:01:01'] as const;
const ETHERTYPE_IPV4 = 0x0800;

/** The first process is the namespace; the second joins it. */
const MAKE = 'ip tuntap add mode tap name tap0; ip tuntap add mode tap name tap1; exec perl "$1" tap0 "$2"';
const CONFIGURE = `
for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6 || true; done 2>/dev/null
echo 1 >/proc/sys/net/ipv4/ip_forward
for f in all default; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done
ip link set lo up
ip link set tap0 address ${ROUTER_MACS[0]} up
ip link set tap1 address ${ROUTER_MACS[1]} up
ip addr add 10.0.0.1/24 dev tap0
ip addr add 203.0.113.1/24 dev tap1
ip neigh add 10.0.0.2 lladdr ${PEER_MACS[0]} dev tap0 nud permanent
ip neigh add 10.0.0.3 lladdr ${PEER_MACS[0]} dev tap0 nud permanent
ip neigh add 203.0.113.254 lladdr ${PEER_MACS[1]} dev tap1 nud permanent
ip route add default via 203.0.113.254
nft -f -`;

export class LinuxRouter {
  /** IPv4 packets that came out, by interface. */
  readonly #packets: [Uint8Array[], Uint8Array[]] = [[], []];
  readonly #sockets: (Socket | null)[] = [null, null];
  readonly #servers: readonly Server[];
  readonly #relays: ChildProcess[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'ringtail-router-'));

  private constructor() {
    this.#servers = [0, 1].map(index => {
      const server = createServer(socket => {
        const decoder = new FrameDecoder(octets => this.#came(index, octets));
        socket.on('data', chunk => decoder.push(chunk));
        socket.on('error', () => undefined);
        this.#sockets[index] = socket;
      });
      return server.listen(this.#path(index));
    });
  }

  /** A router with that ruleset. */
  static async start(ruleset: string): Promise<LinuxRouter> {
    const router = new LinuxRouter();
    const first = spawn('unshare', ['-n', 'sh', '-euc', MAKE, 'sh', RELAY, router.#path(0)], { stdio: 'ignore' });
    router.#relays.push(first);
    await until('the inside interface', () => router.#sockets[0] !== null);
    const inside = ['-t', String(first.pid), '-n', '--'];
    const second = spawn('nsenter', [...inside, 'perl', RELAY, 'tap1', router.#path(1)], { stdio: 'ignore' });
    router.#relays.push(second);
    await until('the outside interface', () => router.#sockets[1] !== null);
    const set = spawnSync('nsenter', [...inside, 'sh', '-euc', CONFIGURE], { input: ruleset, encoding: 'utf8' });
    if (set.status !== 0) throw new Error(`the router could not be set up: ${set.stderr}`);
    return router;
  }

  /** What comes out when `packet` goes in, there. */
  async pass(packet: Uint8Array, from: 'inside' | 'outside', to: 'inside' | 'outside'): Promise<Uint8Array> {
    const [index, other] = [from === 'inside' ? 0 : 1, to === 'inside' ? 0 : 1] as const;
    const octets = frame({ to: ROUTER_MACS[index], from: PEER_MACS[index], type: ETHERTYPE_IPV4, payload: packet });
    const packets = this.#packets[other]!;
    packets.length = 0;
    this.#sockets[index]!.write(encodeFrame(octets));
    await until(`a packet ${to}`, () => packets.length > 0);
    return packets[0]!;
  }

  stop(): void {
    for (const relay of this.#relays) relay.kill('SIGKILL');
    for (const socket of this.#sockets) socket?.destroy();
    for (const server of this.#servers) server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #path(index: number): string {
    return join(this.#directory, `tap${index}`);
  }

  #came(index: number, octets: Uint8Array): void {
    if (octets[12]! * 256 + octets[13]! !== ETHERTYPE_IPV4) return;
    this.#packets[index]!.push(octets.slice(14));
  }
}
