/**
 * Packet buffers: the whole network path, from a NIC's descriptor to a socket, passes packets in these. They are carved
 * out of DMA memory once, at boot, and go round from then on; to allocate and to free is to pop and push a stack.
 *
 * The ledger. Each buffer is free, or belongs to the CPU, or to a device. Hardware reads a buffer at any time after its
 * descriptor is visible, so one that is reused too early is sent with another packet's bytes in it: on a real machine
 * a rare puzzle, here an error at the line that did it. What the ledger cannot see is code that reads or writes the
 * bytes of a buffer it no longer owns.
 *
 * Handlers and all other code use the pool; nothing here is a bus access, so no call is ever interrupted.
 */
import { KernelBug } from './bug.ts';
import type { DmaBuffer, PacketPool as DriverPacketPool, PacketBuffer } from './driver-api.ts';

/** Every buffer is this long and aligned to it, so that none crosses a 4 KiB page. */
export const PACKET_BYTES = 2048;
/**
 * `start` of an empty packet, for sending and receiving alike. 64 bytes take the headers that lower layers put in
 * front; the 2 more make a multiple of 4 of what follows the Ethernet header's 14. A receive descriptor that points at
 * `address + start` thus has its IP header on a word, room for 1,982 bytes (a frame is at most 1,522), and headroom
 * for a longer header when the packet is routed on.
 */
export const PACKET_HEADROOM = 66;

type Holder = 'free' | 'cpu' | 'device';

class PooledPacket implements PacketBuffer {
  readonly index: number;
  readonly address: number;
  readonly bytes: Uint8Array;
  start = 0;
  length = 0;
  checksumStart = 0;
  checksumAt = 0;
  segmentBytes = 0;
  dataStart = 0;
  next: PacketBuffer | null = null;
  vlanTag: number | null = null;
  checksumGood = false;
  holder: Holder = 'free';

  constructor(index: number, address: number, bytes: Uint8Array) {
    this.index = index;
    this.address = address;
    this.bytes = bytes;
  }
}

/** How many buffers are where, and how often there was none. */
export interface PacketUsage {
  readonly free: number;
  readonly cpu: number;
  readonly device: number;
  readonly exhausted: number;
}

export class PacketPool implements DriverPacketPool {
  readonly bufferBytes = PACKET_BYTES;
  readonly #packets: readonly PooledPacket[];
  readonly #free: PooledPacket[];
  #deviceCount = 0;
  #exhaustedCount = 0;

  /** Cuts `memory`, aligned to {@link PACKET_BYTES}, into buffers. */
  constructor(memory: DmaBuffer) {
    const count = Math.floor(memory.bytes.length / PACKET_BYTES);
    this.#packets = Array.from({ length: count }, (_, index) => {
      const at = index * PACKET_BYTES;
      return new PooledPacket(index, memory.address + at, memory.bytes.subarray(at, at + PACKET_BYTES));
    });
    this.#free = this.#packets.toReversed();
  }

  /** An empty buffer, {@link PACKET_HEADROOM} in front, its bytes those of its last use. Null when all are in use. */
  allocate(): PacketBuffer | null {
    const packet = this.#free.pop();
    if (packet === undefined) {
      this.#exhaustedCount += 1;
      return null;
    }
    packet.holder = 'cpu';
    packet.start = PACKET_HEADROOM;
    packet.length = 0;
    packet.checksumStart = 0;
    packet.segmentBytes = 0;
    packet.vlanTag = null;
    packet.checksumGood = false;
    return packet;
  }

  /** Throws a KernelBug unless the CPU owns the buffer and those that follow it. */
  free(packet: PacketBuffer): void {
    for (let each: PacketBuffer | null = packet; each !== null; ) {
      const own = this.#check(each, 'cpu', 'free');
      own.holder = 'free';
      this.#free.push(own);
      each = own.next;
      own.next = null;
    }
  }

  /** Throws a KernelBug unless the CPU owns the buffer and those that follow it. */
  toDevice(packet: PacketBuffer): void {
    for (let each: PacketBuffer | null = packet; each !== null; each = each.next) {
      this.#check(each, 'cpu', 'hand to the device').holder = 'device';
      this.#deviceCount += 1;
    }
  }

  /** Throws a KernelBug unless a device owns the buffer and those that follow it. */
  toCpu(packet: PacketBuffer): void {
    for (let each: PacketBuffer | null = packet; each !== null; each = each.next) {
      this.#check(each, 'device', 'take from the device').holder = 'cpu';
      this.#deviceCount -= 1;
    }
  }

  usage(): PacketUsage {
    const free = this.#free.length;
    const device = this.#deviceCount;
    return { free, cpu: this.#packets.length - free - device, device, exhausted: this.#exhaustedCount };
  }

  #check(packet: PacketBuffer, holder: Holder, verb: string): PooledPacket {
    if (!(packet instanceof PooledPacket) || this.#packets[packet.index] !== packet) {
      throw new KernelBug(`cannot ${verb}: not a packet of this pool`);
    }
    if (packet.holder !== holder) throw new KernelBug(`cannot ${verb} packet ${packet.index}: ${state(packet)}`);
    return packet;
  }
}

function state(packet: PooledPacket): string {
  if (packet.holder === 'free') return 'it is free already';
  return packet.holder === 'cpu' ? 'the CPU owns it' : 'the device owns it';
}
