/**
 * MDIC and the PHY behind it as QEMU 7.2 has them: eleven registers, answered at once. Only the link and
 * auto-negotiation are alive, and of the latter only that it takes half a second. The link is that of the netdev.
 */
import type { Timer, TimerState } from '../../../sim/clock.ts';
import type { Chip } from '../chip.ts';
import { E1000 } from '../registers.ts';
import type { WindowedInterrupts } from './interrupts.ts';

const { ICR, MDIC, STATUS } = E1000;

const PHY_ADDRESS = 1;
const OP_READ = 2;
const OP_WRITE = 1;
const READABLE = 1;
const WRITABLE = 2;

const PCTRL = 0;
const PCTRL_AUTO_NEGOTIATE = 0x1000;
const PCTRL_RESTART = 0x0200;
const PCTRL_LOOPBACK = 0x4000;
/** Bits of PCTRL that are not stored: RESET, RESTART, and the reserved ones. */
const PCTRL_TRANSIENT = 0x823f;
const PSTATUS = 1;
const PSTATUS_LINK = 0x0004;
const PSTATUS_NEGOTIATED = 0x0020;
const PARTNER = 5;
const PARTNER_ACK = 0x4000;

/** `[register, access, reset value]`; all others answer with MDIC.E. */
const REGISTERS = [
  [PCTRL, READABLE | WRITABLE, 0x1140],
  [PSTATUS, READABLE, 0x794d],
  [2, READABLE, 0x0141],
  [3, READABLE, 0x0c20],
  [4, READABLE | WRITABLE, 0x0de1],
  [PARTNER, READABLE, 0x01e0],
  [6, READABLE, 0],
  [9, READABLE | WRITABLE, 0x0e00],
  [10, READABLE, 0x3c00],
  [16, READABLE | WRITABLE, 0x0360],
  [17, READABLE, 0xac00],
  [20, READABLE | WRITABLE, 0x0d60],
  [21, READABLE, 0],
] as const;
const REGISTER_COUNT = 32;

/** Counted from the whole millisecond before. */
const NEGOTIATION_MS = 500;
const NS_PER_MS = 1_000_000;

export interface InstantMdioState {
  readonly registers: Uint16Array;
  readonly latest: number;
  readonly netdevUp: boolean;
  readonly negotiation: TimerState;
}

export class InstantMdio {
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #interrupts: WindowedInterrupts;
  readonly #access = new Uint8Array(REGISTER_COUNT);
  readonly #registers = new Uint16Array(REGISTER_COUNT);
  readonly #negotiation: Timer;
  /** MDIC as the latest transaction left it. */
  #latest = 0;
  #netdevUp = true;

  constructor(chip: Chip, interrupts: WindowedInterrupts) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#negotiation = chip.clock.timer(() => this.#negotiated());
    for (const [register, access, reset] of REGISTERS) {
      this.#access[register] = access;
      this.#registers[register] = reset;
    }
  }

  /** What is sent comes back. */
  get loopback(): boolean {
    return (this.#registers[PCTRL]! & PCTRL_LOOPBACK) !== 0;
  }

  /** MDIC was written: the transaction is over. */
  written(): void {
    const mdic = this.#words[MDIC.n]!;
    const ours = (mdic & MDIC.PHYADD) >>> 21 === PHY_ADDRESS;
    const result = (ours ? this.#transact(mdic) : this.#latest | MDIC.E) | MDIC.R;
    this.#words[MDIC.n] = this.#latest = result;
    if ((result & MDIC.I) !== 0) this.#interrupts.raise(ICR.MDAC);
  }

  /** The link of the netdev. One that comes up is negotiated, unless it has been already, or nobody wants that. */
  linkIs(up: boolean): void {
    const before = this.#words[STATUS.n]! & STATUS.LU;
    this.#netdevUp = up;
    if (!up) this.#linkDown();
    else if (this.#negotiates && (this.#registers[PSTATUS]! & PSTATUS_NEGOTIATED) === 0) this.#restart();
    else this.#linkUp();
    if ((this.#words[STATUS.n]! & STATUS.LU) !== before) this.#interrupts.raise(ICR.LSC);
  }

  save(): InstantMdioState {
    return {
      registers: this.#registers.slice(),
      latest: this.#latest,
      netdevUp: this.#netdevUp,
      negotiation: this.#negotiation.save(),
    };
  }

  load(state: InstantMdioState): void {
    this.#registers.set(state.registers);
    this.#latest = state.latest;
    this.#netdevUp = state.netdevUp;
    this.#negotiation.load(state.negotiation);
  }

  /** A read and a write at once is a read; neither does nothing, and succeeds. */
  #transact(mdic: number): number {
    const register = (mdic & MDIC.REGADD) >>> 16;
    const op = (mdic & MDIC.OP) >>> 26;
    const access = this.#access[register]!;
    if ((op & OP_READ) !== 0) {
      return (access & READABLE) === 0 ? mdic | MDIC.E : (mdic & ~MDIC.DATA) | this.#registers[register]!;
    }
    if ((op & OP_WRITE) === 0) return mdic;
    if ((access & WRITABLE) === 0) return mdic | MDIC.E;
    this.#write(register, mdic & MDIC.DATA);
    return mdic;
  }

  #write(register: number, value: number): void {
    if (register !== PCTRL) {
      this.#registers[register] = value;
      return;
    }
    this.#registers[PCTRL] = value & ~PCTRL_TRANSIENT;
    if (this.#negotiates && (value & PCTRL_RESTART) !== 0) this.#restart();
  }

  get #negotiates(): boolean {
    return (this.#registers[PCTRL]! & PCTRL_AUTO_NEGOTIATE) !== 0;
  }

  #restart(): void {
    this.#linkDown();
    const ms = Math.floor(this.#chip.clock.nowNs / NS_PER_MS);
    this.#negotiation.armAt((ms + NEGOTIATION_MS) * NS_PER_MS);
  }

  #negotiated(): void {
    if (!this.#netdevUp) return;
    this.#linkUp();
    this.#registers[PARTNER]! |= PARTNER_ACK;
    this.#registers[PSTATUS]! |= PSTATUS_NEGOTIATED;
    this.#interrupts.raise(ICR.LSC);
  }

  #linkUp(): void {
    this.#words[STATUS.n]! |= STATUS.LU;
    this.#registers[PSTATUS]! |= PSTATUS_LINK;
  }

  #linkDown(): void {
    this.#words[STATUS.n]! &= ~STATUS.LU;
    this.#registers[PSTATUS]! &= ~(PSTATUS_LINK | PSTATUS_NEGOTIATED);
    this.#registers[PARTNER]! &= ~PARTNER_ACK;
  }
}
