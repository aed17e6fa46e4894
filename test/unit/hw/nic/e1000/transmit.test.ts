import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, CMD, E1000Rig, octetsTo, Record, SEND } from '../../../../support/e1000-rig.ts';

const { ICR, TDH, TDT } = E1000;

describe('transmit, 82540EM manual 3.3', () => {
  it('sends the octets that a descriptor names', () => {
    const rig = new E1000Rig().openTx();
    const octets = octetsTo(BROADCAST, 100);
    rig.send(0, octets);
    rig.pass(10_000);
    expect(rig.far.arrivals.map(({ frame }) => frame.octets)).toEqual([octets]);
    expect(rig.far.arrivals[0]!.frame.fcsGood).toBe(true);
  });

  it('writes DD back when the frame has left the wire, not before', () => {
    const rig = new E1000Rig().openTx();
    rig.send(0, octetsTo(BROADCAST, 1514));
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([0, 0]);
    rig.pass(1518 * 8);
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([0, 0]);
    rig.pass(10_000);
    expect([rig.txStatus(0), rig.read(TDH.at)]).toEqual([1, 1]);
    expect(rig.read(ICR.at) & (ICR.TXDW | ICR.TXQE)).toBe(ICR.TXDW | ICR.TXQE);
  });
});
