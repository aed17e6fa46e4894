/**
 * Whatever comes in from the wire: nothing throws, nothing outside of the packet is read, and every buffer is back in
 * the pool, or known to wait. A buffer's bytes before and behind the packet are poisoned, and the same packet in a
 * differently poisoned buffer must cause the same frames: so what is outside has no influence.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hexBytes } from '../../../src/lib/bytes.ts';
import { HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../support/net-rig.ts';
import { arp, frame, icmp, ipv4, udp } from '../../support/packets.ts';

/** Octets that a peer might send: noise, or a right packet with some octets changed, cut or padded. */
function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat({ max: 80 }), octet: fc.nat({ max: 255 }) });
  return fc
    .record({ whole, changes: fc.array(change, { maxLength: 3 }), cut: fc.nat({ max: 60 }), cuts: fc.boolean() })
    .map(({ whole, changes, cut, cuts }) => {
      const octets = whole.slice();
      for (const { at, octet } of changes) if (at < octets.length) octets[at] = octet;
      return cuts ? octets.subarray(0, Math.min(cut, octets.length)) : octets;
    });
}

const octets = fc.uint8Array({ maxLength: 120 });
const options = fc.constantFrom<readonly number[]>(
  [],
  [1, 1, 1, 0],
  [7, 3, 4, 0],
  [7, 9, 4, 0],
  [68, 8, 5, 0, 0, 0, 0, 0],
);
const fields = fc.record({
  source: fc.constantFrom(PEER, '0.0.0.0', '203.0.113.9', '255.255.255.255', HOST),
  destination: fc.constantFrom(HOST, '192.0.2.255', '255.255.255.255', '127.0.0.1', '192.0.2.77'),
  fragment: fc.constantFrom(0, 0, 0, 0x4000, 0x2000, 1),
  options,
});

/** A datagram of any protocol, right in itself. */
const packet = fc
  .record({ fields, protocol: fc.constantFrom(1, 6, 17, 99), data: octets })
  .map(({ fields, protocol, data }) => ipv4({ ...fields, protocol, payload: data }));

const datagram = fc
  .record({ fields, port: fc.constantFrom(5000, 5001), data: octets })
  .map(({ fields, port, data }) => {
    const { source, destination } = fields;
    return ipv4({
      ...fields,
      protocol: 17,
      payload: udp({ source, destination, sourcePort: 9, destinationPort: port, data }),
    });
  });

const message = fc
  .record({
    fields,
    type: fc.constantFrom(0, 3, 5, 8, 11, 12, 13),
    word: fc.nat(),
    data: fc.oneof(octets, datagram, packet),
  })
  .map(({ fields, type, word, data }) => ipv4({ ...fields, protocol: 1, payload: icmp({ type, word, data }) }));

const arpPacket = fc
  .record({
    opcode: fc.nat({ max: 3 }),
    sender: fc.constantFrom(PEER, HOST, '0.0.0.0', '192.0.2.3'),
    target: fc.constantFrom(HOST, PEER, '192.0.2.3'),
  })
  .map(addresses => arp({ senderMac: PEER_MAC, ...addresses }));

const wire = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  damaged(fc.oneof(packet, datagram, message)).map(payload =>
    frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload }),
  ),
  damaged(arpPacket).map(payload => frame({ to: 'ff:ff:ff:ff:ff:ff', from: PEER_MAC, type: 0x0806, payload })),
);

/** Lets the frames come in, in buffers that are `poison` all over, and says what came out. */
function run(frames: readonly Uint8Array[], poison: number): string[] {
  const rig = new NetRig();
  const all = rig.packets.usage().free;
  rig.net.sockets.socket('udp').bind(0, 5000);
  rig.net.sockets.socket('icmp').bind(0, 0);
  for (const octets of frames) {
    const buffer = rig.packets.allocate()!;
    buffer.bytes.fill(poison);
    rig.packets.free(buffer);
    rig.inject(octets);
    const waiting = rig.net.arpTable(0).reduce((sum, row) => sum + row.waiting, 0);
    expect(all - rig.packets.usage().free).toBe(waiting + rig.net.ipv4Input.reassembly.bufferCount);
  }
  rig.advance(70 * SECOND_NS);
  rig.expectNoLeak();
  return rig.driver.sent.map(octets => hexBytes(octets));
}

test('any frames cause no exception, no leak, and the same answers whatever lies around them', () => {
  fc.assert(
    fc.property(fc.array(wire, { minLength: 1, maxLength: 8 }), frames => {
      expect(run(frames, 0x00)).toEqual(run(frames, 0xa7));
    }),
  );
});

test('the generator reaches every reason to drop that a frame can cause', () => {
  const rig = new NetRig();
  rig.net.sockets.socket('udp').bind(0, 5000);
  for (const octets of fc.sample(wire, 6000)) rig.inject(octets);
  const reached = Object.entries(rig.net.drops.counts).filter(([, count]) => count > 0);
  expect(reached.map(([reason]) => reason)).toEqual(
    expect.arrayContaining([
      'malformed IPv4 header',
      'bad IPv4 checksum',
      'bad IPv4 option',
      'martian source',
      'not for this host',
      'malformed fragment',
      'no such protocol',
      'malformed ICMP',
      'bad ICMP checksum',
      'unknown ICMP type',
      'malformed UDP',
      'bad UDP checksum',
      'no such port',
      'malformed ARP',
    ]),
  );
});
