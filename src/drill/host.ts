/**
 * The host that a script drives: hart, memory, interrupt controllers, console, and the kernel with its stack and
 * sockets, as in every computer; in the place of the network card an {@link IdealNic}. Accesses to devices cost nothing,
 * so that software takes no time and a script's times hold to the nanosecond.
 *
 * The system calls of a script are made by a task of the host's own kernel, which waits for the next one. A call that
 * may wait gets a task for itself, so that the script goes on meanwhile. Such a task never ends, for what it opened
 * would be closed with it.
 */
import { ClintDriver } from '../../drivers/clint.ts';
import { PlicDriver } from '../../drivers/plic.ts';
import { UartConsole } from '../../drivers/uart16550.ts';
import { Bus } from '../../hw/bus/bus.ts';
import type { LineSource } from '../../hw/bus/line.ts';
import { Ram } from '../../hw/bus/ram.ts';
import { MACHINE_EXTERNAL } from '../../hw/cpu/hart.ts';
import { NativeHart } from '../../hw/cpu/native/native-hart.ts';
import { Clint } from '../../hw/irq/clint.ts';
import { Plic } from '../../hw/irq/plic.ts';
import { Uart16550 } from '../../hw/serial/uart16550.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { Kernel } from '../../kernel/kernel.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import { type Blocking, sleepOn, WaitChannel } from '../../kernel/task.ts';
import { FREE } from '../world/computer.ts';
import { CLINT, MACHINE_CONTEXT, PCI_FIRST_IRQ, PLIC, RAM_BASE, UART } from '../world/memory-map.ts';
import { IdealNic } from './ideal-nic.ts';
import { DrillFailure } from './result.ts';

const NIC_IRQ = PCI_FIRST_IRQ;
const DOORBELL_IRQ = PCI_FIRST_IRQ + 1;
const MEMORY_BYTES = 16 * 1024 * 1024;
/** Power-on to the first event of a script: whole milliseconds, so that the timestamp clock ticks with the script. */
const BOOT_NS = 1_000_000_000;
/** The router makes itself heard so often that the host never forgets it: the ARP cache believes it for a minute. */
const ANNOUNCE_NS = 30_000_000_000;

/** What is asked of the calling task. */
export type Job = (sys: Syscalls) => Blocking<void>;

/** Addresses are unsigned. */
export interface HostAddresses {
  readonly local: number;
  readonly prefixLength: number;
  readonly gateway: number;
}

export class DrillHost {
  readonly clock = new Clock();
  readonly kernel: Kernel;
  readonly nic: IdealNic;
  readonly #hart: NativeHart;
  readonly #jobs: { readonly job: Job; readonly mayWait: boolean }[] = [];
  /** A line of its own, on which the script asks for the attention of its task. */
  readonly #doorbell: LineSource;
  readonly #called = new WaitChannel('script');

  /** Everything random follows from `seed`. */
  constructor(addresses: HostAddresses, seed: string) {
    const bus = new Bus();
    const ram = new Ram(RAM_BASE, MEMORY_BYTES);
    const prng = new Prng(seed);
    this.#hart = new NativeHart(this.clock, bus, 0, FREE.trapNs);
    const plic = new Plic([level => this.#hart.setInterrupt(MACHINE_EXTERNAL, level), () => {}]);
    const clint = new Clint(this.clock, [this.#hart]);
    bus.map(RAM_BASE, MEMORY_BYTES, ram, { readNs: 0, writeNs: 0 });
    bus.map(PLIC.base, PLIC.sizeBytes, plic, FREE.local);
    bus.map(CLINT.base, CLINT.sizeBytes, clint, FREE.local);
    bus.map(UART.base, UART.sizeBytes, new Uart16550(this.clock, plic.input(UART.irq).source()), FREE.local);
    this.nic = new IdealNic(NIC_IRQ, plic.input(NIC_IRQ).source(), () => this.clock.nowNs);
    this.#doorbell = plic.input(DOORBELL_IRQ).source();
    this.kernel = new Kernel({
      hostname: 'host',
      cpu: this.#hart,
      memory: ram,
      random: () => prng.word(),
      drivers: {
        console: new UartConsole(this.#hart, UART.base),
        consoleIrq: UART.irq,
        interruptController: new PlicDriver(this.#hart, PLIC.base, MACHINE_CONTEXT),
        clockEvent: new ClintDriver(this.#hart, CLINT.base, this.#hart.hartId),
        buses: [this.nic],
        pci: [this.nic],
      },
      net: {
        interfaces: [{ address: addresses.local, prefixLength: addresses.prefixLength, gateway: addresses.gateway }],
      },
      programs: [{ name: 'script', program: sys => this.#serve(sys) }],
    });
    this.#hart.start(this.kernel);
    this.#keepAnnouncing(addresses);
    this.run(BOOT_NS);
  }

  get nowNs(): number {
    return this.clock.nowNs;
  }

  /** Has the host make a call, now. `mayWait`: in a task of its own. Nothing has happened before the host runs. */
  call(job: Job, mayWait: boolean): void {
    this.#jobs.push({ job, mayWait });
    this.#doorbell.set(true);
  }

  /** Lets the host run up to and including `untilNs`, or until `stop`. Throws a DrillFailure when it has halted. */
  run(untilNs: number, stop?: () => boolean): void {
    this.clock.run(untilNs, stop);
    if (this.#hart.fault !== null) throw new DrillFailure(`the host halted: ${this.#hart.fault.message}`);
  }

  /** Lets the host do all that is to be done at this instant. */
  settle(): void {
    this.run(this.clock.nowNs);
  }

  #keepAnnouncing({ gateway, local }: HostAddresses): void {
    const timer = this.clock.timer(() => {
      this.nic.announce(gateway, local);
      timer.armIn(ANNOUNCE_NS);
    });
    timer.armIn(BOOT_NS / 2);
  }

  #answerDoorbell(): boolean {
    if (!this.#doorbell.level) return false;
    this.#doorbell.set(false);
    this.#called.wakeAll();
    return true;
  }

  *#serve(sys: Syscalls): Blocking<void> {
    this.kernel.irqs.request(DOORBELL_IRQ, 'script', () => this.#answerDoorbell());
    for (;;) {
      const next = this.#jobs.shift();
      if (next === undefined) yield* sleepOn(this.#called);
      else if (next.mayWait) sys.spawn('call', own => withoutEnd(next.job(own)));
      else yield* next.job(sys);
    }
  }
}

function* withoutEnd(body: Blocking<void>): Blocking<void> {
  yield* body;
  yield* sleepOn(new WaitChannel('end of the script'));
}
