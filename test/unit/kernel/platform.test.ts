import { expect, test } from 'vitest';
import { KernelBug } from '../../../kernel/bug.ts';
import type { KernelContext } from '../../../kernel/context.ts';
import type { DmaMemory, Interrupts, NetDriverOps, NetInterface, PacketBuffer } from '../../../kernel/driver-api.ts';
import { DriverPlatform } from '../../../kernel/platform.ts';
import { FakeCpu } from '../../support/fake-cpu.ts';

const PACKET = {} as PacketBuffer;

function bench() {
  const cpu = new FakeCpu();
  const added: { mac: Uint8Array; ops: NetDriverOps }[] = [];
  const platform = new DriverPlatform({} as KernelContext, cpu, {} as DmaMemory, {} as Interrupts, {
    addInterface: (mac, ops) => {
      added.push({ mac, ops });
      return { name: `eth${added.length - 1}` } as NetInterface;
    },
  });
  return { cpu, added, platform };
}

const FEATURES = { checksum: true, segmentationBuffers: 5, vlan: false };

const driver = (over: Partial<NetDriverOps>): NetDriverOps => ({
  features: FEATURES,
  open: () => {},
  close: () => {},
  transmit: () => true,
  setMulticast: () => {},
  statistics: () => ({}),
  ...over,
});

test('a busy wait spends its time, rounded up to a nanosecond, and takes interrupts', () => {
  const { cpu, platform } = bench();
  let accesses = 0;
  cpu.onAccess = () => accesses++;
  platform.delayUs(2.5);
  expect(cpu.time()).toBe(25);
  expect(accesses).toBe(1);
});

test.each([-1, 10_001, Number.NaN])('a busy wait of %d us is a bug', microseconds => {
  const { cpu, platform } = bench();
  expect(() => platform.delayUs(microseconds)).toThrow(KernelBug);
  expect(cpu.time()).toBe(0);
});

test('what the stack calls reaches the driver, and the answer the stack', () => {
  const { added, platform } = bench();
  const calls: unknown[] = [];
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const iface = platform.addInterface(mac, {
    features: FEATURES,
    open: () => calls.push('open'),
    close: () => calls.push('close'),
    transmit: packet => {
      calls.push(packet);
      return calls.length === 3;
    },
    setMulticast: groups => calls.push(groups),
    statistics: () => ({ GPRC: 7 }),
  });
  expect(iface.name).toBe('eth0');
  const { ops, mac: addedMac } = added[0]!;
  expect(addedMac).toBe(mac);
  ops.open();
  expect(ops.transmit(PACKET)).toBe(false);
  expect(ops.transmit(PACKET)).toBe(true);
  ops.close();
  const groups = [Uint8Array.of(1, 0, 0x5e, 0, 0, 1)];
  ops.setMulticast(groups);
  expect(calls).toEqual(['open', PACKET, PACKET, 'close', groups]);
  expect(ops.features).toBe(FEATURES);
  expect(ops.statistics()).toEqual({ GPRC: 7 });
});

test('an error in transmit is a bug, with the name of the interface on it', () => {
  const { added, platform } = bench();
  platform.addInterface(
    new Uint8Array(6),
    driver({
      transmit: () => {
        throw new RangeError('bus fault: write of 4 bytes at 0x40003818');
      },
    }),
  );
  const text = 'transmit on eth0: bus fault: write of 4 bytes at 0x40003818';
  expect(() => added[0]!.ops.transmit(PACKET)).toThrow(new KernelBug(text));
});

test('an error in open is the stack’s to deal with', () => {
  const { added, platform } = bench();
  const cannot = new Error('no link');
  platform.addInterface(
    new Uint8Array(6),
    driver({
      open: () => {
        throw cannot;
      },
    }),
  );
  expect(() => added[0]!.ops.open()).toThrow(cannot);
});
