/**
 * Finds the journey of one packet in a recording: from the program that asks, through every register on the way, to
 * the program that gets its answer. Each step looks for its moment after the one before, so the order is that of the
 * run, and the values are what the probes saw.
 */
import { MACHINE_EXTERNAL } from '../../../hw/cpu/hart.ts';
import { formatIpv4, formatMac, hex, hexBytes, readLe16, readLe32 } from '../../lib/bytes.ts';
import type { World } from '../../world/world.ts';
import { causeNames, commandNames, etherTypeName, protocolName, statusNames } from './names.ts';
import type { Recording } from './recording.ts';
import type { Step } from './step.ts';
import { inKernel, inTrap, lineHigh, onNic, onWire } from './tests.ts';
import { Walk } from './walk.ts';

const IPV4 = 0x0800;
const ARP = 0x0806;
const FCS_OCTETS = 4;
const HEADER_OCTETS = 8;

/** Who travels: the computer that asks, the one that answers, and the wire between them. */
export interface Itinerary {
  readonly asking: string;
  readonly answering: string;
  readonly wire: string;
  /** Propagation delay of the wire in nanoseconds. */
  readonly delayNs: number;
}

/** The way of the first packet in a world of two computers and one wire. */
export function itineraryOf(world: World): Itinerary {
  const [asking, answering] = [...world.computers.keys()];
  const [wire] = [...world.wires.values()];
  return { asking: asking!, answering: answering!, wire: wire!.name, delayNs: wire!.cable.delayNs };
}

/** The steps of the first echo request, and of the reply to it. */
export function journey(recording: Recording, itinerary: Itinerary): readonly Step[] {
  const walk = new Walk(recording);
  asking(walk, itinerary);
  resolving(walk, itinerary);
  sending(walk, itinerary);
  crossing(walk, itinerary);
  arriving(walk, itinerary);
  interrupting(walk, itinerary);
  understanding(walk, itinerary);
  returning(walk, itinerary);
  return walk.steps;
}

function asking(walk: Walk, { asking: host }: Itinerary): void {
  const call = walk.next(
    'system call',
    inKernel(host, 'syscall', ({ text }) => text.startsWith('socket icmp')),
  );
  const out = walk.next(
    'message at a socket',
    inKernel(host, 'socket', ({ direction }) => direction === 'out'),
  );
  walk.tell(
    'A program asks',
    host,
    call.timeNs,
    'A program wants to know whether another computer is there. It asks the kernel for a socket, the block of memory in which the kernel keeps what it must know of a conversation, and hands it a message.',
    { task: call.task, socket: out.socket, message: `${out.lengthBytes} bytes of ICMP, an echo request` },
  );
  const ip = walk.next(
    'IPv4 packet',
    inKernel(host, 'ipv4', ({ direction }) => direction === 'out'),
  );
  walk.tell(
    'IPv4 puts an address on it',
    host,
    ip.timeNs,
    'The routing table says which interface leads there and which source address to use. The header goes in front of the message, in the room that was left for it.',
    {
      from: formatIpv4(ip.source),
      to: formatIpv4(ip.destination),
      protocol: `${ip.protocol} (${protocolName(ip.protocol)})`,
      length: `${ip.lengthBytes} bytes`,
    },
  );
}

function resolving(walk: Walk, { asking: host, answering }: Itinerary): void {
  const who = walk.next(
    'ARP request',
    inKernel(host, 'arp', ({ text }) => text.includes('who has')),
  );
  const request = walk.next('ARP frame', onWire(0));
  walk.next(
    'ARP frame',
    inKernel(answering, 'frame', ({ etherType, direction }) => etherType === ARP && direction === 'in'),
  );
  const reply = walk.next('ARP reply', onWire(1));
  const learned = walk.next(
    'ARP answer',
    inKernel(host, 'arp', ({ text }) => text.includes('learned')),
  );
  walk.tell(
    'ARP finds the hardware address',
    host,
    who.timeNs,
    'Ethernet knows nothing of IPv4 addresses. The packet waits while a question goes to everybody on the wire, and the one who has the address answers. Both frames take the way that is shown next.',
    {
      asked: who.text,
      question: `${request.sent.wireBytes} octets to ${formatMac(request.sent.octets)}`,
      answer: `${reply.sent.wireBytes} octets from ${formatMac(reply.sent.octets, 6)}`,
      learned: `${learned.text}, ${learned.timeNs - who.timeNs} ns later`,
    },
  );
}

function sending(walk: Walk, { asking: host }: Itinerary): void {
  const nic = `${host}.eth0`;
  const frame = walk.next(
    'frame',
    inKernel(host, 'frame', ({ etherType, direction }) => etherType === IPV4 && direction === 'out'),
  );
  const descriptor = walk.ahead(
    'descriptor',
    onNic(nic, 'descriptor', ({ ring, action }) => ring === 'tx' && action === 'fetch'),
  );
  walk.tell(
    'The driver fills in a descriptor',
    host,
    frame.timeNs,
    'The Ethernet header is put in front, and the driver gets the frame. It does not touch the data: it writes 16 bytes into a ring in memory, saying where the frame lies, how long it is, and what to do with it.',
    {
      EtherType: `${hex(frame.etherType, 4)} (${etherTypeName(frame.etherType)})`,
      frame: `${frame.lengthBytes} bytes`,
      descriptor: `TX ring entry ${descriptor.index} at ${hex(descriptor.address)}: ${hexBytes(descriptor.bytes)}`,
      'buffer address': hex(readLe32(descriptor.bytes, 0)),
      length: `${readLe16(descriptor.bytes, 8)}`,
      CMD: `${hex(descriptor.bytes[11]!, 2)} (${commandNames(descriptor.bytes[11]!)})`,
    },
  );
  const bell = walk.next(
    'doorbell',
    onNic(nic, 'register', ({ write, register }) => write && register === 'TDT'),
  );
  walk.tell(
    'The doorbell',
    host,
    bell.timeNs,
    'One write to a register of the NIC, the tail of the ring: up to here the descriptors are yours. The write is posted, and the driver goes on at once. Nothing has been sent yet.',
    { register: `TDT at offset ${hex(bell.offset, 4)}`, value: `${bell.value}` },
  );
  const fetched = walk.next(
    'descriptor',
    onNic(nic, 'descriptor', ({ ring, action }) => ring === 'tx' && action === 'fetch'),
  );
  const data = walk.next(
    'DMA of the frame',
    onNic(nic, 'dma', ({ action }) => action === 'read'),
  );
  walk.tell(
    'The NIC fetches by itself',
    nic,
    fetched.timeNs,
    'The NIC is master of the bus now. It reads the descriptor, then the bytes that the descriptor points to, into its own FIFO. The processor does something else meanwhile.',
    {
      'DMA read': `16 bytes at ${hex(fetched.address)}, the descriptor`,
      'DMA read, then': `${data.lengthBytes} bytes at ${hex(data.address)}, at ${data.timeNs} ns`,
    },
  );
}

function crossing(walk: Walk, { asking: host, wire, delayNs }: Itinerary): void {
  const nic = `${host}.eth0`;
  const done = walk.next(
    'write-back',
    onNic(nic, 'descriptor', ({ ring, action }) => ring === 'tx' && action === 'write-back'),
  );
  const frame = walk.next('frame on the wire', onWire(0));
  const octets = frame.sent.wire();
  walk.tell(
    'Onto the wire',
    wire,
    frame.timeNs,
    'The MAC sends a preamble for the receiver to synchronize to, a start delimiter, the frame, and behind it the frame check sequence: four octets worked out from all the others, by which damage shows.',
    {
      frame: `${hexBytes(octets.subarray(0, 26))} ...`,
      FCS: hexBytes(octets.subarray(-FCS_OCTETS)),
      'on the wire': `${HEADER_OCTETS} + ${octets.length} octets, from ${frame.timeNs} to ${frame.endNs} ns: ${frame.endNs - frame.timeNs} ns`,
      propagation: `${delayNs} ns: the first bit comes out at ${frame.arrivalNs} ns`,
    },
  );
  const causes = walk.ahead(
    'cause',
    onNic(nic, 'register', ({ register, write }) => register === 'ICR' && !write),
  );
  walk.tell(
    'The sender gets its buffer back',
    nic,
    done.timeNs,
    'Only now that the last bit has left does the NIC write DD, descriptor done, into memory. Until then the buffer belonged to the hardware; a driver that reuses it sooner sends garbage. Nobody waits for the buffer, so with IDE the descriptor asked for no interrupt of its own: the driver sees DD when it is interrupted next, or after a delay.',
    {
      descriptor: `TX ring entry ${done.index}: ${hexBytes(done.bytes)}`,
      STA: `${hex(done.bytes[12]!, 2)} (DD)`,
      'next interrupt': `ICR read at ${causes.timeNs} ns: ${hex(causes.value)} (${causeNames(causes.value)})`,
    },
  );
}

function arriving(walk: Walk, { answering: host }: Itinerary): void {
  const nic = `${host}.eth0`;
  const data = walk.next(
    'DMA into memory',
    onNic(nic, 'dma', ({ action }) => action === 'write'),
  );
  const back = walk.next(
    'write-back',
    onNic(nic, 'descriptor', ({ ring, action }) => ring === 'rx' && action === 'write-back'),
  );
  walk.tell(
    'The far NIC lets it in',
    nic,
    data.timeNs,
    'The receiver has worked out the check sequence again and found it right, and the destination address is its own. So the frame goes into memory, to a buffer that the driver had left in the receive ring long before; the descriptor is written back with the length and what was found.',
    {
      'DMA write': `${data.lengthBytes} bytes to ${hex(data.address)}`,
      descriptor: `RX ring entry ${back.index} at ${hex(back.address)}: ${hexBytes(back.bytes)}`,
      LENGTH: `${readLe16(back.bytes, 8)}`,
      STATUS: `${hex(back.bytes[12]!, 2)} (${statusNames(back.bytes[12]!)})`,
    },
  );
}

function interrupting(walk: Walk, { answering: host }: Itinerary): void {
  const nic = `${host}.eth0`;
  const cause = walk.next(
    'cause',
    onNic(nic, 'causes', () => true),
  );
  const line = walk.next('interrupt line', lineHigh(host));
  walk.tell(
    'A level on a line',
    nic,
    cause.timeNs,
    'The NIC notes the cause in ICR. The cause is not masked, so the line INTA goes up, and stays up until somebody deals with it. The interrupt controller sees one of its sources go high.',
    {
      raised: causeNames(cause.raisedBits),
      ICR: hex(cause.icr),
      IMS: `${hex(cause.ims)} (${causeNames(cause.ims)})`,
      line: line.line,
    },
  );
  const trap = walk.next('trap', inTrap(host, MACHINE_EXTERNAL));
  const claim = walk.next('claim', inKernel(host, 'claim'));
  walk.tell(
    'The processor is interrupted',
    host,
    trap.timeNs,
    'The processor leaves what it was doing and jumps to the trap handler. It knows only that some device wants something, so it asks the interrupt controller which; that is a claim.',
    { cause: `${trap.cause} (machine external interrupt)`, 'PLIC claim': `${claim.source}` },
  );
  const icr = walk.next(
    'ICR read',
    onNic(nic, 'register', ({ register, write }) => register === 'ICR' && !write),
  );
  const mask = walk.next(
    'IMC write',
    onNic(nic, 'register', ({ register, write }) => register === 'IMC' && write),
  );
  const irq = walk.next('handler', inKernel(host, 'irq'));
  walk.tell(
    'The handler',
    host,
    icr.timeNs,
    'The table of handlers has one for this source: the driver. It reads ICR, which tells the causes and clears them, so the line falls; it masks them, leaves the work for later, and returns. The claim is completed.',
    {
      handler: irq.name,
      'ICR read': `${hex(icr.value)} (${causeNames(icr.value)})`,
      'IMC written': `${hex(mask.value)} (${causeNames(mask.value)})`,
      'PLIC complete': `${irq.source}`,
    },
  );
}

function understanding(walk: Walk, { answering: host }: Itinerary): void {
  const work = walk.next('deferred work', inKernel(host, 'deferred'));
  const frame = walk.next(
    'frame',
    inKernel(host, 'frame', ({ direction }) => direction === 'in'),
  );
  const ip = walk.next(
    'packet',
    inKernel(host, 'ipv4', ({ direction }) => direction === 'in'),
  );
  walk.tell(
    'Up through the layers',
    host,
    work.timeNs,
    'Outside of the handler, with interrupts enabled, the driver takes the frame out of the ring, puts a fresh buffer in its place, and hands it up. The EtherType says which protocol is inside, and that one looks at its own header.',
    {
      'deferred work': work.name,
      EtherType: `${hex(frame.etherType, 4)} (${etherTypeName(frame.etherType)}), handled by ${frame.handler ?? 'nobody'}`,
      packet: `${formatIpv4(ip.source)} to ${formatIpv4(ip.destination)}`,
      protocol: `${ip.protocol} (${protocolName(ip.protocol)})`,
    },
  );
  const reply = walk.next(
    'reply',
    inKernel(host, 'ipv4', ({ direction }) => direction === 'out'),
  );
  walk.tell(
    'An answer',
    host,
    reply.timeNs,
    'An echo request is answered by the kernel itself: the same data, the addresses exchanged. From here the reply goes down the way that the request came.',
    { from: formatIpv4(reply.source), to: formatIpv4(reply.destination), length: `${reply.lengthBytes} bytes` },
  );
}

function returning(walk: Walk, { asking: host, wire }: Itinerary): void {
  const frame = walk.next('reply on the wire', onWire(1));
  const trap = walk.next('trap', inTrap(host, MACHINE_EXTERNAL));
  const socket = walk.next(
    'socket',
    inKernel(host, 'socket', ({ direction }) => direction === 'in'),
  );
  const task = walk.next(
    'task',
    inKernel(host, 'task', ({ running }) => running),
  );
  walk.tell(
    'Back where it began',
    host,
    task.timeNs,
    'The same once more, in the other direction: wire, NIC, memory, interrupt, driver. The identifier in the reply leads to the socket that has waited, and the program runs again.',
    {
      'reply on the wire': `${wire}, ${frame.timeNs} to ${frame.endNs} ns`,
      interrupt: `at ${trap.timeNs} ns`,
      socket: `${socket.socket}, ${socket.lengthBytes} bytes`,
      task: task.name,
      'from question to answer': `${task.timeNs - walk.steps[0]!.timeNs} ns`,
    },
  );
}
