import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { Statistics } from '../../../../../hw/nic/e1000/statistics.ts';
import { BROADCAST, E1000Rig, frameTo, NIC_MAC, octetsTo } from '../../../../support/e1000-rig.ts';

const MULTICAST = Uint8Array.of(0x01, 0x00, 0x5e, 0, 0, 1);
const BINS = ['64', '127', '255', '511', '1023', '1522'] as const;
/** Upper limits of the size classes, DA to FCS. */
const LIMITS = [64, 127, 255, 511, 1023, 1522] as const;

const counter = (rig: E1000Rig, name: string) => rig.read(E1000[name as keyof typeof E1000].at);

describe('statistics, 82540EM manual 13.7', () => {
  it('count received frames by size, kind and octets, FCS included', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 64, max: 1522 }), fc.constantFrom(NIC_MAC, MULTICAST, BROADCAST)), {
          maxLength: 6,
        }),
        frames => {
          const rig = new E1000Rig().openRx(64, E1000.RCTL.BAM | E1000.RCTL.MPE);
          rig.arrive(...frames.map(([wireBytes, destination]) => frameTo(destination, wireBytes)));
          const octets = frames.reduce((sum, [wireBytes]) => sum + wireBytes, 0);
          expect(BINS.map(bin => counter(rig, `PRC${bin}`))).toEqual(binned(frames.map(([wireBytes]) => wireBytes)));
          expect([counter(rig, 'GPRC'), counter(rig, 'TPR')]).toEqual([frames.length, frames.length]);
          expect(counter(rig, 'BPRC')).toBe(frames.filter(([, to]) => to === BROADCAST).length);
          expect(counter(rig, 'MPRC')).toBe(frames.filter(([, to]) => to === MULTICAST).length);
          expect([counter(rig, 'GORCL'), counter(rig, 'TORL')]).toEqual([octets, octets]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('count transmitted frames by size, kind and octets, FCS included', () => {
    const rig = new E1000Rig().openTx(64);
    const sizes = [20, 60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514];
    sizes.forEach((bytes, i) => {
      rig.send(i, octetsTo([NIC_MAC, MULTICAST, BROADCAST][i % 3]!, bytes));
      rig.pass(30_000);
    });
    const wire = sizes.map(bytes => Math.max(64, bytes + 4));
    expect(BINS.map(bin => counter(rig, `PTC${bin}`))).toEqual(binned(wire));
    expect(['GPTC', 'TPT', 'MPTC', 'BPTC'].map(name => counter(rig, name))).toEqual([12, 12, 4, 4]);
    const octets = wire.reduce((sum, bytes) => sum + bytes, 0);
    expect([counter(rig, 'GOTCL'), counter(rig, 'TOTL')]).toEqual([octets, octets]);
  });

  it('reset when read', () => {
    const rig = new E1000Rig().openRx();
    rig.arrive(frameTo(NIC_MAC, 100));
    expect([counter(rig, 'GPRC'), counter(rig, 'GPRC')]).toEqual([1, 0]);
  });

  it('of 64 bits clear in both halves when the high half is read, not the low one', () => {
    const rig = new E1000Rig().openRx();
    rig.arrive(frameTo(NIC_MAC, 100));
    expect(['GORCL', 'GORCL', 'GORCH', 'GORCL'].map(name => counter(rig, name))).toEqual([100, 100, 0, 0]);
  });

  it('stick at FFFFFFFFh, and carry from the low half to the high one', () => {
    const words = new Int32Array(2048);
    const statistics = new Statistics(words);
    words[E1000.GPRC.n] = -2;
    words[E1000.TORL.n] = -100;
    words[E1000.TOTL.n] = -100;
    words[E1000.TOTH.n] = -1;
    for (let i = 0; i < 3; i++) statistics.receivedGood(64, 0, false);
    for (let i = 0; i < 2; i++) statistics.received(64);
    for (let i = 0; i < 2; i++) statistics.transmitFailed(64);
    expect(words[E1000.GPRC.n]).toBe(-1);
    expect([words[E1000.TORH.n], words[E1000.TORL.n]]).toEqual([1, 28]);
    expect([words[E1000.TOTH.n], words[E1000.TOTL.n]]).toEqual([-1, -1]);
    statistics.countTimes(E1000.COLC.n, 5);
    words[E1000.ECOL.n] = -3;
    statistics.countTimes(E1000.ECOL.n, 16);
    expect([words[E1000.COLC.n], words[E1000.ECOL.n]]).toEqual([5, -1]);
  });
});

function binned(sizes: readonly number[]): number[] {
  return LIMITS.map((limit, i) => sizes.filter(size => size <= limit && size > (LIMITS[i - 1] ?? 0)).length);
}
