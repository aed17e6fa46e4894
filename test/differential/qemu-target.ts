/**
 * Runs programs on QEMU's e1000. Each one begins with the devices at power-on, the program's part of memory zeroed, the
 * BARs placed, and virtual time at a whole millisecond, which is how QEMU counts some of its delays.
 */
import { hexBytes } from '../../src/lib/bytes.ts';
import {
  ARENA_BASE,
  ARENA_BYTES,
  BAR0_BASE,
  BAR1_PORT,
  COMMAND_ON,
  FRAME_NS,
  type Op,
  type Outcome,
  type Program,
  type Run,
  type Size,
} from './ops.ts';
import { QemuProcess } from './qemu-process.ts';

const ECAM_SLOT_1 = 0x3000_8000;
const COMMAND = 0x04;
const BAR0 = 0x10;
const BAR1 = 0x14;
const NS_PER_MS = 1_000_000;
/** How long to wait for frames that the other target has seen, in case a socket was slow. */
const LATE_FRAMES_MS = 200;

/** In BAR0: enough of a receive ring that writing RDT makes QEMU look at its queue. */
const RDLEN = 0x2808;
const RDH = 0x2810;
const RDT = 0x2818;

const READ = { 1: 'readb', 2: 'readw', 4: 'readl' } as const;
const WRITE = { 1: 'writeb', 2: 'writew', 4: 'writel' } as const;

export class QemuTarget {
  readonly #qemu: QemuProcess;
  /** Virtual time of the latest reset, modulo a millisecond. */
  #phaseNs = 0;

  private constructor(qemu: QemuProcess) {
    this.#qemu = qemu;
  }

  static async start(): Promise<QemuTarget> {
    return new QemuTarget(await QemuProcess.start());
  }

  /** Runs `program`. `frameCount` frames are expected out of it. */
  async run(program: Program, frameCount: number): Promise<Run> {
    const qemu = this.#qemu;
    await this.#powerOn();
    const outcomes: Outcome[] = [];
    let batch: Promise<Outcome>[] = [];
    for (const op of program) {
      if (op.op === 'frame' || op.op === 'link' || op.op === 'pass') {
        outcomes.push(...(await Promise.all(batch)));
        batch = [];
        outcomes.push(await this.#slow(op));
      } else {
        batch.push(this.#outcome(this.#command(op), op));
      }
    }
    outcomes.push(...(await Promise.all(batch)));
    for (let waitedMs = 0; qemu.frames.length < frameCount && waitedMs < LATE_FRAMES_MS; waitedMs += 10) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    await new Promise(setImmediate);
    return { outcomes, frames: qemu.frames.slice() };
  }

  async stop(): Promise<void> {
    await this.#qemu.stop();
  }

  async #powerOn(): Promise<void> {
    const qemu = this.#qemu;
    await this.#dropWaitingFrames();
    this.#phaseNs = (this.#phaseNs + (await qemu.nowNs())) % NS_PER_MS;
    await qemu.reset();
    await qemu.pass(NS_PER_MS - this.#phaseNs);
    await qemu.ask(`memset ${ARENA_BASE} ${ARENA_BYTES} 0`);
    await qemu.ask(`writel ${ECAM_SLOT_1 + BAR0} ${BAR0_BASE}`);
    await qemu.ask(`writel ${ECAM_SLOT_1 + BAR1} ${BAR1_PORT}`);
    await qemu.ask(`writew ${ECAM_SLOT_1 + COMMAND} ${COMMAND_ON}`);
    qemu.frames.length = qemu.edges.length = 0;
  }

  /** Frames outlive a reset in the queue. With the link down the NIC throws away what it is offered. */
  async #dropWaitingFrames(): Promise<void> {
    const qemu = this.#qemu;
    await qemu.ask(`writel ${ECAM_SLOT_1 + BAR0} ${BAR0_BASE}`);
    await qemu.ask(`writew ${ECAM_SLOT_1 + COMMAND} ${COMMAND_ON}`);
    await qemu.qmp('set_link', { name: 'n0', up: false });
    for (const [register, value] of [
      [RDLEN, 128],
      [RDH, 0],
      [RDT, 1],
    ] as const) {
      await qemu.ask(`writel ${BAR0_BASE + register} ${value}`);
    }
    await qemu.qmp('set_link', { name: 'n0', up: true });
  }

  /** Ops that are more than one command. */
  async #slow(op: Extract<Op, { op: 'frame' | 'link' | 'pass' }>): Promise<Outcome> {
    const qemu = this.#qemu;
    if (op.op === 'frame') {
      await qemu.inject(op.octets);
      await qemu.pass(FRAME_NS);
    } else if (op.op === 'link') {
      await qemu.qmp('set_link', { name: 'n0', up: op.up });
    } else {
      await qemu.pass(op.ns);
    }
    await qemu.nowNs(); // its reply comes behind all edges
    return { value: '', edges: qemu.edges.splice(0) };
  }

  /** Edges are printed before the reply to what caused them. */
  async #outcome(command: string, op: Op): Promise<Outcome> {
    const reply = await this.#qemu.ask(command);
    const reads = op.op === 'read' || op.op === 'config-read';
    const value = reads ? valueText(Number(reply), op.size) : op.op === 'load' ? reply.slice(2) : '';
    return { value, edges: this.#qemu.edges.splice(0) };
  }

  #command(op: Exclude<Op, { op: 'frame' | 'link' | 'pass' }>): string {
    switch (op.op) {
      case 'read':
        return `${READ[op.size]} ${BAR0_BASE + op.at}`;
      case 'write':
        return `${WRITE[op.size]} ${BAR0_BASE + op.at} ${op.value >>> 0}`;
      case 'config-read':
        return `${READ[op.size]} ${ECAM_SLOT_1 + op.at}`;
      case 'config-write':
        return `${WRITE[op.size]} ${ECAM_SLOT_1 + op.at} ${op.value >>> 0}`;
      case 'load':
        return `read ${op.address} ${op.bytes}`;
      case 'store':
        return `write ${op.address} ${op.data.length} 0x${hexBytes(op.data, '')}`;
    }
  }
}

/** What was read, as both targets print it. */
export function valueText(value: number, size: Size): string {
  const bits = size === 4 ? value >>> 0 : value & (size === 2 ? 0xffff : 0xff);
  return bits.toString(16).padStart(2 * size, '0');
}
