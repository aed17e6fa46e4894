/** Options, sizes and timestamps of segments. */
import { beforeEach, describe, expect, test } from 'vitest';
import { SECOND_NS } from '../../../../support/net-rig.ts';
import { MSS, octets, SACK_OK, type Sent, TcpRig, TS, WS } from '../../../../support/tcp-rig.ts';

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

const ALL = { timestamps: true, windowScale: true, sack: true };
const ms = (n: number): number => n * 1_000_000;
const optionsOf = ({ raw }: Sent): number[] => [...raw.subarray(40, 20 + (raw[32]! >> 4) * 4)];

/** An accepted connection with all options: the peer's timestamp clock stands at 100. */
function stamped() {
  rig.listen(ALL);
  rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...TS(100, 0), ...SACK_OK] });
  const synAck = rig.recv({ flags: 'SA' });
  rig.send({ options: TS(100, synAck.ts![0]) });
  return rig.listener.accept(rig.user)!;
}

describe('9293-15 MSS', () => {
  test('is in SYNs and in nothing else, and says what the MTU leaves', () => {
    const connection = rig.connect();
    expect(rig.next()).toMatchObject({ flags: 'S', mss: 1460 });
    rig.send({ flags: 'SA', seq: 0, ack: 1, options: MSS(1460) });
    connection.write(octets(3000));
    connection.close();
    rig.send({ ack: 1461 });
    rig.send({ ack: 3002, flags: 'FA' });
    const sent = rig.drain();
    expect(sent.map(({ flags }) => flags).join(' ')).toContain('F');
    expect(sent.length).toBeGreaterThanOrEqual(5);
    for (const { mss } of sent) expect(mss).toBe(null);
  });

  test('leaves room for SACK blocks too: no packet is longer than the MTU', () => {
    const connection = stamped();
    for (const seq of [100, 200]) rig.send({ seq, data: [1], options: TS(101, 0) });
    rig.drain();
    connection.write(octets(5000));
    const full = rig.drain()[0]!;
    expect(full.sack.length).toBe(2);
    expect(full.raw.length).toBe(1500);
  });
});

describe('9293-16 options of the host', () => {
  test.each([
    ['all', ALL, [2, 4, 5, 180, 1, 3, 3, 2, 4, 2, 8, 10]],
    ['window scale and SACK', { ...ALL, timestamps: false }, [2, 4, 5, 180, 1, 3, 3, 2, 1, 1, 4, 2]],
    ['timestamps', { ...ALL, windowScale: false, sack: false }, [2, 4, 5, 180, 1, 1, 8, 10]],
    ['none', { timestamps: false, windowScale: false, sack: false }, [2, 4, 5, 180]],
  ])('fill whole words with %s: padding is NOPs in front, no octet of rubbish behind', (_, options, expected) => {
    rig.connect(options);
    const got = optionsOf(rig.next());
    expect(got.slice(0, expected.length)).toEqual(expected);
    expect(got.length).toBe(expected.length + (options.timestamps ? 8 : 0));
  });

  test('behind an END there is padding, which is not looked at', () => {
    expect(rig.accepted({}, { options: [...MSS(700), 0, 255, 255, 255] }).info().sendMss).toBe(700);
  });

  test('kinds that nobody knows do no harm in any state, whatever their length', () => {
    const connection = rig.accepted({}, { options: [253, 4, 0, 0, ...MSS(1000)] });
    expect(connection.info().sendMss).toBe(1000);
    for (let length = 0; length < 40; length++) {
      const option = [200, length, ...octets(Math.max(0, length - 2))].slice(0, 40);
      rig.send({ seq: 1 + length, data: [length], options: option });
    }
    expect(rig.read(connection)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});

test('9293-15 at a path MTU of 68 a segment with timestamps still fits', () => {
  const connection = stamped();
  connection.write(octets(1000));
  const about = rig.drain()[0]!;
  rig.sendIcmp(3, 4, 68, about);
  for (const { raw } of rig.drain()) expect(raw.length).toBeLessThanOrEqual(68);
  expect(connection.info().sendMss).toBe(16);
});

test('7323-7 with timestamps a full segment on an MTU of 1500 has 1448 octets of data', () => {
  rig.listen({ timestamps: true });
  rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...TS(1, 0)] });
  rig.recv({ flags: 'SA' });
  rig.send({ options: TS(2, 0) });
  const connection = rig.listener.accept(rig.user)!;
  connection.write(octets(5000));
  const full = rig.next();
  expect([full.data.length, full.raw.length]).toEqual([1448, 1500]);
});

describe('7323-3 timestamps', () => {
  /** Active, with timestamps: the peer's clock stands at 500. */
  function open(options = {}) {
    const connection = rig.connect({ timestamps: true, ...options });
    const syn = rig.recv({ flags: 'S' });
    expect(syn.ts?.[1]).toBe(0);
    rig.send({ flags: 'SA', seq: 0, ack: 1, options: [...MSS(1460), ...TS(500, syn.ts![0])] });
    expect(rig.recv({ flags: 'A' }).ts?.[1]).toBe(500);
    return connection;
  }

  test('are in data, retransmissions, ACKs, probes, keep-alives and FIN, and the echo is of the last', () => {
    const keepAlive = { idleNs: 100 * SECOND_NS, intervalNs: SECOND_NS, count: 3 };
    const connection = open({ keepAlive });
    connection.write(octets(10));
    rig.advance(SECOND_NS);
    rig.send({ ack: 11, data: [1], window: 0, options: TS(501, 0) });
    expect(rig.read(connection)).toEqual([1]);
    connection.write(octets(10));
    rig.advance(5 * SECOND_NS);
    rig.send({ seq: 2, ack: 11, options: TS(502, 0) });
    rig.send({ seq: 2, ack: 21, options: TS(503, 0) });
    rig.advance(101 * SECOND_NS);
    connection.close();
    const sent = rig.drain();
    expect(sent.length).toBeGreaterThanOrEqual(8);
    expect(sent.every(({ ts }) => ts !== null)).toBe(true);
    expect(sent.at(-1)).toMatchObject({ flags: 'FA' });
    expect(sent.at(-1)!.ts![1]).toBe(503);
  });

  test('an echo without an ACK says nothing: that of a SYN gives no sample', () => {
    rig.listen({ timestamps: true });
    rig.advance(100 * SECOND_NS);
    rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...TS(7, 12_345)] });
    const synAck = rig.recv({ flags: 'SA' });
    rig.advance(ms(40));
    rig.send({ options: TS(8, synAck.ts![0]) });
    const connection = rig.listener.accept(rig.user)!;
    expect(connection.info().srttNs).toBe(ms(40));
  });
});

test('7323-4 TS.Recent is not taken from a segment that lies behind the last ACK sent, and never goes back', () => {
  stamped();
  rig.send({ seq: 1, data: [1], options: TS(100, 0) });
  rig.send({ seq: 10, data: [1], options: TS(200, 0) });
  expect(rig.drain().at(-1)!.ts![1]).toBe(100);
  rig.send({ seq: 2, data: octets(8), options: TS(150, 0) });
  expect(rig.drain().at(-1)!.ts![1]).toBe(150);
  rig.send({ seq: 11, data: octets(1), options: TS(149, 0) });
  expect(rig.drain().at(-1)).toMatchObject({ ack: 11, ts: [expect.anything(), 150] });
});

test('7323-1 the own shift is what the buffer needs, at most 14, and scales every window but that of a SYN', () => {
  rig.listen({ windowScale: true, receiveBufferBytes: 2 ** 30 });
  rig.send({ flags: 'S', seq: 0, options: [...MSS(1460), ...WS(0)] });
  expect(rig.recv({ flags: 'SA' })).toMatchObject({ scale: 14, window: 65_535 });
  rig.send({ data: octets(1460) });
  rig.send({ seq: 1461, data: octets(1460) });
  const { window } = rig.recv({ flags: 'A', ack: 2921 });
  expect(window << 14).toBeGreaterThan(2 ** 29);
});

test('2018-1 SACK-permitted is in SYNs and in nothing else', () => {
  rig.accepted(ALL, { options: [...MSS(1460), ...SACK_OK] });
  rig.send({ seq: 10, data: [1] });
  rig.send({ seq: 1, data: octets(9) });
  const sent = rig.drain();
  expect(sent.length).toBe(2);
  expect(sent.some(({ sackPermitted }) => sackPermitted)).toBe(false);
});
