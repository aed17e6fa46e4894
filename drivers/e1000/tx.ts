/**
 * Transmit, 3.3 to 3.5: the ring of transmit descriptors.
 *
 * Descriptors from `#head` up to, not including, `#tail` are the hardware's, with the packets in them. The driver fills
 * descriptors from the tail on and moves TDT behind them; the hardware sends, then writes DD into the last one of the
 * packet. DD alone says that descriptors and packet are the driver's again. TDH does not: it moves when a descriptor has
 * been fetched, not when its frame has left, and the manual warns against reading it (13.4.39). Head and tail being
 * equal means that the ring is empty, so one descriptor always stays unused.
 *
 * A frame that asks for nothing is one descriptor of the legacy format. One that asks for a checksum, or is to be cut
 * into segments, is one of the data format for each of its buffers, and maybe a context in front (see `offload.ts`).
 *
 * When interrupts are moderated, a descriptor with IDE says that nobody waits for its TXDW. Of half a ring's
 * descriptors at least one is without it, so a full ring has room, and the kernel hears of it, before the ring is empty.
 *
 * Who calls: `transmit` any code of the kernel with interrupts enabled, `reclaim` deferred work alone. The write of TDT
 * is the one place in here where an interrupt can come in, so everything is in order before it and nothing is done
 * after it.
 */

import type {
  DmaMemory,
  NetFeatures,
  NetInterface,
  PacketBuffer,
  PacketPool,
  Platform,
} from '../../kernel/driver-api.ts';
import { setField } from '../../src/lib/bits.ts';
import type { Mmio } from './mmio.ts';
import { OffloadContext } from './offload.ts';
import {
  DESCRIPTOR_BYTES,
  TCTL,
  TCTL_COLD,
  TCTL_CT,
  TCTL_EN,
  TCTL_PSP,
  TDBAH,
  TDBAL,
  TDH,
  TDLEN,
  TDT,
  TIPG,
  TIPG_IPGR1,
  TIPG_IPGR2,
  TIPG_IPGT,
  TX_CMD_DEXT,
  TX_CMD_EOP,
  TX_CMD_IDE,
  TX_CMD_IFCS,
  TX_CMD_RS,
  TX_CMD_TSE,
  TX_CMD_VLE,
  TX_DTYP_DATA,
  TX_POPTS_IXSM,
  TX_POPTS_TXSM,
  TX_SPECIAL,
  TX_STA_AT,
  TX_STA_DD,
  TX_STA_EC,
  TX_STA_LC,
} from './registers.ts';
import { DescriptorRing } from './ring.ts';
import type { DriverCounters } from './statistics.ts';

/** The last descriptor of a packet. Its status is wanted: without RS there is never a DD (3.3.3.1). */
const LAST = TX_CMD_EOP | TX_CMD_RS;

/** 13.4.33 recommends 15 retransmissions, which are the 16 attempts of IEEE 802.3. */
const COLLISION_THRESHOLD = 15;
/** Least carrier time in octets, 13.4.33: a slot of 512 in half duplex at 1000 Mb/s, 64 in every other case. */
const COLLISION_DISTANCE = 64;
const COLLISION_DISTANCE_GIGABIT_HALF = 512;
/** Gaps of 96 bit times in MAC clocks of 8, less what the MAC adds: 4 back to back, 6 after carrier (13.4.34). */
const IPGT = 8;
const IPGR1 = 8;
const IPGR2 = 6;

/** What the ring must know of the driver's features. */
interface TxFeatures extends NetFeatures {
  /** Use IDE. */
  readonly delaysInterrupts: boolean;
}

export class TxRing {
  readonly #regs: Mmio;
  readonly #packetPool: PacketPool;
  readonly #iface: NetInterface;
  readonly #counters: DriverCounters;
  readonly #features: TxFeatures;
  readonly #ring: DescriptorRing;
  readonly #context = new OffloadContext();
  /** The oldest descriptor that the hardware may own. */
  #head = 0;
  /** The next one to fill: what TDT holds. */
  #tail = 0;
  /** Descriptors that were filled since the last one without IDE. */
  #delayed = 0;
  /** The kernel met a full ring and waits for `wakeQueue`. */
  #refused = false;

  /** Throws when there is no memory for `count` descriptors. */
  constructor(
    regs: Mmio,
    memory: DmaMemory,
    packetPool: PacketPool,
    iface: NetInterface,
    counters: DriverCounters,
    count: number,
    features: TxFeatures,
  ) {
    this.#regs = regs;
    this.#packetPool = packetPool;
    this.#iface = iface;
    this.#counters = counters;
    this.#features = features;
    this.#ring = new DescriptorRing(memory, count, `${iface.name} TX ring`);
  }

  /** Transmit initialization, 14.5, but for TCTL. The hardware must be fresh from a reset. */
  start(): void {
    const regs = this.#regs;
    regs.write(TDBAL, this.#ring.addressLow);
    regs.write(TDBAH, this.#ring.addressHigh);
    regs.write(TDLEN, this.#ring.sizeBytes);
    regs.write(TDH, 0);
    regs.write(TDT, 0);
    regs.write(TIPG, setField(0, TIPG_IPGT, IPGT) | setField(0, TIPG_IPGR1, IPGR1) | setField(0, TIPG_IPGR2, IPGR2));
  }

  /** Enables the transmitter, as it suits the link that came up. Frames may have been waiting for it in the ring. */
  enable(gigabitHalfDuplex: boolean): void {
    const distance = gigabitHalfDuplex ? COLLISION_DISTANCE_GIGABIT_HALF : COLLISION_DISTANCE;
    const collisions = setField(0, TCTL_CT, COLLISION_THRESHOLD) | setField(0, TCTL_COLD, distance);
    this.#regs.write(TCTL, TCTL_EN | TCTL_PSP | collisions);
  }

  /** As {@link NetDriverOps.transmit}. One register write, nothing allocated. */
  transmit(packet: PacketBuffer): boolean {
    const asks = packet.checksumStart !== 0;
    if (asks || packet.segmentBytes !== 0 || packet.next !== null || packet.vlanTag !== null) this.#check(packet);
    const withContext = asks && this.#context.needed(packet);
    const needed = (withContext ? 1 : 0) + buffersOf(packet);
    if (needed > this.#free) {
      this.#takeBack(); // what is done already, and has not been told
      if (needed > this.#free) {
        this.#refused = true;
        return false;
      }
    }
    this.#packetPool.toDevice(packet);
    if (withContext) {
      this.#context.fill(this.#ring, this.#tail, packet);
      this.#tail = this.#ring.after(this.#tail);
    }
    this.#fill(packet, needed);
    this.#regs.write(TDT, this.#tail);
    return true;
  }

  /** Takes back what the hardware is done with, and tells the kernel if it waits for room. */
  reclaim(): void {
    this.#takeBack();
    if (!this.#refused || this.#ring.after(this.#tail) === this.#head) return;
    this.#refused = false; // first: the kernel transmits from within the call, and may be refused again
    this.#iface.wakeQueue();
  }

  /**
   * Disables the transmitter, and waits for at most `wireUs` while the frame that may be on the wire finishes. What
   * else was fetched stays in the hardware's FIFO (13.4.33).
   */
  stop(platform: Platform, wireUs: number): void {
    this.#regs.write(TCTL, 0);
    this.#takeBack();
    const oldest = this.#head;
    for (let us = 0; us < wireUs && this.#head !== this.#tail && this.#head === oldest; us++) {
      platform.delayUs(1);
      this.#takeBack();
    }
  }

  /** Gives back ring and packets. The hardware must have been reset: only then will it surely not read them. */
  release(): void {
    while (this.#head !== this.#tail) this.#giveBack(this.#lastOfPacket());
    this.#ring.free();
  }

  /** Descriptors that can be filled. */
  get #free(): number {
    return this.#ring.count - 1 - this.#ring.distance(this.#head, this.#tail);
  }

  /** Throws on what the interface does not offer. */
  #check(packet: PacketBuffer): void {
    const { checksum, segmentationBuffers, vlan } = this.#features;
    if (packet.checksumStart !== 0 && !checksum) throw new Error('checksums are not inserted here');
    if (packet.vlanTag !== null && !vlan) throw new Error('VLAN tags are not inserted here');
    if (packet.segmentBytes === 0) {
      if (packet.next !== null) throw new Error('a packet of several buffers that is not to be segmented');
    } else if (buffersOf(packet) > segmentationBuffers || packet.checksumStart === 0) {
      throw new Error(`a packet of ${buffersOf(packet)} buffers that cannot be segmented here`);
    }
  }

  /** Fills descriptors for all buffers of `packet`; with a context there are `needed` of them. */
  #fill(packet: PacketBuffer, needed: number): void {
    const { packets } = this.#ring;
    let command = TX_CMD_IFCS;
    let options = 0;
    if (packet.checksumStart !== 0) {
      command |= TX_CMD_DEXT | TX_DTYP_DATA;
      options |= TX_POPTS_TXSM;
    }
    if (packet.segmentBytes !== 0) {
      command |= TX_CMD_TSE;
      options |= TX_POPTS_IXSM;
    }
    if (packet.vlanTag !== null) {
      command |= TX_CMD_VLE;
      options |= setField(0, TX_SPECIAL, packet.vlanTag);
    }
    for (let each = packet; ; each = each.next) {
      const last = each.next === null;
      const whole = last ? command | LAST | this.#interruptDelay(needed) : command;
      this.#ring.fill(this.#tail, each, whole | each.length, options);
      if (last) packets[this.#tail] = packet;
      this.#tail = this.#ring.after(this.#tail);
      if (each.next === null) return;
    }
  }

  /** IDE, or 0 when it is time for an interrupt. `descriptors` is how many the packet takes. */
  #interruptDelay(descriptors: number): number {
    if (!this.#features.delaysInterrupts) return 0;
    this.#delayed += descriptors;
    if (2 * this.#delayed < this.#ring.count) return TX_CMD_IDE;
    this.#delayed = 0;
    return 0;
  }

  /** In the order of the ring, up to the first packet that is not done. */
  #takeBack(): void {
    while (this.#head !== this.#tail) {
      const last = this.#lastOfPacket();
      const status = this.#ring.view.getUint8(last * DESCRIPTOR_BYTES + TX_STA_AT);
      if ((status & TX_STA_DD) === 0) return;
      if ((status & (TX_STA_EC | TX_STA_LC)) !== 0) this.#counters.txErrors += 1;
      this.#giveBack(last);
    }
  }

  /** The last descriptor of the oldest packet, the one with which the packet is noted. */
  #lastOfPacket(): number {
    let index = this.#head;
    while (this.#ring.packets[index] === null) index = this.#ring.after(index);
    return index;
  }

  /** Gives back the oldest packet, whose last descriptor is `last`. */
  #giveBack(last: number): void {
    const packet = this.#ring.take(last);
    this.#head = this.#ring.after(last);
    this.#packetPool.toCpu(packet);
    this.#packetPool.free(packet);
  }
}

function buffersOf(packet: PacketBuffer): number {
  let count = 1;
  for (let each = packet.next; each !== null; each = each.next) count += 1;
  return count;
}
