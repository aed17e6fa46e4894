/** The alarms of 10 Mb/s as software of an M88E1011 sees them. */
import { describe, expect, test } from 'vitest';
import { JABBER_NS, UNJAB_NS } from '../../../../../hw/ethernet/phy/transceiver.ts';
import { frameOf, Pair } from '../../../../support/ethernet.ts';

const [PSTATUS, PSCON, PSSTAT] = [1, 16, 17];
const JABBER = 0x0002;
const REAL_TIME_JABBER = 0x0001;
const SQE_TEST = 0x0004;
const JABBER_DISABLE = 0x0001;

describe('M88E1011 at 10 Mb/s', () => {
  test('cuts a MAC off that does not stop; the bit latches, the one in real time goes', () => {
    const pair = new Pair().force(10, false);
    const { a, b } = pair;
    expect(a.phy.readRegister(PSTATUS) & JABBER).toBe(0);
    a.mac.policy.attemptLimit = 1;
    a.send(frameOf(60_000));
    pair.pass(JABBER_NS + 1_000_000);
    expect(a.sent.map(({ outcome }) => outcome)).toEqual(['excessive-collisions']);
    expect(b.arrivals.map(({ frame, atNs, startNs }) => [frame.fcsGood, atNs - startNs])).toEqual([[false, JABBER_NS]]);
    expect(a.phy.readRegister(PSSTAT) & REAL_TIME_JABBER).toBe(REAL_TIME_JABBER);
    pair.pass(UNJAB_NS + 100_000_000);
    expect(a.phy.readRegister(PSSTAT) & REAL_TIME_JABBER).toBe(0);
    expect(a.phy.readRegister(PSTATUS) & JABBER).toBe(JABBER);
    expect(a.phy.readRegister(PSTATUS) & JABBER).toBe(0);
    a.send(frameOf(64));
    pair.pass(1e6);
    expect(b.arrivals.length).toBe(2);
  });

  test.each([
    ['PSCON.JABBER_DISABLE is set', 10, JABBER_DISABLE],
    ['the speed is 100 Mb/s', 100, 0],
  ] as const)('does not where %s', (_, speed, control) => {
    const pair = new Pair().force(speed, false);
    pair.a.phy.writeRegister(PSCON, 0x0360 | control);
    pair.a.send(frameOf(400_000));
    pair.pass(400e6);
    expect(pair.a.sent.map(({ outcome }) => outcome)).toEqual(['sent']);
    expect(pair.a.phy.readRegister(PSTATUS) & JABBER).toBe(0);
  });

  test('performs the SQE test when PSCON.SQE_TEST is set, in half duplex', () => {
    for (const [control, errors] of [
      [SQE_TEST, 0],
      [0, 2],
    ] as const) {
      const pair = new Pair().force(10, false);
      pair.a.phy.writeRegister(PSCON, 0x0360 | control);
      pair.a.mac.policy.expectsSqeTest = true;
      pair.a.send(frameOf(64), frameOf(64));
      pair.pass(1e6);
      expect(pair.a.mac.counters).toMatchObject({ sqeTestErrors: errors, collisions: 0, framesOk: 2 });
    }
  });
});
