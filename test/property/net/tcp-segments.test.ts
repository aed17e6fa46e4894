/**
 * A peer that sends any segment at all, well formed, with numbers around the edges that matter, while the user writes,
 * reads and closes. Whatever comes: octets are read in order, and are those of their place; nothing is acknowledged that
 * did not come; the right edge never moves left; no more is sent than the peer ever allowed, but for an octet of probe;
 * and when it is over nothing is left.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TcpConnection } from '../../../kernel/net/tcp/connection.ts';
import { SECOND_NS } from '../../support/net-rig.ts';
import { MSS, octets, SACK_OK, type Sent, sackOf, TcpRig, TS } from '../../support/tcp-rig.ts';

/** More than one segment can cause: a window of the smallest segments, and answers. */
const MAX_ANSWERS = 200;

const near = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  fc.integer({ min: -70_000, max: 70_000 }),
);

const segment = fc.record({
  kind: fc.constant('segment' as const),
  flags: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom('A', 'A', 'PA', 'FA', 'UA', '') },
    { weight: 1, arbitrary: fc.constantFrom('R', 'RA', 'S', 'SA', 'SFUP', 'FSRPAU') },
  ),
  seqFrom: fc.constantFrom('next', 'next', 'edge'),
  seq: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, near),
  ackFrom: fc.constantFrom('una', 'max'),
  ack: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, near),
  window: fc.constantFrom(0, 0, 1, 100, 1000, 65_535),
  length: fc.constantFrom(0, 0, 1, 10, 500, 1460),
  urgent: fc.nat(65_535),
  sack: fc.array(fc.tuple(near, near), { maxLength: 2 }),
  stamp: fc.integer({ min: -2, max: 5 }),
});
const call = fc.record({
  kind: fc.constantFrom('write', 'write', 'read', 'read', 'shutdown'),
  count: fc.integer({ min: 1, max: 5000 }),
});
const wait = fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 100, 1000, 10_000) });

const options = fc.record({
  timestamps: fc.boolean(),
  sack: fc.boolean(),
  noDelay: fc.boolean(),
  receiveBufferBytes: fc.constantFrom(600, 5000, 65_536),
});

/** What the host may say, by what the peer has said so far. */
class Witness {
  read = 0;
  /** The peer has sent octets up to here, FINs counted. */
  sentTo = 1;
  /** The right edges, of the window offered to the host and of the one it offers. */
  allowedTo = 1;
  edge = 0;

  check(sent: Sent): void {
    if (sent.flags.includes('R')) return;
    expect(sent.ack).toBeLessThanOrEqual(this.sentTo);
    expect(sent.ack + sent.window).toBeGreaterThanOrEqual(this.edge);
    this.edge = sent.ack + sent.window;
    if (sent.data.length > 0) expect(sent.seq + sent.data.length).toBeLessThanOrEqual(this.allowedTo + 1);
    expect([...sent.data]).toEqual([...octets(sent.data.length, sent.seq - 1)]);
  }

  take(connection: TcpConnection, count: number): void {
    const bytes = connection.read(count) ?? new Uint8Array(0);
    expect([...bytes]).toEqual([...octets(bytes.length, this.read)]);
    this.read += bytes.length;
  }
}

test('whatever segments come, what is read, acknowledged, offered and sent is right, and all is given back', () => {
  fc.assert(
    fc.property(
      options,
      fc.array(fc.oneof({ weight: 4, arbitrary: segment }, call, wait), { maxLength: 40 }),
      (tcp, steps) => {
        const rig = new TcpRig();
        rig.listen({ ...tcp, sendBufferBytes: 20_000 });
        const stamp = (value: number) => (tcp.timestamps ? TS(1000 + value, 0) : []);
        rig.send({
          flags: 'S',
          seq: 0,
          window: 1000,
          options: [...MSS(1460), ...stamp(0), ...(tcp.sack ? SACK_OK : [])],
        });
        rig.recv({ flags: 'SA', seq: 0, ack: 1 });
        rig.send({ window: 1000, options: stamp(0) });
        const connection = rig.listener.accept(rig.user)!;
        const { block } = connection;
        const witness = new Witness();
        witness.allowedTo = 1001;
        let written = 0;
        const relative = (number: number, iss: number) => (number - iss) | 0;
        const step = (each: (typeof steps)[number]) => {
          if (each.kind === 'wait') rig.advance(each.ms * 1e6);
          else if (each.kind === 'segment') {
            const seq = relative(each.seqFrom === 'next' ? block.rcvNxt : block.rcvAdv, rig.peerIss) + each.seq;
            const ack = relative(each.ackFrom === 'una' ? block.sndUna : block.sndMax, rig.hostIss) + each.ack;
            const una = relative(block.sndUna, rig.hostIss);
            const blocks = each.sack.map(([from, to]) => [una + from, una + to] as const);
            const sack = tcp.sack && !tcp.timestamps && blocks.length > 0 ? sackOf(rig, ...blocks) : [];
            const fin = each.flags.includes('F') ? 1 : 0;
            witness.sentTo = Math.max(witness.sentTo, seq + each.length + fin + (each.flags.includes('S') ? 1 : 0));
            if (ack <= relative(block.sndMax, rig.hostIss))
              witness.allowedTo = Math.max(witness.allowedTo, ack + each.window);
            const { flags, window, urgent } = each;
            rig.send({
              flags,
              seq,
              ack,
              window,
              urgent,
              data: octets(each.length, seq - 1),
              options: [...sack, ...stamp(each.stamp)],
            });
          } else if (each.kind === 'write') {
            written += connection.write(octets(each.count, written));
          } else if (each.kind === 'read') witness.take(connection, each.count);
          else connection.shutdownWrite();
          rig.settle();
          const sent = rig.drain();
          expect(sent.length).toBeLessThan(MAX_ANSWERS);
          for (const one of sent) witness.check(one);
          const info = connection.info();
          expect(info.sacked).toBeLessThanOrEqual(info.unacked);
          expect(info.outOfOrder).toBeLessThanOrEqual(tcp.receiveBufferBytes);
          expect(connection.readableBytes).toBeLessThanOrEqual(tcp.receiveBufferBytes);
          expect(Math.min(info.unacked, info.receiveWindow, info.sendWindow, info.lost)).toBeGreaterThanOrEqual(0);
        };
        for (const each of steps) step(each);
        witness.take(connection, 100_000);
        connection.close();
        rig.listener.close();
        rig.advance(1000 * SECOND_NS);
        expect(rig.tcp.connections()).toEqual([]);
        rig.expectNoLeak();
      },
    ),
  );
});
