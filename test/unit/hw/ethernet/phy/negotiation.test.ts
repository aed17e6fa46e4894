import { describe, expect, test } from 'vitest';
import { pagesOf, resolveMaster } from '../../../../../hw/ethernet/phy/negotiation.ts';

const MANUAL_MASTER = 0x1800;
const MANUAL_SLAVE = 0x1000;
const MULTIPORT = 0x0400;
const SINGLE_PORT = 0x0000;

/** What the next pages bring from an end that can 1000BASE-T full duplex. */
const gigabit = (role: number, seed: number) => pagesOf(0x0de1, 0x0200 | role, seed).gigabit;

describe('master and slave, Table 40-5', () => {
  const roles = [MANUAL_SLAVE, SINGLE_PORT, MULTIPORT, MANUAL_MASTER];

  test('manual master before multiport before single port before manual slave, whatever the seeds', () => {
    roles.forEach((own, i) => {
      roles.forEach((partner, j) => {
        if (i === j) return;
        for (const [ownSeed, partnerSeed] of [
          [0, 2047],
          [2047, 0],
          [5, 5],
        ] as const) {
          const result = resolveMaster(gigabit(own, ownSeed), gigabit(partner, partnerSeed));
          expect(result).toBe(i > j ? 'master' : 'slave');
        }
      });
    });
  });

  test('among equals the higher seed is master; equal seeds are a tie; equal manual roles are a fault', () => {
    for (const role of [SINGLE_PORT, MULTIPORT]) {
      expect(resolveMaster(gigabit(role, 9), gigabit(role, 8))).toBe('master');
      expect(resolveMaster(gigabit(role, 8), gigabit(role, 9))).toBe('slave');
      expect(resolveMaster(gigabit(role, 8), gigabit(role, 8))).toBe('tie');
    }
    for (const role of [MANUAL_MASTER, MANUAL_SLAVE]) {
      expect(resolveMaster(gigabit(role, 9), gigabit(role, 8))).toBe('fault');
    }
  });

  test('a seed has eleven bits', () => {
    expect(gigabit(MULTIPORT, 0x12345)).toBe(gigabit(MULTIPORT, 0x345));
  });
});
