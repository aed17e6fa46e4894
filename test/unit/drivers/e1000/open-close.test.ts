import { describe, expect, it } from 'vitest';
import { e1000Driver } from '../../../../drivers/e1000/e1000.ts';
import { fakeMachine, frame, interfaceOf, openMachine, REG } from '../../../support/fake-e1000.ts';

describe('open', () => {
  it('gives the hardware all receive descriptors but one, each with a packet of its own', () => {
    const { device, platform } = openMachine({ rx: 16 });
    expect([device.peek(REG.RDH), device.peek(REG.RDT), device.rxCount]).toEqual([0, 15, 16]);
    const addresses = Array.from({ length: 15 }, (_, i) => device.descriptor(REG.RDBAL, i).getUint32(0, true));
    expect(new Set(addresses).size).toBe(15);
    expect(platform.packets.count('device')).toBe(15);
    for (const address of addresses) expect(platform.packets.holderAt(address)).toBe('device');
  });

  it('starts with an empty transmit ring', () => {
    const { device } = openMachine({ tx: 24 });
    expect([device.peek(REG.TDH), device.peek(REG.TDT), device.txCount]).toEqual([0, 0, 24]);
  });

  it('has rings of 256 descriptors unless told otherwise', () => {
    const { device, platform } = fakeMachine(300);
    e1000Driver().probe(platform.pci, platform);
    interfaceOf(platform).ops.open();
    expect([device.txCount, device.rxCount]).toEqual([256, 256]);
  });

  it('programs the MAC as chapter 14 says', () => {
    const { device } = openMachine();
    expect(device.peek(REG.RCTL) >>> 0).toBe(0x0400_8002); // EN, BAM, SECRC, buffers of 2048
    expect(device.peek(REG.TCTL) >>> 0).toBe(0x0004_00fa); // EN, PSP, CT 15, COLD 64
    expect(device.peek(REG.TIPG) >>> 0).toBe(0x0060_2008);
    expect(device.peek(REG.CTRL) & 0x60).toBe(0x60); // ASDE, SLU
    expect(device.peek(REG.RAL) >>> 0).toBe(0x1200_5452);
    expect(device.peek(REG.RAH) >>> 0).toBe(0x8000_5634);
  });

  it.each([
    [true, 0x4000_0061],
    [false, 0x0000_0061],
  ])('leaves nothing in CTRL that the EEPROM put there: no forced speed, no flow control (VLAN %s)', (vlan, value) => {
    const { device, platform } = fakeMachine();
    e1000Driver({ rxDescriptors: 8, features: { vlan } }).probe(platform.pci, platform);
    device.poke(REG.CTRL, 0xd800_1889);
    interfaceOf(platform).ops.open();
    expect(device.peek(REG.CTRL) >>> 0).toBe(value);
  });

  it('clears the multicast table', () => {
    const { device, platform } = fakeMachine();
    e1000Driver({ rxDescriptors: 8 }).probe(platform.pci, platform);
    for (let i = 0; i < 128; i++) device.poke(0x5200 + 4 * i, -1);
    device.poke(0x5400 + 4, 0);
    interfaceOf(platform).ops.open();
    expect(Array.from({ length: 128 }, (_, i) => device.peek(0x5200 + 4 * i)).some(word => word !== 0)).toBe(false);
  });

  it('enables the receiver only when its ring is in place', () => {
    const { device, platform } = fakeMachine();
    e1000Driver({ rxDescriptors: 8 }).probe(platform.pci, platform);
    device.log.length = 0;
    interfaceOf(platform).ops.open();
    const order = device.log.filter(access => access.kind === 'write').map(access => access.offset);
    for (const register of [REG.RDBAL, REG.RDLEN, REG.RDH, REG.RDT]) {
      expect(order.indexOf(register)).toBeGreaterThanOrEqual(0);
      expect(order.indexOf(register)).toBeLessThan(order.indexOf(REG.RCTL));
    }
    expect(order.indexOf(REG.IMS)).toBeGreaterThan(order.indexOf(REG.RCTL));
  });

  it('throws when packets run out, and then holds neither memory nor packets', () => {
    const { platform } = fakeMachine(6);
    e1000Driver({ txDescriptors: 8, rxDescriptors: 8 }).probe(platform.pci, platform);
    const before = platform.memory.owners;
    expect(() => interfaceOf(platform).ops.open()).toThrow('packet buffers for 6 of 7 receive descriptors only');
    expect(platform.memory.owners).toEqual(before);
    expect(platform.packets.count('free')).toBe(6);
  });

  it.each([
    [0, 'TX'],
    [1, 'RX'],
  ])('throws when there is no memory for a ring, and then holds none (%i allocations, %s)', (left, which) => {
    const { platform } = fakeMachine();
    e1000Driver({ txDescriptors: 8, rxDescriptors: 8 }).probe(platform.pci, platform);
    const before = platform.memory.owners;
    platform.memory.allocationsLeft = left;
    expect(() => interfaceOf(platform).ops.open()).toThrow(`no memory for the eth0 ${which} ring of 8 descriptors`);
    expect(platform.memory.owners).toEqual(before);
  });

  it('refuses packets that are too small for a frame of 1522 octets', () => {
    const { platform } = fakeMachine();
    platform.packets.headroomBytes = 2048 - 1521;
    e1000Driver({ rxDescriptors: 8 }).probe(platform.pci, platform);
    expect(() => interfaceOf(platform).ops.open()).toThrow('packet buffers have room for 1521 bytes');
    expect(platform.packets.count('free')).toBe(64);
  });
});

describe('close', () => {
  it('gives back every packet and all memory, whoever held them', () => {
    const { device, platform, iface } = openMachine();
    for (let i = 0; i < 5; i++) iface.send(frame(i));
    device.fetch();
    device.fetch();
    device.writeBack();
    device.receive(frame(1));
    iface.ops.close();
    expect(platform.packets.count('free')).toBe(64);
    expect(platform.memory.owners.filter(owner => owner !== 'packets')).toEqual([]);
    expect(platform.handlerCount).toBe(0);
  });

  it('resets the device before it takes back what the device may still read', () => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(1));
    device.onAccess = ({ kind, offset, value }) => {
      if (kind !== 'write' || offset !== REG.CTRL || value >>> 26 !== 1) return;
      expect(platform.packets.count('device')).toBe(8);
      device.onAccess = () => expect(platform.packets.count('device')).toBe(8);
    };
    iface.ops.close();
    expect(device.accesses('write', REG.CTRL)).toHaveLength(1);
    expect(device.mask).toBe(0);
  });

  it('lets the frame on the wire finish, and does not wait for the others', () => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(1));
    iface.send(frame(2));
    device.fetch();
    device.fetch();
    platform.onDelay = () => {
      if (platform.waitedUs === start + 5) device.writeBack();
    };
    const start = platform.waitedUs;
    iface.ops.close();
    expect(device.sent).toHaveLength(1);
    expect(platform.waitedUs - start).toBe(5 + 1); // and one for the reset
  });

  it('takes no frame that had left long ago for the one on the wire', () => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(1));
    iface.send(frame(2));
    device.fetch();
    device.fetch();
    device.writeBack(); // its interrupt came, its work did not run yet
    const start = platform.waitedUs;
    platform.onDelay = () => {
      if (platform.waitedUs === start + 5) device.writeBack();
    };
    iface.ops.close();
    expect(device.sent).toHaveLength(2);
  });

  it('stops the receiver before it waits for the transmitter', () => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(1));
    platform.onDelay = () => expect(device.peek(REG.RCTL)).toBe(0);
    iface.ops.close();
    expect.assertions(14);
  });

  it.each([
    [2, 13],
    [1, 124],
    [0, 1234],
  ])('waits no longer than the longest frame takes (STATUS.SPEED %i: %i us)', (speed, limitUs) => {
    const { device, platform, iface } = openMachine();
    device.link(true, speed);
    platform.runDeferred();
    iface.send(frame(1));
    device.fetch();
    const start = platform.waitedUs;
    iface.ops.close();
    expect(platform.waitedUs - start).toBe(limitUs + 1);
  });

  it('does not wait while the link is down', () => {
    const { device, platform, iface } = openMachine();
    device.link(false);
    platform.runDeferred();
    iface.send(frame(1));
    const start = platform.waitedUs;
    iface.ops.close();
    expect(platform.waitedUs - start).toBe(1);
  });

  it('leaves work that was already in line with nothing to do', () => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(1));
    expect(platform.deferredPending).toBe(true);
    iface.ops.close();
    device.log.length = 0;
    platform.runDeferred();
    expect(device.log).toEqual([]);
    expect(iface.frames).toEqual([]);
  });

  it('reports the link as down, once', () => {
    const { iface } = openMachine();
    iface.ops.close();
    iface.ops.close();
    expect(iface.links.map(link => link.up)).toEqual([true, false]);
  });

  it('refuses frames afterwards', () => {
    const { iface } = openMachine();
    iface.ops.close();
    expect(iface.send(frame(1))).toBe(false);
  });

  it('can be followed by another open', () => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(1));
    device.fetch();
    iface.ops.close();
    iface.ops.open();
    platform.runDeferred();
    expect(iface.links.at(-1)).toEqual({ up: true, speedMbps: 1000, fullDuplex: true });
    expect(iface.send(frame(2))).toBe(true);
    device.fetch();
    device.writeBack();
    device.receive(frame(3));
    platform.runDeferred();
    expect(device.sent).toEqual([frame(2)]);
    expect(iface.frames).toEqual([frame(3)]);
    expect(platform.packets.count('device')).toBe(7);
  });
});
