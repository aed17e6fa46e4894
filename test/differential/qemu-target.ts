/**
 * Runs programs on QEMU's e1000. Each one begins with the devices at power-on, the program's part of memory zeroed, the
 * BARs placed, and virtual time at a whole millisecond, which is how QEMU counts some of its delays.
 */
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { hexBytes } from '../../src/lib/bytes.ts';
import {
  ARENA_BASE,
  ARENA_BYTES,
  BAR0_BASE,
  BAR1_PORT,
  COMMAND_ON,
  type Op,
  type Outcome,
  type Program,
  type Run,
  valueText,
} from './ops.ts';
import { QemuProcess } from './qemu-process.ts';

const ECAM_SLOT_1 = 0x3000_8000;
const COMMAND = 0x04;
const BAR0 = 0x10;
const BAR1 = 0x14;
const NS_PER_MS = 1_000_000;
/** How long to wait for frames that the other target has seen, in case a socket was slow. */
const LATE_FRAMES_MS = 200;

/** Runs of one program until time has not run away in one of them. */
const ATTEMPTS = 8;
const LAST_PASS_NS = 200;
/** What a Unix socket holds at least, and what a message takes of it beside twice its octets, at most. */
const SOCKET_BYTES = 200_000;
const SOCKET_OVERHEAD_BYTES = 1024;

type SlowOp = Extract<Op, { op: 'frame' | 'link' | 'pass' }>;
type FastOp = Exclude<Op, SlowOp>;

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

  /**
   * Whether QEMU can get `frames` to us: one of no octets stops its netdev for good, and a stopped machine throws away
   * what the socket does not hold.
   */
  static canDeliver(frames: readonly Uint8Array[]): boolean {
    const held = frames.reduce((sum, { length }) => sum + SOCKET_OVERHEAD_BYTES + 2 * length, 0);
    return held <= SOCKET_BYTES && frames.every(({ length }) => length > 0);
  }

  /** Runs `program`. `frameCount` frames are expected out of it. */
  async run(program: Program, frameCount: number): Promise<Run> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcomes = await this.#attempt(program);
      if (outcomes === null) continue;
      return { outcomes, frames: await this.#framesSent(frameCount) };
    }
    throw new Error('time in QEMU runs away again and again');
  }

  async stop(): Promise<void> {
    await this.#qemu.stop();
  }

  /** Null: time has run away. */
  async #attempt(program: Program): Promise<Outcome[] | null> {
    if (!(await this.#powerOn())) return null;
    const outcomes: Outcome[] = [];
    let batch: Promise<Outcome>[] = [];
    for (const op of program) {
      if (!isSlow(op)) {
        batch.push(this.#outcome(op));
        continue;
      }
      outcomes.push(...(await Promise.all(batch)));
      batch = [];
      const outcome = await this.#slow(op);
      if (outcome === null) return null;
      outcomes.push(outcome);
    }
    outcomes.push(...(await Promise.all(batch)));
    // A machine that stands still sends nothing: what it has sent leaves when it runs on.
    return (await this.#qemu.pass(LAST_PASS_NS)) === null ? null : outcomes;
  }

  async #framesSent(count: number): Promise<Uint8Array[]> {
    const { frames } = this.#qemu;
    await new Promise(setImmediate); // what QEMU wrote before its last reply is there to be read
    for (let waitedMs = 0; frames.length < count && waitedMs < LATE_FRAMES_MS; waitedMs += 10) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    return frames.slice();
  }

  async #powerOn(): Promise<boolean> {
    const qemu = this.#qemu;
    this.#phaseNs = (this.#phaseNs + (await qemu.nowNs())) % NS_PER_MS;
    await qemu.qmp('set_link', { name: 'n0', up: true });
    await qemu.reset();
    if ((await qemu.pass(NS_PER_MS - this.#phaseNs)) === null) return false;
    await qemu.ask(`memset ${ARENA_BASE} ${ARENA_BYTES} 0`);
    await qemu.ask(`writel ${ECAM_SLOT_1 + BAR0} ${BAR0_BASE}`);
    await qemu.ask(`writel ${ECAM_SLOT_1 + BAR1} ${BAR1_PORT}`);
    await qemu.ask(`writew ${ECAM_SLOT_1 + COMMAND} ${COMMAND_ON}`);
    // The pins of the EEPROM outlive a reset in QEMU: raising and dropping CS brings them back to their beginning.
    for (const pins of [0, E1000.EECD.CS, 0]) await qemu.ask(`writel ${BAR0_BASE + E1000.EECD.at} ${pins}`);
    qemu.frames.length = 0;
    return true;
  }

  /** Ops that are more than one command. Null: time has run away. */
  async #slow(op: SlowOp): Promise<Outcome | null> {
    const qemu = this.#qemu;
    if (op.op === 'pass') {
      const edges = await qemu.pass(op.ns);
      return edges === null ? null : { value: '', edges };
    }
    if (op.op === 'frame') await qemu.inject(op.octets);
    else await qemu.qmp('set_link', { name: 'n0', up: op.up });
    const { edges } = await qemu.ask('readb 0'); // any command: its reply comes behind the edges
    return { value: '', edges };
  }

  /** Edges are printed before the reply to what caused them. */
  async #outcome(op: FastOp): Promise<Outcome> {
    const { text, edges } = await this.#qemu.ask(commandOf(op));
    const reads = op.op === 'read' || op.op === 'config-read';
    const value = reads ? valueText(Number(text), op.size) : op.op === 'load' ? text.slice(2) : '';
    return { value, edges };
  }
}

function isSlow(op: Op): op is SlowOp {
  return op.op === 'frame' || op.op === 'link' || op.op === 'pass';
}

function commandOf(op: FastOp): string {
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
