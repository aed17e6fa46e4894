import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClintDriver } from '../../../drivers/clint.ts';
import { Bus } from '../../../hw/bus/bus.ts';
import { MACHINE_TIMER } from '../../../hw/cpu/hart.ts';
import { Clint } from '../../../hw/irq/clint.ts';
import { Clock } from '../../../hw/sim/clock.ts';
import { BusIo } from '../../support/bus-io.ts';

const BASE = 0x0200_0000;
const TICK_NS = 100;

function machine() {
  const clock = new Clock();
  const edges: string[] = [];
  let level = false;
  const hart = {
    setInterrupt: (cause: number, high: boolean) => {
      if (cause !== MACHINE_TIMER || high === level) return;
      level = high;
      edges.push(`${high ? '+' : '-'}${clock.nowNs}`);
    },
  };
  const bus = new Bus();
  bus.map(BASE, 0x1_0000, new Clint(clock, [{ setInterrupt: () => {} }, hart]), { readNs: 0, writeNs: 0 });
  return { clock, edges, driver: new ClintDriver(new BusIo(bus), BASE, 1) };
}

describe('CLINT driver', () => {
  it('interrupts at the tick asked for, and never in between two words', () => {
    const tick = fc.oneof(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 2 ** 32 - 3, max: 2 ** 32 + 3 }),
      fc.constant(Number.POSITIVE_INFINITY),
    );
    fc.assert(
      fc.property(tick, tick, (first, second) => {
        const { clock, edges, driver } = machine();
        driver.program(first);
        driver.program(second);
        expect(edges).toEqual([]);
        clock.run((2 ** 32 + 10) * TICK_NS);
        expect(edges).toEqual(second === Number.POSITIVE_INFINITY ? [] : [`+${second * TICK_NS}`]);
      }),
    );
  });

  it('raises at once for a tick that has passed, and drops when programmed ahead', () => {
    const { clock, edges, driver } = machine();
    clock.run(5000);
    driver.program(3);
    driver.program(60);
    clock.run(10_000);
    driver.program(Number.POSITIVE_INFINITY);
    expect(edges).toEqual(['+5000', '-5000', '+6000', '-10000']);
    expect(clock.idle).toBe(true);
  });
});
