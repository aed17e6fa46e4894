/**
 * The hart that runs kernel and driver code as plain synchronous TypeScript.
 *
 * Each bus access costs time. Paying moves the clock and lets the hardware's events up to then happen (the nested
 * pump); then the access takes effect; then a pending interrupt is taken, if enabled, as a nested call, as a CPU does
 * between two instructions. Nothing else can run between two statements of a driver, so its preconditions hold up to
 * its next access.
 *
 * The kernel is a {@link NativeProgram}: the reset vector, the trap vector, and the body of its idle loop.
 */
import { InvariantError } from '../../../src/lib/assert.ts';
import { type AccessSize, type Bus, BusFault, type Region } from '../../bus/bus.ts';
import type { Clock } from '../../sim/clock.ts';
import { type Cause, type Hart, type HartState, MACHINE_EXTERNAL, MACHINE_SOFTWARE, MACHINE_TIMER } from '../hart.ts';

/** Accesses in one slice after which the code that makes them counts as spinning. */
const SPIN_ACCESSES = 1_000_000;
/** The `time` counter advances once in this many nanoseconds: 10 MHz, as on QEMU's virt machine. */
const TIME_TICK_NS = 100;

/** Software for a {@link NativeHart}. */
export interface NativeProgram {
  /** The reset vector. Runs once, with interrupts disabled. */
  boot(): void;
  /** One bounded unit of work. False when there is none, after which the hart waits for an interrupt. */
  step(): boolean;
  /** The trap vector: interrupts are disabled on entry, and enabled again on return. */
  trap(cause: Cause): void;
}

/** Code that polled a register until the hart stopped it. */
class SpinError extends Error {
  override readonly name = 'SpinError';
}

/** Observation of one hart; null unless somebody watches. */
export type TrapTap = (cause: Cause, entered: boolean) => void;

export class NativeHart implements Hart {
  readonly hartId: number;
  onTrap: TrapTap | null = null;
  /** Called once, when the hart halts. */
  onHalt: ((fault: Error) => void) | null = null;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #trapNs: number;
  #program: NativeProgram | null = null;
  #booted = false;
  #state: HartState = 'waiting';
  #fault: Error | null = null;
  #inLine = false;
  #enabled = false;
  #mip = 0;
  #mie = 0;
  #accessCount = 0;

  /** `trapNs` is what entering a trap costs, in nanoseconds. */
  constructor(clock: Clock, bus: Bus, hartId: number, trapNs: number) {
    this.#clock = clock;
    this.#bus = bus;
    this.hartId = hartId;
    this.#trapNs = trapNs;
  }

  get state(): HartState {
    return this.#state;
  }

  get fault(): Error | null {
    return this.#fault;
  }

  /** Powers the hart on with `program` at its reset vector. */
  start(program: NativeProgram): void {
    this.#program = program;
    this.#wake();
  }

  setInterrupt(cause: Cause, level: boolean): void {
    if (level) this.#mip |= 1 << cause;
    else this.#mip &= ~(1 << cause);
    if ((this.#mip & this.#mie) !== 0) this.#wake();
  }

  runSlice(): void {
    this.#inLine = false;
    if (this.#state === 'halted') return;
    this.#accessCount = 0;
    try {
      if (this.#sliceOfProgram(this.#program!) || (this.#enabled && (this.#mip & this.#mie) !== 0)) this.#wake();
      else this.#state = 'waiting';
    } catch (error) {
      if (error instanceof InvariantError || !(error instanceof Error)) throw error;
      this.#state = 'halted';
      this.#fault = error;
      this.onHalt?.(error);
    }
  }

  // What software sees of its processor.

  get interruptsEnabled(): boolean {
    return this.#enabled;
  }

  /** Sets mstatus.MIE. A pending interrupt is taken at once. */
  enableInterrupts(): void {
    this.#enabled = true;
    this.#takeInterrupt();
  }

  disableInterrupts(): void {
    this.#enabled = false;
  }

  /** Sets or clears one bit of `mie`. */
  enableCause(cause: Cause, enabled: boolean): void {
    if (enabled) this.#mie |= 1 << cause;
    else this.#mie &= ~(1 << cause);
    this.#takeInterrupt();
  }

  /** The `time` counter: ticks of 100 ns since power-on. Reading it costs nothing, as `rdtime` does not. */
  time(): number {
    return Math.floor(this.#clock.nowNs / TIME_TICK_NS);
  }

  /** Executes instructions that touch no device, for `ns` nanoseconds. */
  spend(ns: number): void {
    this.#clock.advance(ns);
    this.#takeInterrupt();
  }

  read8(address: number): number {
    return this.#read(address, 1) & 0xff;
  }

  read16(address: number): number {
    return this.#read(address, 2) & 0xffff;
  }

  /** The word at `address`, unsigned. Throws a {@link BusFault} when nothing answers. */
  read32(address: number): number {
    return this.#read(address, 4) >>> 0;
  }

  write8(address: number, value: number): void {
    this.#write(address, 1, value);
  }

  write16(address: number, value: number): void {
    this.#write(address, 2, value);
  }

  write32(address: number, value: number): void {
    this.#write(address, 4, value | 0);
  }

  #read(address: number, size: AccessSize): number {
    const region = this.#bus.find(address, size);
    if (region === null) throw new BusFault('read', address, size);
    this.#pay(region, address, region.cost.readNs);
    const value = region.device.read(address - region.base, size);
    this.#takeInterrupt();
    return value;
  }

  #write(address: number, size: AccessSize, value: number): void {
    const region = this.#bus.find(address, size);
    if (region === null) throw new BusFault('write', address, size);
    this.#pay(region, address, region.cost.writeNs);
    region.device.write(address - region.base, size, value);
    this.#takeInterrupt();
  }

  #pay(region: Region, address: number, ns: number): void {
    if (++this.#accessCount > SPIN_ACCESSES) {
      // Whoever catches the error may touch devices again: it wants to say on the console what happened.
      this.#accessCount = 0;
      const register = region.device.nameAt?.(address - region.base) ?? `offset ${address - region.base}`;
      throw new SpinError(`software spins on ${region.device.name} ${register}: wait for an interrupt, or sleep`);
    }
    if (ns !== 0) this.#clock.advance(ns);
  }

  #sliceOfProgram(program: NativeProgram): boolean {
    if (!this.#booted) {
      this.#booted = true;
      program.boot();
      return true;
    }
    this.#takeInterrupt();
    return program.step();
  }

  /** Takes at most one interrupt: the next one has its turn at the next access, or in the next slice. */
  #takeInterrupt(): void {
    const pending = this.#mip & this.#mie;
    if (pending === 0 || !this.#enabled) return;
    const cause = highestPriority(pending);
    this.#enabled = false;
    this.onTrap?.(cause, true);
    this.#clock.advance(this.#trapNs);
    this.#program!.trap(cause);
    this.onTrap?.(cause, false);
    this.#enabled = true;
  }

  #wake(): void {
    if (this.#state === 'halted' || this.#program === null) return;
    this.#state = 'ready';
    if (this.#inLine) return;
    this.#inLine = true;
    this.#clock.enqueue(this);
  }
}

/** Machine external before software before timer, as the privileged specification orders them. */
function highestPriority(pending: number): Cause {
  if ((pending & (1 << MACHINE_EXTERNAL)) !== 0) return MACHINE_EXTERNAL;
  return (pending & (1 << MACHINE_SOFTWARE)) !== 0 ? MACHINE_SOFTWARE : MACHINE_TIMER;
}
