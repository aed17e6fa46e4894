/**
 * Two users who write, read, finish, close and abort whenever they like, over a link that loses, doubles and reorders
 * segments, or swallows long ones: each has read a beginning of what the other wrote, in order; and when both have
 * closed, both connections end in bounded time, whatever state they were in, and nothing is left.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TcpConnection } from '../../../kernel/net/tcp/connection.ts';
import { TcpPair } from '../../support/tcp-pair.ts';

const SECOND_NS = 1e9;
const ETHERNET_BYTES = 14;
/** R2, and what closing takes after it: FIN-WAIT-2 without a user, TIME-WAIT. */
const BOUND_NS = 1200 * SECOND_NS;

const octetAt = (side: number, i: number): number => (i * (side === 0 ? 7 : 11) + (i >> 8)) & 255;

/** One end, and what its user did. */
class End {
  readonly side: number;
  connection: TcpConnection | null = null;
  written = 0;
  read = 0;
  wrongAt = -1;

  constructor(side: number) {
    this.side = side;
  }

  write(count: number): void {
    const bytes = Uint8Array.from({ length: count }, (_, i) => octetAt(this.side, this.written + i));
    this.written += this.connection?.write(bytes) ?? 0;
  }

  take(count: number): void {
    for (const octet of this.connection?.read(count) ?? []) {
      if (octet !== octetAt(1 - this.side, this.read) && this.wrongAt < 0) this.wrongAt = this.read;
      this.read += 1;
    }
  }

  act(name: string, count: number): void {
    const { connection } = this;
    if (name === 'write') this.write(count);
    else if (name === 'read') this.take(count);
    else if (name === 'shutdown') connection?.shutdownWrite();
    else if (name === 'urgent') connection?.markUrgent(count);
    else if (name === 'close') connection?.close();
    else connection?.abort();
  }
}

const step = fc.record({
  side: fc.nat(1),
  name: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('write', 'read') },
    { weight: 2, arbitrary: fc.constantFrom('shutdown', 'close', 'urgent') },
    { weight: 1, arbitrary: fc.constant('abort') },
  ),
  count: fc.integer({ min: 1, max: 20_000 }),
  afterMs: fc.constantFrom(0, 1, 10, 100, 1000, 20_000),
});

const link = fc.record({
  loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
  duplicate: fc.double({ min: 0, max: 0.2, noNaN: true }),
  reorder: fc.double({ min: 0, max: 0.3, noNaN: true }),
  delayNs: fc.integer({ min: 1000, max: 100_000_000 }),
});

const options = fc.record({
  timestamps: fc.boolean(),
  windowScale: fc.boolean(),
  sack: fc.boolean(),
  noDelay: fc.boolean(),
  congestion: fc.constantFrom('reno' as const, 'newreno' as const, 'cubic' as const),
  lingerNs: fc.constantFrom(null, null, 0, 2 * SECOND_NS),
  receiveBufferBytes: fc.constantFrom(500, 8192, 131_072),
  // The reset of a peer that has given up may be lost, and then nothing else tells of it.
  keepAlive: fc.constant({ idleNs: 100 * SECOND_NS, intervalNs: 20 * SECOND_NS, count: 9 }),
});

test('streams are beginnings of what was written, and two closed ends are gone in bounded time', () => {
  fc.assert(
    fc.property(
      fc.string(),
      link,
      fc.constantFrom(1500, 1500, 1400, 600),
      options,
      options,
      fc.array(step, { maxLength: 25 }),
      (seed, faults, longestBytes, a, b, steps) => {
        const pair = new TcpPair(seed, faults);
        pair.lose = frame => frame.length - ETHERNET_BYTES > longestBytes;
        const ends = [new End(0), new End(1)] as const;
        const listener = pair.listen(b, {
          changed: () => {
            ends[1].connection ??= listener.accept({ changed: () => {} });
          },
        });
        ends[0].connection = pair.connect(a);
        for (const { side, name, count, afterMs } of steps) {
          ends[side]!.act(name, count);
          pair.run(afterMs * 1e6);
        }
        for (const end of ends) end.connection?.close();
        listener.close();
        pair.run(BOUND_NS);
        for (const end of ends) {
          expect(end.wrongAt).toBe(-1);
          expect(end.read).toBeLessThanOrEqual(ends[1 - end.side]!.written);
          expect(pair.rigs[end.side]!.net.tcp.connections().map(({ state }) => state)).toEqual([]);
          pair.rigs[end.side]!.expectNoLeak();
        }
      },
    ),
  );
});
