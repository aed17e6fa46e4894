/** Bounds: what happens when queues and ports are used up, and that all is given back. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseIpv4 } from '../../../../../../src/lib/bytes.ts';
import { HOST, PEER, SECOND_NS } from '../../../../../support/net-rig.ts';
import { udp } from '../../../../../support/packets.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { MSS, octets, type SegmentFields, TcpRig } from '../../../../../support/tcp-rig.ts';
import { established } from '../../../../../support/tcp-wire.ts';

const MSL_2_NS = 240 * SECOND_NS;
const SYN_QUEUE = 128;
const EPHEMERAL_PORTS = 16_384;

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

/** A SYN from port `port`; the answer is still to be received. */
function syn(port: number): void {
  rig.peerPort = port;
  rig.hostIss = 0;
  rig.send({ flags: 'S', seq: 0, options: MSS(1460) });
}

/** A handshake from port `port`, up to its SYN,ACK. What this returns makes the last ACK of it. */
function half(port: number): (fields?: Partial<SegmentFields>) => void {
  syn(port);
  rig.recv({ flags: 'SA', seq: 0, ack: 1 });
  const iss = rig.hostIss;
  return fields => {
    rig.peerPort = port;
    rig.hostIss = iss;
    rig.send({ seq: 1, ack: 1, ...fields });
  };
}

describe('the SYN queue', () => {
  beforeEach(() => {
    rig.listen();
    for (let i = 0; i < SYN_QUEUE; i++) syn(2000 + i);
    rig.drain();
  });

  test('sharp 40 handshakes that nobody completes are given up after three minutes, and make room', () => {
    expect(rig.listener.handshakeCount).toBe(SYN_QUEUE);
    rig.advance(200 * SECOND_NS);
    expect(rig.listener.handshakeCount).toBe(0);
    rig.drain();
    const sent = rig.tcp.counters.synCookiesSent;
    syn(9000);
    rig.recv({ flags: 'SA', ack: 1 });
    expect(rig.tcp.counters.synCookiesSent).toBe(sent);
    rig.expectNoLeak();
  });

  test('sharp 40 a flood of SYNs takes no memory: hundreds of cookies leave nothing behind', () => {
    for (let i = 0; i < 300; i++) half(10_000 + i);
    expect(rig.tcp.connections().length).toBe(1 + SYN_QUEUE);
    rig.expectNoLeak();
  });

  test('sharp 40 a cookie lives for one to two minutes; after that its ACK is answered by a reset', () => {
    const young = half(9000);
    rig.advance(60 * SECOND_NS);
    rig.drain();
    young();
    expect(rig.listener.accept(rig.user)?.remote.port).toBe(9000);
    const old = half(9001);
    rig.advance(130 * SECOND_NS);
    rig.drain();
    old();
    rig.recv({ flags: 'R', seq: 1 });
    expect(rig.listener.accept(rig.user)).toBe(null);
  });

  test('sharp 40 the data, and the FIN, that ride on the ACK of a cookie are taken with it', () => {
    half(9000)({ flags: 'FPA', data: [7, 8] });
    rig.recv({ flags: 'A', seq: 1, ack: 4 });
    const connection = rig.listener.accept(rig.user)!;
    expect(rig.read(connection)).toEqual([7, 8]);
    expect([connection.state, connection.atEof]).toEqual(['CLOSE-WAIT', true]);
  });

  test('sharp 40 a cookie keeps to what the listener offers: TCP_MAXSEG, and no options that it cannot hold', () => {
    rig.listener.options.mss = 900;
    rig.listener.options.windowScale = true;
    syn(9000);
    expect(rig.next()).toMatchObject({ flags: 'SA', mss: 900, scale: null, sackPermitted: false, ts: null });
    rig.send({ seq: 1, ack: 1 });
    const connection = rig.listener.accept(rig.user)!;
    connection.write(octets(2000));
    rig.recv({ flags: 'A', length: 900 });
  });

  test.each([
    ['another port', { sourcePort: 9001 }],
    ['another number of the peer', { seq: 2 }],
    ['another cookie', { ack: 2 }],
  ])('sharp 40 a cookie is good for one connection: not with %s', (_, fields) => {
    half(9000)(fields);
    expect(rig.next().flags).toBe('R');
    expect(rig.listener.accept(rig.user)).toBe(null);
  });
});

test('sharp 40 the accept queue is full: the last ACK counts as lost, and the connection is there when there is room', () => {
  rig.listen({}, 1);
  const first = half(2000);
  const second = half(2001);
  first();
  second();
  expect([rig.listener.pendingCount, rig.listener.handshakeCount]).toEqual([1, 1]);
  expect(rig.listener.accept(rig.user)?.remote.port).toBe(2000);
  expect(rig.listener.accept(rig.user)).toBe(null);
  // The peer, for which the connection is open, answers the repeated SYN,ACK.
  rig.advance(SECOND_NS);
  rig.recv({ flags: 'SA', ack: 1 });
  second();
  expect(rig.listener.accept(rig.user)?.remote.port).toBe(2001);
});

describe('ephemeral ports', () => {
  const remote = { address: parseIpv4(PEER), port: 80 };
  const connect = (to = remote) => {
    const connection = rig.tcp.connect(null, to, rig.options(), rig.user);
    rig.driver.sent.length = 0;
    return connection;
  };

  test('sharp 40 when all are used up towards one peer, one that is closed can be had again, and other peers all', () => {
    const all = Array.from({ length: EPHEMERAL_PORTS }, () => connect());
    expect(new Set(all.map(({ local }) => local.port)).size).toBe(EPHEMERAL_PORTS);
    expect(() => connect()).toThrow('EADDRNOTAVAIL');
    expect(connect({ ...remote, port: 81 }).state).toBe('SYN-SENT');
    const one = all[1234]!;
    const { port } = one.local;
    one.close();
    expect(connect().local.port).toBe(port);
    expect(() => connect()).toThrow('EADDRNOTAVAIL');
  });
});

describe('memory', () => {
  const collect: () => void = (() => {
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as () => void;
  })();

  test('sharp 40 after TIME-WAIT nothing is left of a connection: no block, no timer, no buffer', async () => {
    const pair = new TcpPair('memory');
    const blocks: WeakRef<object>[] = [];
    const open = () => {
      const { client, server } = established(pair);
      client.write(octets(100_000));
      server.write(octets(100_000));
      pair.run(SECOND_NS);
      client.read(200_000);
      server.read(200_000);
      client.close();
      server.close();
      pair.run(SECOND_NS);
      for (const { block } of [client, server]) blocks.push(new WeakRef(block));
    };
    const held = async () => {
      // A WeakRef keeps its target until the end of the job.
      await new Promise(resolve => setTimeout(resolve, 0));
      collect();
      return blocks.filter(each => each.deref() !== undefined).length;
    };
    for (let i = 0; i < 10; i++) open();
    expect(await held()).toBeGreaterThanOrEqual(10);
    pair.run(MSL_2_NS);
    for (const each of pair.rigs) {
      expect(each.net.tcp.connections()).toEqual([]);
      each.expectNoLeak();
    }
    expect(await held()).toBe(0);
  });

  test('sharp 40 a connection in TIME-WAIT holds no data', () => {
    const pair = new TcpPair('memory');
    const { client, server } = established(pair);
    client.write(octets(100_000));
    pair.run(SECOND_NS);
    server.read(200_000);
    client.close();
    server.close();
    pair.run(SECOND_NS);
    expect(client.state).toBe('TIME-WAIT');
    expect([client.block.sendBuffer.heldBytes, client.block.receiveBuffer.heldBytes]).toEqual([0, 0]);
  });
});

describe('checksums', () => {
  test('sharp 40 a segment of odd length is summed with a zero octet behind it that its length does not count', () => {
    const connection = rig.accepted();
    for (const length of [1, 3, 1459]) {
      // The rig sums by itself what it sends, and what it receives.
      rig.send({ seq: 1, data: octets(length) });
      connection.write(octets(length));
      rig.drain();
      expect(rig.read(connection)).toEqual([...octets(length)]);
      rig.peerIss += length;
      rig.send({ ack: 1 + length });
      rig.hostIss += length;
    }
  });

  test('sharp 40 what pads an Ethernet frame is no part of a segment or datagram of odd length', () => {
    const socket = rig.net.sockets.socket('udp');
    socket.bind(0, 5000);
    const datagram = { source: PEER, destination: HOST, sourcePort: 9, destinationPort: 5000, data: [1, 2, 3] };
    rig.injectIpv4({ protocol: 17, payload: udp(datagram) }, { padding: 15 });
    const { value } = socket.recvfrom(0).next(true);
    expect([...(value as { bytes: Uint8Array }).bytes]).toEqual([1, 2, 3]);
    expect(rig.net.drops.counts['bad UDP checksum'] ?? 0).toBe(0);
  });
});
