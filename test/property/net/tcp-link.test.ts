/**
 * Two stacks over a link that loses, doubles, reorders and damages frames: what the reader gets is what the writer
 * wrote, both ends reach CLOSED in bounded time, and nothing is left behind.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TcpOptions } from '../../../kernel/net/tcp/user.ts';
import { type LinkFaults, TcpPair } from '../../support/tcp-pair.ts';
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

describe('a path that changes', () => {
  const path = fc.record({
    loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
    duplicate: fc.double({ min: 0, max: 0.2, noNaN: true }),
    reorder: fc.double({ min: 0, max: 0.3, noNaN: true }),
    corrupt: fc.double({ min: 0, max: 0.1, noNaN: true }),
    delayNs: fc.integer({ min: 1000, max: 300_000_000 }),
    bitsPerSecond: fc.constantFrom(0, 1_000_000, 100_000_000),
  });
  /** A black hole lets at least those packets through that every host can take. */
  const mtu = fc.oneof(
    fc.record({ mtu: fc.constantFrom(296, 508, 576, 1006, 1492, 1500), tellsMtu: fc.constant(true) }),
    fc.record({ mtu: fc.integer({ min: 576, max: 1500 }), tellsMtu: fc.constant(false) }),
  );
  const change = fc.record({
    afterNs: fc.integer({ min: 0, max: 20 * SECOND_NS }),
    link: fc.oneof(mtu, mtu, path),
  });
  const reset = fc.option(
    fc.record({ afterNs: fc.integer({ min: 0, max: 60 * SECOND_NS }), end: fc.constantFrom('client', 'server') }),
    { freq: 3 },
  );
  interface Plan {
    readonly seed: string;
    readonly link: LinkFaults;
    readonly changes: readonly { readonly afterNs: number; readonly link: LinkFaults }[];
    readonly reset: { readonly afterNs: number; readonly end: string } | null;
    readonly ends: readonly [Partial<TcpOptions>, Partial<TcpOptions>];
    readonly bytes: number;
  }
  const plan: fc.Arbitrary<Plan> = fc.record({
    seed: fc.string({ maxLength: 4 }),
    link: fc.tuple(path, mtu).map(([one, other]) => ({ ...one, ...other })),
    changes: fc.array(change, { maxLength: 4 }),
    reset,
    ends: fc.tuple(options, options),
    bytes: fc.integer({ min: 0, max: 40_000 }),
  });

  /** Where a connection may well be given up. */
  const isBad = ({ loss = 0, corrupt = 0 }: LinkFaults): boolean => loss + corrupt > 0.1;

  /** Runs it to the end, and returns a hash of all frames with their times. */
  function play({ seed, link, changes, reset: broken, ends, bytes }: Plan): string {
    const pair = new TcpPair(seed, link);
    const hash = createHash('sha256');
    pair.lose = (frame, from) => {
      hash.update(`${pair.nowNs()} ${from} ${frame.length}`).update(frame);
      return false;
    };
    const transfer = new Transfer(pair, bytes, ...ends);
    const events = changes.map(({ afterNs, link: to }) => ({
      afterNs,
      act: () => {
        pair.link = { ...pair.link, ...to };
      },
    }));
    if (broken !== null) {
      const { afterNs, end } = broken;
      events.push({ afterNs, act: () => (end === 'client' ? transfer.client : transfer.server)?.abort() });
    }
    for (const { afterNs, act } of events.sort((a, b) => a.afterNs - b.afterNs)) {
      pair.run(Math.max(0, afterNs - pair.nowNs()), () => transfer.closed);
      act();
    }
    transfer.run(3600 * SECOND_NS);
    expect(transfer.wrongAt).toBe(-1);
    expect(transfer.received).toBeLessThanOrEqual(bytes);
    const mayFail = broken !== null || [link, ...changes.map(each => each.link)].some(isBad);
    if (!mayFail) expect(transfer.received).toBe(bytes);
    pair.run(1000 * SECOND_NS);
    for (const rig of pair.rigs) {
      expect(rig.net.tcp.connections().filter(each => each.state !== 'LISTEN')).toEqual([]);
      rig.expectNoLeak();
    }
    return hash.digest('hex');
  }

  test('what is received is what was sent, up to where the connection broke; both ends close, and all is given back', () => {
    fc.assert(
      fc.property(plan, each => void play(each)),
      { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 2) },
    );
  });

  test('one seed, one run: the same frames at the same times', () => {
    fc.assert(
      fc.property(plan, each => {
        expect(play(each)).toBe(play(each));
      }),
      { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 10) },
    );
  });
});
