/** Proportional rate reduction, RFC 6937. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateReduction } from '../../../../../kernel/net/tcp/rate-reduction.ts';
import { MSS, octets, SACK_OK, sackOf, TcpRig } from '../../../../support/tcp-rig.ts';

const MSS_BYTES = 1000;

function begun(flight: number): RateReduction {
  const reduction = new RateReduction();
  reduction.begin(flight * MSS_BYTES);
  return reduction;
}

test('section 3.1 with more on its way than the threshold, as many go out as the window is cut to', () => {
  const reduction = begun(20);
  const sent: number[] = [];
  for (let i = 0; i < 9; i++) {
    const count = reduction.allowance(MSS_BYTES, 15 * MSS_BYTES, 10 * MSS_BYTES, MSS_BYTES) / MSS_BYTES;
    reduction.sent(count * MSS_BYTES);
    sent.push(count);
  }
  expect(sent).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1]);
});

test('section 3.1 with less on its way, an ACK lets go what has arrived and one segment more, up to the threshold', () => {
  const reduction = begun(20);
  expect(reduction.allowance(MSS_BYTES, 4 * MSS_BYTES, 10 * MSS_BYTES, MSS_BYTES)).toBe(2 * MSS_BYTES);
  reduction.sent(2 * MSS_BYTES);
  expect(reduction.allowance(MSS_BYTES, 9.5 * MSS_BYTES, 10 * MSS_BYTES, MSS_BYTES)).toBe(MSS_BYTES);
  expect(reduction.allowance(MSS_BYTES, 10 * MSS_BYTES, 10 * MSS_BYTES, MSS_BYTES)).toBe(0);
});

test('section 4.1 no more goes out than has arrived, but for one segment for each ACK, and rounding', () => {
  const step = fc.record({ delivered: fc.integer({ min: 0, max: 4 }), pipe: fc.integer({ min: 0, max: 40 }) });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.array(step, { maxLength: 40 }), (flight, steps) => {
      const reduction = begun(flight);
      const threshold = Math.max(2, flight >> 1) * MSS_BYTES;
      let delivered = 0;
      let sent = 0;
      for (const each of steps) {
        delivered += each.delivered * MSS_BYTES;
        const bytes = reduction.allowance(each.delivered * MSS_BYTES, each.pipe * MSS_BYTES, threshold, MSS_BYTES);
        expect(bytes % MSS_BYTES).toBe(0);
        expect(bytes).toBeGreaterThanOrEqual(0);
        expect(bytes).toBeLessThanOrEqual(Math.max(delivered - sent, each.delivered * MSS_BYTES) + MSS_BYTES);
        sent += bytes;
        reduction.sent(bytes);
      }
    }),
  );
});

test('when half of what is in flight is lost, the window is the threshold at the end of recovery', () => {
  const rig = new TcpRig();
  const options = { sack: true, proportionalRateReduction: true, initialWindowSegments: 10 };
  const connection = rig.accepted(options, { options: [...MSS(MSS_BYTES), ...SACK_OK] });
  connection.write(octets(40_000));
  rig.settle();
  rig.drain();
  // Every second segment is lost; the peer says so with each that arrives.
  const blocks: (readonly [number, number])[] = [];
  for (const start of [1001, 3001, 5001, 7001, 9001]) {
    blocks.unshift([start, start + MSS_BYTES]);
    rig.send({ ack: 1, options: sackOf(rig, ...blocks.slice(0, 3)) });
  }
  expect(connection.info()).toMatchObject({ recovery: 'recovery', ssthresh: 5000 });
  rig.drain();
  rig.send({ ack: connection.info().unacked + 1 });
  expect(connection.info()).toMatchObject({ recovery: 'open', cwnd: 5000 });
});
