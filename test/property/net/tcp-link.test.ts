/**
 * Two stacks over a link that loses, doubles, reorders and damages frames: what the reader gets is what the writer
 * wrote, both ends reach CLOSED in bounded time, and nothing is left behind.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TcpPair } from '../../support/tcp-pair.ts';
import { Transfer } from '../../support/tcp-transfer.ts';

const SECOND_NS = 1e9;

const faults = fc.record({
  loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
  duplicate: fc.double({ min: 0, max: 0.2, noNaN: true }),
  reorder: fc.double({ min: 0, max: 0.3, noNaN: true }),
  corrupt: fc.double({ min: 0, max: 0.1, noNaN: true }),
  delayNs: fc.integer({ min: 1000, max: 100_000_000 }),
  bitsPerSecond: fc.constantFrom(0, 1_000_000, 100_000_000),
});

const options = fc.record({
  timestamps: fc.boolean(),
  windowScale: fc.boolean(),
  sack: fc.boolean(),
  noDelay: fc.boolean(),
  congestion: fc.constantFrom('reno' as const, 'newreno' as const, 'cubic' as const),
  sendBufferBytes: fc.constantFrom(1000, 8192, 131_072),
  receiveBufferBytes: fc.constantFrom(1000, 8192, 131_072),
  mss: fc.constantFrom(0, 100, 536),
  // A peer that gave up, and whose reset was lost, is otherwise never missed.
  keepAlive: fc.constant({ idleNs: 100 * SECOND_NS, intervalNs: 20 * SECOND_NS, count: 9 }),
});

test('what is received is what was sent, both ends close, and everything is given back', () => {
  fc.assert(
    fc.property(
      fc.string(),
      faults,
      options,
      options,
      fc.integer({ min: 0, max: 60_000 }),
      (seed, link, a, b, bytes) => {
        const pair = new TcpPair(seed, link);
        const transfer = new Transfer(pair, bytes, a, b);
        transfer.run(3600 * SECOND_NS);
        expect(transfer.wrongAt).toBe(-1);
        const failed = transfer.client.hasError || (transfer.server?.hasError ?? true);
        if (link.loss + link.corrupt < 0.1) expect(failed).toBe(false);
        if (!failed) expect(transfer.received).toBe(bytes);
        expect(transfer.received).toBeLessThanOrEqual(bytes);
        pair.run(1000 * SECOND_NS);
        for (const rig of pair.rigs) {
          expect(rig.net.tcp.connections().filter(each => each.state !== 'LISTEN')).toEqual([]);
          rig.expectNoLeak();
        }
      },
    ),
  );
});
