/**
 * One computer: hart, memory, bus, interrupt controllers, PCI with its NICs, serial console, and the kernel with its
 * drivers. This is where the layers meet, and where the compiler proves that each fits what the other asks for.
 */
import { ClintDriver } from '../../drivers/clint.ts';
import { DEFAULT_DESCRIPTORS, e1000Driver } from '../../drivers/e1000/e1000.ts';
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
import { DhcpClient } from '../../kernel/apps/dhcp/client.ts';
import { Resolver } from '../../kernel/apps/dns/resolver.ts';
import { Kernel } from '../../kernel/kernel.ts';
import { PACKET_BYTES } from '../../kernel/packet-pool.ts';
import type { Program } from '../../kernel/task.ts';
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
import { driverOptionsOf, macOf, type Nic, type NicOptions, profileOf, usesDhcp } from './nic.ts';
import { RouteEditor } from './route-editor.ts';
import { netConfigOf, type RoutingOptions } from './routing.ts';

const MIB = 1024 * 1024;
/** Without NICs. */
const KERNEL_MEMORY_MIB = 2;
/** A packet buffer, and as much again, for the kernel makes packet buffers of one half of memory. */
const BYTES_PER_DESCRIPTOR = 2 * PACKET_BYTES;
const MAX_MEMORY_MIB = 1024;
/** PCI slots for NICs. */
const MAX_NICS = 31;
/** Characters of the serial console that are kept: the latest. */
const CONSOLE_CHARACTERS = 65_536;

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

export interface ComputerOptions extends RoutingOptions {
  /** Unless given, enough for the rings of the NICs: 4 for one with rings of the usual size. */
  readonly memoryMib?: number;
  /** {@link PCI_LIKE} unless given. */
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
  /** The routing table, to be read and edited while the world runs. */
  readonly routes: RouteEditor;
  /** Asks the name servers of which the computer has learnt by DHCP, the first NIC's first. */
  readonly resolver: Resolver;
  readonly #programs: { readonly name: string; readonly program: Program }[] = [];
  #poweredOn = false;
  #console = '';

  /**
   * Builds the machine, which the world switches on at its first `run`. Throws a RangeError when the options describe
   * none.
   */
  constructor(name: string, options: ComputerOptions, environment: ComputerEnvironment) {
    const { clock, prng } = environment;
    const costs = options.costs ?? PCI_LIKE;
    this.name = name;
    this.clock = clock;
    if (options.nics.length > MAX_NICS)
      throw new RangeError(`${options.nics.length} NICs: a PCI bus takes ${MAX_NICS}`);
    this.ram = new Ram(RAM_BASE, memoryMibOf(options) * MIB);
    this.hart = new NativeHart(clock, this.bus, 0, costs.trapNs);
    this.plic = new Plic([level => this.hart.setInterrupt(MACHINE_EXTERNAL, level), () => {}]);
    this.clint = new Clint(clock, [this.hart]);
    this.uart = new Uart16550(clock, this.plic.input(UART.irq).source());
    this.uart.onTransmit = byte => this.#print(byte);
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
    for (const { dhcp } of this.nics) if (dhcp !== null) this.start(`dhcp ${dhcp.interface}`, dhcp.program);
    this.resolver = new Resolver({ servers: () => this.nics.flatMap(({ dhcp }) => dhcp?.lease?.dnsServers ?? []) });
    this.kernel = this.#kernel(options, prng.fork('kernel'));
    this.routes = new RouteEditor(this.kernel.net);
  }

  /** What the kernel and its programs have written to the serial console: the latest 65,536 characters of it. */
  get console(): string {
    return this.#console.slice(-CONSOLE_CHARACTERS);
  }

  /** Starts `program` as a task at the end of boot. Throws a RangeError when the computer is running already. */
  start(name: string, program: Program): void {
    if (this.#poweredOn) throw new RangeError(`program "${name}" comes too late: ${this.name} is running already`);
    this.#programs.push({ name, program });
  }

  /** Switches the computer on. For the world. */
  powerOn(): void {
    this.#poweredOn = true;
    this.hart.start(this.kernel);
  }

  /** Lets the text grow to twice what is kept before it cuts, which is cheaper than a cut per character. */
  #print(byte: number): void {
    this.#console += String.fromCharCode(byte);
    if (this.#console.length === 2 * CONSOLE_CHARACTERS) this.#console = this.#console.slice(-CONSOLE_CHARACTERS);
  }

  #nic(options: NicOptions, index: number, environment: ComputerEnvironment): Nic {
    const mac = macOf(options) ?? environment.nextMac();
    const { clock, prng } = environment;
    const device = new E1000Nic(clock, this.ram, prng.fork(`eth${index}`), mac, profileOf(options));
    this.bridge.insert(FIRST_NIC_SLOT + index, device.pci);
    const dhcp = usesDhcp(options) ? new DhcpClient(`eth${index}`) : null;
    return { name: `${this.name}.eth${index}`, device, phy: device.phy, dhcp };
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
        pci: [
          e1000Driver({}, new Map(options.nics.map((nic, index) => [FIRST_NIC_SLOT + index, driverOptionsOf(nic)]))),
        ],
      },
      net: netConfigOf(options),
      programs: this.#programs,
    });
  }
}

/** The size of memory that the options ask for, or that their rings make use of. Throws a RangeError. */
function memoryMibOf({ memoryMib, nics }: ComputerOptions): number {
  if (memoryMib === undefined) {
    const descriptors = nics.reduce(
      (sum, { txDescriptors = DEFAULT_DESCRIPTORS, rxDescriptors = DEFAULT_DESCRIPTORS }) =>
        sum + txDescriptors + rxDescriptors,
      0,
    );
    return KERNEL_MEMORY_MIB + Math.ceil((descriptors * BYTES_PER_DESCRIPTOR) / MIB);
  }
  if (Number.isInteger(memoryMib) && memoryMib >= 1 && memoryMib <= MAX_MEMORY_MIB) return memoryMib;
  throw new RangeError(`memory of ${memoryMib} MiB: a computer has 1 to ${MAX_MEMORY_MIB}`);
}
