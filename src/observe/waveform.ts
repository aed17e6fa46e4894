/**
 * Draws a world as a waveform file: interrupt lines, what the PLIC has handed out, harts in traps, tasks, doorbells and
 * causes of NICs, and wires that are busy, per direction. Everything to be drawn is named before the world runs.
 */
import { auditTime, filter, type Observable, Subscription } from 'rxjs';
import type { Line } from '../../hw/bus/line.ts';
import type { Plic } from '../../hw/irq/plic.ts';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import type { FrameEvent } from './frame-probe.ts';
import { lineEvents, plicEvents, type TappedHart, trapEvents } from './interrupt-probe.ts';
import { kernelEvents, type TracedKernel } from './kernel-probe.ts';
import { type NicEvent, nicEvents, type TappedNic } from './nic-probe.ts';
import { type TextSink, type VcdVariable, VcdWriter } from './vcd.ts';
import { virtualTimeScheduler } from './virtual-time-scheduler.ts';

/** Bits of a PLIC source number. */
const SOURCE_BITS = 7;
/** Bits of a cause number of `mcause`, as far as interrupts go. */
const CAUSE_BITS = 4;
/** Heads and doorbells of the rings, causes and their mask: name, register, bits. */
const NIC_REGISTERS = [
  ['TDH', E1000.TDH, 16],
  ['TDT', E1000.TDT, 16],
  ['RDH', E1000.RDH, 16],
  ['RDT', E1000.RDT, 16],
  ['ICR', E1000.ICR, 32],
  ['IMS', E1000.IMS, 32],
] as const;

/** A NIC that can be looked at without side effects, at a byte offset of its registers. */
interface DrawnNic extends TappedNic {
  peek(offset: number): number;
}

export class Waveform {
  readonly #clock: Clock;
  readonly #vcd: VcdWriter;
  readonly #subscriptions = new Subscription();

  constructor(sink: TextSink, clock: Clock) {
    this.#clock = clock;
    this.#vcd = new VcdWriter(sink);
  }

  /** A level line of `host`, under `name`. */
  line(host: string, name: string, line: Line): void {
    const level = this.#vcd.wire([host, 'lines'], name);
    this.#set(level, Number(line.level));
    this.#watch(lineEvents(line, host, this.#clock), event => this.#set(level, Number(event.level)));
  }

  /** The source that `context` of the PLIC has claimed and not yet completed, 0 for none. */
  plic(host: string, plic: Plic, context: number): void {
    const claimed = this.#vcd.wire([host, 'plic'], `claimed${context}`, SOURCE_BITS);
    this.#set(claimed, 0);
    this.#watch(plicEvents(plic, host, this.#clock), event => {
      if (event.context === context) this.#set(claimed, event.action === 'claim' ? event.source : 0);
    });
  }

  /** Whether a hart is in a trap, and the cause of the latest one. */
  hart(host: string, hart: TappedHart): void {
    const trap = this.#vcd.wire([host, `hart${hart.hartId}`], 'trap');
    const mcause = this.#vcd.wire([host, `hart${hart.hartId}`], 'mcause', CAUSE_BITS);
    this.#set(trap, 0);
    this.#watch(trapEvents(hart, host, this.#clock), ({ entered, cause }) => {
      this.#set(trap, Number(entered));
      this.#set(mcause, cause);
    });
  }

  /** The task that a kernel runs, `-` for none. */
  kernel(host: string, kernel: TracedKernel): void {
    const task = this.#vcd.string([host, 'kernel'], 'task');
    this.#set(task, '-');
    this.#watch(kernelEvents(kernel, host, this.#clock), event => {
      if (event.kind === 'task') this.#set(task, event.running ? event.name : '-');
    });
  }

  /** Heads and doorbells of a NIC's rings, its interrupt causes and their mask; looked at when the NIC does something. */
  nic(host: string, name: string, device: DrawnNic): void {
    const shown = NIC_REGISTERS.map(([register, { at }, width]) => {
      return { at, variable: this.#vcd.wire([host, name], register, width), value: Number.NaN };
    });
    const show = () => {
      for (const register of shown) {
        const value = device.peek(register.at);
        if (value === register.value) continue;
        register.value = value;
        this.#set(register.variable, value);
      }
    };
    show();
    const events = nicEvents(device, `${host}.${name}`, this.#clock);
    const isWrite = (event: NicEvent) => event.kind === 'register' && event.write;
    this.#watch(events.pipe(filter(event => !isWrite(event))), show);
    // A write is told before it takes effect.
    this.#watch(events.pipe(filter(isWrite), auditTime(0, virtualTimeScheduler(this.#clock))), show);
  }

  /** A wire: busy from the first preamble bit to the last bit, as its senders at end 0 and end 1 see it. */
  wire(name: string, events: Observable<FrameEvent>): void {
    const busy = [this.#vcd.wire(['wires', name], 'busy0'), this.#vcd.wire(['wires', name], 'busy1')] as const;
    for (const direction of busy) this.#set(direction, 0);
    this.#watch(events, ({ fromEnd, timeNs, endNs }) => {
      this.#vcd.change(busy[fromEnd], timeNs, 1);
      this.#vcd.change(busy[fromEnd], endNs, 0);
    });
  }

  /** Stops drawing and ends the file at the present time. */
  close(): void {
    this.#subscriptions.unsubscribe();
    this.#vcd.close(this.#clock.nowNs);
  }

  #set(variable: VcdVariable, value: number | string): void {
    this.#vcd.change(variable, this.#clock.nowNs, value);
  }

  #watch<T>(events: Observable<T>, look: (event: T) => void): void {
    this.#subscriptions.add(events.subscribe(look));
  }
}
