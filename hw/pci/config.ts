/**
 * Configuration space of a conventional PCI function: the 64-byte type 00h header of the PCI Local Bus Specification
 * 3.0, chapter 6. Registers are declared as the dwords that the bus carries, so `COMMAND_STATUS` holds two registers
 * of the specification, and `CACHE_LATENCY_HEADER_BIST` four.
 *
 * The {@link ConfigSpace} stores; what the bits bring about (decoding, mastering, the INTx pin) is up to its owner, the
 * function. Behind the header there is nothing: no capability, and no extended space.
 */
import type { AccessSize } from '../bus/bus.ts';
import { RegisterFile, registers } from '../bus/registers.ts';

/** Bytes of configuration space that a conventional function has. */
export const CONFIG_BYTES = 256;
/** Base address registers in a type 00h header. */
export const BAR_COUNT = 6;

export const CONFIG = registers({
  ID: [
    0x00,
    'Who made the function, and which one it is',
    {
      VENDOR: ['ro', 15, 0, 0, 'Vendor ID'],
      DEVICE: ['ro', 31, 16, 0, 'Device ID'],
    },
  ],
  COMMAND_STATUS: [
    0x04,
    'Command (low half) and status (high half)',
    {
      IO_SPACE: ['rw', 0, 0, 0, 'Answers at its I/O BARs'],
      MEMORY_SPACE: ['rw', 1, 1, 0, 'Answers at its memory BARs'],
      BUS_MASTER: ['rw', 2, 2, 0, 'May read and write memory by itself'],
      SPECIAL_CYCLES: ['unimp', 3, 3, 0, 'Monitors special cycles'],
      MEMORY_WRITE_INVALIDATE: ['unimp', 4, 4, 0, 'May use the Memory Write and Invalidate command'],
      VGA_PALETTE_SNOOP: ['unimp', 5, 5, 0, 'Snoops VGA palette writes'],
      PARITY_ERROR_RESPONSE: ['unimp', 6, 6, 0, 'Acts on parity errors: there are none on this bus'],
      SERR_ENABLE: ['rw', 8, 8, 0, 'Drives SERR#: stored, never used'],
      FAST_BACK_TO_BACK_ENABLE: ['unimp', 9, 9, 0, 'May send fast back-to-back transactions'],
      INTERRUPT_DISABLE: ['rw', 10, 10, 0, 'Keeps the INTx pin low'],
      INTERRUPT_STATUS: [
        'ro',
        19,
        19,
        0,
        'The interrupt is asserted inside the function, whatever INTERRUPT_DISABLE says',
      ],
      CAPABILITIES_LIST: ['ro', 20, 20, 0, 'There is a capability list: no'],
      CAPABLE_66MHZ: ['ro', 21, 21, 0, 'Runs at 66 MHz'],
      FAST_BACK_TO_BACK: ['ro', 23, 23, 0, 'Accepts fast back-to-back transactions'],
      MASTER_DATA_PARITY_ERROR: ['w1c', 24, 24, 0, 'As a master, saw a parity error: never'],
      DEVSEL_TIMING: ['ro', 26, 25, 0, 'How soon DEVSEL# follows: 0 is fast'],
      SIGNALED_TARGET_ABORT: ['w1c', 27, 27, 0, 'As a target, ended a transaction with target abort: never'],
      RECEIVED_TARGET_ABORT: ['w1c', 28, 28, 0, 'As a master, met a target abort: never'],
      RECEIVED_MASTER_ABORT: ['w1c', 29, 29, 0, 'As a master, read or wrote where no memory answers'],
      SIGNALED_SYSTEM_ERROR: ['w1c', 30, 30, 0, 'Drove SERR#: never'],
      DETECTED_PARITY_ERROR: ['w1c', 31, 31, 0, 'Saw a parity error: never'],
    },
  ],
  CLASS_REVISION: [
    0x08,
    'Revision and class code',
    {
      REVISION: ['ro', 7, 0, 0, 'Revision ID'],
      CLASS: ['ro', 31, 8, 0, 'Base class, subclass, programming interface'],
    },
  ],
  CACHE_LATENCY_HEADER_BIST: [
    0x0c,
    'Cache line size, latency timer, header type, self-test',
    {
      CACHE_LINE_SIZE: ['rw', 7, 0, 0, 'In dwords. What a master counts in cache lines, it counts in these'],
      LATENCY_TIMER: ['rw', 15, 8, 0, 'In bus clocks: stored, never used'],
      HEADER_TYPE: ['ro', 23, 16, 0, 'Header type 00h, one function'],
      BIST: ['ro', 31, 24, 0, 'No self-test'],
    },
  ],
  BAR: [
    0x10,
    'Base address. The bits below the size read zero; bit 0 is one for I/O',
    {
      ADDRESS: ['rw', 31, 0, 0, 'Where the region starts; writing all ones and reading back tells its size'],
    },
    { count: BAR_COUNT },
  ],
  CARDBUS_CIS: [0x28, 'CardBus CIS pointer', { POINTER: ['ro', 31, 0, 0, 'None'] }],
  SUBSYSTEM: [
    0x2c,
    'Who made the board',
    {
      VENDOR: ['ro', 15, 0, 0, 'Subsystem vendor ID'],
      ID: ['ro', 31, 16, 0, 'Subsystem ID'],
    },
  ],
  EXPANSION_ROM: [0x30, 'Expansion ROM base address', { ADDRESS: ['ro', 31, 0, 0, 'There is no ROM'] }],
  CAPABILITIES: [0x34, 'Capabilities pointer', { POINTER: ['ro', 7, 0, 0, 'No list'] }],
  INTERRUPT: [
    0x3c,
    'Interrupt routing, and how a master wants the bus',
    {
      LINE: ['rw', 7, 0, 0, 'A note that firmware leaves for the operating system; the hardware ignores it'],
      PIN: ['ro', 15, 8, 0, '1 is INTA, 4 is INTD, 0 is none'],
      MIN_GNT: ['ro', 23, 16, 0, 'Burst length wanted, in 250 ns'],
      MAX_LAT: ['ro', 31, 24, 0, 'How often it needs the bus, in 250 ns'],
    },
  ],
});

/** The header's registers, reached by accesses of one, two or four bytes. */
export class ConfigSpace {
  readonly registers = new RegisterFile(CONFIG, CONFIG_BYTES);
  /** Per BAR: the address bits that it stores, and the type bits that it reads besides. 0 for an absent one. */
  readonly #addressMasks: Int32Array;
  readonly #typeBits: Int32Array;

  constructor(addressMasks: Int32Array, typeBits: Int32Array) {
    this.#addressMasks = addressMasks;
    this.#typeBits = typeBits;
    for (let bar = 0; bar < BAR_COUNT; bar++) this.#trimBar(bar);
  }

  /** Reading has no side effect anywhere in the header. `offset` is below {@link CONFIG_BYTES}. */
  read(offset: number, size: AccessSize): number {
    const word = this.registers.peek(this.registers.slot(offset));
    if (size === 4) return word;
    return (word >>> (8 * (offset & 3))) & (size === 2 ? 0xffff : 0xff);
  }

  /** Writes only the bytes named. Returns the slot written to, 0 when nothing is there. */
  write(offset: number, size: AccessSize, value: number): number {
    const registers = this.registers;
    const slot = registers.slot(offset);
    registers.write(slot, size === 4 ? value : this.#merge(slot, offset, size, value));
    if (slot >= CONFIG.BAR.n && slot < CONFIG.BAR.n + BAR_COUNT) this.#trimBar(slot - CONFIG.BAR.n);
    return slot;
  }

  /** The base address that BAR `bar` holds, unsigned, without its type bits. */
  barBase(bar: number): number {
    return (this.registers.values[CONFIG.BAR.n + bar]! & this.#addressMasks[bar]!) >>> 0;
  }

  /** The whole dword that a narrow write amounts to. Bytes not written keep their value: a one there clears nothing. */
  #merge(slot: number, offset: number, size: AccessSize, value: number): number {
    const shift = 8 * (offset & 3);
    const lanes = (size === 2 ? 0xffff : 0xff) << shift;
    const commandOnly = slot === CONFIG.COMMAND_STATUS.n ? 0xffff : -1;
    return (this.registers.peek(slot) & commandOnly & ~lanes) | ((value << shift) & lanes);
  }

  #trimBar(bar: number): void {
    const slot = CONFIG.BAR.n + bar;
    const values = this.registers.values;
    values[slot] = (values[slot]! & this.#addressMasks[bar]!) | this.#typeBits[bar]!;
  }
}
