/**
 * A QEMU `virt` machine with an e1000, held still: registers and memory are reached through qtest while the machine is
 * stopped, and virtual time moves only when it is told to, by an exact amount.
 *
 * How time moves: the hart sleeps in a WFI with the timer interrupt enabled, and a breakpoint stands behind that. To
 * let t pass, mtimecmp is set to t from now and the machine runs on: with `-icount sleep=off` virtual time jumps from
 * timer to timer, the NIC's included, until the hart wakes up and meets the breakpoint. 100 ns is the unit of mtime.
 * Between the breakpoint and the stop QEMU jumps to the next timer once more. So mtimecmp wakes the hart one unit too
 * early, and what the hart does before the breakpoint is to set it one unit later. Now and then QEMU jumps twice: then
 * time has run away, and whoever let it pass has to begin again.
 *
 * Frames come in through a `filter-redirector`, which has no flow control of its own: they wait in the NIC's queue as
 * they would with any netdev, until the NIC asks for them, or the machine runs; a stop throws away those still there.
 * They go out through a stream socket. All sockets are ours; QEMU connects to them.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBe32 } from '../../src/lib/bytes.ts';
import { GdbChannel } from './gdb-channel.ts';
import { LineChannel } from './line-channel.ts';

const SOCKETS = ['gdb', 'qmp', 'out', 'in'] as const;
const START_MS = 20_000;

/**
 * li t0, MTIE; csrw mie, t0; lui t1, MTIMECMP; auipc t2, 0; ld t2, LATER(t2); wfi; sd t2, 0(t1); j .
 * It begins at CODE_BASE, the breakpoint is at the jump, and LATER is a word of data.
 */
const CODE = [
  0x0800_0293, 0x3042_9073, 0x0200_4337, 0x0000_0397, 0x0f43_b383, 0x1050_0073, 0x0073_3023, 0x0000_006f,
] as const;
const CODE_BASE = 0x8000_0000;
const BREAKPOINT = CODE_BASE + 4 * (CODE.length - 1);
const LATER = CODE_BASE + 0x100;
const MTIME = 0x0200_bff8;
const MTIMECMP = 0x0200_4000;
const MTIME_NS = 100;

const LENGTH_BYTES = 4;
/** What QEMU reads from a socket at once. */
const READ_BYTES = 4096;

export type Edge = 'raise' | 'lower';

/** A reply of qtest: what follows OK, and the edges of the NIC's interrupt since the reply before it. */
interface QtestReply {
  readonly text: string;
  readonly edges: readonly Edge[];
}

interface QmpReply {
  readonly return?: unknown;
  readonly error?: unknown;
}

export class QemuProcess {
  /** Frames that have left the NIC. */
  readonly frames: Uint8Array[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #folder: string;
  readonly #qtest: LineChannel<QtestReply>;
  readonly #qmp: LineChannel<QmpReply>;
  #edges: Edge[] = [];
  readonly #gdb: GdbChannel;
  readonly #in: Socket;
  #out: Buffer = Buffer.alloc(0);

  private constructor(child: ChildProcessWithoutNullStreams, folder: string, sockets: Map<string, Socket>) {
    this.#child = child;
    this.#folder = folder;
    this.#in = sockets.get('in')!;
    this.#gdb = new GdbChannel(sockets.get('gdb')!);
    const qmp = sockets.get('qmp')!;
    this.#qmp = new LineChannel(qmp, qmp, line => {
      const message = JSON.parse(line);
      return 'QMP' in message || 'event' in message ? null : message;
    });
    this.#qtest = new LineChannel(child.stdout, child.stdin, line => this.#qtestLine(line));
    sockets.get('out')!.on('data', data => this.#takeFrames(data));
    for (const socket of sockets.values()) socket.on('error', () => undefined);
  }

  static async start(): Promise<QemuProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'ringtail-qemu-'));
    const sockets = new Map<string, Socket>();
    const connected = SOCKETS.map(async name => {
      const server = createServer();
      server.listen(join(folder, name));
      const [socket] = await once(server, 'connection');
      sockets.set(name, socket);
      server.close();
    });
    const child = spawn('qemu-system-riscv64', commandLine(folder), { stdio: 'pipe' });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', text => {
      said += text;
    });
    const failed = once(child, 'exit').then(() => Promise.reject(new Error(`QEMU has ended: ${said}`)));
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`QEMU does not connect: ${said}`)), START_MS).unref();
    });
    failed.catch(() => undefined);
    late.catch(() => undefined);
    await Promise.race([Promise.all(connected), failed, late]);
    const qemu = new QemuProcess(child, folder, sockets);
    await qemu.qmp('qmp_capabilities');
    await qemu.#watchInterrupts();
    await qemu.#gdb.ask(`Z0,${BREAKPOINT.toString(16)},4`);
    return qemu;
  }

  /** A qtest command. Throws when QEMU does not like it. */
  async ask(command: string): Promise<QtestReply> {
    const reply = await this.#qtest.ask(command);
    if (!reply.text.startsWith('OK')) throw new Error(`qtest: ${command}: ${reply.text}`);
    return { text: reply.text.slice(3), edges: reply.edges };
  }

  async qmp(command: string, args: object = {}): Promise<unknown> {
    const reply = await this.#qmp.ask(JSON.stringify({ execute: command, arguments: args }));
    if (reply.error !== undefined) throw new Error(`QMP: ${command}: ${JSON.stringify(reply.error)}`);
    return reply.return;
  }

  /** Puts all devices back to power-on. Memory keeps its contents; virtual time goes on, mtime begins at zero. */
  async reset(): Promise<void> {
    await this.qmp('system_reset');
    while ((await this.nowNs()) !== 0);
  }

  /** Nanoseconds since the reset. */
  async nowNs(): Promise<number> {
    return Number((await this.ask(`readq ${MTIME}`)).text) * MTIME_NS;
  }

  /** Lets `ns` pass: a multiple of 100, and at least 200. Returns the edges meanwhile; null: time has run away. */
  async pass(ns: number): Promise<readonly Edge[] | null> {
    const untilNs = (await this.nowNs()) + ns;
    await this.ask(`writeq ${MTIMECMP} ${untilNs / MTIME_NS - 1}`);
    await this.ask(`writeq ${LATER} ${untilNs / MTIME_NS}`);
    await this.#gdb.ask(`c${CODE_BASE.toString(16)}`);
    const { text, edges } = await this.ask(`readq ${MTIME}`);
    return Number(text) * MTIME_NS === untilNs ? edges : null;
  }

  /** Puts a frame into the NIC's queue. */
  async inject(octets: Uint8Array): Promise<void> {
    const framed = new Uint8Array(LENGTH_BYTES + octets.length);
    writeBe32(framed, 0, octets.length);
    framed.set(octets, LENGTH_BYTES);
    await new Promise(resolve => this.#in.write(framed, resolve));
    // QEMU takes so much from each of its sockets in turn: after as many replies it has the frame.
    for (let taken = -READ_BYTES; taken < framed.length; taken += READ_BYTES) await this.nowNs();
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #watchInterrupts(): Promise<void> {
    const path = '/machine/unattached';
    const children = (await this.qmp('qom-list', { path })) as { name: string; type: string }[];
    const plic = children.find(({ type }) => type.includes('plic'));
    if (plic === undefined) throw new Error('this QEMU has no PLIC where it is looked for');
    await this.ask(`irq_intercept_in ${path}/${plic.name}`);
  }

  #qtestLine(line: string): QtestReply | null {
    if (line.startsWith('IRQ ')) {
      this.#edges.push(line.includes('raise') ? 'raise' : 'lower');
      return null;
    }
    const edges = this.#edges;
    this.#edges = [];
    return { text: line, edges };
  }

  #takeFrames(data: Buffer): void {
    let rest = Buffer.concat([this.#out, data]);
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUInt32BE(0);
      if (rest.length < end) break;
      this.frames.push(new Uint8Array(rest.subarray(LENGTH_BYTES, end)));
      rest = rest.subarray(end);
    }
    this.#out = rest;
  }
}

function commandLine(folder: string): string[] {
  const at = (name: (typeof SOCKETS)[number]) => join(folder, name);
  const word = (value: number) => value.toString(16).padStart(8, '0');
  const code = [0, 2, 4, 6].map(i => {
    const data = `0x${word(CODE[i + 1]!)}${word(CODE[i]!)}`;
    return ['-device', `loader,addr=${CODE_BASE + 4 * i},data=${data},data-len=8`];
  });
  return [
    ...['-machine', 'virt', '-accel', 'tcg', '-icount', 'shift=0,sleep=off', '-m', '64M', '-S'],
    ...['-display', 'none', '-nodefaults', '-bios', 'none', ...code.flat()],
    ...['-qtest', 'stdio', '-qtest-log', '/dev/null', '-gdb', `unix:path=${at('gdb')}`],
    ...['-chardev', `socket,id=qmp,path=${at('qmp')}`, '-mon', 'chardev=qmp,mode=control'],
    ...['-netdev', `stream,id=n0,server=off,addr.type=unix,addr.path=${at('out')}`],
    ...['-device', 'e1000,netdev=n0,romfile=,mac=52:54:00:12:34:56'],
    ...['-chardev', `socket,id=in,path=${at('in')}`],
    ...['-object', 'filter-redirector,id=f0,netdev=n0,queue=tx,indev=in'],
  ];
}
