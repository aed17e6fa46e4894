/** BPDUs, IEEE 802.1D-2004 clause 9: both ways, and what is none. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bpdu, decodeBpdu, encodeBpdu } from '../../../hw/ethernet/switch/spanning-tree/bpdu.ts';
import { bridgeId } from '../../../hw/ethernet/switch/spanning-tree/priority-vector.ts';
import { bytesFromHex, hexBytes } from '../../../src/lib/bytes.ts';

const SOURCE = bytesFromHex('02 00 00 00 01 01');

const id = fc
  .tuple(fc.nat(0xffff), fc.uint8Array({ minLength: 6, maxLength: 6 }))
  .map(([priority, address]) => bridgeId(priority, address));
const seconds = fc.nat(0xffff).map(ticks => ticks / 256);
const priority = fc.record({
  root: id,
  rootPathCost: fc.nat(0xffff_ffff),
  bridge: id,
  port: fc.nat(0xffff),
  receivingPort: fc.constant(0),
});
const times = fc.record({ messageAge: seconds, maxAge: seconds, helloTime: seconds, forwardDelay: seconds });
const rst = fc.record({
  kind: fc.constant('rst' as const),
  priority,
  times,
  topologyChange: fc.boolean(),
  topologyChangeAck: fc.constant(false),
  role: fc.constantFrom('unknown' as const, 'alternate or backup' as const, 'root' as const, 'designated' as const),
  proposal: fc.boolean(),
  agreement: fc.boolean(),
  learning: fc.boolean(),
  forwarding: fc.boolean(),
});
const config = fc
  .record({
    kind: fc.constant('config' as const),
    priority,
    times,
    topologyChange: fc.boolean(),
    topologyChangeAck: fc.boolean(),
    role: fc.constant('designated' as const),
    proposal: fc.constant(false),
    agreement: fc.constant(false),
    learning: fc.constant(false),
    forwarding: fc.constant(false),
  })
  .filter(({ times }) => times.messageAge < times.maxAge);
const bpdu: fc.Arbitrary<Bpdu> = fc.oneof(rst, config, fc.constant({ kind: 'tcn' as const }));

describe('a BPDU', () => {
  test('9.3 comes out as it went in', () => {
    fc.assert(
      fc.property(bpdu, each => {
        const octets = encodeBpdu(each, SOURCE);
        expect(octets.length).toBe(60);
        expect(decodeBpdu(octets)).toEqual(each);
      }),
    );
  });

  test('9.3.3 has its octets where the standard has them', () => {
    const octets = encodeBpdu(
      {
        kind: 'rst',
        priority: {
          root: '1000.0200000000aa',
          rootPathCost: 20_000,
          bridge: '8000.0200000000bb',
          port: 0x8002,
          receivingPort: 0,
        },
        times: { messageAge: 1, maxAge: 20, helloTime: 2, forwardDelay: 15 },
        topologyChange: true,
        topologyChangeAck: false,
        role: 'designated',
        proposal: true,
        agreement: false,
        learning: true,
        forwarding: false,
      },
      SOURCE,
    );
    expect(hexBytes(octets.subarray(0, 53), '')).toBe(
      '0180c2000000' +
        '020000000101' +
        '0027' +
        '424203' +
        '0000' +
        '02' +
        '02' +
        '1f' +
        '10000200000000aa' +
        '00004e20' +
        '80000200000000bb' +
        '8002' +
        '0100' +
        '1400' +
        '0200' +
        '0f00' +
        '00',
    );
  });

  test('9.3.4 anything else is none, and no frame breaks the decoder', () => {
    const frame = fc.uint8Array({ minLength: 60, maxLength: 80 });
    fc.assert(
      fc.property(frame, fc.nat(60), fc.nat(255), bpdu, (noise, at, octet, each) => {
        decodeBpdu(noise);
        const octets = encodeBpdu(each, SOURCE);
        octets[at % octets.length] = octet;
        const decoded = decodeBpdu(octets);
        if (decoded !== null && decoded.kind === 'config') {
          expect(decoded.times.messageAge).toBeLessThan(decoded.times.maxAge);
        }
      }),
    );
    const good = encodeBpdu({ kind: 'tcn' }, SOURCE);
    for (const [at, octet] of [
      [14, 0x43],
      [15, 0],
      [16, 4],
      [17, 1],
      [20, 0x81],
      [13, 6],
    ] as const) {
      const bad = good.slice();
      bad[at] = octet;
      expect(decodeBpdu(bad)).toBe(null);
    }
  });
});
