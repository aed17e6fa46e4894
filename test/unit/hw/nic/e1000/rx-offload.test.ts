/** What the receiver finds out for software, and VLAN tags in both directions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { BROADCAST, CMD, E1000Rig, NIC_MAC, octetsTo, SEND } from '../../../../support/e1000-rig.ts';
import { checksummed, IP, packet, plainSum } from '../../../../support/ipv4-packets.ts';

const { CTRL, RCTL, RXCSUM, TDT, VET } = E1000;

describe('receive checksums, 82540EM manual 3.2.9', () => {
  const status = (rig: E1000Rig) => {
    const { status, errors } = rig.rxDescriptor(0);
    return { ixsm: (status & 4) !== 0, ipcs: (status & 0x40) !== 0, tcpcs: (status & 0x20) !== 0, errors };
  };
  const receiving = (octets: Uint8Array, rxcsum: number): E1000Rig => {
    const rig = new E1000Rig().openRx();
    rig.write(RXCSUM.at, rxcsum);
    rig.arrive(Frame.withFcs(octets));
    return rig;
  };

  it.each([6, 17] as const)('are checked for IPv4 and protocol %i', protocol => {
    const good = checksummed(packet(protocol, 99));
    const rig = receiving(good, RXCSUM.IPOFL | RXCSUM.TUOFL);
    expect(status(rig)).toEqual({ ixsm: false, ipcs: true, tcpcs: true, errors: 0 });
    const bad = good.slice();
    bad[70]! ^= 1;
    expect(status(receiving(bad, RXCSUM.IPOFL | RXCSUM.TUOFL))).toMatchObject({ tcpcs: true, errors: 0x20 });
    const badHeader = good.slice();
    badHeader[IP + 8]! ^= 1;
    expect(status(receiving(badHeader, RXCSUM.IPOFL))).toEqual({ ixsm: false, ipcs: true, tcpcs: false, errors: 0x40 });
  });

  it('are ignored (IXSM) without RXCSUM, and for what is not IPv4', () => {
    expect(status(receiving(checksummed(packet(6, 99)), 0))).toMatchObject({ ixsm: true, ipcs: false, tcpcs: false });
    expect(status(receiving(octetsTo(NIC_MAC, 99), 0x300))).toMatchObject({ ixsm: true, ipcs: false, tcpcs: false });
  });

  it('of fragments, and of UDP without a checksum, are not checked', () => {
    const fragment = packet(6, 99);
    fragment[IP + 6] = 0x20;
    expect(status(receiving(checksummed(fragment), RXCSUM.TUOFL))).toMatchObject({ tcpcs: false, errors: 0 });
    expect(status(receiving(packet(17, 99), RXCSUM.TUOFL))).toMatchObject({ tcpcs: false, errors: 0 });
  });

  it('accept any octets behind the Ethernet header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 46, maxLength: 90 }), fc.nat(0xf), (payload, ihl) => {
        const octets = octetsTo(NIC_MAC, 14 + payload.length);
        octets.set(payload, 14);
        octets.set([0x08, 0x00, 0x40 | ihl], 12);
        expect(receiving(octets, 0x300).rxDescriptor(0).length).toBe(octets.length);
      }),
    );
  });

  it('PCSUM is the sum from PCSS to the end of the frame', () => {
    for (const pcss of [0, 14, 33, 200]) {
      const octets = octetsTo(NIC_MAC, 101);
      expect(receiving(octets, pcss).rxDescriptor(0).checksum).toBe(plainSum(octets, pcss));
    }
  });
});

describe('VLAN tags, 82540EM manual chapter 9', () => {
  it('VLE inserts VET and SPECIAL behind the addresses, while CTRL.VME is set', () => {
    const rig = new E1000Rig().openTx();
    const octets = octetsTo(BROADCAST, 100);
    rig.txLegacy(0, rig.txBuffer(0, octets), 100, SEND | CMD.VLE, { special: 0xe123 });
    rig.write(TDT.at, 1);
    rig.pass(30_000);
    rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.VME);
    rig.txData(1, rig.txBuffer(0, octets), 100, SEND | CMD.VLE, 0, 0xe123);
    rig.write(TDT.at, 2);
    rig.pass(30_000);
    const [plain, sent] = rig.far.arrivals.map(({ frame }) => [...frame.octets]);
    expect(plain).toEqual([...octets]);
    expect(sent).toEqual([...octets.slice(0, 12), 0x81, 0x00, 0xe1, 0x23, ...octets.slice(12)]);
  });

  it('with CTRL.VME a received tag goes from the data to SPECIAL, with VP', () => {
    const octets = octetsTo(NIC_MAC, 100);
    octets.set([0x81, 0x00, 0xe1, 0x23, 0x88, 0xb5], 12);
    const frame = Frame.withFcs(octets);
    const rig = new E1000Rig().openRx(8, 0);
    rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.VME);
    rig.arrive(frame);
    expect(rig.rxDescriptor(0)).toMatchObject({ length: 100, special: 0xe123, status: 0x0f });
    expect([...rig.rxData(0)]).toEqual([...octets.slice(0, 12), ...frame.wire().slice(16)]);
  });

  it('without VME, or with another VET, it stays', () => {
    const octets = octetsTo(NIC_MAC, 100);
    octets.set([0x81, 0x00, 0xe1, 0x23], 12);
    const rig = new E1000Rig().openRx();
    rig.arrive(Frame.withFcs(octets));
    rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.VME);
    rig.write(VET.at, 0x88a8);
    rig.arrive(Frame.withFcs(octets));
    for (const i of [0, 1]) expect(rig.rxDescriptor(i)).toMatchObject({ length: 100, special: 0, status: 0x07 });
  });

  it('a stripped tag does not hide TCP from the checksums', () => {
    const inner = checksummed(packet(6, 50));
    const octets = Uint8Array.of(...inner.slice(0, 12), 0x81, 0x00, 0, 5, ...inner.slice(12));
    const rig = new E1000Rig().openRx(8, RCTL.SECRC);
    rig.write(RXCSUM.at, 0x300);
    rig.write(CTRL.at, rig.read(CTRL.at) | CTRL.VME);
    rig.arrive(Frame.withFcs(octets));
    expect(rig.rxDescriptor(0)).toMatchObject({ status: 0x60 | 0x0b, errors: 0, special: 5 });
    expect(rig.rxData(0)).toEqual(inner);
  });
});
