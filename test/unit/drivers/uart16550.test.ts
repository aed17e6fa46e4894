import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlicDriver } from '../../../drivers/plic.ts';
import { UartConsole } from '../../../drivers/uart16550.ts';
import { Bus } from '../../../hw/bus/bus.ts';
import { MACHINE_EXTERNAL } from '../../../hw/cpu/hart.ts';
import { NativeHart } from '../../../hw/cpu/native/native-hart.ts';
import { Plic } from '../../../hw/irq/plic.ts';
import { Uart16550 } from '../../../hw/serial/uart16550.ts';
import { Clock } from '../../../hw/sim/clock.ts';

const UART = 0x1000_0000;
const PLIC = 0x0c00_0000;
const IRQ = 10;
/** 10 bits at 230400 baud. */
const CHARACTER_NS = 43_403;

/** A hart that runs `program` as its boot code, with the console's interrupt connected if `wired`. */
function machine(program: (console: UartConsole, hart: NativeHart) => void, { accessNs = 300, wired = true } = {}) {
  const clock = new Clock();
  const bus = new Bus();
  const hart = new NativeHart(clock, bus, 0, 50);
  const plic = new Plic([level => hart.setInterrupt(MACHINE_EXTERNAL, level)]);
  const uart = new Uart16550(clock, plic.input(IRQ).source());
  const cost = { readNs: accessNs, writeNs: accessNs };
  bus.map(PLIC, 0x60_0000, plic, { readNs: 0, writeNs: 0 });
  bus.map(UART, 0x100, uart, cost);
  const controller = new PlicDriver(hart, PLIC, 0);
  const console = new UartConsole(hart, UART);
  const out: number[] = [];
  uart.onTransmit = byte => out.push(byte);
  hart.start({
    boot: () => {
      controller.reset();
      if (wired) controller.enable(IRQ);
      hart.enableCause(MACHINE_EXTERNAL, true);
      hart.enableInterrupts();
      program(console, hart);
    },
    step: () => false,
    trap: () => {
      const source = controller.claim();
      console.interrupt();
      controller.complete(source);
    },
  });
  return { clock, hart, uart, text: () => String.fromCharCode(...out) };
}

describe('UART console', () => {
  it('sends every character once and in order, wherever the interrupt comes in between', () => {
    // Long accesses, short pauses: so that the FIFO often runs empty while the driver is at work on it.
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 8 }),
      fc.nat(100).map(count => 'x'.repeat(count)),
    );
    const chunk = fc.tuple(text, fc.nat(20 * CHARACTER_NS));
    const accessNs = fc.constantFrom(0, 1, 300, 3000, 10_000, 20_000, CHARACTER_NS, 2 * CHARACTER_NS);
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20, size: 'max' }), accessNs, (chunks, ns) => {
        const m = machine(
          (console, hart) => {
            for (const [each, pauseNs] of chunks) {
              console.write(each);
              hart.spend(pauseNs);
            }
          },
          { accessNs: ns },
        );
        m.clock.run(1_000_000_000);
        expect(m.hart.fault).toBeNull();
        expect(m.text()).toBe(chunks.map(([each]) => each).join(''));
        expect(m.clock.idle).toBe(true);
      }),
    );
  });

  it('never waits for the line: a long text costs the writer one FIFO of accesses', () => {
    let doneNs = 0;
    const m = machine((console, hart) => {
      console.write('x'.repeat(1000));
      doneNs = hart.time() * 100;
    });
    m.clock.run(100_000_000);
    // Six accesses to set up, one LSR, 16 THR, one IER, and at most one interrupt.
    expect(doneNs).toBeLessThan(30 * 300);
    expect(m.text()).toHaveLength(1000);
  });

  it('keeps up with the line: a FIFO is refilled within its last character', () => {
    const m = machine(console => console.write('x'.repeat(160)));
    m.clock.run(160 * CHARACTER_NS + 20_000);
    expect(m.text()).toHaveLength(160);
  });

  it('without its interrupt sends the rest with the next text', () => {
    const m = machine(
      (console, hart) => {
        console.write(`${'a'.repeat(16)}b`);
        hart.spend(20 * CHARACTER_NS);
        console.write('c');
      },
      { wired: false },
    );
    m.clock.run(100_000_000);
    expect(m.text()).toBe(`${'a'.repeat(16)}bc`);
  });

  it('drops text that finds the queue full, and says how much', () => {
    const m = machine((console, hart) => {
      console.write('a'.repeat(65_000));
      console.write('b'.repeat(1000));
      hart.spend(3000 * CHARACTER_NS);
      console.write('c');
    });
    m.clock.run(10_000_000_000);
    expect(m.text()).toBe(`${'a'.repeat(65_000)}[1000 characters lost]\nc`);
  });

  it('sends a question mark for what is not ASCII', () => {
    const m = machine(console => console.write('20 °C\n'));
    m.clock.run(1_000_000);
    expect(m.text()).toBe('20 ?C\n');
  });

  it('says that an interrupt is not its own when nothing is pending', () => {
    const handled: boolean[] = [];
    const m = machine(console => {
      handled.push(console.interrupt());
      console.write('a');
      handled.push(console.interrupt());
    });
    m.clock.run(1_000_000);
    expect(handled).toEqual([false, false]);
  });
});
