/** FINs: combined with data, lost, crossing each other; and what close does with what is still queued. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../../kernel/net/tcp/connection.ts';
import { SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { octets, TcpRig } from '../../../../../support/tcp-rig.ts';
import { established } from '../../../../../support/tcp-wire.ts';

const MSL_2_NS = 240 * SECOND_NS;

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

/** Ten octets in flight, and five that Nagle holds back and that the FIN takes along. */
function combined(): TcpConnection {
  const connection = rig.accepted();
  connection.write(octets(10));
  rig.recv({ flags: 'PA', seq: 1, length: 10 });
  connection.write(octets(5, 10));
  connection.shutdownWrite();
  rig.recv({ flags: 'FPA', seq: 11, length: 5 });
  return connection;
}

test('sharp 12 data and FIN in one segment, of which only the data are ACKed: the FIN alone is sent again', () => {
  const connection = combined();
  rig.send({ ack: 16 });
  expect(connection.state).toBe('FIN-WAIT-1');
  rig.advance(SECOND_NS);
  rig.recv({ flags: 'FA', seq: 16, length: 0 });
  rig.send({ ack: 17 });
  expect(connection.state).toBe('FIN-WAIT-2');
  rig.recvNothing();
});

test('sharp 13 a FIN that was lost in LAST-ACK is sent again, and its ACK ends the connection', () => {
  const connection = rig.accepted();
  rig.send({ flags: 'FA' });
  rig.recv({ flags: 'A', ack: 2 });
  connection.close();
  for (const seconds of [0, 1, 2, 4]) {
    rig.advance(seconds * SECOND_NS);
    rig.recv({ flags: 'FA', seq: 1, ack: 2 });
  }
  rig.send({ seq: 2, ack: 2 });
  expect(connection.state).toBe('CLOSED');
  rig.expectNoLeak();
});

test('sharp 16 a simultaneous close in which both FINs carry data', () => {
  const connection = combined();
  rig.send({ flags: 'FPA', seq: 1, ack: 11, data: [1, 2, 3] });
  rig.recv({ flags: 'A', seq: 17, ack: 5 });
  expect(connection.state).toBe('CLOSING');
  rig.send({ seq: 5, ack: 17 });
  expect(connection.state).toBe('TIME-WAIT');
  expect(rig.read(connection)).toEqual([1, 2, 3]);
  expect(connection.atEof).toBe(true);
});

test('sharp 16 two hosts close at the same moment: both go by CLOSING to TIME-WAIT, and both have read all', () => {
  const pair = new TcpPair('close');
  const { client, server } = established(pair);
  const ends = [client, server];
  const seen = new Set<string>();
  for (const end of ends) {
    end.write(octets(100));
    end.write(octets(50, 100));
    end.shutdownWrite();
  }
  pair.run(SECOND_NS, () => {
    for (const end of ends) seen.add(end.state);
    return false;
  });
  expect(seen).toEqual(new Set(['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']));
  for (const end of ends) expect([...end.read(1000)!]).toEqual([...octets(150)]);
  pair.run(MSL_2_NS);
  expect(ends.map(({ state }) => state)).toEqual(['CLOSED', 'CLOSED']);
});

describe('close with data queued', () => {
  /** Brings a connection with 3000 octets that do not fit into the window of 1000 into a state. */
  const arrangements: Record<string, (connection: TcpConnection) => void> = {
    ESTABLISHED: () => {},
    'CLOSE-WAIT': () => rig.send({ flags: 'FA', window: 1000 }),
    'FIN-WAIT-1': connection => connection.shutdownWrite(),
    CLOSING: connection => {
      connection.shutdownWrite();
      rig.send({ flags: 'FA', window: 1000 });
    },
    'LAST-ACK': connection => {
      rig.send({ flags: 'FA', window: 1000 });
      connection.shutdownWrite();
    },
  };

  test.each(Object.keys(arrangements))('sharp 40 in %s sends all of them, then a FIN', state => {
    const connection = rig.accepted({}, { window: 1000 });
    connection.write(octets(3000));
    arrangements[state]!(connection);
    expect(connection.state).toBe(state);
    connection.close();
    const got = new Uint8Array(3000);
    let finAt = -1;
    let next = 1;
    const peerSeq = state === 'ESTABLISHED' || state === 'FIN-WAIT-1' ? 1 : 2;
    for (let i = 0; i < 20 && finAt < 0; i++) {
      for (const { seq, data, flags } of rig.drain()) {
        got.set(data, seq - 1);
        next = Math.max(next, seq + data.length);
        if (flags.includes('F')) finAt = seq + data.length;
      }
      rig.send({ seq: peerSeq, ack: finAt < 0 ? next : finAt + 1, window: 1000 });
      rig.advance(SECOND_NS);
    }
    expect([...got]).toEqual([...octets(3000)]);
    expect(finAt).toBe(3001);
    if (peerSeq === 1) rig.send({ flags: 'FA', seq: 1, ack: 3002 });
    rig.advance(MSL_2_NS);
    expect(connection.state).toBe('CLOSED');
    rig.expectNoLeak();
  });

  test.each(Object.keys(arrangements))('sharp 40 in %s with SO_LINGER 0 throws them away, and resets', state => {
    const connection = rig.accepted({ lingerNs: 0 }, { window: 1000 });
    connection.write(octets(3000));
    arrangements[state]!(connection);
    rig.drain();
    connection.close();
    const resets = rig.drain();
    expect(resets.map(({ flags, data }) => [flags, data.length])).toEqual([['RA', 0]]);
    expect(resets[0]!.seq).toBe(connection.block.sndMax - connection.block.iss);
    expect([connection.state, connection.unacknowledgedBytes]).toEqual(['CLOSED', 0]);
    rig.expectNoLeak();
  });

  test('sharp 40 in SYN-SENT, or in SYN-RECEIVED before its ACK, there can be none: close ends the open', () => {
    const active = rig.connect();
    rig.recv({ flags: 'S' });
    expect(active.write(octets(5))).toBe(0);
    active.close();
    expect(active.state).toBe('CLOSED');
    rig.hostIss = 0;
    const crossing = rig.connect();
    rig.recv({ flags: 'S' });
    rig.send({ flags: 'S', seq: 0 });
    rig.recv({ flags: 'SA', ack: 1 });
    crossing.close();
    expect(crossing.state).toBe('SYN-RECEIVED');
    rig.send({ ack: 1 });
    rig.recv({ flags: 'FA', seq: 1 });
    expect(crossing.state).toBe('FIN-WAIT-1');
  });

  test('sharp 40 a linger time also ends what waits for a closed window', () => {
    const connection = rig.accepted({ lingerNs: 5 * SECOND_NS }, { window: 0 });
    connection.write(octets(100));
    connection.close();
    rig.advance(6 * SECOND_NS);
    expect(rig.drain().at(-1)?.flags).toBe('RA');
    expect(connection.state).toBe('CLOSED');
    rig.expectNoLeak();
  });

  test('sharp 40 a peer that keeps its window closed does not keep an orphan for ever (RFC 6429 section 4)', () => {
    const connection = rig.accepted({}, { window: 0 });
    connection.write(octets(100));
    connection.close();
    for (let i = 0; i < 12; i++) {
      rig.advance(10 * SECOND_NS);
      if (rig.drain().at(-1)?.flags === 'A') rig.send({ ack: 1, window: 0 });
    }
    rig.advance(60 * SECOND_NS);
    expect(rig.drain().at(-1)?.flags).toBe('RA');
    expect(connection.state).toBe('CLOSED');
    rig.expectNoLeak();
  });
});
