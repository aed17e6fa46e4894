/**
 * Link resolution for every pairing: what each end advertises, or forces, against the priority list of 28B.3 and the
 * rules of parallel detection, all written down here once more.
 */
import { describe, expect, test } from 'vitest';
import { Cable } from '../../../hw/ethernet/medium/cable.ts';
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

function build(clock: Clock, setup: Setup, label: string): M88E1011 {
  const phy = new M88E1011(clock, new Prng(label));
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
});
