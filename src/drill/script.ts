/** A script as it was read: its options, and its events in their order. What each event says is in the files named here. */
import type { CallLine } from './call-line.ts';
import type { Statement } from './code.ts';
import type { PacketLine } from './packet-line.ts';

/** A place in a script, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * When an event happens. `absolute` times count from the first event, `relative` ones from the event before; `any` is
 * `*`. `toNs` is larger than `fromNs` where the script gives a range.
 */
export interface EventTime {
  readonly kind: 'absolute' | 'relative' | 'any';
  readonly fromNs: number;
  readonly toNs: number;
  /** The range is `FROM...TO`, which for a call means from when to when it waits. */
  readonly waits: boolean;
}

interface EventBase {
  readonly time: EventTime;
  readonly at: Position;
  /** The lines of the script that say so. */
  readonly source: string;
}

export interface PacketEvent extends EventBase {
  readonly kind: 'packet';
  readonly packet: PacketLine;
}

export interface CallEvent extends EventBase {
  readonly kind: 'call';
  readonly call: CallLine;
}

/** Settings that a command in backticks asks for. */
export interface CommandEvent extends EventBase {
  readonly kind: 'command';
  readonly settings: readonly Setting[];
  /** What the command stands for, where that is not what it says. */
  readonly note: string | null;
  readonly ofFreeBsd: boolean;
}

export interface CodeEvent extends EventBase {
  readonly kind: 'code';
  readonly statements: readonly Statement[];
}

export type ScriptEvent = PacketEvent | CallEvent | CommandEvent | CodeEvent;

/** `net.ipv4.tcp_sack=1`. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** `--name=value` in the head of a script. */
export interface ScriptOption {
  readonly name: string;
  readonly value: string;
  readonly at: Position;
}

export interface Script {
  /** As messages name it. */
  readonly path: string;
  readonly options: readonly ScriptOption[];
  readonly events: readonly ScriptEvent[];
}

/** A script that cannot be run, and where it says why. `unsupported`: what it asks for is right, but not served here. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  readonly kind: 'syntax' | 'unsupported';
  readonly at: Position;

  constructor(kind: 'syntax' | 'unsupported', at: Position, text: string) {
    super(text);
    this.kind = kind;
    this.at = at;
  }
}
