/** VLANs of a switch: no frame ever leaves its own. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../hw/ethernet/frame.ts';
import type { SwitchPortOptions } from '../../../hw/ethernet/switch/options.ts';
import { type PortVlans, tagged, untagged } from '../../../hw/ethernet/switch/vlan.ts';
import { readBe16 } from '../../../src/lib/bytes.ts';
import { BROADCAST, frameTo, SwitchRig, station } from '../../support/switch-rig.ts';

const vlan = fc.integer({ min: 1, max: 6 });
const part: fc.Arbitrary<PortVlans> = fc.oneof(
  fc.record({ access: vlan }),
  fc
    .record({ trunk: fc.uniqueArray(vlan, { minLength: 1, maxLength: 6 }), pick: fc.nat(5), none: fc.boolean() })
    .map(({ trunk, pick, none }) => ({ trunk, native: none ? null : trunk[pick % trunk.length]! })),
);

/** VIDs on the wire, the two that mean something else among them; null for no tag. */
const vid = fc.option(fc.oneof({ weight: 6, arbitrary: vlan }, { weight: 1, arbitrary: fc.constantFrom(0, 4095, 9) }));

/** The VLAN of a frame that goes in with `wireVid`, or of one that came out; null for none. */
function vlanAt(part: PortVlans, wireVid: number | null): number | null {
  const untaggedVlan = 'access' in part ? part.access : (part.native ?? null);
  if (wireVid === null || wireVid === 0) return untaggedVlan;
  const member = 'access' in part ? part.access === wireVid : (part.trunk as number[]).includes(wireVid);
  return member ? wireVid : null;
}

const wireVidOf = ({ octets }: Frame) => (readBe16(octets, 12) === 0x8100 ? readBe16(octets, 14) & 0xfff : null);

describe('VLANs', () => {
  test('8.1.8 a frame leaves at the ports of its VLAN and no others, and says the same VLAN there', () => {
    const sends = fc.array(
      fc.record({ from: fc.nat(6), to: fc.option(fc.nat(6)), vid, bytes: fc.integer({ min: 68, max: 200 }) }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 7 }), sends, (parts, frames) => {
        const ports = parts.map((vlans): SwitchPortOptions => ({ vlans }));
        const rig = new SwitchRig(ports.length, { ports }).up();
        for (const { from, to, vid, bytes } of frames) {
          for (const { arrivals } of rig.stations) arrivals.length = 0;
          const port = from % ports.length;
          const destination = to === null ? BROADCAST : station(to);
          const tag = vid === null ? {} : { tag: 0x6000 | vid };
          rig.send(port, frameTo(destination, station(from), { bytes, ...tag }));
          const own = vlanAt(parts[port]!, vid);
          const reached = rig.stations.flatMap(({ arrivals }, out) =>
            arrivals.map(({ frame }) => [out, frame] as const),
          );
          for (const [out, frame] of reached) {
            const here = parts[out]!;
            expect(out).not.toBe(port);
            expect(frame.fcsGood).toBe(true);
            expect(vlanAt(here, wireVidOf(frame))).toBe(own);
            if ('access' in here) expect(wireVidOf(frame)).toBe(null);
            expect(wireVidOf(frame)).not.toBe(0);
          }
          const members = parts.flatMap((each, out) =>
            out !== port && own !== null && vlanAt(each, own) === own ? [out] : [],
          );
          if (destination === BROADCAST) expect(reached.map(([out]) => out)).toEqual(members);
          else for (const [out] of reached) expect(members).toContain(out);
        }
      }),
    );
  });

  test('a tag that is put in and taken out again leaves every octet as it was', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 60, maxLength: 1514 }),
        fc.integer({ min: 1, max: 4094 }),
        (octets, vid) => {
          fc.pre(readBe16(octets, 12) !== 0x8100);
          const frame = Frame.withFcs(octets);
          const inside = tagged(frame, vid);
          expect(wireVidOf(inside)).toBe(vid);
          expect(inside.wireBytes).toBe(frame.wireBytes + 4);
          expect(untagged(inside).wire()).toEqual(frame.wire());
        },
      ),
    );
  });
});
