import { describe, expect, it } from 'vitest';
import { CAUSE, frame, openMachine, REG } from '../../../support/fake-e1000.ts';

const RING = CAUSE.TXDW | CAUSE.RXDMT0 | CAUSE.RXO | CAUSE.RXT0;

describe('the interrupt handler', () => {
  it('says that a cause of zero is not its own, and does nothing else', () => {
    const { device, platform } = openMachine();
    expect(platform.raiseSharedLine()).toEqual([false]);
    expect(device.log).toEqual([{ kind: 'read', offset: REG.ICR, value: 0 }]);
    expect(platform.deferredPending).toBe(false);
    expect(device.mask).toBe(RING | CAUSE.LSC);
  });

  it('reads ICR once, masks the ring causes and leaves the rest for later', () => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(1));
    expect(device.log.map(({ kind, offset }) => [kind, offset])).toEqual([
      ['read', REG.ICR],
      ['write', REG.IMC],
    ]);
    expect(device.mask).toBe(CAUSE.LSC);
    expect(platform.deferredPending).toBe(true);
    expect(iface.frames).toEqual([]);
  });

  it.each(Object.entries(CAUSE))('serves %s', (name, bit) => {
    const { device, platform, iface } = openMachine();
    device.receive(frame(1), { quiet: true });
    device.cause(bit);
    platform.runDeferred();
    expect(iface.frames).toHaveLength(name === 'TXQE' ? 0 : 1); // TXQE stays masked: TXDW says more
  });
});

describe('the poll', () => {
  it('costs two interrupts for a flood of frames: one that starts it, one latched since that finds nothing more', () => {
    const { device, platform, iface } = openMachine({ rx: 128, packets: 200 });
    let left = 200;
    iface.onReceive = () => {
      if (left-- > 0) device.receive(frame(left));
    };
    device.receive(frame(200));
    platform.runDeferred();
    expect(iface.frames).toHaveLength(201);
    expect(platform.interruptCount).toBe(2);
  });

  it('stays masked and asks for another turn when it has used its budget', () => {
    const { device, platform, iface } = openMachine({ rx: 128, packets: 200 });
    for (let i = 0; i < 100; i++) device.receive(frame(i));
    platform.runDeferredOnce();
    expect(iface.frames).toHaveLength(64);
    expect(device.mask).toBe(CAUSE.LSC);
    expect(platform.deferredPending).toBe(true);
    expect(platform.interruptCount).toBe(1);
    platform.runDeferredOnce();
    expect(iface.frames).toHaveLength(100);
    platform.runDeferred();
    expect(device.mask).toBe(RING | CAUSE.LSC);
    expect(platform.deferredPending).toBe(false);
  });

  it('loses no frame that arrives between its last look at the ring and the write of IMS', () => {
    const { device, platform, iface } = openMachine();
    device.onAccess = ({ kind, offset }) => {
      if (kind !== 'write' || offset !== REG.IMS) return;
      device.onAccess = null;
      device.receive(frame(2));
      expect(platform.interruptCount).toBe(1); // masked, but latched
    };
    device.receive(frame(1));
    platform.runDeferred();
    expect(iface.frames).toEqual([frame(1), frame(2)]);
    expect(platform.interruptCount).toBe(2);
  });

  it('loses no frame whose cause a neighbour on the line made the handler eat', () => {
    const { device, platform, iface } = openMachine();
    device.onAccess = ({ kind, offset }) => {
      if (kind !== 'write' || offset !== REG.IMS) return;
      device.onAccess = null;
      device.receive(frame(2));
      expect(platform.raiseSharedLine()).toEqual([true]); // ICR is read, and so cleared, before IMS is written
    };
    device.receive(frame(1));
    platform.runDeferred();
    expect(iface.frames).toEqual([frame(1), frame(2)]);
    expect(device.mask).toBe(RING | CAUSE.LSC);
  });

  it('sees a frame that was sent in the same way', () => {
    const { device, platform, iface } = openMachine();
    iface.send(frame(1));
    device.fetch();
    device.onAccess = ({ kind, offset }) => {
      if (kind !== 'write' || offset !== REG.IMS) return;
      device.onAccess = null;
      device.writeBack();
    };
    device.receive(frame(9));
    platform.runDeferred();
    expect(platform.packets.count('device')).toBe(7);
  });

  it('does not touch the device when nothing happens', () => {
    const { device, platform } = openMachine();
    platform.runDeferred();
    expect(device.log).toEqual([]);
  });
});
