/** A socket, the call that connects it, and the first packet of the connection: as far as the driver. */
import { formatEndpoint } from '../../../../kernel/net/endpoint.ts';
import { formatIpv4 } from '../../../lib/bytes.ts';
import { protocolName } from '../names.ts';
import { flagNames, ipv4In, numberOf, offerOf, segmentIn } from '../packet.ts';
import { ALICE, THERE } from '../places.ts';
import { inKernel, segmentOn, socketsAt } from '../tests.ts';
import type { Walk } from '../walk.ts';

export function aliceConnects(walk: Walk): void {
  walk.chapter('Alice connects');
  socket(walk);
  connect(walk);
  address(walk);
}

function socket(walk: Walk): void {
  const call = walk.next(
    'system call',
    inKernel(ALICE, 'syscall', ({ text }) => text === 'socket tcp'),
  );
  const { rows } = walk.next('table of sockets', socketsAt(ALICE, 'CLOSED'));
  const row = rows.find(({ netid }) => netid === 'tcp')!;
  walk.tell(
    'socket(): a block of memory',
    ALICE,
    call.timeNs,
    'The program asks for a socket. There is no such thing, but for a block of memory in which the kernel keeps what it must know of a conversation: who with, how far it has come, what was sent and not acknowledged, how long ago. That is the control block. At first it says that nothing has begun.',
    {
      'system call': call.text,
      state: row.state,
      'this end': formatEndpoint(row.local.address, row.local.port),
      'far end': formatEndpoint(row.peer.address, row.peer.port),
    },
  );
}

function connect(walk: Walk): void {
  const call = walk.next(
    'system call',
    inKernel(ALICE, 'syscall', ({ text }) => text.startsWith('connect tcp')),
  );
  const state = walk.next('change of state', inKernel(ALICE, 'state'));
  const syn = segmentIn(walk.ahead('SYN', segmentOn(THERE.toSwitch)).sent)!;
  walk.tell(
    'connect(): what there is to agree on',
    ALICE,
    state.timeNs,
    'The cable is there all the time: to connect means that both sides tell each other what they need to know, and write it into their control blocks. The first segment has no data. It says from which number on the octets will be counted, chosen so that nobody can guess it, how long a segment may be, and how much there is room for.',
    {
      'system call': call.text,
      'four addresses': state.connection,
      state: `${state.from} to ${state.to}`,
      segment: flagNames(syn),
      'sequence number': numberOf(syn.seq),
      offers: offerOf(syn),
    },
  );
}

function address(walk: Walk): void {
  const route = walk.next('route', inKernel(ALICE, 'route'));
  const ip = walk.next(
    'IPv4 packet',
    inKernel(ALICE, 'ipv4', ({ direction }) => direction === 'out'),
  );
  const header = ipv4In(walk.ahead('SYN', segmentOn(THERE.toSwitch)).sent)!;
  walk.tell(
    'IPv4 puts an address on it',
    ALICE,
    ip.timeNs,
    'The routing table says which interface leads there and which source address to use. The longest prefix that matches wins; here none but the default route, which matches everything, by way of the gateway. The header goes in front of the message, in the room that was left for it.',
    {
      route: `${route.prefix} via ${formatIpv4(route.gateway)} dev ${route.link}`,
      from: formatIpv4(ip.source),
      to: formatIpv4(ip.destination),
      protocol: `${ip.protocol} (${protocolName(ip.protocol)})`,
      length: `${ip.lengthBytes} bytes`,
      TTL: `${header.timeToLive}: so many routers may pass it on`,
    },
  );
  const found = walk.next(
    'ARP cache',
    inKernel(ALICE, 'arp', ({ text }) => text.includes('found')),
  );
  walk.tell(
    'The ARP cache knows the next hop',
    ALICE,
    found.timeNs,
    'Two addresses are on the packet now: IPv4 says where it goes in the end, Ethernet says who takes it next. That is the gateway, whom the ARP cache knows since the question about the name. So this time nothing has to wait.',
    { found: found.text },
  );
}
