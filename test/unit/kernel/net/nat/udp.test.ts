import { describe, expect, test } from 'vitest';
import { parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { ALICE, BOB, HOP, NatRig, OTHER_SERVER, PUBLIC, SERVER, udpPacket } from '../../../../support/nat-rig.ts';
import { naiveSum } from '../../../../support/packets.ts';

/** Alice sends from port 4000 to the server's port 53. */
function talking(rig: NatRig): NatRig {
  rig.fromInside(udpPacket(`${ALICE}:4000`, `${SERVER}:53`));
  rig.expectOutside(udpPacket(`${PUBLIC}:4000`, `${SERVER}:53`, [1, 2, 3], HOP));
  return rig;
}

describe('a mapping', () => {
  test('NAT-1 is the same for all remotes: 4787 REQ-1, endpoint-independent', () => {
    const rig = talking(new NatRig());
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${OTHER_SERVER}:53`));
    rig.expectOutside(udpPacket(`${PUBLIC}:4000`, `${OTHER_SERVER}:53`, [1, 2, 3], HOP));
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${SERVER}:54`));
    rig.expectOutside(udpPacket(`${PUBLIC}:4000`, `${SERVER}:54`, [1, 2, 3], HOP));
    expect(rig.rows()).toEqual([`udp ${PUBLIC}:4000 ${ALICE}:4000 ACTIVE`]);
    rig.expectNoLeak();
  });

  test('NAT-1 leads an answer back to the host inside', () => {
    const rig = talking(new NatRig());
    rig.fromOutside(udpPacket(`${SERVER}:53`, `${PUBLIC}:4000`, [4, 5]));
    rig.expectInside(udpPacket(`${SERVER}:53`, `${ALICE}:4000`, [4, 5], HOP));
    rig.expectNoLeak();
  });

  test('NAT-6 two hosts with the same port get two ports: no overloading (4787 REQ-3)', () => {
    const rig = talking(new NatRig());
    rig.fromInside(udpPacket(`${BOB}:4000`, `${SERVER}:53`));
    const { source } = rig.nextOutside();
    expect(source).not.toBe(`${PUBLIC}:4000`);
    rig.fromOutside(udpPacket(`${SERVER}:53`, source));
    rig.expectInside(udpPacket(`${SERVER}:53`, `${BOB}:4000`, [1, 2, 3], HOP));
    rig.fromOutside(udpPacket(`${SERVER}:53`, `${PUBLIC}:4000`));
    rig.expectInside(udpPacket(`${SERVER}:53`, `${ALICE}:4000`, [1, 2, 3], HOP));
  });

  test.each([1, 2, 1022, 1023, 1024, 1025, 40_000, 65_535])(
    'NAT-6 the range and the parity of port %s are kept when it is taken (4787 REQ-3a, REQ-4)',
    port => {
      const rig = new NatRig();
      rig.fromInside(udpPacket(`${ALICE}:${port}`, `${SERVER}:53`));
      expect(rig.nextOutside().source).toBe(`${PUBLIC}:${port}`);
      rig.fromInside(udpPacket(`${BOB}:${port}`, `${SERVER}:53`));
      const other = Number(rig.nextOutside().source.split(':')[1]);
      expect(other).not.toBe(port);
      expect([other % 2, other < 1024]).toEqual([port % 2, port < 1024]);
    },
  );

  test('NAT-4 lives for five minutes after the last packet out (4787 REQ-5, REQ-6)', () => {
    const rig = talking(new NatRig());
    rig.wait(299);
    talking(rig);
    rig.wait(299);
    rig.fromOutside(udpPacket(`${SERVER}:53`, `${PUBLIC}:4000`));
    rig.expectInside(udpPacket(`${SERVER}:53`, `${ALICE}:4000`, [1, 2, 3], HOP));
    rig.wait(1.1);
    expect(rig.rows()).toEqual([]);
    rig.fromOutside(udpPacket(`${SERVER}:53`, `${PUBLIC}:4000`));
    expect(rig.sentOutside().subarray(20, 22)).toEqual(Uint8Array.of(3, 3));
    rig.expectNothing();
  });

  test('NAT-4 is not refreshed by what comes in (4787 REQ-6a)', () => {
    const rig = talking(new NatRig());
    for (let minutes = 0; minutes < 4; minutes++) {
      rig.wait(60);
      rig.fromOutside(udpPacket(`${SERVER}:53`, `${PUBLIC}:4000`));
      rig.sentInside();
    }
    rig.wait(60.1);
    expect(rig.rows()).toEqual([]);
  });

  test('NAT-4 a timeout below two minutes is refused', () => {
    expect(() => new NatRig({ timeouts: { udpNs: 119_000_000_000 } })).toThrow(RangeError);
    const rig = talking(new NatRig({ timeouts: { udpNs: 120_000_000_000 } }));
    rig.wait(119.9);
    expect(rig.rows()).toHaveLength(1);
    rig.wait(0.2);
    expect(rig.rows()).toHaveLength(0);
  });

  test('a port is free again when its mapping has ended', () => {
    const rig = talking(new NatRig());
    rig.wait(301);
    rig.fromInside(udpPacket(`${BOB}:4000`, `${SERVER}:53`));
    expect(rig.nextOutside().source).toBe(`${PUBLIC}:4000`);
  });

  test('each inside host always gets the same one of several addresses (4787 REQ-2, paired)', () => {
    const publicAddresses = ['203.0.113.1', '203.0.113.5'].map(parseIpv4);
    const rig = new NatRig({ publicAddresses });
    const addressesOf = (host: string) =>
      [4000, 4001, 4002, 4003].map(port => {
        rig.fromInside(udpPacket(`${host}:${port}`, `${SERVER}:53`));
        return rig.nextOutside().source.split(':')[0];
      });
    expect(new Set(addressesOf(ALICE)).size).toBe(1);
    expect(new Set([...addressesOf(ALICE), ...addressesOf(BOB)])).toEqual(new Set(['203.0.113.1', '203.0.113.5']));
  });
});

describe('the filter', () => {
  const stranger = `${OTHER_SERVER}:99`;
  const samePeerOtherPort = `${SERVER}:99`;

  function letsIn(rig: NatRig, from: string): boolean {
    rig.fromOutside(udpPacket(from, `${PUBLIC}:4000`));
    const packets = rig.drivers[0]!.sent.splice(0);
    rig.expectNothing();
    rig.expectNoLeak();
    return packets.length === 1;
  }

  test('NAT-2 lets everybody in unless told otherwise: endpoint-independent (4787 REQ-8)', () => {
    const rig = talking(new NatRig());
    expect([stranger, samePeerOtherPort, `${SERVER}:53`].map(from => letsIn(rig, from))).toEqual([true, true, true]);
  });

  test('NAT-2 address-dependent lets in all ports of who was sent to', () => {
    const rig = talking(new NatRig({ filtering: 'address-dependent' }));
    expect([stranger, samePeerOtherPort, `${SERVER}:53`].map(from => letsIn(rig, from))).toEqual([false, true, true]);
    expect(rig.net.drops.counts['NAT filters']).toBe(1);
  });

  test('NAT-2 address-and-port-dependent lets in who was sent to, alone', () => {
    const rig = talking(new NatRig({ filtering: 'address-and-port-dependent' }));
    expect([stranger, samePeerOtherPort, `${SERVER}:53`].map(from => letsIn(rig, from))).toEqual([false, false, true]);
  });

  test('NAT-2 does not change over time, and each peer ages by itself (4787 REQ-11, REQ-12)', () => {
    const rig = talking(new NatRig({ filtering: 'address-dependent' }));
    rig.wait(200);
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${OTHER_SERVER}:53`));
    rig.sentOutside();
    expect([stranger, samePeerOtherPort].map(from => letsIn(rig, from))).toEqual([true, true]);
    rig.wait(101);
    expect([stranger, samePeerOtherPort].map(from => letsIn(rig, from))).toEqual([true, false]);
  });
});

describe('checksums', () => {
  test('NAT-14 a UDP checksum of zero stays zero', () => {
    const rig = new NatRig();
    const withoutChecksum = (packet: Uint8Array) => packet.fill(0, 26, 28);
    rig.fromInside(withoutChecksum(udpPacket(`${ALICE}:4000`, `${SERVER}:53`)));
    rig.expectOutside(withoutChecksum(udpPacket(`${PUBLIC}:4000`, `${SERVER}:53`, [1, 2, 3], HOP)));
    rig.fromOutside(withoutChecksum(udpPacket(`${SERVER}:53`, `${PUBLIC}:4000`)));
    rig.expectInside(withoutChecksum(udpPacket(`${SERVER}:53`, `${ALICE}:4000`, [1, 2, 3], HOP)));
  });

  test('NAT-14 one that comes out as zero is sent as all ones', () => {
    const rig = new NatRig();
    // The data make the sum of the translated datagram all ones.
    const probe = udpPacket(`${PUBLIC}:4000`, `${SERVER}:53`, [0, 0]);
    const data = probe.subarray(26, 28);
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${SERVER}:53`, data));
    const sent = rig.sentOutside();
    expect([...sent.subarray(26, 28)]).toEqual([0xff, 0xff]);
  });

  test('NAT-14 a damaged datagram is passed on as damaged as it was', () => {
    const rig = new NatRig();
    const damaged = udpPacket(`${ALICE}:4000`, `${SERVER}:53`);
    damaged[30]! ^= 0x40;
    rig.fromInside(damaged);
    const expected = udpPacket(`${PUBLIC}:4000`, `${SERVER}:53`, [1, 2, 3], HOP);
    expected[30]! ^= 0x40;
    rig.expectOutside(expected);
  });

  test('options of the IPv4 header are skipped', () => {
    const rig = new NatRig();
    const options = [1, 1, 1, 0];
    rig.fromInside(udpPacket(`${ALICE}:4000`, `${SERVER}:53`, [1], { options }));
    rig.expectOutside(udpPacket(`${PUBLIC}:4000`, `${SERVER}:53`, [1], { options, ...HOP }));
  });
});

describe('when nothing is left', () => {
  test('NAT-13 the sender hears 3/13 (5508 REQ-8)', () => {
    const rig = new NatRig();
    // All the well-known ports but 0 are the mapping's of one host; the next host has one of them, too.
    for (let port = 1; port < 1024; port++) {
      rig.fromInside(udpPacket(`${ALICE}:${port}`, `${SERVER}:53`));
      rig.sentOutside();
    }
    rig.fromInside(udpPacket(`${BOB}:7`, `${SERVER}:53`));
    const error = rig.sentInside();
    expect(error.subarray(16, 22)).toEqual(Uint8Array.of(10, 0, 0, 3, 3, 13));
    expect(naiveSum(error.subarray(20))).toBe(0xffff);
    expect(error.subarray(28)).toEqual(udpPacket(`${BOB}:7`, `${SERVER}:53`, [1, 2, 3], HOP));
    rig.expectNothing();
    expect(rig.net.drops.counts['NAT has no port left']).toBe(1);
    rig.expectNoLeak();
  });

  test('NAT-13 a parity that has none left takes from the other (4787 REQ-4 is a recommendation)', () => {
    const rig = new NatRig();
    for (let port = 1; port < 1024; port += 2) {
      rig.fromInside(udpPacket(`${ALICE}:${port}`, `${SERVER}:53`));
      rig.sentOutside();
    }
    rig.fromInside(udpPacket(`${BOB}:7`, `${SERVER}:53`));
    const port = Number(rig.nextOutside().source.split(':')[1]);
    expect([port % 2, port < 1024]).toEqual([0, true]);
  });
});
