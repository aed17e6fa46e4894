import { describe, expect, it } from 'vitest';
import { PlicDriver } from '../../../drivers/plic.ts';
import { Bus } from '../../../hw/bus/bus.ts';
import { Plic } from '../../../hw/irq/plic.ts';
import { BusIo } from '../../support/bus-io.ts';

const BASE = 0x0c00_0000;
const COST = { readNs: 0, writeNs: 0 };

function machine(context: number) {
  const bus = new Bus();
  const outputs = [false, false];
  const plic = new Plic(
    outputs.map((_, index) => (level: boolean) => {
      outputs[index] = level;
    }),
  );
  bus.map(BASE, 0x60_0000, plic, COST);
  const io = new BusIo(bus);
  const driver = new PlicDriver(io, BASE, context);
  driver.reset();
  return { plic, outputs, io, driver };
}

describe.each([0, 1])('PLIC driver for context %i', context => {
  it.each([1, 31, 32, 33, 95])('lets source %i through from enable to disable, and no other', source => {
    const { plic, outputs, driver } = machine(context);
    const line = plic.input(source).source();
    plic
      .input(source === 95 ? 94 : source + 1)
      .source()
      .set(true);
    driver.enable(source);
    line.set(true);
    expect(outputs[context]).toBe(true);
    expect(outputs[1 - context]).toBe(false);
    expect(driver.claim()).toBe(source);
    expect(driver.claim()).toBe(0);
    driver.complete(source);
    expect(outputs[context]).toBe(true);
    driver.disable(source);
    expect(outputs[context]).toBe(false);
    expect(driver.claim()).toBe(0);
  });

  it('keeps the other sources enabled when one is disabled', () => {
    const { plic, driver } = machine(context);
    for (const source of [33, 34]) {
      driver.enable(source);
      plic.input(source).source().set(true);
    }
    driver.disable(33);
    expect(driver.claim()).toBe(34);
  });

  it('shuts every source out at reset, whatever was there before', () => {
    const { plic, outputs, io, driver } = machine(context);
    for (const word of [0, 1, 2]) io.write32(BASE + 0x2000 + 0x80 * context + 4 * word, 0xffff_ffff);
    io.write32(BASE + 0x20_0000 + 0x1000 * context, 7);
    for (const source of [1, 40, 95]) {
      io.write32(BASE + 4 * source, 7);
      plic.input(source).source().set(true);
    }
    driver.reset();
    expect(outputs[context]).toBe(false);
    driver.enable(40);
    expect(outputs[context]).toBe(true);
  });
});
