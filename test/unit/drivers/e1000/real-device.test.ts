import { describe, expect, it } from 'vitest';
import { broadcast, E1000Pair, NEGOTIATION_NS, type Side, tagOf } from '../../../support/e1000-pair.ts';

const MILLISECOND = 1_000_000;

/** Writes a PHY register as a driver does, through MDIC. */
function writePhy(pair: E1000Pair, nic: Side['nic'], register: number, value: number): void {
  nic.write(0x0020, 4, 0x0420_0000 | (register << 16) | value);
  pair.run(100_000);
}

describe('two drivers on two 82540EMs', () => {
  it('read their address from the EEPROM and come up at 1000 Mb/s full duplex', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.bringUp();
    expect([...pair.right.iface.mac]).toEqual([0x52, 0x54, 0, 0, 0, 2]);
    for (const { iface } of pair.sides) expect(iface.links).toEqual([{ up: true, speedMbps: 1000, fullDuplex: true }]);
  });

  it.each([60, 61, 333, 1514])('carry a frame of %i octets unchanged, without FCS', length => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.bringUp();
    pair.left.iface.send(broadcast(1, length));
    pair.run(MILLISECOND);
    expect(pair.right.iface.frames).toEqual([broadcast(1, length)]);
  });

  it('carry unicast to the address that the driver set, and to no other', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.bringUp();
    const toRight = broadcast(1).fill(0, 0, 6);
    toRight.set(pair.right.iface.mac);
    const toNobody = toRight.slice();
    toNobody[5] = 99;
    pair.left.iface.send(toNobody);
    pair.left.iface.send(toRight);
    pair.run(MILLISECOND);
    expect(pair.right.iface.frames).toEqual([toRight]);
  });

  it('do nothing that the hardware finds odd', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.bringUp();
    for (let i = 0; i < 20; i++) {
      pair.left.iface.send(broadcast(i));
      pair.run(20_000);
    }
    pair.left.iface.ops.statistics();
    for (const { iface } of pair.sides) iface.ops.close();
    expect(pair.left.suspicions).toEqual([]);
    expect(pair.right.suspicions).toEqual([]);
  });

  it('send what was put into the ring before the link was up', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.open();
    for (let i = 0; i < 7; i++) expect(pair.left.iface.send(broadcast(i))).toBe(true);
    expect(pair.left.iface.send(broadcast(7))).toBe(false);
    pair.run(NEGOTIATION_NS);
    expect(pair.right.iface.frames.map(tagOf)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(pair.left.iface.wakeCount).toBe(1);
  });

  it('lose nothing through a ring of 8 that is always full, in either direction', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 16, packets: 128 });
    pair.bringUp();
    const total = 300;
    for (const { iface } of pair.sides) {
      let tag = 0;
      const pump = () => {
        while (tag < total && iface.send(broadcast(tag, 60 + (tag % 400))) === true) tag += 1;
      };
      iface.onWake = pump;
      pump();
    }
    pair.run(20 * MILLISECOND);
    const all = Array.from({ length: total }, (_, i) => i);
    for (const { iface } of pair.sides) expect(iface.frames.map(tagOf)).toEqual(all);
    expect(pair.left.iface.ops.statistics()).toMatchObject({ GPTC: total, GPRC: total, RNBC: 0, rxErrors: 0 });
  });

  it('take several frames with one interrupt when frames come faster than software looks', () => {
    const pair = new E1000Pair({ txDescriptors: 64, rxDescriptors: 64, packets: 200 });
    pair.bringUp();
    pair.right.platform.interruptCount = 0;
    for (let i = 0; i < 50; i++) pair.left.iface.send(broadcast(i, 60));
    pair.run(5 * MILLISECOND);
    expect(pair.right.iface.frames).toHaveLength(50);
    expect(pair.right.platform.interruptCount).toBeLessThan(50);
  });

  it('hold frames while the cable is unplugged, and send them when the link is back', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.bringUp();
    pair.cable.unplug(1);
    pair.run(NEGOTIATION_NS);
    expect(pair.left.iface.links.at(-1)?.up).toBe(false);
    for (let i = 0; i < 3; i++) pair.left.iface.send(broadcast(i));
    pair.run(MILLISECOND);
    pair.cable.connect(1, pair.right.nic.phy);
    pair.run(NEGOTIATION_NS);
    expect(pair.left.iface.links.map(link => link.up)).toEqual([true, false, true]);
    expect(pair.right.iface.frames.map(tagOf)).toEqual([0, 1, 2]);
  });

  it('follow the PHY to 100 Mb/s half duplex, and lose no frame there', () => {
    const pair = new E1000Pair({ txDescriptors: 32, rxDescriptors: 64, packets: 128 });
    pair.bringUp();
    writePhy(pair, pair.left.nic, 4, 0x0081); // advertise 100BASE-TX half duplex
    writePhy(pair, pair.left.nic, 9, 0); // and not gigabit
    writePhy(pair, pair.left.nic, 0, 0x1200); // negotiate again
    pair.run(NEGOTIATION_NS);
    for (const { iface } of pair.sides) {
      expect(iface.links.at(-1)).toEqual({ up: true, speedMbps: 100, fullDuplex: false });
      for (let i = 0; i < 30; i++) iface.send(broadcast(i, 500));
    }
    pair.run(100 * MILLISECOND);
    for (const { iface } of pair.sides) {
      expect(iface.frames.map(tagOf)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect(iface.ops.statistics()).toMatchObject({ TNCRS: 0, ECOL: 0, txErrors: 0 });
    }
  });

  it('hand up no frame that was damaged on the way, and count it', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.bringUp();
    pair.cable.flipNext(0, [200]);
    pair.left.iface.send(broadcast(1));
    pair.left.iface.send(broadcast(2));
    pair.run(MILLISECOND);
    expect(pair.right.iface.frames.map(tagOf)).toEqual([2]);
    expect(pair.right.iface.ops.statistics()['CRCERRS']).toBe(1);
  });

  it('survive a receiver without packets, and go on when it has some', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8, packets: 16 });
    pair.bringUp();
    const { packets } = pair.right.platform;
    const hoard = Array.from({ length: 9 }, () => packets.allocate()!);
    for (let i = 0; i < 40; i++) {
      pair.left.iface.send(broadcast(i));
      pair.run(20_000);
    }
    expect(pair.right.iface.frames).toEqual([]);
    expect(pair.right.iface.ops.statistics()['rxNoBuffer']).toBe(40);
    for (const packet of hoard) packets.free(packet);
    pair.left.iface.send(broadcast(99));
    pair.run(MILLISECOND);
    expect(pair.right.iface.frames.map(tagOf)).toEqual([99]);
  });

  it('close in the middle of traffic, give everything back, and open again', () => {
    const pair = new E1000Pair({ txDescriptors: 8, rxDescriptors: 8 });
    pair.bringUp();
    for (let round = 0; round < 5; round++) {
      for (const { iface } of pair.sides) for (let i = 0; i < 6; i++) iface.send(broadcast(i, 1000));
      pair.run(5000 + 3000 * round);
      pair.left.iface.ops.close();
      expect(pair.left.platform.packets.count('free')).toBe(64);
      pair.run(MILLISECOND);
      pair.left.iface.ops.open();
      pair.run(NEGOTIATION_NS);
    }
    pair.right.iface.frames.length = 0;
    pair.left.iface.send(broadcast(77));
    pair.run(MILLISECOND);
    expect(pair.right.iface.frames.map(tagOf)).toEqual([77]);
    expect(pair.right.iface.ops.statistics()['CRCERRS']).toBe(0); // each frame on the wire could finish
  });
});
