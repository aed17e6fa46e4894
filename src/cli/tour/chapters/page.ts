/** The request, the answer, the segment that is lost, and how it gets there after all. */
import { formatEndpoint } from '../../../../kernel/net/endpoint.ts';
import type { Segment } from '../../../../kernel/net/tcp/segment.ts';
import { seqDiff } from '../../../../kernel/net/tcp/seq.ts';
import { flagNames, numberOf, segmentIn, textOf } from '../packet.ts';
import { ALICE, BACK, SERVER, THERE } from '../places.ts';
import { inKernel, lostOn, segmentOn, socketsAt } from '../tests.ts';
import type { Walk } from '../walk.ts';

export function theRequest(walk: Walk): void {
  walk.chapter('The request');
  requesting(walk);
  accepted(walk);
  received(walk);
}

export function theAnswer(walk: Walk): void {
  walk.chapter('The answer, and a loss');
  sending(walk);
  losing(walk);
  noticing(walk);
  sendingAgain(walk);
  filling(walk);
  complete(walk);
}

function requesting(walk: Walk): void {
  const call = walk.next(
    'system call',
    inKernel(ALICE, 'syscall', ({ text }) => text.startsWith('send tcp')),
  );
  const frame = walk.ahead(
    'request',
    segmentOn(THERE.toSwitch, ({ dataBytes }) => dataBytes > 0),
  );
  const segment = segmentIn(frame.sent)!;
  walk.tell(
    'The browser asks for the page',
    ALICE,
    call.timeNs,
    'Now there is a pipe for octets, and neither side knows of packets any more. The request is copied into the send buffer, where it stays until it is acknowledged, and goes out in one segment: its number is that of its first octet.',
    {
      'system call': call.text,
      segment: `${flagNames(segment)}, ${segment.dataBytes} bytes`,
      'sequence number': numberOf(segment.seq),
      request: textOf(segment).trimEnd().split('\r\n').join(' | '),
    },
  );
}

function accepted(walk: Walk): void {
  const state = walk.next('change of state', inKernel(SERVER, 'state'));
  const spawn = walk.next(
    'accepted connection',
    inKernel(SERVER, 'syscall', ({ text }) => text.startsWith('spawn')),
  );
  const peer = walk.next(
    'name of the peer',
    inKernel(SERVER, 'syscall', ({ text }) => text.startsWith('getpeername')),
  );
  const { rows } = walk.next('table of sockets', socketsAt(SERVER, 'ESTABLISHED'));
  const lines = rows.map(({ state: name, local, peer: far }, index) => [
    `socket ${index + 1}`,
    `${formatEndpoint(local.address, local.port)} to ${formatEndpoint(far.address, far.port)}, ${name}`,
  ]);
  walk.tell(
    'accept() returns',
    SERVER,
    state.timeNs,
    'The last ACK of the handshake has arrived, so the connection can be given to the program: as a socket of its own, beside the one that listens, with the same port. The program makes a task that serves it, and waits for the next one.',
    {
      state: `${state.from} to ${state.to}`,
      'system calls': `${spawn.text}, ${peer.text}`,
      ...Object.fromEntries(lines),
    },
  );
}

function received(walk: Walk): void {
  const lookup = walk.next('lookup of a socket', inKernel(SERVER, 'demultiplex'));
  const read = walk.next(
    'bytes to the program',
    inKernel(SERVER, 'socket', ({ direction }) => direction === 'in'),
  );
  const reply = walk.next(
    'system call',
    inKernel(SERVER, 'syscall', ({ text }) => text.startsWith('send')),
  );
  const ack = segmentIn(walk.ahead('ACK', segmentOn(BACK.toEdge)).sent)!;
  walk.tell(
    'The request arrives',
    SERVER,
    read.timeNs,
    'This time the four addresses lead to the connection. The sequence number is the one that was expected, so nothing is missing; the data go into the receive buffer, and the task that waits in recv() has them. The acknowledgement names the next octet that is expected.',
    {
      'looked up': `${lookup.remote} to ${lookup.local}`,
      found: `${lookup.found ?? 'nothing'}, in state ${lookup.state}`,
      read: `${read.socket}, ${read.lengthBytes} bytes`,
      'acknowledgement number': numberOf(ack.ack),
      'the program answers': reply.text,
    },
  );
}

function sending(walk: Walk): void {
  const call = walk.next(
    'system call',
    inKernel(SERVER, 'syscall', ({ text }) => text.startsWith('send')),
  );
  const first = walk.ahead(
    'full segment',
    segmentOn(BACK.toEdge, ({ dataBytes }) => dataBytes > 1000),
  );
  const burst = walk.meanwhile(
    inKernel(SERVER, 'ipv4', ({ direction }) => direction === 'out'),
    inKernel(SERVER, 'demultiplex'),
  );
  const { dataBytes } = segmentIn(first.sent)!;
  // The program goes on with another call, when all of the page is in the send buffer.
  walk.next('next call', inKernel(SERVER, 'syscall'));
  const { rows } = walk.next('table of sockets', socketsAt(SERVER, 'ESTABLISHED'));
  const row = rows.find(({ state }) => state === 'ESTABLISHED')!;
  walk.tell(
    'The page goes out in segments',
    SERVER,
    call.timeNs,
    'The page is longer than a segment may be, and longer than what may be under way at the beginning: nobody knows yet how much the path takes. So TCP begins with a few segments, and sends more as acknowledgements come in.',
    {
      'system call': call.text,
      'full segment': `${dataBytes} bytes of data in ${first.sent.wireBytes} octets`,
      'at once': `${burst.length} of them, behind the head of the answer; then it waits for an ACK`,
      'in the send buffer': `${row.sendQ} bytes, sent and not acknowledged, or not sent yet`,
      'control block': row.info,
    },
  );
}

function losing(walk: Walk): void {
  const loss = walk.next('lost segment', lostOn(BACK.toIsp));
  const segment = segmentIn(loss.sent)!;
  walk.tell(
    'One segment is lost',
    loss.wire,
    loss.timeNs,
    'It went into the long cable, and does not come out. Neither side is told: IPv4 promises nothing.',
    {
      segment: `${flagNames(segment)}, ${segment.dataBytes} bytes`,
      'sequence number': numberOf(segment.seq),
      'went in': `at ${loss.timeNs} ns`,
      'should have come out': `at ${loss.arrivalNs} ns`,
    },
  );
}

function noticing(walk: Walk): void {
  const hasSack = ({ sackBlocks }: Segment) => sackBlocks > 0;
  const frame = walk.next('duplicate ACK', segmentOn(THERE.toSwitch, hasSack));
  const segment = segmentIn(frame.sent)!;
  const arrived = walk.meanwhile(segmentOn(THERE.toServer, hasSack), inKernel(SERVER, 'resend'));
  walk.tell(
    'alice notices a hole',
    ALICE,
    frame.timeNs,
    'A later segment is there, and the one before it is not. TCP keeps what has come, and repeats at once which octet it waits for; SACK says what lies behind the hole. Each further segment calls for such an ACK again.',
    {
      'acknowledgement number': `${numberOf(segment.ack)}, as before`,
      'SACK says': `${numberOf(segment.sackEdges[0]!)} to ${numberOf(segment.sackEdges[1]!)} is there`,
      'duplicate ACKs at the server': `${arrived.length}`,
    },
  );
}

function sendingAgain(walk: Walk): void {
  const resend = walk.next('retransmission', inKernel(SERVER, 'resend'));
  const { rows } = walk.ahead('table of sockets', socketsAt(SERVER, 'ESTABLISHED'));
  const row = rows.find(({ state }) => state === 'ESTABLISHED')!;
  const loss = walk.first('lost segment', lostOn(BACK.toIsp));
  const frame = walk.next(
    'segment that was sent again',
    segmentOn(BACK.toIsp, ({ seq }) => seq === segmentIn(loss.sent)!.seq),
  );
  walk.tell(
    'Sent once more',
    SERVER,
    resend.timeNs,
    'Three such ACKs are no accident: the server takes the segment for lost, and sends it again from its buffer, where it is still kept, without waiting for the timer. It also takes the loss for a sign that the path is full, and halves what may be under way. If no ACK came at all, the timer would have it sent again.',
    {
      reason: resend.reason,
      'sequence number': numberOf(resend.seq),
      length: `${resend.lengthBytes} bytes`,
      'after the loss': `${resend.timeNs - loss.timeNs} ns`,
      'control block, once all is repaired': row.info,
      'on the long cable': `from ${frame.timeNs} ns`,
    },
  );
}

function filling(walk: Walk): void {
  const { seq } = segmentIn(walk.first('lost segment', lostOn(BACK.toIsp)).sent)!;
  const frame = walk.next(
    'segment at alice',
    segmentOn(BACK.toAlice, segment => segment.seq === seq),
  );
  const read = walk.next(
    'bytes to the program',
    inKernel(ALICE, 'socket', ({ direction }) => direction === 'in'),
  );
  const ack = segmentIn(
    walk.ahead(
      'ACK',
      segmentOn(THERE.toSwitch, segment => segment.sackBlocks === 0),
    ).sent,
  )!;
  walk.tell(
    'The hole is filled',
    ALICE,
    read.timeNs,
    'With the missing octets all that had waited behind them is in order, and the program has it in one piece. It never knew. One ACK covers everything.',
    {
      segment: `${numberOf(seq)}, ${segmentIn(frame.sent)!.dataBytes} bytes, came at ${frame.arrivalNs} ns`,
      read: `${read.socket}, ${read.lengthBytes} bytes`,
      'acknowledgement number': `${numberOf(ack.ack)}: ${seqDiff(ack.ack, seq)} more`,
    },
  );
}

function complete(walk: Walk): void {
  const close = walk.ahead(
    'close',
    inKernel(ALICE, 'syscall', ({ text }) => text.startsWith('close tcp')),
  );
  const first = walk.first(
    'first segment of the answer',
    segmentOn(BACK.toAlice, ({ dataBytes }) => dataBytes > 0),
  );
  const reads = walk.before(
    close,
    inKernel(ALICE, 'socket', ({ direction, socket }) => direction === 'in' && socket.startsWith('tcp')),
  );
  const lines = textOf(segmentIn(first.sent)!).split('\r\n');
  walk.tell(
    'The page is complete',
    ALICE,
    close.timeNs,
    'The head of the answer says how long it is, so the browser knows that it has everything.',
    {
      head: lines.filter(line => line !== '').join(' | '),
      read: `${reads.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)} bytes, head and page, in ${reads.length} calls`,
      'since the program began': `${close.timeNs - walk.steps[0]!.timeNs} ns`,
    },
  );
}
