/** What an observer is told of the four addresses of a segment: who has them. */
import { beforeEach, expect, test } from 'vitest';
import { traceOf } from '../../../../support/kernel-trace.ts';
import { TcpRig } from '../../../../support/tcp-rig.ts';

const [HERE, THERE] = ['192.0.2.1:80', '192.0.2.2:4000'];

let rig: TcpRig;
let told: (readonly (string | null)[])[];
beforeEach(() => {
  rig = new TcpRig();
  told = [];
});

const watch = (): void => {
  rig.trace = traceOf({ demultiplex: (...seen) => told.push(seen) });
};

test('nobody', () => {
  watch();
  rig.send({ flags: 'S', seq: 0 });
  expect(told).toEqual([[HERE, THERE, null, null]]);
  expect(rig.drain().map(({ flags }) => flags)).toEqual(['RA']);
});

test('a listener, for a SYN; then the connection that it has made, state by state', () => {
  rig.listen();
  watch();
  rig.send({ flags: 'S', seq: 0 });
  rig.drain();
  rig.send({ flags: 'A', seq: 1, ack: 1 });
  rig.send({ flags: 'FA', seq: 1, ack: 1 });
  rig.send({ flags: 'A', seq: 2, ack: 1 });
  expect(told).toEqual([
    [HERE, THERE, '0.0.0.0:80', 'LISTEN'],
    [HERE, THERE, `${HERE}-${THERE}`, 'SYN-RECEIVED'],
    [HERE, THERE, `${HERE}-${THERE}`, 'ESTABLISHED'],
    [HERE, THERE, `${HERE}-${THERE}`, 'CLOSE-WAIT'],
  ]);
});

test('with another port at the far end it is another connection', () => {
  rig.accepted();
  watch();
  rig.send({ flags: 'A', seq: 1, ack: 1, sourcePort: 4001 });
  expect(told).toEqual([[HERE, '192.0.2.2:4001', '0.0.0.0:80', 'LISTEN']]);
});
