/**
 * What drivers see of the kernel: the Platform of driver-api.ts. It also sees to it that a driver's error has the
 * driver's name on it, wherever in the kernel the call came from.
 */
import { blame, KernelBug } from './bug.ts';
import type { KernelContext } from './context.ts';
import type {
  DeferredWork,
  DmaMemory,
  DriverTimer,
  Interrupts,
  Io,
  NetDriverOps,
  NetFeatures,
  NetInterface,
  PacketBuffer,
  PacketPool,
  Platform,
} from './driver-api.ts';
import type { Cpu } from './ports.ts';

/** The longest busy wait. Longer ones are for timers. */
const MAX_DELAY_US = 10_000;
const NS_PER_US = 1000;

/** What registers a network interface: the network stack. */
export interface InterfaceRegistry {
  addInterface(mac: Uint8Array, ops: NetDriverOps): NetInterface;
}

export class DriverPlatform implements Platform {
  readonly io: Io;
  readonly memory: DmaMemory;
  readonly packets: PacketPool;
  readonly interrupts: Interrupts;
  readonly #kernel: KernelContext;
  readonly #cpu: Cpu;
  readonly #registry: InterfaceRegistry;

  constructor(kernel: KernelContext, cpu: Cpu, memory: DmaMemory, interrupts: Interrupts, registry: InterfaceRegistry) {
    this.#kernel = kernel;
    this.#cpu = cpu;
    this.io = cpu;
    this.memory = memory;
    this.packets = kernel.packets;
    this.interrupts = interrupts;
    this.#registry = registry;
  }

  nowNs(): number {
    return this.#kernel.nowNs();
  }

  /** Throws a KernelBug for more than {@link MAX_DELAY_US}. */
  delayUs(microseconds: number): void {
    if (!(microseconds >= 0 && microseconds <= MAX_DELAY_US)) {
      throw new KernelBug(`busy wait of ${microseconds} us: more than ${MAX_DELAY_US} is for a timer`);
    }
    this.#cpu.spend(Math.ceil(microseconds * NS_PER_US));
  }

  timer(fire: () => void): DriverTimer {
    return this.#kernel.timer(fire);
  }

  deferred(name: string, work: () => boolean): DeferredWork {
    return this.#kernel.deferred(name, work);
  }

  addInterface(mac: Uint8Array, ops: NetDriverOps): NetInterface {
    const guarded = new GuardedOps(ops);
    const iface = this.#registry.addInterface(mac, guarded);
    guarded.name = iface.name;
    return iface;
  }

  log(text: string): void {
    this.#kernel.log(text);
  }
}

/**
 * A driver's operations, where an error in `transmit` is a mistake of the driver even when a program's system call led
 * there: it must stop the kernel, not that program. `open` may throw, as its contract says.
 */
class GuardedOps implements NetDriverOps {
  name = '';
  readonly features: NetFeatures;
  readonly #ops: NetDriverOps;

  constructor(ops: NetDriverOps) {
    this.features = ops.features;
    this.#ops = ops;
  }

  open(): void {
    this.#ops.open();
  }

  close(): void {
    this.#ops.close();
  }

  transmit(packet: PacketBuffer): boolean {
    try {
      return this.#ops.transmit(packet);
    } catch (error) {
      throw blame(`transmit on ${this.name}`, error);
    }
  }

  setMulticast(groups: readonly Uint8Array[]): void {
    this.#ops.setMulticast(groups);
  }

  statistics(): Readonly<Record<string, number>> {
    return this.#ops.statistics();
  }
}
