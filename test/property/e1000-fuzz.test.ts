/**
 * Whatever a guest and the wire do to the NIC, of either profile: no exception, bounded work per operation, DMA to
 * memory alone and only when allowed, and quiet afterwards. RINGTAIL_RUNS=100 makes it ten million operations.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROFILES } from '../../hw/nic/e1000/profile.ts';
import { E1000Fuzz } from '../support/e1000-fuzz.ts';

/** Of one run. There are a hundred runs for each profile. */
const OPERATIONS = 500;
const REFRESH_OPERATIONS = 50;
/** An operation lets 20 us pass at most: more events than these are out of proportion. */
const EVENTS_PER_OPERATION = 1000;
/** So are more transfers than these. QEMU's NIC works off the whole ring inside one write, up to 65528 descriptors. */
const TRANSFERS_PER_OPERATION = { strict: 1000, qemu72: 4 * 65_528 } as const;
/** Time for a frame under way at 10 Mb/s, and for the PHYs, to come to an end. */
const SETTLE_NS = 20_000_000;
const QUIET_NS = 1_000_000;
const QUIET_EVENTS = 100;

/** Far more than it takes. */
const TIMEOUT_MS = 60_000 * Number(process.env['RINGTAIL_RUNS'] ?? 1);

describe.each(Object.values(PROFILES))('a guest that does anything, profile $name', profile => {
  it(
    'gets bounded work for every operation, and quiet when it stops',
    () => {
      fc.assert(
        fc.property(fc.nat(), seed => {
          const fuzz = new E1000Fuzz(`fuzz ${seed}`, profile);
          for (let i = 0; i < OPERATIONS; i++) {
            if (i % REFRESH_OPERATIONS === 0) fuzz.refresh();
            const transfers = fuzz.guard.transfers;
            const events = fuzz.step();
            if (events > EVENTS_PER_OPERATION) expect.fail(`operation ${i}: ${events} events`);
            const moved = fuzz.guard.transfers - transfers;
            if (moved > TRANSFERS_PER_OPERATION[profile.name]) expect.fail(`operation ${i}: ${moved} transfers`);
          }
          fuzz.settle(SETTLE_NS);
          const before = fuzz.clock.eventCount;
          fuzz.clock.run(fuzz.clock.nowNs + QUIET_NS);
          expect(fuzz.clock.eventCount - before).toBeLessThan(QUIET_EVENTS);
        }),
      );
    },
    TIMEOUT_MS,
  );
});
