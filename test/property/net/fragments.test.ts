/** Cutting and putting together: whatever the path, the order and what is forged, a datagram arrives whole or not at all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PacketBuffer } from '../../../kernel/driver-api.ts';
import { allocateChain, readChain, writeChain } from '../../../kernel/net/chain.ts';
import { fragment } from '../../../kernel/net/ipv4/fragment.ts';
import type { Link } from '../../../kernel/net/ipv4/link.ts';
import { push } from '../../../kernel/net/packet.ts';
import { hexBytes } from '../../../src/lib/bytes.ts';
import { distinct, piece } from '../../support/fragments.ts';
import { HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../support/net-rig.ts';
import { frame, ipv4 } from '../../support/packets.ts';

const mtu = fc.integer({ min: 68, max: 1500 });
const lengthBytes = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 8000 }));
/** Options of whole words: no operation, router alert (copied), timestamp (not copied), the end. */
const options = fc
  .array(fc.constantFrom([1, 1, 1, 1], [0x94, 4, 0, 0], [68, 8, 9, 0, 0, 0, 0, 0]), { maxLength: 3 })
  .map(parts => parts.flat());

/** What a router, or a sender, makes of packets that leave by a link of this MTU. */
function hop(rig: NetRig, packets: readonly Uint8Array[], mtuBytes: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  const send = (packet: PacketBuffer): void => {
    out.push(packet.bytes.slice(packet.start, packet.start + packet.length));
    rig.packets.free(packet);
  };
  for (const octets of packets) {
    if (octets.length <= mtuBytes) {
      out.push(octets);
      continue;
    }
    const headerBytes = (octets[0]! & 15) * 4;
    const packet = allocateChain(rig.packets, octets.length - headerBytes)!;
    writeChain(packet, 0, octets.subarray(headerBytes));
    push(packet, headerBytes);
    packet.bytes.set(octets.subarray(0, headerBytes), packet.start);
    expect(fragment(rig.packets, packet, mtuBytes, { send } as unknown as Link, 0)).toBe(true);
  }
  return out;
}

/** `items`, some of them `again` times more, in an order that `seed` gives. */
function shuffled<T>(items: readonly T[], seed: number, again: number): T[] {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const order = items.flatMap(item => new Array<T>(1 + (random(4) === 0 ? again : 0)).fill(item));
  for (let i = order.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

const inject = (rig: NetRig, packet: Uint8Array): void =>
  rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload: packet }));

/** A protocol without a checksum, so that no octet that is wrong goes unseen. Returns the payloads that it gets. */
function bareProtocol(rig: NetRig): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  rig.net.ipv4Input.register(99, {
    name: 'bare',
    input(packet, arrival) {
      const payload = new Uint8Array(arrival.totalBytes - arrival.headerBytes);
      readChain(packet, 0, payload.length, payload, 0);
      payloads.push(payload);
      rig.packets.free(packet);
    },
    error() {},
  });
  return payloads;
}

test('FRAG-2 what was cut by any path of MTUs and came in any order, with duplicates, is what was sent', () => {
  fc.assert(
    fc.property(lengthBytes, options, fc.array(mtu, { maxLength: 4 }), fc.nat(), (length, optionOctets, path, seed) => {
      const rig = new NetRig();
      const payloads = bareProtocol(rig);
      const payload = distinct(length);
      const sent = ipv4({ source: PEER, destination: HOST, protocol: 99, payload, options: optionOctets });
      // The sender's own link has an MTU of 1500.
      const packets = [1500, ...path].reduce((before, mtuBytes) => hop(rig, before, mtuBytes), [sent]);
      for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(Math.min(1500, ...path));
      rig.expectNoLeak();
      for (const packet of shuffled(packets, seed, 1)) inject(rig, packet);
      // All of it may have come twice.
      expect(payloads.length).toBeGreaterThanOrEqual(1);
      for (const each of payloads) expect(hexBytes(each)).toBe(hexBytes(payload));
      rig.advance(70 * SECOND_NS);
      rig.expectNoLeak();
    }),
    { numRuns: 60 },
  );
});

/** Ascending places, in units of 8 octets, at which a datagram of 40 such units is cut. */
const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 39 }), { minLength: 1, maxLength: 8 }).map(places => {
  return [0, ...places.sort((a, b) => a - b), 40];
});

test('FRAG-5 a fragment that overlaps others never gets an octet into a datagram: it comes too late, or spoils it', () => {
  const forged = fc.record({ start: fc.nat({ max: 39 }), units: fc.integer({ min: 1, max: 20 }), more: fc.boolean() });
  fc.assert(
    fc.property(cuts, forged, fc.nat(), (places, { start, units, more }, seed) => {
      const end = start + units;
      const exact = places.some((place, i) => place === start && places[i + 1] === end);
      fc.pre(!exact && (more || start > 0));
      const rig = new NetRig();
      const payloads = bareProtocol(rig);
      const datagram = { source: PEER, destination: HOST, protocol: 99, payload: distinct(320) };
      const honest = places
        .slice(1)
        .map((place, i) => ipv4({ ...datagram, ...piece(datagram, places[i]! * 8, place * 8) }));
      const fragmentWord = (more ? 0x2000 : 0) | start;
      const bad = ipv4({ ...datagram, payload: new Uint8Array(units * 8).fill(0xbd), fragment: fragmentWord });
      const order = shuffled([...honest, bad], seed, 0);
      for (const packet of order) inject(rig, packet);
      const late = order.at(-1) === bad;
      expect(payloads.map(each => hexBytes(each))).toEqual(late ? [hexBytes(datagram.payload)] : []);
      rig.advance(70 * SECOND_NS);
      rig.expectNoLeak();
    }),
  );
});

test('FRAG-7 a flood of fragments holds no more than its share of memory, and gives all of it back', () => {
  const flood = fc.record({
    host: fc.integer({ min: 3, max: 9 }),
    identification: fc.nat({ max: 40 }),
    start: fc.oneof(fc.nat({ max: 8191 }), fc.nat({ max: 40 })),
    units: fc.integer({ min: 1, max: 180 }),
    more: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(flood, { minLength: 50, maxLength: 300 }), fragments => {
      const rig = new NetRig();
      const all = rig.packets.usage().free;
      const { reassembly } = rig.net.ipv4Input;
      for (const { host, identification, start, units, more } of fragments) {
        const payload = new Uint8Array(units * 8);
        const fields = { protocol: 17, identification, payload, fragment: (more ? 0x2000 : 0) | start };
        inject(rig, ipv4({ source: `192.0.2.${host}`, destination: HOST, ...fields }));
        expect(reassembly.bufferCount).toBeLessThanOrEqual(all / 4);
        const waiting = rig.net.arpTable(0).reduce((sum, row) => sum + row.waiting, 0);
        expect(all - rig.packets.usage().free).toBe(reassembly.bufferCount + waiting);
      }
      rig.advance(70 * SECOND_NS);
      rig.expectNoLeak();
      expect(reassembly.datagramCount).toBe(0);
    }),
    { numRuns: 30 },
  );
});
