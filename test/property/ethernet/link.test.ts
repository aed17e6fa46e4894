/**
 * Link resolution for every pairing: what each end advertises, or forces, against the priority list of 28B.3 and the
 * rules of parallel detection, all written down here once more; and over each cable with each choice of MDI and MDI-X.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cable, type Wiring } from '../../../hw/ethernet/medium/cable.ts';
import { M88E1011 } from '../../../hw/ethernet/phy/phy.ts';
import { Clock } from '../../../hw/sim/clock.ts';
import { Prng } from '../../../hw/sim/prng.ts';
import { forcedControl } from '../../support/ethernet.ts';

type Mode = '1000FD' | '1000HD' | '100FD' | '100HD' | '10FD' | '10HD';

const PRIORITY: readonly Mode[] = ['1000FD', '1000HD', '100FD', '100HD', '10FD', '10HD'];
/** Bits of ANA and GCON. */
const ANA_BIT: Partial<Record<Mode, number>> = { '100FD': 0x100, '100HD': 0x80, '10FD': 0x40, '10HD': 0x20 };
const GCON_BIT: Partial<Record<Mode, number>> = { '1000FD': 0x200, '1000HD': 0x100 };

/** A PHY as software has set it up: it advertises some modes, or is forced to one. */
type Setup = { readonly offers: readonly Mode[] } | { readonly forced: Mode };

const OFFERS: Setup[] = Array.from({ length: 64 }, (_, set) => ({
  offers: PRIORITY.filter((_, i) => (set >>> i) & 1),
}));
const FORCED: Setup[] = PRIORITY.map(forced => ({ forced }));
const SETUPS = [...OFFERS, ...FORCED];

const speedOf = (mode: Mode) => Number.parseInt(mode, 10) as 10 | 100 | 1000;

/** What `own` ends up with when it faces `partner`: a mode, or null for no link. */
function oracle(own: Setup, partner: Setup): Mode | null {
  if ('offers' in own && 'offers' in partner) {
    return PRIORITY.find(mode => own.offers.includes(mode) && partner.offers.includes(mode)) ?? null;
  }
  if ('offers' in own && 'forced' in partner) {
    const speed = speedOf(partner.forced);
    if (speed === 1000) return null; // nothing that an idle gigabit transmitter sends can be told from noise
    return own.offers.includes(`${speed}HD`) ? `${speed}HD` : null;
  }
  if ('forced' in own && 'forced' in partner)
    return speedOf(own.forced) === speedOf(partner.forced) ? own.forced : null;
  // Forced facing one that negotiates. To 10BASE-T its bursts are link pulses, whatever they say.
  if ('forced' in own && 'offers' in partner) {
    return speedOf(own.forced) === 10 || oracle(partner, own) !== null ? own.forced : null;
  }
  return null;
}

/** Crossover as PSCON codes it. */
const CROSSOVERS = { MDI: 0, 'MDI-X': 1, auto: 3 } as const;
type CrossoverMode = keyof typeof CROSSOVERS;

/** Whether what one end sends is where the other listens, sooner or later. */
function pairsMeet(wiring: Wiring, left: CrossoverMode, right: CrossoverMode): boolean {
  if (left === 'auto' || right === 'auto') return true;
  return wiring === 'straight' ? left !== right : left === right;
}

function build(clock: Clock, setup: Setup, label: string, crossover: CrossoverMode = 'auto'): M88E1011 {
  const phy = new M88E1011(clock, new Prng(label));
  phy.writeRegister(16, 0x0300 | (CROSSOVERS[crossover] << 5));
  if ('forced' in setup) {
    phy.writeRegister(0, forcedControl(speedOf(setup.forced), setup.forced.endsWith('FD')));
  } else {
    const bits = (of: Partial<Record<Mode, number>>) => setup.offers.reduce((sum, mode) => sum | (of[mode] ?? 0), 0);
    phy.writeRegister(4, 0x0001 | bits(ANA_BIT));
    phy.writeRegister(9, 0x0400 | bits(GCON_BIT));
    phy.writeRegister(0, 0x9140);
  }
  return phy;
}

function modeOf({ link }: M88E1011): Mode | null {
  return link.up ? (`${link.speed}${link.fullDuplex ? 'FD' : 'HD'}` as Mode) : null;
}

describe('link resolution', () => {
  test('every setup facing every other gives what the standard says, in less than 3 s, and comes to rest', () => {
    const wrong: unknown[] = [];
    let mismatches = 0;
    for (const left of SETUPS) {
      for (const right of SETUPS) {
        const clock = new Clock();
        const phys = [build(clock, left, 'left'), build(clock, right, 'right')] as const;
        const cable = new Cable(clock, new Prng('cable'), 50);
        cable.connect(0, phys[0]);
        cable.connect(1, phys[1]);
        clock.run(2_999_999_999);
        const modes = [modeOf(phys[0]), modeOf(phys[1])] as const;
        const expected = [oracle(left, right), oracle(right, left)];
        if (modes[0] !== expected[0] || modes[1] !== expected[1] || !clock.idle) {
          wrong.push({ left, right, modes, expected, idle: clock.idle });
        }
        if (modes[0] !== null && modes[1] !== null && modes[0] !== modes[1]) {
          mismatches += 1;
          // A link at one speed with different duplex: exactly when one end alone is full duplex, by force.
          const full = modes[0].endsWith('FD') ? left : right;
          if (!('forced' in full)) wrong.push({ left, right, modes });
        }
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(mismatches).toBeGreaterThan(0);
  });

  test('over every cable with every choice of MDI and MDI-X is the same, or none where no pair meets another', () => {
    const modes = fc.constantFrom<CrossoverMode[]>('MDI', 'MDI-X', 'auto');
    const setups = fc.constantFrom(...SETUPS);
    const wirings = fc.constantFrom<Wiring[]>('straight', 'crossed');
    const seen = new Set<string>();
    const property = fc.property(
      setups,
      setups,
      modes,
      modes,
      wirings,
      fc.string(),
      (left, right, leftMode, rightMode, wiring, seed) => {
        const clock = new Clock();
        const phys = [
          build(clock, left, `${seed}/left`, leftMode),
          build(clock, right, `${seed}/right`, rightMode),
        ] as const;
        const cable = new Cable(clock, new Prng('cable'), 50, 0, wiring);
        cable.connect(0, phys[0]);
        cable.connect(1, phys[1]);
        clock.run(7_999_999_999);
        const meet = pairsMeet(wiring, leftMode, rightMode);
        expect([modeOf(phys[0]), modeOf(phys[1])]).toEqual(
          meet ? [oracle(left, right), oracle(right, left)] : [null, null], //
        );
        // PSSTAT shows what was chosen, or what software has fixed.
        const crossed = phys.map(phy => (phy.readRegister(17) & 0x40) !== 0);
        expect((crossed[0] !== crossed[1]) === (wiring === 'straight')).toBe(meet);
        for (const [i, mode] of [leftMode, rightMode].entries()) {
          if (mode !== 'auto') expect(crossed[i]).toBe(mode === 'MDI-X');
        }
        expect(cable.passing).toBe(meet);
        expect(clock.idle).toBe(true);
        seen.add(`${wiring} ${leftMode} ${rightMode}`);
      },
    );
    fc.assert(property, { numRuns: 4000 });
    expect(seen.size).toBe(18);
  });
});
