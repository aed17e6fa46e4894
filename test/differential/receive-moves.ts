/** Receive: rings, frames of all sizes to all kinds of stations, the filters, and the second of silence. */
import fc from 'fast-check';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { bits, mostly, opsStep, pass, read, station, word, write } from './drawing.ts';
import type { Op } from './ops.ts';
import type { Step } from './script.ts';
import { count, place } from './transmit-moves.ts';

const { RCTL } = E1000;

const destination = mostly(station, fc.uint8Array({ minLength: 6, maxLength: 6 }));
const frameBytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 130 }) },
  { weight: 2, arbitrary: fc.integer({ min: 130, max: 1600 }) },
  { weight: 4, arbitrary: fc.constantFrom(59, 60, 61, 124, 255, 256, 512, 1024, 1514, 1518, 1519, 1522, 1523, 2048) },
  { weight: 2, arbitrary: fc.constantFrom(2049, 3000, 4096, 9000, 16_381, 16_384, 16_385) },
);
const tag = mostly(fc.constant(null), fc.nat({ max: 0xffff }), 3);

const frame = fc.record({ destination, bytes: frameBytes, tag, fill: fc.nat({ max: 255 }) }).map(f => {
  const octets = Uint8Array.from({ length: f.bytes }, (_, i) => f.fill + i);
  octets.set(f.destination.subarray(0, octets.length));
  if (f.tag !== null && octets.length >= 16) octets.set([0x81, 0x00, f.tag >> 8, f.tag & 0xff], 12);
  return octets;
});

const rare = (bit: number) => mostly(fc.constant(0), fc.constant(bit), 3);
const rctl = fc
  .tuple(
    bits(RCTL.UPE, RCTL.MPE, RCTL.BAM, RCTL.SECRC, RCTL.BSEX),
    fc.tuple(rare(RCTL.LPE), rare(RCTL.SBP), rare(RCTL.VFE)),
    fc.nat({ max: 3 }),
    fc.nat({ max: 3 }),
    fc.nat({ max: 3 }),
    mostly(fc.constant(RCTL.EN), fc.constant(0), 9),
    mostly(fc.constant(0), fc.constantFrom(1, 3)),
  )
  .map(
    ([flags, [lpe, sbp, vfe], bsize, rdmts, mo, en, lbm]) =>
      flags | lpe | sbp | vfe | en | (bsize << 16) | (rdmts << 8) | (mo << 12) | (lbm << 6),
  );
export const rxRing = fc.record({
  step: fc.constant('rx-ring' as const),
  count,
  rctl,
  nulls: mostly(fc.constant(0), fc.nat({ max: 0xff }), 4),
  astray: place,
  rest: fc.constantFrom(0, 0xff, 0xaa),
  settle: mostly(fc.constant(true), fc.constant(false), 9),
});

const filter: fc.Arbitrary<Op[]> = fc.oneof(
  fc
    .tuple(fc.nat({ max: 15 }), station, mostly(fc.constant(0x8000_0000), fc.constantFrom(0x8001_0000, 0), 3))
    .map(([entry, mac, high]) => [
      write(E1000.RAL.at + 8 * entry, mac[0]! | (mac[1]! << 8) | (mac[2]! << 16) | (mac[3]! << 24)),
      write(E1000.RAH.at + 8 * entry, mac[4]! | (mac[5]! << 8) | high),
    ]),
  fc.tuple(station, fc.nat({ max: 3 })).map(([mac, mo]) => {
    const hash = ((mac[4]! | (mac[5]! << 8)) >> [4, 3, 2, 0][mo]!) & 0xfff;
    return [write(E1000.MTA.at + 4 * (hash >> 5), (1 << (hash & 31)) >>> 0)];
  }),
  fc.tuple(fc.nat({ max: 127 }), word).map(([i, value]) => [write(E1000.VFTA.at + 4 * i, value)]),
  fc.constantFrom(0x8100, 0x8100, 0x88a8, 0, 0x1_8100).map(value => [write(E1000.VET.at, value)]),
);

const frames = fc
  .tuple(
    mostly(fc.constant([]), filter, 2),
    fc.record({
      step: fc.constant('frames' as const),
      frames: fc.array(frame, { minLength: 1, maxLength: 4 }),
      ns: fc.constantFrom(0, 200, 200, 200, 1000, 150_000),
    }),
  )
  .map(([ops, step]): Step[] => (ops.length === 0 ? [step] : [opsStep(ops), step]));
const give = fc
  .record({ step: fc.constant('give' as const), count: fc.integer({ min: 1, max: 7 }) })
  .map((step): Step[] => [step]);

/** Frames on both sides of the end of the silence that a write to RCTL begins. */
const silence = fc.constantFrom(950_000_000, 998_999_800, 999_999_800).map((ns): Step[] => {
  const octets = new Uint8Array(60).fill(0xff);
  const look: Op[] = [{ op: 'frame', octets }, pass(200), read(E1000.RDH.at)];
  const rctl = write(E1000.RCTL.at, RCTL.EN | RCTL.BAM);
  return [opsStep([rctl, pass(ns), ...look, pass(1_000_000_000 - ns), ...look])];
});

export const receiveMove = fc.oneof(
  { weight: 2, arbitrary: rxRing.map((step): Step[] => [step]) },
  { weight: 8, arbitrary: frames },
  { weight: 3, arbitrary: give },
  { weight: 1, arbitrary: silence },
);
