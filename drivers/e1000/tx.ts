/**
 * Transmit, 3.3 and 3.4: the ring of legacy descriptors.
 *
 * Descriptors from `#head` up to, not including, `#tail` are the hardware's, with the packets in them. The driver fills
 * the descriptor at the tail and moves TDT behind it; the hardware sends, then writes DD into the descriptor. DD alone
 * says that descriptor and packet are the driver's again. TDH does not: it moves when a descriptor has been fetched, not
 * when its frame has left, and the manual warns against reading it (13.4.39). Head and tail being equal means that the
 * ring is empty, so one descriptor always stays unused.
 *
 * Who calls: `transmit` any code of the kernel with interrupts enabled, `reclaim` deferred work alone. The write of TDT
 * is the one place in here where an interrupt can come in, so everything is in order before it and nothing is done
 * after it.
 */

import type { DmaMemory, NetInterface, PacketBuffer, PacketPool, Platform } from '../../kernel/driver-api.ts';
import { setField } from '../../src/lib/bits.ts';
import type { Mmio } from './mmio.ts';
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
  TX_CMD_EOP,
  TX_CMD_IFCS,
  TX_CMD_RS,
  TX_STA_AT,
  TX_STA_DD,
  TX_STA_EC,
  TX_STA_LC,
} from './registers.ts';
import { DescriptorRing } from './ring.ts';
import type { DriverCounters } from './statistics.ts';

/** A whole frame in one descriptor, FCS by the hardware, and status wanted: without RS there is never a DD (3.3.3.1). */
const COMMAND = (TX_CMD_EOP | TX_CMD_IFCS | TX_CMD_RS) << 24;

/** 13.4.33 recommends 15 retransmissions, which are the 16 attempts of IEEE 802.3. */
const COLLISION_THRESHOLD = 15;
/** Least carrier time in octets, 13.4.33: a slot of 512 in half duplex at 1000 Mb/s, 64 in every other case. */
const COLLISION_DISTANCE = 64;
const COLLISION_DISTANCE_GIGABIT_HALF = 512;
/** Gaps of 96 bit times in MAC clocks of 8, less what the MAC adds: 4 back to back, 6 after carrier (13.4.34). */
const IPGT = 8;
const IPGR1 = 8;
const IPGR2 = 6;

export class TxRing {
  readonly #regs: Mmio;
  readonly #packetPool: PacketPool;
  readonly #iface: NetInterface;
  readonly #counters: DriverCounters;
  readonly #ring: DescriptorRing;
  /** The oldest descriptor that the hardware may own. */
  #head = 0;
  /** The next one to fill: what TDT holds. */
  #tail = 0;
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
  ) {
    this.#regs = regs;
    this.#packetPool = packetPool;
    this.#iface = iface;
    this.#counters = counters;
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

  /** As {@link NetDriverOps.transmit}. One descriptor in memory, one register write, nothing allocated. */
  transmit(packet: PacketBuffer): boolean {
    const index = this.#tail;
    const next = this.#ring.after(index);
    if (next === this.#head) {
      this.#refused = true;
      return false;
    }
    this.#packetPool.toDevice(packet);
    this.#ring.fill(index, packet, COMMAND | packet.length);
    this.#tail = next;
    this.#regs.write(TDT, next);
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
    while (this.#head !== this.#tail) this.#giveBack();
    this.#ring.free();
  }

  /** In the order of the ring, up to the first descriptor that is not done. */
  #takeBack(): void {
    while (this.#head !== this.#tail) {
      const status = this.#ring.view.getUint8(this.#head * DESCRIPTOR_BYTES + TX_STA_AT);
      if ((status & TX_STA_DD) === 0) return;
      if ((status & (TX_STA_EC | TX_STA_LC)) !== 0) this.#counters.txErrors += 1;
      this.#giveBack();
    }
  }

  #giveBack(): void {
    const packet = this.#ring.take(this.#head);
    this.#head = this.#ring.after(this.#head);
    this.#packetPool.toCpu(packet);
    this.#packetPool.free(packet);
  }
}
