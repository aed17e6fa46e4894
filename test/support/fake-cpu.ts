/**
 * A processor, an interrupt controller and a timer that are just enough to run the kernel in a unit test: no bus, no
 * clock, no cost. As on the native hart, a pending interrupt is taken at each bus access, and as a nested call; every
 * operation of the controller and the timer is such an access.
 */
import type { ClockEvent, InterruptController } from '../../kernel/driver-api.ts';
import { type Cause, type Cpu, MACHINE_EXTERNAL, MACHINE_TIMER } from '../../kernel/ports.ts';

/** What an access to an address that nothing answers throws. */
class FakeBusFault extends Error {
  override readonly name = 'BusFault';
}

export class FakeCpu implements Cpu {
  interruptsEnabled = false;
  /** The trap vector. */
  trap: (cause: Cause) => void = () => {};
  /** Called at each bus access, before a pending interrupt is taken: the hardware's chance to do something. */
  onAccess: (() => void) | null = null;
  /** Words that answer, by address. */
  readonly words = new Map<number, number>();
  trapCount = 0;
  #ticks = 0;
  #mip = 0;
  #mie = 0;

  enableInterrupts(): void {
    this.interruptsEnabled = true;
    this.#takeInterrupt();
  }

  disableInterrupts(): void {
    this.interruptsEnabled = false;
  }

  enableCause(cause: Cause, enabled: boolean): void {
    this.#mie = enabled ? this.#mie | (1 << cause) : this.#mie & ~(1 << cause);
    this.#takeInterrupt();
  }

  setInterrupt(cause: Cause, level: boolean): void {
    this.#mip = level ? this.#mip | (1 << cause) : this.#mip & ~(1 << cause);
  }

  time(): number {
    return this.#ticks;
  }

  /** Moves time on, without an access. */
  advanceTicks(ticks: number): void {
    this.#ticks += ticks;
  }

  spend(ns: number): void {
    this.#ticks += Math.floor(ns / 100);
    this.access();
  }

  /** One bus access, or any other place between two instructions. */
  access(): void {
    this.onAccess?.();
    this.#takeInterrupt();
  }

  read8(address: number): number {
    return this.read32(address) & 0xff;
  }

  read16(address: number): number {
    return this.read32(address) & 0xffff;
  }

  read32(address: number): number {
    const word = this.words.get(address);
    if (word === undefined) throw new FakeBusFault(`bus fault at 0x${address.toString(16)}`);
    this.access();
    return word;
  }

  write8(address: number, value: number): void {
    this.write32(address, value);
  }

  write16(address: number, value: number): void {
    this.write32(address, value);
  }

  write32(address: number, value: number): void {
    if (!this.words.has(address)) throw new FakeBusFault(`bus fault at 0x${address.toString(16)}`);
    this.words.set(address, value);
    this.access();
  }

  #takeInterrupt(): void {
    const pending = this.#mip & this.#mie;
    if (pending === 0 || !this.interruptsEnabled) return;
    this.interruptsEnabled = false;
    this.trapCount += 1;
    this.trap((pending & (1 << MACHINE_EXTERNAL)) !== 0 ? MACHINE_EXTERNAL : MACHINE_TIMER);
    this.interruptsEnabled = true;
  }
}

/** Level-triggered, with a gateway per source like a PLIC's: claimed sources are silent until they are completed. */
export class FakeInterruptController implements InterruptController {
  readonly enabled = new Set<number>();
  readonly calls: string[] = [];
  readonly #cpu: FakeCpu;
  readonly #high = new Set<number>();
  readonly #claimed = new Set<number>();

  constructor(cpu: FakeCpu) {
    this.#cpu = cpu;
  }

  setLevel(source: number, level: boolean): void {
    if (level) this.#high.add(source);
    else this.#high.delete(source);
    this.#update();
  }

  reset(): void {
    this.enabled.clear();
    this.#touched('reset');
  }

  enable(source: number): void {
    this.enabled.add(source);
    this.#touched(`enable ${source}`);
  }

  disable(source: number): void {
    this.enabled.delete(source);
    this.#touched(`disable ${source}`);
  }

  claim(): number {
    const source = this.#first();
    if (source !== 0) this.#claimed.add(source);
    this.#touched(`claim ${source}`);
    return source;
  }

  /** Ignored for a source that is not enabled, as the PLIC specification has it. */
  complete(source: number): void {
    if (this.enabled.has(source)) this.#claimed.delete(source);
    this.#touched(`complete ${source}`);
  }

  #first(): number {
    const pending = [...this.#high].filter(source => this.enabled.has(source) && !this.#claimed.has(source));
    return pending.length === 0 ? 0 : Math.min(...pending);
  }

  #update(): void {
    this.#cpu.setInterrupt(MACHINE_EXTERNAL, this.#first() !== 0);
  }

  #touched(call: string): void {
    this.calls.push(call);
    this.#update();
    this.#cpu.access();
  }
}

/** The timer's line is high while the programmed tick is not in the future. Programming it is two accesses. */
export class FakeClockEvent implements ClockEvent {
  readonly programmed: number[] = [];
  tick = Number.POSITIVE_INFINITY;
  readonly #cpu: FakeCpu;

  constructor(cpu: FakeCpu) {
    this.#cpu = cpu;
  }

  program(tick: number): void {
    this.#cpu.access();
    this.tick = tick;
    this.programmed.push(tick);
    this.update();
    this.#cpu.access();
  }

  /** Lets the line follow time; to be called after time moved. */
  update(): void {
    this.#cpu.setInterrupt(MACHINE_TIMER, this.tick <= this.#cpu.time());
  }
}
