/** Transmit: rings, packets of every descriptor format, segmentation, and pointers that no driver would write. */
import fc from 'fast-check';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { bits, GROUP, MDIC_WRITE, mdic, mostly, opsStep, word, write } from './drawing.ts';
import { type Context, NOWHERE, type Piece, type Step } from './script.ts';

const { TCTL } = E1000;

const CMD = { IFCS: 2, IC: 4, TSE: 4, RS: 8, RPS: 0x10, VLE: 0x40, IDE: 0x80 } as const;
const NONE = new Uint8Array(0);

/** Ethernet, IPv4, TCP, as far as the offloads look. */
const HEADERS = Uint8Array.from([
  ...[0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x08, 0x00],
  ...[0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2],
  ...[0x30, 0x39, 0, 80, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 0x50, 0x19, 0xff, 0xff, 0x12, 0x34, 0, 0],
]);
const TO_GROUP = Uint8Array.from([...GROUP, ...HEADERS.subarray(6)]);

export const place = mostly(fc.constant('buffer' as const), fc.constantFrom('null' as const, ...NOWHERE), 20);
/** Null is an address like any other to QEMU, and 4 KiB from there its machine has a ROM that ours has not. */
const NULL_BYTES = 4096;
const piece = (bytes: fc.Arbitrary<number>, head: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Piece> =>
  fc
    .record({ place, bytes, head, fill: fc.nat({ max: 255 }) })
    .map(drawn => (drawn.place === 'null' ? { ...drawn, bytes: Math.min(drawn.bytes, NULL_BYTES) } : drawn));
const pieceBytes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 1600 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 4095, 4096, 0x3fff, 0xffff) },
);
const firstBytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 14, max: 300 }) },
  { weight: 3, arbitrary: fc.constantFrom(34, 54, 59, 60, 61) },
  { weight: 1, arbitrary: pieceBytes },
);
const pieces = fc
  .tuple(
    piece(firstBytes, fc.constantFrom(HEADERS, HEADERS, TO_GROUP)),
    mostly(fc.constant([]), fc.array(piece(pieceBytes, fc.constant(NONE)), { minLength: 1, maxLength: 3 }), 2),
  )
  .map(([first, rest]) => [first, ...rest]);

const special = fc.nat({ max: 0xffff });
const sta = mostly(fc.constant(0), fc.nat({ max: 255 }), 2);
const popts = fc.nat({ max: 3 });
const offset = mostly(fc.constantFrom(14, 24, 34, 50, 40), fc.nat({ max: 255 }), 4);
const end = mostly(fc.constantFrom(0, 33, 34, 53, 54, 59, 60), fc.nat({ max: 0xffff }), 6);
const wildContext: fc.Arbitrary<Context> = fc.record({
  ip: fc.tuple(offset, offset, end),
  tu: fc.tuple(offset, offset, end),
  payload: fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 0xf_ffff })),
  tucmd: bits(1, 2, 4, 8, 0x80),
  header: fc.oneof(fc.constantFrom(0, 54, 255), fc.nat({ max: 255 })),
  mss: fc.oneof(fc.constantFrom(0, 1, 536, 1460, 0xffff), fc.nat({ max: 300 })),
  dtyp: mostly(fc.constant(0), fc.constantFrom(2, 4, 14)),
});

const cmd = fc.oneof(
  { weight: 3, arbitrary: fc.constant(CMD.IFCS | CMD.RS) },
  { weight: 2, arbitrary: bits(CMD.IFCS, CMD.IC, CMD.RS, CMD.RPS, CMD.VLE, CMD.IDE) },
);
const legacyPacket = fc
  .record({ pieces, cmd, css: offset, cso: offset, special, sta })
  .map((fields): Step[] => [{ step: 'legacy', ...fields }, { step: 'doorbell' }]);

const dataPacket = fc
  .record({
    context: fc.option(wildContext, { freq: 2 }),
    pieces,
    dcmd: mostly(bits(CMD.IFCS, CMD.RS, CMD.VLE, CMD.IDE), bits(CMD.IFCS, CMD.RS, CMD.VLE, CMD.IDE, CMD.TSE), 3),
    popts,
    special,
    sta,
    last: mostly(fc.constant(true), fc.constant(false)),
  })
  .map(({ context, ...fields }): Step[] => [
    ...(context === null ? [] : [{ step: 'context', context } as const]),
    { step: 'data', ...fields },
    { step: 'doorbell' },
  ]);

/** A packet whose sum comes to all ones, so that the checksum would be zero. */
const zeroChecksum = fc
  .record({ popts, at: fc.constantFrom(34, 40, 58), ones: fc.constantFrom(0xffff, 0xff00) })
  .map(({ popts, at, ones }): Step[] => {
    const head = new Uint8Array(60);
    head.set(HEADERS.subarray(0, 14));
    head.set([ones >> 8, ones & 0xff], at);
    const context: Context = { ip: [14, 24, 33], tu: [34, 50, 0], payload: 0, tucmd: 3, header: 0, mss: 0, dtyp: 0 };
    const pieces: Piece[] = [{ place: 'buffer', bytes: 60, head, fill: 0 }];
    return [
      { step: 'context', context },
      { step: 'data', pieces, dcmd: CMD.RS, popts, special: 0, sta: 0, last: true },
      { step: 'doorbell' },
    ];
  });

/** A whole packet that the NIC cuts into segments, as a stack would ask for it. */
const segmented = fc
  .record({
    mss: fc.integer({ min: 20, max: 700 }),
    payload: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 3000 }) },
      { weight: 1, arbitrary: fc.constant('whole' as const) },
    ),
    slack: mostly(fc.constant(0), fc.integer({ min: -20, max: 20 })),
    split: fc.boolean(),
    tucmd: fc.constantFrom(0x07, 0x07, 0x0f, 0x05, 0x06, 0x04),
    popts,
    dcmd: fc.constantFrom(CMD.IFCS | CMD.TSE | CMD.RS, CMD.TSE, CMD.TSE | CMD.VLE | CMD.IDE | CMD.RS),
    special,
    sta,
    fill: fc.nat({ max: 255 }),
  })
  .map(({ mss, payload, slack, split, tucmd, fill, ...fields }): Step[] => {
    const announced = payload === 'whole' ? 3 * mss : payload;
    const bytes = Math.max(0, announced + slack);
    const at = { place: 'buffer', fill, head: NONE } as const;
    const lengths = split ? [bytes >> 1, bytes - (bytes >> 1)] : [bytes];
    const rest = lengths.map((bytes): Piece => ({ ...at, bytes }));
    const context: Context = {
      ...{ ip: [14, 24, 33], tu: [34, 50, 0], header: 54, dtyp: 0 },
      ...{ payload: announced, tucmd, mss },
    };
    const pieces: Piece[] = [{ ...at, bytes: 54, head: HEADERS }, ...rest];
    return [{ step: 'context', context }, { step: 'data', pieces, ...fields, last: true }, { step: 'doorbell' }];
  });

/** Packets that come back, those for which there is room, and the state of the PHY as it was. */
const looped = fc
  .array(fc.oneof(legacyPacket, segmented), { minLength: 1, maxLength: 4 })
  .map((packets): Step[] => [
    opsStep(mdic(MDIC_WRITE, 1, 0, 0x5140)),
    ...packets.flat(),
    opsStep(mdic(MDIC_WRITE, 1, 0, 0x1140)),
  ]);

export const tctl = mostly(fc.constantFrom(TCTL.EN | TCTL.PSP, TCTL.EN), word, 5);
/** Descriptors of a ring. */
export const count = fc.constantFrom(8, 8, 8, 16, 24);
export const txRing = fc.record({ step: fc.constant('tx-ring' as const), count, at: fc.nat({ max: 23 }), tctl });

const pointer = fc.oneof(fc.nat({ max: 9 }), fc.constantFrom(7, 8, 100, 5000, 0xffff, 0x1_0003));
const hostileRing: fc.Arbitrary<Step[]> = fc
  .oneof(
    pointer.map(value => write(E1000.TDT.at, value)),
    fc.tuple(fc.constantFrom(E1000.TDH, E1000.RDH, E1000.RDT), pointer).map(([{ at }, value]) => write(at, value)),
    fc
      .tuple(fc.constantFrom(E1000.TDLEN, E1000.RDLEN), fc.constantFrom(0, 128, 256, 127))
      .map(([{ at }, value]) => write(at, value)),
  )
  .map(op => [opsStep([op])]);

export const transmitMove = fc.oneof(
  { weight: 1, arbitrary: txRing.map((step): Step[] => [step]) },
  { weight: 1, arbitrary: hostileRing },
  { weight: 4, arbitrary: legacyPacket },
  { weight: 4, arbitrary: dataPacket },
  { weight: 4, arbitrary: segmented },
  { weight: 1, arbitrary: zeroChecksum },
  { weight: 2, arbitrary: looped },
);
