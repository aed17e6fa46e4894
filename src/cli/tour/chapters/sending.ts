/** How a frame leaves: descriptor, doorbell, DMA, wire, register by register. */
import { hex, hexBytes, readLe16, readLe32 } from '../../../lib/bytes.ts';
import { causeNames, commandNames, etherTypeName } from '../names.ts';
import { ALICE, THERE } from '../places.ts';
import { inKernel, onNic, segmentOn } from '../tests.ts';
import type { Walk } from '../walk.ts';

const IPV4 = 0x0800;
const FCS_OCTETS = 4;
const HEADER_OCTETS = 8;
const NIC = `${ALICE}.eth0`;

export function outOfTheNic(walk: Walk): void {
  walk.chapter('Out of the NIC, register by register');
  sending(walk);
  crossing(walk);
}

function sending(walk: Walk): void {
  const frame = walk.next(
    'frame',
    inKernel(ALICE, 'frame', ({ etherType, direction }) => etherType === IPV4 && direction === 'out'),
  );
  const descriptor = walk.ahead(
    'descriptor',
    onNic(NIC, 'descriptor', ({ ring, action }) => ring === 'tx' && action === 'fetch'),
  );
  walk.tell(
    'The driver fills in a descriptor',
    ALICE,
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
    onNic(NIC, 'register', ({ write, register }) => write && register === 'TDT'),
  );
  walk.tell(
    'The doorbell',
    ALICE,
    bell.timeNs,
    'One write to a register of the NIC, the tail of the ring: up to here the descriptors are yours. The write is posted, and the driver goes on at once. Nothing has been sent yet.',
    { register: `TDT at offset ${hex(bell.offset, 4)}`, value: `${bell.value}` },
  );
  const fetched = walk.next(
    'descriptor',
    onNic(NIC, 'descriptor', ({ ring, action }) => ring === 'tx' && action === 'fetch'),
  );
  const data = walk.next(
    'DMA of the frame',
    onNic(NIC, 'dma', ({ action }) => action === 'read'),
  );
  walk.tell(
    'The NIC fetches by itself',
    NIC,
    fetched.timeNs,
    'The NIC is master of the bus now. It reads the descriptor, then the bytes that the descriptor points to, into its own FIFO. The processor does something else meanwhile.',
    {
      'DMA read': `16 bytes at ${hex(fetched.address)}, the descriptor`,
      'DMA read, then': `${data.lengthBytes} bytes at ${hex(data.address)}, at ${data.timeNs} ns`,
    },
  );
}

function crossing(walk: Walk): void {
  const done = walk.next(
    'write-back',
    onNic(NIC, 'descriptor', ({ ring, action }) => ring === 'tx' && action === 'write-back'),
  );
  const frame = walk.next('frame on the wire', segmentOn(THERE.toSwitch));
  const octets = frame.sent.wire();
  walk.tell(
    'Onto the wire',
    frame.wire,
    frame.timeNs,
    'The MAC sends a preamble for the receiver to synchronize to, a start delimiter, the frame, and behind it the frame check sequence: four octets worked out from all the others, by which damage shows.',
    {
      frame: `${hexBytes(octets.subarray(0, 26))} ...`,
      FCS: hexBytes(octets.subarray(-FCS_OCTETS)),
      'on the wire': `${HEADER_OCTETS} + ${octets.length} octets, from ${frame.timeNs} to ${frame.endNs} ns: ${frame.endNs - frame.timeNs} ns`,
      propagation: `${frame.arrivalNs - frame.timeNs} ns: the first bit comes out at ${frame.arrivalNs} ns`,
    },
  );
  const causes = walk.ahead(
    'cause',
    onNic(NIC, 'register', ({ register, write }) => register === 'ICR' && !write),
  );
  walk.tell(
    'The sender gets its buffer back',
    NIC,
    done.timeNs,
    'Only now that the last bit has left does the NIC write DD, descriptor done, into memory. Until then the buffer belonged to the hardware; a driver that reuses it sooner sends garbage. Nobody waits for the buffer, so with IDE the descriptor asked for no interrupt of its own: the driver sees DD when it is interrupted next, or after a delay.',
    {
      descriptor: `TX ring entry ${done.index}: ${hexBytes(done.bytes)}`,
      STA: `${hex(done.bytes[12]!, 2)} (DD)`,
      'next interrupt': `ICR read at ${causes.timeNs} ns: ${hex(causes.value)} (${causeNames(causes.value)})`,
    },
  );
}
