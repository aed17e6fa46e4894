/** A system call that is ready to be made: its arguments have been read, and are such as this host can serve. */
import type { Syscalls } from '../../kernel/syscall.ts';
import type { Blocking } from '../../kernel/task.ts';
import type { CallLine } from './call-line.ts';
import type { Descriptors, DrillSocket } from './descriptors.ts';
import type { Profile } from './profile.ts';

/** What calls need of the run that they are made in. */
export interface CallContext {
  readonly descriptors: Descriptors;
  readonly profile: Profile;
  readonly addresses: {
    /** Where `...` binds to, and connects to. */
    readonly local: number;
    readonly remote: number;
    readonly bindPort: number;
    readonly connectPort: number;
  };
  /** Somebody listens: what comes next is for a new conversation. */
  listening(): void;
  /** The two ends of `socket` are known. */
  connected(socket: DrillSocket, sys: Syscalls): void;
}

/** What a call has given: the value, and in what the rest differs from what the script says, in words. */
export interface CallOutcome {
  readonly value: number;
  readonly differences: readonly string[];
}

/** Makes the call. Throws the SocketError that it fails with. */
export type PreparedCall = (sys: Syscalls, context: CallContext) => Blocking<CallOutcome>;

/** Reads the arguments of a call of one name. Throws a ScriptError. */
export type CallReader = (call: CallLine) => PreparedCall;

export const outcome = (value: number, differences: readonly string[] = []): CallOutcome => ({ value, differences });

/** A call that never waits. */
export function atOnce(work: (sys: Syscalls, context: CallContext) => CallOutcome): PreparedCall {
  // biome-ignore lint/correctness/useYield: the others may wait, this one does not.
  return function* (sys, context) {
    return work(sys, context);
  };
}

/** `name` should be `wanted`, unless that is null. */
export const difference = (name: string, wanted: number | string | null, got: number | string): string[] =>
  wanted === null || wanted === got ? [] : [`${name} is ${got}, not ${wanted}`];
