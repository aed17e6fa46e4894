/**
 * Receive: from the MAC through the filter into the FIFO, and from there into the buffers of the ring. 82540EM manual,
 * section 3.2.
 *
 * Who owns what: software owns the descriptors from RDT on; the hardware those from RDH up to RDT, some of which are in
 * `#cache`. Those before RDH that `#done` still holds will be software's when they are written back. A frame stays in
 * the FIFO until its last octet is in memory. There is one timer, so there is one bus transaction at a time: fetch a
 * burst of descriptors, or move a frame and write its descriptors back.
 *
 * Without descriptors frames wait in the FIFO (RNBC); when that is full they are lost (MPC, RXO). Pointers outside the
 * ring stop the unit until software has put them right.
 */
import { writeLe32 } from '../../../src/lib/bytes.ts';
import { FCS_BYTES, type Frame } from '../../ethernet/frame.ts';
import { classify } from '../../ethernet/mac/receive.ts';
import type { Timer, TimerState } from '../../sim/clock.ts';
import { onesSum } from './checksum.ts';
import { busTimeNs, type Chip, DESCRIPTOR_BYTES } from './chip.ts';
import { type CacheState, DescriptorCache } from './descriptor-cache.ts';
import { bufferAddress, RX_AT, RX_ERRORS, RX_STATUS, writeRxResult } from './descriptors.ts';
import { type FifoState, FrameFifo } from './fifo.ts';
import { AddressFilter, FILTER, isBroadcast } from './filter.ts';
import type { FlowControl } from './flow-control.ts';
import type { Interrupts } from './interrupts.ts';
import { E1000 } from './registers.ts';
import { checksumInfo } from './rx-checksum.ts';
import type { Statistics } from './statistics.ts';
import type { DropReason } from './taps.ts';
import { Thresholds } from './thresholds.ts';
import { isTagged, tagOf, withoutTag } from './vlan.ts';
import { WriteBack, type WriteBackState } from './write-back.ts';

const { CTRL, ICR, PBA, RCTL, RDFPC, RXCSUM, VET } = E1000;
const { ALGNERRC, CRCERRS, MPC, RFC, RJC, RLEC, RNBC, ROC, RUC, RXERRC } = E1000;
const { BSEX, BSIZE, EN, LPE, RDMTS, SBP, SECRC } = RCTL;

/** Longest frame from DA to FCS, without and with RCTL.LPE. */
const MAX_FRAME_BYTES = 1522;
const MAX_LONG_FRAME_BYTES = 16_384;
/** Frames that the FIFO holds at most, however short they are. */
const FIFO_FRAMES = 1024;
const KIB = 1024;

/** What travels with a frame in the FIFO: STATUS in 7:0, ERRORS in 15:8, SPECIAL in 31:16, and in a free bit: */
const WITH_FCS = 0x0200;
const ERRORS_MASK = RX_ERRORS.CE | RX_ERRORS.TCPE | RX_ERRORS.IPE | RX_ERRORS.RXE;
/** A bad frame for which ERRORS has no bit: its length is wrong. */
const BAD_LENGTH = 0x100;

type Stage = 'idle' | 'fetch' | 'deliver';

export interface ReceiverState {
  readonly fifo: FifoState;
  readonly deliveredBytes: number;
  readonly cache: CacheState;
  readonly done: WriteBackState;
  readonly stage: Stage;
  readonly timer: TimerState;
}

export class Receiver {
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #interrupts: Interrupts;
  readonly #statistics: Statistics;
  readonly #filter: AddressFilter;
  readonly #flow: FlowControl;
  readonly #timer: Timer;
  #stage: Stage = 'idle';
  /** Frames, with STATUS, ERRORS and WITH_FCS. */
  readonly #fifo = new FrameFifo(FIFO_FRAMES);
  readonly #cache: DescriptorCache;
  readonly #thresholds: Thresholds;
  readonly #done: WriteBack;
  /** Octets of the oldest frame that are in memory already. */
  #deliveredBytes = 0;
  readonly #fcs = new Uint8Array(FCS_BYTES);

  constructor(chip: Chip, interrupts: Interrupts, statistics: Statistics, flow: FlowControl) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#statistics = statistics;
    this.#filter = new AddressFilter(chip.words);
    this.#flow = flow;
    this.#cache = new DescriptorCache(chip, 'rx');
    this.#thresholds = new Thresholds(chip, 'rx');
    this.#done = new WriteBack(chip, this.#cache.ring, 'rx');
    interrupts.onReceiveTimer = () => this.#done.flush();
    this.#timer = chip.clock.timer(() => this.#due());
    this.#fifo.capacityBytes = (this.#words[PBA.n]! & PBA.RXA) * KIB;
  }

  /** A frame came in from the wire, or by loopback. */
  received(frame: Frame): void {
    const rctl = this.#words[RCTL.n]!;
    if ((rctl & EN) === 0) {
      this.#drop(frame, 'receiver disabled');
      return;
    }
    const match = this.#filter.match(frame.octets);
    if (match === FILTER.REJECT && !this.#flow.recognizes(frame.octets)) {
      this.#drop(frame, 'address filter');
      return;
    }
    if (!this.#filter.vlanMatch(frame.octets)) {
      this.#drop(frame, 'VLAN filter');
      return;
    }
    const errors = this.#inspect(frame, rctl);
    if (errors !== 0 && ((rctl & SBP) === 0 || match === FILTER.REJECT)) {
      this.#statistics.received(frame.wireBytes);
      this.#drop(frame, 'bad frame');
      return;
    }
    if (errors === 0 && this.#flow.consumes(frame.octets)) {
      this.#drop(frame, 'flow control');
      return;
    }
    if (!this.#enqueue(frame, rctl, (match === FILTER.INEXACT ? RX_STATUS.PIF : 0) | ((errors & 0xff) << 8))) return;
    this.#statistics.received(frame.wireBytes);
    if (errors === 0) this.#statistics.receivedGood(frame.wireBytes, frame.octets[0]!, isBroadcast(frame.octets));
    this.kick();
  }

  /** Looks for work: after a frame, a doorbell, or a change of what lets the unit run. */
  kick(): void {
    if (this.#stage !== 'idle' || (this.#words[RCTL.n]! & EN) === 0 || !this.#chip.pci.busMasterEnabled) return;
    const cache = this.#cache;
    if (this.#fifo.count > 0 && cache.held > 0) {
      this.#begin('deliver', this.#storedBytes() - this.#deliveredBytes + DESCRIPTOR_BYTES);
      return;
    }
    if (this.#fifo.count === 0 && !this.#thresholds.prefetch(cache.held, cache.waiting)) return;
    const { burst } = cache;
    if (burst > 0) this.#begin('fetch', burst * DESCRIPTOR_BYTES);
  }

  /** RDT was written. */
  doorbell(): void {
    const { count, tail } = this.#cache.ring;
    if (count !== 0 && tail >= count) {
      this.#chip.taps?.suspicion(`RDT ${tail} lies outside a ring of ${count} descriptors`);
    }
    this.kick();
  }

  /** RDBA, RDLEN or RDH was written: what the chip holds is of another ring. */
  ringMoved(): void {
    this.#cache.clear();
    this.#done.clear();
    if (this.#stage !== 'idle') {
      this.#timer.cancel();
      this.#stage = 'idle';
    }
    this.kick();
  }

  /** Frames in the FIFO, for the diagnostic register. */
  updateDiagnostics(): void {
    this.#words[RDFPC.n] = this.#fifo.count;
  }

  reset(): void {
    this.#timer.cancel();
    this.#stage = 'idle';
    this.#fifo.clear();
    this.#deliveredBytes = 0;
    this.#cache.clear();
    this.#done.clear();
    this.#fifo.capacityBytes = (this.#words[PBA.n]! & PBA.RXA) * KIB;
  }

  save(): ReceiverState {
    return {
      fifo: this.#fifo.save(),
      deliveredBytes: this.#deliveredBytes,
      cache: this.#cache.save(),
      done: this.#done.save(),
      stage: this.#stage,
      timer: this.#timer.save(),
    };
  }

  load(state: ReceiverState): void {
    this.#fifo.load(state.fifo);
    this.#deliveredBytes = state.deliveredBytes;
    this.#cache.load(state.cache);
    this.#done.load(state.done);
    this.#stage = state.stage;
    this.#timer.load(state.timer);
  }

  /** Counts what is wrong with a frame. Zero: nothing; else ERRORS, or BAD_LENGTH. */
  #inspect(frame: Frame, rctl: number): number {
    const statistics = this.#statistics;
    const kind = classify(frame, (rctl & LPE) !== 0 ? MAX_LONG_FRAME_BYTES : MAX_FRAME_BYTES);
    switch (kind) {
      case 'ok':
        return 0;
      case 'fcs':
        statistics.count(CRCERRS.n);
        return RX_ERRORS.CE;
      case 'alignment':
        statistics.count(ALGNERRC.n);
        return RX_ERRORS.CE;
      case 'rx-error':
        statistics.count(RXERRC.n);
        return RX_ERRORS.RXE;
      case 'undersize':
      case 'oversize':
        statistics.count(RLEC.n);
        statistics.count(kind === 'undersize' ? RUC.n : ROC.n);
        return BAD_LENGTH;
      case 'fragment':
      case 'jabber':
        statistics.count(RLEC.n);
        statistics.count(kind === 'fragment' ? RFC.n : RJC.n);
        return BAD_LENGTH | RX_ERRORS.CE;
    }
  }

  /** Puts a frame into the FIFO. False: there was no room. */
  #enqueue(frame: Frame, rctl: number, info: number): boolean {
    if (this.#cache.ring.owned === 0) this.#statistics.count(RNBC.n);
    if (!this.#fifo.fits(frame.wireBytes)) {
      this.#statistics.count(MPC.n);
      this.#interrupts.raise(ICR.RXO);
      this.#drop(frame, 'receive FIFO full');
      return false;
    }
    const words = this.#words;
    const vlanType = words[VET.n]!;
    const withFcs = (rctl & SECRC) !== 0 ? 0 : WITH_FCS;
    const checksums = checksumInfo(frame.octets, words[RXCSUM.n]!, vlanType);
    const tagged = (words[CTRL.n]! & CTRL.VME) !== 0 && isTagged(frame.octets, vlanType);
    this.#fifo.push(
      tagged ? withoutTag(frame) : frame,
      info | withFcs | checksums | (tagged ? RX_STATUS.VP | (tagOf(frame.octets) << 16) : 0),
    );
    this.#flow.fifoHolds(this.#fifo.usedBytes);
    return true;
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
    else this.#deliver();
    this.kick();
  }

  /** Moves the oldest frame, or as much of it as the descriptors on chip take. */
  #deliver(): void {
    const frame = this.#fifo.frame!;
    const info = this.#fifo.info;
    const stored = this.#storedBytes();
    const bufferBytes = this.#bufferBytes();
    const cache = this.#cache;
    const { bytes } = cache;
    let causes = 0;
    while (cache.held > 0 && this.#deliveredBytes < stored) {
      const at = cache.at(0);
      const address = bufferAddress(bytes, at);
      if (address === 0) {
        bytes[at + RX_AT.STATUS]! |= RX_STATUS.DD;
      } else {
        const length = Math.min(bufferBytes, stored - this.#deliveredBytes);
        this.#write(address, frame, this.#deliveredBytes, length);
        this.#deliveredBytes += length;
        const last = this.#deliveredBytes === stored;
        const status = (info & 0xff) | RX_STATUS.DD | (last ? RX_STATUS.EOP : 0);
        const errors = last ? (info >>> 8) & ERRORS_MASK : 0;
        writeRxResult(bytes, at, length, last ? this.#packetChecksum(frame) : 0, status, errors, info >>> 16);
      }
      causes |= this.#writeBack(at);
    }
    if (this.#deliveredBytes === stored) this.#finish(stored);
    if (causes !== 0) this.#interrupts.raise(causes);
  }

  /** Copies `length` octets of a frame from `from` on; the FCS stands behind the others. */
  #write(address: number, frame: Frame, from: number, length: number): void {
    const octets = frame.octets;
    const fromOctets = Math.min(length, Math.max(0, octets.length - from));
    if (fromOctets > 0) this.#chip.dmaWrite(address, octets, from, fromOctets);
    if (fromOctets === length) return;
    writeLe32(this.#fcs, 0, frame.fcs);
    const fcsFrom = from + fromOctets - octets.length;
    this.#chip.dmaWrite(address + fromOctets, this.#fcs, fcsFrom, length - fromOctets);
  }

  /**
   * Gives the descriptor at `at` of the cache, the ring's RDH, back to software: when WTHRESH of them are done with, or
   * when there is no other, since software may wait for it. Returns the causes to raise.
   */
  #writeBack(at: number): number {
    const { ring } = this.#cache;
    this.#done.add(this.#cache.bytes, at);
    this.#cache.shift();
    if (this.#done.count >= this.#thresholds.writeBack || ring.owned === 0) this.#done.flush();
    const threshold = ring.count >>> (1 + ((this.#words[RCTL.n]! & RDMTS) >>> 8));
    return ring.owned === threshold ? ICR.RXDMT0 : 0;
  }

  /** PCSUM: over the octets from PCSS on. */
  #packetChecksum({ octets }: Frame): number {
    return onesSum(octets, Math.min(this.#words[RXCSUM.n]! & RXCSUM.PCSS, octets.length), octets.length);
  }

  #finish(stored: number): void {
    this.#fifo.shift();
    this.#flow.fifoHolds(this.#fifo.usedBytes);
    this.#deliveredBytes = 0;
    this.#interrupts.received(stored);
  }

  #drop(frame: Frame, reason: DropReason): void {
    this.#chip.taps?.dropped(frame, reason);
  }

  /** Octets of the oldest frame that go to memory. */
  #storedBytes(): number {
    const { octets, wireBytes } = this.#fifo.frame!;
    return (this.#fifo.info & WITH_FCS) !== 0 ? wireBytes : octets.length;
  }

  #bufferBytes(): number {
    const rctl = this.#words[RCTL.n]!;
    const bytes = 2048 >>> ((rctl & BSIZE) >>> 16);
    return (rctl & BSEX) === 0 ? bytes : 16 * bytes;
  }
}
