import { describe, expect, it } from 'vitest';
import { Line } from '../../../../hw/bus/line.ts';
import type { Register } from '../../../../hw/bus/registers.ts';
import { Uart16550 } from '../../../../hw/serial/uart16550.ts';
import { UART } from '../../../../hw/serial/uart16550-registers.ts';
import { Clock } from '../../../../hw/sim/clock.ts';

const { RBR, THR, DLL, DLM, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR } = UART;
/** 10 bits of 16 clocks at 3.6864 MHz and divisor 1. */
const CHARACTER_NS = 43_403;
const EIGHT_BITS = 3;

/** A port set to 230400 8N1, as a program would do it. */
function machine() {
  const clock = new Clock();
  const irq = new Line('irq');
  const uart = new Uart16550(clock, irq.source());
  const sent: [atNs: number, byte: number][] = [];
  uart.onTransmit = byte => sent.push([clock.nowNs, byte]);
  const write = (register: { at: number }, value: number) => uart.write(register.at, 1, value);
  const read = (register: { at: number }) => uart.read(register.at, 1);
  write(LCR, LCR.DLAB);
  write(DLL, 1);
  write(DLM, 0);
  write(LCR, EIGHT_BITS);
  const run = (characters: number) => clock.run(clock.nowNs + characters * CHARACTER_NS);
  return { clock, irq, uart, sent, write, read, run };
}

type Machine = ReturnType<typeof machine>;

const interruptId = (m: Machine): number => m.read(IIR) & (IIR.ID | IIR.NONE_PENDING);
const NONE = 1;
const LINE_STATUS = 6;
const DATA = 4;
const TIMEOUT = 12;
const HOLDING_EMPTY = 2;
const MODEM = 0;

describe('16550 at reset', () => {
  it('has the values of the table "UART Reset Configuration"', () => {
    const uart = new Uart16550(new Clock(), new Line('irq').source());
    const values = [IER, IIR, LCR, MCR, LSR].map(register => uart.read(register.at, 1));
    expect(values).toEqual([0, 1, 0, 0, 0x60]);
  });

  it('has the values that its registers declare', () => {
    const uart = new Uart16550(new Clock(), new Line('irq').source());
    const declared = ({ fields }: Register) =>
      Object.values(fields).reduce((sum, [, , lo, reset]) => sum | (reset << lo), 0);
    for (const register of [RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR]) {
      expect(uart.peek(register.at)).toBe(declared(register));
    }
    uart.write(LCR.at, 1, LCR.DLAB);
    for (const register of [DLL, DLM]) expect(uart.peek(register.at)).toBe(declared(register));
  });
});

describe('16550 divisor latch', () => {
  it('lies at offsets 0 and 1 while DLAB is set, and hides RBR, THR and IER', () => {
    const m = machine();
    m.write(IER, IER.ERBFI);
    m.write(LCR, LCR.DLAB | EIGHT_BITS);
    m.write(DLL, 0x34);
    m.write(DLM, 0x12);
    expect([m.read(DLL), m.read(DLM)]).toEqual([0x34, 0x12]);
    m.write(LCR, EIGHT_BITS);
    expect(m.read(IER)).toBe(IER.ERBFI);
    m.run(100);
    expect(m.sent).toEqual([]);
  });

  it.each([
    ['8N1', 3, 1, 43_403],
    ['8E2', 3 | 4 | 8 | 16, 1, 52_083],
    ['5N1.5', 0 | 4, 1, 32_552],
    ['8N1', 3, 12, 520_833],
    ['8N1', 3, 0, 43_403],
    ['8N1', 3, 0xffff, 50_000_000],
  ])('times a character of %s (LCR %i) with divisor %i at %i ns', (_, lcr, divisor, expectedNs) => {
    const m = machine();
    m.write(LCR, LCR.DLAB);
    m.write(DLL, divisor & 0xff);
    m.write(DLM, divisor >>> 8);
    m.write(LCR, lcr);
    m.write(THR, 0x41);
    m.clock.run(100_000_000);
    expect(m.sent).toEqual([[expectedNs, 0x41]]);
  });
});

describe('16550 transmitter', () => {
  it('clears TEMT until the last bit has left, and THRE while THR is full', () => {
    const m = machine();
    m.write(THR, 1);
    expect(m.read(LSR)).toBe(LSR.THRE);
    m.write(THR, 2);
    expect(m.read(LSR)).toBe(0);
    m.run(1);
    expect(m.read(LSR)).toBe(LSR.THRE);
    m.run(1);
    expect(m.read(LSR)).toBe(LSR.THRE | LSR.TEMT);
    expect(m.sent).toEqual([
      [CHARACTER_NS, 1],
      [2 * CHARACTER_NS, 2],
    ]);
  });

  it('without a FIFO replaces the character in THR', () => {
    const m = machine();
    for (const byte of [1, 2, 3]) m.write(THR, byte);
    m.run(10);
    expect(m.sent.map(([, byte]) => byte)).toEqual([1, 3]);
  });

  it('holds 16 characters in the FIFO beside the one on its way, and loses the next', () => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE);
    for (let byte = 0; byte < 18; byte++) m.write(THR, byte);
    m.run(30);
    expect(m.sent.map(([, byte]) => byte)).toEqual(Array.from({ length: 17 }, (_, byte) => byte));
  });

  it('interrupts when the FIFO has become empty; reading IIR or writing THR clears that', () => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE);
    m.write(IER, IER.ETBEI);
    expect(m.irq.level).toBe(true);
    expect(interruptId(m)).toBe(HOLDING_EMPTY);
    expect(m.irq.level).toBe(false);
    for (const byte of [1, 2, 3]) m.write(THR, byte);
    expect(interruptId(m)).toBe(NONE);
    m.run(1);
    expect(m.irq.level).toBe(false);
    m.run(1);
    expect(m.irq.level).toBe(true);
    m.write(THR, 4);
    expect(m.irq.level).toBe(false);
  });

  it('empties the FIFO, but not the shift register, with XMIT_RESET', () => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE);
    for (const byte of [1, 2, 3]) m.write(THR, byte);
    m.write(FCR, FCR.FIFO_ENABLE | FCR.XMIT_RESET);
    m.run(10);
    expect(m.sent.map(([, byte]) => byte)).toEqual([1]);
  });
});

describe('16550 receiver', () => {
  it('gives characters in order, and DR while there are any', () => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE);
    for (const byte of [1, 2]) m.uart.receive(byte);
    expect(m.read(LSR) & LSR.DR).toBe(LSR.DR);
    expect([m.read(RBR), m.read(RBR)]).toEqual([1, 2]);
    expect(m.read(LSR) & LSR.DR).toBe(0);
  });

  it('without a FIFO overruns with the second character, which replaces the first', () => {
    const m = machine();
    m.write(IER, IER.ELSI | IER.ERBFI);
    m.uart.receive(1);
    m.uart.receive(2);
    expect(interruptId(m)).toBe(LINE_STATUS);
    expect(m.read(LSR)).toBe(LSR.DR | LSR.OE | LSR.THRE | LSR.TEMT);
    expect(m.read(LSR) & LSR.OE).toBe(0);
    expect(interruptId(m)).toBe(DATA);
    expect(m.read(RBR)).toBe(2);
    expect(m.irq.level).toBe(false);
  });

  it('with a FIFO keeps 16 characters and loses the one that overruns', () => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE);
    for (let byte = 0; byte < 17; byte++) m.uart.receive(byte);
    expect(m.read(LSR) & LSR.OE).toBe(LSR.OE);
    expect(Array.from({ length: 17 }, () => m.read(RBR))).toEqual([...Array.from({ length: 16 }, (_, i) => i), 0]);
  });

  it.each([
    [0, 1],
    [1, 4],
    [2, 8],
    [3, 14],
  ])('interrupts at the level of RECEIVER_TRIGGER %i: %i characters', (trigger, count) => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE | (trigger << 6));
    m.write(IER, IER.ERBFI);
    for (let i = 1; i < count; i++) m.uart.receive(i);
    expect(m.irq.level).toBe(false);
    m.uart.receive(count);
    expect(interruptId(m)).toBe(DATA);
    m.read(RBR);
    expect(m.irq.level).toBe(false);
  });

  it('interrupts below the trigger level after four characters of silence; reading RBR clears that', () => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE | FCR.RECEIVER_TRIGGER);
    m.write(IER, IER.ERBFI);
    m.uart.receive(1);
    m.run(3);
    m.uart.receive(2);
    m.run(3);
    expect(m.irq.level).toBe(false);
    m.run(1);
    expect(interruptId(m)).toBe(TIMEOUT);
    m.read(RBR);
    expect(m.irq.level).toBe(false);
    m.run(4);
    expect(interruptId(m)).toBe(TIMEOUT);
    m.read(RBR);
    m.run(10);
    expect(m.irq.level).toBe(false);
  });

  it('empties both FIFOs when FIFO_ENABLE changes, and ignores the other FCR bits without it', () => {
    const m = machine();
    m.write(FCR, FCR.FIFO_ENABLE);
    expect(m.read(IIR) & IIR.FIFOS_ENABLED).toBe(IIR.FIFOS_ENABLED);
    m.uart.receive(1);
    m.write(FCR, 0);
    expect(m.read(IIR) & IIR.FIFOS_ENABLED).toBe(0);
    expect(m.read(LSR) & LSR.DR).toBe(0);
    m.uart.receive(2);
    m.write(FCR, FCR.RCVR_RESET);
    expect(m.read(RBR)).toBe(2);
  });
});

describe('16550 modem side', () => {
  it('has CTS, DSR and DCD on', () => {
    const m = machine();
    expect(m.read(MSR)).toBe(MSR.CTS | MSR.DSR | MSR.DCD);
  });

  it('in loop mode receives what it sends, hears nothing else, and shows the modem controls', () => {
    const m = machine();
    m.write(MCR, MCR.LOOP | MCR.RTS | MCR.OUT2);
    expect(m.read(MSR) & 0xf0).toBe(MSR.CTS | MSR.DCD);
    m.uart.receive(9);
    m.write(THR, 0x5a);
    m.run(1);
    expect(m.read(RBR)).toBe(0x5a);
    expect(m.read(LSR) & LSR.DR).toBe(0);
    expect(m.sent).toEqual([]);
  });

  it('interrupts on a change of a modem line, until MSR is read; RI counts only when it goes off', () => {
    const m = machine();
    m.write(MCR, MCR.LOOP | MCR.DTR | MCR.RTS | MCR.OUT2);
    m.read(MSR);
    m.write(IER, IER.EDSSI);
    m.write(MCR, MCR.LOOP | MCR.DTR | MCR.RTS | MCR.OUT2 | MCR.OUT1);
    expect(m.irq.level).toBe(false);
    m.write(MCR, MCR.LOOP | MCR.DTR | MCR.OUT2);
    expect(interruptId(m)).toBe(MODEM);
    expect(m.read(MSR) & 0xf).toBe(MSR.DCTS | MSR.TERI);
    expect(m.irq.level).toBe(false);
    expect(m.read(MSR) & 0xf).toBe(0);
  });

  it('stores the scratch register, and the implemented bits of IER and MCR alone', () => {
    const m = machine();
    m.write(SCR, 0xa5);
    m.write(IER, 0xff);
    m.write(MCR, 0xff);
    expect([m.read(SCR), m.read(IER), m.read(MCR)]).toEqual([0xa5, 0x0f, 0x1f]);
  });
});

it('peeks without side effects', () => {
  const m = machine();
  m.write(IER, IER.ETBEI | IER.ERBFI);
  m.uart.receive(7);
  m.uart.receive(8);
  const before = m.uart.save();
  for (let offset = 0; offset < 8; offset++) m.uart.peek(offset);
  expect(m.uart.save()).toEqual(before);
});

it('continues from a saved state', () => {
  const m = machine();
  m.write(FCR, FCR.FIFO_ENABLE | FCR.RECEIVER_TRIGGER);
  m.write(IER, IER.ERBFI | IER.ETBEI);
  for (const byte of [1, 2, 3]) m.write(THR, byte);
  m.uart.receive(4);
  m.clock.run(65_000);
  const saved = { clock: m.clock.save(), uart: m.uart.save() };
  const other = machine();
  other.clock.load(saved.clock);
  other.uart.load(saved.uart);
  for (const each of [m, other]) each.run(10);
  expect(other.sent).toEqual(m.sent.slice(1));
  expect(other.uart.save()).toEqual(m.uart.save());
  expect(other.irq.level).toBe(true);
});
