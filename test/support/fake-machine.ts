/** A kernel on a fake processor: its boot, its steps, and all that it wrote on its console. */
import type { BusDriver, PciDriver } from '../../kernel/driver-api.ts';
import { Kernel, type KernelOptions } from '../../kernel/kernel.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { FakeClockEvent, FakeCpu, FakeInterruptController } from './fake-cpu.ts';

export const CONSOLE_IRQ = 10;

interface Setup {
  buses?: readonly BusDriver[];
  pci?: readonly PciDriver[];
  programs?: KernelOptions['programs'];
}

export class FakeMachine {
  readonly cpu = new FakeCpu();
  readonly controller = new FakeInterruptController(this.cpu);
  readonly clock = new FakeClockEvent(this.cpu);
  readonly events: string[] = [];
  readonly kernel: Kernel;

  constructor({ buses = [], pci = [], programs = [] }: Setup = {}) {
    let word = 0;
    this.kernel = new Kernel({
      hostname: 'alpha',
      cpu: this.cpu,
      memory: { base: 0x8000_0000, bytes: new Uint8Array(1 << 17) },
      random: () => ++word,
      drivers: {
        console: {
          write: text => {
            this.events.push(text.slice('[    0.000000] '.length, -1));
          },
          interrupt: () => {
            this.controller.setLevel(CONSOLE_IRQ, false);
            this.events.push('console interrupt');
            return false;
          },
        },
        consoleIrq: CONSOLE_IRQ,
        interruptController: this.controller,
        clockEvent: this.clock,
        buses,
        pci,
      },
      net: { interfaces: [{ address: parseIpv4('10.0.0.1'), prefixLength: 24 }] },
      programs,
    });
    this.cpu.trap = cause => this.kernel.trap(cause);
  }

  boot(): this {
    this.kernel.boot();
    return this;
  }

  run(): void {
    for (let steps = 0; this.kernel.step(); steps++) if (steps > 1000) throw new Error('the kernel is never idle');
  }

  pass(ticks: number): void {
    this.cpu.advanceTicks(ticks);
    this.clock.update();
    this.cpu.access();
    this.run();
  }
}
