import { describe, expect, it } from 'vitest';
import { e1000Driver } from '../../../../drivers/e1000/e1000.ts';
import { fakeMachine, interfaceOf, REG } from '../../../support/fake-e1000.ts';

function probe(prepare: (machine: ReturnType<typeof fakeMachine>) => void = () => {}) {
  const machine = fakeMachine();
  prepare(machine);
  const run = () => e1000Driver().probe(machine.platform.pci, machine.platform);
  return { ...machine, run };
}

describe('probe of an 82540EM', () => {
  it('serves the device 8086:100E alone', () => {
    expect(e1000Driver().ids).toEqual([[0x8086, 0x100e]]);
  });

  it('takes the Ethernet address from EEPROM words 0 to 2, low octet first', () => {
    const { platform, run } = probe();
    run();
    expect([...interfaceOf(platform).mac]).toEqual([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
  });

  it('resets the device before anything else is asked of it, and masks interrupts on both sides of the reset', () => {
    const { device, run } = probe();
    run();
    const writes = device.log.filter(access => access.kind === 'write').map(access => access.offset);
    const reset = device.log.findIndex(
      ({ kind, offset, value }) => kind === 'write' && offset === 0 && value >>> 26 === 1,
    );
    expect(reset).toBeGreaterThan(0);
    expect(device.log.slice(0, reset).some(access => access.offset === REG.EERD)).toBe(false);
    expect(writes.slice(0, 4)).toEqual([REG.IMC, REG.RCTL, REG.TCTL, REG.CTRL]);
    expect(writes[4]).toBe(REG.IMC);
  });

  it('enables memory space and bus mastering before the first access', () => {
    const { device, platform } = probe();
    let enabledAt = -1;
    const enable = () => {
      enabledAt = device.log.length;
    };
    e1000Driver().probe({ ...platform.pci, enable }, platform);
    expect(enabledAt).toBe(0);
  });

  it('waits between two looks at the EEPROM, and between two at the PHY', () => {
    const { device, platform, run } = probe(m => Object.assign(m.device, { eepromReads: 3, mdicReads: 2 }));
    run();
    expect(device.accesses('read', REG.EERD)).toHaveLength(64 * 4);
    expect(device.accesses('read', REG.MDIC)).toHaveLength(4 * 3);
    expect(platform.waitedUs).toBe(1 + 10 * (64 * 3 + 4 * 2));
  });

  it('waits a microsecond between the reset and the next access', () => {
    const { device, platform, run } = probe();
    let waitedAtReset = -1;
    let waitedAtNext = -1;
    device.onAccess = ({ kind, offset, value }) => {
      if (waitedAtReset >= 0 && waitedAtNext < 0) waitedAtNext = platform.waitedUs;
      if (kind === 'write' && offset === REG.CTRL && value >>> 26 === 1) waitedAtReset = platform.waitedUs;
    };
    run();
    expect(waitedAtNext).toBeGreaterThan(waitedAtReset);
  });

  it('asserts carrier on transmit in the PHY, and leaves the other bits of its control register', () => {
    const { device, run } = probe();
    run();
    expect(device.phy.get(16)).toBe(0x0360 | 0x0800);
  });

  it('does not start the device: neither receiver, transmitter nor an interrupt is on', () => {
    const { device, platform, run } = probe();
    run();
    expect([device.peek(REG.RCTL), device.peek(REG.TCTL), device.mask, platform.handlerCount]).toEqual([0, 0, 0, 0]);
  });

  it('refuses a device whose BAR has no address', () => {
    const { platform } = probe();
    const device = { ...platform.pci, bars: [0, 0] };
    expect(() => e1000Driver().probe(device, platform)).toThrow('BAR0 has no address');
  });

  it.each([
    ['EEPROM checksum 0xbabb, expected 0xbaba', m => m.device.eeprom.splice(63, 1, m.device.eeprom[63]! + 1)],
    ['EEPROM word 0x00 not read after 10000 us', m => Object.assign(m.device, { eepromReads: Infinity })],
    ['PHY register 2 not ready after 640 us', m => Object.assign(m.device, { mdicReads: Infinity })],
    ['no PHY answers for register 2', m => m.device.phy.delete(2)],
    ['PHY identifier 0x01410c30, expected 0x01410c20', m => m.device.phy.set(3, 0x0c31)],
  ] as [string, (machine: ReturnType<typeof fakeMachine>) => void][])(
    'says "%s", and registers nothing',
    (text, spoil) => {
      const { platform, run } = probe(spoil);
      expect(run).toThrow(text);
      expect(platform.iface).toBeNull();
    },
  );

  it('gives up on a reset that does not end', () => {
    const { device, run } = probe();
    const write32 = device.write32.bind(device);
    device.write32 = (offset, value) => (offset === REG.CTRL ? device.poke(offset, value) : write32(offset, value));
    expect(run).toThrow('CTRL.RST still set after 100 us');
  });

  it('accepts another revision of the same PHY', () => {
    const { platform, run } = probe(m => m.device.phy.set(3, 0x0c2f));
    run();
    expect(platform.iface).not.toBeNull();
  });
});

describe('ring sizes', () => {
  it.each([0, 4, 12, -8, 4104, 8.5, Number.NaN])('%s descriptors are refused', count => {
    expect(() => e1000Driver({ txDescriptors: count })).toThrow(RangeError);
    expect(() => e1000Driver({ rxDescriptors: count })).toThrow(`rxDescriptors is ${count}`);
  });

  it.each([8, 256, 4096])('%s descriptors are accepted', count => {
    expect(() => e1000Driver({ txDescriptors: count, rxDescriptors: count })).not.toThrow();
  });
});
