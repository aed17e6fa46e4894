/**
 * Programs for the differential test: mostly what a driver does, sometimes what none should. Values are aware of the
 * registers that they go to, so that most programs bring the NIC to work and still some drive it out of its mind.
 *
 * What no program contains, because the two differ by intent, stands in docs/e1000-profiles.md.
 */
import fc from 'fast-check';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { ARENA_BASE, ARENA_BYTES, MAC, type Op, type Program, type Size } from './ops.ts';
import { type Context, NOWHERE, opsOf, type Piece, type Step } from './script.ts';

const { RCTL, TCTL } = E1000;

const BROADCAST = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const GROUP = Uint8Array.of(0x01, 0x00, 0x5e, 0x01, 0x02, 0x03);
const OTHER = Uint8Array.of(0x52, 0x54, 0x00, 0x65, 0x43, 0x21);

const bits = (...values: readonly number[]) =>
  fc.subarray([...values]).map(chosen => chosen.reduce((a, b) => a | b, 0));
const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 0xffff_ffff, 0x8000_0000, 0x5a5a_5a5a) },
  { weight: 2, arbitrary: fc.nat({ max: 0xffff }) },
  { weight: 1, arbitrary: fc.nat({ max: 0xffff_ffff }) },
);
const read = (at: number, size: Size = 4): Op => ({ op: 'read', at, size });
const write = (at: number, value: number, size: Size = 4): Op => ({ op: 'write', at, size, value: value >>> 0 });

// Frames.

const destination = fc.oneof(
  fc.constantFrom(MAC, BROADCAST, GROUP, OTHER),
  fc.uint8Array({ minLength: 6, maxLength: 6 }),
);
const frameBytes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 130 }) },
  { weight: 2, arbitrary: fc.integer({ min: 130, max: 1600 }) },
  { weight: 3, arbitrary: fc.constantFrom(59, 60, 61, 124, 255, 256, 512, 1024, 1514, 1518, 1522, 1523, 2048) },
  { weight: 1, arbitrary: fc.constantFrom(4096, 9000, 16_383, 16_384, 16_385) },
);
const tag = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 0xffff }) });

const frame = fc.record({ destination, bytes: frameBytes, tag, fill: fc.nat({ max: 255 }) }).map(f => {
  const octets = Uint8Array.from({ length: Math.max(1, f.bytes) }, (_, i) => f.fill + i);
  octets.set(f.destination.subarray(0, octets.length));
  if (f.tag !== null && octets.length >= 16) octets.set([0x81, 0x00, f.tag >> 8, f.tag & 0xff], 12);
  return octets;
});

// Transmit descriptors.

const CMD = { IFCS: 2, IC: 4, TSE: 4, RS: 8, RPS: 0x10, VLE: 0x40, IDE: 0x80 } as const;

/** Ethernet, IPv4, TCP, as far as the offloads look. */
const HEADERS = Uint8Array.from([
  ...[0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x08, 0x00],
  ...[0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2],
  ...[0x30, 0x39, 0, 80, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 0x50, 0x19, 0xff, 0xff, 0x12, 0x34, 0, 0],
]);

const place = fc.oneof(
  { weight: 20, arbitrary: fc.constant('buffer' as const) },
  { weight: 1, arbitrary: fc.constantFrom('null' as const, ...NOWHERE) },
);
/** Null is an address like any other to QEMU, and 4 KiB from there its machine has a ROM that ours has not. */
const NULL_BYTES = 4096;
const piece = (bytes: fc.Arbitrary<number>, head: Uint8Array = HEADERS): fc.Arbitrary<Piece> =>
  fc
    .record({ place, bytes, head: fc.constant(head), fill: fc.nat({ max: 255 }) })
    .map(drawn => (drawn.place === 'null' ? { ...drawn, bytes: Math.min(drawn.bytes, NULL_BYTES) } : drawn));
const NONE = new Uint8Array(0);
const pieceBytes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 1600 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 4095, 4096, 0x3fff, 0xffff) },
);
/** At least 14 octets in the first: a frame of none or hardly any is the exception. */
const pieces = fc
  .tuple(
    piece(fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 14, max: 300 }) }, { weight: 1, arbitrary: pieceBytes })),
    fc.array(piece(pieceBytes, NONE), { maxLength: 3 }),
  )
  .map(([first, rest]) => [first, ...rest]);

const cmd = fc.oneof(
  { weight: 3, arbitrary: fc.constant(CMD.IFCS | CMD.RS) },
  { weight: 2, arbitrary: bits(CMD.IFCS, CMD.IC, CMD.RS, CMD.RPS, CMD.VLE, CMD.IDE) },
);
const offset = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(14, 24, 34, 50, 40) },
  { weight: 1, arbitrary: fc.nat({ max: 255 }) },
);
const end = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 33, 53) },
  { weight: 1, arbitrary: fc.nat({ max: 0xffff }) },
);
const wildContext: fc.Arbitrary<Context> = fc.record({
  ip: fc.tuple(offset, offset, end),
  tu: fc.tuple(offset, offset, end),
  payload: fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 0xf_ffff })),
  tucmd: bits(1, 2, 4, 8, 0x80),
  header: fc.oneof(fc.constantFrom(0, 54, 255), fc.nat({ max: 255 })),
  mss: fc.oneof(fc.constantFrom(0, 1, 536, 1460, 0xffff), fc.nat({ max: 300 })),
  dtyp: fc.constantFrom(0, 0, 0, 0, 2, 4, 14),
});

const special = fc.nat({ max: 0xffff });
const popts = fc.nat({ max: 3 });

/** A whole packet that the NIC cuts into segments, as a stack would ask for it. */
const segmented = fc
  .record({
    mss: fc.integer({ min: 20, max: 700 }),
    payload: fc.integer({ min: 1, max: 3000 }),
    slack: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -20, max: 20 }) },
    ),
    split: fc.boolean(),
    tucmd: fc.constantFrom(0x07, 0x0f, 0x05, 0x06, 0x04),
    popts,
    dcmd: fc.constantFrom(CMD.IFCS | CMD.TSE | CMD.RS, CMD.TSE, CMD.TSE | CMD.VLE | CMD.IDE | CMD.RS),
    special,
    fill: fc.nat({ max: 255 }),
  })
  .map(({ mss, payload, slack, split, tucmd, popts, dcmd, special, fill }): Step[] => {
    const bytes = Math.max(0, payload + slack);
    const at = { place: 'buffer', fill } as const;
    const rest: Piece[] = split
      ? [
          { ...at, bytes: bytes >> 1, head: NONE },
          { ...at, bytes: bytes - (bytes >> 1), head: NONE },
        ]
      : [{ ...at, bytes, head: NONE }];
    const pieces: Piece[] = [{ ...at, bytes: 54, head: HEADERS }, ...rest];
    const context: Context = {
      ...{ ip: [14, 24, 33], tu: [34, 50, 0], header: 54, dtyp: 0 },
      ...{ payload, tucmd, mss },
    };
    return [
      { step: 'context', context },
      { step: 'data', pieces, dcmd, popts, special, last: true },
      { step: 'doorbell' },
    ];
  });

const legacyPacket = fc
  .record({ pieces, cmd, css: offset, cso: offset, special })
  .map((fields): Step[] => [{ step: 'legacy', ...fields }, { step: 'doorbell' }]);

const dataPacket = fc
  .record({
    context: fc.option(wildContext, { freq: 1 }),
    pieces,
    dcmd: fc.oneof(
      { weight: 3, arbitrary: bits(CMD.IFCS, CMD.RS, CMD.VLE, CMD.IDE) },
      { weight: 1, arbitrary: bits(CMD.IFCS, CMD.RS, CMD.VLE, CMD.IDE, CMD.TSE) },
    ),
    popts,
    special,
    last: fc.constantFrom(true, true, true, false),
  })
  .map(({ context, ...fields }): Step[] => [
    ...(context === null ? [] : [{ step: 'context', context } as const]),
    { step: 'data', ...fields },
    { step: 'doorbell' },
  ]);

// Rings and control registers.

const tctl = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(TCTL.EN | TCTL.PSP, TCTL.EN) },
  { weight: 1, arbitrary: word },
);
const rctl = fc
  .tuple(
    bits(RCTL.UPE, RCTL.MPE, RCTL.BAM, RCTL.SECRC, RCTL.LPE, RCTL.SBP, RCTL.VFE, RCTL.BSEX),
    fc.nat({ max: 3 }),
    fc.nat({ max: 3 }),
    fc.nat({ max: 3 }),
    fc.constantFrom(RCTL.EN, RCTL.EN, RCTL.EN, RCTL.EN, 0),
    fc.constantFrom(0, 0, 0, 1, 3),
  )
  .map(([flags, bsize, rdmts, mo, en, lbm]) => flags | en | (bsize << 16) | (rdmts << 8) | (mo << 12) | (lbm << 6));
const count = fc.constantFrom(8, 8, 8, 16, 24);
const txRing = fc.record({ step: fc.constant('tx-ring' as const), count, at: fc.nat({ max: 23 }), tctl });
const rxRing = fc.record({
  step: fc.constant('rx-ring' as const),
  count,
  rctl,
  nulls: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 0xff }) }),
  astray: place,
  settle: fc.constantFrom(true, true, true, true, false),
});
const ringPointer = fc.oneof(fc.nat({ max: 9 }), fc.constantFrom(7, 8, 100, 5000, 0xffff, 0x1_0003));
const hostileRings = fc.oneof(
  fc.record({ step: fc.constant('tdt' as const), value: ringPointer }),
  fc
    .tuple(fc.constantFrom(E1000.TDH.at, E1000.RDH.at, E1000.RDT.at), ringPointer)
    .map(([at, value]) => opsStep([write(at, value)])),
  fc
    .tuple(fc.constantFrom(E1000.TDLEN.at, E1000.RDLEN.at), fc.constantFrom(0, 128, 256, 127))
    .map(([at, value]) => opsStep([write(at, value)])),
);

// Everything else.

const opsStep = (ops: readonly Op[]): Step => ({ step: 'ops', ops });

const passNs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 2, max: 2000 }).map(units => units * 100) },
  { weight: 1, arbitrary: fc.constantFrom(127_900, 128_100, 2_000_000, 500_000_000, 1_001_000_000) },
);
const pass = passNs.map(ns => opsStep([{ op: 'pass', ns }]));

const CAUSES = [1, 2, 4, 0x10, 0x40, 0x80, 0x200, 0x8000, 0x1_0000, 0x8000_0000] as const;
const causes = fc.oneof({ weight: 3, arbitrary: bits(...CAUSES) }, { weight: 1, arbitrary: word });
const interrupt = fc.oneof(
  fc
    .tuple(fc.constantFrom(E1000.IMS.at, E1000.IMS.at, E1000.IMC.at, E1000.ICS.at, E1000.ICR.at), causes)
    .map(([at, value]) => opsStep([write(at, value)])),
  fc.constantFrom(opsStep([read(E1000.ICR.at)]), opsStep([read(E1000.ICS.at)]), opsStep([read(E1000.IMS.at)])),
  fc
    .tuple(
      fc.constantFrom(E1000.ITR.at, E1000.RADV.at, E1000.RDTR.at, E1000.TADV.at, E1000.TIDV.at),
      fc.constantFrom(0, 1, 100, 124, 126, 499, 501, 600, 5000, 0xffff),
    )
    .map(([at, value]) => opsStep([write(at, value)])),
);

const MDIC_READ = 2 << 26;
const MDIC_WRITE = 1 << 26;
const management = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(MDIC_READ, MDIC_READ, MDIC_WRITE, MDIC_READ | MDIC_WRITE, 0),
      fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat({ max: 31 }) }),
      fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 9, 10, 16, 17), fc.nat({ max: 31 })),
      fc.oneof(fc.constantFrom(0x1140, 0x1340, 0x9140, 0x5140, 0x0140, 0x4140), fc.nat({ max: 0xffff })),
      fc.constantFrom(0, E1000.MDIC.I),
    )
    .map(([op, phy, register, data, i]) =>
      opsStep([write(E1000.MDIC.at, op | (phy << 21) | (register << 16) | data | i), read(E1000.MDIC.at)]),
    ),
  fc
    .tuple(fc.nat({ max: 80 }), fc.constantFrom(1, 1, 1, 0))
    .map(([address, start]) => opsStep([write(E1000.EERD.at, (address << 8) | start), read(E1000.EERD.at)])),
  fc
    .record({
      address: fc.nat({ max: 63 }),
      opcode: fc.constantFrom(6, 6, 6, 5, 4),
      words: fc.integer({ min: 1, max: 2 }),
    })
    .map(microwire),
  fc
    .array(fc.nat({ max: 0x7f }), { maxLength: 12 })
    .map(pins => opsStep(pins.flatMap(pin => [write(E1000.EECD.at, pin), read(E1000.EECD.at)]))),
);

/** A word, or two, through the pins, as drivers fetch it. */
function microwire({ address, opcode, words }: { address: number; opcode: number; words: number }): Step {
  const CS = 0x42;
  const ops: Op[] = [write(E1000.EECD.at, CS)];
  const command = (opcode << 6) | address;
  for (let bit = 8; bit >= 0; bit--) {
    const di = ((command >> bit) & 1) << 2;
    ops.push(write(E1000.EECD.at, CS | di), write(E1000.EECD.at, CS | di | 1), write(E1000.EECD.at, CS | di));
  }
  for (let bit = 0; bit < 16 * words; bit++) {
    ops.push(write(E1000.EECD.at, CS | 1), read(E1000.EECD.at), write(E1000.EECD.at, CS));
  }
  ops.push(write(E1000.EECD.at, 0x40));
  return opsStep(ops);
}

const filter = fc.oneof(
  fc
    .tuple(
      fc.nat({ max: 31 }),
      fc.constantFrom(GROUP, OTHER, BROADCAST, MAC),
      fc.constantFrom(0x8000_0000, 0x8001_0000, 0),
    )
    .map(([entry, mac, high]) =>
      opsStep([
        write(E1000.RAL.at + 8 * (entry & 15), mac[0]! | (mac[1]! << 8) | (mac[2]! << 16) | (mac[3]! << 24)),
        write(E1000.RAH.at + 8 * (entry & 15), mac[4]! | (mac[5]! << 8) | high),
      ]),
    ),
  fc.tuple(fc.constantFrom(GROUP, OTHER, BROADCAST, MAC), fc.nat({ max: 3 })).map(([mac, mo]) => {
    const hash = ((mac[4]! | (mac[5]! << 8)) >> [4, 3, 2, 0][mo]!) & 0xfff;
    return opsStep([write(E1000.MTA.at + 4 * (hash >> 5), (1 << (hash & 31)) >>> 0)]);
  }),
  fc.tuple(fc.nat({ max: 127 }), word).map(([i, value]) => opsStep([write(E1000.VFTA.at + 4 * i, value)])),
  fc.constantFrom(0x8100, 0x88a8, 0, 0x1_8100).map(value => opsStep([write(E1000.VET.at, value)])),
);

const CTRL_VALUES = [0x0014_0240, 0x4014_0240, 0x4400_0240, 0x0400_0000, 0, 0x8000_0000] as const;
const control = fc.oneof(
  fc
    .constantFrom(...CTRL_VALUES)
    .map(value => opsStep([write(E1000.CTRL.at, value), read(E1000.CTRL.at), read(E1000.STATUS.at)])),
  tctl.map(value => opsStep([write(E1000.TCTL.at, value)])),
  fc.constantFrom(0x07, 0x07, 0x03, 0x407, 0x02, 0xffff).map(value =>
    opsStep([
      { op: 'config-write', at: 4, size: 2, value },
      { op: 'config-read', at: 4, size: 2 },
      { op: 'config-read', at: 6, size: 1 }, // the byte of Interrupt Status; Master Abort is in the next one
    ]),
  ),
  fc.constantFrom(true, false).map(up => opsStep([{ op: 'pass', ns: 200 }, { op: 'link', up }, read(E1000.STATUS.at)])),
);

/** Registers by name; those that move DMA to where nobody looks have steps of their own. */
const ADDRESSED = new Set(['TDBAL', 'TDBAH', 'TDLEN', 'RDBAL', 'RDBAH', 'RDLEN', 'RCTL', 'TDT', 'MDIC']);
const ALL = Object.entries(E1000).flatMap(([name, { at, count, stride }]) =>
  Array.from({ length: Math.min(count, 16) }, (_, i) => ({ name, at: at + i * stride })),
);
const anyRegister = fc.constantFrom(...ALL.map(({ at }) => at));
const harmless = fc.constantFrom(...ALL.filter(({ name }) => !ADDRESSED.has(name)).map(({ at }) => at));
const access = fc.oneof(
  { weight: 3, arbitrary: anyRegister.map(at => opsStep([read(at)])) },
  { weight: 2, arbitrary: fc.tuple(harmless, word).map(([at, value]) => opsStep([write(at, value), read(at)])) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(E1000.VET.at, E1000.LEDCTL.at, E1000.IMS.at, E1000.ITR.at), fc.nat({ max: 3 }), word)
      .map(([at, lane, value]) => {
        const size: Size = lane % 2 === 0 ? 2 : 1;
        const part = value & (size === 2 ? 0xffff : 0xff);
        return opsStep([write(at + lane, part, size), read(at + lane, size), read(at), read(at + lane, 1)]);
      }),
  },
);

const STATISTICS = ALL.filter(({ at }) => at >= 0x4000 && at < 0x4100).map(({ at }) => read(at));
const statistics = fc.subarray(STATISTICS, { maxLength: 8 }).map(opsStep);

const frames = fc.record({
  step: fc.constant('frames' as const),
  frames: fc.array(frame, { minLength: 1, maxLength: 4 }),
  ns: fc.constantFrom(0, 200, 200, 200, 1000, 150_000),
});
const give = fc.record({ step: fc.constant('give' as const), count: fc.integer({ min: 1, max: 7 }) });

const one = (arbitrary: fc.Arbitrary<Step>) => arbitrary.map(step => [step]);

const move = fc.oneof(
  { weight: 1, arbitrary: one(txRing) },
  { weight: 2, arbitrary: one(rxRing) },
  { weight: 1, arbitrary: one(hostileRings) },
  { weight: 4, arbitrary: legacyPacket },
  { weight: 3, arbitrary: dataPacket },
  { weight: 2, arbitrary: segmented },
  { weight: 7, arbitrary: one(frames) },
  { weight: 3, arbitrary: one(give) },
  { weight: 3, arbitrary: one(pass) },
  { weight: 5, arbitrary: one(interrupt) },
  { weight: 2, arbitrary: one(management) },
  { weight: 2, arbitrary: one(filter) },
  { weight: 2, arbitrary: one(control) },
  { weight: 3, arbitrary: one(access) },
  { weight: 1, arbitrary: one(statistics) },
);

const RINGS = [
  ...[E1000.TDH, E1000.TDT, E1000.RDH, E1000.RDT, E1000.ICS, E1000.IMS, E1000.STATUS, E1000.MDIC].map(({ at }) =>
    read(at),
  ),
];
/** What is looked at when a program has ended. */
const LAST_LOOK: Program = [...RINGS, ...STATISTICS, { op: 'load', address: ARENA_BASE, bytes: ARENA_BYTES }];

/** A program: rings first, as a rule, then a mixture, and a look at everything in the end. */
export const programs: fc.Arbitrary<Program> = fc
  .tuple(
    fc.option(txRing, { freq: 9 }),
    fc.option(rxRing, { freq: 9 }),
    fc.array(move, { minLength: 1, maxLength: 24, size: 'max' }),
  )
  .map(([tx, rx, moves]) => [
    ...opsOf([...(tx === null ? [] : [tx]), ...(rx === null ? [] : [rx]), ...moves.flat()]),
    ...LAST_LOOK,
  ]);

/** Ops of a program that were generated, without the look in the end. */
export const generatedOps = (program: Program): number => program.length - LAST_LOOK.length;
