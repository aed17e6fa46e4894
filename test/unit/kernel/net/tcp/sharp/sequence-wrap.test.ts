/** Sequence numbers that cross 2^32, in every part of a connection and in both directions. */
import { beforeEach, describe, expect, test } from 'vitest';
import { parseIpv4 } from '../../../../../../src/lib/bytes.ts';
import { untilIssNs } from '../../../../../support/isn.ts';
import { HOST, PEER, SECOND_NS } from '../../../../../support/net-rig.ts';
import { TcpPair } from '../../../../../support/tcp-pair.ts';
import { HOST_PORT, MSS, octets, SACK_OK, sackOf, TcpRig } from '../../../../../support/tcp-rig.ts';
import { Transfer } from '../../../../../support/tcp-transfer.ts';

const LAST_BUT_ONE = 0xffff_fffe;
const CLIENT = { address: parseIpv4(HOST), port: 6000 };
const SERVER = { address: parseIpv4(PEER), port: 80 };

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

describe('an ISN of 2^32 - 2', () => {
  beforeEach(() => {
    const host = { address: CLIENT.address, port: HOST_PORT };
    rig.advance(untilIssNs(rig, host, { address: SERVER.address, port: rig.peerPort }, LAST_BUT_ONE));
    rig.introducePeer();
  });

  test('sharp 1 SYN, data and FIN of the sender cross 2^32, and are sent again across it', () => {
    const connection = rig.connected({ noDelay: true });
    expect(rig.hostIss >>> 0).toBe(LAST_BUT_ONE);
    connection.write(octets(2920));
    rig.recv({ flags: 'A', seq: 1, length: 1460 });
    rig.recv({ flags: 'PA', seq: 1461, length: 1460 });
    rig.advance(SECOND_NS);
    rig.recv({ flags: 'A', seq: 1, data: octets(1460) });
    rig.send({ ack: 2921 });
    connection.close();
    rig.recv({ flags: 'FA', seq: 2921 });
    rig.send({ ack: 2922 });
    expect(connection.state).toBe('FIN-WAIT-2');
  });

  test('sharp 1 an ACK is compared across 2^32: old, of one octet, of what was never sent', () => {
    const connection = rig.connected();
    connection.write(octets(10));
    rig.recv({ flags: 'PA', seq: 1, length: 10 });
    rig.send({ ack: 0 });
    rig.send({ ack: 1 });
    rig.recvNothing();
    expect(connection.info().unacked).toBe(10);
    rig.send({ ack: 12 });
    rig.recv({ flags: 'A', seq: 11 });
    rig.send({ ack: 2 });
    expect(connection.info().unacked).toBe(9);
    rig.send({ ack: 11 });
    expect(connection.info().unacked).toBe(0);
  });

  test('sharp 2 a SACK block of the peer spans the wrap, and what it holds is not sent again', () => {
    rig.listen({ sack: true });
    rig.send({ flags: 'S', seq: 0, options: [...MSS(1000), ...SACK_OK] });
    rig.recv({ flags: 'SA', seq: 0, ack: 1 });
    rig.send({});
    const connection = rig.listener.accept(rig.user)!;
    connection.write(octets(4000));
    expect(rig.drain().length).toBe(4);
    // From 2^32 - 1 to 2999: all but the first octet.
    rig.send({ options: sackOf(rig, [2, 4001]) });
    expect(connection.info().sacked).toBe(3999);
    rig.recv({ seq: 1, data: octets(1), flags: 'A' });
    rig.send({ ack: 4001 });
    rig.recvNothing();
    expect(connection.info()).toMatchObject({ unacked: 0, retransmits: 1, sacked: 0 });
  });

  test('sharp 1 urgent data and a window whose edge lies beyond 2^32', () => {
    const connection = rig.connected({}, { window: 0 });
    connection.write(octets(10));
    connection.markUrgent();
    rig.send({ window: 6 });
    expect(rig.recv({ flags: 'AU', seq: 1, length: 6 }).urgent).toBe(10);
  });
});

test('sharp 2 a hole that spans the wrap, and a SACK block that does', () => {
  rig.peerIss = LAST_BUT_ONE - 10;
  const connection = rig.accepted({ sack: true }, { options: [...MSS(1460), ...SACK_OK] });
  rig.send({ seq: 21, data: octets(5, 20) });
  rig.recv({ flags: 'A', ack: 1, sack: [[21, 26]] });
  rig.send({ seq: 6, data: octets(15, 5) });
  expect(rig.recv({ flags: 'A', ack: 1 }).sack).toEqual([[6, 26]]);
  rig.send({ seq: 1, data: octets(5) });
  rig.recv({ flags: 'A', ack: 26 });
  expect(rig.read(connection)).toEqual([...octets(25)]);
});

test.each([
  ['the sender', 0, CLIENT, SERVER],
  ['the receiver', 1, SERVER, CLIENT],
])('sharp 1 on a link with losses, the numbers of %s cross 2^32 unharmed', (_, side, local, remote) => {
  const pair = new TcpPair('wrap', { loss: 0.05, reorder: 0.1, duplicate: 0.05 });
  pair.clientPort = CLIENT.port;
  // In the middle of the stream; of the receiver's numbers only those of SYN and FIN are used.
  const iss = side === 0 ? -25_000 : -1;
  pair.run(untilIssNs(pair.rigs[side]!, local, remote, iss));
  const transfer = new Transfer(pair, 50_000, { noDelay: true });
  if (side === 0) expect(transfer.client.block.iss).toBe(iss);
  transfer.run(600 * SECOND_NS);
  expect([transfer.received, transfer.wrongAt, transfer.closed]).toEqual([50_000, -1, true]);
});
