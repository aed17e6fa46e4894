/**
 * Linux as a router with two TAP interfaces, eth0 inside and eth1 outside, in a network namespace of its own: what goes in
 * by one comes out by the other, after a ruleset of nftables has had its say. Addresses and hardware addresses are those of
 * `nat-rig.ts`, so both can be given the same packets. It is gone with its one process.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { readBe32, writeBe32 } from '../../src/lib/bytes.ts';
import { frame } from './packets.ts';
import { until } from './stream-peer.ts';

const TAP_ROUTER = resolve('test/support/tap-router.pl');
const ROUTER_MACS = ['52:54:00:00:00:01', '52:54:00:00:01:01'] as const;
const PEER_MACS = ['52:54:00:aa:00:01', '52:54:00:aa:01:01'] as const;
const ETHERTYPE_IPV4 = 0x0800;
const SIDES = ['inside', 'outside'] as const;
/** Of a length and the number of an interface, in front of each frame. */
const HEAD_BYTES = 5;

/**
 * An address without a neighbour would be asked for, and what waits for the answer would not come out in time. Errors are
 * sent however many there are. A connection begins with its handshake, as ours do.
 */
const SETUP = `
ip tuntap add mode tap name eth0
ip tuntap add mode tap name eth1
for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6 || true; done 2>/dev/null
for f in all default eth0 eth1; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
ip link set lo up
ip link set eth0 address ${ROUTER_MACS[0]} up
ip link set eth1 address ${ROUTER_MACS[1]} up
ip addr add 10.0.0.1/24 dev eth0
ip addr add 203.0.113.1/24 dev eth1
for host in 2 3 4 5; do ip neigh add 10.0.0.$host lladdr ${PEER_MACS[0]} dev eth0 nud permanent; done
ip neigh add 203.0.113.254 lladdr ${PEER_MACS[1]} dev eth1 nud permanent
ip route add default via 203.0.113.254
exec perl "$1" eth0 eth1`;
/** The settings of connection tracking are there as soon as a ruleset has asked for it. */
const LOAD = `
nft -f -
for f in tcp_loose:0 checksum:0; do echo \${f#*:} >/proc/sys/net/netfilter/nf_conntrack_\${f%:*} || true; done 2>/dev/null`;

export type Side = (typeof SIDES)[number];

/** An IPv4 packet that goes in, or that came out, at one side. */
export interface SidePacket {
  readonly side: Side;
  readonly packet: Uint8Array;
}

export class LinuxRouter {
  readonly #process: ChildProcess;
  /** What came out because of each packet that went in, from the first one on. */
  readonly #outcomes: SidePacket[][] = [];
  #sentCount = 0;
  #outcome: SidePacket[] = [];
  #unread: Uint8Array = new Uint8Array(0);
  #said = '';

  private constructor() {
    this.#process = spawn('unshare', ['-n', 'sh', '-euc', SETUP, 'sh', TAP_ROUTER]);
    this.#process.stdout!.on('data', chunk => this.#read(chunk));
    this.#process.stderr!.setEncoding('utf8').on('data', text => {
      this.#said += text;
    });
    this.#process.stdin!.on('error', () => undefined);
  }

  /** A router with that ruleset. */
  static async start(ruleset: string): Promise<LinuxRouter> {
    const router = new LinuxRouter();
    await router.passAll([{ side: 'inside', packet: new Uint8Array(20) }]);
    router.load(ruleset);
    return router;
  }

  /** Puts `ruleset` in place of what was there. */
  load(ruleset: string): void {
    this.run('sh', ['-euc', LOAD], `flush ruleset\n${ruleset}`);
  }

  /** Runs a program beside the router; returns what it printed. Throws when it fails, with what it said. */
  run(program: string, args: readonly string[], input = ''): string {
    const inside = ['-t', String(this.#process.pid), '-n', '--', program, ...args];
    const { status, stdout, stderr } = spawnSync('nsenter', inside, { input, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** What comes out when `packet` goes in, there. Throws when that is not one packet. */
  async pass(packet: Uint8Array, from: Side, to: Side): Promise<Uint8Array> {
    const [out] = await this.passAll([{ side: from, packet }]);
    const [first, ...others] = out!;
    if (first?.side !== to || others.length > 0) throw new Error(`${out!.length} packets came out, not one ${to}`);
    return first.packet;
  }

  /** What comes out because of each of `packets`, which go in one after the other. */
  async passAll(packets: readonly SidePacket[]): Promise<readonly (readonly SidePacket[])[]> {
    const first = this.#sentCount;
    this.#sentCount += packets.length;
    for (const { side, packet } of packets) {
      const index = SIDES.indexOf(side);
      const octets = frame({ to: ROUTER_MACS[index]!, from: PEER_MACS[index]!, type: ETHERTYPE_IPV4, payload: packet });
      const head = new Uint8Array(HEAD_BYTES);
      writeBe32(head, 0, octets.length);
      head[4] = index;
      this.#process.stdin!.write(head);
      this.#process.stdin!.write(octets);
    }
    await until('the router', () => {
      if (this.#process.exitCode !== null) throw new Error(`the router has ended: ${this.#said}`);
      return this.#outcomes.length === this.#sentCount;
    });
    return this.#outcomes.slice(first);
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }

  #read(chunk: Uint8Array): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const length = this.#unread.length < HEAD_BYTES ? Number.POSITIVE_INFINITY : readBe32(this.#unread, 0);
      if (this.#unread.length < HEAD_BYTES + length) return;
      const octets = this.#unread.slice(HEAD_BYTES, HEAD_BYTES + length);
      if (length === 0) {
        this.#outcomes.push(this.#outcome);
        this.#outcome = [];
      } else if (octets[12]! * 256 + octets[13]! === ETHERTYPE_IPV4) {
        this.#outcome.push({ side: SIDES[this.#unread[4]!]!, packet: Uint8Array.from(octets.subarray(14)) });
      }
      this.#unread = this.#unread.subarray(HEAD_BYTES + length);
    }
  }
}
