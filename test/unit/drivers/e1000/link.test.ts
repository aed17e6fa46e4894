import { describe, expect, it } from 'vitest';
import { e1000Driver } from '../../../../drivers/e1000/e1000.ts';
import { fakeMachine, frame, interfaceOf, openMachine, REG } from '../../../support/fake-e1000.ts';

function openWith(status: number) {
  const { device, platform } = fakeMachine();
  device.poke(REG.STATUS, status);
  e1000Driver({ txDescriptors: 8, rxDescriptors: 8 }).probe(platform.pci, platform);
  const iface = interfaceOf(platform);
  iface.ops.open();
  platform.runDeferred();
  return { device, platform, iface };
}

describe('link', () => {
  it('is reported after open when it was up all along and no LSC ever comes', () => {
    expect(openWith(0x83).iface.links).toEqual([{ up: true, speedMbps: 1000, fullDuplex: true }]);
  });

  it('is not reported while it has not come up', () => {
    expect(openWith(0x81).iface.links).toEqual([]);
  });

  it.each([
    [0, true, { up: true, speedMbps: 10, fullDuplex: true }],
    [1, false, { up: true, speedMbps: 100, fullDuplex: false }],
    [2, false, { up: true, speedMbps: 1000, fullDuplex: false }],
    [3, true, { up: true, speedMbps: 1000, fullDuplex: true }],
  ])('comes up with LSC, speed %i and duplex %s of STATUS', (speed, fullDuplex, expected) => {
    const { device, platform, iface } = openWith(0);
    device.link(true, speed, fullDuplex);
    platform.runDeferred();
    expect(iface.links).toEqual([expected]);
  });

  it('is reported at each change that lasts, and not at an LSC that changed nothing', () => {
    const { device, platform, iface } = openMachine();
    device.link(false);
    platform.runDeferred();
    device.link(true, 1, false);
    platform.runDeferred();
    device.link(true, 1, true); // as after a negotiation in no time
    platform.runDeferred();
    device.link(false);
    device.link(true, 1, true); // a flap that is over before anybody looks
    platform.runDeferred();
    expect(iface.links.map(link => [link.up, link.fullDuplex])).toEqual([
      [true, true],
      [false, false],
      [true, false],
      [true, true],
    ]);
  });

  it('is looked at again when it changes while it is looked at', () => {
    const { device, platform, iface } = openWith(0);
    device.link(true);
    device.onAccess = ({ offset }) => {
      if (offset !== REG.STATUS) return;
      device.onAccess = null;
      device.link(false); // after the value was read, before anybody acted on it
    };
    platform.runDeferred();
    expect(iface.links.map(link => link.up)).toEqual([true, false]);
  });

  it('has the transmitter disabled until it first comes up', () => {
    const { device, platform } = openWith(0);
    expect(device.peek(REG.TCTL)).toBe(0);
    device.link(true);
    platform.runDeferred();
    expect(device.peek(REG.TCTL)).toBe(0x400fa);
  });

  it('is not looked at for a ring interrupt', () => {
    const { device, platform } = openMachine();
    device.receive(frame(1));
    platform.runDeferred();
    expect(device.accesses('read', REG.STATUS)).toEqual([]);
  });

  it.each([
    [2, false, 0x200],
    [2, true, 0x40],
    [1, false, 0x40],
    [0, false, 0x40],
  ])('sets the collision distance: STATUS.SPEED %i, full duplex %s, COLD %i', (speed, fullDuplex, cold) => {
    const { device, platform } = openMachine();
    device.link(true, speed, fullDuplex);
    platform.runDeferred();
    expect(device.peek(REG.TCTL)).toBe(0xfa | (cold << 12));
  });

  it('loses no frame that waits in the ring while it is down', () => {
    const { device, platform, iface } = openWith(0);
    iface.send(frame(1));
    iface.send(frame(2));
    device.link(true);
    platform.runDeferred();
    device.link(false);
    platform.runDeferred();
    iface.send(frame(3));
    device.link(true);
    platform.runDeferred();
    expect(device.txPending).toBe(3);
    while (device.fetch()) device.writeBack();
    platform.runDeferred();
    expect(device.sent).toEqual([frame(1), frame(2), frame(3)]);
    expect(platform.packets.count('device')).toBe(7);
  });
});
