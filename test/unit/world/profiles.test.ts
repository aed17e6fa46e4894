/** Computers whose NICs have profiles. */
import { describe, expect, it } from 'vitest';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import type { NicOptions } from '../../../src/world/nic.ts';
import { World } from '../../../src/world/world.ts';

const ALICE = '192.0.2.1';
const BOB = '192.0.2.2';
/** Negotiation, and the second in which a NIC of QEMU receives nothing. */
const READY_NS = 4_000_000_000;
const WINDOW_NS = 128_000;

type Profile = NonNullable<NicOptions['profile']>;

/** Round trips of three pings between a NIC of each profile. */
function roundTrips(alice: Profile, bob: Profile): readonly number[] {
  const world = new World('1');
  const a = world.computer('alice', { nics: [{ address: `${ALICE}/24`, profile: alice }] });
  const b = world.computer('bob', { nics: [{ address: `${BOB}/24`, profile: bob }] });
  world.cable('cable', a.nics[0]!, b.nics[0]!);
  const reports: PingReport[] = [];
  a.start('ping', function* (sys) {
    yield* sys.sleep(READY_NS);
    yield* ping(parseIpv4(BOB), { count: 3, intervalNs: 100_000_000 }, report => reports.push(report))(sys);
  });
  world.run(READY_NS + 1_000_000_000);
  return reports.flatMap(report => (report.kind === 'reply' ? [report.rttNs] : []));
}

describe('the profile of a NIC', () => {
  it.each<[Profile, Profile]>([
    ['strict', 'strict'],
    ['qemu72', 'strict'],
    ['strict', 'qemu72'],
    ['qemu72', 'qemu72'],
  ])('lets computers talk: %s to %s', (alice, bob) => {
    const trips = roundTrips(alice, bob);
    expect(trips).toHaveLength(3);
    // The interrupt for the request that has been sent opens the window that the reply then falls into.
    for (const ns of trips.slice(1)) expect(ns > WINDOW_NS).toBe(alice === 'qemu72');
  });

  it('is one of those there are', () => {
    const nic = { profile: 'qemu8' as Profile };
    expect(() => new World('1').computer('a', { nics: [nic] })).toThrow('no NIC has the profile "qemu8"');
  });

  it.each(['constructor', 'toString'])('is none that every object has: %s', name => {
    const nic = { profile: name as Profile };
    expect(() => new World('1').computer('a', { nics: [nic] })).toThrow(RangeError);
  });
});
