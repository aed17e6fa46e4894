/** How the connection ends, on both sides, and what stays behind for a while. */
import { formatMapping } from '../../../world/nat-table.ts';
import { flagNames, numberOf, segmentIn } from '../packet.ts';
import { ALICE, BACK, SERVER, THERE } from '../places.ts';
import { inKernel, inNat, segmentOn } from '../tests.ts';
import type { Walk } from '../walk.ts';

const FIN = 0x01;

export function theEnd(walk: Walk): void {
  walk.chapter('The connection ends');
  closing(walk);
  answering(walk);
  waiting(walk);
  deleting(walk);
}

function closing(walk: Walk): void {
  const call = walk.next(
    'system call',
    inKernel(ALICE, 'syscall', ({ text }) => text.startsWith('close tcp')),
  );
  const state = walk.next('change of state', inKernel(ALICE, 'state'));
  const fin = segmentIn(
    walk.ahead(
      'FIN',
      segmentOn(THERE.toSwitch, ({ flags }) => (flags & FIN) !== 0),
    ).sent,
  )!;
  const { row } = walk.ahead('mapping', inNat('changed', 'tcp'));
  walk.tell(
    'alice closes first',
    ALICE,
    state.timeNs,
    'Either side may begin. With HTTP/1.0 it is the server, for whom closing is the way to say that the page ends. With HTTP/1.1 the client knows that by itself, and closes. A FIN counts as one octet behind the last one: it says that nothing more will come from here. The NAT router reads that too.',
    {
      'system call': call.text,
      state: `${state.from} to ${state.to}`,
      segment: `${flagNames(fin)}, sequence number ${numberOf(fin.seq)}`,
      'the entry of the NAT': formatMapping(row),
    },
  );
}

function answering(walk: Walk): void {
  const heard = walk.next(
    'change of state',
    inKernel(SERVER, 'state', ({ to }) => to === 'CLOSE-WAIT'),
  );
  const closed = walk.next('change of state', inKernel(SERVER, 'state'));
  const fin = segmentIn(
    walk.next(
      'FIN',
      segmentOn(BACK.toEdge, ({ flags }) => (flags & FIN) !== 0),
    ).sent,
  )!;
  walk.tell(
    'The server closes too',
    SERVER,
    heard.timeNs,
    'The FIN is acknowledged, and recv() tells the program of the end by returning nothing. It calls close() in its turn, and there goes a FIN the other way.',
    {
      'first state': `${heard.from} to ${heard.to}`,
      'then, by close()': `${closed.from} to ${closed.to}, ${closed.timeNs - heard.timeNs} ns later`,
      segment: `${flagNames(fin)}, sequence number ${numberOf(fin.seq)}`,
    },
  );
}

function waiting(walk: Walk): void {
  const acked = walk.next('change of state', inKernel(ALICE, 'state'));
  const ended = walk.next('change of state', inKernel(ALICE, 'state'));
  const ack = segmentIn(walk.next('last ACK', segmentOn(THERE.toSwitch)).sent)!;
  const gone = walk.next('change of state', inKernel(SERVER, 'state'));
  walk.tell(
    'TIME-WAIT',
    ALICE,
    ended.timeNs,
    'Both have said that they have finished. For the server the last ACK is the end: its control block is deleted, and the socket that listens is still there. Who closed first must not forget at once: the last ACK may be lost, and then the FIN comes again and wants an answer; and a late segment must not get into a new connection between the same four addresses. So the control block stays for twice the longest life of a segment.',
    {
      'first state': `${acked.from} to ${acked.to}`,
      state: `${ended.from} to ${ended.to}`,
      'last segment': `${flagNames(ack)}, acknowledgement number ${numberOf(ack.ack)}`,
      'at the server': `${gone.from} to ${gone.to}, ${gone.timeNs - ended.timeNs} ns later`,
    },
  );
}

function deleting(walk: Walk): void {
  const { row, timeNs } = walk.next('mapping', inNat('removed', 'tcp'));
  const deleted = walk.next('change of state', inKernel(ALICE, 'state'));
  const began = walk.first(
    'change of state',
    inKernel(ALICE, 'state', ({ to }) => to === 'TIME-WAIT'),
  );
  walk.tell(
    'The socket is deleted',
    ALICE,
    deleted.timeNs,
    'Twice two minutes are over. The NAT router, which cannot know whether the last ACK has arrived, has kept its entry for as long; the port is free for another connection now. Nothing is left.',
    {
      'control block': deleted.connection,
      state: `${deleted.from} to ${deleted.to}`,
      'in TIME-WAIT for': `${deleted.timeNs - began.timeNs} ns`,
      'gone from the NAT': `${formatMapping(row)}, at ${timeNs} ns`,
    },
  );
}
