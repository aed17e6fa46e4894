/**
 * Receive, 3.2: the ring of receive descriptors.
 *
 * The hardware owns the descriptors from `#next` up to, not including, `#tail`, each with an empty packet. It fills them
 * in order and writes DD; the driver takes the packet out, puts a fresh one in at the tail, and once per batch moves
 * RDT. Head and tail being equal means that the hardware has none, so of n descriptors n - 1 are in use, and the one at
 * the tail is empty.
 *
 * The replacement is allocated before the frame is handed up. When there is none, the frame is dropped and its packet
 * goes back into the ring: to lose one frame is better than to lose a descriptor for ever, which is how a ring dries up.
 */
import type { DmaMemory, NetInterface, PacketBuffer, PacketPool } from '../../kernel/driver-api.ts';
import type { Mmio } from './mmio.ts';
import type { Moderation } from './moderation.ts';
import {
  DESCRIPTOR_BYTES,
  RCTL,
  RCTL_BAM,
  RCTL_EN,
  RCTL_MPE,
  RCTL_SECRC,
  RDBAH,
  RDBAL,
  RDH,
  RDLEN,
  RDT,
  RX_ERRORS_AT,
  RX_ERRORS_CE,
  RX_ERRORS_RXE,
  RX_ERRORS_TCPE,
  RX_LENGTH_AT,
  RX_SPECIAL_AT,
  RX_STATUS_AT,
  RX_STATUS_DD,
  RX_STATUS_EOP,
  RX_STATUS_IXSM,
  RX_STATUS_TCPCS,
  RX_STATUS_VP,
  RXCSUM,
  RXCSUM_TUOFL,
} from './registers.ts';
import { DescriptorRing } from './ring.ts';
import type { DriverCounters } from './statistics.ts';

/**
 * The longest frame that is stored while RCTL.LPE and RCTL.SBP are 0 (13.4.22). BSIZE 0 allows the hardware 2,048
 * octets a descriptor, of which it can thus never use more than these.
 */
const MAX_FRAME_BYTES = 1522;

export class RxRing {
  readonly #regs: Mmio;
  readonly #packetPool: PacketPool;
  readonly #iface: NetInterface;
  readonly #counters: DriverCounters;
  readonly #ring: DescriptorRing;
  /** The next descriptor that the hardware will finish. */
  #next = 0;
  /** The empty one: what RDT holds, but for the batch at hand. */
  #tail = 0;
  /** In the middle of a frame that takes more than one descriptor, which is thrown away to its end. */
  #discarding = false;
  #moderation: Moderation | null = null;
  /** Octets received in the batch at hand. */
  #octets = 0;

  /** Fills all but one of `count` descriptors. Throws when memory or packets do not suffice, and then holds none. */
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
    this.#ring = new DescriptorRing(memory, count, `${iface.name} RX ring`);
    try {
      while (this.#tail < count - 1) this.#give(this.#emptyPacket());
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /**
   * Receive initialization, 14.4. The hardware must be fresh from a reset. `checksums`: it shall check those of TCP and
   * UDP. `allMulticast`: as {@link receiveAllMulticast}. `moderation` is told what comes in.
   */
  start(checksums: boolean, allMulticast: boolean, moderation: Moderation | null): void {
    this.#moderation = moderation;
    const regs = this.#regs;
    regs.write(RDBAL, this.#ring.addressLow);
    regs.write(RDBAH, this.#ring.addressHigh);
    regs.write(RDLEN, this.#ring.sizeBytes);
    regs.write(RDH, 0);
    regs.write(RDT, this.#tail);
    if (checksums) regs.write(RXCSUM, RXCSUM_TUOFL);
    this.receiveAllMulticast(allMulticast);
  }

  /** Enables the receiver, for frames to every group address or for those that the table lets in. */
  receiveAllMulticast(all: boolean): void {
    // BSIZE 0 is 2,048; SECRC strips the FCS, so that a descriptor's length does not include it (13.4.22).
    this.#regs.write(RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC | (all ? RCTL_MPE : 0));
  }

  /** Hands up at most `budget` frames. Returns whether there may be more. */
  poll(budget: number): boolean {
    let done = 0;
    this.#octets = 0;
    while (done < budget && this.#receiveOne()) done += 1;
    if (done === 0) return false;
    // One doorbell for the batch. The descriptors stand in memory already (see ring.ts).
    this.#regs.write(RDT, this.#tail);
    this.#moderation?.received(done, this.#octets);
    return done === budget;
  }

  /** Gives back ring and packets. The hardware must have been reset: only then will it surely not write to them. */
  release(): void {
    for (let index = 0; index < this.#ring.count; index++) {
      if (this.#ring.packets[index] === null) continue;
      const packet = this.#ring.take(index);
      this.#packetPool.toCpu(packet);
      this.#packetPool.free(packet);
    }
    this.#ring.free();
  }

  /** Takes one finished descriptor and gives one back. False when the hardware has not finished the next. */
  #receiveOne(): boolean {
    const at = this.#next * DESCRIPTOR_BYTES;
    const view = this.#ring.view;
    const status = view.getUint8(at + RX_STATUS_AT);
    // The hardware writes DD last, so what else the descriptor holds is valid once DD is seen (3.2.3.1).
    if ((status & RX_STATUS_DD) === 0) return false;
    const lengthBytes = view.getUint16(at + RX_LENGTH_AT, true);
    this.#octets += lengthBytes;
    const packet = this.#ring.take(this.#next);
    this.#next = this.#ring.after(this.#next);
    this.#packetPool.toCpu(packet);

    const errors = view.getUint8(at + RX_ERRORS_AT);
    const tag = view.getUint16(at + RX_SPECIAL_AT, true);
    const wanted = this.#acceptable(status, errors, lengthBytes, packet);
    const fresh = wanted ? this.#packetPool.allocate() : null;
    if (fresh === null) {
      if (wanted) this.#counters.rxNoBuffer += 1;
      this.#give(packet);
      return true;
    }
    this.#give(fresh);
    packet.length = lengthBytes;
    if ((status & RX_STATUS_VP) !== 0) packet.vlanTag = tag;
    // Of IXSM and TCPCS the first says that the hardware did not look, the second that it did (3.2.3.1).
    if ((status & (RX_STATUS_IXSM | RX_STATUS_TCPCS)) === RX_STATUS_TCPCS) {
      packet.checksumGood = (errors & RX_ERRORS_TCPE) === 0;
      if (!packet.checksumGood) this.#counters.rxChecksumErrors += 1;
    }
    this.#iface.receive(packet); // last: the kernel may transmit, and interrupts may come in, before it returns
    return true;
  }

  /** Whether the descriptor holds one whole, good frame. Counts it if not. */
  #acceptable(status: number, errors: number, lengthBytes: number, packet: PacketBuffer): boolean {
    const last = (status & RX_STATUS_EOP) !== 0;
    if (!last || this.#discarding) {
      // Each packet holds the longest frame, so a frame in pieces is an oversize one: all of it goes, up to its EOP.
      if (last) this.#counters.rxMultiDescriptor += 1;
      this.#discarding = !last;
      return false;
    }
    // ERRORS is valid with EOP. Bits 1, 2 and 4 are reserved on this part, 5 and 6 speak of checksums (3.2.3.2). The
    // length is checked because the kernel will believe it.
    if ((errors & (RX_ERRORS_CE | RX_ERRORS_RXE)) === 0 && lengthBytes <= packet.bytes.length - packet.start)
      return true;
    this.#counters.rxErrors += 1;
    return false;
  }

  /** Puts an empty packet in at the tail. It is the device's from here on, though the device learns of it by RDT. */
  #give(packet: PacketBuffer): void {
    this.#packetPool.toDevice(packet);
    this.#ring.packets[this.#tail] = packet;
    this.#ring.fill(this.#tail, packet, 0, 0);
    this.#tail = this.#ring.after(this.#tail);
  }

  #emptyPacket(): PacketBuffer {
    const packet = this.#packetPool.allocate();
    if (packet === null) {
      throw new Error(`packet buffers for ${this.#tail} of ${this.#ring.count - 1} receive descriptors only`);
    }
    const roomBytes = packet.bytes.length - packet.start;
    if (roomBytes >= MAX_FRAME_BYTES) return packet;
    this.#packetPool.free(packet);
    throw new Error(`packet buffers have room for ${roomBytes} bytes, a frame may take ${MAX_FRAME_BYTES}`);
  }
}
