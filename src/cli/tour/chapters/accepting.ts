/** The server's side of the handshake, the way back, and the rest of the handshake. */
import { MACHINE_EXTERNAL } from '../../../../hw/cpu/hart.ts';
import { formatEndpoint } from '../../../../kernel/net/endpoint.ts';
import { formatIpv4, hex } from '../../../lib/bytes.ts';
import { formatMapping } from '../../../world/nat-table.ts';
import { etherTypeName, protocolName } from '../names.ts';
import { flagNames, ipv4In, numberOf, offerOf, segmentIn } from '../packet.ts';
import { ALICE, BACK, EDGE, HOME, ISP, SERVER, THERE } from '../places.ts';
import { inKernel, inNat, inTrap, segmentOn, socketsAt } from '../tests.ts';
import type { Walk } from '../walk.ts';

export function theServerAnswers(walk: Walk): void {
  walk.chapter('The server answers');
  dispatching(walk);
  copying(walk);
  agreeing(walk);
  returning(walk);
  connected(walk);
}

function dispatching(walk: Walk): void {
  const frame = walk.next(
    'frame',
    inKernel(SERVER, 'frame', ({ direction, etherType }) => direction === 'in' && etherType === 0x0800),
  );
  const ip = walk.next('packet', inKernel(SERVER, 'ipv4'));
  const protocol = walk.next('dispatch', inKernel(SERVER, 'protocol'));
  walk.tell(
    'Two numbers say whose packet it is',
    SERVER,
    frame.timeNs,
    'NIC, interrupt, driver as before. The EtherType in the header of the frame leads to IPv4. The packet is for this host, and whole, no fragment; so the protocol number in its header leads to TCP.',
    {
      EtherType: `${hex(frame.etherType, 4)} (${etherTypeName(frame.etherType)}), handled by ${frame.handler ?? 'nobody'}`,
      packet: `${formatIpv4(ip.source)} to ${formatIpv4(ip.destination)}`,
      protocol: `${protocol.protocol} (${protocolName(protocol.protocol)}), handled by ${protocol.handler ?? 'nobody'}`,
    },
  );
}

function copying(walk: Walk): void {
  const bind = walk.first(
    'bind',
    inKernel(SERVER, 'syscall', ({ text }) => text.startsWith('bind tcp')),
  );
  const listen = walk.first(
    'listen',
    inKernel(SERVER, 'syscall', ({ text }) => text.startsWith('listen')),
  );
  const lookup = walk.next('lookup of a socket', inKernel(SERVER, 'demultiplex'));
  const state = walk.next('change of state', inKernel(SERVER, 'state'));
  walk.tell(
    'A copy of the listening socket',
    SERVER,
    lookup.timeNs,
    'TCP looks for a connection with just these two addresses and two ports. There is none; but a socket waits at the port for anybody, since the program has called bind() and listen(). It goes on waiting. A new control block is made for the connection, with the same port, and with the far end in it: four addresses tell it from all others.',
    {
      'looked up': `${lookup.remote} to ${lookup.local}`,
      found: `${lookup.found ?? 'nothing'}, in state ${lookup.state}`,
      'which was made by': `${bind.text}; ${listen.text}`,
      'new control block': state.connection,
      state: `${state.from} to ${state.to}`,
    },
  );
}

function agreeing(walk: Walk): void {
  const frame = walk.next('SYN,ACK', segmentOn(BACK.toEdge));
  const answer = segmentIn(frame.sent)!;
  walk.tell(
    'The server agrees',
    SERVER,
    frame.timeNs,
    'The answer acknowledges the SYN by naming the next number that is expected, and is a SYN of its own: the server counts its octets from another number, and makes its own offers. What only one side offers is not used.',
    {
      segment: flagNames(answer),
      'sequence number': numberOf(answer.seq),
      'acknowledgement number': `${numberOf(answer.ack)}: the number of the SYN, and one`,
      offers: offerOf(answer),
    },
  );
}

function returning(walk: Walk): void {
  const edge = walk.next('forwarded packet', inKernel(EDGE, 'forward'));
  const isp = walk.next('forwarded packet', inKernel(ISP, 'forward'));
  const { row } = walk.next('mapping', inNat('changed', 'tcp'));
  const nat = walk.next('translation', inKernel(HOME, 'nat'));
  const home = walk.next('forwarded packet', inKernel(HOME, 'forward'));
  const frame = walk.next('SYN,ACK at alice', segmentOn(BACK.toAlice));
  walk.tell(
    'The way back',
    HOME,
    home.timeNs,
    'All routers know all neighbours by now. The packet is addressed to the router of the house. Its table says who is behind the port, and the destination is translated before the routing table is asked. For the mapping the connection is there, since both sides have spoken.',
    {
      'TTL behind edge, isp, home': `${edge.timeToLive}, ${isp.timeToLive}, ${home.timeToLive}`,
      translation: nat.text,
      entry: formatMapping(row),
      route: `${home.prefix} dev ${home.link}`,
      'TTL at alice': `${ipv4In(frame.sent)!.timeToLive}`,
    },
  );
}

function connected(walk: Walk): void {
  const trap = walk.next('trap', inTrap(ALICE, MACHINE_EXTERNAL));
  const lookup = walk.next('lookup of a socket', inKernel(ALICE, 'demultiplex'));
  const state = walk.next('change of state', inKernel(ALICE, 'state'));
  const ack = segmentIn(walk.ahead('ACK', segmentOn(THERE.toSwitch)).sent)!;
  const task = walk.ahead(
    'task',
    inKernel(ALICE, 'task', ({ running }) => running),
  );
  const began = walk.first(
    'change of state',
    inKernel(ALICE, 'state', ({ to }) => to === 'SYN-SENT'),
  );
  const { rows } = walk.ahead('table of sockets', socketsAt(ALICE, 'ESTABLISHED'));
  const row = rows.find(({ netid }) => netid === 'tcp')!;
  walk.tell(
    'Connected',
    ALICE,
    state.timeNs,
    'Wire, NIC, memory, interrupt, driver: the same once more, in the other direction. The four addresses lead to the control block that has waited for this answer. What the server said is written into it, buffers are ready, and connect() returns. A last ACK goes out, by which the server too knows that it was heard.',
    {
      interrupt: `at ${trap.timeNs} ns`,
      'looked up': `${lookup.remote} to ${lookup.local}`,
      found: `${lookup.found ?? 'nothing'}, in state ${lookup.state}`,
      state: `${state.from} to ${state.to}`,
      task: `${task.name}, running again at ${task.timeNs} ns`,
      'since the SYN': `${state.timeNs - began.timeNs} ns`,
      'control block': `${formatEndpoint(row.local.address, row.local.port)} to ${formatEndpoint(row.peer.address, row.peer.port)}, ${row.state}`,
      'it says': row.info,
      'third segment': `${flagNames(ack)}, acknowledgement number ${numberOf(ack.ack)}`,
    },
  );
}
