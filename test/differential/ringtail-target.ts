/**
 * Runs programs on our NIC with the profile `qemu72`, in a machine with QEMU's memory map. Its netdev is the program: it
 * takes what is sent, and offers frames when QEMU's would.
 */
import { Bus } from '../../hw/bus/bus.ts';
import { Line } from '../../hw/bus/line.ts';
import { Ram } from '../../hw/bus/ram.ts';
import { E1000Nic } from '../../hw/nic/e1000/e1000.ts';
import { type Profile, QEMU72 } from '../../hw/nic/e1000/profile.ts';
import { Qemu72Engine } from '../../hw/nic/e1000/qemu72/engine.ts';
import type { Netdev, NetdevClient } from '../../hw/nic/e1000/qemu72/netdev.ts';
import { HostBridge } from '../../hw/pci/host-bridge.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { hexBytes } from '../../src/lib/bytes.ts';
import { FIRST_NIC_SLOT, PCI_ECAM, PCI_IO, PCI_MEMORY } from '../../src/world/memory-map.ts';
import { BusIo } from '../support/bus-io.ts';
import {
  ARENA_BASE,
  ARENA_BYTES,
  BAR0_BASE,
  BAR1_PORT,
  COMMAND_ON,
  MAC,
  type Op,
  type Outcome,
  type Program,
  RAM_BASE,
  type Run,
  type Size,
  valueText,
} from './ops.ts';

/** As much as QEMU was given. */
const RAM_BYTES = 64 * 1024 * 1024;
const COST = { readNs: 0, writeNs: 0 };
const ECAM_SLOT = PCI_ECAM.base + (FIRST_NIC_SLOT << 15);
const COMMAND = 0x04;
const BAR0 = 0x10;
const BAR1 = 0x14;
/** Time may not stop this close to a timer: QEMU fires it on either side. */
const CLOSE_NS = 50;
const UNIT_NS = 100;

/** One for all programs: each begins with its part of memory zeroed. */
const ram = new Ram(RAM_BASE, RAM_BYTES);

/** Runs `program`. Passes of time that would end too close to a timer are longer in the program that is returned. */
export function runOnRingtail(program: Program): { readonly run: Run; readonly program: Program } {
  const machine = new Machine();
  const outcomes: Outcome[] = [];
  const done: Op[] = [];
  for (const op of program) {
    const actual = op.op === 'pass' ? machine.pass(op.ns) : op;
    done.push(actual);
    const value = machine.perform(actual);
    outcomes.push({ value, edges: machine.edges.splice(0) });
  }
  return { run: { outcomes, frames: machine.netdev.sent }, program: done };
}

/** The program's own netdev. Frames that the NIC does not take when time passes are lost, as in a QEMU that stops. */
class ScriptedNetdev implements Netdev {
  nic: NetdevClient | null = null;
  readonly sent: Uint8Array[] = [];
  waiting: Uint8Array[] = [];
  up = true;

  send(octets: Uint8Array): void {
    if (this.up) this.sent.push(octets);
  }

  flush(): void {
    while (this.waiting.length > 0 && (!this.up || this.nic!.receive(this.waiting[0]!))) this.waiting.shift();
  }

  save(): unknown {
    throw new Error('programs are not saved');
  }

  load(): void {
    throw new Error('programs are not saved');
  }
}

class Machine {
  readonly netdev = new ScriptedNetdev();
  readonly edges: ('raise' | 'lower')[] = [];
  readonly #clock = new Clock();
  readonly #io: BusIo;

  constructor() {
    const bus = new Bus();
    bus.map(RAM_BASE, RAM_BYTES, ram, COST);
    const lines = [0, 1, 2, 3].map(i => new Line(`INT ${i}`));
    for (const line of lines) line.onChange = level => this.edges.push(level ? 'raise' : 'lower');
    const bridge = new HostBridge(bus, lines, {
      ecam: { ...PCI_ECAM, cost: COST },
      io: { ...PCI_IO, cost: COST },
      memory: { ...PCI_MEMORY, cost: COST },
    });
    const profile: Profile = { ...QEMU72, engine: (chip, _phy, mac) => new Qemu72Engine(chip, this.netdev, mac) };
    const nic = new E1000Nic(this.#clock, ram, new Prng('differential'), MAC, profile);
    bridge.insert(FIRST_NIC_SLOT, nic.pci);
    this.#io = new BusIo(bus);
    this.#io.write32(ECAM_SLOT + BAR0, BAR0_BASE);
    this.#io.write32(ECAM_SLOT + BAR1, BAR1_PORT);
    this.#io.write16(ECAM_SLOT + COMMAND, COMMAND_ON);
    ram.bytes.fill(0, ARENA_BASE - RAM_BASE, ARENA_BASE - RAM_BASE + ARENA_BYTES);
  }

  /** Lets time pass. Returns the op as it was done. */
  pass(ns: number): Op {
    const { netdev } = this;
    const clock = this.#clock;
    const beganNs = clock.nowNs;
    if (netdev.nic!.canReceive) netdev.flush();
    let untilNs = beganNs + ns;
    clock.run(untilNs - CLOSE_NS);
    while (clock.nextDueNs <= untilNs + CLOSE_NS) {
      untilNs += UNIT_NS;
      clock.run(untilNs - CLOSE_NS);
    }
    clock.run(untilNs);
    netdev.flush();
    netdev.waiting = [];
    return { op: 'pass', ns: untilNs - beganNs };
  }

  /** Does `op`, of which a pass is done already. Returns what was read. */
  perform(op: Op): string {
    switch (op.op) {
      case 'read':
        return valueText(this.#read(BAR0_BASE + op.at, op.size), op.size);
      case 'write':
        this.#write(BAR0_BASE + op.at, op.size, op.value);
        return '';
      case 'config-read':
        return valueText(this.#read(ECAM_SLOT + op.at, op.size), op.size);
      case 'config-write':
        this.#write(ECAM_SLOT + op.at, op.size, op.value);
        return '';
      case 'load':
        return hexBytes(ram.bytes.subarray(op.address - RAM_BASE, op.address - RAM_BASE + op.bytes), '');
      case 'store':
        ram.bytes.set(op.data, op.address - RAM_BASE);
        return '';
      case 'frame':
        this.netdev.waiting.push(op.octets);
        return '';
      case 'link':
        this.netdev.up = op.up;
        this.netdev.nic!.linkIs(op.up);
        return '';
      case 'pass':
        return '';
    }
  }

  #read(address: number, size: Size): number {
    return size === 1 ? this.#io.read8(address) : size === 2 ? this.#io.read16(address) : this.#io.read32(address);
  }

  #write(address: number, size: Size, value: number): void {
    if (size === 1) this.#io.write8(address, value);
    else if (size === 2) this.#io.write16(address, value);
    else this.#io.write32(address, value);
  }
}
