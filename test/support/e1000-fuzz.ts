/**
 * A guest that does anything at all to an 82540EM behind a host bridge: memory and port accesses of every size, writes
 * to configuration space, noise where the rings are, frames of any length on the wire, and time. All of it follows from
 * one seed. Now and then it sets the NIC up as a driver would, so that what follows meets rings at work.
 *
 * Between NIC and memory stands a guard that throws when a transfer is out of proportion, leaves the buffer it is for,
 * or happens while the NIC may not master the bus.
 */
import { type AccessSize, Bus } from '../../hw/bus/bus.ts';
import { Line } from '../../hw/bus/line.ts';
import { type BusMaster, Ram } from '../../hw/bus/ram.ts';
import { Frame } from '../../hw/ethernet/frame.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { E1000Nic } from '../../hw/nic/e1000/e1000.ts';
import type { Profile } from '../../hw/nic/e1000/profile.ts';
import { E1000, REGISTER_SPACE_BYTES } from '../../hw/nic/e1000/registers.ts';
import { HostBridge } from '../../hw/pci/host-bridge.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { assert } from '../../src/lib/assert.ts';
import { Endpoint, forcedControl } from './ethernet.ts';

const COST = { readNs: 0, writeNs: 0 };
const ECAM = 0x3000_0000;
const PORTS = 0x0300_0000;
const WINDOW = 0x4000_0000;
const RAM_BASE = 0x8000_0000;
const RAM_BYTES = 0x4_0000;
const SLOT = 1;
const CONFIG = ECAM + (SLOT << 15);
const PORT = 0x1000;
const TX_RING = RAM_BASE;
const RX_RING = RAM_BASE + 0x1000;
const RING_BYTES = 0x1000;
const LINK_NS = 2_000_000_000;
/** Longest time that one operation lets pass. */
const MAX_WAIT_NS = 20_000;
/** More octets than any frame or burst of descriptors has. */
const MAX_TRANSFER_BYTES = 0x1_0000;
const MAX_FRAME_OCTETS = 2000;

const SIZES: readonly AccessSize[] = [4, 4, 4, 2, 1];
const REGISTERS = Object.values(E1000);
const ENGINE = [E1000.TDT, E1000.RDT, E1000.TDH, E1000.RDH, E1000.TCTL, E1000.RCTL, E1000.TXDCTL, E1000.RXDCTL];

class Guard implements BusMaster {
  transfers = 0;
  nic: E1000Nic | null = null;
  readonly #ram: Ram;

  constructor(ram: Ram) {
    this.#ram = ram;
  }

  dmaRead(address: number, target: Uint8Array, at: number, length: number): boolean {
    this.#check(address, target, at, length);
    return this.#ram.dmaRead(address, target, at, length);
  }

  dmaWrite(address: number, source: Uint8Array, at: number, length: number): boolean {
    this.#check(address, source, at, length);
    return this.#ram.dmaWrite(address, source, at, length);
  }

  #check(address: number, buffer: Uint8Array, at: number, length: number): void {
    this.transfers += 1;
    assert(this.nic?.pci.busMasterEnabled === true, 'DMA without bus mastering');
    assert(Number.isInteger(address) && address >= 0, 'DMA to what is no address');
    assert(Number.isInteger(length) && length >= 0 && length <= MAX_TRANSFER_BYTES, 'DMA out of proportion');
    assert(at >= 0 && at + length <= buffer.length, 'DMA beyond the buffer in the chip');
  }
}

export class E1000Fuzz {
  readonly clock = new Clock();
  readonly nic: E1000Nic;
  readonly ram = new Ram(RAM_BASE, RAM_BYTES);
  /** DMA transfers so far. */
  readonly guard = new Guard(this.ram);
  readonly #bus = new Bus();
  readonly #far: Endpoint;
  readonly #prng: Prng;

  constructor(seed: string, profile: Profile) {
    const prng = new Prng(seed);
    this.#prng = prng.fork('guest');
    this.#bus.map(RAM_BASE, RAM_BYTES, this.ram, COST);
    const intx = [0, 1, 2, 3].map(index => new Line(`INT ${index}`));
    const bridge = new HostBridge(this.#bus, intx, {
      ecam: { base: ECAM, sizeBytes: 0x1000_0000, cost: COST },
      io: { base: PORTS, sizeBytes: 0x1_0000, cost: COST },
      memory: { base: WINDOW, sizeBytes: 0x4000_0000, cost: COST },
    });
    this.nic = new E1000Nic(this.clock, this.guard, prng.fork('nic'), new Uint8Array([2, 0, 0, 0, 0, 1]), profile);
    this.guard.nic = this.nic;
    bridge.insert(SLOT, this.nic.pci);
    this.#far = new Endpoint(this.clock, prng.fork('far'));
    const cable = new Cable(this.clock, prng.fork('cable'), 0);
    cable.connect(0, this.nic.phy);
    cable.connect(1, this.#far.phy);
    this.refresh();
  }

  /** Sets everything up anew, the link included, which operations may have taken down for seconds. */
  refresh(): void {
    this.#setUp();
    if (this.nic.phy.link.up) return;
    for (const phy of [this.nic.phy, this.#far.phy]) phy.writeRegister(0, forcedControl(1000, true));
    this.clock.run(this.clock.nowNs + LINK_NS);
  }

  /** One operation. Returns how many events it brought about. */
  step(): number {
    const before = this.clock.eventCount;
    const kind = this.#below(100);
    if (kind < 35) this.#write(WINDOW + this.#offset(), this.#size(), this.#word());
    else if (kind < 50) this.#read(WINDOW + this.#offset(), this.#size());
    else if (kind < 56) this.#usePorts();
    else if (kind < 58) this.#write(CONFIG + this.#below(0x40), this.#size(), this.#word());
    else if (kind < 60) this.#setUp();
    else if (kind < 78) this.#scribble();
    else if (kind < 86) this.#far.send(this.#frame());
    else this.clock.run(this.clock.nowNs + this.#below(MAX_WAIT_NS));
    return this.clock.eventCount - before;
  }

  /** Resets the NIC and takes the cable's traffic away: from here on nothing has a reason to happen. */
  settle(ns: number): void {
    this.#configure();
    this.#write(WINDOW + E1000.CTRL.at, 4, E1000.CTRL.RST);
    for (const register of [E1000.RCTL, E1000.TCTL, E1000.IMC]) this.#write(WINDOW + register.at, 4, 0);
    this.clock.run(this.clock.nowNs + ns);
  }

  #configure(): void {
    this.#write(CONFIG + 0x10, 4, WINDOW);
    this.#write(CONFIG + 0x14, 4, PORT);
    this.#write(CONFIG + 0x04, 2, 7);
  }

  #setUp(): void {
    this.#configure();
    this.#write(WINDOW + E1000.CTRL.at, 4, E1000.CTRL.SLU);
    const tx = [TX_RING, 0, 8 * 128, 0, 0];
    const rx = [RX_RING, 0, 4 * 128, 0, 20];
    const { TDBAL, TDBAH, TDLEN, TDH, TDT, RDBAL, RDBAH, RDLEN, RDH, RDT, TCTL, RCTL } = E1000;
    [TDBAL, TDBAH, TDLEN, TDH, TDT].forEach((register, i) => {
      this.#write(WINDOW + register.at, 4, tx[i]!);
    });
    [RDBAL, RDBAH, RDLEN, RDH, RDT].forEach((register, i) => {
      this.#write(WINDOW + register.at, 4, rx[i]!);
    });
    this.#write(WINDOW + TCTL.at, 4, TCTL.EN | TCTL.PSP);
    this.#write(WINDOW + RCTL.at, 4, RCTL.EN | RCTL.UPE | RCTL.MPE | RCTL.BAM);
    this.#write(WINDOW + E1000.IMS.at, 4, this.#word());
  }

  #usePorts(): void {
    this.#write(PORTS + PORT, this.#size(), this.#offset());
    if (this.#below(2) === 0) this.#write(PORTS + PORT + 4, this.#size(), this.#word());
    else this.#read(PORTS + PORT + (this.#below(64) & ~3), 4);
  }

  /** A descriptor, or a few octets of noise. */
  #scribble(): void {
    const ring = this.#below(2) === 0 ? TX_RING : RX_RING;
    const at = ring - RAM_BASE + (this.#below(RING_BYTES) & ~15);
    const noise = this.#below(4) === 0;
    for (let i = 0; i < 16; i += 4) this.ram.write(at + i, 4, noise || i > 4 ? this.#word() : 0);
    if (!noise) this.ram.write(at, 4, RAM_BASE + 0x2000 + this.#below(RAM_BYTES - 0x2000));
    if (this.#below(2) === 0) this.ram.write(at + 8, 2, this.#below(MAX_FRAME_OCTETS));
  }

  #frame(): Frame {
    const octets = new Uint8Array(1 + this.#below(MAX_FRAME_OCTETS)).fill(this.#below(256));
    return this.#below(4) === 0 ? Frame.raw(octets) : Frame.withFcs(octets);
  }

  #offset(): number {
    const kind = this.#below(10);
    if (kind < 5) return this.#pick(ENGINE).at;
    if (kind === 5) return this.#below(REGISTER_SPACE_BYTES);
    const { at, count, stride } = this.#pick(REGISTERS);
    return at + this.#below(count) * stride;
  }

  #word(): number {
    const kind = this.#below(8);
    if (kind < 3) return this.#below(128);
    if (kind === 3) return -1;
    if (kind === 4) return RAM_BASE | this.#below(RAM_BYTES) | 0;
    return kind === 5 ? 1 << this.#below(32) : this.#below(2 ** 32) | 0;
  }

  #size(): AccessSize {
    return this.#pick(SIZES);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }

  #below(bound: number): number {
    return this.#prng.below(bound);
  }

  /** What no device answers is a fault of the guest's, and of no interest here. */
  #write(address: number, size: AccessSize, value: number): void {
    const region = this.#bus.find(address - (address % size), size);
    region?.device.write(address - (address % size) - region.base, size, value);
  }

  #read(address: number, size: AccessSize): void {
    const region = this.#bus.find(address - (address % size), size);
    region?.device.read(address - (address % size) - region.base, size);
  }
}
