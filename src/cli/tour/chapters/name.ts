/** Before anything else: the name of the server becomes an address, and that of the router a hardware address. */
import { formatIpv4, formatMac } from '../../../lib/bytes.ts';
import { dnsIn } from '../packet.ts';
import { ALICE, BACK, HOME, SWITCH, THERE } from '../places.ts';
import { inKernel, inSwitch, onWire } from '../tests.ts';
import type { Walk } from '../walk.ts';

export function aNameBecomesAnAddress(walk: Walk): void {
  walk.chapter('A name becomes an address');
  asking(walk);
  resolving(walk);
  flooding(walk);
  answering(walk);
}

function asking(walk: Walk): void {
  const call = walk.next(
    'system call',
    inKernel(ALICE, 'syscall', ({ text }) => text === 'socket udp'),
  );
  const ask = walk.next(
    'system call',
    inKernel(ALICE, 'syscall', ({ text }) => text.startsWith('connect udp')),
  );
  const out = walk.next(
    'message at a socket',
    inKernel(ALICE, 'socket', ({ direction }) => direction === 'out'),
  );
  const frame = walk.ahead(
    'question',
    onWire(THERE.toSwitch, ({ sent }) => dnsIn(sent) !== null),
  );
  const { questions, id } = dnsIn(frame.sent)!;
  walk.tell(
    'A program asks',
    ALICE,
    call.timeNs,
    'alice wants to see a web page. All that her browser has is the name of the server, and packets are addressed with numbers. So before anything else it asks a name server, in a datagram of UDP, which needs no connection.',
    {
      program: call.task,
      name: questions[0]!.name,
      'system calls': `${call.text}, ${ask.text}`,
      socket: out.socket,
      message: `${out.lengthBytes} bytes of DNS: type A, identifier ${id}`,
    },
  );
}

function resolving(walk: Walk): void {
  const who = walk.next(
    'ARP request',
    inKernel(ALICE, 'arp', ({ text }) => text.includes('who has')),
  );
  const request = walk.ahead('ARP frame', onWire(THERE.toSwitch));
  const reply = walk.ahead('ARP reply', onWire(BACK.toAlice));
  const learned = walk.ahead(
    'ARP answer',
    inKernel(ALICE, 'arp', ({ text }) => text.includes('learned')),
  );
  walk.tell(
    'ARP finds the hardware address',
    ALICE,
    who.timeNs,
    'The name server is the router at home. Ethernet knows nothing of IPv4 addresses, and the ARP cache is empty. The packet waits while a question goes to everybody on the network, and the one who has the address answers.',
    {
      asked: who.text,
      question: `${request.sent.wireBytes} octets to ${formatMac(request.sent.octets)}`,
      answer: `${reply.sent.wireBytes} octets from ${formatMac(reply.sent.octets, 6)}`,
      learned: `${learned.text}, ${learned.timeNs - who.timeNs} ns later`,
    },
  );
}

function flooding(walk: Walk): void {
  const learned = walk.next('address learned', inSwitch('learned'));
  const flooded = walk.next(
    'flooded frame',
    inSwitch('decision', ({ verdict }) => verdict === 'flooded'),
  );
  const other = walk.next('address learned', inSwitch('learned'));
  const forwarded = walk.next(
    'forwarded frame',
    inSwitch('decision', ({ verdict }) => verdict === 'forwarded'),
  );
  walk.tell(
    'The switch learns, and asks everybody',
    SWITCH,
    flooded.timeNs,
    'A switch is told nothing. From each frame it notes in its MAC table by which port the sender came in. Then it looks up where to: what goes to everybody, or to somebody who is not in the table, leaves by all other ports. For the answer it knows the way already.',
    {
      'the question': `came in by port ${flooded.port}`,
      learned: `${formatMac(learned.entry.mac)} is behind port ${learned.entry.port}`,
      'looked up': `${formatMac(flooded.frame.octets)}: ${flooded.verdict}, to ports ${flooded.to.join(' and ')}`,
      'the answer': `came in by port ${forwarded.port}, ${forwarded.timeNs - flooded.timeNs} ns later`,
      'learned too': `${formatMac(other.entry.mac)} is behind port ${other.entry.port}`,
      'looked up then': `${formatMac(forwarded.frame.octets)}: ${forwarded.verdict}, to port ${forwarded.to.join()}`,
    },
  );
}

function answering(walk: Walk): void {
  const asked = walk.next(
    'question to the provider',
    inKernel(HOME, 'syscall', ({ text }) => text.startsWith('connect udp')),
  );
  const answer = walk.next(
    'answer',
    onWire(BACK.toAlice, ({ sent }) => dnsIn(sent)?.response === true),
  );
  const came = walk.next(
    'datagram at its socket',
    inKernel(ALICE, 'socket', ({ direction }) => direction === 'in'),
  );
  const { name, ttlSeconds, data } = dnsIn(answer.sent)!.answers[0]!;
  walk.tell(
    'The answer: an address',
    ALICE,
    came.timeNs,
    'The router did not know either, and has asked the name server of its provider, who answers for this name. The answer may be remembered for a while, so that not every page begins like this.',
    {
      'asked in turn': asked.text,
      answer: `${name} ${data.type} ${data.type === 'A' ? formatIpv4(data.address) : ''}`,
      'good for': `${ttlSeconds} s`,
      socket: `${came.socket}, ${came.lengthBytes} bytes`,
      'since the question': `${came.timeNs - walk.steps[0]!.timeNs} ns`,
    },
  );
}
