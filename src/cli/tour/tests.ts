/** Questions to ask of a moment in a recording, as type guards: what the tour looks for. */
import type { Moment, MomentOf } from './recording.ts';

type Guard<M extends Moment> = (moment: Moment) => moment is M;
type NicKind = MomentOf<'nic'>['kind'];
type KernelKind = MomentOf<'kernel'>['kind'];

/** Something that the NIC `nic` did. */
export const onNic = <K extends NicKind>(
  nic: string,
  kind: K,
  test: (moment: MomentOf<'nic', K>) => boolean = () => true,
): Guard<MomentOf<'nic', K>> =>
  ((moment: Moment) =>
    moment.probe === 'nic' && moment.nic === nic && moment.kind === kind && test(moment as never)) as never;

/** Something that the kernel of `host` did. */
export const inKernel = <K extends KernelKind>(
  host: string,
  kind: K,
  test: (moment: MomentOf<'kernel', K>) => boolean = () => true,
): Guard<MomentOf<'kernel', K>> =>
  ((moment: Moment) =>
    moment.probe === 'kernel' && moment.host === host && moment.kind === kind && test(moment as never)) as never;

/** A frame on any wire, from one of its ends. */
export const onWire = (fromEnd: 0 | 1): Guard<MomentOf<'frame'>> =>
  ((moment: Moment) => moment.probe === 'frame' && moment.fromEnd === fromEnd) as never;

/** The hart of `host` entered a trap for `cause`. */
export const inTrap = (host: string, cause: number): Guard<MomentOf<'trap'>> =>
  ((moment: Moment) =>
    moment.probe === 'trap' && moment.host === host && moment.entered && moment.cause === cause) as never;

/** An interrupt line of `host` went high. */
export const lineHigh = (host: string): Guard<MomentOf<'line'>> =>
  ((moment: Moment) => moment.probe === 'line' && moment.host === host && moment.level) as never;
