/**
 * Receive: from the MAC through the filter into the FIFO, and from there into the buffers of the ring. 82540EM manual,
 * section 3.2.
 *
 * Who owns what: software owns the descriptors from RDT on; the hardware those from RDH up to RDT, of which it has
 * `#held` on chip. A frame stays in the FIFO until its last octet is in memory. There is one timer, so there is one bus
 * transaction at a time: fetch a burst of descriptors, or move a frame and write its descriptors back.
 *
 * Without descriptors frames wait in the FIFO (RNBC); when that is full they are lost (MPC, RXO). Pointers outside the
 * ring stop the unit until software has put them right.
 */
import { writeLe32 } from '../../../src/lib/bytes.ts';
import { FCS_BYTES, type Frame } from '../../ethernet/frame.ts';
import { classify } from '../../ethernet/mac/receive.ts';
import type { Timer, TimerState } from '../../sim/clock.ts';
import { onesSum } from './checksum.ts';
import { busTimeNs, CACHE_DESCRIPTORS, type Chip, DESCRIPTOR_BYTES } from './chip.ts';
import { bufferAddress, RX_AT, RX_ERRORS, RX_STATUS, writeRxResult } from './descriptors.ts';
import { type FifoState, FrameFifo } from './fifo.ts';
import { AddressFilter, FILTER, isBroadcast } from './filter.ts';
import type { FlowControl } from './flow-control.ts';
import type { Interrupts } from './interrupts.ts';
import { E1000 } from './registers.ts';
import { DescriptorRing } from './ring.ts';
import { checksumInfo } from './rx-checksum.ts';
import type { Statistics } from './statistics.ts';
import type { DropReason } from './taps.ts';
import { isTagged, tagOf, withoutTag } from './vlan.ts';

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
  readonly cache: Uint8Array;
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
  readonly #ring: DescriptorRing;
  /** Octets of the oldest frame that are in memory already. */
  #deliveredBytes = 0;
  /** Descriptors on chip: `#held` of them from `#cacheAt` on, the first of which is the ring's RDH. */
  readonly #cache = new Uint8Array(CACHE_DESCRIPTORS * DESCRIPTOR_BYTES);
  #cacheAt = 0;
  #held = 0;
  readonly #fcs = new Uint8Array(FCS_BYTES);

  constructor(chip: Chip, interrupts: Interrupts, statistics: Statistics, flow: FlowControl) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#statistics = statistics;
    this.#filter = new AddressFilter(chip.words);
    this.#flow = flow;
    this.#ring = new DescriptorRing(chip.words, 'rx');
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
    if (match === FILTER.REJECT || !this.#filter.vlanMatch(frame.octets)) {
      this.#drop(frame, match === FILTER.REJECT ? 'address filter' : 'VLAN filter');
      return;
    }
    const errors = this.#inspect(frame, rctl);
    if (errors !== 0 && (rctl & SBP) === 0) {
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
    if (this.#stage !== 'idle' || this.#fifo.count === 0) return;
    if ((this.#words[RCTL.n]! & EN) === 0 || !this.#chip.pci.busMasterEnabled) return;
    if (this.#held > 0) {
      this.#begin('deliver', this.#storedBytes() - this.#deliveredBytes + DESCRIPTOR_BYTES);
      return;
    }
    const burst = this.#fetchable();
    if (burst > 0) this.#begin('fetch', burst * DESCRIPTOR_BYTES);
  }

  /** RDT was written. */
  doorbell(): void {
    const { count, tail } = this.#ring;
    if (count !== 0 && tail >= count) {
      this.#chip.taps?.suspicion(`RDT ${tail} lies outside a ring of ${count} descriptors`);
    }
    this.kick();
  }

  /** RDBA, RDLEN or RDH was written: what the chip holds is of another ring. */
  ringMoved(): void {
    this.#held = 0;
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
    this.#deliveredBytes = this.#held = 0;
    this.#fifo.capacityBytes = (this.#words[PBA.n]! & PBA.RXA) * KIB;
  }

  save(): ReceiverState {
    const from = this.#cacheAt * DESCRIPTOR_BYTES;
    return {
      fifo: this.#fifo.save(),
      deliveredBytes: this.#deliveredBytes,
      cache: this.#cache.slice(from, from + this.#held * DESCRIPTOR_BYTES),
      stage: this.#stage,
      timer: this.#timer.save(),
    };
  }

  load(state: ReceiverState): void {
    this.#fifo.load(state.fifo);
    this.#deliveredBytes = state.deliveredBytes;
    this.#cache.set(state.cache);
    this.#cacheAt = 0;
    this.#held = state.cache.length / DESCRIPTOR_BYTES;
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
    if (this.#ring.owned === 0) this.#statistics.count(RNBC.n);
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
    if (stage === 'fetch') this.#fetch();
    else this.#deliver();
    this.kick();
  }

  #fetch(): void {
    const burst = this.#fetchable();
    if (burst === 0) return;
    const index = this.#ring.head;
    const address = this.#ring.address(index);
    this.#chip.dmaRead(address, this.#cache, 0, burst * DESCRIPTOR_BYTES);
    this.#chip.tapDescriptors('rx', 'fetch', index, address, this.#cache, 0, burst);
    this.#cacheAt = 0;
    this.#held = burst;
  }

  /** Moves the oldest frame, or as much of it as the descriptors on chip take. */
  #deliver(): void {
    const frame = this.#fifo.frame!;
    const info = this.#fifo.info;
    const stored = this.#storedBytes();
    const bufferBytes = this.#bufferBytes();
    let causes = 0;
    while (this.#held > 0 && this.#deliveredBytes < stored) {
      const at = this.#cacheAt * DESCRIPTOR_BYTES;
      const address = bufferAddress(this.#cache, at);
      if (address === 0) {
        this.#cache[at + RX_AT.STATUS]! |= RX_STATUS.DD;
      } else {
        const length = Math.min(bufferBytes, stored - this.#deliveredBytes);
        this.#write(address, frame, this.#deliveredBytes, length);
        this.#deliveredBytes += length;
        const last = this.#deliveredBytes === stored;
        const status = (info & 0xff) | RX_STATUS.DD | (last ? RX_STATUS.EOP : 0);
        const errors = last ? (info >>> 8) & ERRORS_MASK : 0;
        writeRxResult(this.#cache, at, length, last ? this.#packetChecksum(frame) : 0, status, errors, info >>> 16);
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

  /** Gives the descriptor at `at` of the cache, the ring's RDH, back to software. Returns the causes to raise. */
  #writeBack(at: number): number {
    const ring = this.#ring;
    const index = ring.head;
    const address = ring.address(index);
    this.#chip.dmaWrite(address + RX_AT.LENGTH, this.#cache, at + RX_AT.LENGTH, DESCRIPTOR_BYTES - RX_AT.LENGTH);
    this.#chip.tapDescriptors('rx', 'write-back', index, address, this.#cache, at, 1);
    this.#cacheAt += 1;
    this.#held -= 1;
    ring.advance();
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

  /** Descriptors that one burst can fetch: up to RDT, the end of the ring, and the room on chip. */
  #fetchable(): number {
    const ring = this.#ring;
    return Math.min(ring.owned, ring.count - ring.head, CACHE_DESCRIPTORS);
  }
}
