import { describe, expect, it } from 'vitest';
import { CAUSE, frame, openMachine, REG } from '../../../support/fake-e1000.ts';

describe('transmit', () => {
  it('writes one legacy descriptor: address, length, EOP, IFCS and RS, status zero', () => {
    const { device, platform, iface } = openMachine({ features: { moderation: false } });
    iface.send(frame(7, 60));
    const view = device.descriptor(REG.TDBAL, 0);
    const address = view.getUint32(0, true);
    expect(device.memory.at(address, 60)).toEqual(frame(7, 60));
    expect(view.getUint32(4, true)).toBe(0);
    expect(view.getUint32(8, true)).toBe(0x0b00_003c);
    expect(view.getUint32(12, true)).toBe(0);
    expect(platform.packets.holderAt(address)).toBe('device');
  });

  it('costs one register access, the write of TDT', () => {
    const { device, iface } = openMachine();
    for (let i = 0; i < 5; i++) iface.send(frame(i));
    expect(device.log).toEqual([1, 2, 3, 4, 5].map(value => ({ kind: 'write', offset: REG.TDT, value })));
  });

  it('rings the doorbell when descriptor and owner are in place', () => {
    const { device, platform, iface } = openMachine({ features: { moderation: false } });
    let seen = 0;
    device.onAccess = ({ offset }) => {
      if (offset !== REG.TDT) return;
      seen = device.descriptor(REG.TDBAL, 0).getUint32(8, true);
      expect(platform.packets.holderAt(device.descriptor(REG.TDBAL, 0).getUint32(0, true))).toBe('device');
    };
    iface.send(frame(1, 64));
    expect(seen).toBe(0x0b00_0040);
  });

  it('takes n - 1 frames, refuses the next and leaves it with the caller', () => {
    const { device, platform, iface } = openMachine({ tx: 16 });
    const accepted = Array.from({ length: 17 }, (_, i) => iface.send(frame(i)));
    expect(accepted).toEqual([...new Array(15).fill(true), false, false]);
    expect(device.accesses('write', REG.TDT)).toHaveLength(15);
    expect(platform.packets.count('cpu')).toBe(0); // the caller could free it
  });

  it('does not reuse a descriptor that was fetched but has no DD', () => {
    const { device, platform, iface } = openMachine();
    for (let i = 0; i < 7; i++) iface.send(frame(i));
    while (device.fetch());
    expect([device.peek(REG.TDH), device.peek(REG.TDT)]).toEqual([7, 7]); // as TDH has it, the ring is empty
    device.cause(CAUSE.TXDW); // and a TXDW from nowhere does not change that
    platform.runDeferred();
    expect(iface.send(frame(99))).toBe(false);
    expect(iface.wakeCount).toBe(0);
    while (device.writeBack());
    expect(device.sent).toEqual([0, 1, 2, 3, 4, 5, 6].map(i => frame(i)));
  });

  it('takes back packets in the order of the ring, up to the first without DD', () => {
    const { device, platform, iface } = openMachine();
    for (let i = 0; i < 4; i++) iface.send(frame(i));
    const held = platform.packets.count('device');
    while (device.fetch());
    device.descriptor(REG.TDBAL, 2).setUint8(12, 1); // out of order, as no hardware does
    device.cause(CAUSE.TXDW);
    platform.runDeferred();
    expect(platform.packets.count('device')).toBe(held);
    device.descriptor(REG.TDBAL, 2).setUint8(12, 0);
    device.writeBack();
    device.writeBack();
    platform.runDeferred();
    expect(platform.packets.count('device')).toBe(held - 2);
  });

  it('wakes the queue once there is room, and only if it was refused', () => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(0));
    device.fetch();
    device.writeBack();
    platform.runDeferred();
    expect(iface.wakeCount).toBe(0);
    while (iface.send(frame(1)));
    device.receive(frame(2)); // work that finds nothing to reclaim
    platform.runDeferred();
    expect(iface.wakeCount).toBe(0);
    device.fetch();
    device.writeBack();
    platform.runDeferred();
    expect(iface.wakeCount).toBe(1);
    device.fetch();
    device.writeBack();
    platform.runDeferred();
    expect(iface.wakeCount).toBe(1);
  });

  it('may be called from within wakeQueue, and be refused again', () => {
    const { device, platform, iface } = openMachine();
    let tag = 0;
    while (iface.send(frame(tag))) tag += 1;
    iface.onWake = () => {
      while (iface.send(frame(tag))) tag += 1;
    };
    for (let i = 0; i < 30; i++) {
      device.fetch();
      device.writeBack();
      platform.runDeferred();
    }
    expect(iface.wakeCount).toBe(30);
    expect(device.sent).toEqual(Array.from({ length: 30 }, (_, i) => frame(i)));
  });

  it('goes round the ring many times without taking an old DD for a new one', () => {
    const { device, platform, iface } = openMachine();
    for (let i = 0; i < 100; i++) {
      expect(iface.send(frame(i))).toBe(true);
      expect(device.fetch()).toBe(true); // which checks that the status is zero
      if (i >= 3) device.writeBack();
      platform.runDeferred();
      expect(platform.packets.count('device')).toBe(7 + Math.min(i + 1, 3));
    }
    expect(device.sent).toEqual(Array.from({ length: 97 }, (_, i) => frame(i)));
  });

  it('is in order when an interrupt comes in at the doorbell and the kernel transmits from there', () => {
    const { device, platform, iface } = openMachine();
    platform.eager = true;
    iface.onReceive = () => iface.send(frame(2));
    device.onAccess = ({ offset }) => {
      if (offset !== REG.TDT) return;
      device.onAccess = null;
      device.receive(frame(9), { quiet: true });
      device.write32(REG.ICS, CAUSE.RXT0); // taken right behind the write of TDT
    };
    iface.send(frame(1));
    iface.send(frame(3));
    expect(iface.frames).toEqual([frame(9)]);
    expect(device.accesses('write', REG.TDT).map(access => access.value)).toEqual([1, 2, 3]);
    while (device.fetch()) device.writeBack();
    expect(device.sent).toEqual([frame(1), frame(2), frame(3)]);
  });

  it.each([
    ['too many collisions', 0x02],
    ['a late collision', 0x04],
  ])('counts a frame that met %s, and gives its packet back', (_, status) => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(1));
    device.fetch();
    device.writeBack(status);
    platform.runDeferred();
    expect(iface.ops.statistics()['txErrors']).toBe(1);
    expect(platform.packets.count('device')).toBe(7);
  });
});
