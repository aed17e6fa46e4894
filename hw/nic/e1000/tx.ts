/**
 * Transmit: from the ring through the FIFO to the MAC, and the write-back. 82540EM manual, section 3.3 and 3.4.
 *
 * Who owns what: the hardware owns the descriptors from TDH up to TDT, some of which are in `#cache`; the first `#taken`
 * of those have their data in the FIFO already. A descriptor is done with when its frame has left the wire, not when its
 * data were read. So TDH is the first descriptor whose work is not done. One with RS is then written back with DD, at
 * once or, with WTHRESH, together with others that wait in `#done`.
 *
 * There is one timer, so there is one bus transaction at a time: fetch a burst of descriptors, or move the data of one
 * frame. A doorbell starts it and completes nothing by itself. Pointers outside the ring stop the unit.
 */
import { Frame, type FrameState } from '../../ethernet/frame.ts';
import type { TransmitOutcome } from '../../ethernet/mac/mac.ts';
import type { Timer, TimerState } from '../../sim/clock.ts';
import { Assembler, type AssemblerState, dataBytes, isContext } from './assembler.ts';
import { busTimeNs, type Chip, DESCRIPTOR_BYTES } from './chip.ts';
import { type CacheState, DescriptorCache } from './descriptor-cache.ts';
import { TX_AT, TX_CMD, TX_STA } from './descriptors.ts';
import { type FifoState, FrameFifo } from './fifo.ts';
import { isBroadcast } from './filter.ts';
import type { FlowControl } from './flow-control.ts';
import type { Interrupts } from './interrupts.ts';
import type { MacPort } from './mac-port.ts';
import { E1000 } from './registers.ts';
import type { Statistics } from './statistics.ts';
import { Thresholds } from './thresholds.ts';
import { WriteBack, type WriteBackState } from './write-back.ts';

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
  readonly cache: CacheState;
  readonly done: WriteBackState;
  readonly prompt: boolean;
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
  /** Frames, each with how many descriptors it is the end of. Null: descriptors without a frame. */
  readonly #fifo = new FrameFifo(FIFO_ENTRIES);
  /** The oldest frame is with the MAC. */
  #sending = false;
  /** A PAUSE frame that waits for the MAC, and whether one is there. */
  #control: Frame | null = null;
  #sendingControl = false;
  readonly #cache: DescriptorCache;
  #taken = 0;
  readonly #thresholds: Thresholds;
  readonly #done: WriteBack;
  /** One of `#done` has no IDE: TXDW follows as soon as it is written back. */
  #prompt = false;

  constructor(chip: Chip, interrupts: Interrupts, statistics: Statistics, port: MacPort, flow: FlowControl) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#statistics = statistics;
    this.#port = port;
    this.#flow = flow;
    this.#assembler = new Assembler(chip, statistics);
    this.#cache = new DescriptorCache(chip, 'tx');
    this.#thresholds = new Thresholds(chip, 'tx');
    this.#done = new WriteBack(chip, this.#cache.ring, 'tx');
    interrupts.onTransmitTimer = () => this.#writeBackDone();
    this.#timer = chip.clock.timer(() => this.#due());
    this.#fifo.capacityBytes = (this.#words[PBA.n]! >>> 16) * KIB;
  }

  /** TDT was written. */
  doorbell(): void {
    const { count, tail } = this.#cache.ring;
    const inside = count === 0 || tail < count;
    if (!inside) this.#chip.taps?.suspicion(`TDT ${tail} lies outside a ring of ${count} descriptors`);
    this.kick();
  }

  /** Looks for work: after a doorbell, a frame sent, or a change of what lets the unit run. */
  kick(): void {
    this.#handOver();
    if (this.#stage !== 'idle' || !this.#enabled || !this.#chip.pci.busMasterEnabled) return;
    this.#takeContexts();
    const cache = this.#cache;
    if (this.#taken < cache.held) {
      const bytes = this.#plan();
      if (bytes >= 0) this.#begin('data', bytes);
      if (bytes >= 0 || !this.#thresholds.prefetch(cache.held - this.#taken, cache.waiting)) return;
    }
    const { burst } = cache;
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
    let sta = TX_STA.DD as number;
    this.#sending = false;
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
    this.#forgetRing();
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
    this.#forgetRing();
    this.#sending = this.#sendingControl = false;
    this.#control = null;
    this.#assembler.reset();
    this.#fifo.capacityBytes = (this.#words[PBA.n]! >>> 16) * KIB;
  }

  save(): TransmitterState {
    return {
      fifo: this.#fifo.save(),
      sending: this.#sending,
      sendingControl: this.#sendingControl,
      control: this.#control?.save() ?? null,
      cache: this.#cache.save(),
      done: this.#done.save(),
      prompt: this.#prompt,
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
    this.#cache.load(state.cache);
    this.#done.load(state.done);
    this.#prompt = state.prompt;
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
    if (stage === 'fetch') this.#cache.fetch();
    else this.#move();
    this.kick();
  }

  #forgetRing(): void {
    this.#cache.clear();
    this.#taken = 0;
    this.#done.clear();
    this.#prompt = false;
  }

  /** Contexts carry no data and take no time of their own. */
  #takeContexts(): void {
    const cache = this.#cache;
    while (this.#taken < cache.held && !this.#fifo.full) {
      const at = cache.at(this.#taken);
      if (!isContext(cache.bytes, at)) return;
      this.#assembler.consume(cache.bytes, at);
      this.#taken += 1;
      this.#fifo.push(null, 1);
      this.#handOver();
    }
  }

  /** Octets to move up to the end of a frame or of what is on chip; -1 while the FIFO has no room for them. */
  #plan(): number {
    const assembler = this.#assembler;
    const { bytes: descriptors, held } = this.#cache;
    const room = assembler.room(descriptors, this.#cache.at(this.#taken));
    let bytes = -assembler.takenBytes;
    for (let i = this.#taken; i < held && bytes < room; i++) {
      const at = this.#cache.at(i);
      bytes += dataBytes(descriptors, at);
      if ((descriptors[at + TX_AT.CMD]! & TX_CMD.EOP) !== 0 && !isContext(descriptors, at)) break;
    }
    bytes = Math.min(bytes, room);
    const fits = this.#fifo.fits(assembler.gatheredBytes + bytes + TAG_AND_FCS_BYTES);
    return fits || (this.#fifo.usedBytes === 0 && !this.#fifo.full) ? bytes : -1;
  }

  /** Moves the data that were planned: up to the end of a frame, or of what is on chip. */
  #move(): void {
    const assembler = this.#assembler;
    let count = 0;
    const cache = this.#cache;
    while (this.#taken < cache.held) {
      if (assembler.consume(cache.bytes, cache.at(this.#taken))) {
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
    const { ring } = this.#cache;
    let causes = 0;
    for (let i = 0; i < descriptors; i++) {
      this.#finish(sta);
      if (ring.owned === lowWater) causes |= ICR.TXD_LOW;
    }
    if (ring.head === ring.tail) causes |= ICR.TXQE;
    if (causes !== 0) this.#interrupts.raise(causes);
  }

  /**
   * The oldest descriptor on chip is done with. With WTHRESH, descriptors start accumulating after one with RS, and
   * those without it are written back among them; below that threshold only TIDV and TADV write them back.
   */
  #finish(sta: number): void {
    const { bytes } = this.#cache;
    const at = this.#cache.at(0);
    const command = bytes[at + TX_AT.CMD]!;
    const reports = (command & TX_CMD.RS) !== 0;
    const delayed = (command & TX_CMD.IDE) !== 0;
    if (reports || this.#done.count > 0) {
      bytes[at + TX_AT.STA]! |= sta;
      this.#done.add(bytes, at);
    }
    this.#cache.shift();
    this.#taken -= 1;
    if (this.#done.count === 0) return;
    if (reports && !delayed) this.#prompt = true;
    const full = this.#done.count >= this.#thresholds.writeBack;
    const prompt = full && this.#prompt;
    if (full) this.#writeBackDone();
    if (prompt || (reports && delayed)) this.#interrupts.transmitted(!prompt);
  }

  #writeBackDone(): void {
    this.#prompt = false;
    this.#done.flush();
  }
}
