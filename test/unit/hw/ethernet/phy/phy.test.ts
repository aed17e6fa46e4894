import { describe, expect, test } from 'vitest';
import {
  AUTONEG_WAIT_NS,
  BREAK_LINK_NS,
  LINK_LOSS_NS,
  LINK_PASS_NS,
  PAGE_EXCHANGE_NS,
} from '../../../../../hw/ethernet/phy/link.ts';
import { M88E1011 } from '../../../../../hw/ethernet/phy/phy.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { type Endpoint, forcedControl, Pair } from '../../../../support/ethernet.ts';

// Registers and bits as in clause 22.2.4 and the 88E1011’s manual, on purpose not taken from the declaration.
const [PCTRL, PSTATUS, ANA, LPA, ANE, GCON, GSTAT] = [0, 1, 4, 5, 6, 9, 10];
const [PSSTAT, PINTE, PINTS, PREC] = [17, 18, 19, 21];
const RESET = 0x8000;
const ANE_ENABLE = 0x1000;
const ANRESTART = 0x0200;
const LINK = 0x0004;
const AN_DONE = 0x0020;
const MDI_X = 0x0040;
const PHY_INT_LINK = 0x0400;

const NEGOTIATION_NS = BREAK_LINK_NS + PAGE_EXCHANGE_NS + LINK_PASS_NS;

const alone = () => new M88E1011(new Clock(), new Prng('alone'));
const status = ({ phy }: Endpoint) => [phy.readRegister(PSTATUS), phy.readRegister(PSTATUS)];

describe('MII registers of the M88E1011', () => {
  test('after power-on hold the manual’s values', () => {
    const phy = alone();
    const read = (reg: number) => phy.readRegister(reg).toString(16);
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(read)).toEqual(
      ['1140', '7949', '141', 'c20', 'de1', '0', '0', '2001', '0', 'e00', '0'], //
    );
    expect([15, 16, 17, 18, 19, 20, 21].map(read)).toEqual(['3000', '360', '0', '0', '0', 'd60', '0']);
    expect([22, 29, 30, 31].map(read)).toEqual(['0', '0', '0', '0']);
  });

  test('11 to 14 do not exist, and say so', () => {
    const phy = alone();
    for (const reg of [11, 12, 13, 14]) {
      expect([phy.readRegister(reg), phy.peekRegister(reg), phy.writeRegister(reg, 0xffff)]).toEqual([-1, -1, false]);
    }
    expect(phy.writeRegister(29, 0xabcd)).toBe(true);
    expect(phy.readRegister(29)).toBe(0xabcd);
  });

  test('only 16 bits are written, identifiers and status not at all', () => {
    const phy = alone();
    for (const reg of [PSTATUS, 2, 3, LPA, ANE, GSTAT, 15, PSSTAT, PINTS, PREC]) phy.writeRegister(reg, 0x1ffff);
    expect([PSTATUS, 2, 3, LPA, ANE, GSTAT, 15, PSSTAT, PINTS, PREC].map(reg => phy.readRegister(reg))).toEqual([
      0x7949, 0x0141, 0x0c20, 0, 0, 0, 0x3000, 0, 0, 0,
    ]);
    phy.writeRegister(ANA, 0x1ffff);
    expect(phy.readRegister(ANA)).toBe(0xadff);
  });

  test('writes of ones to bits that are reserved, or that the model lacks, are reported', () => {
    const phy = alone();
    const reports: unknown[] = [];
    phy.onReserved = (name, bits) => reports.push([name, bits]);
    phy.writeRegister(PCTRL, 0x1140 | 0x003f | 0x0080);
    phy.writeRegister(16, 0x0400);
    phy.writeRegister(ANA, 0x0de1);
    expect(reports).toEqual([
      ['PCTRL', 0x00bf],
      ['PSCON', 0x0400],
    ]);
  });
});

describe('negotiation', () => {
  test('takes break_link, the exchange of pages and two link pulses, and then no more events', () => {
    const pair = new Pair();
    pair.pass(NEGOTIATION_NS - 1);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([false, false]);
    pair.pass(1);
    for (const end of [pair.a, pair.b]) {
      expect(end.links).toEqual([{ up: true, speed: 1000, fullDuplex: true }]);
      expect(end.phy.link).toEqual(end.links[0]);
    }
    expect(pair.clock.idle).toBe(true);
  });

  test('begins when the later end is there', () => {
    const pair = new Pair();
    pair.pass(BREAK_LINK_NS); // by now their pairs have met
    pair.cable.unplug(1);
    pair.pass(60e9);
    expect(pair.clock.idle).toBe(true);
    pair.cable.connect(1, pair.b.phy);
    pair.pass(PAGE_EXCHANGE_NS + LINK_PASS_NS);
    expect(pair.a.phy.link.up && pair.b.phy.link.up).toBe(true);
  });

  test('leaves its result in the registers', () => {
    const pair = new Pair().up();
    for (const end of [pair.a, pair.b]) {
      expect(status(end)).toEqual([0x7969, 0x796d]);
      expect(end.phy.readRegister(LPA)).toBe(0xcde1);
      expect(end.phy.readRegister(ANE)).toBe(0x000f);
      expect(end.phy.readRegister(ANE)).toBe(0x000d);
      expect(end.phy.readRegister(PSSTAT) & ~MDI_X).toBe(0xbc00);
      expect(end.phy.readRegister(GSTAT) & 0x3c00).toBe(0x3800);
    }
    expect([pair.a, pair.b].filter(end => (end.phy.readRegister(PSSTAT) & MDI_X) !== 0).length).toBe(1);
    const masters = [pair.a, pair.b].filter(end => (end.phy.readRegister(GSTAT) & 0x4000) !== 0);
    expect(masters.length).toBe(1);
  });

  test('without gigabit sends no next pages, and resolves to 100 Mb/s', () => {
    const pair = new Pair();
    pair.a.phy.writeRegister(GCON, 0);
    pair.up();
    expect(pair.b.phy.link).toEqual({ up: true, speed: 100, fullDuplex: true });
    expect(pair.a.phy.readRegister(LPA)).toBe(0xcde1);
    expect(pair.b.phy.readRegister(LPA)).toBe(0x4de1);
    expect(pair.b.phy.readRegister(ANE)).toBe(0x0007);
    expect(pair.b.phy.readRegister(GSTAT)).toBe(0);
    expect(pair.b.phy.readRegister(PSSTAT) & ~MDI_X).toBe(0x7c00);
  });

  test('what software advertises counts from the next negotiation on', () => {
    const pair = new Pair().up();
    pair.a.phy.writeRegister(GCON, 0);
    pair.a.phy.writeRegister(ANA, 0x0061);
    pair.pass(3e9);
    expect(pair.b.phy.link.speed).toBe(1000);
    pair.a.phy.writeRegister(PCTRL, 0x1140 | ANRESTART);
    expect(pair.a.phy.readRegister(PCTRL)).toBe(0x1140);
    pair.up();
    expect(pair.a.phy.link).toEqual({ up: true, speed: 10, fullDuplex: true });
    expect(pair.b.phy.link).toEqual(pair.a.phy.link);
  });

  test('with nothing in common ends without a link and at rest, until the partner offers something else', () => {
    const pair = new Pair();
    for (const { phy } of [pair.a, pair.b]) phy.writeRegister(GCON, 0);
    pair.a.phy.writeRegister(ANA, 0x0021);
    pair.b.phy.writeRegister(ANA, 0x0181);
    pair.pass(5e9);
    expect([pair.a.phy.link.up, pair.b.phy.link.up, pair.clock.idle]).toEqual([false, false, true]);
    expect(pair.a.phy.readRegister(LPA)).toBe(0x4181);
    pair.a.phy.writeRegister(ANA, 0x0081);
    pair.a.phy.writeRegister(PCTRL, 0x1140 | ANRESTART);
    pair.up();
    expect(pair.b.phy.link).toEqual({ up: true, speed: 100, fullDuplex: false });
  });

  test('both insisting on the same role is a fault of master and slave; different roles are granted', () => {
    const pair = new Pair();
    pair.a.phy.writeRegister(GCON, 0x1e00);
    pair.b.phy.writeRegister(GCON, 0x1e00);
    pair.pass(5e9);
    expect([pair.a.phy.link.up, pair.clock.idle]).toEqual([false, true]);
    expect(pair.a.phy.readRegister(GSTAT) & 0x8000).toBe(0x8000);
    expect(pair.a.phy.readRegister(GSTAT) & 0x8000).toBe(0);
    pair.b.phy.writeRegister(GCON, 0x1600);
    pair.b.phy.writeRegister(PCTRL, 0x1140 | ANRESTART);
    pair.up();
    expect(pair.a.phy.readRegister(GSTAT)).toBe(0x7800);
    expect([pair.b.phy.readRegister(GSTAT), pair.b.phy.readRegister(GSTAT)]).toEqual([0xb800, 0x3800]);
  });
});

describe('forced modes', () => {
  test('a forced partner is detected by its idle signal, after autoneg_wait, and always as half duplex', () => {
    for (const [speed, page] of [
      [10, 0x0020],
      [100, 0x0080],
    ] as const) {
      const pair = new Pair();
      pair.b.phy.writeRegister(PCTRL, forcedControl(speed, true));
      pair.pass(BREAK_LINK_NS + AUTONEG_WAIT_NS + LINK_PASS_NS - 1);
      expect(pair.a.phy.link.up).toBe(false);
      pair.pass(1);
      expect(pair.a.phy.link).toEqual({ up: true, speed, fullDuplex: false });
      expect(pair.b.phy.link).toEqual({ up: true, speed, fullDuplex: true });
      expect(pair.a.phy.readRegister(LPA)).toBe(page);
      expect(pair.a.phy.readRegister(ANE)).toBe(0);
      expect(pair.a.phy.readRegister(PSTATUS) & AN_DONE).toBe(AN_DONE);
      expect(pair.b.phy.readRegister(PSTATUS) & AN_DONE).toBe(0);
    }
  });

  test('a technology that is detected and not advertised is a fault of parallel detection', () => {
    const pair = new Pair();
    pair.a.phy.writeRegister(ANA, 0x0161);
    pair.b.phy.writeRegister(PCTRL, forcedControl(100, false));
    pair.pass(5e9);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([false, false]);
    expect(pair.a.phy.readRegister(ANE)).toBe(0x0010);
    expect(pair.a.phy.readRegister(ANE)).toBe(0);
  });

  test('two forced ends need the same speed, and do not notice different duplex', () => {
    const pair = new Pair();
    pair.a.phy.writeRegister(PCTRL, forcedControl(100, true));
    pair.b.phy.writeRegister(PCTRL, forcedControl(10, false));
    pair.pass(5e9);
    expect([pair.a.phy.link.up, pair.b.phy.link.up, pair.clock.idle]).toEqual([false, false, true]);
    pair.b.phy.writeRegister(PCTRL, forcedControl(100, false));
    pair.pass(LINK_PASS_NS);
    expect(pair.a.phy.link).toEqual({ up: true, speed: 100, fullDuplex: true });
    expect(pair.b.phy.link).toEqual({ up: true, speed: 100, fullDuplex: false });
  });

  test('speed, duplex and ANE change nothing until RESET or ANRESTART: the M88 rule', () => {
    for (const trigger of [RESET, ANRESTART]) {
      const pair = new Pair().up();
      const forced = forcedControl(100, true) & ~RESET;
      pair.a.phy.writeRegister(PCTRL, forced);
      pair.pass(5e9);
      expect(pair.a.phy.link.speed).toBe(1000);
      expect(pair.a.phy.readRegister(PCTRL)).toBe(forced);
      pair.a.phy.writeRegister(PCTRL, forced | trigger);
      expect(pair.a.phy.readRegister(PCTRL)).toBe(forced);
      pair.up();
      expect(pair.a.phy.link).toEqual({ up: true, speed: 100, fullDuplex: true });
      expect(pair.b.phy.link).toEqual({ up: true, speed: 100, fullDuplex: false });
    }
  });
});

describe('link status', () => {
  test('PSTATUS.LINK latches low until read; PSSTAT shows the link as it is', () => {
    const pair = new Pair().up();
    const realTime = () => pair.a.phy.readRegister(PSSTAT) & (LINK << 8);
    expect(status(pair.a).map(value => value & LINK)).toEqual([0, LINK]);
    pair.cable.cut();
    pair.pass(LINK_LOSS_NS);
    expect(realTime()).toBe(0);
    pair.cable.repair();
    pair.up();
    expect(realTime()).not.toBe(0);
    expect(pair.a.phy.peekRegister(PSTATUS) & LINK).toBe(0);
    expect(pair.a.phy.peekRegister(PSTATUS) & LINK).toBe(0);
    expect(status(pair.a).map(value => value & LINK)).toEqual([0, LINK]);
    expect(status(pair.a).map(value => value & LINK)).toEqual([LINK, LINK]);
  });

  test('the interrupt pin is high while an enabled cause is pending, and reading PINTS lowers it', () => {
    const pair = new Pair();
    const levels: boolean[] = [];
    pair.a.phy.onInterrupt = level => levels.push(level);
    pair.a.phy.writeRegister(PINTE, PHY_INT_LINK);
    pair.up();
    expect(levels).toEqual([true]);
    // Link, AN completed, page received, duplex and speed changed: from nothing to gigabit full duplex.
    expect(pair.a.phy.readRegister(PINTS)).toBe(0x7c00);
    expect([pair.a.phy.readRegister(PINTS), levels.length]).toEqual([0, 2]);
    pair.cable.cut();
    pair.pass(LINK_LOSS_NS);
    expect(levels).toEqual([true, false, true]);
    pair.a.phy.writeRegister(PINTE, 0);
    expect(levels).toEqual([true, false, true, false]);
    pair.a.phy.writeRegister(PINTE, PHY_INT_LINK);
    expect(levels.at(-1)).toBe(true);
    expect(pair.a.phy.readRegister(PINTS)).toBe(PHY_INT_LINK);
  });

  test('a partner that restarts takes the link down here too, within the loss timer', () => {
    const pair = new Pair().up();
    pair.a.phy.writeRegister(PCTRL, 0x1140 | ANRESTART);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([false, true]);
    expect(pair.a.phy.readRegister(PSTATUS)).toBe(0x7949);
    pair.pass(LINK_LOSS_NS);
    expect(pair.b.phy.link.up).toBe(false);
    pair.pass(BREAK_LINK_NS + PAGE_EXCHANGE_NS + LINK_PASS_NS);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([true, true]);
  });
});

describe('save and load', () => {
  test('saved in any state of the link and loaded elsewhere, it goes on to the same nanosecond', () => {
    const script = [0, 600e6, 1190e6, 1250e6, 1410e6, 1500e6, 2000e6, 2030e6, 3300e6, 4500e6];
    const build = () => new Pair({ seed: 'phys' });
    const save = (pair: Pair) =>
      structuredClone([pair.clock.save(), pair.cable.save(), pair.a.phy.save(), pair.b.phy.save()] as const);
    const upset = (pair: Pair) => {
      if (pair.clock.nowNs === 2000e6) pair.cable.cut();
      if (pair.clock.nowNs === 2030e6) pair.a.phy.writeRegister(PCTRL, 0x0100 | ANE_ENABLE | ANRESTART);
      if (pair.clock.nowNs === 3300e6) pair.cable.repair();
    };
    for (const savedAtNs of script) {
      const original = build();
      let copy: Pair | null = null;
      for (const atNs of script) {
        for (const pair of [original, copy]) pair?.clock.run(atNs);
        if (atNs === savedAtNs) {
          copy = build();
          const [clock, cable, a, b] = save(original);
          copy.clock.load(clock);
          copy.cable.load(cable);
          copy.a.phy.load(a);
          copy.b.phy.load(b);
        }
        for (const pair of [original, copy]) if (pair !== null) upset(pair);
      }
      for (const pair of [original, copy!]) pair.clock.run(8e9);
      expect(save(copy!)).toEqual(save(original));
      expect(original.a.phy.link.up).toBe(true);
    }
  });
});
