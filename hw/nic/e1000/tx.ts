/**
 * Transmit: from the ring through the FIFO to the MAC, and the write-back. 82540EM manual, section 3.3 and 3.4.
 *
 * Who owns what: the hardware owns the descriptors from TDH up to TDT, of which it has `#held` on chip; the first
 * `#taken` of those have their data in the FIFO already. A descriptor goes back to software, with DD if it has RS, when
 * its frame has left the wire, not when its data were read. So TDH is the first descriptor whose work is not done.
 *
 * There is one timer, so there is one bus transaction at a time: fetch a burst of descriptors, or move the data of one
 * frame. A doorbell starts it and completes nothing by itself. Pointers outside the ring stop the unit.
 */

import { Frame, type FrameState } from '../../ethernet/frame.ts';
import type { TransmitOutcome } from '../../ethernet/mac/mac.ts';
import type { Timer, TimerState } from '../../sim/clock.ts';
import { Assembler, type AssemblerState, dataBytes, isContext } from './assembler.ts';
import { busTimeNs, CACHE_DESCRIPTORS, type Chip, DESCRIPTOR_BYTES } from './chip.ts';
import { TX_AT, TX_CMD, TX_STA } from './descriptors.ts';
import { type FifoState, FrameFifo } from './fifo.ts';
import { isBroadcast } from './filter.ts';
import type { FlowControl } from './flow-control.ts';
import type { Interrupts } from './interrupts.ts';
import type { MacPort } from './mac-port.ts';
import { E1000 } from './registers.ts';
import { DescriptorRing } from './ring.ts';
import type { Statistics } from './statistics.ts';

const { ICR, PBA, TCTL, TDFPC, TXDCTL } = E1000;

/** Frames, and groups of descriptors without one, that the FIFO holds at most. */
const FIFO_ENTRIES = 256;
/** What a frame has beyond the data of its descriptors. */
const TAG_AND_FCS_BYTES = 8;
const KIB = 1024;

type Stage = 'idle' | 'fetch' | 'data';

export interface TransmitterState {
  readonly fifo: FifoState;
  readonly sending: boolean;
  readonly sendingControl: boolean;
  readonly control: FrameState | null;
  readonly cache: Uint8Array;
  readonly taken: number;
  readonly assembler: AssemblerState;
  readonly stage: Stage;
  readonly timer: TimerState;
}

export class Transmitter {
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #interrupts: Interrupts;
  readonly #statistics: Statistics;
  readonly #port: MacPort;
  readonly #flow: FlowControl;
  readonly #assembler: Assembler;
  readonly #timer: Timer;
  #stage: Stage = 'idle';
  /** Frames, each with how many descriptors are done with when it leaves. Null: descriptors without a frame. */
  readonly #fifo = new FrameFifo(FIFO_ENTRIES);
  readonly #ring: DescriptorRing;
  /** The oldest frame is with the MAC. */
  #sending = false;
  /** A PAUSE frame that waits for the MAC, and whether one is there. */
  #control: Frame | null = null;
  #sendingControl = false;
  /** Descriptors on chip, a circular array: `#held` of them from `#cacheAt` on, the first of which is the ring's TDH. */
  readonly #cache = new Uint8Array(CACHE_DESCRIPTORS * DESCRIPTOR_BYTES);
  #cacheAt = 0;
  #held = 0;
  #taken = 0;

  constructor(chip: Chip, interrupts: Interrupts, statistics: Statistics, port: MacPort, flow: FlowControl) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#statistics = statistics;
    this.#port = port;
    this.#flow = flow;
    this.#assembler = new Assembler(chip, statistics);
    this.#ring = new DescriptorRing(chip.words, 'tx');
    this.#timer = chip.clock.timer(() => this.#due());
    this.#fifo.capacityBytes = (this.#words[PBA.n]! >>> 16) * KIB;
  }

  /** TDT was written. */
  doorbell(): void {
    const { count, tail } = this.#ring;
    if (count !== 0 && tail >= count) {
      this.#chip.taps?.suspicion(`TDT ${tail} lies outside a ring of ${count} descriptors`);
    }
    this.kick();
  }

  /** Looks for work: after a doorbell, a frame sent, or a change of what lets the unit run. */
  kick(): void {
    this.#handOver();
    if (this.#stage !== 'idle' || !this.#enabled || !this.#chip.pci.busMasterEnabled) return;
    this.#takeContexts();
    if (this.#taken < this.#held) {
      const bytes = this.#plan();
      if (bytes >= 0) this.#begin('data', bytes);
      return;
    }
    const burst = this.#fetchable();
    if (burst > 0) this.#begin('fetch', burst * DESCRIPTOR_BYTES);
  }

  /** A PAUSE frame goes out before all others. A newer one takes the place of one that waits. */
  sendControl(frame: Frame): void {
    this.#control = frame;
    this.#handOver();
  }

  /** The MAC has done with the oldest frame, or with a PAUSE frame. */
  transmitted(frame: Frame, outcome: TransmitOutcome): void {
    if (this.#sendingControl) {
      this.#sendingControl = false;
      this.#flow.sent(frame);
      this.kick();
      return;
    }
    const statistics = this.#statistics;
    this.#sending = false;
    let sta = TX_STA.DD as number;
    if (outcome === 'sent') {
      statistics.transmitted(frame.wireBytes, frame.octets[0] ?? 0, isBroadcast(frame.octets));
    } else {
      statistics.transmitFailed(frame.wireBytes);
      const late = outcome === 'late-collision';
      if (!late) sta |= TX_STA.EC;
      this.#chip.taps?.dropped(frame, late ? 'late collision' : 'excessive collisions');
    }
    if (this.#port.halfDuplex) {
      const { contention } = this.#port;
      statistics.contended(contention, outcome === 'sent');
      if (contention.lateCollisions > 0) sta |= TX_STA.LC;
      if (outcome === 'sent' && !this.#port.ownCarrier) statistics.sentWithoutCarrier();
    }
    this.#retire(sta);
    this.kick();
  }

  /** TDBA, TDLEN or TDH was written: what the chip holds is of another ring. Frames in the FIFO still go out. */
  ringMoved(): void {
    this.#held = this.#taken = 0;
    this.#fifo.forgetInfos();
    this.#assembler.reset();
    if (this.#stage !== 'idle') {
      this.#timer.cancel();
      this.#stage = 'idle';
    }
    this.kick();
  }

  /** Frames in the FIFO, for the diagnostic register. */
  updateDiagnostics(): void {
    this.#words[TDFPC.n] = this.#fifo.count;
  }

  reset(): void {
    this.#timer.cancel();
    this.#stage = 'idle';
    this.#fifo.clear();
    this.#held = this.#taken = 0;
    this.#sending = this.#sendingControl = false;
    this.#control = null;
    this.#assembler.reset();
    this.#fifo.capacityBytes = (this.#words[PBA.n]! >>> 16) * KIB;
  }

  save(): TransmitterState {
    const cache = new Uint8Array(this.#held * DESCRIPTOR_BYTES);
    for (let i = 0; i < this.#held; i++) {
      const at = this.#slot(i);
      cache.set(this.#cache.subarray(at, at + DESCRIPTOR_BYTES), i * DESCRIPTOR_BYTES);
    }
    return {
      fifo: this.#fifo.save(),
      sending: this.#sending,
      sendingControl: this.#sendingControl,
      control: this.#control?.save() ?? null,
      cache,
      taken: this.#taken,
      assembler: this.#assembler.save(),
      stage: this.#stage,
      timer: this.#timer.save(),
    };
  }

  load(state: TransmitterState): void {
    this.#fifo.load(state.fifo);
    this.#sending = state.sending;
    this.#sendingControl = state.sendingControl;
    this.#control = state.control === null ? null : Frame.load(state.control);
    this.#cache.set(state.cache);
    this.#cacheAt = 0;
    this.#held = state.cache.length / DESCRIPTOR_BYTES;
    this.#taken = state.taken;
    this.#assembler.load(state.assembler);
    this.#stage = state.stage;
    this.#timer.load(state.timer);
  }

  get #enabled(): boolean {
    return (this.#words[TCTL.n]! & TCTL.EN) !== 0 && this.#port.open;
  }

  #begin(stage: Stage, bytes: number): void {
    this.#stage = stage;
    this.#timer.armIn(busTimeNs(bytes));
  }

  #due(): void {
    const stage = this.#stage;
    this.#stage = 'idle';
    if (!this.#chip.pci.busMasterEnabled) return;
    if (stage === 'fetch') this.#fetch();
    else this.#move();
    this.kick();
  }

  #fetch(): void {
    const burst = this.#fetchable();
    if (burst === 0) return;
    const index = this.#ring.index(this.#held);
    const address = this.#ring.address(index);
    const at = this.#slot(this.#held);
    this.#chip.dmaRead(address, this.#cache, at, burst * DESCRIPTOR_BYTES);
    this.#chip.tapDescriptors('tx', 'fetch', index, address, this.#cache, at, burst);
    this.#held += burst;
  }

  /** Contexts carry no data and take no time of their own. */
  #takeContexts(): void {
    while (this.#taken < this.#held && !this.#fifo.full) {
      const at = this.#slot(this.#taken);
      if (!isContext(this.#cache, at)) return;
      this.#assembler.consume(this.#cache, at);
      this.#taken += 1;
      this.#fifo.push(null, 1);
      this.#handOver();
    }
  }

  /** Octets to move up to the end of a frame or of what is on chip; -1 while the FIFO has no room for them. */
  #plan(): number {
    const assembler = this.#assembler;
    const room = assembler.room(this.#cache, this.#slot(this.#taken));
    let bytes = -assembler.takenBytes;
    for (let i = this.#taken; i < this.#held && bytes < room; i++) {
      const at = this.#slot(i);
      bytes += dataBytes(this.#cache, at);
      if ((this.#cache[at + TX_AT.CMD]! & TX_CMD.EOP) !== 0 && !isContext(this.#cache, at)) break;
    }
    bytes = Math.min(bytes, room);
    const fits = this.#fifo.fits(assembler.gatheredBytes + bytes + TAG_AND_FCS_BYTES);
    return fits || (this.#fifo.usedBytes === 0 && !this.#fifo.full) ? bytes : -1;
  }

  /** Moves the data that were planned: up to the end of a frame, or of what is on chip. */
  #move(): void {
    const assembler = this.#assembler;
    let count = 0;
    while (this.#taken < this.#held) {
      if (assembler.consume(this.#cache, this.#slot(this.#taken))) {
        this.#taken += 1;
        count += 1;
      }
      if (assembler.ended) break;
    }
    let frame = assembler.takeFrame();
    if (frame !== null && !this.#fifo.canHold(frame.wireBytes)) {
      this.#chip.taps?.dropped(frame, 'too long for the transmit FIFO');
      frame = null;
    }
    this.#fifo.push(frame, count);
  }

  /** Gives the oldest frame to the MAC if that is idle. What is in front of it and has no frame is done with. */
  #handOver(): void {
    if (this.#control !== null && this.#port.idle && this.#port.open) {
      const control = this.#control;
      this.#control = null;
      this.#sendingControl = true;
      this.#port.transmit(control);
    }
    while (this.#fifo.count > 0 && !this.#sending) {
      const frame = this.#fifo.frame;
      if (frame === null) {
        this.#retire(TX_STA.DD);
        continue;
      }
      if (!this.#enabled || this.#flow.paused || !this.#port.idle) return;
      this.#sending = true;
      this.#port.transmit(frame);
    }
  }

  /** Takes the oldest entry out of the FIFO and gives its descriptors back, with `sta`. */
  #retire(sta: number): void {
    const descriptors = this.#fifo.info;
    this.#fifo.shift();
    if (descriptors === 0) return;
    const lowWater = (this.#words[TXDCTL.n]! & TXDCTL.LWTHRESH) >>> 22;
    let causes = 0;
    for (let i = 0; i < descriptors; i++) {
      this.#writeBack(sta);
      if (this.#ring.owned === lowWater) causes |= ICR.TXD_LOW;
    }
    if (this.#ring.head === this.#ring.tail) causes |= ICR.TXQE;
    if (causes !== 0) this.#interrupts.raise(causes);
  }

  /** Gives the oldest descriptor on chip back to software. */
  #writeBack(sta: number): void {
    const ring = this.#ring;
    const index = ring.head;
    const at = this.#slot(0);
    const command = this.#cache[at + TX_AT.CMD]!;
    this.#cacheAt = (this.#cacheAt + 1) % CACHE_DESCRIPTORS;
    this.#held -= 1;
    this.#taken -= 1;
    ring.advance();
    if ((command & TX_CMD.RS) === 0) return;
    const address = ring.address(index);
    this.#cache[at + TX_AT.STA]! |= sta;
    this.#chip.dmaWrite(address + TX_AT.STA, this.#cache, at + TX_AT.STA, 1);
    this.#chip.tapDescriptors('tx', 'write-back', index, address, this.#cache, at, 1);
    this.#interrupts.transmitted((command & TX_CMD.IDE) !== 0);
  }

  /** Place in the cache of the `i`th descriptor that is held. */
  #slot(i: number): number {
    return ((this.#cacheAt + i) % CACHE_DESCRIPTORS) * DESCRIPTOR_BYTES;
  }

  /** Descriptors that one burst can fetch: up to TDT, the end of the ring, and the room on chip. */
  #fetchable(): number {
    const ring = this.#ring;
    const waiting = ring.owned - this.#held;
    if (waiting <= 0) return 0;
    const toCacheEnd = CACHE_DESCRIPTORS - ((this.#cacheAt + this.#held) % CACHE_DESCRIPTORS);
    return Math.min(waiting, ring.count - ring.index(this.#held), toCacheEnd, CACHE_DESCRIPTORS - this.#held);
  }
}
