/**
 * The receiver of a connection, driven by segments, against a model that keeps one octet for each place and one number,
 * the right edge as far as it was ever promised. Segments come in any order, overlap, contradict each other, lie before,
 * over and behind the window; the program reads when it likes.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MSS, SACK_OK, TcpRig } from '../support/tcp-rig.ts';

const BUFFER_BYTES = 1000;
const SOME = { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 2) };

const segment = fc.record({
  /** Counted from RCV.NXT. */
  offset: fc.oneof(fc.integer({ min: -200, max: 1200 }), fc.constantFrom(-1, 0, 0, 0, 1, 999, 1000)),
  length: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constantFrom(1, 1200)),
  fill: fc.nat(255),
});
const step = fc.oneof(
  segment,
  segment,
  segment,
  fc.record({ read: fc.integer({ min: 1, max: 1500 }) }),
  fc.record({ waitMs: fc.integer({ min: 1, max: 500 }) }),
);

/** Places are those of octets in the stream, from 0; the number of a segment is one more. */
class Model {
  readonly arrived = new Map<number, number>();
  next = 0;
  readTo = 0;
  edge = BUFFER_BYTES;

  /** RFC 9293 table 6, then what lies in the window; of two copies the first counts. */
  take(from: number, octets: Uint8Array): void {
    const end = from + octets.length;
    const inWindow = (place: number) => place >= this.next && place < this.edge;
    if (!inWindow(from) && !inWindow(end - 1)) return;
    for (let place = Math.max(from, this.next); place < Math.min(end, this.edge); place++) {
      if (!this.arrived.has(place)) this.arrived.set(place, octets[place - from]!);
    }
    while (this.arrived.has(this.next)) this.next += 1;
  }

  read(most: number): number[] {
    const count = Math.min(most, this.next - this.readTo);
    this.readTo += count;
    return Array.from({ length: count }, (_, i) => this.arrived.get(this.readTo - count + i)!);
  }
}

test('a receiver keeps what the window allows, once, gives it in order, and never takes back what it promised', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), fc.array(step, { maxLength: 60 }), (iss, sack, steps) => {
      const rig = new TcpRig();
      rig.peerIss = iss >>> 0;
      const connection = rig.accepted(
        { receiveBufferBytes: BUFFER_BYTES, sack },
        { options: [...MSS(1460), ...SACK_OK] },
      );
      const model = new Model();
      /** What the host has said since, against the model. */
      const check = () => {
        for (const { flags, ack, window } of rig.drain()) {
          expect(flags).toBe('A');
          expect(ack).toBeLessThanOrEqual(model.next + 1);
          expect(ack - 1 + window).toBeGreaterThanOrEqual(model.edge);
          model.edge = ack - 1 + window;
          expect(model.edge - model.readTo).toBeLessThanOrEqual(BUFFER_BYTES);
        }
        expect(connection.readableBytes).toBe(model.next - model.readTo);
        expect(connection.info().outOfOrder).toBe([...model.arrived.keys()].filter(each => each >= model.next).length);
      };
      for (const each of steps) {
        if ('read' in each) expect(rig.read(connection, each.read)).toEqual(model.read(each.read));
        else if ('waitMs' in each) rig.advance(each.waitMs * 1e6);
        else {
          const from = model.next + each.offset;
          const octets = Uint8Array.from({ length: each.length }, (_, i) => each.fill + i);
          if (from + each.length > model.edge) refused += 1;
          if (each.length > 0) model.take(from, octets);
          rig.send({ seq: from + 1, data: octets });
        }
        check();
      }
      // Quiet, then all has been acknowledged; the rest of the stream comes in order, and its end.
      rig.advance(1e9);
      const last = rig.drain().at(-1);
      if (last !== undefined) expect(last.ack).toBe(model.next + 1);
      expect(rig.read(connection)).toEqual(model.read(BUFFER_BYTES));
      rig.send({ flags: 'FA', seq: model.next + 1 });
      if (connection.info().outOfOrder === 0) expect(connection.atEof).toBe(true);
    }),
    SOME,
  );
  expect(refused).toBeGreaterThan(0);
});
