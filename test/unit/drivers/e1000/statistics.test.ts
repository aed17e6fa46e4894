import { describe, expect, it } from 'vitest';
import { frame, openMachine } from '../../../support/fake-e1000.ts';

describe('statistics', () => {
  it('add up, although the hardware clears what was read', () => {
    const { device, iface } = openMachine();
    device.poke(0x4074, 3); // GPRC
    expect(iface.ops.statistics()['GPRC']).toBe(3);
    device.poke(0x4074, 4);
    expect(iface.ops.statistics()['GPRC']).toBe(7);
    expect(iface.ops.statistics()['GPRC']).toBe(7);
  });

  it('have 64 bits for octets, of which the low half is read first', () => {
    const { device, iface } = openMachine();
    device.poke(0x4088, 0xffff_ffff); // GORCL
    device.poke(0x408c, 2); // GORCH
    device.onAccess = ({ offset }) => {
      if (offset === 0x408c) device.poke(0x4088, 0); // reading the high half clears both
    };
    expect(iface.ops.statistics()['GORCL']).toBe(2 * 2 ** 32 + 0xffff_ffff);
  });

  it('survive close and open', () => {
    const { device, platform, iface } = openMachine();
    device.poke(0x4080, 5); // GPTC
    device.receive(frame(1), { errors: 1 });
    platform.runDeferred();
    iface.ops.close();
    iface.ops.open();
    expect(iface.ops.statistics()).toMatchObject({ GPTC: 5, rxErrors: 1 });
  });

  it('are a copy', () => {
    const { device, iface } = openMachine();
    const before = iface.ops.statistics();
    device.poke(0x4080, 1);
    iface.ops.statistics();
    expect(before['GPTC']).toBe(0);
  });
});
