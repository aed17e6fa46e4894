import { expect, test } from 'vitest';
import { KernelBug } from '../../../kernel/bug.ts';
import type { PacketBuffer } from '../../../kernel/driver-api.ts';
import { DmaAllocator } from '../../../kernel/memory.ts';
import { PACKET_BYTES, PACKET_HEADROOM, PacketPool } from '../../../kernel/packet-pool.ts';

const ETHERNET_HEADER_BYTES = 14;
const BASE = 0x8000_0000;

function pool(count: number): PacketPool {
  const memory = new DmaAllocator({ base: BASE, bytes: new Uint8Array(count * PACKET_BYTES) });
  return new PacketPool(memory.allocate(count * PACKET_BYTES, PACKET_BYTES, 'packet pool')!);
}

function drain(packets: PacketPool): PacketBuffer[] {
  const taken: PacketBuffer[] = [];
  for (let packet = packets.allocate(); packet !== null; packet = packets.allocate()) taken.push(packet);
  return taken;
}

test('buffers lie side by side, aligned to their size, and each sees its own bytes', () => {
  const packets = drain(pool(4));
  expect(packets.map(packet => packet.address)).toEqual([0, 1, 2, 3].map(index => BASE + index * PACKET_BYTES));
  for (const [index, packet] of packets.entries()) packet.bytes.fill(index + 1);
  for (const [index, packet] of packets.entries()) expect(new Set(packet.bytes)).toEqual(new Set([index + 1]));
});

test('an empty packet has headroom, and an IP header behind the Ethernet header is on a word', () => {
  const packet = pool(1).allocate()!;
  expect(packet.length).toBe(0);
  expect(packet.start).toBe(PACKET_HEADROOM);
  expect((packet.address + packet.start + ETHERNET_HEADER_BYTES) % 4).toBe(0);
  expect(packet.bytes.length - packet.start).toBeGreaterThanOrEqual(1522);
});

test('a used packet comes back empty', () => {
  const packets = pool(1);
  const packet = packets.allocate()!;
  packet.start = 3;
  packet.length = 900;
  Object.assign(packet, { checksumStart: 34, segmentBytes: 1460, vlanTag: 0, checksumGood: true });
  packets.free(packet);
  expect(packets.allocate()).toBe(packet);
  expect([packet.start, packet.length]).toEqual([PACKET_HEADROOM, 0]);
  expect(packet).toMatchObject({ checksumStart: 0, segmentBytes: 0, vlanTag: null, checksumGood: false, next: null });
});

test('buffers that follow a packet go where it goes, and are taken apart when it is freed', () => {
  const packets = pool(4);
  const [first, second, third] = drain(packets);
  first!.next = second!;
  second!.next = third!;
  packets.toDevice(first!);
  expect(packets.usage()).toMatchObject({ cpu: 1, device: 3 });
  packets.toCpu(first!);
  expect(packets.usage()).toMatchObject({ cpu: 4, device: 0 });
  packets.free(first!);
  expect(packets.usage()).toMatchObject({ free: 3, cpu: 1 });
  expect(drain(packets).map(({ next }) => next)).toEqual([null, null, null]);
});

test('an exhausted pool gives null and counts, and serves again after a free', () => {
  const packets = pool(3);
  const taken = drain(packets);
  expect(taken.length).toBe(3);
  expect(packets.allocate()).toBeNull();
  expect(packets.usage()).toEqual({ free: 0, cpu: 3, device: 0, exhausted: 2 });
  packets.free(taken[1]!);
  expect(packets.allocate()).toBe(taken[1]);
});

test('a packet goes to the device and back', () => {
  const packets = pool(2);
  const packet = packets.allocate()!;
  packets.toDevice(packet);
  expect(packets.usage()).toEqual({ free: 1, cpu: 0, device: 1, exhausted: 0 });
  packets.toCpu(packet);
  expect(packets.usage()).toEqual({ free: 1, cpu: 1, device: 0, exhausted: 0 });
  packets.free(packet);
  expect(packets.usage()).toEqual({ free: 2, cpu: 0, device: 0, exhausted: 0 });
});

type Step = 'free' | 'toDevice' | 'toCpu';

test.each<[string, Step[], string]>([
  ['a second free', ['free', 'free'], 'cannot free packet 0: it is free already'],
  ['free of what the device owns', ['toDevice', 'free'], 'cannot free packet 0: the device owns it'],
  ['hand-over of a freed packet', ['free', 'toDevice'], 'cannot hand to the device packet 0: it is free already'],
  ['a second hand-over', ['toDevice', 'toDevice'], 'cannot hand to the device packet 0: the device owns it'],
  ['taking what the CPU owns', ['toCpu'], 'cannot take from the device packet 0: the CPU owns it'],
  ['taking a freed packet', ['free', 'toCpu'], 'cannot take from the device packet 0: it is free already'],
])('%s is a bug that names the packet, and changes nothing', (_name, steps, text) => {
  const packets = pool(2);
  const packet = packets.allocate()!;
  for (const step of steps.slice(0, -1)) packets[step](packet);
  const before = packets.usage();
  expect(() => packets[steps.at(-1)!](packet)).toThrow(new KernelBug(text));
  expect(packets.usage()).toEqual(before);
});

test('a packet of another pool, or one that looks like a packet, is not taken', () => {
  const packets = pool(1);
  const packet = packets.allocate()!;
  for (const foreign of [pool(1).allocate()!, { ...packet }]) {
    expect(() => packets.free(foreign)).toThrow(new KernelBug('cannot free: not a packet of this pool'));
  }
});
