import { beforeEach, expect, test } from 'vitest';
import { octets, TcpRig } from '../../../../support/tcp-rig.ts';

let rig: TcpRig;
beforeEach(() => {
  rig = new TcpRig();
});

test('passive open, data both ways, close', () => {
  const c = rig.accepted();
  rig.send({ seq: 1, data: [1, 2, 3], flags: 'PA' });
  rig.recvNothing();
  rig.advance(250e6);
  rig.recv({ flags: 'A', seq: 1, ack: 4 });
  expect(rig.read(c)).toEqual([1, 2, 3]);
  c.write(octets(3000));
  rig.recv({ seq: 1, ack: 4, length: 1460, flags: 'A' });
  rig.recv({ seq: 1461, length: 1460, flags: 'A' });
  rig.recvNothing();
  rig.send({ seq: 4, ack: 2921 });
  rig.recv({ seq: 2921, length: 80, flags: 'PA' });
  rig.send({ seq: 4, ack: 3001 });
  c.close();
  rig.recv({ flags: 'FA', seq: 3001, ack: 4 });
  rig.send({ seq: 4, ack: 3002, flags: 'FA' });
  rig.recv({ flags: 'A', seq: 3002, ack: 5 });
  expect(c.state).toBe('TIME-WAIT');
  rig.advance(241e9);
  expect(c.state).toBe('CLOSED');
  rig.recvNothing();
  rig.expectNoLeak();
});

test('active open, retransmission', () => {
  const c = rig.connected();
  c.write(octets(100));
  rig.recv({ seq: 1, length: 100, flags: 'PA' });
  rig.advance(1e9);
  rig.recv({ seq: 1, length: 100, flags: 'PA' });
  rig.advance(2e9);
  rig.recv({ seq: 1, length: 100, flags: 'PA' });
  c.close();
});
