/** The states of RFC 9293 and what leads from one to the other; resets, acceptability, and the ends of connections. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../../../kernel/net/tcp/connection.ts';
import { parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { HOST, PEER, SECOND_NS } from '../../../../support/net-rig.ts';
import { HOST_PORT, MSS, octets, TcpRig } from '../../../../support/tcp-rig.ts';

const MSL_2_NS = 240 * SECOND_NS;

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

describe('a port where nobody is', () => {
  test('9293-1 a segment with a wrong checksum is dropped, and counted', () => {
    rig.send({ flags: 'S', checksumError: 1 });
    rig.recvNothing();
    expect(rig.net.drops.counts['bad TCP checksum']).toBe(1);
    rig.expectNoLeak();
  });

  test('9293-2 a segment without ACK is answered by <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>', () => {
    rig.send({ flags: 'SF', seq: 0, data: [1, 2, 3] });
    rig.recv({ flags: 'RA', seq: 0, ack: 5 });
  });

  test('9293-2 a segment with ACK is answered by <SEQ=SEG.ACK><CTL=RST>', () => {
    rig.send({ flags: 'A', seq: 7, ack: 4711 });
    rig.recv({ flags: 'R', seq: 4711 });
  });

  test('9293-2 a reset is not answered', () => {
    rig.send({ flags: 'R' });
    rig.send({ flags: 'RA' });
    rig.recvNothing();
  });

  test.each([
    ['shorter than a header', { dataOffset: 4 }],
    ['with a header longer than itself', { dataOffset: 15 }],
  ])('9293-1 a segment %s is dropped', (_, fields) => {
    rig.send({ flags: 'S', ...fields });
    rig.recvNothing();
    expect(rig.net.drops.counts['malformed TCP']).toBe(1);
  });
});

describe('LISTEN', () => {
  test('9293-3 a RST is ignored', () => {
    rig.listen();
    rig.send({ flags: 'R' });
    rig.recvNothing();
  });

  test('9293-3 an ACK is answered by <SEQ=SEG.ACK><CTL=RST>', () => {
    rig.listen();
    rig.send({ flags: 'A', ack: 99 });
    rig.recv({ flags: 'R', seq: 99 });
    rig.send({ flags: 'SA', ack: 99 });
    rig.recv({ flags: 'R', seq: 99 });
  });

  test('9293-3 data and FIN that ride on the SYN are asked for again', () => {
    rig.listen();
    rig.send({ flags: 'SF', seq: 0, data: [1, 2], options: MSS(1460) });
    rig.recv({ flags: 'SA', seq: 0, ack: 1 });
    rig.send({ seq: 1, ack: 1, data: [1, 2], flags: 'FA' });
    rig.recv({ flags: 'A', seq: 1, ack: 4 });
    const connection = rig.listener.accept(rig.user)!;
    expect(rig.read(connection)).toEqual([1, 2]);
    expect(connection.atEof).toBe(true);
  });

  test('9293-31 a SYN to or from a broadcast, or from nobody, is dropped in silence', () => {
    rig.listen();
    rig.send({ flags: 'S', destination: '192.0.2.255' });
    rig.send({ flags: 'S', source: '0.0.0.0' });
    rig.send({ flags: 'S', source: '224.0.0.1' });
    rig.recvNothing();
    expect(rig.tcp.connections().length).toBe(1);
  });

  test('9293-32 a listener and active connections share a port', () => {
    rig.listen();
    const active = rig.connected();
    rig.peerPort = 4001;
    rig.hostIss = 0;
    const passive = rig.accepted();
    expect([active.state, passive.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
    expect(passive.local).toEqual({ address: parseIpv4(HOST), port: HOST_PORT });
  });
});

describe('SYN-SENT', () => {
  test('9293-4 an ACK of what was never sent is answered by <SEQ=SEG.ACK><CTL=RST>', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S' });
    rig.send({ flags: 'SA', seq: 0, ack: 2 });
    rig.recv({ flags: 'R', seq: 2 });
    rig.send({ flags: 'A', seq: 0, ack: 0 });
    rig.recv({ flags: 'R', seq: 0 });
    expect(connection.state).toBe('SYN-SENT');
  });

  test('9293-4 sharp 23 a RST counts only with an acceptable ACK', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S' });
    rig.send({ flags: 'R', seq: 0 });
    rig.send({ flags: 'RA', seq: 0, ack: 77 });
    rig.recvNothing();
    expect(connection.state).toBe('SYN-SENT');
    rig.send({ flags: 'RA', seq: 0, ack: 1 });
    rig.recvNothing();
    expect(connection.state).toBe('CLOSED');
    expect(connection.takeError()?.code).toBe('ECONNREFUSED');
    rig.expectNoLeak();
  });

  test('9293-5 sharp 14 a simultaneous open reaches ESTABLISHED', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S', seq: 0 });
    rig.send({ flags: 'S', seq: 0 });
    rig.recv({ flags: 'SA', seq: 0, ack: 1 });
    expect(connection.state).toBe('SYN-RECEIVED');
    rig.send({ flags: 'SA', seq: 0, ack: 1 });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
    rig.send({ flags: 'A', seq: 1, ack: 1 });
    expect(connection.state).toBe('ESTABLISHED');
  });

  test('sharp 15 a simultaneous open survives the loss of one SYN,ACK', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S' });
    rig.send({ flags: 'S', seq: 0 });
    rig.recv({ flags: 'SA', seq: 0, ack: 1 });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'SA', seq: 0, ack: 1 });
    // A peer in ESTABLISHED challenges the SYN.
    rig.send({ flags: 'A', seq: 1, ack: 1 });
    expect(connection.state).toBe('ESTABLISHED');
  });

  test('9293-5 a RST in SYN-RECEIVED refuses an active open', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S' });
    rig.send({ flags: 'S', seq: 0 });
    rig.recv({ flags: 'SA' });
    rig.send({ flags: 'R', seq: 1 });
    expect(connection.takeError()?.code).toBe('ECONNREFUSED');
  });

  test('9293-27 a SYN is repeated for three minutes, then the open fails with ETIMEDOUT', () => {
    const connection = rig.connect();
    rig.recv({ flags: 'S' });
    rig.advance(179 * SECOND_NS);
    expect(rig.drain().length).toBe(7);
    expect(connection.state).toBe('SYN-SENT');
    rig.advance(10 * SECOND_NS);
    expect(connection.state).toBe('CLOSED');
    expect(connection.takeError()?.code).toBe('ETIMEDOUT');
  });

  test('9293-31 connections to groups and to nobody are refused', () => {
    const connect = (address: string) => () =>
      rig.tcp.connect(null, { address: parseIpv4(address), port: 1 }, rig.options(), rig.user);
    for (const address of ['255.255.255.255', '192.0.2.255', '224.0.0.1']) {
      expect(connect(address)).toThrow('ENETUNREACH');
    }
    expect(connect('0.0.0.0')).toThrow('EADDRNOTAVAIL');
    rig.recvNothing();
  });

  test('sharp 17 a socket that connects to itself is connected to itself', () => {
    const here = { address: parseIpv4(HOST), port: 5000 };
    const connection = rig.tcp.connect(here, here, rig.options(), rig.user);
    rig.settle();
    expect(connection.state).toBe('ESTABLISHED');
    connection.write(Uint8Array.of(1, 2, 3));
    rig.settle();
    expect(rig.read(connection)).toEqual([1, 2, 3]);
    connection.close();
    rig.advance(MSL_2_NS + SECOND_NS);
    expect(rig.tcp.connections()).toEqual([]);
    rig.expectNoLeak();
  });
});

describe('SYN-RECEIVED', () => {
  const half = () => {
    rig.listen();
    rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
    rig.recv({ flags: 'SA', seq: 0, ack: 1 });
  };

  test('9293-5 a RST returns a passive opener to LISTEN', () => {
    half();
    rig.send({ flags: 'R', seq: 1 });
    expect(rig.listener.handshakeCount).toBe(0);
    rig.recvNothing();
    rig.hostIss = 0;
    rig.accepted();
  });

  test('9293-5 an ACK that is not acceptable is answered by a reset', () => {
    half();
    rig.send({ flags: 'A', seq: 1, ack: 2 });
    rig.recv({ flags: 'R', seq: 2 });
    expect(rig.listener.pendingCount).toBe(0);
  });

  test('a repeated SYN is answered by the same SYN,ACK', () => {
    half();
    rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
    rig.recv({ flags: 'SA', seq: 0, ack: 1 });
  });

  test('sharp 18 an old duplicate SYN goes before the real one, and is recovered from (RFC 9293 figure 8)', () => {
    half();
    // The peer has never sent that SYN, and says so.
    rig.send({ flags: 'R', seq: 1 });
    rig.recvNothing();
    rig.peerIss = 90_000;
    rig.hostIss = 0;
    const connection = rig.accepted();
    expect(connection.state).toBe('ESTABLISHED');
  });
});

describe('acceptability', () => {
  let connection: TcpConnection;
  beforeEach(() => {
    connection = rig.accepted({ receiveBufferBytes: 1000 });
  });

  test('9293-6 an unacceptable segment is answered with a bare ACK and changes nothing', () => {
    rig.send({ seq: -10, data: [1, 2, 3] });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
    rig.send({ seq: 1001, data: [1, 2, 3] });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
    rig.send({ seq: 5000, flags: 'FA' });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
    expect([connection.state, connection.readableBytes]).toEqual(['ESTABLISHED', 0]);
    expect(connection.info().outOfOrder).toBe(0);
  });

  test('9293-7 what was received before is cut off, the rest is taken', () => {
    rig.send({ seq: 1, data: [1, 2, 3] });
    rig.send({ seq: 2, data: [9, 9, 4, 5] });
    rig.recv({ flags: 'A', ack: 6 });
    expect(rig.read(connection)).toEqual([1, 2, 3, 4, 5]);
  });

  test('9293-7 sharp 4 a segment fills the window exactly; one octet over is cut off', () => {
    rig.send({ seq: 1, data: octets(1001) });
    rig.recv({ flags: 'A', ack: 1001, window: 0 });
    expect(rig.read(connection)).toEqual([...octets(1000)]);
  });

  test('9293-7 sharp 10 a FIN behind data that go beyond the window is not processed', () => {
    rig.send({ seq: 1, flags: 'FA', data: octets(1001) });
    rig.recv({ flags: 'A', ack: 1001 });
    expect(connection.state).toBe('ESTABLISHED');
  });

  test('sharp 9 a FIN without data is taken at a closed window', () => {
    rig.send({ seq: 1, data: octets(1000) });
    rig.advance(0.2 * SECOND_NS);
    rig.recv({ flags: 'A', ack: 1001, window: 0 });
    rig.send({ seq: 1001, flags: 'FA' });
    rig.recv({ flags: 'A', ack: 1002, window: 0 });
    expect(connection.state).toBe('CLOSE-WAIT');
    expect(rig.read(connection).length).toBe(1000);
    expect(connection.atEof).toBe(true);
  });

  test('sharp 5 without data, RCV.NXT+RCV.WND is not acceptable while there is a window; RCV.NXT is when there is none', () => {
    connection.write(octets(10));
    rig.recv({ seq: 1, length: 10, flags: 'PA' });
    rig.send({ seq: 1001, ack: 11 });
    rig.recv({ flags: 'A', seq: 11, ack: 1 });
    expect(connection.info().unacked).toBe(10);
    rig.send({ seq: 1, ack: 1, data: octets(1000) });
    rig.advance(0.2 * SECOND_NS);
    rig.recv({ flags: 'A', ack: 1001, window: 0 });
    rig.send({ seq: 1001, ack: 11 });
    rig.recvNothing();
    expect(connection.info().unacked).toBe(0);
  });

  test('9293-20 at a closed window, ACK, RST and URG count, and data do not', () => {
    connection.write(octets(10));
    rig.recv({ seq: 1, length: 10, flags: 'PA' });
    rig.send({ seq: 1, data: octets(1000) });
    rig.advance(0.2 * SECOND_NS);
    rig.recv({ flags: 'A', ack: 1001, window: 0 });
    rig.send({ seq: 1001, ack: 11, data: [1], flags: 'UA', urgent: 9 });
    rig.recv({ flags: 'A', seq: 11, ack: 1001, window: 0 });
    expect(connection.info().unacked).toBe(0);
    expect(connection.urgentBytes).toBe(1009);
    rig.send({ seq: 1001, flags: 'R' });
    expect(connection.state).toBe('CLOSED');
  });

  test('9293-8 sharp 30 an ACK of what was never sent is answered and dropped, an old one ignored', () => {
    connection.write(octets(10));
    rig.recv({ seq: 1, length: 10, flags: 'PA' });
    rig.send({ ack: 12, data: [1] });
    rig.recv({ flags: 'A', seq: 11, ack: 1 });
    expect(connection.readableBytes).toBe(0);
    rig.send({ ack: 11 });
    rig.send({ ack: 5 });
    rig.recvNothing();
    expect(connection.info().unacked).toBe(0);
  });

  test('9293-8 sharp 28 an old segment does not set the window', () => {
    rig.send({ seq: 1, data: [1], window: 5000 });
    expect(connection.info().sendWindow).toBe(5000);
    rig.send({ seq: 2, data: [2], window: 6000 });
    rig.send({ seq: 1, data: [1, 2, 3], window: 7 });
    expect(connection.info().sendWindow).toBe(6000);
    rig.send({ seq: 4, window: 9000 });
    expect(connection.info().sendWindow).toBe(9000);
  });

  test('9293-13 a FIN in a hole waits until the hole is filled, and data beyond it are ignored', () => {
    rig.send({ seq: 4, data: [4, 5], flags: 'FA' });
    rig.recv({ flags: 'A', ack: 1 });
    rig.send({ seq: 7, data: [9, 9] });
    rig.recv({ flags: 'A', ack: 1 });
    expect(connection.state).toBe('ESTABLISHED');
    rig.send({ seq: 1, data: [1, 2, 3] });
    rig.recv({ flags: 'A', ack: 7 });
    expect(connection.state).toBe('CLOSE-WAIT');
    expect(rig.read(connection)).toEqual([1, 2, 3, 4, 5]);
    expect(connection.atEof).toBe(true);
  });
});

describe('RFC 5961', () => {
  test.each([
    ['at RCV.NXT resets', 1, 'CLOSED', false],
    ['at RCV.NXT+1 is challenged', 2, 'ESTABLISHED', true],
    ['at the right edge is challenged', 1000, 'ESTABLISHED', true],
    ['one beyond the edge is dropped', 1001, 'ESTABLISHED', false],
    ['before the window is dropped', 0, 'ESTABLISHED', false],
  ])('5961-1 sharp 21 a RST %s', (_, seq, state, challenged) => {
    const connection = rig.accepted({ receiveBufferBytes: 1000 });
    rig.send({ flags: 'R', seq });
    if (challenged) rig.recv({ flags: 'A', seq: 1, ack: 1 });
    rig.recvNothing();
    expect(connection.state).toBe(state);
  });

  test('sharp 23 a RST with data resets like any other', () => {
    const connection = rig.accepted();
    rig.send({ flags: 'RA', data: [1, 2, 3] });
    expect(connection.takeError()?.code).toBe('ECONNRESET');
    rig.recvNothing();
  });

  test.each([-5, 0, 1, 50, 100_000])('5961-2 sharp 22 a SYN at %s in ESTABLISHED gets one challenge ACK', seq => {
    const connection = rig.accepted();
    rig.send({ flags: 'S', seq });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
    rig.recvNothing();
    expect(connection.state).toBe('ESTABLISHED');
  });

  test('5961-3 data with an ACK older than the largest window are not accepted', () => {
    const connection = rig.accepted({}, { window: 1000 });
    rig.send({ ack: -1500, data: [1] });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
    expect(connection.readableBytes).toBe(0);
    rig.send({ ack: -500, data: [1] });
    expect(connection.readableBytes).toBe(1);
  });

  test('5961-4 sharp 22 challenge ACKs are limited for each connection, and come back with time', () => {
    rig.accepted();
    for (let i = 0; i < 30; i++) rig.send({ flags: 'S', seq: 0 });
    expect(rig.drain().length).toBe(10);
    // Two peers that find each other's ACKs unacceptable fall silent.
    rig.send({ seq: 900_000 });
    rig.recvNothing();
    rig.advance(5 * SECOND_NS);
    rig.send({ flags: 'S', seq: 0 });
    rig.recv({ flags: 'A', seq: 1, ack: 1 });
  });

  test('sharp 19 a peer that has rebooted finds the half-open connection, and the next try succeeds', () => {
    const connection = rig.accepted();
    rig.peerIss = 777_000;
    rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
    const challenge = rig.next();
    expect(challenge.flags).toBe('A');
    rig.send({ flags: 'R', seq: challenge.ack });
    expect(connection.takeError()?.code).toBe('ECONNRESET');
    rig.hostIss = 0;
    rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
    rig.recv({ flags: 'SA', ack: 1 });
  });

  test('sharp 19 data to a host that has forgotten the connection are answered by a reset', () => {
    rig.send({ seq: 500, ack: 600, data: [1] });
    rig.recv({ flags: 'R', seq: 600 });
  });
});

describe('closing', () => {
  test('9293-10 the end of the stream can be told from a reset', () => {
    const closed = rig.accepted();
    rig.send({ flags: 'FA', data: [1] });
    rig.recv({ flags: 'A', ack: 3 });
    expect(closed.atEof).toBe(false);
    expect(rig.read(closed)).toEqual([1]);
    expect([closed.atEof, closed.hasError]).toEqual([true, false]);
    rig.peerPort = 4001;
    rig.hostIss = 0;
    const reset = rig.accepted();
    rig.send({ flags: 'R' });
    expect(reset.takeError()?.code).toBe('ECONNRESET');
    expect(reset.takeError()).toBe(null);
  });

  test('9293-9 the side that closes first stays in TIME-WAIT for 2 MSL; a repeated FIN is ACKed and restarts it', () => {
    const connection = rig.accepted();
    connection.close();
    rig.recv({ flags: 'FA', seq: 1, ack: 1 });
    rig.send({ ack: 2 });
    expect(connection.state).toBe('FIN-WAIT-2');
    rig.send({ flags: 'FA', ack: 2 });
    rig.recv({ flags: 'A', seq: 2, ack: 2 });
    expect(connection.state).toBe('TIME-WAIT');
    rig.advance(MSL_2_NS - SECOND_NS);
    rig.send({ flags: 'FA', ack: 2 });
    rig.recv({ flags: 'A', seq: 2, ack: 2 });
    rig.advance(MSL_2_NS - SECOND_NS);
    expect(connection.state).toBe('TIME-WAIT');
    rig.advance(2 * SECOND_NS);
    expect(connection.state).toBe('CLOSED');
    rig.expectNoLeak();
  });

  test('9293-11 sharp 40 close with unread data sends a reset', () => {
    const connection = rig.accepted();
    rig.send({ data: [1, 2, 3] });
    connection.close();
    rig.recv({ flags: 'RA', seq: 1, ack: 4 });
    expect(connection.state).toBe('CLOSED');
  });

  test('9293-11 data that arrive after close are answered by a reset', () => {
    const connection = rig.accepted();
    connection.close();
    rig.recv({ flags: 'FA', seq: 1 });
    rig.send({ ack: 2, data: [1] });
    rig.recv({ flags: 'RA', seq: 2 });
    expect(connection.state).toBe('CLOSED');
  });

  test('9293-12 half close: FIN-WAIT-2 still receives', () => {
    const connection = rig.accepted();
    connection.shutdownWrite();
    rig.recv({ flags: 'FA', seq: 1 });
    rig.send({ ack: 2, data: [1, 2] });
    expect(connection.state).toBe('FIN-WAIT-2');
    expect(rig.read(connection)).toEqual([1, 2]);
    expect(connection.write(octets(1))).toBe(0);
  });

  test('9293-12 half close: CLOSE-WAIT still sends', () => {
    const connection = rig.accepted();
    rig.send({ flags: 'FA' });
    rig.recv({ flags: 'A', ack: 2 });
    connection.write(octets(5));
    rig.recv({ flags: 'PA', seq: 1, length: 5 });
    connection.close();
    rig.recv({ flags: 'FA', seq: 6, ack: 2 });
    expect(connection.state).toBe('LAST-ACK');
    rig.send({ seq: 2, ack: 7 });
    expect(connection.state).toBe('CLOSED');
    rig.recvNothing();
  });

  test('9293-14 sharp 16 a simultaneous close with data goes by CLOSING to TIME-WAIT', () => {
    const connection = rig.accepted();
    connection.write(octets(5));
    rig.recv({ flags: 'PA', seq: 1, length: 5 });
    connection.shutdownWrite();
    rig.recv({ flags: 'FA', seq: 6 });
    rig.send({ seq: 1, ack: 1, flags: 'FA', data: [1, 2] });
    expect(connection.state).toBe('CLOSING');
    rig.recv({ flags: 'A', seq: 7, ack: 4 });
    rig.send({ seq: 4, ack: 7 });
    expect(connection.state).toBe('TIME-WAIT');
    expect(rig.read(connection)).toEqual([1, 2]);
  });

  test('sharp 11 the FIN keeps its number when it is sent again with the last data', () => {
    const connection = rig.accepted({ noDelay: true });
    connection.write(octets(2920));
    connection.close();
    rig.recv({ seq: 1, length: 1460, flags: 'A' });
    rig.recv({ seq: 1461, length: 1460, flags: 'PA' });
    rig.recv({ seq: 2921, flags: 'FA' });
    rig.send({ ack: 1461 });
    rig.advance(SECOND_NS);
    rig.recv({ seq: 1461, length: 1460, flags: 'FPA' });
    rig.send({ ack: 2922 });
    expect(connection.state).toBe('FIN-WAIT-2');
  });

  test.each([
    ['FIN-WAIT-1', () => {}],
    ['CLOSING', () => rig.send({ ack: 1, flags: 'FA' })],
  ])('sharp 13 a FIN that was lost in %s is sent again', (state, arrange) => {
    const connection = rig.accepted();
    connection.close();
    rig.recv({ flags: 'FA', seq: 1 });
    arrange();
    rig.drain();
    expect(connection.state).toBe(state);
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'FA', seq: 1 });
    rig.advance(2 * SECOND_NS);
    rig.recv({ flags: 'FA', seq: 1 });
  });

  test('sharp 13 LAST-ACK ends when nobody answers any more', () => {
    const connection = rig.accepted();
    rig.send({ flags: 'FA' });
    connection.close();
    expect(rig.drain().length).toBeGreaterThan(0);
    expect(connection.state).toBe('LAST-ACK');
    rig.advance(200 * SECOND_NS);
    expect(connection.state).toBe('CLOSED');
    expect(rig.tcp.connections().length).toBe(1);
  });

  test('an orphan does not stay in FIN-WAIT-2 for ever', () => {
    const connection = rig.accepted();
    connection.close();
    rig.recv({ flags: 'FA' });
    rig.send({ ack: 2 });
    expect(connection.state).toBe('FIN-WAIT-2');
    rig.advance(61 * SECOND_NS);
    expect(connection.state).toBe('CLOSED');
  });

  test('sharp 40 with a linger time of 0 close throws away what is queued, and resets', () => {
    const connection = rig.accepted({ lingerNs: 0 }, { window: 0 });
    connection.write(octets(100));
    connection.close();
    rig.recv({ flags: 'RA', seq: 1 });
    expect(connection.state).toBe('CLOSED');
    rig.expectNoLeak();
  });

  test('with a linger time close resets when not all is acknowledged by then', () => {
    const connection = rig.accepted({ lingerNs: 3 * SECOND_NS }, { window: 50 });
    connection.write(octets(100));
    connection.close();
    rig.drain();
    rig.advance(4 * SECOND_NS);
    expect(rig.drain().at(-1)?.flags).toBe('RA');
    expect(connection.state).toBe('CLOSED');
  });
});

describe('TIME-WAIT', () => {
  let connection: TcpConnection;
  beforeEach(() => {
    connection = rig.accepted();
    connection.close();
    rig.recv({ flags: 'FA' });
    rig.send({ flags: 'FA', ack: 2 });
    rig.recv({ flags: 'A', ack: 2 });
    expect(connection.state).toBe('TIME-WAIT');
  });

  test('sharp 20 a reset does not end it (RFC 1337)', () => {
    rig.send({ flags: 'R', seq: 2 });
    expect(connection.state).toBe('TIME-WAIT');
    rig.recvNothing();
  });

  test('sharp 20 a SYN with a higher number opens a new connection', () => {
    rig.send({ flags: 'S', seq: 1000, options: MSS(1460) });
    const synAck = rig.next();
    expect(synAck).toMatchObject({ flags: 'SA', ack: 1001 });
    expect(connection.state).toBe('CLOSED');
  });

  test('sharp 20 a SYN with a lower number is answered by an ACK', () => {
    rig.send({ flags: 'S', seq: -1000 });
    rig.recv({ flags: 'A', seq: 2, ack: 2 });
    expect(connection.state).toBe('TIME-WAIT');
  });

  test('9293-32 6528-1 the next connection of the same endpoints has a higher ISN', () => {
    const before = rig.hostIss;
    rig.hostIss = 0;
    rig.send({ flags: 'S', seq: 1000, options: MSS(1460) });
    rig.next();
    expect((rig.hostIss - before) | 0).toBeGreaterThan(0);
  });
});

describe('reports of ICMP', () => {
  const HOST_UNREACHABLE = 1;
  const PORT_UNREACHABLE = 3;

  test.each([
    ['net unreachable', 3, 0],
    ['host unreachable', 3, HOST_UNREACHABLE],
    ['time exceeded', 11, 0],
    ['parameter problem', 12, 0],
  ])('9293-29 %s ends nothing, and the user is told', (_, type, code) => {
    const connection = rig.accepted();
    connection.write(octets(10));
    const about = rig.recv({ flags: 'PA', length: 10 });
    const before = rig.changes;
    rig.sendIcmp(type, code, 0, about);
    expect(connection.state).toBe('ESTABLISHED');
    expect(connection.takeSoftError()).not.toBe(null);
    expect(rig.changes).toBeGreaterThan(before);
  });

  test('9293-30 port unreachable about a segment in flight ends the connection, about another it does not', () => {
    const connection = rig.connect();
    const syn = rig.recv({ flags: 'S' });
    rig.sendIcmp(3, PORT_UNREACHABLE, 0, syn);
    expect(connection.takeError()?.code).toBe('ECONNREFUSED');
    rig.hostIss = 0;
    rig.listen();
    const other = rig.accepted();
    other.write(octets(10));
    const data = rig.recv({ flags: 'PA', length: 10 });
    rig.send({ ack: 11 });
    rig.sendIcmp(3, PORT_UNREACHABLE, 0, data);
    expect(other.state).toBe('ESTABLISHED');
  });

  test('9293-30 source quench is ignored', () => {
    const connection = rig.accepted();
    connection.write(octets(10));
    const data = rig.recv({ flags: 'PA', length: 10 });
    const before = connection.info();
    rig.sendIcmp(4, 0, 0, data);
    expect(connection.info()).toEqual(before);
  });

  test('9293-29 what ICMP said is the reason when the connection times out', () => {
    const connection = rig.connect();
    const syn = rig.recv({ flags: 'S' });
    rig.sendIcmp(3, HOST_UNREACHABLE, 0, syn);
    rig.advance(200 * SECOND_NS);
    expect(connection.takeError()?.code).toBe('EHOSTUNREACH');
  });
});

test('9293-35 time to live and type of service are those of the options; DF is set', () => {
  const connection = rig.accepted({ ttl: 9, typeOfService: 0x10 });
  connection.write(octets(1));
  expect(rig.recv({ flags: 'PA', length: 1 })).toMatchObject({ ttl: 9, tos: 0x10, dontFragment: true });
});

test('9293-32 the local address is chosen before the SYN, and kept', () => {
  const connection = rig.connect();
  expect(connection.local.address).toBe(parseIpv4(HOST));
  expect(connection.remote.address).toBe(parseIpv4(PEER));
});
