/** Properties of stations around a hub, IEEE 802.3 clause 9. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Domain, type DomainStation } from '../../support/collision-domain.ts';

const script = fc.array(
  fc.record({
    atBits: fc.oneof(fc.nat(4000), fc.constantFrom(0, 1, 95, 96, 512), fc.nat(700)),
    station: fc.nat(7),
    bytes: fc.oneof(fc.integer({ min: 64, max: 1518 }), fc.constantFrom(64, 65, 1518)),
    fill: fc.nat(255),
  }),
  { minLength: 1, maxLength: 25 },
);
const seeds = fc.nat(1_000_000).map(String);

const ends = ({ finished }: DomainStation) =>
  finished.map(({ atNs, outcome, collisions }) => [atNs, outcome, collisions]);
const heard = ({ delivered }: DomainStation) =>
  delivered.map(({ atNs, frame }) => [atNs, frame.wireBytes, frame.octets[0]]);

describe('a hub', () => {
  test('without delay is a cable without length: the same frames, at the same times, with the same collisions', () => {
    let collisions = 0;
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), script, seeds, (count, handovers, seed) => {
        const zeros = new Array<number>(count).fill(0);
        const hub = Domain.aroundHub(zeros, 0, { seed }).play(handovers);
        const coax = Domain.onCoax(zeros, { seed }).play(handovers);
        hub.explain(() => {
          for (const [i, station] of hub.stations.entries()) {
            const other = coax.stations[i]!;
            expect(ends(station)).toEqual(ends(other));
            expect(heard(station)).toEqual(heard(other));
            expect(station.mac.counters.save()).toEqual(other.mac.counters.save());
            collisions += station.mac.counters.collisions;
          }
        });
      }),
    );
    expect(collisions).toBeGreaterThan(200);
  });

  test('within its limits loses nothing that was sent: every frame reaches every other station once, and none is late', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(10 as const, 100 as const),
        fc.array(fc.nat(100), { minLength: 2, maxLength: 8 }),
        fc.integer({ min: 0, max: 46 }),
        script,
        seeds,
        (speed, metres, delayBits, handovers, seed) => {
          const domain = Domain.aroundHub(metres, delayBits, { speed, seed }).play(handovers);
          domain.explain(() => {
            for (const [i, station] of domain.stations.entries()) {
              expect(station.mac.counters.lateCollisions).toBe(0);
              expect(station.finished.length).toBe(station.offered);
              const sent = domain.stations.flatMap(({ finished }, from) =>
                from === i ? [] : finished.filter(({ outcome }) => outcome === 'sent').map(({ frame }) => frame),
              );
              const got = station.delivered.map(({ frame }) => frame);
              expect(new Set(got)).toEqual(new Set(sent));
              expect(got.length).toBe(sent.length);
              // What else arrives is a fragment.
              for (const { frame } of station.heard) expect(frame.fcsGood || frame.wireBytes < 64).toBe(true);
            }
            expect(domain.clock.idle).toBe(true);
            expect(domain.hub!.ports.some(({ partitioned }) => partitioned)).toBe(false);
          });
        },
      ),
    );
  });
});
