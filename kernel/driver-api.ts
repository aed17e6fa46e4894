/**
 * All that a driver sees of the kernel, as types: how it reaches its device, memory that the device can reach too,
 * interrupts, time, deferred work, and the network interface it serves. Drivers import from here and from nowhere
 * else in the kernel.
 */

/** Device registers. Addresses are physical; an access that nothing answers throws a bus fault. */
export interface Io {
  read8(address: number): number;
  read16(address: number): number;
  /** Unsigned. */
  read32(address: number): number;
  write8(address: number, value: number): void;
  write16(address: number, value: number): void;
  write32(address: number, value: number): void;
}

/** Memory that a device can reach: contiguous, and coherent with the CPU. Rings and their like. */
export interface DmaBuffer {
  /** Physical address of `bytes[0]`. */
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Allocates {@link DmaBuffer}s. `owner` names the user in the ledger, where a leak is then seen. */
export interface DmaMemory {
  /** Zeroed memory, or null when there is none left. `alignBytes` is a power of two. */
  allocate(sizeBytes: number, alignBytes: number, owner: string): DmaBuffer | null;
  free(buffer: DmaBuffer): void;
}

/**
 * One packet in memory that a device can reach. The packet is `bytes[start]` to `bytes[start + length - 1]`; what lies
 * before is headroom, in which a lower layer puts its header.
 *
 * The other fields are what the sender asks of the hardware, as far as {@link NetFeatures} offers it, and what the
 * hardware says of a packet that came in. The pool gives out packets that ask and say nothing. Places are indexes into
 * `bytes`, so that they stay right as headers are put in front.
 */
export interface PacketBuffer {
  /** Physical address of `bytes[0]`. */
  readonly address: number;
  readonly bytes: Uint8Array;
  start: number;
  length: number;
  /**
   * To be sent: the TCP or UDP header, from where to the end of the packet the hardware shall compute the Internet
   * checksum. 0: it shall not, for no such header stands at the start of a buffer.
   */
  checksumStart: number;
  /** Where that checksum goes. The sum of the pseudo-header stands there already, not complemented. */
  checksumAt: number;
  /**
   * To be sent: the hardware shall cut this IPv4 packet into TCP segments of at most so many octets of data, and make
   * each one's headers from the packet's. 0: it shall not. A checksum is to be asked for too; the sum of the
   * pseudo-header then leaves out the length.
   */
  segmentBytes: number;
  /** The first octet behind the TCP header, which is in the first buffer. Of meaning with `segmentBytes`. */
  dataStart: number;
  /**
   * Where a packet that does not fit into one buffer goes on: its buffers are sent, freed and change hands as one. A
   * driver meets one only if it is to be segmented; others are for the kernel alone (`net/chain.ts`).
   */
  next: PacketBuffer | null;
  /**
   * The 16 bits of control information in an IEEE 802.1Q tag that is not among the octets: the hardware took it out,
   * or shall put it in. Null: none.
   */
  vlanTag: number | null;
  /** Received: the hardware found the TCP or UDP checksum good, over all that follows an IPv4 header. */
  checksumGood: boolean;
}

/**
 * Packet buffers, with the ledger of who owns each. A buffer belongs to the CPU or to a device, never to both: a
 * driver hands it over before the descriptor that names it is given to the hardware, and takes it back after. What is
 * done to a packet is done to all the buffers that follow it (`next`).
 */
export interface PacketPool {
  /** Bytes in every buffer of the pool. */
  readonly bufferBytes: number;
  /**
   * An empty buffer that belongs to the CPU, or null when all are in use. Its `start` leaves headroom: a received
   * packet begins there too, so a receive descriptor points at `address + start`.
   */
  allocate(): PacketBuffer | null;
  free(packet: PacketBuffer): void;
  /** From now on the device owns the buffer: the CPU may neither read nor write it. */
  toDevice(packet: PacketBuffer): void;
  /** The device has finished with the buffer. */
  toCpu(packet: PacketBuffer): void;
}

/** An interrupt handler. Returns whether its device was the cause: lines are shared. */
export type InterruptHandler = () => boolean;

export interface Interrupts {
  /** Adds `handler` to the line `irq` and enables the line. `name` appears in tables and messages. */
  request(irq: number, name: string, handler: InterruptHandler): void;
  release(irq: number, handler: InterruptHandler): void;
}

/** Work that an interrupt handler leaves for later. It runs with interrupts enabled, before any task. */
export interface DeferredWork {
  /** Puts the work in line, once, however often it is called before the work runs. */
  schedule(): void;
}

/** A software timer. */
export interface DriverTimer {
  /** Arms, or re-arms, for `delayNs` from now. */
  armIn(delayNs: number): void;
  cancel(): void;
}

/** The state of a link, as the PHY reports it. */
export interface LinkState {
  readonly up: boolean;
  readonly speedMbps: number;
  readonly fullDuplex: boolean;
}

/** What may be asked for in a packet that an interface sends. A driver throws on what it does not offer. */
export interface NetFeatures {
  /** `checksumStart` and `checksumAt`. */
  readonly checksum: boolean;
  /** `segmentBytes` and `dataStart`: the number of buffers that a packet to be segmented may take, 0 for none. */
  readonly segmentationBuffers: number;
  /** `vlanTag`. Then received tags are taken out, too. */
  readonly vlan: boolean;
}

/** What a network driver offers the kernel. */
export interface NetDriverOps {
  readonly features: NetFeatures;
  /** Starts the hardware. Throws when it cannot. */
  open(): void;
  /** Stops the hardware and gives back every buffer. */
  close(): void;
  /**
   * Sends one frame (destination address to payload, no FCS), or the segments of one packet. True: the driver owns the
   * packet from now on, and may write to its headers. False: the ring is full, the packet stays the caller's, and the
   * driver will call `wakeQueue`.
   */
  transmit(packet: PacketBuffer): boolean;
  /**
   * Receives frames to these group addresses, six octets each, from now on, and after each `open`. Others may come in
   * with them: filters of hardware are coarse.
   */
  setMulticast(groups: readonly Uint8Array[]): void;
  /** Counters by name, read from the hardware and the driver. */
  statistics(): Readonly<Record<string, number>>;
}

/** The kernel's side of a network interface, which the driver calls. */
export interface NetInterface {
  readonly name: string;
  /** A received frame, without FCS. The kernel owns the packet from now on. */
  receive(packet: PacketBuffer): void;
  /** The ring has room again. */
  wakeQueue(): void;
  linkChanged(link: LinkState): void;
}

/** Everything that a driver may touch. */
export interface Platform {
  readonly io: Io;
  readonly memory: DmaMemory;
  readonly packets: PacketPool;
  readonly interrupts: Interrupts;
  /** Nanoseconds since power-on, in steps of 100. */
  nowNs(): number;
  /** Waits by doing nothing, for a few microseconds at most: longer waits are for interrupts and timers. */
  delayUs(microseconds: number): void;
  timer(fire: () => void): DriverTimer;
  /** `work` returns true when more is left, and is then run again after other work had its turn. */
  deferred(name: string, work: () => boolean): DeferredWork;
  /** Registers a network interface with hardware address `mac` (6 bytes); the kernel names it. */
  addInterface(mac: Uint8Array, ops: NetDriverOps): NetInterface;
  log(text: string): void;
}

/** A PCI function that the bus driver found, with its BARs placed and its interrupt line known. */
export interface PciDevice {
  readonly slot: number;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Physical base address of each memory BAR; 0 for an absent or an I/O one. */
  readonly bars: readonly number[];
  /** The interrupt controller's number of the line that INTA drives. */
  readonly irq: number;
  /** Sets the command bits for memory space and bus mastering. */
  enable(): void;
}

/** A driver for a kind of PCI function. */
export interface PciDriver {
  readonly name: string;
  /** `[vendor, device]` pairs that the driver serves. */
  readonly ids: readonly (readonly [vendorId: number, deviceId: number])[];
  /** Brings the device up. Throws when it cannot; the kernel then logs that and goes on without the device. */
  probe(device: PciDevice, platform: Platform): void;
}

/** Finds the devices on an expansion bus. */
export interface BusDriver {
  readonly name: string;
  enumerate(io: Io): readonly PciDevice[];
}

/** The interrupt controller, through its driver. Source numbers start at 1. */
export interface InterruptController {
  reset(): void;
  enable(source: number): void;
  disable(source: number): void;
  /** The pending source of the highest priority, or 0. */
  claim(): number;
  complete(source: number): void;
}

/** The one hardware timer of the hart, through its driver. */
export interface ClockEvent {
  /** Interrupts when the `time` counter reaches `tick`; Infinity for never. */
  program(tick: number): void;
}

/** Where the kernel writes its messages. */
export interface Console {
  /** Takes the text at once and whole, even from a handler that interrupted this; the device sends it later. */
  write(text: string): void;
  /** The interrupt handler, with which text goes on being sent. A kernel in panic polls it instead. */
  interrupt(): boolean;
}
