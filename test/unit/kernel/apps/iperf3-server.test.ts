import { beforeEach, describe, expect, test } from 'vitest';
import { iperf3Server } from '../../../../kernel/apps/iperf3-server.ts';
import type { Descriptor } from '../../../../kernel/net/socket.ts';
import type { Syscalls } from '../../../../kernel/syscall.ts';
import type { Blocking } from '../../../../kernel/task.ts';
import { SECOND_NS } from '../../../support/net-rig.ts';
import { LOCALHOST, StreamRig } from '../../../support/stream-rig.ts';

const PORT = 5201;
const COOKIE = Uint8Array.from({ length: 37 }, (_, i) => (i === 36 ? 0 : 0x61 + (i % 26)));
const [TEST_START, TEST_RUNNING, TEST_END, PARAM_EXCHANGE, CREATE_STREAMS] = [1, 2, 4, 9, 10];
const [EXCHANGE_RESULTS, DISPLAY_RESULTS, IPERF_DONE, SERVER_ERROR, ACCESS_DENIED] = [13, 14, 16, 0xfe, 0xff];

let rig: StreamRig;
beforeEach(() => {
  rig = new StreamRig();
  rig.spawn('iperf3', iperf3Server());
});

function* connect(sys: Syscalls, first = COOKIE): Blocking<Descriptor> {
  const socket = sys.socket('tcp');
  yield* sys.connect(socket, LOCALHOST, PORT);
  yield* sys.send(socket, first);
  return socket;
}

function* receive(sys: Syscalls, socket: Descriptor, length: number): Blocking<number[]> {
  const octets: number[] = [];
  while (octets.length < length) {
    const piece = yield* sys.recv(socket, length - octets.length);
    if (piece.length === 0) throw new Error(`the server has gone after ${octets}`);
    octets.push(...piece);
  }
  return octets;
}

function* expectState(sys: Syscalls, socket: Descriptor, ...states: number[]): Blocking<void> {
  expect(yield* receive(sys, socket, states.length)).toEqual(states);
}

function* sendJson(sys: Syscalls, socket: Descriptor, value: unknown): Blocking<void> {
  const text = JSON.stringify(value);
  yield* sys.send(socket, Uint8Array.from([0, 0, text.length >> 8, text.length]));
  yield* sys.send(
    socket,
    Uint8Array.from(text, character => character.charCodeAt(0)),
  );
}

function* receiveJson(sys: Syscalls, socket: Descriptor): Blocking<unknown> {
  const [, , high, low] = yield* receive(sys, socket, 4);
  return JSON.parse(String.fromCharCode(...(yield* receive(sys, socket, high! * 256 + low!))));
}

/** The steps up to the end of the test; `during` is what the data connections do. Returns the server's results. */
function* runTest(
  sys: Syscalls,
  parameters: Record<string, unknown>,
  during: (streams: readonly Descriptor[]) => Blocking<void>,
): Blocking<unknown> {
  const control = yield* connect(sys);
  yield* expectState(sys, control, PARAM_EXCHANGE);
  yield* sendJson(sys, control, { tcp: true, ...parameters });
  yield* expectState(sys, control, CREATE_STREAMS);
  const streams: Descriptor[] = [];
  for (let i = 0; i < Number(parameters['parallel'] ?? 1); i++) streams.push(yield* connect(sys));
  yield* expectState(sys, control, TEST_START, TEST_RUNNING);
  yield* during(streams);
  yield* sys.send(control, Uint8Array.of(TEST_END));
  yield* expectState(sys, control, EXCHANGE_RESULTS);
  yield* sendJson(sys, control, { streams: streams.map((_, i) => ({ id: i === 0 ? 1 : i + 2 })) });
  const results = yield* receiveJson(sys, control);
  yield* expectState(sys, control, DISPLAY_RESULTS);
  yield* sys.send(control, Uint8Array.of(IPERF_DONE));
  for (const socket of [control, ...streams]) sys.close(socket);
  return results;
}

describe('a test of iperf3', () => {
  test('counts what the client sends, over each of its connections, by the numbers that iperf3 gives them', () => {
    rig.start('client', function* (sys) {
      const results = yield* runTest(sys, { parallel: 3 }, function* (streams) {
        for (const [i, stream] of streams.entries()) yield* sys.send(stream, new Uint8Array(1000 * (i + 1)));
        yield* sys.sleep(2 * SECOND_NS);
      });
      expect(results).toMatchObject({
        sender_has_retransmits: -1,
        streams: [
          { id: 1, bytes: 1000, retransmits: -1 },
          { id: 3, bytes: 2000 },
          { id: 4, bytes: 3000 },
        ],
      });
      const [{ start_time, end_time }] = (results as { streams: [{ start_time: number; end_time: number }] }).streams;
      expect(end_time - start_time).toBeCloseTo(2, 3);
    });
    rig.advance(3 * SECOND_NS);
    expect(rig.notes).toEqual(['client: undefined']);
  });

  test('in reverse is sent by the server until the client says that it has ended', () => {
    let got = 0;
    rig.start('client', function* (sys) {
      const results = yield* runTest(sys, { reverse: true }, function* ([stream]) {
        while (got < 1_000_000) got += (yield* sys.recv(stream!)).length;
      });
      expect(results).toMatchObject({ sender_has_retransmits: 1, streams: [{ id: 1 }] });
      const [{ bytes }] = (results as { streams: [{ bytes: number }] }).streams;
      expect(bytes).toBeGreaterThanOrEqual(got);
    });
    rig.advance(SECOND_NS);
    expect(rig.notes).toEqual(['client: undefined']);
    expect(got).toBeGreaterThanOrEqual(1_000_000);
  });

  test('is for connections with its cookie only, and one follows the other', () => {
    rig.start('client', function* (sys) {
      const control = yield* connect(sys);
      yield* expectState(sys, control, PARAM_EXCHANGE);
      yield* sendJson(sys, control, { tcp: true });
      yield* expectState(sys, control, CREATE_STREAMS);
      const stranger = yield* connect(
        sys,
        COOKIE.map(octet => octet ^ 1),
      );
      yield* expectState(sys, stranger, ACCESS_DENIED);
      expect(yield* sys.recv(stranger)).toHaveLength(0);
      yield* connect(sys);
      yield* expectState(sys, control, TEST_START, TEST_RUNNING);
      sys.close(control);
      return yield* runTest(sys, {}, () => sys.sleep(1));
    });
    rig.advance(SECOND_NS);
    expect(rig.notes).toEqual(['client: [object Object]']);
  });

  test.each([
    ['UDP', { tcp: false, udp: true }],
    ['both directions at once', { tcp: true, bidirectional: 1 }],
    ['no connection', { tcp: true, parallel: 0 }],
    ['too many', { tcp: true, parallel: 33 }],
    ['nothing', null],
  ])('over %s is refused as not implemented', (_, parameters) => {
    rig.start('client', function* (sys) {
      const control = yield* connect(sys);
      yield* expectState(sys, control, PARAM_EXCHANGE);
      yield* sendJson(sys, control, parameters);
      yield* expectState(sys, control, SERVER_ERROR, 0, 0, 0, 13, 0, 0, 0, 0);
      expect(yield* sys.recv(control)).toHaveLength(0);
      return yield* runTest(sys, {}, () => sys.sleep(1));
    });
    rig.advance(SECOND_NS);
    expect(rig.notes).toEqual(['client: [object Object]']);
  });

  test.each([
    ['says nothing', new Uint8Array(0)],
    ['sends half a cookie', COOKIE.subarray(0, 10)],
    ['sends no JSON', Uint8Array.from([...COOKIE, 0, 0, 0, 2, 0x7b, 0x7b])],
    ['announces too much JSON', Uint8Array.from([...COOKIE, 0xff, 0, 0, 0])],
  ])('with a client that %s ends, and the next one is served', (_, first) => {
    rig.start('odd', function* (sys) {
      const socket = yield* connect(sys, first);
      yield* sys.sleep(60 * SECOND_NS);
      sys.close(socket);
    });
    rig.start('client', function* (sys) {
      yield* sys.sleep(11 * SECOND_NS);
      return yield* runTest(sys, {}, () => sys.sleep(1));
    });
    rig.advance(12 * SECOND_NS);
    expect(rig.notes).toEqual(['client: [object Object]']);
  });
});
