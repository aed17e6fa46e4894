/**
 * Transmit as QEMU 7.2 does it: a write to TDT or TCTL sends everything up to TDT before it returns. Descriptors are
 * read one by one, and given back with DD as soon as their data were read. TXQE is raised each time, even if there was
 * nothing to do.
 *
 * A ring is walked round once at most, and one whose TDH lies outside it, one descriptor far.
 */
import { readLe16 } from '../../../../src/lib/bytes.ts';
import type { Chip } from '../chip.ts';
import { DESCRIPTOR_BYTES } from '../chip.ts';
import { bufferAddress, TX_AT, TX_CMD, TX_STA, TX_TUCMD, txLength } from '../descriptors.ts';
import { E1000 } from '../registers.ts';
import type { Counters } from './counters.ts';
import type { WindowedInterrupts } from './interrupts.ts';
import { BUFFER_BYTES, Packet, type PacketState } from './packet.ts';

const { CTRL, ICR, TCTL, TDBAH, TDBAL, TDH, TDLEN, TDT, TSCTC, VET } = E1000;

/** Bit 0 of DTYP alone tells data from contexts. */
const DTYP_DATA_BIT = 0x10;
/** CMD of the legacy format: report packet sent. It works like RS. */
const CMD_RPS = 0x10;
/** STA bits that a write-back clears: EC, LC, TU. */
const STA_CLEARED = 0x0e;
/** What a write-back stores: the second half of the second qword. */
const STA_BYTES = 4;

export class InstantTransmitter {
  /** A frame is complete. Its octets are its own. */
  onFrame: ((octets: Uint8Array) => void) | null = null;
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #interrupts: WindowedInterrupts;
  readonly #counters: Counters;
  readonly #packet = new Packet();
  readonly #descriptor = new Uint8Array(DESCRIPTOR_BYTES);

  constructor(chip: Chip, interrupts: WindowedInterrupts, counters: Counters) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#counters = counters;
  }

  /** TDT or TCTL was written. */
  run(): void {
    const words = this.#words;
    if ((words[TCTL.n]! & TCTL.EN) === 0) return;
    const first = words[TDH.n]!;
    const outside = first >= words[TDLEN.n]! / DESCRIPTOR_BYTES;
    let causes: number = ICR.TXQE;
    while (words[TDH.n] !== words[TDT.n]) {
      causes |= this.#take(words[TDH.n]!);
      const next = words[TDH.n]! + 1;
      words[TDH.n] = next * DESCRIPTOR_BYTES >= words[TDLEN.n]! ? 0 : next;
      if (outside || words[TDH.n] === first) break;
    }
    this.#interrupts.raise(causes);
  }

  save(): PacketState {
    return this.#packet.save();
  }

  load(state: PacketState): void {
    this.#packet.load(state);
  }

  /** Does what descriptor `index` says. Returns the causes to raise. */
  #take(index: number): number {
    const descriptor = this.#descriptor;
    const address = this.#base + index * DESCRIPTOR_BYTES;
    this.#chip.dmaRead(address, descriptor, 0, DESCRIPTOR_BYTES);
    this.#chip.tapDescriptors('tx', 'fetch', index, address, descriptor, 0, 1);
    const command = descriptor[TX_AT.CMD]!;
    if ((command & TX_CMD.IDE) !== 0) this.#interrupts.noteDelay();
    const extended = (command & TX_CMD.DEXT) !== 0;
    const data = (descriptor[TX_AT.DTYP]! & DTYP_DATA_BIT) !== 0;
    if (extended && !data) this.#setContext(command);
    else this.#transmit(command, extended);
    if ((command & (TX_CMD.RS | CMD_RPS)) === 0) return 0;
    descriptor[TX_AT.STA] = (descriptor[TX_AT.STA]! & ~STA_CLEARED) | TX_STA.DD;
    this.#chip.dmaWrite(address + TX_AT.STA, descriptor, TX_AT.STA, STA_BYTES);
    this.#chip.tapDescriptors('tx', 'write-back', index, address, descriptor, 0, 1);
    return ICR.TXDW;
  }

  #setContext(command: number): void {
    const packet = this.#packet;
    const segmentation = (command & TX_TUCMD.TSE) !== 0;
    (segmentation ? packet.segmentation : packet.checksum).set(this.#descriptor, 0);
    if (segmentation) packet.forgetSegments();
  }

  #transmit(command: number, extended: boolean): void {
    const packet = this.#packet;
    const descriptor = this.#descriptor;
    const eop = (command & TX_CMD.EOP) !== 0;
    if (extended && packet.length === 0) packet.popts = descriptor[TX_AT.POPTS]!;
    packet.segmenting = extended && (command & TX_CMD.TSE) !== 0;
    const tagging = (this.#words[CTRL.n]! & CTRL.VME) !== 0 && (command & TX_CMD.VLE) !== 0;
    if (tagging && (packet.segmenting || eop))
      packet.tag = (this.#words[VET.n]! << 16) | readLe16(descriptor, TX_AT.SPECIAL);
    const address = bufferAddress(descriptor, 0);
    if (packet.segmenting) this.#gatherSegments(address, txLength(descriptor, 0));
    else this.#gather(address, txLength(descriptor, 0));
    if (!eop) return;
    if (!packet.segmenting || packet.length >= packet.segmentation.headerBytes) this.#send();
    packet.clear();
  }

  /** Appends what fits into the buffer. Returns how much that was. */
  #gather(address: number, length: number): number {
    const packet = this.#packet;
    const taken = Math.min(length, BUFFER_BYTES - packet.length);
    if (taken > 0) this.#chip.dmaRead(address, packet.bytes, packet.start + packet.length, taken);
    packet.length = (packet.length + taken) & 0xffff;
    return taken;
  }

  #gatherSegments(address: number, length: number): void {
    const packet = this.#packet;
    const { headerBytes, segmentBytes } = packet.segmentation;
    const whole = headerBytes + segmentBytes;
    let at = 0;
    do {
      const before = packet.length;
      if (before >= whole) return;
      const taken = this.#gather(address + at, Math.min(length - at, whole - before));
      const after = before + taken;
      if (before < headerBytes && after >= headerBytes) packet.keepHeader();
      if (after === whole) {
        this.#send();
        packet.restoreHeader();
      }
      at += taken;
      if (taken === 0) return;
    } while (at < length);
  }

  #send(): void {
    const packet = this.#packet;
    if (packet.segmenting && packet.editHeader()) this.#counters.count(TSCTC.n);
    packet.insertChecksums();
    const octets = packet.frame();
    this.onFrame!(octets);
    this.#counters.sent(packet.destination, octets.length, packet.length);
  }

  get #base(): number {
    const words = this.#words;
    return ((words[TDBAL.n]! & -DESCRIPTOR_BYTES) >>> 0) + (words[TDBAH.n]! >>> 0) * 0x1_0000_0000;
  }
}
