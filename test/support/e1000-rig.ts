/**
 * A 82540EM on a bench: a clock, memory, the NIC, and a far station at the other end of a cable. Tests reach the NIC as
 * a driver does, through its BARs, its configuration space and memory, and as a peer does, through the wire.
 *
 * The bench has a link from the start: the PHYs are forced to 1000 Mb/s full duplex, so that no test waits for a
 * negotiation that it does not look at.
 */
import { Line } from '../../hw/bus/line.ts';
import { Ram } from '../../hw/bus/ram.ts';
import { Frame } from '../../hw/ethernet/frame.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { E1000Nic } from '../../hw/nic/e1000/e1000.ts';
import { STRICT } from '../../hw/nic/e1000/profile.ts';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import type { DropReason, E1000Taps, Ring } from '../../hw/nic/e1000/taps.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { parseMac, readLe16, writeLe16, writeLe32 } from '../../src/lib/bytes.ts';
import { Endpoint, forcedControl } from './ethernet.ts';

export const RAM_BASE = 0x8000_0000;
const RAM_BYTES = 0x10_0000;
export const NIC_MAC = parseMac('52:54:00:12:34:56');
export const FAR_MAC = parseMac('52:54:00:00:00:02');
export const BROADCAST = parseMac('ff:ff:ff:ff:ff:ff');

/** Where the bench puts things in memory. */
export const TX_RING = RAM_BASE + 0x1000;
export const RX_RING = RAM_BASE + 0x2000;
export const TX_BUFFERS = RAM_BASE + 0x1_0000;
export const RX_BUFFERS = RAM_BASE + 0x8_0000;
export const RX_BUFFER_STRIDE = 0x1000;

/** Longest time that the NIC needs for a frame, beside that of its octets. */
const SETTLE_NS = 5000;

/** The command register: I/O space, memory space, bus master. */
export const PCI_COMMAND = 4;
export const PCI_ENABLE = 7;

export const CMD = { EOP: 1, IFCS: 2, IC: 4, TSE: 4, RS: 8, DEXT: 0x20, VLE: 0x40, IDE: 0x80 } as const;
export const SEND = CMD.EOP | CMD.IFCS | CMD.RS;

export interface RxDescriptor {
  readonly length: number;
  readonly checksum: number;
  readonly status: number;
  readonly errors: number;
  readonly special: number;
}

/** Everything that the NIC told its observer. */
export class Recorder implements E1000Taps {
  readonly registers: [write: boolean, offset: number, value: number][] = [];
  readonly descriptors: { ring: Ring; index: number; address: number; action: string; bytes: Uint8Array }[] = [];
  readonly transfers: ['read' | 'write', number, number][] = [];
  readonly raised: number[] = [];
  readonly drops: DropReason[] = [];
  readonly suspicions: string[] = [];

  register(write: boolean, offset: number, value: number): void {
    this.registers.push([write, offset, value]);
  }
  descriptor(ring: Ring, index: number, address: number, action: 'fetch' | 'write-back', bytes: Uint8Array): void {
    this.descriptors.push({ ring, index, address, action, bytes: bytes.slice() });
  }
  dma(action: 'read' | 'write', address: number, lengthBytes: number): void {
    this.transfers.push([action, address, lengthBytes]);
  }
  causes(raisedBits: number): void {
    this.raised.push(raisedBits);
  }
  dropped(_frame: Frame, reason: DropReason): void {
    this.drops.push(reason);
  }
  suspicion(text: string): void {
    this.suspicions.push(text);
  }
}

export class E1000Rig {
  readonly clock = new Clock();
  readonly ram = new Ram(RAM_BASE, RAM_BYTES);
  readonly nic: E1000Nic;
  readonly line = new Line('INTA');
  readonly cable: Cable;
  readonly far: Endpoint;

  constructor({ link = true, metres = 0, profile = STRICT } = {}) {
    const prng = new Prng('bench');
    this.nic = new E1000Nic(this.clock, this.ram, prng.fork('nic'), NIC_MAC, profile);
    this.far = new Endpoint(this.clock, prng.fork('far'));
    this.cable = new Cable(this.clock, prng.fork('cable'), metres);
    this.nic.pci.attach({ intx: this.line.source(), place: () => {} });
    this.nic.pci.configWrite(PCI_COMMAND, 2, PCI_ENABLE);
    this.cable.connect(0, this.nic.phy);
    this.cable.connect(1, this.far.phy);
    if (link) this.linkUp();
  }

  /** Forces both PHYs and waits for the link. The cause that this raises is cleared. */
  linkUp(speed: 10 | 100 | 1000 = 1000): void {
    for (const phy of [this.nic.phy, this.far.phy]) phy.writeRegister(0, forcedControl(speed, true));
    this.pass(2_000_000_000);
    this.read(E1000.ICR.at);
  }

  /** Lets `ns` nanoseconds pass. */
  pass(ns: number): void {
    this.clock.run(this.clock.nowNs + ns);
  }

  /** Reads a register, unsigned. */
  read(offset: number): number {
    return this.nic.read(offset, 4) >>> 0;
  }

  write(offset: number, value: number): void {
    this.nic.write(offset, 4, value | 0);
  }

  peek(offset: number): number {
    return this.nic.peek(offset) >>> 0;
  }

  /** A transmit ring of `count` empty descriptors, and the transmitter enabled. */
  openTx(count = 8): this {
    this.write(E1000.TDBAL.at, TX_RING);
    this.write(E1000.TDLEN.at, count * 16);
    this.write(E1000.TDH.at, 0);
    this.write(E1000.TDT.at, 0);
    this.write(E1000.TCTL.at, E1000.TCTL.EN | E1000.TCTL.PSP);
    return this;
  }

  /** A receive ring of `count` descriptors, of which software gives all but one, and the receiver enabled. */
  openRx(count = 8, rctl = E1000.RCTL.BAM | E1000.RCTL.SECRC): this {
    for (let i = 0; i < count; i++) this.rxBuffer(i, RX_BUFFERS + i * RX_BUFFER_STRIDE);
    this.write(E1000.RDBAL.at, RX_RING);
    this.write(E1000.RDLEN.at, count * 16);
    this.write(E1000.RDH.at, 0);
    this.write(E1000.RDT.at, count - 1);
    this.write(E1000.RCTL.at, E1000.RCTL.EN | rctl);
    return this;
  }

  /** Writes receive descriptor `index`: the address of its buffer, and zeros. */
  rxBuffer(index: number, address: number): void {
    this.memory(RX_RING + index * 16, 16).fill(0);
    writeLe32(this.memory(RX_RING + index * 16, 16), 0, address);
  }

  rxDescriptor(index: number): RxDescriptor {
    const bytes = this.memory(RX_RING + index * 16, 16);
    return {
      length: readLe16(bytes, 8),
      checksum: readLe16(bytes, 10),
      status: bytes[12]!,
      errors: bytes[13]!,
      special: readLe16(bytes, 14),
    };
  }

  /** What descriptor `index` says is in its buffer, from `RX_BUFFERS` on. */
  rxData(index: number): Uint8Array {
    return this.memory(RX_BUFFERS + index * RX_BUFFER_STRIDE, this.rxDescriptor(index).length).slice();
  }

  /** Writes legacy transmit descriptor `index`. */
  txLegacy(
    index: number,
    address: number,
    length: number,
    cmd: number,
    rest: { cso?: number; css?: number; special?: number } = {},
  ): void {
    const bytes = this.memory(TX_RING + index * 16, 16).fill(0);
    writeLe32(bytes, 0, address);
    writeLe16(bytes, 8, length);
    bytes[10] = rest.cso ?? 0;
    bytes[11] = cmd;
    bytes[13] = rest.css ?? 0;
    writeLe16(bytes, 14, rest.special ?? 0);
  }

  /** Writes data descriptor `index` of the extended format. */
  txData(index: number, address: number, length: number, dcmd: number, popts = 0, special = 0): void {
    const bytes = this.memory(TX_RING + index * 16, 16).fill(0);
    writeLe32(bytes, 0, address);
    writeLe32(bytes, 8, length | (1 << 20) | ((dcmd | CMD.DEXT) << 24));
    bytes[13] = popts;
    writeLe16(bytes, 14, special);
  }

  txStatus(index: number): number {
    return this.memory(TX_RING + index * 16, 16)[12]!;
  }

  /** Puts `octets` where buffer `index` of the transmit ring is, and returns the address. */
  txBuffer(index: number, octets: Uint8Array): number {
    const address = TX_BUFFERS + index * 0x4000;
    this.memory(address, octets.length).set(octets);
    return address;
  }

  /** Writes a descriptor for `octets` as one whole frame and rings the doorbell. */
  send(index: number, octets: Uint8Array, cmd: number = SEND): void {
    this.txLegacy(index, this.txBuffer(index, octets), octets.length, cmd);
    const count = this.peek(E1000.TDLEN.at) / 16;
    this.write(E1000.TDT.at, (index + 1) % count);
  }

  /** The far station sends frames, and they arrive. */
  arrive(...frames: Frame[]): void {
    this.far.send(...frames);
    const octets = frames.reduce((sum, frame) => sum + frame.wireBytes + 20, 0);
    this.pass(octets * (8 * this.#bitNs + 4) + SETTLE_NS);
  }

  memory(address: number, length: number): Uint8Array {
    return this.ram.bytes.subarray(address - RAM_BASE, address - RAM_BASE + length);
  }

  get #bitNs(): number {
    return { 10: 100, 100: 10, 1000: 1 }[this.far.phy.link.speed];
  }
}

/** DA, SA, EtherType 88B5h, and a recognizable payload: `bytes` octets in all, without FCS. */
export function octetsTo(destination: Uint8Array, bytes: number, fill = 0): Uint8Array {
  const octets = Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + fill) & 0xff);
  octets.set(destination.subarray(0, Math.min(6, bytes)));
  if (bytes >= 14) {
    octets.set(FAR_MAC, 6);
    octets.set([0x88, 0xb5], 12);
  }
  return octets;
}

/** A frame to the NIC with a good FCS; `wireBytes` from DA to FCS. */
export const frameTo = (destination: Uint8Array, wireBytes: number, fill = 0): Frame =>
  Frame.withFcs(octetsTo(destination, wireBytes - 4, fill));
