/** How a frame comes in, and how the processor hears of it: DMA, cause, line, trap, claim, handler, register by register. */
import { MACHINE_EXTERNAL } from '../../../../hw/cpu/hart.ts';
import { formatIpv4, hex, hexBytes, readLe16 } from '../../../lib/bytes.ts';
import { causeNames, etherTypeName, protocolName, statusNames } from '../names.ts';
import { HOME } from '../places.ts';
import { inKernel, inTrap, lineHigh, onNic } from '../tests.ts';
import type { Walk } from '../walk.ts';

const NIC = `${HOME}.eth0`;

export function intoTheRouter(walk: Walk): void {
  walk.chapter('Into the router, register by register');
  arriving(walk);
  interrupting(walk);
  understanding(walk);
}

function arriving(walk: Walk): void {
  const data = walk.next(
    'DMA into memory',
    onNic(NIC, 'dma', ({ action }) => action === 'write'),
  );
  const back = walk.next(
    'write-back',
    onNic(NIC, 'descriptor', ({ ring, action }) => ring === 'rx' && action === 'write-back'),
  );
  walk.tell(
    'The far NIC lets it in',
    NIC,
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

function interrupting(walk: Walk): void {
  const cause = walk.next(
    'cause',
    onNic(NIC, 'causes', () => true),
  );
  const line = walk.next('interrupt line', lineHigh(HOME));
  walk.tell(
    'A level on a line',
    NIC,
    cause.timeNs,
    'The NIC notes the cause in ICR. The cause is not masked, so the line INTA goes up, and stays up until somebody deals with it. The interrupt controller sees one of its sources go high.',
    {
      raised: causeNames(cause.raisedBits),
      ICR: hex(cause.icr),
      IMS: `${hex(cause.ims)} (${causeNames(cause.ims)})`,
      line: line.line,
    },
  );
  const trap = walk.next('trap', inTrap(HOME, MACHINE_EXTERNAL));
  const claim = walk.next('claim', inKernel(HOME, 'claim'));
  walk.tell(
    'The processor is interrupted',
    HOME,
    trap.timeNs,
    'The processor leaves what it was doing and jumps to the trap handler. It knows only that some device wants something, so it asks the interrupt controller which; that is a claim.',
    { cause: `${trap.cause} (machine external interrupt)`, 'PLIC claim': `${claim.source}` },
  );
  const icr = walk.next(
    'ICR read',
    onNic(NIC, 'register', ({ register, write }) => register === 'ICR' && !write),
  );
  const mask = walk.next(
    'IMC write',
    onNic(NIC, 'register', ({ register, write }) => register === 'IMC' && write),
  );
  const irq = walk.next('handler', inKernel(HOME, 'irq'));
  walk.tell(
    'The handler',
    HOME,
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

function understanding(walk: Walk): void {
  const work = walk.next('deferred work', inKernel(HOME, 'deferred'));
  const frame = walk.next(
    'frame',
    inKernel(HOME, 'frame', ({ direction }) => direction === 'in'),
  );
  const ip = walk.next(
    'packet',
    inKernel(HOME, 'ipv4', ({ direction }) => direction === 'in'),
  );
  walk.tell(
    'Up through the layers',
    HOME,
    work.timeNs,
    'Outside of the handler, with interrupts enabled, the driver takes the frame out of the ring, puts a fresh buffer in its place, and hands it up. The EtherType says which protocol is inside, and that one looks at its own header: a good one, but the packet is for none of the addresses of this host. A host would throw it away. A router passes it on.',
    {
      'deferred work': work.name,
      EtherType: `${hex(frame.etherType, 4)} (${etherTypeName(frame.etherType)}), handled by ${frame.handler ?? 'nobody'}`,
      packet: `${formatIpv4(ip.source)} to ${formatIpv4(ip.destination)}`,
      protocol: `${ip.protocol} (${protocolName(ip.protocol)})`,
    },
  );
}
