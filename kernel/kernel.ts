/**
 * The kernel: one object that joins its parts, and the order in which they start. The hart calls `boot` once, `trap`
 * for every interrupt, and `step` for as long as it returns true; then it waits for an interrupt.
 */
import { InvariantError } from '../src/lib/assert.ts';
import { KernelBug } from './bug.ts';
import { DeferredQueue } from './deferred.ts';
import type {
  BusDriver,
  ClockEvent,
  Console,
  DeferredWork,
  InterruptController,
  PciDevice,
  PciDriver,
  Platform,
} from './driver-api.ts';
import { IrqTable } from './irq.ts';
import { Log } from './log.ts';
import { DmaAllocator } from './memory.ts';
import { type NetConfig, NetStack } from './net/stack.ts';
import { PACKET_BYTES, PacketPool } from './packet-pool.ts';
import { DriverPlatform } from './platform.ts';
import { type Cause, type Cpu, MACHINE_EXTERNAL, MACHINE_TIMER, type Memory } from './ports.ts';
import { type SyscallHost, Syscalls } from './syscall.ts';
import { type Program, type Task, Tasks } from './task.ts';
import { TICK_NS, type Timer, Timers } from './timer.ts';
import type { KernelTrace } from './trace.ts';
import { Traps } from './trap.ts';

/** Enough for 31 NICs with rings of 256 descriptors, or for one with rings of 4096 and as much again. */
const MAX_PACKETS = 16_384;
/** Packet buffers take this part of memory, up to the maximum; the rest is for rings. */
const PACKETS_SHARE = 0.5;

/** The drivers that the kernel is built with. */
export interface KernelDrivers {
  readonly console: Console;
  /** The interrupt controller's number of the console's line. */
  readonly consoleIrq: number;
  readonly interruptController: InterruptController;
  readonly clockEvent: ClockEvent;
  readonly buses: readonly BusDriver[];
  readonly pci: readonly PciDriver[];
}

export interface KernelOptions {
  readonly hostname: string;
  readonly cpu: Cpu;
  readonly memory: Memory;
  /** A random word, int32, from this host's seeded stream. */
  readonly random: () => number;
  readonly drivers: KernelDrivers;
  readonly net: NetConfig;
  /** Started at the end of boot, in this order. */
  readonly programs: readonly { readonly name: string; readonly program: Program }[];
}

export class Kernel implements SyscallHost {
  readonly hostname: string;
  /** The observer, or null. May be set at any time, and takes effect at once. */
  trace: KernelTrace | null = null;
  readonly random: () => number;
  readonly memory: DmaAllocator;
  readonly packets: PacketPool;
  readonly irqs: IrqTable;
  readonly net: NetStack;
  readonly #options: KernelOptions;
  readonly #cpu: Cpu;
  readonly #log: Log;
  readonly #deferred: DeferredQueue;
  readonly #timers: Timers;
  readonly #traps: Traps;
  readonly #tasks: Tasks;
  readonly #platform: Platform;
  /** Why the kernel stopped. Kept because code that was interrupted by the mistake could catch it. */
  #panic: unknown = null;

  /** Joins the parts. No device is touched before `boot`. */
  constructor(options: KernelOptions) {
    const { cpu, drivers } = options;
    this.#options = options;
    this.#cpu = cpu;
    this.hostname = options.hostname;
    this.random = options.random;
    this.#log = new Log(cpu, drivers.console);
    this.memory = new DmaAllocator(options.memory);
    this.packets = packetPool(this.memory, options.memory);
    this.#deferred = new DeferredQueue(this);
    this.#timers = new Timers(cpu, drivers.clockEvent, (name, work) => this.deferred(name, work));
    this.irqs = new IrqTable(this, cpu, drivers.interruptController);
    this.#traps = new Traps(this, drivers.interruptController, this.irqs, this.#timers);
    this.#tasks = new Tasks(
      this,
      fire => this.timer(fire),
      task => new Syscalls(this, task),
    );
    this.net = new NetStack(this, options.net);
    this.#platform = new DriverPlatform(this, cpu, this.memory, this.irqs, this.net);
  }

  // What the hart calls.

  /** The reset vector: interrupts are disabled until the last line. */
  boot(): void {
    const { drivers, programs } = this.#options;
    this.log(`Ringtail on ${this.hostname}`);
    try {
      drivers.interruptController.reset();
      this.#timers.start();
      this.#cpu.enableCause(MACHINE_EXTERNAL, true);
      this.#cpu.enableCause(MACHINE_TIMER, true);
      this.irqs.request(drivers.consoleIrq, 'console', () => drivers.console.interrupt());
      for (const bus of drivers.buses) this.#probe(bus);
      this.net.openAll();
      for (const { name, program } of programs) this.spawn(name, program);
    } catch (error) {
      this.#die(error);
    }
    this.#cpu.enableInterrupts();
  }

  /** One piece of deferred work, or else one task up to its next sleep. False when there is neither. */
  step(): boolean {
    try {
      const busy = this.#deferred.runNext() || this.#tasks.runNext();
      if (this.#panic === null) return busy;
    } catch (error) {
      this.#die(error);
    }
    throw this.#panic;
  }

  /** The trap vector: interrupts are disabled. An error in here is no fault of the code that was interrupted. */
  trap(cause: Cause): void {
    try {
      this.#traps.take(cause);
    } catch (error) {
      this.#die(error);
    }
  }

  // What the parts, and the world around, call.

  nowNs(): number {
    return this.#cpu.time() * TICK_NS;
  }

  timer(fire: () => void): Timer {
    return this.#timers.timer(fire);
  }

  deferred(name: string, work: () => boolean): DeferredWork {
    return this.#deferred.create(name, work);
  }

  log(text: string): void {
    this.trace?.log(text);
    this.#log.write(text);
  }

  /** Starts a program. From outside of the machine: before power-on, since nothing would wake a hart that waits. */
  spawn(name: string, program: Program): Task {
    return this.#tasks.spawn(name, program);
  }

  /** The live tasks, then the latest of those that ended. */
  tasks(): readonly Task[] {
    return this.#tasks.list();
  }

  /** The first task whose program threw an error, or null. */
  get firstFailed(): Task | null {
    return this.#tasks.firstFailed;
  }

  /** Brings up the devices of one bus. A device that cannot be brought up is done without. */
  #probe(bus: BusDriver): void {
    try {
      for (const device of bus.enumerate(this.#cpu)) this.#attach(device);
    } catch (error) {
      this.#unusable(bus.name, error);
    }
  }

  #attach(device: PciDevice): void {
    for (const driver of this.#options.drivers.pci) {
      const match = driver.ids.some(([vendor, id]) => vendor === device.vendorId && id === device.deviceId);
      if (!match) continue;
      try {
        driver.probe(device, this.#platform);
      } catch (error) {
        this.#unusable(driver.name, error);
      }
      return;
    }
  }

  /** Logs why a device is not used: a bus fault's message has the address in it. */
  #unusable(name: string, error: unknown): void {
    if (error instanceof InvariantError || this.#panic !== null) throw error;
    this.log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** Ends the kernel: the hart halts on what is thrown. The first reason is the one that counts. */
  #die(error: unknown): never {
    if (error instanceof InvariantError) throw error;
    if (this.#panic === null) {
      this.#panic = error;
      this.#cpu.disableInterrupts();
      const text = `panic: ${error instanceof Error ? error.message : String(error)}`;
      this.trace?.log(text);
      this.#log.panic(text);
    }
    throw this.#panic;
  }
}

function packetPool(memory: DmaAllocator, ram: Memory): PacketPool {
  const count = Math.min(MAX_PACKETS, Math.floor((ram.bytes.length * PACKETS_SHARE) / PACKET_BYTES));
  const area = memory.allocate(count * PACKET_BYTES, PACKET_BYTES, 'packet pool');
  if (area === null) throw new KernelBug(`${ram.bytes.length} bytes of memory are too few`);
  return new PacketPool(area);
}
