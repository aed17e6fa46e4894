import { beforeEach, expect, test } from 'vitest';
import { KernelBug } from '../../../kernel/bug.ts';
import { IrqTable, MAX_UNHANDLED, STORM_COUNT } from '../../../kernel/irq.ts';
import { MACHINE_EXTERNAL } from '../../../kernel/ports.ts';
import { Timers } from '../../../kernel/timer.ts';
import type { KernelTrace } from '../../../kernel/trace.ts';
import { Traps } from '../../../kernel/trap.ts';
import { FakeClockEvent, FakeCpu, FakeInterruptController } from '../../support/fake-cpu.ts';

const IRQ = 33;

let cpu: FakeCpu;
let controller: FakeInterruptController;
let irqs: IrqTable;
let traps: Traps;
let messages: string[];
const kernel = { trace: null as KernelTrace | null, log: (text: string) => void messages.push(text) };

beforeEach(() => {
  cpu = new FakeCpu();
  controller = new FakeInterruptController(cpu);
  messages = [];
  kernel.trace = null;
  irqs = new IrqTable(kernel, cpu, controller);
  const timers = new Timers(cpu, new FakeClockEvent(cpu), () => ({ schedule: () => {} }));
  traps = new Traps(kernel, controller, irqs, timers);
  cpu.trap = cause => traps.take(cause);
  cpu.enableCause(MACHINE_EXTERNAL, true);
  cpu.enableInterrupts();
});

/** Raises the line of `source` and gives the hart the chance to take the interrupt. */
function interrupt(source = IRQ): void {
  controller.setLevel(source, true);
  cpu.access();
}

/** A device on a line, whose handler clears the cause. */
function device(source: number, name: string): { count: number; handler: () => boolean } {
  const self = {
    count: 0,
    handler: () => {
      self.count += 1;
      controller.setLevel(source, false);
      return true;
    },
  };
  irqs.request(source, name, self.handler);
  return self;
}

test('an interrupt is claimed, handled and completed, in this order, and interrupts are enabled after', () => {
  const nic = device(IRQ, 'e1000');
  controller.calls.length = 0;
  interrupt();
  expect(controller.calls).toEqual([`claim ${IRQ}`, `complete ${IRQ}`, 'claim 0']);
  expect(nic.count).toBe(1);
  expect(cpu.interruptsEnabled).toBe(true);
  expect(irqs.table()).toEqual([{ irq: IRQ, names: 'e1000', count: 1, unhandled: 0, enabled: true }]);
});

test('on a shared line every handler is called, and one that was the cause is enough', () => {
  const first = device(IRQ, 'first');
  let asked = 0;
  irqs.request(IRQ, 'second', () => {
    asked += 1;
    return false;
  });
  interrupt();
  expect([first.count, asked]).toEqual([1, 1]);
  expect(irqs.table()).toEqual([{ irq: IRQ, names: 'first, second', count: 1, unhandled: 0, enabled: true }]);
});

test('sources that are pending together are served in one trap', () => {
  const devices = [1, 2, 3].map(source => device(source, `device ${source}`));
  cpu.disableInterrupts();
  for (const source of [1, 2, 3]) controller.setLevel(source, true);
  cpu.enableInterrupts();
  expect(devices.map(({ count }) => count)).toEqual([1, 1, 1]);
  expect(cpu.trapCount).toBe(1);
});

test('one trap makes a bounded number of claims', () => {
  irqs.request(IRQ, 'endless', () => true);
  controller.calls.length = 0;
  cpu.disableInterrupts();
  controller.setLevel(IRQ, true);
  traps.take(MACHINE_EXTERNAL);
  expect(controller.calls.filter(call => call.startsWith('claim')).length).toBe(16);
});

test('a claim that names no source is counted as spurious', () => {
  traps.take(MACHINE_EXTERNAL);
  expect(traps.spuriousCount).toBe(1);
  device(IRQ, 'e1000');
  interrupt();
  expect(traps.spuriousCount).toBe(1);
});

test('after too many interrupts in a row that nobody caused, the source is disabled and a message names the handlers', () => {
  irqs.request(IRQ, 'e1000', () => false);
  controller.setLevel(IRQ, true);
  while (irqs.table()[0]!.enabled) cpu.access();
  expect(irqs.table()[0]).toMatchObject({ count: MAX_UNHANDLED, unhandled: MAX_UNHANDLED });
  expect(messages).toEqual([`irq ${IRQ}: nobody cared, ${MAX_UNHANDLED} times in a row (e1000); disabled`]);
  // A PLIC ignores the completion of a disabled source, which would then stay claimed for ever.
  expect(controller.calls.slice(-3)).toEqual([`complete ${IRQ}`, `disable ${IRQ}`, 'claim 0']);
  const { trapCount } = cpu;
  cpu.access();
  expect(cpu.trapCount).toBe(trapCount);
});

test('interrupts that somebody caused, now and then, keep a source enabled', () => {
  let count = 0;
  irqs.request(IRQ, 'flaky', () => ++count % MAX_UNHANDLED === 0);
  controller.setLevel(IRQ, true);
  while (count < 3 * MAX_UNHANDLED) {
    cpu.access();
    cpu.advanceTicks(1000);
  }
  expect(irqs.table()[0]!.enabled).toBe(true);
  expect(messages).toEqual([]);
});

test('a handler that never clears its cause is a storm, and the source is disabled', () => {
  irqs.request(IRQ, 'e1000', () => true);
  controller.setLevel(IRQ, true);
  while (irqs.table()[0]!.enabled) cpu.access();
  expect(irqs.table()[0]!.count).toBe(STORM_COUNT);
  expect(messages).toEqual([`irq ${IRQ}: storm, ${STORM_COUNT} times in 1 ms (e1000); disabled`]);
  expect(controller.enabled.has(IRQ)).toBe(false);
});

test('as many interrupts in a longer time are no storm', () => {
  const nic = device(IRQ, 'e1000');
  while (nic.count < 2 * STORM_COUNT) {
    interrupt();
    cpu.advanceTicks(3);
  }
  expect(messages).toEqual([]);
});

test('a new request gives a disabled source a new chance', () => {
  const broken = () => false;
  irqs.request(IRQ, 'broken', broken);
  controller.setLevel(IRQ, true);
  while (irqs.table()[0]!.enabled) cpu.access();
  irqs.release(IRQ, broken);
  const nic = device(IRQ, 'e1000');
  expect(nic.count).toBe(1);
  expect(irqs.table()[0]!.enabled).toBe(true);
});

test('the new chance is as long as the first, whether nobody cared or a storm was the reason', () => {
  for (const [line, handled, count] of [
    [1, false, MAX_UNHANDLED],
    [2, true, STORM_COUNT],
  ] as const) {
    const bad = () => handled;
    for (const times of [1, 2]) {
      irqs.request(line, 'bad', bad);
      controller.setLevel(line, true);
      while (irqs.table().at(-1)!.enabled) cpu.access();
      expect(irqs.table().at(-1)!.count).toBe(times * count);
      irqs.release(line, bad);
    }
    controller.setLevel(line, false);
    cpu.advanceTicks(10_000);
  }
});

test('a line is disabled with its last handler', () => {
  const first = device(IRQ, 'first');
  const second = device(IRQ, 'second');
  irqs.release(IRQ, first.handler);
  expect(controller.enabled.has(IRQ)).toBe(true);
  irqs.release(IRQ, second.handler);
  expect(controller.enabled.has(IRQ)).toBe(false);
  interrupt();
  expect([first.count, second.count]).toEqual([0, 0]);
});

test('a handler may release itself: the others are still called, and completion comes before the disabling', () => {
  const once = () => {
    irqs.release(IRQ, once);
    controller.setLevel(IRQ, false);
    return true;
  };
  irqs.request(IRQ, 'once', once);
  controller.calls.length = 0;
  interrupt();
  expect(controller.calls).toEqual([`claim ${IRQ}`, `complete ${IRQ}`, `disable ${IRQ}`, 'claim 0']);
  const nic = device(IRQ, 'e1000');
  interrupt();
  expect(nic.count).toBe(1);
});

test('an error in a handler names the handler', () => {
  irqs.request(IRQ, 'e1000', () => {
    throw new RangeError('no ring');
  });
  expect(() => interrupt()).toThrow(new KernelBug(`interrupt handler "e1000" of irq ${IRQ}: no ring`));
});

test('requests and releases that make no sense are bugs', () => {
  expect(() => irqs.request(0, 'e1000', () => true)).toThrow(KernelBug);
  expect(() => irqs.request(1024, 'e1000', () => true)).toThrow(KernelBug);
  expect(() => irqs.release(IRQ, () => true)).toThrow(KernelBug);
  irqs.request(IRQ, 'e1000', () => true);
  expect(() => irqs.release(IRQ, () => true)).toThrow(KernelBug);
});

test('the controller is never operated while a handler could do the same', () => {
  const enabled: boolean[] = [];
  cpu.onAccess = () => enabled.push(cpu.interruptsEnabled);
  const handler = () => true;
  irqs.request(IRQ, 'e1000', handler);
  irqs.release(IRQ, handler);
  expect(enabled.slice(0, 2)).toEqual([false, false]);
  expect(cpu.interruptsEnabled).toBe(true);
  cpu.disableInterrupts();
  irqs.request(IRQ, 'e1000', handler);
  expect(cpu.interruptsEnabled).toBe(false);
});

test('an observer sees trap, claim, handlers and completion', () => {
  const seen: string[] = [];
  kernel.trace = {
    trap: cause => seen.push(`trap ${cause}`),
    claim: source => seen.push(`claim ${source}`),
    irq: (source, name, handled) => seen.push(`irq ${source} ${name} ${handled}`),
    complete: source => seen.push(`complete ${source}`),
  } as Partial<KernelTrace> as KernelTrace;
  device(IRQ, 'e1000');
  interrupt();
  expect(seen).toEqual(['trap 11', `claim ${IRQ}`, `irq ${IRQ} e1000 true`, `complete ${IRQ}`, 'claim 0']);
});
