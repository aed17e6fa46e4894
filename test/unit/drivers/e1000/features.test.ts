import { describe, expect, it } from 'vitest';
import type { Features } from '../../../../drivers/e1000/features.ts';
import { frame, openMachine, REG } from '../../../support/fake-e1000.ts';

const IDE = 0x8000_0000;
const ALL_OFF: Features = {
  checksumOffload: false,
  segmentation: false,
  moderation: false,
  multicastFilter: false,
  vlan: false,
};

/** The command word of transmit descriptor `index`, unsigned. */
const commandOf = ({ device }: ReturnType<typeof openMachine>, index: number): number =>
  device.descriptor(REG.TDBAL, index).getUint32(8, true);

/** An empty packet of `length` octets. */
function packetOf({ platform }: Pick<ReturnType<typeof openMachine>, 'platform'>, length: number) {
  const packet = platform.packets.allocate()!;
  packet.length = length;
  return packet;
}

describe('what the interface offers', () => {
  it.each([
    [{}, 16, { checksum: true, segmentationBuffers: 14, vlan: true }],
    [{}, 256, { checksum: true, segmentationBuffers: 32, vlan: true }],
    [{ segmentation: false }, 16, { checksum: true, segmentationBuffers: 0, vlan: true }],
    [{ checksumOffload: false }, 16, { checksum: false, segmentationBuffers: 0, vlan: true }],
    [{ vlan: false }, 16, { checksum: true, segmentationBuffers: 14, vlan: false }],
  ])('with the features %o and %i descriptors is %o', (features, tx, offered) => {
    expect(openMachine({ tx, features }).iface.ops.features).toEqual(offered);
  });

  it('is all that it does: any other request throws, and the packet stays the caller’s', () => {
    const machine = openMachine({ features: ALL_OFF });
    const ask = [{ checksumStart: 80, checksumAt: 86 }, { segmentBytes: 100 }, { vlanTag: 0 }];
    for (const request of ask) {
      const packet = Object.assign(packetOf(machine, 100), request);
      expect(() => machine.iface.ops.transmit(packet)).toThrow(/here$/);
      machine.platform.packets.free(packet);
    }
    const pair = packetOf(machine, 100);
    pair.next = packetOf(machine, 100);
    expect(() => machine.iface.ops.transmit(pair)).toThrow('a packet of several buffers that is not to be segmented');
    expect(machine.device.log).toEqual([]);
  });

  it('has a bound on the buffers of a packet, so that the ring has room for each', () => {
    const machine = openMachine({ tx: 8 });
    const chain = (count: number) => {
      let next = null;
      for (let i = 0; i < count; i++) next = Object.assign(packetOf(machine, 100), { next });
      return Object.assign(next!, { segmentBytes: 100, checksumStart: 100, checksumAt: 116, dataStart: 120 });
    };
    expect(() => machine.iface.ops.transmit(chain(7))).toThrow('7 buffers');
    expect(machine.iface.ops.transmit(chain(6))).toBe(true);
    expect(machine.device.peek(REG.TDT)).toBe(7);
  });
});

describe('checksum offload', () => {
  it('gives a context, then data descriptors, and no other context while the headers lie alike', () => {
    const machine = openMachine({ tx: 16, features: { moderation: false } });
    const send = (headerBytes: number) => {
      const packet = packetOf(machine, 100);
      packet.checksumStart = packet.start + headerBytes;
      packet.checksumAt = packet.checksumStart + 6;
      expect(machine.iface.ops.transmit(packet)).toBe(true);
    };
    for (const headerBytes of [34, 34, 38, 34]) send(headerBytes);
    machine.iface.send(frame(1)); // one that asks for nothing leaves the context as it is
    send(34);
    const words = Array.from({ length: 9 }, (_, i) => commandOf(machine, i));
    const context = 0x2000_0000;
    const data = 0x2b10_0064;
    expect(words).toEqual([context, data, data, context, data, context, data, 0x0b00_003c, data]);
    const view = machine.device.descriptor(REG.TDBAL, 0);
    expect([view.getUint32(0, true), view.getUint32(4, true), view.getUint32(12, true)]).toEqual([0, 0x2822, 0]);
    expect(machine.device.descriptor(REG.TDBAL, 1).getUint32(12, true)).toBe(0x0200); // TXSM
  });

  it('needs a context again after a reset', () => {
    const machine = openMachine({ tx: 16 });
    const send = () => {
      const packet = packetOf(machine, 60);
      packet.checksumStart = packet.start + 34;
      packet.checksumAt = packet.start + 40;
      machine.iface.ops.transmit(packet);
    };
    send();
    machine.iface.ops.close();
    machine.iface.ops.open();
    send();
    expect(commandOf(machine, 0)).toBe(0x2000_0000);
  });

  it.each([
    ['nothing looked at', 0x04, 0, false, 0],
    ['no TCP or UDP', 0x40, 0, false, 0],
    ['good', 0x20, 0, true, 0],
    ['bad', 0x20, 0x20, false, 1],
    ['bad, but to be ignored', 0x24, 0x20, false, 0],
  ])('takes over what the hardware says of a received packet: %s', (_, status, errors, good, counted) => {
    const { device, platform, iface } = openMachine();
    iface.keep = true;
    device.receive(frame(1), { status, errors });
    platform.runDeferred();
    expect(iface.kept[0]!.checksumGood).toBe(good);
    expect(iface.ops.statistics()['rxChecksumErrors']).toBe(counted);
  });

  it.each([
    [true, 0x200],
    [false, 0],
  ])('asks for received checksums if on: %s', (checksumOffload, value) => {
    expect(openMachine({ features: { checksumOffload } }).device.peek(REG.RXCSUM)).toBe(value);
  });
});

describe('VLAN tags', () => {
  it('go into SPECIAL with VLE, and come out of it with VP', () => {
    const machine = openMachine({ features: { moderation: false } });
    const { device, platform, iface } = machine;
    const packet = packetOf(machine, 60);
    packet.vlanTag = 0xa123;
    iface.ops.transmit(packet);
    expect(commandOf(machine, 0)).toBe(0x4b00_003c);
    expect(device.descriptor(REG.TDBAL, 0).getUint32(12, true)).toBe(0xa123_0000);
    iface.keep = true;
    device.receive(frame(1), { status: 0x08, special: 0x4567 });
    device.receive(frame(2), { status: 0, special: 0x4567 });
    platform.runDeferred();
    expect(iface.kept.map(({ vlanTag }) => vlanTag)).toEqual([0x4567, null]);
  });
});

describe('moderation', () => {
  it('delays TXDW for all descriptors but one in half a ring', () => {
    const machine = openMachine({ tx: 16 });
    for (let i = 0; i < 15; i++) machine.iface.send(frame(i));
    const delayed = Array.from({ length: 15 }, (_, i) => commandOf(machine, i) >= IDE);
    expect(delayed.map((each, i) => (each ? -1 : i)).filter(i => i >= 0)).toEqual([7]);
    expect([machine.device.peek(REG.TIDV), machine.device.peek(REG.TADV)]).toEqual([64, 256]);
  });

  it('keeps interrupts apart while frames fill half of a gigabit wire’s time, and only then', () => {
    const { device, platform } = openMachine();
    let nowNs = 1_000_000;
    platform.onNow = () => nowNs;
    const itrAfter = (ns: number, ...lengths: number[]) => {
      nowNs += ns;
      platform.interruptsEnabled = false;
      for (const length of lengths) device.receive(frame(1, length));
      platform.interruptsEnabled = true;
      platform.takeInterrupts();
      platform.runDeferred();
      return device.peek(REG.ITR);
    };
    // A frame of 1000 octets takes 8.192 us, one of 60 takes 672 ns.
    expect([itrAfter(900_000, 1000), itrAfter(16_384, 1000), itrAfter(16_383, 1000)]).toEqual([0, 0, 78]);
    expect([itrAfter(1_343, 60), itrAfter(2_687, 60, 60), itrAfter(1_344, 60)]).toEqual([78, 78, 0]);
    expect(device.accesses('write', REG.ITR)).toHaveLength(2);
  });

  it('is no business of these registers when it is off', () => {
    const machine = openMachine({ features: { moderation: false } });
    machine.device.receive(frame(1, 1514));
    machine.platform.runDeferred();
    expect([REG.ITR, REG.TIDV, REG.TADV].map(each => machine.device.peek(each))).toEqual([0, 0, 0]);
  });

  it('takes back what has DD, told or not, before it says that the ring is full', () => {
    const { device, iface, platform } = openMachine();
    for (let i = 0; i < 7; i++) expect(iface.send(frame(i))).toBe(true);
    platform.interruptsEnabled = false;
    device.fetch();
    device.writeBack();
    expect([iface.send(frame(8)), iface.send(frame(9))]).toEqual([true, false]);
  });
});

describe('group addresses', () => {
  /** Bit of the table for an address, 13.5.1 with MO 0: bits 47 to 36 of the address. */
  const group = (last: number, beforeLast = 0) => Uint8Array.of(1, 0, 0x5e, 0, beforeLast, last);
  const table = ({ device }: ReturnType<typeof openMachine>) =>
    Array.from({ length: 128 }, (_, i) => device.peek(REG.MTA + 4 * i) >>> 0);
  const MPE = 0x10;

  it('are in the multicast table by their hash, as the words change', () => {
    const machine = openMachine();
    machine.iface.ops.setMulticast([group(0x35, 0xaa), group(1)]);
    // 0x35aa >> 4 is 0x35a: word 26, bit 26. 0x0100 >> 4 is 0x010: word 0, bit 16.
    expect(table(machine).flatMap((word, i) => (word === 0 ? [] : [[i, word]]))).toEqual([
      [0, 0x0001_0000],
      [26, 0x0400_0000],
    ]);
    expect(machine.device.log).toHaveLength(2);
    machine.iface.ops.setMulticast([group(1)]);
    expect(table(machine).filter(word => word !== 0)).toEqual([0x0001_0000]);
    expect(machine.device.log).toHaveLength(3);
  });

  it('survive close and open, and may be set in between', () => {
    const machine = openMachine();
    machine.iface.ops.setMulticast([group(1)]);
    machine.iface.ops.close();
    machine.device.log.length = 0;
    machine.iface.ops.setMulticast([group(1), group(2)]);
    expect(machine.device.log).toEqual([]);
    machine.iface.ops.open();
    expect(table(machine).filter(word => word !== 0)).toEqual([0x0001_0000, 0x0000_0001]);
  });

  it('let all multicast in when there are too many, and the table serves again when there are fewer', () => {
    const machine = openMachine();
    const { device, iface } = machine;
    const many = Array.from({ length: 257 }, (_, i) => group(i & 0xff, i >>> 8));
    iface.ops.setMulticast(many.slice(1));
    expect(device.peek(REG.RCTL) & MPE).toBe(0);
    iface.ops.setMulticast(many);
    expect(device.peek(REG.RCTL) & MPE).toBe(MPE);
    iface.ops.close();
    iface.ops.open();
    expect(device.peek(REG.RCTL) & MPE).toBe(MPE);
    iface.ops.setMulticast([group(1)]);
    expect(device.peek(REG.RCTL) & MPE).toBe(0);
    expect(table(machine).filter(word => word !== 0)).toEqual([0x0001_0000]);
  });

  it('let all multicast in from the first one on when the filter is off', () => {
    const { device, iface } = openMachine({ features: { multicastFilter: false } });
    expect(device.peek(REG.RCTL) & MPE).toBe(0);
    iface.ops.setMulticast([group(1)]);
    expect(device.peek(REG.RCTL) & MPE).toBe(MPE);
    iface.ops.setMulticast([]);
    expect(device.peek(REG.RCTL) & MPE).toBe(0);
  });
});
