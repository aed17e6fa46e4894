/**
 * Whatever stands in the option field of a segment: reading it ends, nothing outside of it is read, what is not well
 * formed has no effect, and a connection goes on.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MSS, octets, SACK_OK, TcpRig, TS, WS } from '../../support/tcp-rig.ts';

/** Octets of an option list, right or wrong. */
const option = fc.oneof(
  fc.constantFrom<number[]>([0], [1], SACK_OK, MSS(0), MSS(1), MSS(1460), MSS(65_535), WS(0), WS(14), WS(15), WS(255)),
  fc
    .tuple(fc.nat(255), fc.nat(60), fc.array(fc.nat(255), { maxLength: 12 }))
    .map(([kind, length, data]) => [kind, length, ...data]),
  fc.constantFrom<number[]>([2], [2, 0], [2, 1], [2, 3, 9], [3, 2], [4, 3, 0], [5, 9, 0, 0], [5, 34], [8, 9], [8, 40]),
  fc.tuple(fc.nat(), fc.nat()).map(([value, echo]) => TS(value, echo)),
  fc.array(fc.nat(255), { minLength: 8, maxLength: 32 }).map(edges => {
    const whole = edges.slice(0, edges.length & ~7);
    return [5, 2 + whole.length, ...whole];
  }),
);
/** At most 40 octets, in whole words, as the header has room for. */
const options = fc.array(option, { maxLength: 8 }).map(list => list.flat().slice(0, 40));

/** What RFC 9293 section 3.2 makes of the list of a SYN, in other words than the kernel's. */
function meaning(list: readonly number[]) {
  const padded = [...list, ...new Array<number>((4 - (list.length % 4)) % 4).fill(0)];
  const found = { mss: 0, shift: -1, sack: false, stamps: false };
  let rest = padded;
  while (rest.length > 0 && rest[0] !== 0) {
    const [kind, length] = rest as [number, number?];
    if (kind === 1) {
      rest = rest.slice(1);
      continue;
    }
    if (length === undefined || length < 2 || length > rest.length) break;
    if (kind === 2 && length === 4) found.mss = rest[2]! * 256 + rest[3]!;
    if (kind === 3 && length === 3) found.shift = Math.min(14, rest[2]!);
    if (kind === 4 && length === 2) found.sack = true;
    if (kind === 8 && length === 10) found.stamps = true;
    rest = rest.slice(length);
  }
  return found;
}

const ALL = { timestamps: true, windowScale: true, sack: true, receiveBufferBytes: 100_000 };

test('sharp 38 whatever options a SYN has, the connection opens with those that are well formed', () => {
  fc.assert(
    fc.property(options, list => {
      const rig = new TcpRig();
      rig.listen(ALL);
      rig.send({ flags: 'S', seq: 0, options: list });
      const { mss, shift, sack, stamps } = meaning(list);
      const answer = rig.recv({ flags: 'SA', seq: 0, ack: 1 });
      expect([answer.sackPermitted, answer.ts !== null, answer.scale !== null]).toEqual([sack, stamps, shift >= 0]);
      rig.send({ options: stamps ? TS(0x7fff_ffff, 0) : [] });
      const connection = rig.listener.accept(rig.user);
      // A timestamp in the SYN may be later than any other.
      if (connection === null) {
        expect(stamps).toBe(true);
        return;
      }
      const least = Math.max(64, mss === 0 ? 536 : mss);
      expect(connection.info()).toMatchObject({
        sendMss: Math.min(1460, least) - (stamps ? 12 : 0),
        sendScale: Math.max(0, shift),
        sack,
        timestamps: stamps,
      });
      rig.expectNoLeak();
    }),
  );
});

test('sharp 38 whatever options later segments have, no data are lost or made up, and the sizes stay as agreed', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(options, { minLength: 1, maxLength: 5 }), (sack, lists) => {
      const rig = new TcpRig();
      const connection = rig.accepted(
        { ...ALL, timestamps: false },
        { options: [...MSS(1000), ...(sack ? SACK_OK : [])] },
      );
      connection.write(octets(3000));
      rig.drain();
      const agreed = ({ sendMss, sendScale, sack, timestamps }: ReturnType<typeof connection.info>) => [
        sendMss,
        sendScale,
        sack,
        timestamps,
      ];
      const before = agreed(connection.info());
      lists.forEach((list, i) => {
        rig.send({ seq: 1 + 3 * i, ack: 1, data: octets(3, 3 * i), options: list });
      });
      expect(rig.read(connection)).toEqual([...octets(3 * lists.length)]);
      expect(agreed(connection.info())).toEqual(before);
      rig.send({ seq: 1 + 3 * lists.length, ack: 3001 });
      expect(connection.info()).toMatchObject({ unacked: 0, sacked: 0, lost: 0 });
      rig.drain();
      rig.expectNoLeak();
    }),
  );
});

test('sharp 38 on a connection with timestamps a segment counts if they are well formed, and only then', () => {
  fc.assert(
    fc.property(options, list => {
      const rig = new TcpRig();
      rig.listen(ALL);
      rig.send({ flags: 'S', seq: 0, options: [...MSS(1000), ...TS(0, 0)] });
      rig.recv({ flags: 'SA' });
      rig.send({ options: TS(0, 0) });
      const connection = rig.listener.accept(rig.user)!;
      rig.send({ data: [1, 2, 3], options: list });
      // A timestamp with its first bit set is older than 0.
      if (meaning(list).stamps) expect([0, 3]).toContain(connection.readableBytes);
      else expect(connection.readableBytes).toBe(0);
      expect(connection.state).toBe('ESTABLISHED');
      rig.send({ flags: 'R', seq: 1 + connection.readableBytes, options: list });
      expect(connection.state).toBe('CLOSED');
      rig.drain();
      rig.expectNoLeak();
    }),
  );
});
