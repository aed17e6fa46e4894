/** Stream sockets over a {@link PerfectTcp}, and programs that use them. */
import { Sockets } from '../../kernel/net/sockets.ts';
import { StreamPorts } from '../../kernel/net/stream-ports.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import type { Blocking, Program } from '../../kernel/task.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { NetRig } from './net-rig.ts';
import { PerfectTcp } from './perfect-tcp.ts';

export const LOCALHOST = parseIpv4('127.0.0.1');

export class StreamRig extends NetRig {
  readonly tcp = new PerfectTcp(this);
  /** What programs noted, in order. */
  readonly notes: string[] = [];

  constructor() {
    super();
    const ports = new StreamPorts(
      this.tcp,
      address => this.net.ipv4Output.isOwnAddress(address),
      () => this.random(),
    );
    const protocols = { udp: this.net.udp, icmp: this.net.udp };
    Object.assign(this.net, { sockets: new Sockets(this, protocols, ports) });
  }

  /** Starts a program; what it returns, or the code of what it throws, is noted under `name`. */
  start(name: string, program: (sys: Syscalls) => Blocking<unknown>): void {
    const notes = this.notes;
    const noting: Program = function* (sys) {
      try {
        const result = yield* program(sys);
        notes.push(`${name}: ${result instanceof Uint8Array ? `[${result.join()}]` : String(result)}`);
      } catch (error) {
        notes.push(`${name}: ${(error as { code?: string }).code ?? String(error)}`);
      }
    };
    this.spawn(name, noting);
  }
}
