/**
 * Programs for the differential test: mostly what a driver does, sometimes what none should. Values are aware of the
 * registers that they go to, so that most programs bring the NIC to work and still some drive it out of its mind.
 *
 * What no program contains, because the two differ by intent, stands in docs/e1000-profiles.md.
 */
import fc from 'fast-check';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { ctrl, deviceMove, STATISTICS } from './device-moves.ts';
import { opsStep, read } from './drawing.ts';
import { ARENA_BASE, ARENA_BYTES, type Program } from './ops.ts';
import { receiveMove, rxRing } from './receive-moves.ts';
import { opsOf, type Step } from './script.ts';
import { transmitMove, txRing } from './transmit-moves.ts';

const { ICS, IMS, MDIC, RDH, RDT, STATUS, TDH, TDT } = E1000;

const MOST_MOVES = 24;

const move = fc.oneof(
  { weight: 3, arbitrary: transmitMove },
  { weight: 3, arbitrary: receiveMove },
  { weight: 4, arbitrary: deviceMove },
);

/** What is looked at when a program has ended. */
const LAST_LOOK: Program = [
  ...[TDH, TDT, RDH, RDT, ICS, IMS, STATUS, MDIC].map(({ at }) => read(at)),
  ...STATISTICS,
  { op: 'load', address: ARENA_BASE, bytes: ARENA_BYTES },
];

/** A program: as a rule control and rings first, then a mixture, and a look at everything in the end. */
export const programs: fc.Arbitrary<Program> = fc
  .tuple(
    fc.option(ctrl, { freq: 1 }),
    fc.option(txRing, { freq: 9 }),
    fc.option(rxRing, { freq: 9 }),
    fc.array(move, { minLength: 1, maxLength: MOST_MOVES, size: 'max' }),
  )
  .map(([control, tx, rx, moves]) => {
    const steps: Step[] = control === null ? [] : [opsStep(control)];
    if (tx !== null) steps.push(tx);
    if (rx !== null) steps.push(rx);
    return [...opsOf([...steps, ...moves.flat()]), ...LAST_LOOK];
  });

/** Ops of a program that were generated, without the look in the end. */
export const generatedOps = (program: Program): number => program.length - LAST_LOOK.length;
