/**
 * The 82540EM in half duplex: what software sets (TCTL, TIPG, CTRL), and what it sees of collisions in descriptors and
 * counters. Manual sections 8.4.2, 13.4.33, 13.4.34 and 13.7. At the far end of the cable stands somebody who disturbs.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import type { LinkSignal, MediumListener, MediumPort, Transmission } from '../../../../../hw/ethernet/ports.ts';
import { transmissionOf } from '../../../../../hw/ethernet/transmission.ts';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, E1000Rig, FAR_MAC, frameTo, octetsTo } from '../../../../support/e1000-rig.ts';
import { forcedControl } from '../../../../support/ethernet.ts';

const BIT_NS = 10;
const DD = 1;
const EC = 2;
const LC = 4;
const PHY_SPECIFIC_CONTROL = 16;
const ASSERT_CRS_ON_TX = 0x800;
const COUNTERS = ['SCC', 'MCC', 'ECOL', 'LATECOL', 'COLC', 'DC', 'TNCRS', 'GPTC', 'TPT'] as const;

/** Sends a short frame into the first `times` transmissions that reach it, so many bits after their beginning. */
class Disturber implements MediumListener {
  times = 0;
  afterBits = 100;
  readonly seen: Transmission[] = [];
  readonly #rig: E1000Rig;
  #port: MediumPort | null = null;

  constructor(rig: E1000Rig) {
    this.#rig = rig;
  }

  plugged(port: MediumPort | null): void {
    this.#port = port;
    port?.signal({ kind: 'idle', speed: 100 });
  }

  send(startNs: number, bytes = 60): void {
    this.sendFrame(Frame.withFcs(octetsTo(BROADCAST, bytes)), startNs);
  }

  sendFrame(frame: Frame, startNs: number): void {
    this.#port!.transmit(transmissionOf(frame, BIT_NS, startNs));
  }

  get carrier() {
    return {
      carrierOn: (transmission: Transmission) => {
        this.seen.push(transmission);
        if (this.times <= 0) return;
        this.times -= 1;
        this.send(this.#rig.clock.nowNs + this.afterBits * BIT_NS);
      },
      carrierOff: () => {},
    };
  }

  arrived(): void {}
  linkSignal(_signal: LinkSignal | null): void {}
}

let rig: E1000Rig;
let far: Disturber;

beforeEach(() => {
  rig = new E1000Rig({ link: false });
  far = new Disturber(rig);
  rig.cable.unplug(1);
  rig.cable.connect(1, far);
  rig.nic.phy.writeRegister(PHY_SPECIFIC_CONTROL, ASSERT_CRS_ON_TX);
  rig.nic.phy.writeRegister(0, forcedControl(100, false));
  rig.pass(2_000_000_000);
  rig.openTx().openRx();
  control({});
  rig.write(E1000.TIPG.at, 8 | (8 << 10) | (6 << 20));
});

function control({ threshold = 15, retransmitLate = false }): void {
  const { EN, PSP, RTLC } = E1000.TCTL;
  rig.write(E1000.TCTL.at, EN | PSP | (threshold << 4) | (64 << 12) | (retransmitLate ? RTLC : 0));
}

/** Counters that are not zero. */
function counters(): Partial<Record<(typeof COUNTERS)[number], number>> {
  const all = COUNTERS.map(name => [name, rig.read(E1000[name].at)] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== 0));
}

/** Sends one frame, which is disturbed so often, and waits for its end. */
function send(times: number, afterBits = 100, bytes = 1000): number {
  far.times = times;
  far.afterBits = afterBits;
  rig.send(0, octetsTo(FAR_MAC, bytes));
  rig.pass(500_000_000);
  return rig.txStatus(0);
}

test('STATUS says half duplex', () => {
  expect(rig.read(E1000.STATUS.at) & (E1000.STATUS.FD | E1000.STATUS.LU)).toBe(E1000.STATUS.LU);
});

describe('a frame that meets', () => {
  test.each([
    [0, { GPTC: 1, TPT: 1 }],
    [1, { SCC: 1, COLC: 1, GPTC: 1, TPT: 1 }],
    [2, { MCC: 1, COLC: 2, GPTC: 1, TPT: 1 }],
    [15, { MCC: 1, COLC: 15, GPTC: 1, TPT: 1 }],
  ])('%d collisions goes out, and is counted by them', (times, expected) => {
    expect(send(times)).toBe(DD);
    expect(counters()).toEqual(expected);
    expect(far.seen).toHaveLength(times + 1);
  });

  test('16 collisions is given up with EC and ECOL, and the next one begins with a clean slate', () => {
    expect(send(16)).toBe(DD | EC);
    expect(counters()).toEqual({ ECOL: 1, COLC: 16, TPT: 1 });
    rig.send(1, octetsTo(FAR_MAC, 100));
    rig.pass(1_000_000);
    expect(rig.txStatus(1)).toBe(DD);
    expect(counters()).toEqual({ GPTC: 1, TPT: 1 });
  });

  test('more collisions than TCTL.CT is given up with EC, but not in ECOL', () => {
    control({ threshold: 3 });
    expect(send(10)).toBe(DD | EC);
    expect(counters()).toEqual({ COLC: 4, TPT: 1 });
    expect(far.seen).toHaveLength(4);
  });

  test('a late collision is given up with LC, unless TCTL.RTLC says retransmit', () => {
    expect(send(1, 600)).toBe(DD | LC);
    expect(counters()).toEqual({ LATECOL: 1, TPT: 1 });
    expect(far.seen).toHaveLength(1);
    control({ retransmitLate: true });
    rig.send(1, octetsTo(FAR_MAC, 1000));
    far.times = 1;
    rig.pass(500_000_000);
    expect(rig.txStatus(1)).toBe(DD | LC);
    expect(counters()).toEqual({ LATECOL: 1, SCC: 1, GPTC: 1, TPT: 1 });
    expect(far.seen).toHaveLength(3);
  });
});

test.each([
  [512, DD, { SCC: 1, COLC: 1 }],
  [513, DD | LC, { LATECOL: 1 }],
])('a collision after %d bits, preamble included: one slot divides late from not late', (bits, status, expected) => {
  expect(send(1, bits)).toBe(status);
  expect(counters()).toMatchObject(expected);
});

describe('the gap before a frame that had to wait', () => {
  test.each([
    [8, 6, 96],
    [4, 2, 64],
    [12, 10, 128],
  ])('IPGR1 %d and IPGR2 %d: %d bits after the other’s carrier, which counts in DC', (ipgr1, ipgr2, bits) => {
    rig.write(E1000.TIPG.at, 8 | (ipgr1 << 10) | (ipgr2 << 20));
    send(0); // TIPG counts from the frame behind this one on
    rig.write(E1000.TDT.at, 1);
    counters();
    const startNs = rig.clock.nowNs + 1000;
    far.send(startNs, 1000);
    rig.pass(2000);
    rig.send(1, octetsTo(FAR_MAC, 100));
    rig.pass(1_000_000);
    const endNs = startNs + (64 + 8 * 1004) * BIT_NS;
    expect((far.seen[1]!.startNs - endNs) / BIT_NS).toBe(bits);
    expect(counters()).toEqual({ DC: 1, GPTC: 1, TPT: 1 });
  });

  test.each([
    [8, 0, 96],
    [10, 0, 112],
    [8, 5, 136],
  ])('IPGT %d and AIFS %d: %d bits after an own frame', (ipgt, aifs, bits) => {
    rig.write(E1000.TIPG.at, ipgt | (8 << 10) | (6 << 20));
    rig.write(E1000.AIT.at, aifs);
    rig.txLegacy(0, rig.txBuffer(0, octetsTo(FAR_MAC, 500)), 500, 0x0b);
    rig.txLegacy(1, rig.txBuffer(1, octetsTo(FAR_MAC, 500)), 500, 0x0b);
    rig.write(E1000.TDT.at, 2);
    rig.pass(1_000_000);
    const [first, second] = far.seen;
    expect((second!.startNs - first!.endNs) / BIT_NS).toBe(bits);
  });
});

test('without carrier of its own each frame counts in TNCRS', () => {
  rig.nic.phy.writeRegister(PHY_SPECIFIC_CONTROL, 0);
  expect(send(0)).toBe(DD);
  expect(counters()).toEqual({ TNCRS: 1, GPTC: 1, TPT: 1 });
});

test('CTRL.FRCDPLX and FD make the MAC deaf to others, whatever the PHY says', () => {
  const { FD, FRCDPLX } = E1000.CTRL;
  rig.write(E1000.CTRL.at, rig.read(E1000.CTRL.at) | FRCDPLX | FD);
  expect(rig.read(E1000.STATUS.at) & E1000.STATUS.FD).toBe(E1000.STATUS.FD);
  expect(send(1)).toBe(DD);
  expect(counters()).toEqual({ GPTC: 1, TPT: 1 });
  rig.write(E1000.CTRL.at, rig.read(E1000.CTRL.at) & ~FRCDPLX);
  rig.send(1, octetsTo(FAR_MAC, 1000));
  far.times = 1;
  rig.pass(500_000_000);
  expect(counters()).toMatchObject({ SCC: 1, COLC: 1 });
});

describe('what comes in', () => {
  const kinds = ['RUC', 'RFC', 'RLEC', 'CRCERRS', 'ALGNERRC', 'RXERRC', 'ROC', 'RJC', 'GPRC'] as const;
  const seen = () => kinds.filter(kind => rig.read(E1000[kind].at) === 1);
  const arrive = (frame: Frame) => {
    far.sendFrame(frame, rig.clock.nowNs + 1000);
    rig.pass(1_000_000);
  };
  const damaged = (bytes: number, errors = { dribbleBits: 0, rxError: false }) =>
    Frame.spoilt(octetsTo(BROADCAST, bytes), errors);

  test('while it sends is lost without a trace', () => {
    send(1);
    expect(seen()).toEqual([]);
  });

  test.each([
    ['good', frameTo(BROADCAST, 64), ['GPRC']],
    ['short with a good FCS', frameTo(BROADCAST, 63), ['RUC', 'RLEC']],
    ['the remains of a collision', damaged(30), ['RFC', 'RLEC']],
    ['damaged', damaged(64), ['CRCERRS']],
    ['damaged, with bits behind the last octet', damaged(64, { dribbleBits: 3, rxError: false }), ['ALGNERRC']],
    ['marked by the PHY', damaged(64, { dribbleBits: 0, rxError: true }), ['RXERRC']],
    ['too long', frameTo(BROADCAST, 1523), ['RLEC', 'ROC']],
    ['too long and damaged', damaged(1523), ['RLEC', 'RJC']],
  ])('%s: counts as what it is', (_, frame, expected) => {
    arrive(frame);
    expect(seen()).toEqual(expected);
  });
});
