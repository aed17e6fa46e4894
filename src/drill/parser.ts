/**
 * Reads a script: options, then events. Recursive descent, one function for each rule; what a packet, a call, a command
 * and a block of code look like is in files of their own.
 */
import { parseCall } from './call-parser.ts';
import { parseCode } from './code-parser.ts';
import { parseCommand } from './command.ts';
import { Cursor } from './cursor.ts';
import { parsePacket } from './packet-parser.ts';
import { type EventTime, type Script, ScriptError, type ScriptEvent, type ScriptOption } from './script.ts';

const OPTION = /--([\w-]+)(?:=("[^"\n]*"|'[^'\n]*'|[^\s]*))?/y;
const SECONDS = /\d+(?:\.(?!\.)\d*)?|\.(?!\.)\d+/y;
const COMMAND = /`([^`]*)`/y;
const NS_DIGITS = 9;
const NS_PER_SECOND = 1_000_000_000;
/** A year: an event beyond that is a mistake. */
const MAX_SECONDS = 366 * 86_400;

/** What reading a script came to. */
export interface Parsed {
  /** As far as it could be read; null when it is no script. */
  readonly script: Script | null;
  /** The mistake in it, or each thing that is not supported. */
  readonly errors: readonly ScriptError[];
}

/** Reads the text of the script that messages call `path`. */
export function parseScript(path: string, text: string): Parsed {
  const cursor = new Cursor(text);
  const errors: ScriptError[] = [];
  const options: ScriptOption[] = [];
  const events: ScriptEvent[] = [];
  try {
    while (cursor.sees(OPTION)) options.push(parseOption(cursor));
    while (!cursor.atEnd) {
      const event = orSkip(cursor, errors, () => parseEvent(cursor));
      if (event !== null) events.push(event);
    }
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    // Behind what is not supported all may look wrong.
    if (errors.length === 0) return { script: null, errors: [error] };
  }
  return { script: { path, options, events }, errors };
}

/** What is not supported is noted, and its line left out, to find out what else there is. */
function orSkip<T>(cursor: Cursor, errors: ScriptError[], parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ScriptError) || error.kind === 'syntax') throw error;
    errors.push(error);
    cursor.inCode = false;
    cursor.skipLine();
    return null;
  }
}

function parseOption(cursor: Cursor): ScriptOption {
  const at = cursor.position();
  const [, name, value] = cursor.match(OPTION)!;
  return { name: name!.replaceAll('-', '_'), value: unquoted(value ?? ''), at };
}

function parseEvent(cursor: Cursor): ScriptEvent {
  const start = cursor.at;
  const at = cursor.position();
  const time = parseTime(cursor);
  const what = parseWhat(cursor, time !== null);
  const source = cursor.text.slice(start, cursor.end);
  return { ...what, time: time ?? { kind: 'relative', fromNs: 0, toNs: 0, waits: false }, at, source };
}

function parseWhat(cursor: Cursor, hasTime: boolean) {
  const at = cursor.at;
  const command = cursor.match(COMMAND);
  if (command !== null) {
    const parsed = parseCommand(command[1]!);
    if (parsed === null) cursor.unsupported(`the command \`${command[1]!.trim().split('\n')[0]}\``, at);
    return { kind: 'command', ...parsed } as const;
  }
  if (cursor.accept('%{')) return { kind: 'code', statements: parseCode(cursor) } as const;
  if (!hasTime) cursor.fail('an event begins with its time, such as 0, +.1 or *');
  if (cursor.sees(/[<>]/y)) return { kind: 'packet', packet: parsePacket(cursor) } as const;
  return { kind: 'call', call: parseCall(cursor) } as const;
}

/** `0`, `0.1`, `+.1`, `*`, `0.1...0.2`, `+0~+.1`; null when there is no time. */
function parseTime(cursor: Cursor): EventTime | null {
  if (cursor.accept('*')) return { kind: 'any', fromNs: 0, toNs: Number.POSITIVE_INFINITY, waits: false };
  const relative = cursor.accept('+');
  if (!relative && !cursor.sees(SECONDS)) return null;
  const fromNs = parseSeconds(cursor);
  const waits = cursor.accept('...');
  const kind = relative ? 'relative' : 'absolute';
  if (!waits && !cursor.accept('~')) return { kind, fromNs, toNs: fromNs, waits };
  const at = cursor.at;
  cursor.accept('+');
  const toNs = parseSeconds(cursor);
  if (toNs < fromNs) cursor.fail('the end of a range lies before its beginning', at);
  return { kind, fromNs, toNs, waits };
}

/** Seconds with decimals, as nanoseconds: exact, for all that nanoseconds can say. */
function parseSeconds(cursor: Cursor): number {
  const at = cursor.at;
  const [whole, fraction = ''] = cursor.require(SECONDS, 'a time in seconds').split('.');
  const seconds = Number(whole === '' ? '0' : whole);
  if (seconds > MAX_SECONDS) cursor.fail(`${seconds} s are more than a year`, at);
  if (fraction.length > NS_DIGITS) cursor.fail('a time has nine decimals at most', at);
  return seconds * NS_PER_SECOND + Number(fraction.padEnd(NS_DIGITS, '0'));
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/, '$2');
