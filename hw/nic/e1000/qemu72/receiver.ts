/**
 * Receive as QEMU 7.2 does it: a frame is offered by the netdev, and is in memory, refused or dropped when the call
 * returns. Refused is a frame that has to wait: the NIC has no buffer, or a second has not passed since RCTL was last
 * written. There is no FIFO, and no frame with an error.
 */
import { readBe16, readLe32, writeLe16 } from '../../../../src/lib/bytes.ts';
import { FCS_BYTES, MIN_FRAME_BYTES } from '../../../ethernet/frame.ts';
import type { Timer, TimerState } from '../../../sim/clock.ts';
import type { Chip } from '../chip.ts';
import { DESCRIPTOR_BYTES } from '../chip.ts';
import { bufferAddress, RX_AT, RX_STATUS } from '../descriptors.ts';
import { isBroadcast } from '../filter.ts';
import { E1000 } from '../registers.ts';
import type { Counters } from './counters.ts';
import type { WindowedInterrupts } from './interrupts.ts';

const { BPRC, CTRL, ICR, MPC, MPRC, MTA, RAH, RAL, RCTL, RDBAH, RDBAL, RDH, RDLEN, RDT, RNBC, ROC, STATUS } = E1000;
const { VET, VFTA } = E1000;

/** How long nothing is received after RCTL was written. Counted from the whole millisecond before. */
const SETTLE_MS = 1000;
const NS_PER_MS = 1_000_000;
const MIN_OCTETS = MIN_FRAME_BYTES - FCS_BYTES;
/** Longest frames, without and with RCTL.LPE: QEMU applies the limits to what it has, which is without FCS. */
const MAX_OCTETS = 1522;
const MAX_LONG_OCTETS = 16_384;
const TAG_AT = 12;
const TAG_BYTES = 4;
/** Buffer size with BSEX for each BSIZE; the reserved one is as without. */
const LARGE_BUFFERS = [2048, 16_384, 8192, 4096] as const;
/** Right shift of the 16 bits {DA[5], DA[4]} for RCTL.MO 0 to 3. */
const HASH_SHIFTS = [4, 3, 2, 0] as const;

export interface InstantReceiverState {
  readonly settling: TimerState;
}

export class InstantReceiver {
  /** Frames that had to wait may come now. */
  onReady: (() => void) | null = null;
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #interrupts: WindowedInterrupts;
  readonly #counters: Counters;
  readonly #settling: Timer;
  readonly #descriptor = new Uint8Array(DESCRIPTOR_BYTES);

  constructor(chip: Chip, interrupts: WindowedInterrupts, counters: Counters) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#interrupts = interrupts;
    this.#counters = counters;
    this.#settling = chip.clock.timer(() => this.onReady?.());
  }

  get canReceive(): boolean {
    return this.#enabled && this.#chip.pci.busMasterEnabled && this.#holds(1) && !this.#settling.armed;
  }

  /** RCTL was written. */
  controlWritten(): void {
    const ms = Math.floor(this.#chip.clock.nowNs / NS_PER_MS);
    this.#settling.armAt((ms + SETTLE_MS) * NS_PER_MS);
  }

  /** RDT was written. */
  doorbell(): void {
    if (this.#holds(1)) this.onReady?.();
  }

  /** Takes a frame. False: it must wait. */
  receive(octets: Uint8Array): boolean {
    if (!this.#enabled) return true;
    if (this.#settling.armed) return false;
    const whole = padded(octets);
    const rctl = this.#words[RCTL.n]!;
    if ((rctl & RCTL.SBP) === 0 && whole.length > ((rctl & RCTL.LPE) !== 0 ? MAX_LONG_OCTETS : MAX_OCTETS)) {
      this.#counters.count(ROC.n);
      return true;
    }
    if (!this.#vlanMatch(whole, rctl) || !this.#addressMatch(whole, rctl)) return true;
    const tagged = (this.#words[CTRL.n]! & CTRL.VME) !== 0 && this.#isTagged(whole);
    this.#store(tagged ? withoutTag(whole) : whole, tagged ? readBe16(whole, TAG_AT + 2) : null);
    return true;
  }

  save(): InstantReceiverState {
    return { settling: this.#settling.save() };
  }

  load(state: InstantReceiverState): void {
    this.#settling.load(state.settling);
  }

  get #enabled(): boolean {
    return (this.#words[STATUS.n]! & STATUS.LU) !== 0 && (this.#words[RCTL.n]! & RCTL.EN) !== 0;
  }

  get #bufferBytes(): number {
    const rctl = this.#words[RCTL.n]!;
    const size = ((rctl & RCTL.BSIZE) >>> 16) as 0 | 1 | 2 | 3;
    return (rctl & RCTL.BSEX) === 0 ? 2048 >>> size : LARGE_BUFFERS[size];
  }

  /** Whether the ring has room for `bytes`. */
  #holds(bytes: number): boolean {
    const words = this.#words;
    const head = words[RDH.n]!;
    const tail = words[RDT.n]!;
    if (bytes <= this.#bufferBytes) return head !== tail;
    if (head === tail) return false;
    const buffers = tail - head + (head > tail ? words[RDLEN.n]! / DESCRIPTOR_BYTES : 0);
    return bytes <= (buffers * this.#bufferBytes) >>> 0; // a head outside the ring makes less than none, which is many
  }

  /** Puts a frame into the ring. `tag` is what was taken out of it. */
  #store(octets: Uint8Array, tag: number | null): void {
    const words = this.#words;
    const bytes = octets.length + ((words[RCTL.n]! & RCTL.SECRC) !== 0 ? 0 : FCS_BYTES);
    if (!this.#holds(bytes)) {
      this.#overrun();
      return;
    }
    const first = words[RDH.n]!;
    const outside = first >= words[RDLEN.n]! / DESCRIPTOR_BYTES;
    let at = 0;
    do {
      at += this.#fill(words[RDH.n]!, octets, at, bytes, tag);
      const next = words[RDH.n]! + 1;
      words[RDH.n] = next * DESCRIPTOR_BYTES >= words[RDLEN.n]! ? 0 : next;
      if (outside || words[RDH.n] === first) {
        this.#overrun();
        return;
      }
    } while (at < bytes);
    this.#counters.received(octets.length, bytes);
    this.#interrupts.raise(this.#low ? ICR.RXT0 | ICR.RXDMT0 : ICR.RXT0);
  }

  /** Fills descriptor `index` from octet `at` of the frame on. Returns how many octets of `bytes` that accounts for. */
  #fill(index: number, octets: Uint8Array, at: number, bytes: number, tag: number | null): number {
    const descriptor = this.#descriptor;
    const address = this.#base + index * DESCRIPTOR_BYTES;
    this.#chip.dmaRead(address, descriptor, 0, DESCRIPTOR_BYTES);
    this.#chip.tapDescriptors('rx', 'fetch', index, address, descriptor, 0, 1);
    const buffer = bufferAddress(descriptor, 0);
    const length = buffer === 0 ? 0 : Math.min(bytes - at, this.#bufferBytes);
    let status = descriptor[RX_AT.STATUS]! | RX_STATUS.DD | (tag === null ? 0 : RX_STATUS.VP);
    if (buffer !== 0) {
      const copied = Math.min(length, octets.length - at);
      if (copied > 0) this.#chip.dmaWrite(buffer, octets, at, copied);
      writeLe16(descriptor, RX_AT.LENGTH, length);
      status = at + length >= bytes ? status | RX_STATUS.EOP | RX_STATUS.IXSM : status & ~RX_STATUS.EOP;
    }
    descriptor[RX_AT.STATUS] = status;
    writeLe16(descriptor, RX_AT.SPECIAL, tag ?? 0);
    this.#chip.dmaWrite(address, descriptor, 0, DESCRIPTOR_BYTES);
    this.#chip.tapDescriptors('rx', 'write-back', index, address, descriptor, 0, 1);
    return length;
  }

  /** The frame needs more buffers than there are. */
  #overrun(): void {
    this.#counters.count(RNBC.n);
    this.#counters.count(MPC.n);
    this.#interrupts.raise(ICR.RXO);
  }

  /** Whether no more descriptors are left than RDMTS says. */
  get #low(): boolean {
    const words = this.#words;
    const head = words[RDH.n]!;
    const tail = words[RDT.n]!;
    const free = tail - head + (tail < head ? words[RDLEN.n]! / DESCRIPTOR_BYTES : 0);
    const threshold = words[RDLEN.n]! >>> (1 + ((words[RCTL.n]! & RCTL.RDMTS) >>> 8));
    return free >= 0 && free * DESCRIPTOR_BYTES <= threshold;
  }

  #isTagged(octets: Uint8Array): boolean {
    return readBe16(octets, TAG_AT) === (this.#words[VET.n]! & 0xffff);
  }

  #vlanMatch(octets: Uint8Array, rctl: number): boolean {
    if ((rctl & RCTL.VFE) === 0 || !this.#isTagged(octets)) return true;
    const vlan = readBe16(octets, TAG_AT + 2) & 0xfff;
    return ((this.#words[VFTA.n + (vlan >>> 5)]! >>> (vlan & 31)) & 1) !== 0;
  }

  /** A group's frame is counted where it is let in, before anything else can happen to it. */
  #addressMatch(octets: Uint8Array, rctl: number): boolean {
    const broadcast = isBroadcast(octets);
    const group = (octets[0]! & 1) !== 0;
    if (!group && (rctl & RCTL.UPE) !== 0) return true;
    if (group && (rctl & RCTL.MPE) !== 0) {
      this.#counters.count(MPRC.n);
      return true;
    }
    if (broadcast && (rctl & RCTL.BAM) !== 0) {
      this.#counters.count(BPRC.n);
      return true;
    }
    if (this.#exact(octets)) return true;
    if (!this.#hashed(octets, rctl)) return false;
    this.#counters.count(MPRC.n);
    return true;
  }

  #exact(octets: Uint8Array): boolean {
    const words = this.#words;
    const low = readLe32(octets, 0);
    const high = octets[4]! | (octets[5]! << 8);
    for (let i = 0; i < RAL.count; i++) {
      const entry = words[RAH.n + i]!;
      if ((entry & RAH.AV) !== 0 && (entry & RAH.RAH) === high && words[RAL.n + i] === low) return true;
    }
    return false;
  }

  #hashed(octets: Uint8Array, rctl: number): boolean {
    const shift = HASH_SHIFTS[((rctl & RCTL.MO) >>> 12) as 0 | 1 | 2 | 3];
    const hash = ((octets[4]! | (octets[5]! << 8)) >>> shift) & 0xfff;
    return ((this.#words[MTA.n + (hash >>> 5)]! >>> (hash & 31)) & 1) !== 0;
  }

  get #base(): number {
    const words = this.#words;
    return ((words[RDBAL.n]! & -DESCRIPTOR_BYTES) >>> 0) + (words[RDBAH.n]! >>> 0) * 0x1_0000_0000;
  }
}

function padded(octets: Uint8Array): Uint8Array {
  if (octets.length >= MIN_OCTETS) return octets;
  const whole = new Uint8Array(MIN_OCTETS);
  whole.set(octets);
  return whole;
}

function withoutTag(octets: Uint8Array): Uint8Array {
  const rest = octets.slice(TAG_BYTES);
  rest.set(octets.subarray(0, TAG_AT));
  return rest;
}
