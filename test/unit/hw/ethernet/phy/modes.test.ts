/** What PCTRL can do to a PHY besides forcing a mode: reset, power-down, loopback, isolation. */
import { describe, expect, test } from 'vitest';
import { BREAK_LINK_NS, LINK_PASS_NS, PAGE_EXCHANGE_NS } from '../../../../../hw/ethernet/phy/link.ts';
import { type Endpoint, frameOf, Pair } from '../../../../support/ethernet.ts';

const [PCTRL, PSTATUS, ANA, LPA, ANE] = [0, 1, 4, 5, 6];
const [PSSTAT, PINTS, PREC] = [17, 19, 21];
const RESET = 0x8000;
const LOOPBACK = 0x4000;
const PDOWN = 0x0800;
const ISOLATE = 0x0400;
const LINK = 0x0004;

const NEGOTIATION_NS = BREAK_LINK_NS + PAGE_EXCHANGE_NS + LINK_PASS_NS;

const status = ({ phy }: Endpoint) => [phy.readRegister(PSTATUS), phy.readRegister(PSTATUS)];

describe('reset, power-down, loopback, isolate', () => {
  test('RESET keeps the configuration and clears the status', () => {
    const pair = new Pair().up();
    pair.a.phy.writeRegister(16, 0x0b60);
    pair.a.phy.writeRegister(20, 0x0170);
    pair.a.phy.writeRegister(ANA, 0x01e1);
    pair.a.phy.writeRegister(PCTRL, 0x1140 | RESET);
    const read = [PCTRL, PSTATUS, ANA, LPA, ANE, 16, PINTS, 20].map(reg => pair.a.phy.readRegister(reg));
    expect(read).toEqual([0x1140, 0x7949, 0x01e1, 0, 0, 0x0b60, 0, 0x0170]);
    expect(pair.a.phy.readRegister(PSSTAT) & ~0x0040).toBe(0); // which pair it sends on outlives the link
    pair.up();
    expect(pair.a.phy.link.speed).toBe(1000);
  });

  test('the reset pin restores every register, is silent while held, and negotiates on release', () => {
    const pair = new Pair().up();
    pair.a.phy.writeRegister(16, 0x0b60);
    pair.a.phy.writeRegister(PCTRL, 0x0140);
    pair.a.phy.holdReset(true);
    pair.pass(60e9);
    expect([pair.a.phy.link.up, pair.b.phy.link.up, pair.clock.idle]).toEqual([false, false, true]);
    pair.a.phy.holdReset(false);
    expect([pair.a.phy.readRegister(PCTRL), pair.a.phy.readRegister(16)]).toEqual([0x1140, 0x0360]);
    pair.pass(NEGOTIATION_NS);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([true, true]);
  });

  test('power-down is silent and answers by MDIO; its end starts anew', () => {
    const pair = new Pair().up();
    pair.a.phy.writeRegister(PCTRL, 0x1140 | PDOWN);
    expect(pair.a.phy.link.up).toBe(false);
    expect(pair.a.phy.readRegister(2)).toBe(0x0141);
    pair.pass(60e9);
    expect([pair.b.phy.link.up, pair.clock.idle]).toEqual([false, true]);
    pair.a.phy.writeRegister(PCTRL, 0x1140);
    pair.pass(NEGOTIATION_NS);
    expect([pair.a.phy.link.up, pair.b.phy.link.up]).toEqual([true, true]);
  });

  test('loopback returns frames to the own MAC with the link up, and nothing reaches the wire', () => {
    const pair = new Pair().up();
    const onWire: number[] = [];
    pair.cable.onFrame = from => onWire.push(from);
    pair.a.phy.writeRegister(PCTRL, 0x0140 | LOOPBACK);
    expect(pair.a.phy.link).toEqual({ up: true, speed: 1000, fullDuplex: true });
    expect(status(pair.a)[1]! & LINK).toBe(LINK);
    const frames = [frameOf(64), frameOf(512), frameOf(64, 1)];
    const beganNs = pair.clock.nowNs;
    pair.a.send(...frames);
    pair.pass(10_000);
    expect(pair.a.arrivals.map(arrival => arrival.frame)).toEqual(frames);
    expect(pair.a.arrivals.map(arrival => arrival.atNs)).toEqual(pair.a.sent.map(sent => sent.atNs));
    expect(pair.a.arrivals[0]!.atNs).toBe(beganNs + 576);
    pair.pass(60e9);
    expect([onWire, pair.b.phy.link.up, pair.clock.idle]).toEqual([[], false, true]);
    pair.a.phy.writeRegister(PCTRL, 0x1140);
    pair.up();
    pair.a.send(frameOf(64));
    pair.pass(1000);
    expect(onWire).toEqual([0]);
  });

  test('loopback at 10 Mb/s takes the time of 10 Mb/s', () => {
    const pair = new Pair().up();
    pair.a.phy.writeRegister(PCTRL, 0x0100 | LOOPBACK);
    pair.a.send(frameOf(64));
    pair.pass(57_600);
    expect(pair.a.arrivals.map(arrival => arrival.bitNs)).toEqual([100]);
  });

  test('isolated, the PHY keeps its link and neither gives nor takes frames', () => {
    const pair = new Pair().up();
    pair.a.phy.writeRegister(PCTRL, 0x1140 | ISOLATE);
    pair.a.send(frameOf(64));
    pair.b.send(frameOf(64));
    pair.pass(5e9);
    expect([pair.a.phy.link.up, pair.a.arrivals.length, pair.b.arrivals.length]).toEqual([true, 0, 0]);
    pair.a.phy.writeRegister(PCTRL, 0x1140);
    pair.b.send(frameOf(64));
    pair.pass(5e9);
    expect(pair.a.arrivals.length).toBe(1);
  });

  test('frames with RX_ER are counted, and reading clears the count', () => {
    const pair = new Pair().up();
    pair.a.send(frameOf(512));
    pair.pass(1000);
    pair.cable.cut();
    expect(pair.b.phy.readRegister(PREC)).toBe(0);
    pair.pass(1000);
    expect(pair.b.phy.readRegister(PREC)).toBe(1);
    expect(pair.b.phy.readRegister(PREC)).toBe(0);
  });
});
