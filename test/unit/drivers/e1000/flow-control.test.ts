/** Flow control: what the driver programs, and what a pair of NICs then does when the receiver cannot keep up. */
import { describe, expect, it } from 'vitest';
import { e1000Driver } from '../../../../drivers/e1000/e1000.ts';
import { broadcast, E1000Pair, tagOf } from '../../../support/e1000-pair.ts';
import { fakeMachine, interfaceOf, openMachine, REG } from '../../../support/fake-e1000.ts';

const RFCE = 0x0800_0000;
const TFCE = 0x1000_0000;
/** Bits of ANA and LPA. */
const PAUSE = 0x0400;
const ASM_DIR = 0x0800;
const IMC = 0x00d8;
const IMS = 0x00d0;
const ICS = 0x00c8;
const RXT0 = 0x80;
/** TXDW, LSC, RXDMT0, RXO, RXT0. */
const CAUSES = 0xd5;

const bitsOf = (value: number) => value & (RFCE | TFCE);

describe('the driver', () => {
  it('when both ends have agreed on it programs the PAUSE address, the type, the pause and the water marks as 13.4.10 to 13.4.15 have it', () => {
    const { device, platform } = openMachine();
    device.phy.set(5, 0x41e1 | PAUSE);
    device.link(true);
    platform.runDeferred();
    expect([device.peek(REG.FCAL), device.peek(REG.FCAH), device.peek(REG.FCT)]).toEqual([0x00c28001, 0x0100, 0x8808]);
    expect(device.peek(REG.FCTTV)).toBe(0xffff);
    const [high, low] = [device.peek(REG.FCRTH), device.peek(REG.FCRTL) & 0xffff];
    expect(device.peek(REG.FCRTL) >>> 31).toBe(1); // XONE
    expect([high % 8, low % 8]).toEqual([0, 0]);
    // The receive FIFO has 48 KiB: behind the mark there is room for some frames of the longest kind.
    expect(high).toBeLessThanOrEqual(48 * 1024 - 4 * 1522);
    expect(low).toBeLessThan(high);
  });

  // IEEE 802.3 table 28B-3.
  it.each([
    [PAUSE | ASM_DIR, PAUSE | ASM_DIR, RFCE | TFCE],
    [PAUSE | ASM_DIR, PAUSE, RFCE | TFCE],
    [PAUSE, PAUSE | ASM_DIR, RFCE | TFCE],
    [PAUSE, PAUSE, RFCE | TFCE],
    [PAUSE | ASM_DIR, ASM_DIR, RFCE],
    [ASM_DIR, PAUSE | ASM_DIR, TFCE],
    [PAUSE | ASM_DIR, 0, 0],
    [PAUSE, ASM_DIR, 0],
    [ASM_DIR, PAUSE, 0],
    [ASM_DIR, ASM_DIR, 0],
    [0, PAUSE | ASM_DIR, 0],
  ])('offers 0x%s, hears 0x%s: CTRL has 0x%s', (own, partner, bits) => {
    const { device, platform } = openMachine();
    device.phy.set(4, 0x01e1 | own);
    device.phy.set(5, 0x41e1 | partner);
    device.link(false);
    platform.runDeferred();
    device.link(true);
    platform.runDeferred();
    expect(bitsOf(device.peek(REG.CTRL))).toBe(bits);
  });

  it('has no pauses in half duplex, and none on a link that is forced', () => {
    const { device, platform } = openMachine();
    device.phy.set(5, 0x45e1);
    device.link(true, 1, true);
    platform.runDeferred();
    expect(bitsOf(device.peek(REG.CTRL))).toBe(RFCE | TFCE);
    device.link(true, 1, false);
    platform.runDeferred();
    expect(bitsOf(device.peek(REG.CTRL))).toBe(0);

    const forced = fakeMachine();
    forced.device.phy.set(0, 0).set(5, 0x45e1);
    const link = { speedMbps: 100, fullDuplex: true } as const;
    e1000Driver({ txDescriptors: 8, rxDescriptors: 8, link }).probe(forced.platform.pci, forced.platform);
    interfaceOf(forced.platform).ops.open();
    forced.device.link(true, 1, true);
    forced.platform.runDeferred();
    expect(bitsOf(forced.device.peek(REG.CTRL))).toBe(0);
  });
});

describe('two drivers on two 82540EMs', () => {
  /** More than a ring of 8 and a FIFO of 48 KiB take. */
  const FRAMES = 100;
  const LENGTH = 1514;

  function flood(pair: E1000Pair) {
    const { left, right } = pair;
    right.nic.write(IMC, 4, 0xffff_ffff); // the receiver's software is busy with something else
    let tag = 0;
    const pump = () => {
      while (tag < FRAMES && left.iface.send(broadcast(tag, LENGTH)) === true) tag += 1;
    };
    left.iface.onWake = pump;
    pump();
    pair.run(5_000_000);
    const early = right.iface.frames.length;
    right.nic.write(IMS, 4, CAUSES);
    right.nic.write(ICS, 4, RXT0);
    pair.run(5_000_000);
    const statistics = (side: typeof left) => {
      const { XOFFRXC, XONRXC, XOFFTXC, XONTXC, MPC, FCRUC, GPRC } = side.iface.ops.statistics();
      return { XOFFRXC, XONRXC, XOFFTXC, XONTXC, MPC, FCRUC, GPRC };
    };
    return { early, tags: right.iface.frames.map(tagOf), left: statistics(left), right: statistics(right) };
  }

  it('lose nothing while the receiver is busy: it sends XOFF, the sender stops, and goes on with XON', () => {
    const pair = new E1000Pair({ txDescriptors: 64, rxDescriptors: 8, packets: 256 });
    pair.bringUp();
    const { early, tags, left, right } = flood(pair);
    expect(early).toBe(0);
    expect(tags).toEqual(Array.from({ length: FRAMES }, (_, i) => i));
    expect(right).toMatchObject({ MPC: 0, GPRC: FRAMES, XOFFRXC: 0, XONRXC: 0 });
    expect(right.XOFFTXC).toBeGreaterThan(0);
    expect(right.XONTXC).toBe(right.XOFFTXC);
    expect(left).toMatchObject({ XOFFRXC: right.XOFFTXC, XONRXC: right.XONTXC, XOFFTXC: 0, FCRUC: 0 });
  });

  it('lose frames when one of them does not offer PAUSE, and count them', () => {
    const pair = new E1000Pair({ txDescriptors: 64, rxDescriptors: 8, packets: 256 });
    pair.left.nic.write(0x0020, 4, 0x0424_01e1); // ANA: all modes, no PAUSE
    pair.run(100_000);
    pair.left.nic.write(0x0020, 4, 0x0420_1200); // PCTRL: negotiate again
    pair.run(100_000);
    pair.bringUp();
    const { tags, left, right } = flood(pair);
    expect(right.MPC).toBeGreaterThan(0);
    expect(tags).toHaveLength(FRAMES - right.MPC!);
    expect([right.XOFFTXC, left.XOFFRXC]).toEqual([0, 0]);
  });

  it('send no PAUSE while nobody is behind', () => {
    const pair = new E1000Pair({ txDescriptors: 64, rxDescriptors: 64, packets: 256 });
    pair.bringUp();
    for (let i = 0; i < FRAMES; i++) {
      pair.left.iface.send(broadcast(i, LENGTH));
      pair.run(20_000);
    }
    pair.run(1_000_000);
    expect(pair.right.iface.frames).toHaveLength(FRAMES);
    expect(pair.right.iface.ops.statistics()['XOFFTXC']).toBe(0);
  });
});
