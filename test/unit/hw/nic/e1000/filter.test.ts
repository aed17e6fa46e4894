import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, E1000Rig, FAR_MAC, frameTo, NIC_MAC, octetsTo } from '../../../../support/e1000-rig.ts';

const { GPRC, MTA, RAH, RAL, RCTL, RDT, VFTA } = E1000;
const PIF = 0x80;
const MULTICAST = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x12, 0xf3);

/** Whether a frame to `destination` gets in, and with which PIF. */
function offered(rig: E1000Rig, frame: Frame): { accepted: boolean; inexact: boolean } {
  const index = rig.read(E1000.RDH.at);
  rig.arrive(frame);
  const accepted = rig.read(GPRC.at) === 1;
  if (accepted) rig.write(RDT.at, index);
  return { accepted, inexact: accepted && (rig.rxDescriptor(index).status & PIF) !== 0 };
}

describe('the address filter, 82540EM manual 3.2.1', () => {
  const cases = [
    ['unicast for this station', NIC_MAC, 0, true, false],
    ['unicast for another', FAR_MAC, 0, false, false],
    ['unicast for another with UPE', FAR_MAC, RCTL.UPE, true, true],
    ['broadcast', BROADCAST, 0, false, false],
    ['broadcast with BAM', BROADCAST, RCTL.BAM, true, false],
    ['broadcast with MPE', BROADCAST, RCTL.MPE, false, false],
    ['multicast', MULTICAST, 0, false, false],
    ['multicast with MPE', MULTICAST, RCTL.MPE, true, true],
    ['multicast with UPE', MULTICAST, RCTL.UPE, false, false],
  ] as const;

  it.each(cases)('%s', (_text, destination, rctl, accepted, inexact) => {
    const rig = new E1000Rig().openRx(8, rctl);
    expect(offered(rig, frameTo(destination, 64))).toEqual({ accepted, inexact });
  });

  it('matches any of sixteen addresses, each only while AV is set', () => {
    const rig = new E1000Rig().openRx(8, 0);
    for (let i = 1; i < 16; i++) {
      const address = Uint8Array.of(0x02, 0, 0, 0, 0x10, i);
      rig.write(RAL.at + 8 * i, 0x02);
      rig.write(RAH.at + 8 * i, 0x10 | (i << 8));
      expect(offered(rig, frameTo(address, 64)).accepted).toBe(false);
      rig.write(RAH.at + 8 * i, 0x10 | (i << 8) | RAH.AV);
      expect(offered(rig, frameTo(address, 64))).toEqual({ accepted: true, inexact: false });
    }
  });

  it('compares the source address where AS is 1', () => {
    const rig = new E1000Rig().openRx(8, 0);
    rig.write(RAL.at + 8, 0x00005452);
    rig.write(RAH.at + 8, 0x0200 | (1 << 16) | RAH.AV);
    expect(offered(rig, frameTo(BROADCAST, 64)).accepted).toBe(true);
  });

  it('hashes multicast addresses by 12 bits, which RCTL.MO chooses', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.uint8Array({ minLength: 6, maxLength: 6 }), (mo, address) => {
        address[0]! |= 1;
        if (address.every(octet => octet === 0xff)) return;
        const rig = new E1000Rig().openRx(8, mo << 12);
        expect(offered(rig, frameTo(address, 64)).accepted).toBe(false);
        // MO 0: bits 47:36 of the address, sent last to first octet; 1: 46:35; 2: 45:34; 3: 43:32.
        const top = (address[5]! << 8) | address[4]!;
        const hash = [top >> 4, top >> 3, top >> 2, top][mo]! & 0xfff;
        rig.write(MTA.at + 4 * (hash >> 5), 1 << (hash & 31));
        expect(offered(rig, frameTo(address, 64))).toEqual({ accepted: true, inexact: true });
      }),
      { numRuns: 40 },
    );
  });

  it('does not apply the multicast table to unicast or broadcast', () => {
    const rig = new E1000Rig().openRx(8, 0);
    for (let i = 0; i < 128; i++) rig.write(MTA.at + 4 * i, -1);
    expect(offered(rig, frameTo(FAR_MAC, 64)).accepted).toBe(false);
    expect(offered(rig, frameTo(BROADCAST, 64)).accepted).toBe(false);
    expect(offered(rig, frameTo(MULTICAST, 64)).accepted).toBe(true);
  });
});

describe('the VLAN filter, 82540EM manual 9.3', () => {
  function tagged(tag: number): Frame {
    const octets = octetsTo(NIC_MAC, 100);
    octets.set([0x81, 0x00, tag >> 8, tag & 0xff], 12);
    return Frame.withFcs(octets);
  }

  it('with VFE lets in tagged frames whose VFTA bit is set, and untagged ones', () => {
    const rig = new E1000Rig().openRx(8, RCTL.VFE);
    rig.write(VFTA.at + 4 * (0x123 >> 5), 1 << (0x123 & 31));
    expect(offered(rig, tagged(0xe123)).accepted).toBe(true);
    expect(offered(rig, tagged(0x124)).accepted).toBe(false);
    expect(offered(rig, frameTo(NIC_MAC, 100)).accepted).toBe(true);
  });

  it('without VFE looks at no tag', () => {
    const rig = new E1000Rig().openRx(8, 0);
    expect(offered(rig, tagged(0x124)).accepted).toBe(true);
  });

  it('with CFIEN compares the CFI bit', () => {
    const rig = new E1000Rig().openRx(8, RCTL.VFE | RCTL.CFIEN);
    rig.write(VFTA.at, 2);
    expect([offered(rig, tagged(0x0001)).accepted, offered(rig, tagged(0x1001)).accepted]).toEqual([true, false]);
    rig.write(RCTL.at, RCTL.EN | RCTL.VFE | RCTL.CFIEN | RCTL.CFI);
    expect([offered(rig, tagged(0x0001)).accepted, offered(rig, tagged(0x1001)).accepted]).toEqual([false, true]);
  });
});
