/**
 * Turns transmit descriptors into frames, one descriptor after the other in the order of the ring: gathers the data,
 * applies the offloads, pads, and appends the FCS. 82540EM manual, sections 3.3.3 to 3.3.7 and 3.4 to 3.6.
 *
 * The transmitter (`tx.ts`) asks `consume` for each descriptor; when `ended` is then true, `takeFrame` gives what goes
 * out. A segmented packet ends once per segment, in the middle of a descriptor if need be.
 */
import { readLe16 } from '../../../src/lib/bytes.ts';
import { FCS_BYTES, Frame, MIN_FRAME_BYTES } from '../../ethernet/frame.ts';
import type { Chip } from './chip.ts';
import {
  bufferAddress,
  DTYP_CONTEXT,
  DTYP_DATA,
  TX_AT,
  TX_CMD,
  TX_TUCMD,
  txDataLength,
  txLength,
} from './descriptors.ts';
import { editHeader, insertChecksum, OffloadContext } from './offload.ts';
import { MAX_PACKET_BYTES, PacketBuilder } from './packet.ts';
import { E1000 } from './registers.ts';
import type { Statistics } from './statistics.ts';

const { CTRL, TCTL, TSCTC, TSCTFC, VET } = E1000;

/** No header is longer: HDRLEN has eight bits. */
const MAX_HEADER_BYTES = 255;

export const isContext = (cache: Uint8Array, at: number): boolean =>
  (cache[at + TX_AT.CMD]! & TX_CMD.DEXT) !== 0 && cache[at + TX_AT.DTYP]! >> 4 === DTYP_CONTEXT;

const isData = (cache: Uint8Array, at: number): boolean =>
  (cache[at + TX_AT.CMD]! & TX_CMD.DEXT) !== 0 && cache[at + TX_AT.DTYP]! >> 4 === DTYP_DATA;

const isSegmented = (cache: Uint8Array, at: number): boolean =>
  isData(cache, at) && (cache[at + TX_AT.CMD]! & TX_CMD.TSE) !== 0;

/** Octets that the descriptor at `at` names; none if it is of no known type. */
export function dataBytes(cache: Uint8Array, at: number): number {
  if ((cache[at + TX_AT.CMD]! & TX_CMD.DEXT) === 0) return txLength(cache, at);
  return isData(cache, at) ? txDataLength(cache, at) : 0;
}

/** The packet in progress. */
class Progress {
  /** A packet has begun and its last descriptor has not come. */
  open = false;
  /** Octets of the current descriptor that are used up. */
  takenBytes = 0;
  tooLong = false;
  /** DCMD, POPTS and SPECIAL of the first descriptor. */
  command = 0;
  popts = 0;
  special = 0;
  segmenting = false;
  /** What follows up to EOP is not sent: the context makes no sense, or its payload is complete. */
  discarding = false;
  segmentIndex = 0;
  /** Octets of header and payload so far, over all segments. */
  totalBytes = 0;

  clear(): void {
    this.open = this.tooLong = this.segmenting = this.discarding = false;
    this.takenBytes = this.command = this.popts = this.special = this.segmentIndex = this.totalBytes = 0;
  }
}

export interface AssemblerState {
  readonly octets: Uint8Array;
  readonly header: Uint8Array;
  readonly progress: Omit<Progress, 'clear'>;
  readonly checksum: Uint8Array;
  readonly segmentation: Uint8Array;
}

export class Assembler {
  /** After `consume`: a packet or a segment has come to its end. */
  ended = false;
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #statistics: Statistics;
  readonly #packet = new PacketBuilder();
  /** The header that every segment begins with, as software wrote it. */
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  readonly #progress = new Progress();
  /** Two contexts are kept: one for checksums alone, one for segmentation. */
  readonly #checksum = new OffloadContext();
  readonly #segmentation = new OffloadContext();
  #frame: Frame | null = null;

  constructor(chip: Chip, statistics: Statistics) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#statistics = statistics;
  }

  /** The frame that has ended; null if nothing is to be sent. */
  takeFrame(): Frame | null {
    const frame = this.#frame;
    this.#frame = null;
    return frame;
  }

  /** Octets that can be taken before a segment ends, if the next data descriptor is the one at `at`. */
  room(cache: Uint8Array, at: number): number {
    const { open, segmenting, discarding } = this.#progress;
    if (open ? !segmenting : !isSegmented(cache, at)) return MAX_PACKET_BYTES;
    if (discarding) return 0;
    const context = this.#segmentation;
    return context.headerBytes + context.segmentBytes - (open ? this.#packet.length : 0);
  }

  /** Octets of the current descriptor that are used up already. */
  get takenBytes(): number {
    return this.#progress.takenBytes;
  }

  /** Octets gathered for the frame in progress. */
  get gatheredBytes(): number {
    return this.#packet.length;
  }

  /** Takes the descriptor at `at`. False: it has data left for the next segment. */
  consume(cache: Uint8Array, at: number): boolean {
    this.ended = false;
    const progress = this.#progress;
    if (isContext(cache, at)) {
      this.#setContext(cache, at);
      return true;
    }
    const command = cache[at + TX_AT.CMD]!;
    if (!progress.open) this.#begin(cache, at, command);
    const address = bufferAddress(cache, at);
    const length = address === 0 ? 0 : dataBytes(cache, at);
    if (progress.discarding) {
      if ((command & TX_CMD.EOP) !== 0) this.#end();
      return true;
    }
    if (progress.segmenting) return this.#consumeSegmented(address, length, (command & TX_CMD.EOP) !== 0);
    this.#gather(address, length);
    if ((command & TX_CMD.EOP) !== 0) this.#finish(cache, at, command);
    return true;
  }

  reset(): void {
    this.#progress.clear();
    this.#packet.clear();
    this.#frame = null;
    this.ended = false;
  }

  save(): AssemblerState {
    const { bytes, start, length } = this.#packet;
    return {
      octets: bytes.slice(start, start + length),
      header: this.#header.slice(),
      progress: { ...this.#progress },
      checksum: this.#checksum.save(),
      segmentation: this.#segmentation.save(),
    };
  }

  load(state: AssemblerState): void {
    this.reset();
    const at = this.#packet.extend(state.octets.length)!;
    this.#packet.bytes.set(state.octets, at);
    this.#header.set(state.header);
    Object.assign(this.#progress, state.progress);
    this.#checksum.load(state.checksum);
    this.#segmentation.load(state.segmentation);
  }

  /** A context in the middle of a packet would change the rules under it: it is ignored. */
  #setContext(cache: Uint8Array, at: number): void {
    if (this.#progress.open) {
      this.#chip.taps?.suspicion('context descriptor between the data descriptors of a packet');
      return;
    }
    const segmentation = (cache[at + TX_AT.CMD]! & TX_TUCMD.TSE) !== 0;
    (segmentation ? this.#segmentation : this.#checksum).set(cache, at);
  }

  #begin(cache: Uint8Array, at: number, command: number): void {
    const progress = this.#progress;
    progress.clear();
    progress.open = true;
    this.#packet.clear();
    if ((command & TX_CMD.DEXT) === 0) return;
    progress.command = command;
    progress.popts = cache[at + TX_AT.POPTS]!;
    progress.special = readLe16(cache, at + TX_AT.SPECIAL);
    progress.segmenting = isSegmented(cache, at);
    const { headerBytes, segmentBytes } = this.#segmentation;
    if (!progress.segmenting) return;
    if (headerBytes > 0 && segmentBytes > 0 && headerBytes + segmentBytes <= MAX_PACKET_BYTES) return;
    progress.discarding = true;
    this.#statistics.count(TSCTFC.n);
    this.#chip.taps?.suspicion(`segmentation with HDRLEN ${headerBytes} and MSS ${segmentBytes}`);
  }

  #gather(address: number, length: number): void {
    if (length === 0 || this.#progress.tooLong) return;
    const at = this.#packet.extend(length);
    if (at === null) this.#progress.tooLong = true;
    else this.#chip.dmaRead(address, this.#packet.bytes, at, length);
  }

  /** The end of a packet that is not segmented. Its commands are in the last descriptor, its POPTS in the first. */
  #finish(cache: Uint8Array, at: number, command: number): void {
    const { bytes, start, length } = this.#packet;
    const { popts, tooLong } = this.#progress;
    if (tooLong) {
      this.#chip.taps?.dropped(Frame.withFcs(this.#packet.take()), 'too long for the transmit FIFO');
    } else if (length > 0) {
      const legacy = (command & TX_CMD.DEXT) === 0;
      if (popts !== 0) this.#checksum.insertChecksums(bytes, start, length, popts);
      else if (legacy && (command & TX_CMD.IC) !== 0) {
        insertChecksum(bytes, start, length, cache[at + TX_AT.CSS]!, cache[at + TX_AT.CSO]!, 0);
      }
      this.#close(command, readLe16(cache, at + TX_AT.SPECIAL));
    }
    this.#end();
  }

  #consumeSegmented(address: number, length: number, eop: boolean): boolean {
    const progress = this.#progress;
    const context = this.#segmentation;
    const wholeBytes = context.headerBytes + context.payloadBytes;
    const room = context.headerBytes + context.segmentBytes - this.#packet.length;
    const taken = Math.min(room, length - progress.takenBytes, wholeBytes - progress.totalBytes);
    this.#gather(address + progress.takenBytes, taken);
    progress.takenBytes += taken;
    progress.totalBytes += taken;
    const usedUp = progress.takenBytes === length;
    const complete = progress.totalBytes === wholeBytes;
    if (complete || (usedUp && eop)) {
      this.#lastSegment(complete && usedUp && eop, eop);
      return true;
    }
    if (taken === room) this.#segment(false);
    if (usedUp) progress.takenBytes = 0;
    return usedUp;
  }

  /** `good`: payload and descriptors came to their end together. */
  #lastSegment(good: boolean, eop: boolean): void {
    if (this.#packet.length >= this.#segmentation.headerBytes) this.#segment(true);
    this.#statistics.count(good ? TSCTC.n : TSCTFC.n);
    if (!good) this.#chip.taps?.suspicion('PAYLEN and EOP of a segmented packet disagree');
    if (eop) this.#end();
    else this.#progress.discarding = true;
  }

  /** Sends the octets gathered as one segment, and begins the next one with the header. */
  #segment(last: boolean): void {
    const packet = this.#packet;
    const progress = this.#progress;
    const context = this.#segmentation;
    const headerBytes = context.headerBytes;
    if (progress.segmentIndex === 0) {
      this.#header.set(packet.bytes.subarray(packet.start, packet.start + headerBytes));
    }
    editHeader(packet.bytes, packet.start, packet.length, context, progress.segmentIndex, last);
    context.insertChecksums(packet.bytes, packet.start, packet.length, progress.popts);
    this.#close(progress.command, progress.special);
    this.ended = true;
    progress.segmentIndex += 1;
    if (last) return;
    const at = packet.extend(headerBytes)!;
    packet.bytes.set(this.#header.subarray(0, headerBytes), at);
  }

  /** Makes the octets gathered a frame. */
  #close(command: number, special: number): void {
    const packet = this.#packet;
    if ((command & TX_CMD.VLE) !== 0 && (this.#words[CTRL.n]! & CTRL.VME) !== 0) {
      packet.insertTag(this.#words[VET.n]!, special);
    }
    const withFcs = (command & TX_CMD.IFCS) !== 0;
    if ((this.#words[TCTL.n]! & TCTL.PSP) !== 0) {
      const least = withFcs ? MIN_FRAME_BYTES - FCS_BYTES : MIN_FRAME_BYTES;
      if (packet.length < least) packet.pad(least);
    }
    if (withFcs) {
      this.#frame = Frame.withFcs(packet.take());
    } else {
      this.#frame = Frame.raw(packet.take());
      this.#chip.taps?.suspicion('frame sent without IFCS: its last four octets stand in the place of the FCS');
    }
  }

  #end(): void {
    this.#progress.clear();
    this.#packet.clear();
    this.ended = true;
  }
}
