/**
 * PAUSE, IEEE 802.3 annex 31B: a received XOFF stops the transmitter for a time, and the receive FIFO sends XOFF when it
 * fills up and XON when it has drained. 82540EM manual, sections 8.8 and 13.4.10 to 13.4.15. In half duplex there is
 * none.
 */
import { readBe16, writeBe16, writeLe16, writeLe32 } from '../../../src/lib/bytes.ts';
import { Frame } from '../../ethernet/frame.ts';
import { OPCODE_PAUSE, PAUSE_AT, PAUSE_BYTES, QUANTUM_BITS } from '../../ethernet/mac/pause.ts';
import { BIT_NS, type Phy } from '../../ethernet/ports.ts';
import type { Timer, TimerState } from '../../sim/clock.ts';
import type { Chip } from './chip.ts';
import { E1000 } from './registers.ts';
import type { Statistics } from './statistics.ts';

const { CTRL, FCAH, FCAL, FCRTH, FCRTL, FCT, FCTTV, FCRUC, RAH, RAL, RCTL, STATUS } = E1000;
const { XOFFRXC, XOFFTXC, XONRXC, XONTXC } = E1000;

export interface FlowControlState {
  readonly pause: TimerState;
  readonly stopped: boolean;
}

export class FlowControl {
  /** A PAUSE frame is to go out, before anything that waits. */
  onSend: ((frame: Frame) => void) | null = null;
  /** The pause is over. */
  onResume: (() => void) | null = null;
  readonly #words: Int32Array;
  readonly #statistics: Statistics;
  readonly #phy: Phy;
  readonly #pause: Timer;
  /** XOFF was sent, and XON not yet. */
  #stopped = false;

  constructor(chip: Chip, statistics: Statistics, phy: Phy) {
    this.#words = chip.words;
    this.#statistics = statistics;
    this.#phy = phy;
    this.#pause = chip.clock.timer(() => this.#resume());
  }

  /** Whether the transmitter must wait. */
  get paused(): boolean {
    return this.#pause.armed;
  }

  /** Whether a frame is MAC control, for this station or all: the address filter has no say in these (13.4.10). */
  recognizes(octets: Uint8Array): boolean {
    const type = this.#words[FCT.n]!;
    return (
      type !== 0 && octets.length >= PAUSE_BYTES && readBe16(octets, PAUSE_AT.type) === type && this.#addressed(octets)
    );
  }

  /** Looks at a good frame. True: it was MAC control and is not for software. */
  consumes(octets: Uint8Array): boolean {
    const type = this.#words[FCT.n]!;
    if (type === 0 || readBe16(octets, PAUSE_AT.type) !== type) return false;
    const pause = readBe16(octets, PAUSE_AT.opcode) === OPCODE_PAUSE && this.#addressed(octets);
    if (pause && this.#enabled(CTRL.RFCE)) this.#obey(readBe16(octets, PAUSE_AT.quanta));
    else this.#statistics.count(FCRUC.n);
    const rctl = this.#words[RCTL.n]!;
    return (rctl & RCTL.PMCF) === 0 || (pause && (rctl & RCTL.DPF) !== 0);
  }

  /** The receive FIFO holds `usedBytes`, after a change. */
  fifoHolds(usedBytes: number): void {
    const high = this.#words[FCRTH.n]! & FCRTH.RTH;
    if (high === 0 || !this.#enabled(CTRL.TFCE)) return;
    const low = this.#words[FCRTL.n]!;
    if (!this.#stopped && usedBytes > high) {
      this.#stopped = true;
      this.sendXoff();
    } else if (this.#stopped && usedBytes <= (low & FCRTL.RTL)) {
      this.#stopped = false;
      if (low < 0) this.#send(0); // XONE is the sign
    }
  }

  /** Sends one XOFF, as TCTL.SWXOFF asks. */
  sendXoff(): void {
    this.#send(this.#words[FCTTV.n]!);
  }

  /** A PAUSE frame that `onSend` was given has gone out. */
  sent(frame: Frame): void {
    this.#statistics.count(readBe16(frame.octets, PAUSE_AT.quanta) === 0 ? XONTXC.n : XOFFTXC.n);
  }

  reset(): void {
    this.#pause.cancel();
    this.#stopped = false;
  }

  save(): FlowControlState {
    return { pause: this.#pause.save(), stopped: this.#stopped };
  }

  load(state: FlowControlState): void {
    this.#pause.load(state.pause);
    this.#stopped = state.stopped;
  }

  #enabled(bit: number): boolean {
    return (this.#words[CTRL.n]! & bit) !== 0 && (this.#words[STATUS.n]! & STATUS.FD) !== 0;
  }

  /** The PAUSE address, or that of this station. */
  #addressed(octets: Uint8Array): boolean {
    const low = octets[0]! | (octets[1]! << 8) | (octets[2]! << 16) | (octets[3]! << 24);
    const high = octets[4]! | (octets[5]! << 8);
    const words = this.#words;
    if (low === words[FCAL.n]! && high === words[FCAH.n]!) return true;
    return low === words[RAL.n]! && high === (words[RAH.n]! & RAH.RAH);
  }

  #obey(quanta: number): void {
    this.#statistics.count(quanta === 0 ? XONRXC.n : XOFFRXC.n);
    if (quanta === 0) {
      const waited = this.#pause.armed;
      this.#pause.cancel();
      if (waited) this.#resume();
      return;
    }
    this.#words[STATUS.n]! |= STATUS.TXOFF;
    this.#pause.armIn(quanta * QUANTUM_BITS * BIT_NS[this.#phy.link.speed]);
  }

  #resume(): void {
    this.#words[STATUS.n]! &= ~STATUS.TXOFF;
    this.onResume?.();
  }

  #send(quanta: number): void {
    const words = this.#words;
    const octets = new Uint8Array(PAUSE_BYTES);
    writeLe32(octets, 0, words[FCAL.n]!);
    writeLe16(octets, 4, words[FCAH.n]!);
    writeLe32(octets, 6, words[RAL.n]!);
    writeLe16(octets, 10, words[RAH.n]!);
    writeBe16(octets, PAUSE_AT.type, words[FCT.n]!);
    writeBe16(octets, PAUSE_AT.opcode, OPCODE_PAUSE);
    writeBe16(octets, PAUSE_AT.quanta, quanta);
    this.onSend?.(Frame.withFcs(octets));
  }
}
