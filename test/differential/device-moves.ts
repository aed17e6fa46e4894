/** Everything but frames: interrupts and their window, PHY, EEPROM, control, link, statistics, any register at all. */
import fc from 'fast-check';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { bits, MDIC_READ, MDIC_WRITE, mdic, mostly, opsStep, pass, read, word, write } from './drawing.ts';
import type { Op, Size } from './ops.ts';
import type { Step } from './script.ts';
import { tctl } from './transmit-moves.ts';

const { EECD, EERD, ICR, ICS, IMC, IMS, ITR, MDIC, RADV, RDTR, STATUS, TADV, TIDV } = E1000;

// Time.

const anyTime = fc
  .oneof(
    { weight: 4, arbitrary: fc.integer({ min: 2, max: 2000 }).map(units => units * 100) },
    { weight: 1, arbitrary: fc.constantFrom(127_900, 128_100, 2_000_000, 500_000_000, 1_001_000_000) },
  )
  .map(ns => [pass(ns)]);

// Interrupts.

const CAUSES = [1, 2, 4, 0x10, 0x40, 0x80, 0x200, 0x8000, 0x1_0000, 0x8000_0000] as const;
const causes = mostly(bits(...CAUSES), word, 3);
const delay = fc.constantFrom(0, 1, 100, 124, 126, 130, 499, 501, 600, 5000, 0xffff);
const interrupt: fc.Arbitrary<Op[]> = fc.oneof(
  fc.tuple(fc.constantFrom(IMS, IMS, IMC, ICS, ICR), causes).map(([{ at }, value]) => [write(at, value)]),
  fc.constantFrom(ICR, ICS, IMS).map(({ at }) => [read(at)]),
  fc.tuple(fc.constantFrom(ITR, RADV, RDTR, TADV, TIDV), delay).map(([{ at }, value]) => [write(at, value)]),
);

const WINDOW_NS = 256;
const ABSOLUTE_NS = 1024;
/** Longer than any window. */
const LONG_NS = 70_000_000;

/** A rise, a fall, a cause, and a look at the pin on both sides of where the window may end. */
const window = fc
  .record({
    itr: mostly(fc.constant(0), delay, 1),
    radv: mostly(fc.constant(0), delay, 1),
    rdtr: fc.constantFrom(0, 0, 1),
    tadv: mostly(fc.constant(0), delay, 1),
    first: fc.constantFrom(0x80, 0x81, 4, 1, 0x83),
    which: fc.constantFrom('least', 'itr', 'radv', 'tadv'),
  })
  .map(({ itr, radv, rdtr, tadv, first, which }) => {
    const endsNs = { least: 500 * WINDOW_NS, itr: itr * WINDOW_NS, radv: radv * ABSOLUTE_NS, tadv: tadv * ABSOLUTE_NS };
    const untilNs = Math.max(400, Math.floor(endsNs[which as keyof typeof endsNs] / 100) * 100 - 100);
    return [
      ...[write(ITR.at, itr), write(RADV.at, radv), write(RDTR.at, rdtr), write(TADV.at, tadv)],
      ...[write(IMS.at, 0xffff), read(ICR.at), pass(LONG_NS), read(ICR.at), write(ICS.at, first), read(ICR.at)],
      ...[write(ICS.at, 4), pass(untilNs), pass(300)],
    ];
  });

// PHY and EEPROM.

const control = fc.constantFrom(0x1140, 0x1340, 0x9140, 0x5140, 0x0140, 0x4140, 0x117f);
const phyRegister = mostly(fc.constantFrom(0, 1, 2, 3, 4, 5, 9, 10, 16, 17), fc.nat({ max: 31 }), 3);
const phy = fc
  .record({
    op: mostly(fc.constantFrom(MDIC_READ, MDIC_WRITE), fc.constantFrom(MDIC_READ | MDIC_WRITE, 0), 4),
    address: mostly(fc.constant(1), fc.nat({ max: 31 }), 3),
    register: phyRegister,
    data: mostly(control, fc.nat({ max: 0xffff }), 2),
    interrupt: fc.constantFrom(0, MDIC.I),
  })
  .map(({ op, address, register, data, interrupt }) => [
    ...mdic(op, address, register, data, interrupt),
    ...mdic(MDIC_READ, 1, register, 0),
  ]);
/** The state of the link on both sides of where a negotiation may end. */
const negotiation = fc
  .constantFrom(480_000_000, 498_999_800, 499_999_800)
  .map(ns => [
    ...mdic(MDIC_WRITE, 1, 0, 0x1340),
    ...[read(STATUS.at), pass(ns), read(STATUS.at), pass(500_000_000 - ns), read(STATUS.at), read(ICS.at)],
    ...[...mdic(MDIC_READ, 1, 1, 0), ...mdic(MDIC_READ, 1, 5, 0)],
  ]);
const eerd = fc
  .tuple(fc.nat({ max: 80 }), mostly(fc.constant(1), fc.constant(0), 3))
  .map(([address, start]) => [write(EERD.at, (address << 8) | start), read(EERD.at)]);
const pins = fc
  .array(fc.nat({ max: 0x7f }), { maxLength: 12 })
  .map(levels => levels.flatMap(level => [write(EECD.at, level), read(EECD.at)]));

/** A word, or two, through the pins, as drivers fetch it. */
const microwire = fc
  .record({
    address: fc.nat({ max: 63 }),
    opcode: mostly(fc.constant(6), fc.constantFrom(4, 5)),
    words: fc.constantFrom(1, 2),
  })
  .map(({ address, opcode, words }) => {
    const selected = EECD.REQ | EECD.CS;
    const ops: Op[] = [write(EECD.at, selected)];
    for (let bit = 8; bit >= 0; bit--) {
      const out = selected | (((((opcode << 6) | address) >> bit) & 1) === 0 ? 0 : EECD.DI);
      ops.push(write(EECD.at, out), write(EECD.at, out | EECD.SK), write(EECD.at, out));
    }
    for (let bit = 0; bit < 16 * words; bit++) {
      ops.push(write(EECD.at, selected | EECD.SK), read(EECD.at), write(EECD.at, selected));
    }
    return [...ops, write(EECD.at, EECD.REQ)];
  });

// Control and link.

const VME = 0x4014_0240;
const CTRL_VALUES = [VME, VME, VME, VME, 0x0014_0240, 0x4400_0240, 0x0400_0000, 0, 0x8000_0000] as const;
export const ctrl = fc
  .constantFrom(...CTRL_VALUES)
  .map(value => [write(E1000.CTRL.at, value), read(E1000.CTRL.at), read(STATUS.at)]);
const COMMANDS = [0x07, 0x07, 0x07, 0x03, 0x407, 0x02, 0xffff] as const;
const command = fc.constantFrom(...COMMANDS).map((value): Op[] => [
  { op: 'config-write', at: 4, size: 2, value },
  { op: 'config-read', at: 4, size: 2 },
  { op: 'config-read', at: 6, size: 1 }, // the byte of Interrupt Status; Master Abort is in the next one
]);
const link = fc.boolean().map((up): Op[] => [pass(200), { op: 'link', up }, read(STATUS.at)]);

// Any register.

/** Those that move DMA to where nobody looks, or begin a silence, have moves of their own. */
const ADDRESSED = new Set(['TDBAL', 'TDBAH', 'TDLEN', 'RDBAL', 'RDBAH', 'RDLEN', 'RCTL', 'TDT', 'MDIC']);
const MOST_OF_ONE = 16;
const ALL = Object.entries(E1000).flatMap(([name, { at, count, stride }]) =>
  Array.from({ length: Math.min(count, MOST_OF_ONE) }, (_, i) => ({ name, at: at + i * stride })),
);
const anyRegister = fc.constantFrom(...ALL);
const harmless = fc.constantFrom(...ALL.filter(({ name }) => !ADDRESSED.has(name)));
const part = fc
  .tuple(fc.constantFrom(E1000.VET, E1000.LEDCTL, IMS, ITR), fc.nat({ max: 3 }), word)
  .map(([{ at }, lane, value]) => {
    const size: Size = lane % 2 === 0 ? 2 : 1;
    const written = value & (size === 2 ? 0xffff : 0xff);
    return [write(at + lane, written, size), read(at + lane, size), read(at), read(at + lane, 1)];
  });
const access: fc.Arbitrary<Op[]> = fc.oneof(
  { weight: 3, arbitrary: anyRegister.map(({ at }) => [read(at)]) },
  { weight: 2, arbitrary: fc.tuple(harmless, word).map(([{ at }, value]) => [write(at, value), read(at)]) },
  { weight: 1, arbitrary: part },
);

export const STATISTICS = ALL.filter(({ at }) => at >= 0x4000 && at < 0x4100).map(({ at }) => read(at));
/** What counters tell twice. */
const statistics = fc.subarray(STATISTICS, { maxLength: 6 }).map(reads => reads.flatMap(op => [op, op]));

export const deviceMove = fc
  .oneof(
    { weight: 4, arbitrary: anyTime },
    { weight: 6, arbitrary: interrupt },
    { weight: 3, arbitrary: window },
    { weight: 3, arbitrary: phy },
    { weight: 1, arbitrary: negotiation },
    { weight: 1, arbitrary: eerd },
    { weight: 1, arbitrary: pins },
    { weight: 1, arbitrary: microwire },
    { weight: 1, arbitrary: ctrl },
    { weight: 1, arbitrary: tctl.map(value => [write(E1000.TCTL.at, value)]) },
    { weight: 1, arbitrary: command },
    { weight: 1, arbitrary: link },
    { weight: 4, arbitrary: access },
    { weight: 2, arbitrary: statistics },
  )
  .map((ops): Step[] => [opsStep(ops)]);
