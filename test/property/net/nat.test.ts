/** Address translation: what it does to octets, and to who talks to whom. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Flow } from '../../../kernel/net/nat/flow.ts';
import { rewrite, SAME_PORT } from '../../../kernel/net/nat/rewrite.ts';
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import {
  ALICE,
  BOB,
  echoPacket,
  FLAGS,
  HOP,
  icmpPacket,
  NatRig,
  PUBLIC,
  SERVER,
  tcpPacket,
  udpPacket,
} from '../../support/nat-rig.ts';
import { icmp, ipv4 } from '../../support/packets.ts';

const address = fc.nat({ max: 0xffff_ffff });
const port = fc.integer({ min: 0, max: 0xffff });
const data = fc.uint8Array({ maxLength: 80 });
const kind = fc.constantFrom('udp', 'tcp', 'icmp', 'gre');
const options = fc.constantFrom<readonly number[]>([], [1, 1, 1, 0], [7, 7, 4, 0, 0, 0, 0, 0]);

interface Ends {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
}

const ends = fc.record({ source: address, sourcePort: port, destination: address, destinationPort: port });

/** A packet with right checksums, computed in the plainest way. */
function built(protocol: string, of: Ends, bytes: Uint8Array, extra: object): Uint8Array {
  const [source, destination] = [formatIpv4(of.source), formatIpv4(of.destination)];
  const [from, to] = [`${source}:${of.sourcePort}`, `${destination}:${of.destinationPort}`];
  if (protocol === 'udp') return udpPacket(from, to, bytes, extra);
  if (protocol === 'tcp') return tcpPacket(from, to, FLAGS.ACK, bytes, extra);
  const gre = protocol === 'gre';
  const payload = gre ? bytes : icmp({ type: 8, word: of.sourcePort * 0x1_0000, data: bytes });
  return ipv4({ source, destination, protocol: gre ? 47 : 1, payload, ...extra });
}

const read = (bytes: Uint8Array): Flow => {
  const flow = new Flow();
  expect(flow.read(bytes, 0, bytes.length, false)).toBeNull();
  return flow;
};

test('NAT-14 incremental checksums are those of a computation from scratch, and the way back is the identity', () => {
  fc.assert(
    fc.property(kind, ends, address, port, data, options, (protocol, before, newAddress, newPort, bytes, opts) => {
      for (const end of ['source', 'destination'] as const) {
        const extra = { options: opts };
        const original = built(protocol, before, bytes, extra);
        const packet = original.slice();
        const flow = read(packet);
        // An echo request has one identifier, that of its source; no end of GRE has a port.
        const movesPort = protocol === 'udp' || protocol === 'tcp' || (protocol === 'icmp' && end === 'source');
        rewrite(packet, flow, end, newAddress, movesPort ? newPort : SAME_PORT, false);
        const after = { ...before, [end]: newAddress, ...(movesPort ? { [`${end}Port`]: newPort } : {}) };
        expect(packet).toEqual(built(protocol, after, bytes, extra));
        expect(flow.header[end]).toBe(newAddress);
        rewrite(packet, flow, end, before[end], movesPort ? before[`${end}Port`] : SAME_PORT, false);
        expect(packet).toEqual(original);
      }
    }),
    { numRuns: 500 },
  );
});

test('NAT-14 a UDP checksum is never made zero, and zero is never made a checksum', () => {
  fc.assert(
    fc.property(ends, address, port, data, fc.boolean(), (before, newAddress, newPort, bytes, blank) => {
      const packet = built('udp', before, bytes, {});
      if (blank) packet.fill(0, 26, 28);
      rewrite(packet, read(packet), 'source', newAddress, newPort, false);
      expect(packet[26]! + packet[27]! === 0).toBe(blank);
    }),
  );
});

test('NAT-14 what the hardware is to finish has the sum of the new pseudo-header', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('udp', 'tcp'),
      ends,
      address,
      port,
      data,
      (protocol, before, newAddress, newPort, bytes) => {
        const at = protocol === 'udp' ? 26 : 36;
        const partial = (of: Ends): Uint8Array => {
          const packet = built(protocol, of, bytes, {});
          const length = packet.length - 20;
          let sum = (of.source >>> 16) + (of.source & 0xffff) + (of.destination >>> 16) + (of.destination & 0xffff);
          sum += (protocol === 'udp' ? 17 : 6) + length;
          while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
          packet.set([sum >>> 8, sum & 0xff], at);
          return packet;
        };
        const packet = partial(before);
        rewrite(packet, read(packet), 'source', newAddress, newPort, true);
        expect(packet).toEqual(partial({ ...before, source: newAddress, sourcePort: newPort }));
      },
    ),
  );
});

const insideHost = fc.constantFrom(ALICE, BOB);
const realPort = fc.constantFrom(53, 54, 1023, 4000, 4001, 4002, 50_000);
const flow = fc.record({ protocol: fc.constantFrom('udp', 'tcp', 'icmp'), host: insideHost, port: realPort });

type InsideFlow = typeof flow extends fc.Arbitrary<infer F> ? F : never;

const sentBy = ({ protocol, host, port: from }: InsideFlow): Uint8Array => {
  if (protocol === 'udp') return udpPacket(`${host}:${from}`, `${SERVER}:7`);
  if (protocol === 'tcp') return tcpPacket(`${host}:${from}`, `${SERVER}:7`, FLAGS.SYN);
  return echoPacket(host, SERVER, from);
};

const answerTo = (protocol: string, end: string, extra = {}): Uint8Array => {
  if (protocol === 'udp') return udpPacket(`${SERVER}:7`, end, [4], extra);
  if (protocol === 'tcp') return tcpPacket(`${SERVER}:7`, end, FLAGS.SYN | FLAGS.ACK, [], extra);
  const [host, identifier] = end.split(':');
  return echoPacket(SERVER, host!, Number(identifier), 0, extra);
};

test('NAT-1 who talks to whom is a bijection, both ways, and errors come back to who caused them', () => {
  fc.assert(
    fc.property(fc.array(flow, { minLength: 1, maxLength: 30 }), flows => {
      const rig = new NatRig();
      const publicEnds = new Map<string, string>();
      for (const each of flows) {
        const name = `${each.protocol} ${each.host}:${each.port}`;
        rig.fromInside(sentBy(each));
        const { source, packet } = rig.nextOutside();
        expect(publicEnds.get(name) ?? source).toBe(source);
        publicEnds.set(name, source);
        rig.fromOutside(answerTo(each.protocol, source));
        rig.expectInside(answerTo(each.protocol, `${each.host}:${each.port}`, HOP));
        rig.fromOutside(icmpPacket(SERVER, PUBLIC, { type: 11, data: packet }));
        const original = sentBy(each);
        const error = rig.sentInside();
        expect(error.subarray(16, 20).join('.')).toBe(each.host);
        // What is quoted is what was sent, but for the hop.
        expect(error.subarray(28 + 12)).toEqual(original.subarray(12));
      }
      const ofProtocol = (protocol: string) => [...publicEnds].filter(([name]) => name.startsWith(protocol));
      for (const protocol of ['udp', 'tcp', 'icmp']) {
        const pairs = ofProtocol(protocol);
        expect(new Set(pairs.map(([, end]) => end)).size).toBe(pairs.length);
      }
      rig.expectNothing();
      rig.expectNoLeak();
    }),
    { numRuns: 40 },
  );
});

test('NAT-5 when everything has been idle for long enough, the table is empty and all is as it was', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: flow.map(each => ({ kind: 'send' as const, each })) },
    { weight: 2, arbitrary: fc.nat({ max: 400 }).map(seconds => ({ kind: 'wait' as const, seconds })) },
    { weight: 1, arbitrary: flow.map(each => ({ kind: 'answer' as const, each })) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const rig = new NatRig();
      for (const each of steps) {
        if (each.kind === 'wait') rig.wait(each.seconds);
        else if (each.kind === 'send') rig.fromInside(sentBy(each.each));
        else rig.fromOutside(answerTo(each.each.protocol, `${PUBLIC}:${each.each.port}`));
        const { mappings, sessions } = rig.nat.statistics();
        expect(sessions).toBeGreaterThanOrEqual(mappings!);
      }
      rig.wait(7441);
      expect(rig.nat.statistics()).toMatchObject({ mappings: 0, sessions: 0 });
      for (const driver of rig.drivers) driver.sent.length = 0;
      // Every port is free again.
      for (const host of [ALICE, BOB]) {
        rig.fromInside(udpPacket(`${host}:4000`, `${SERVER}:7`));
        expect(rig.nextOutside().source).toBe(`${PUBLIC}:4000`);
        rig.wait(301);
      }
      rig.expectNoLeak();
    }),
    { numRuns: 30 },
  );
});

test('any octets from either side are dropped or passed on: nothing is thrown, and no buffer is lost', () => {
  const octets = fc.uint8Array({ maxLength: 60 });
  const protocol = fc.constantFrom(1, 6, 17, 47);
  const inside = fc.boolean();
  fc.assert(
    fc.property(fc.array(fc.record({ octets, protocol, inside }), { maxLength: 20 }), packets => {
      const rig = new NatRig({ filtering: 'address-dependent' });
      for (const { octets: payload, protocol: number, inside: fromInside } of packets) {
        const quoting = number === 1 && payload.length > 20;
        // Half of the ICMP messages are well-formed errors about something random.
        const body = quoting ? icmp({ type: 3, code: 1, data: payload }) : payload;
        if (fromInside) rig.fromInside(ipv4({ source: ALICE, destination: SERVER, protocol: number, payload: body }));
        else rig.fromOutside(ipv4({ source: SERVER, destination: PUBLIC, protocol: number, payload: body }));
      }
      rig.expectNoLeak();
    }),
    { numRuns: 100 },
  );
});
