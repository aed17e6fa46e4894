/**
 * One computer: hart, memory, bus, interrupt controllers, PCI with its NICs, serial console, and the kernel with its
 * drivers. This is where the layers meet, and where the compiler proves that each fits what the other asks for.
 */
import { ClintDriver } from '../../drivers/clint.ts';
import { e1000Driver } from '../../drivers/e1000/e1000.ts';
import { PciBus } from '../../drivers/pci.ts';
import { PlicDriver } from '../../drivers/plic.ts';
import { UartConsole } from '../../drivers/uart16550.ts';
import { type AccessCost, Bus } from '../../hw/bus/bus.ts';
import { Ram } from '../../hw/bus/ram.ts';
import { MACHINE_EXTERNAL } from '../../hw/cpu/hart.ts';
import { NativeHart } from '../../hw/cpu/native/native-hart.ts';
import { Clint } from '../../hw/irq/clint.ts';
import { Plic } from '../../hw/irq/plic.ts';
import { E1000Nic } from '../../hw/nic/e1000/e1000.ts';
import { HostBridge } from '../../hw/pci/host-bridge.ts';
import { Uart16550 } from '../../hw/serial/uart16550.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import type { Prng } from '../../hw/sim/prng.ts';
import { Kernel } from '../../kernel/kernel.ts';
import type { Program } from '../../kernel/task.ts';
import { parseIpv4, parseMac } from '../lib/bytes.ts';
import {
  CLINT,
  FIRST_NIC_SLOT,
  MACHINE_CONTEXT,
  PCI_ECAM,
  PCI_FIRST_IRQ,
  PCI_IO,
  PCI_MEMORY,
  PLIC,
  RAM_BASE,
  UART,
} from './memory-map.ts';

const MIB = 1024 * 1024;
const DEFAULT_MEMORY_MIB = 4;

/** What accesses to devices cost a hart: those on its own bus, and those that cross to PCI. */
export interface AccessCosts {
  /** PLIC, CLINT, UART. */
  readonly local: AccessCost;
  /** Registers of PCI functions; a read waits for the answer, a write is posted. */
  readonly pci: AccessCost;
  /** Configuration cycles. */
  readonly config: AccessCost;
  /** Entering a trap, in nanoseconds. */
  readonly trapNs: number;
}

/** A conventional PCI bus at 66 MHz behind a bridge, and devices near the hart. */
export const PCI_LIKE: AccessCosts = {
  local: { readNs: 40, writeNs: 20 },
  pci: { readNs: 300, writeNs: 60 },
  config: { readNs: 400, writeNs: 400 },
  trapNs: 100,
};

/** Software takes no time: plain discrete-event simulation, for networks of many hosts. */
export const FREE: AccessCosts = {
  local: { readNs: 0, writeNs: 0 },
  pci: { readNs: 0, writeNs: 0 },
  config: { readNs: 0, writeNs: 0 },
  trapNs: 0,
};

export interface NicOptions {
  /** `52:54:00:...`; unless given, numbered through the world. */
  readonly mac?: string;
  /** `192.0.2.1/24`; without one the interface is up and has no IPv4. */
  readonly address?: string;
  /** The next hop for everything that is not on a link, dotted. */
  readonly gateway?: string;
  /** Descriptors of each ring: a multiple of 8. */
  readonly txDescriptors?: number;
  readonly rxDescriptors?: number;
}

/** A NIC of a computer, under the name that tables and captures give it: `alice.eth0`. */
export interface Nic {
  readonly name: string;
  readonly device: E1000Nic;
}

export interface ComputerOptions {
  readonly nics: readonly NicOptions[];
  readonly memoryMib?: number;
  readonly costs?: AccessCosts;
}

/** What the world hands to a computer of its. */
export interface ComputerEnvironment {
  readonly clock: Clock;
  readonly prng: Prng;
  /** A hardware address that no NIC of the world has. */
  nextMac(): Uint8Array;
}

export class Computer {
  readonly name: string;
  readonly clock: Clock;
  readonly ram: Ram;
  readonly bus = new Bus();
  readonly hart: NativeHart;
  readonly plic: Plic;
  readonly clint: Clint;
  readonly uart: Uart16550;
  readonly bridge: HostBridge;
  readonly nics: readonly Nic[];
  readonly kernel: Kernel;
  readonly #programs: { readonly name: string; readonly program: Program }[] = [];
  #console = '';

  /** Builds the machine, and switches it on at the first `run` of the world. */
  constructor(name: string, options: ComputerOptions, environment: ComputerEnvironment) {
    const { clock, prng } = environment;
    const costs = options.costs ?? PCI_LIKE;
    this.name = name;
    this.clock = clock;
    this.ram = new Ram(RAM_BASE, (options.memoryMib ?? DEFAULT_MEMORY_MIB) * MIB);
    this.hart = new NativeHart(clock, this.bus, 0, costs.trapNs);
    this.plic = new Plic([level => this.hart.setInterrupt(MACHINE_EXTERNAL, level), () => {}]);
    this.clint = new Clint(clock, [this.hart]);
    this.uart = new Uart16550(clock, this.plic.input(UART.irq).source());
    this.uart.onTransmit = byte => {
      this.#console += String.fromCharCode(byte);
    };
    this.bus.map(RAM_BASE, this.ram.bytes.length, this.ram, { readNs: 0, writeNs: 0 });
    this.bus.map(PLIC.base, PLIC.sizeBytes, this.plic, costs.local);
    this.bus.map(CLINT.base, CLINT.sizeBytes, this.clint, costs.local);
    this.bus.map(UART.base, UART.sizeBytes, this.uart, costs.local);
    const intx = [0, 1, 2, 3].map(pin => this.plic.input(PCI_FIRST_IRQ + pin));
    this.bridge = new HostBridge(this.bus, intx, {
      ecam: { ...PCI_ECAM, cost: costs.config },
      io: { ...PCI_IO, cost: costs.pci },
      memory: { ...PCI_MEMORY, cost: costs.pci },
    });
    this.nics = options.nics.map((nic, index) => this.#nic(nic, index, environment));
    this.kernel = this.#kernel(options, prng.fork('kernel'));
  }

  /** What the kernel and its programs have written to the serial console so far. */
  get console(): string {
    return this.#console;
  }

  /** Starts `program` as a task at the end of boot. To be called before the world first runs. */
  start(name: string, program: Program): void {
    this.#programs.push({ name, program });
  }

  /** Switches the computer on. For the world. */
  powerOn(): void {
    this.hart.start(this.kernel);
  }

  #nic(options: NicOptions, index: number, environment: ComputerEnvironment): Nic {
    const mac = options.mac === undefined ? environment.nextMac() : parseMac(options.mac);
    const device = new E1000Nic(environment.clock, this.ram, environment.prng.fork(`eth${index}`), mac);
    this.bridge.insert(FIRST_NIC_SLOT + index, device.pci);
    return { name: `${this.name}.eth${index}`, device };
  }

  #kernel(options: ComputerOptions, prng: Prng): Kernel {
    const { hart } = this;
    return new Kernel({
      hostname: this.name,
      cpu: hart,
      memory: this.ram,
      random: () => prng.word(),
      drivers: {
        console: new UartConsole(hart, UART.base),
        consoleIrq: UART.irq,
        interruptController: new PlicDriver(hart, PLIC.base, MACHINE_CONTEXT),
        clockEvent: new ClintDriver(hart, CLINT.base, hart.hartId),
        buses: [
          new PciBus({
            ecam: PCI_ECAM.base,
            memory: PCI_MEMORY.base,
            memoryEnd: PCI_MEMORY.base + PCI_MEMORY.sizeBytes,
            firstIrq: PCI_FIRST_IRQ,
          }),
        ],
        pci: [e1000Driver(ringSizes(options.nics[0]))],
      },
      net: { interfaces: options.nics.map(interfaceConfig), routes: [] },
      programs: this.#programs,
    });
  }
}

function ringSizes(nic: NicOptions | undefined): { txDescriptors?: number; rxDescriptors?: number } {
  return {
    ...(nic?.txDescriptors === undefined ? {} : { txDescriptors: nic.txDescriptors }),
    ...(nic?.rxDescriptors === undefined ? {} : { rxDescriptors: nic.rxDescriptors }),
  };
}

/** Throws a RangeError when the text is no `address/prefix`. */
function interfaceConfig(nic: NicOptions): { address: number; prefixLength: number; gateway?: number } {
  const [address = '', prefix = ''] = (nic.address ?? '0.0.0.0/0').split('/');
  const prefixLength = Number(prefix);
  if (!/^\d+$/.test(prefix) || prefixLength > 32)
    throw new RangeError(`not an address with a prefix: "${nic.address}"`);
  return {
    address: parseIpv4(address),
    prefixLength,
    ...(nic.gateway === undefined ? {} : { gateway: parseIpv4(nic.gateway) }),
  };
}
