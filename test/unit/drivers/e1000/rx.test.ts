import { describe, expect, it } from 'vitest';
import { frame, openMachine, REG } from '../../../support/fake-e1000.ts';

const tags = (from: number, count: number) => Array.from({ length: count }, (_, i) => frame(from + i, 64 + i));

describe('receive', () => {
  it('hands up several frames of one interrupt in order, and writes RDT once', () => {
    const { device, platform, iface } = openMachine({ rx: 16 });
    platform.interruptsEnabled = false;
    for (const data of tags(0, 10)) device.receive(data);
    platform.interruptsEnabled = true;
    platform.takeInterrupts();
    platform.runDeferred();
    expect(iface.frames).toEqual(tags(0, 10));
    expect(platform.interruptCount).toBe(1);
    expect(device.accesses('write', REG.RDT).map(access => access.value)).toEqual([9]);
  });

  it('gives the hardware as many descriptors as it takes, for ever', () => {
    const { device, platform, iface } = openMachine();
    for (let round = 0; round < 20; round++) {
      for (const data of tags(10 * round, 7)) expect(device.receive(data)).toBe(true); // checks owner and status
      expect(device.receive(frame(0))).toBe(false);
      platform.runDeferred();
      expect(device.rxFree).toBe(7);
      expect(platform.packets.count('device')).toBe(7);
    }
    expect(iface.frames).toEqual(Array.from({ length: 20 }, (_, round) => tags(10 * round, 7)).flat());
  });

  it('gives a descriptor its next packet before the frame is handed up', () => {
    const { device, platform, iface } = openMachine({ packets: 9 });
    iface.keep = true;
    iface.onReceive = () => {
      platform.packets.allocate(); // the kernel takes the last free packet
      expect(platform.packets.count('device')).toBe(7);
    };
    device.receive(frame(1));
    platform.runDeferred();
    expect(iface.frames).toHaveLength(1);
    expect(device.rxFree).toBe(7);
  });

  it('drops a frame and reuses its packet when none is free, and counts that', () => {
    const { device, platform, iface } = openMachine({ packets: 9 });
    iface.keep = true;
    for (const data of tags(0, 5)) device.receive(data);
    platform.runDeferred();
    expect(iface.frames).toEqual(tags(0, 2)); // nine packets: seven in the ring, two with the kernel
    expect(iface.ops.statistics()['rxNoBuffer']).toBe(3);
    expect(device.rxFree).toBe(7);
    for (const packet of iface.kept.splice(0)) platform.packets.free(packet);
    device.receive(frame(9));
    platform.runDeferred();
    expect(iface.frames.at(-1)).toEqual(frame(9));
  });

  it('still turns the whole ring when not one packet is free', () => {
    const { device, platform, iface } = openMachine({ packets: 7 });
    for (let i = 0; i < 50; i++) {
      expect(device.receive(frame(i))).toBe(true);
      platform.runDeferred();
    }
    expect(iface.frames).toEqual([]);
    expect(iface.ops.statistics()['rxNoBuffer']).toBe(50);
    expect(device.rxFree).toBe(7);
  });

  it.each([
    ['CE', 0x01],
    ['RXE', 0x80],
  ])('drops a frame with error %s without asking for a packet, and counts it', (_, errors) => {
    const { device, platform, iface } = openMachine({ packets: 7 });
    device.receive(frame(1), { errors });
    platform.runDeferred();
    expect(iface.frames).toEqual([]);
    expect(iface.ops.statistics()).toMatchObject({ rxErrors: 1, rxNoBuffer: 0 });
    expect(device.rxFree).toBe(7);
  });

  it('takes no notice of reserved and checksum bits in the errors field', () => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(1), { errors: 0x7e });
    platform.runDeferred();
    expect(iface.frames).toEqual([frame(1)]);
  });

  it('does not believe a length that goes beyond the packet', () => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(1), { length: 2048 - 66 + 1 });
    device.receive(frame(2, 2048 - 66));
    platform.runDeferred();
    expect(iface.frames).toEqual([frame(2, 2048 - 66)]);
    expect(iface.ops.statistics()['rxErrors']).toBe(1);
  });

  it('drops a frame that takes several descriptors, up to and including its EOP', () => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(1));
    device.receive(frame(2), { eop: false });
    device.receive(frame(3), { eop: false });
    device.receive(frame(4), { eop: true });
    device.receive(frame(5));
    platform.runDeferred();
    expect(iface.frames).toEqual([frame(1), frame(5)]);
    expect(iface.ops.statistics()).toMatchObject({ rxMultiDescriptor: 1, rxErrors: 0 });
    expect(device.rxFree).toBe(7);
  });

  it('remembers from one interrupt to the next that it is inside such a frame', () => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(2), { eop: false });
    platform.runDeferred();
    device.receive(frame(3), { eop: true });
    platform.runDeferred();
    device.receive(frame(4));
    platform.runDeferred();
    expect(iface.frames).toEqual([frame(4)]);
  });

  it('does not look beyond the first descriptor without DD', () => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(1));
    device.receive(frame(2));
    device.descriptor(REG.RDBAL, 0).setUint8(12, 0); // write-back of the first is late
    platform.runDeferred();
    expect(iface.frames).toEqual([]);
    device.descriptor(REG.RDBAL, 0).setUint8(12, 3);
    device.cause(0x80);
    platform.runDeferred();
    expect(iface.frames).toEqual([frame(1), frame(2)]);
  });

  it('leaves RDT alone when there was nothing', () => {
    const { device, platform } = openMachine();
    device.cause(0x80);
    platform.runDeferred();
    expect(device.accesses('write', REG.RDT)).toEqual([]);
  });

  it('puts the frame behind the headroom that the pool gives', () => {
    const { device, platform, iface } = openMachine();
    iface.keep = true;
    device.receive(frame(1, 100));
    platform.runDeferred();
    expect(iface.kept[0]).toMatchObject({ start: 66, length: 100 });
  });
});
