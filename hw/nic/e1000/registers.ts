/**
 * The registers of the 82540EM, declared once: the masks that the device uses, the reset state, the datasheet and the
 * inspector all come from here. The blocks stand in `registers/`, in the order of the manual's chapter 13.
 *
 * Fields of access `unimp` are in the manual but do nothing here; every other field does what its line says. Offsets
 * that no register claims read zero and ignore writes: drivers map, and some probe, the whole window.
 */
import { registers } from '../../bus/registers.ts';
import { GENERAL } from './registers/general.ts';
import { INTERRUPT } from './registers/interrupt.ts';
import { RECEIVE } from './registers/receive.ts';
import { STATISTICS } from './registers/statistics.ts';
import { TRANSMIT } from './registers/transmit.ts';

/** Size of BAR0. */
export const REGISTER_SPACE_BYTES = 0x2_0000;

export const E1000 = registers({ ...GENERAL, ...INTERRUPT, ...RECEIVE, ...TRANSMIT, ...STATISTICS });
