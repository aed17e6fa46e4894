/**
 * A real Linux host: a network namespace of its own with a TAP interface, joined to a wire socket by the TAP relay. It
 * has the address 192.0.2.1/24 unless told otherwise, no IPv6, and is gone with its one process.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { requirement, requireTool } from './require-tool.ts';
import { until } from './stream-peer.ts';

const RELAY = resolve('src/bridge/tap-relay.pl');
const TIMEOUT_MS = 50_000;

/**
 * In the namespace: the interface first, then the relay in place of the shell. A kernel may have no IPv6 at all. Reno is
 * the congestion control that every kernel has.
 */
const SETUP = `
echo reno >/proc/sys/net/ipv4/tcp_congestion_control
for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6 || true; done 2>/dev/null
ip link set lo up
ip tuntap add mode tap name tap0
ip addr add "$3" dev tap0
ip link set tap0 up
test -z "$4" || ip route add default via "$4"
exec perl "$1" tap0 "$2"`;

export interface TcpConnection {
  /** As `ss` calls it. */
  readonly state: string;
  readonly localPort: number;
  readonly peerPort: number;
}

export interface LinuxHostOptions {
  /** With the length of its prefix. */
  readonly address?: string;
  /** Where its default route leads; without one it has none. */
  readonly gateway?: string;
}

const portOf = (endpoint: string): number => Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));

export class LinuxHost {
  #said = '';
  readonly #relay: ChildProcess;
  readonly #servers: ChildProcess[] = [];

  private constructor(socketPath: string, { address = '192.0.2.1/24', gateway = '' }: LinuxHostOptions) {
    this.#relay = spawn('unshare', ['-n', 'sh', '-euc', SETUP, 'sh', RELAY, socketPath, address, gateway], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#relay.stderr!.setEncoding('utf8').on('data', text => {
      this.#said += text;
    });
  }

  /** A host on the wire at `socketPath`, once the host `address` on that wire answers. */
  static async plugIn(socketPath: string, address: string, options: LinuxHostOptions = {}): Promise<LinuxHost> {
    const host = await LinuxHost.join(socketPath, options);
    await until(`an answer of ${address}`, () => host.#succeeds('ping', '-c', '1', '-W', '1', address));
    return host;
  }

  /** A host on the wire at `socketPath`, whoever else is there. */
  static async join(socketPath: string, options: LinuxHostOptions = {}): Promise<LinuxHost> {
    const host = new LinuxHost(socketPath, options);
    await until('the interface', () => {
      if (host.#relay.exitCode !== null) throw new Error(`the relay has ended: ${host.#said}`);
      return host.#succeeds('ip', 'link', 'show', 'tap0');
    });
    return host;
  }

  /** Runs a program on this host; returns what it printed. Rejects when it fails, with what it said. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const options = { encoding: 'utf8', timeout: TIMEOUT_MS } as const;
    const { stdout } = await promisify(execFile)('nsenter', [...this.#inside(), program, ...args], options);
    return stdout;
  }

  /** Runs a program on this host that may fail; returns what it printed on standard output, in either case. */
  async try(program: string, ...args: readonly string[]): Promise<string> {
    return this.run(program, ...args).catch((error: { stdout?: string }) => error.stdout ?? '');
  }

  /** Starts a program on this host that goes on until the host is killed, or unplugged. */
  serve(program: string, ...args: readonly string[]): void {
    this.#servers.push(spawn('nsenter', [...this.#inside(), program, ...args], { stdio: 'ignore' }));
  }

  /** The states of this host's TCP connections, each with its local port, listeners apart. */
  async connections(): Promise<readonly TcpConnection[]> {
    const lines = (await this.run('ss', '-Htan')).split('\n').filter(line => line !== '');
    const rows = lines.map(line => line.trim().split(/\s+/));
    return rows
      .filter(([state]) => state !== 'LISTEN')
      .map(([state, , , local, peer]) => ({ state: state!, localPort: portOf(local!), peerPort: portOf(peer!) }));
  }

  /** Unplugs it; returns the relay's exit status. */
  async unplug(): Promise<number | null> {
    for (const server of this.#servers) server.kill();
    const ended = once(this.#relay, 'exit');
    this.#relay.kill('SIGTERM');
    return (await ended)[0];
  }

  kill(): void {
    for (const server of this.#servers) server.kill('SIGKILL');
    this.#relay.kill('SIGKILL');
  }

  #succeeds(program: string, ...args: readonly string[]): boolean {
    return spawnSync('nsenter', [...this.#inside(), program, ...args], { timeout: TIMEOUT_MS }).status === 0;
  }

  #inside(): string[] {
    return ['-t', String(this.#relay.pid), '-n', '--'];
  }
}

/** A `describe` whose tests plug in a Linux host, and use `tools` besides. */
export function requireLinuxHost(...tools: readonly string[]): ReturnType<typeof requireTool> {
  const trial = spawnSync('unshare', ['-n', 'ip', 'tuntap', 'add', 'mode', 'tap', 'name', 'tap0']);
  if (trial.status === 0) return requireTool('nsenter', 'perl', 'ping', ...tools);
  return requirement('a TAP interface in a network namespace', `no TAP interface: ${trial.stderr ?? trial.error}`);
}
