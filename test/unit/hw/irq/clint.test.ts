import { describe, expect, it } from 'vitest';
import { MACHINE_SOFTWARE, MACHINE_TIMER } from '../../../../hw/cpu/hart.ts';
import { CLINT, Clint } from '../../../../hw/irq/clint.ts';
import { Clock } from '../../../../hw/sim/clock.ts';

const TICK_NS = 100;

function machine(hartCount = 2) {
  const clock = new Clock();
  const levels = Array.from({ length: hartCount }, () => new Map<number, boolean>());
  const clint = new Clint(
    clock,
    levels.map(level => ({ setInterrupt: (cause, high) => level.set(cause, high) })),
  );
  return {
    clock,
    clint,
    timer: (hart: number) => levels[hart]!.get(MACHINE_TIMER) ?? false,
    software: (hart: number) => levels[hart]!.get(MACHINE_SOFTWARE) ?? false,
    write: (offset: number, value: number) => clint.write(offset, 4, value | 0),
    read: (offset: number) => clint.read(offset, 4) >>> 0,
  };
}

type Machine = ReturnType<typeof machine>;

function compare(m: Machine, hart: number, high: number, low: number): void {
  m.write(CLINT.MTIMECMPH.at + 8 * hart, -1);
  m.write(CLINT.MTIMECMP.at + 8 * hart, low);
  m.write(CLINT.MTIMECMPH.at + 8 * hart, high);
}

describe('CLINT timer', () => {
  it('counts ticks of 100 ns from power-on', () => {
    const m = machine();
    m.clock.run(1_234_567);
    expect(m.read(CLINT.MTIME.at)).toBe(12_345);
    expect(m.read(CLINT.MTIMEH.at)).toBe(0);
  });

  it('interrupts at the very tick at which MTIME reaches MTIMECMP, and not before', () => {
    const m = machine();
    compare(m, 1, 0, 50);
    m.clock.run(50 * TICK_NS - 1);
    expect(m.timer(1)).toBe(false);
    m.clock.run(50 * TICK_NS);
    expect(m.timer(1)).toBe(true);
    expect(m.timer(0)).toBe(false);
  });

  it('drops the interrupt when MTIMECMP is moved ahead', () => {
    const m = machine();
    compare(m, 0, 0, 10);
    m.clock.run(2000);
    expect(m.timer(0)).toBe(true);
    compare(m, 0, 0, 30);
    expect(m.timer(0)).toBe(false);
    m.clock.run(3000);
    expect(m.timer(0)).toBe(true);
  });

  it('interrupts at once for a time that has passed', () => {
    const m = machine();
    m.clock.run(10_000);
    compare(m, 0, 0, 99);
    expect(m.timer(0)).toBe(true);
  });

  it('compares as unsigned numbers of 64 bits', () => {
    const m = machine();
    compare(m, 0, 0, 0xffff_ffff);
    expect(m.timer(0)).toBe(false);
    m.write(CLINT.MTIME.at, 0xffff_fffe);
    expect(m.timer(0)).toBe(false);
    m.clock.run(TICK_NS);
    expect(m.timer(0)).toBe(true);
    compare(m, 0, 1, 5);
    expect(m.timer(0)).toBe(false);
    m.clock.run(7 * TICK_NS);
    expect([m.read(CLINT.MTIMEH.at), m.read(CLINT.MTIME.at)]).toEqual([1, 5]);
    expect(m.timer(0)).toBe(true);
  });

  it('never interrupts for a comparator of all ones, which is the reset value', () => {
    const m = machine();
    expect(m.read(CLINT.MTIMECMP.at)).toBe(0xffff_ffff);
    expect(m.read(CLINT.MTIMECMPH.at)).toBe(0xffff_ffff);
    m.write(CLINT.MTIMECMP.at, -1);
    expect(m.clock.idle).toBe(true);
  });

  it('counts on from what software writes to either half of MTIME', () => {
    const m = machine();
    m.clock.run(1_000_050);
    m.write(CLINT.MTIME.at, 3);
    m.write(CLINT.MTIMEH.at, 0xffff_ffff);
    expect([m.read(CLINT.MTIMEH.at), m.read(CLINT.MTIME.at)]).toEqual([0xffff_ffff, 3]);
    m.clock.run(1_000_150);
    expect([m.read(CLINT.MTIMEH.at), m.read(CLINT.MTIME.at)]).toEqual([0xffff_ffff, 4]);
  });

  it('drops the interrupt when MTIME wraps to zero', () => {
    const m = machine();
    m.write(CLINT.MTIMEH.at, -1);
    m.write(CLINT.MTIME.at, -3);
    compare(m, 0, 0xffff_ffff, 0xffff_fffe);
    m.clock.run(TICK_NS);
    expect(m.timer(0)).toBe(true);
    m.clock.run(3 * TICK_NS);
    expect([m.read(CLINT.MTIMEH.at), m.read(CLINT.MTIME.at)]).toEqual([0, 0]);
    expect(m.timer(0)).toBe(false);
  });
});

describe('CLINT software interrupt', () => {
  it('drives one hart with bit 0 of its MSIP', () => {
    const m = machine();
    m.write(CLINT.MSIP.at + 4, -1);
    expect([m.software(0), m.software(1)]).toEqual([false, true]);
    expect(m.read(CLINT.MSIP.at + 4)).toBe(1);
    m.write(CLINT.MSIP.at + 4, 0);
    expect(m.software(1)).toBe(false);
  });

  it('has no registers for harts that are not fitted', () => {
    const m = machine(1);
    for (const offset of [CLINT.MSIP.at + 4, CLINT.MTIMECMP.at + 8, CLINT.MTIMECMPH.at + 8, 0x8000]) {
      m.write(offset, 0x55);
      expect(m.read(offset)).toBe(0);
    }
  });

  it('answers no narrow access', () => {
    const m = machine();
    m.clint.write(CLINT.MSIP.at, 1, 1);
    expect(m.software(0)).toBe(false);
    m.clock.run(1000);
    expect(m.clint.read(CLINT.MTIME.at, 1)).toBe(0);
  });
});

it('continues from a saved state', () => {
  const m = machine();
  m.clock.run(500);
  m.write(CLINT.MTIME.at, 1000);
  compare(m, 0, 0, 1007);
  m.write(CLINT.MSIP.at + 4, 1);
  const saved = { clock: m.clock.save(), clint: m.clint.save() };
  const other = machine();
  other.clock.load(saved.clock);
  other.clint.load(saved.clint);
  expect(other.software(1)).toBe(true);
  other.clock.run(1199);
  expect(other.timer(0)).toBe(false);
  other.clock.run(1200);
  expect(other.timer(0)).toBe(true);
});
