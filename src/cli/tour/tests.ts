/** Questions to ask of a moment in a recording, as type guards: what the tour looks for. */
import type { Segment } from '../../../kernel/net/tcp/segment.ts';
import { segmentIn } from './packet.ts';
import type { Way } from './places.ts';
import type { Moment, MomentOf } from './recording.ts';

type Guard<M extends Moment> = (moment: Moment) => moment is M;
type NicKind = MomentOf<'nic'>['kind'];
type SwitchKind = MomentOf<'switch'>['kind'];
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

/** A frame that was sent into `wire` at the end `fromEnd`. */
export const onWire = (
  { wire, fromEnd }: Way,
  test: (moment: MomentOf<'frame'>) => boolean = () => true,
): Guard<MomentOf<'frame'>> =>
  ((moment: Moment) =>
    moment.probe === 'frame' && moment.wire === wire && moment.fromEnd === fromEnd && test(moment)) as never;

/** As {@link onWire}, for a TCP segment. */
export const segmentOn = (
  way: Way,
  test: (segment: Segment, moment: MomentOf<'frame'>) => boolean = () => true,
): Guard<MomentOf<'frame'>> =>
  onWire(way, moment => {
    const segment = segmentIn(moment.sent);
    return segment !== null && test(segment, moment);
  });

/** A TCP segment that was lost on the way out of `wire`. */
export const lostOn = ({ wire, fromEnd }: Way): Guard<MomentOf<'loss'>> =>
  ((moment: Moment) =>
    moment.probe === 'loss' &&
    moment.wire === wire &&
    moment.fromEnd === fromEnd &&
    segmentIn(moment.sent) !== null) as never;

/** Something that a switch did. */
export const inSwitch = <K extends SwitchKind>(
  kind: K,
  test: (moment: MomentOf<'switch', K>) => boolean = () => true,
): Guard<MomentOf<'switch', K>> =>
  ((moment: Moment) => moment.probe === 'switch' && moment.kind === kind && test(moment as never)) as never;

/** The table of a NAT changed for a mapping of `protocol`. */
export const inNat = (change: MomentOf<'nat'>['change'], protocol: string): Guard<MomentOf<'nat'>> =>
  ((moment: Moment) => moment.probe === 'nat' && moment.change === change && moment.row.protocol === protocol) as never;

/** The table of sockets of `host`, with one in `state`. */
export const socketsAt = (host: string, state: string): Guard<MomentOf<'sockets'>> =>
  ((moment: Moment) =>
    moment.probe === 'sockets' && moment.host === host && moment.rows.some(row => row.state === state)) as never;

/** The hart of `host` entered a trap for `cause`. */
export const inTrap = (host: string, cause: number): Guard<MomentOf<'trap'>> =>
  ((moment: Moment) =>
    moment.probe === 'trap' && moment.host === host && moment.entered && moment.cause === cause) as never;

/** An interrupt line of `host` went high. */
export const lineHigh = (host: string): Guard<MomentOf<'line'>> =>
  ((moment: Moment) => moment.probe === 'line' && moment.host === host && moment.level) as never;
