/**
 * A kernel double for driver tests: DMA memory and packets with a ledger, interrupts taken at register accesses as the
 * native hart takes them, deferred work that runs when the test says so, and a network interface that records.
 */
import type {
  DeferredWork,
  DmaBuffer,
  DmaMemory,
  DriverTimer,
  InterruptHandler,
  LinkState,
  NetDriverOps,
  NetInterface,
  PacketBuffer,
  PacketPool,
  PciDevice,
  Platform,
} from '../../kernel/driver-api.ts';

const RAM_BASE = 0x8000_0000;
const PACKET_BYTES = 2048;
const HEADROOM = 66;

/** What the platform asks of the device under its one BAR. Offsets are those in the BAR. */
export interface FakeDevice {
  read32(offset: number): number;
  write32(offset: number, value: number): void;
  readonly interruptLevel: boolean;
}

type Holder = 'free' | 'cpu' | 'device';

/** RAM that hands out DMA buffers. What is allocated and not freed is listed in `owners`. */
export class TestMemory implements DmaMemory {
  readonly bytes: Uint8Array;
  /** Allocations that succeed before the next one fails. */
  allocationsLeft = Infinity;
  readonly #live = new Map<DmaBuffer, string>();
  #next = 0;

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes);
  }

  get owners(): string[] {
    return [...this.#live.values()];
  }

  allocate(sizeBytes: number, alignBytes: number, owner: string): DmaBuffer | null {
    const at = Math.ceil(this.#next / alignBytes) * alignBytes;
    if (this.allocationsLeft-- <= 0 || at + sizeBytes > this.bytes.length) return null;
    this.#next = at + sizeBytes;
    const bytes = this.bytes.subarray(at, at + sizeBytes).fill(0);
    const buffer = { address: RAM_BASE + at, bytes, view: new DataView(this.bytes.buffer, at, sizeBytes) };
    this.#live.set(buffer, owner);
    return buffer;
  }

  free(buffer: DmaBuffer): void {
    if (!this.#live.delete(buffer)) throw new Error('DMA memory freed twice');
  }

  /** RAM from a physical address on. */
  at(address: number, lengthBytes: number): Uint8Array {
    return this.bytes.subarray(address - RAM_BASE, address - RAM_BASE + lengthBytes);
  }
}

/** Packets whose every change of hands is checked. */
class TestPool implements PacketPool {
  readonly bufferBytes = PACKET_BYTES;
  headroomBytes = HEADROOM;
  readonly #holders = new Map<PacketBuffer, Holder>();

  constructor(memory: TestMemory, count: number) {
    for (let i = 0; i < count; i++) {
      const { address, bytes } = memory.allocate(PACKET_BYTES, PACKET_BYTES, 'packets')!;
      const requests = { checksumStart: 0, checksumAt: 0, segmentBytes: 0, dataStart: 0, next: null };
      this.#holders.set(
        { address, bytes, start: 0, length: 0, ...requests, vlanTag: null, checksumGood: false },
        'free',
      );
    }
  }

  allocate(): PacketBuffer | null {
    for (const [packet, holder] of this.#holders) {
      if (holder !== 'free') continue;
      this.#holders.set(packet, 'cpu');
      packet.start = this.headroomBytes;
      packet.length = packet.checksumStart = packet.segmentBytes = 0;
      packet.vlanTag = packet.next = null;
      packet.checksumGood = false;
      return packet;
    }
    return null;
  }

  free(packet: PacketBuffer): void {
    this.#move(packet, 'cpu', 'free');
  }

  toDevice(packet: PacketBuffer): void {
    this.#move(packet, 'cpu', 'device');
  }

  toCpu(packet: PacketBuffer): void {
    this.#move(packet, 'device', 'cpu');
  }

  count(holder: Holder): number {
    return [...this.#holders.values()].filter(each => each === holder).length;
  }

  /** Who holds the packet in whose memory `address` lies. */
  holderAt(address: number): Holder {
    for (const [packet, holder] of this.#holders) {
      if (address >= packet.address && address < packet.address + PACKET_BYTES) return holder;
    }
    throw new Error('no packet at this address');
  }

  #move(packet: PacketBuffer, from: Holder, to: Holder): void {
    for (let each: PacketBuffer | null = packet; each !== null; each = each.next) {
      const holder = this.#holders.get(each);
      if (holder !== from) throw new Error(`packet goes from ${from} to ${to}, but its holder is ${holder}`);
      this.#holders.set(each, to);
    }
  }
}

/** The kernel's side of an interface: keeps what it is told. */
export class TestInterface implements NetInterface {
  readonly name = 'eth0';
  readonly mac: Uint8Array;
  readonly ops: NetDriverOps;
  readonly frames: Uint8Array[] = [];
  /** With each frame: the tag that the hardware took out, and whether it found a checksum good. */
  readonly findings: { readonly vlanTag: number | null; readonly checksumGood: boolean }[] = [];
  readonly links: LinkState[] = [];
  wakeCount = 0;
  /** Received packets that the test keeps; without `keep` each is freed at once. */
  readonly kept: PacketBuffer[] = [];
  keep = false;
  onReceive: (() => void) | null = null;
  onWake: (() => void) | null = null;
  readonly #pool: TestPool;

  constructor(mac: Uint8Array, ops: NetDriverOps, pool: TestPool) {
    this.mac = mac.slice();
    this.ops = ops;
    this.#pool = pool;
  }

  receive(packet: PacketBuffer): void {
    this.frames.push(packet.bytes.slice(packet.start, packet.start + packet.length));
    this.findings.push({ vlanTag: packet.vlanTag, checksumGood: packet.checksumGood });
    if (this.keep) this.kept.push(packet);
    else this.#pool.free(packet);
    this.onReceive?.();
  }

  wakeQueue(): void {
    this.wakeCount += 1;
    this.onWake?.();
  }

  linkChanged(link: LinkState): void {
    this.links.push(link);
  }

  /** The kernel is done with a received packet. */
  free(packet: PacketBuffer): void {
    this.#pool.free(packet);
  }

  /** Sends `frame` in a fresh packet; null when there is no packet, false when the driver refused it. */
  send(frame: Uint8Array): boolean | null {
    const packet = this.#pool.allocate();
    if (packet === null) return null;
    packet.bytes.set(frame, packet.start);
    packet.length = frame.length;
    const accepted = this.ops.transmit(packet);
    if (!accepted) this.#pool.free(packet);
    return accepted;
  }
}

const BAR0 = 0x4000_0000;
const MAX_DEFERRED_TURNS = 10_000;

/** The platform, with one PCI device on it. */
export class DriverPlatform implements Platform {
  readonly memory: TestMemory;
  readonly packets: TestPool;
  readonly pci: PciDevice;
  iface: TestInterface | null = null;
  interruptsEnabled = true;
  /** Whether deferred work runs by itself, when an interrupt handler is done. */
  eager = false;
  waitedUs = 0;
  interruptCount = 0;
  /** What time it is; unless set, how long the driver has waited so far. */
  onNow: (() => number) | null = null;
  onDelay: ((microseconds: number) => void) | null = null;
  readonly #device: FakeDevice;
  readonly #handlers: InterruptHandler[] = [];
  readonly #queue: (() => boolean)[] = [];
  #inDeferred = false;

  constructor(device: FakeDevice, memory: TestMemory, packetCount: number) {
    this.#device = device;
    this.memory = memory;
    this.packets = new TestPool(memory, packetCount);
    this.pci = { slot: 1, vendorId: 0x8086, deviceId: 0x100e, bars: [BAR0, 0, 0, 0, 0, 0], irq: 33, enable: () => {} };
  }

  readonly io = {
    read8: unsupported,
    read16: unsupported,
    write8: unsupported,
    write16: unsupported,
    read32: (address: number): number => {
      const value = this.#device.read32(address - BAR0) >>> 0;
      this.takeInterrupts();
      return value;
    },
    write32: (address: number, value: number): void => {
      this.#device.write32(address - BAR0, value | 0);
      this.takeInterrupts();
    },
  };

  readonly interrupts = {
    request: (_irq: number, _name: string, handler: InterruptHandler): void => {
      this.#handlers.push(handler);
    },
    release: (_irq: number, handler: InterruptHandler): void => {
      const index = this.#handlers.indexOf(handler);
      if (index < 0) throw new Error('released a handler that was not requested');
      this.#handlers.splice(index, 1);
    },
  };

  get handlerCount(): number {
    return this.#handlers.length;
  }

  get deferredPending(): boolean {
    return this.#queue.length > 0;
  }

  nowNs(): number {
    return this.onNow?.() ?? this.waitedUs * 1000;
  }

  delayUs(microseconds: number): void {
    this.waitedUs += microseconds;
    this.onDelay?.(microseconds);
  }

  timer(): DriverTimer {
    throw new Error('this driver needs no timer');
  }

  deferred(_name: string, work: () => boolean): DeferredWork {
    return {
      schedule: () => {
        if (!this.#queue.includes(work)) this.#queue.push(work);
      },
    };
  }

  addInterface(mac: Uint8Array, ops: NetDriverOps): NetInterface {
    this.iface = new TestInterface(mac, ops, this.packets);
    return this.iface;
  }

  log(): void {}

  /** Calls the handlers on the line, whoever drives it. Returns what they say. */
  raiseSharedLine(): boolean[] {
    return this.#handlers.map(handler => handler());
  }

  /** What the hart does after each access, and after each event of the hardware. */
  takeInterrupts(): void {
    while (this.interruptsEnabled && this.#device.interruptLevel) {
      if (this.#handlers.length === 0) throw new Error('an interrupt that nobody handles');
      this.interruptsEnabled = false;
      this.interruptCount += 1;
      this.raiseSharedLine();
      this.interruptsEnabled = true;
    }
    if (this.eager && this.interruptsEnabled && !this.#inDeferred) this.runDeferred();
  }

  /** Runs one turn of deferred work, if there is any. */
  runDeferredOnce(): void {
    const work = this.#queue.shift();
    if (work === undefined) return;
    this.#inDeferred = true;
    const more = work();
    this.#inDeferred = false;
    if (more && !this.#queue.includes(work)) this.#queue.push(work);
  }

  runDeferred(): void {
    for (let turns = 0; this.#queue.length > 0; turns++) {
      if (turns > MAX_DEFERRED_TURNS) throw new Error('deferred work does not come to an end');
      this.runDeferredOnce();
    }
  }
}

function unsupported(): never {
  throw new Error('registers are words');
}
