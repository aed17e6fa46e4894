/**
 * A double of the 82540EM at register level for driver tests. It does nothing by itself: the test fetches transmit
 * descriptors, writes them back when it likes, and puts frames, errors and causes where it wants them. Each step checks
 * that the device owns the packet that it touches.
 *
 * Offsets and bits are typed here once more, from the manual, so that the driver's constants are not checked by
 * themselves.
 */
import { e1000Driver } from '../../drivers/e1000/e1000.ts';
import type { Features } from '../../drivers/e1000/features.ts';
import { DriverPlatform, type FakeDevice, type TestInterface, TestMemory } from './driver-platform.ts';

export const REG = {
  CTRL: 0x0000,
  STATUS: 0x0008,
  EERD: 0x0014,
  MDIC: 0x0020,
  FCAL: 0x0028,
  FCAH: 0x002c,
  FCT: 0x0030,
  ICR: 0x00c0,
  ITR: 0x00c4,
  ICS: 0x00c8,
  IMS: 0x00d0,
  IMC: 0x00d8,
  RCTL: 0x0100,
  FCTTV: 0x0170,
  TCTL: 0x0400,
  TIPG: 0x0410,
  FCRTL: 0x2160,
  FCRTH: 0x2168,
  RDBAL: 0x2800,
  RDLEN: 0x2808,
  RDH: 0x2810,
  RDT: 0x2818,
  TDBAL: 0x3800,
  TDLEN: 0x3808,
  TDH: 0x3810,
  TDT: 0x3818,
  TIDV: 0x3820,
  TADV: 0x382c,
  RXCSUM: 0x5000,
  MTA: 0x5200,
  RAL: 0x5400,
  RAH: 0x5404,
} as const;

export const CAUSE = { TXDW: 0x01, TXQE: 0x02, LSC: 0x04, RXDMT0: 0x10, RXO: 0x40, RXT0: 0x80 } as const;

const CTRL_RST = 0x0400_0000;
const MDIC_READY = 0x1000_0000;
const MDIC_ERROR = 0x4000_0000;
const RAM_BYTES = 4 * 1024 * 1024;
/** QEMU's image for the address 52:54:00:12:34:56, with all words but the address and the checksum left at zero. */
const MAC_WORDS = [0x5452, 0x1200, 0x5634];
const CHECKSUM_WORD = (0xbaba - MAC_WORDS.reduce((sum, word) => sum + word)) & 0xffff;

interface Access {
  readonly kind: 'read' | 'write';
  readonly offset: number;
  readonly value: number;
}

interface Fetched {
  readonly at: number;
  readonly address: number;
  readonly frame: Uint8Array;
}

class FakeE1000 implements FakeDevice {
  readonly eeprom = [...MAC_WORDS, ...new Array<number>(60).fill(0), CHECKSUM_WORD];
  readonly phy = new Map([
    [2, 0x0141],
    [3, 0x0c20],
    [4, 0x0de1],
    [5, 0x41e1],
    [16, 0x0360],
  ]);
  /** Reads of EERD and MDIC before they are done; Infinity for never. */
  eepromReads = 1;
  mdicReads = 1;
  /** Every access, in order. */
  readonly log: Access[] = [];
  /** Called before an access takes effect. */
  onAccess: ((access: Access) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  readonly memory = new TestMemory(RAM_BYTES);
  platform: DriverPlatform | null = null;
  #icr = 0;
  #ims = 0;
  #polls = 0;
  readonly #values = new Map<number, number>();
  readonly #fetched: Fetched[] = [];

  get interruptLevel(): boolean {
    return (this.#icr & this.#ims) !== 0;
  }

  /** The interrupt mask. */
  get mask(): number {
    return this.#ims;
  }

  /** A register as the driver wrote it, or as `poke` set it. */
  peek(offset: number): number {
    return this.#values.get(offset) ?? 0;
  }

  poke(offset: number, value: number): void {
    this.#values.set(offset, value);
  }

  read32(offset: number): number {
    const value = this.#readValue(offset);
    const access: Access = { kind: 'read', offset, value };
    this.log.push(access);
    this.onAccess?.(access);
    return offset === REG.ICR ? this.#readCauses() : value;
  }

  write32(offset: number, value: number): void {
    const access: Access = { kind: 'write', offset, value };
    this.log.push(access);
    this.onAccess?.(access);
    if (offset === REG.IMS) this.#ims |= value;
    else if (offset === REG.IMC) this.#ims &= ~value;
    else if (offset === REG.ICS) this.#icr |= value;
    else if (offset === REG.CTRL && (value & CTRL_RST) !== 0) this.#reset();
    else this.#values.set(offset, value);
    if (offset === REG.MDIC) this.#mdi(value);
    this.#polls = 0;
  }

  /** Accesses to one register. */
  accesses(kind: 'read' | 'write', offset: number): Access[] {
    return this.log.filter(access => access.kind === kind && access.offset === offset);
  }

  /** Latches causes, and interrupts if one is unmasked. */
  cause(bits: number): void {
    this.#icr |= bits;
    this.platform?.takeInterrupts();
  }

  /** Changes STATUS and raises LSC. Speed is the field's value: 0 is 10, 1 is 100, 2 is 1000 Mb/s. */
  link(up: boolean, speed = 2, fullDuplex = true): void {
    this.poke(REG.STATUS, (speed << 6) | (up ? 2 : 0) | (fullDuplex ? 1 : 0));
    this.cause(CAUSE.LSC);
  }

  /** Descriptors that the device was given and has not fetched. */
  get txPending(): number {
    return (this.peek(REG.TDT) - this.peek(REG.TDH) + this.txCount) % this.txCount;
  }

  get txCount(): number {
    return this.peek(REG.TDLEN) / 16;
  }

  get rxCount(): number {
    return this.peek(REG.RDLEN) / 16;
  }

  /** Transmit descriptors that were fetched and not written back. */
  get txInFlight(): number {
    return this.#fetched.length;
  }

  /** Receive descriptors that the device may fill. */
  get rxFree(): number {
    return (this.peek(REG.RDT) - this.peek(REG.RDH) + this.rxCount) % this.rxCount;
  }

  descriptor(baseRegister: number, index: number): DataView {
    const bytes = this.memory.at((this.peek(baseRegister) >>> 0) + 16 * index, 16);
    return new DataView(bytes.buffer, bytes.byteOffset, 16);
  }

  /** Fetches the next transmit descriptor and its frame, and moves TDH. DD comes with `writeBack`. */
  fetch(): boolean {
    if (this.txPending === 0) return false;
    const at = this.peek(REG.TDH);
    const view = this.descriptor(REG.TDBAL, at);
    const address = view.getUint32(0, true);
    this.#mustOwn(address);
    if (view.getUint8(12) !== 0) throw new Error('fetched a transmit descriptor whose status is not zero');
    this.#fetched.push({ at, address, frame: this.memory.at(address, view.getUint16(8, true)).slice() });
    this.poke(REG.TDH, (at + 1) % this.txCount);
    return true;
  }

  /** Ends the oldest fetched frame with DD and `status`, and raises TXDW. */
  writeBack(status = 0): boolean {
    const fetched = this.#fetched.shift();
    if (fetched === undefined) return false;
    const view = this.descriptor(REG.TDBAL, fetched.at);
    if (view.getUint32(0, true) !== fetched.address) throw new Error('a descriptor without DD was written to');
    this.#mustOwn(fetched.address);
    view.setUint8(12, 1 | status);
    this.sent.push(fetched.frame);
    this.cause(CAUSE.TXDW);
    return true;
  }

  /** Fills the next receive descriptor, and raises RXT0 unless `quiet`. False when there is none. */
  receive(
    data: Uint8Array,
    { eop = true, errors = 0, length = data.length, quiet = false, status = 0, special = 0 } = {},
  ): boolean {
    if (this.rxFree === 0) return false;
    const at = this.peek(REG.RDH);
    const view = this.descriptor(REG.RDBAL, at);
    const address = view.getUint32(0, true);
    this.#mustOwn(address);
    if (view.getUint8(12) !== 0) throw new Error('given a receive descriptor whose status is not zero');
    this.memory.at(address, data.length).set(data);
    view.setUint16(8, length, true);
    view.setUint8(12, status | (eop ? 3 : 1));
    view.setUint8(13, errors);
    view.setUint16(14, special, true);
    this.poke(REG.RDH, (at + 1) % this.rxCount);
    if (!quiet) this.cause(CAUSE.RXT0);
    return true;
  }

  #mustOwn(address: number): void {
    const holder = this.platform!.packets.holderAt(address);
    if (holder !== 'device') throw new Error(`the device uses a packet that is ${holder}`);
  }

  #readValue(offset: number): number {
    if (offset === REG.ICR) return this.#icr;
    if (offset === REG.EERD) return this.#eerd();
    if (offset === REG.MDIC && ++this.#polls <= this.mdicReads) return 0;
    if (offset < 0x4000 || offset >= 0x4100) return this.peek(offset);
    const count = this.peek(offset);
    this.poke(offset, 0);
    return count;
  }

  #readCauses(): number {
    const causes = this.#icr;
    this.#icr = 0;
    return causes;
  }

  #eerd(): number {
    const command = this.peek(REG.EERD);
    if ((command & 1) === 0 || ++this.#polls <= this.eepromReads) return command;
    return (this.eeprom[(command >>> 8) & 0xff]! << 16) | (command & 0xff00) | 0x10;
  }

  #mdi(command: number): void {
    const register = (command >>> 16) & 31;
    const known = ((command >>> 21) & 31) === 1 && this.phy.has(register);
    if (known && ((command >>> 26) & 3) === 1) this.phy.set(register, command & 0xffff);
    const data = known ? this.phy.get(register)! : 0;
    this.poke(REG.MDIC, (command & 0x0fff_0000) | data | MDIC_READY | (known ? 0 : MDIC_ERROR));
  }

  #reset(): void {
    const status = this.peek(REG.STATUS);
    this.#values.clear();
    this.poke(REG.STATUS, status);
    this.#icr = 0;
    this.#ims = 0;
    this.#fetched.length = 0;
  }
}

/** A device on a platform with `packetCount` packets. */
export function fakeMachine(packetCount = 64): { device: FakeE1000; platform: DriverPlatform } {
  const device = new FakeE1000();
  const platform = new DriverPlatform(device, device.memory, packetCount);
  device.platform = platform;
  return { device, platform };
}

/** A machine whose driver has opened the interface, with the link up and nothing left to do. */
export function openMachine({
  tx = 8,
  rx = 8,
  packets = 64,
  features = {},
}: {
  readonly tx?: number;
  readonly rx?: number;
  readonly packets?: number;
  readonly features?: Partial<Features>;
} = {}) {
  const { device, platform } = fakeMachine(packets);
  e1000Driver({ txDescriptors: tx, rxDescriptors: rx, features }).probe(platform.pci, platform);
  const iface = interfaceOf(platform);
  iface.ops.open();
  device.link(true);
  platform.runDeferred();
  device.log.length = 0;
  platform.interruptCount = 0;
  return { device, platform, iface };
}

/** The interface that the driver registered. */
export function interfaceOf(platform: DriverPlatform): TestInterface {
  if (platform.iface === null) throw new Error('the driver registered no interface');
  return platform.iface;
}

/** A frame of `length` octets that can be told from others by `tag`. */
export function frame(tag: number, length = 60): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i < 4 ? tag >>> (8 * i) : tag + i));
}
