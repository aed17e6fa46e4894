/**
 * Writes waveforms as Value Change Dumps (IEEE 1364-2005, clause 18), one unit being one nanosecond of virtual time.
 * Numbers of the hour or of the writer's version do not appear: the same run gives the same text.
 *
 * Changes may be told late (see {@link TimeOrder}); in the file they stand in the order of their time, then of the
 * declaration, then of their arrival. A change to the value that a variable has already is left out. Two changes of a
 * variable at one time both stand there: that is a glitch, and the last one holds.
 */
import { assert } from '../lib/assert.ts';
import { TimeOrder } from './time-order.ts';

/** Takes the next lines of the file. */
export type TextSink = (text: string) => void;

/** A number for a wire, text for a string; null is unknown, which is what everything is at first. */
export type VcdValue = number | string | null;

/** A declared variable, for `change`. */
export interface VcdVariable {
  readonly kind: 'wire' | 'string';
  /** Bits of a wire; 1 to 32. */
  readonly width: number;
  /** Order of declaration. */
  readonly index: number;
}

interface Declared extends VcdVariable {
  readonly name: string;
  readonly id: string;
  /** The value as written last, with its identifier. */
  written: string;
  writtenNs: number;
}

interface Scope {
  readonly scopes: Map<string, Scope>;
  readonly variables: Declared[];
}

interface Change {
  readonly variable: Declared;
  readonly line: string;
  readonly toldNs: number;
}

const MAX_WIRE_BITS = 32;
/** Identifiers are digits to the base of the printable characters `!` to `~`. */
const FIRST_DIGIT = 33;
const DIGITS = 94;

export class VcdWriter {
  readonly #sink: TextSink;
  readonly #top: Scope = { scopes: new Map(), variables: [] };
  readonly #variables: Declared[] = [];
  readonly #order = new TimeOrder<Change>((timeNs, change, late) => this.#write(timeNs, change, late));
  #timeNs = -1;
  #lateCount = 0;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  /** Declares a wire of `width` bits in nested scopes, the outermost first. All declarations precede all output. */
  wire(scopes: readonly string[], name: string, width = 1): VcdVariable {
    assert(width >= 1 && width <= MAX_WIRE_BITS, 'a VCD wire of no bits, or of more than a word');
    return this.#declare(scopes, name, 'wire', width);
  }

  /** A variable that shows text: a widespread extension of the format, which GTKWave and Surfer read. */
  string(scopes: readonly string[], name: string): VcdVariable {
    return this.#declare(scopes, name, 'string', 1);
  }

  /** `variable` had `value` from `timeNs` on. */
  change(variable: VcdVariable, timeNs: number, value: VcdValue): void {
    const declared = this.#variables[variable.index]!;
    this.#order.add(timeNs, declared.index, { variable: declared, line: valueLine(declared, value), toldNs: timeNs });
  }

  /** Writes all that is left, up to `endNs`, where the waveform ends. */
  close(endNs: number): void {
    this.#order.flush();
    this.#advance(Math.max(endNs, this.#timeNs));
    if (this.#lateCount > 0) this.#sink(`$comment ${this.#lateCount} changes came too late for their place $end\n`);
  }

  #declare(scopes: readonly string[], name: string, kind: VcdVariable['kind'], width: number): VcdVariable {
    assert(this.#timeNs < 0, 'a VCD variable declared after the first output');
    const index = this.#variables.length;
    const id = identifier(index);
    const variable = { kind, width, index, name: plain(name), id, written: '', writtenNs: 0 };
    let scope = this.#top;
    for (const part of scopes) {
      const inner = scope.scopes.get(plain(part)) ?? { scopes: new Map(), variables: [] };
      scope.scopes.set(plain(part), inner);
      scope = inner;
    }
    scope.variables.push(variable);
    this.#variables.push(variable);
    return variable;
  }

  /** A late change stands where the output has got to, unless its variable has changed since: then it is void. */
  #write(timeNs: number, { variable, line, toldNs }: Change, late: boolean): void {
    if (late) this.#lateCount += 1;
    if (late && variable.writtenNs > toldNs) return;
    if (this.#timeNs < 0) this.#header();
    variable.writtenNs = late ? toldNs : timeNs;
    if (line === variable.written) return;
    variable.written = line;
    this.#advance(timeNs);
    this.#sink(line);
  }

  #advance(timeNs: number): void {
    if (this.#timeNs < 0) this.#header();
    if (timeNs === this.#timeNs) return;
    this.#timeNs = timeNs;
    this.#sink(`#${timeNs}\n`);
  }

  #header(): void {
    this.#sink('$version Ringtail $end\n$timescale 1ns $end\n');
    this.#scope(this.#top);
    this.#sink('$enddefinitions $end\n#0\n$dumpvars\n');
    for (const variable of this.#variables) {
      variable.written = valueLine(variable, null);
      this.#sink(variable.written);
    }
    this.#sink('$end\n');
    this.#timeNs = 0;
  }

  #scope(scope: Scope): void {
    for (const { kind, width, id, name } of scope.variables) {
      const range = width > 1 ? ` [${width - 1}:0]` : '';
      this.#sink(`$var ${kind} ${width} ${id} ${name}${range} $end\n`);
    }
    for (const [name, inner] of scope.scopes) {
      this.#sink(`$scope module ${name} $end\n`);
      this.#scope(inner);
      this.#sink('$upscope $end\n');
    }
  }
}

function identifier(index: number): string {
  const digit = String.fromCharCode(FIRST_DIGIT + (index % DIGITS));
  return index < DIGITS ? digit : digit + identifier(Math.floor(index / DIGITS) - 1);
}

/** A name as the format allows it: what is not a letter, a digit, `_` or `$` becomes `_`. */
function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9_$]/g, '_').replace(/^(?=[0-9$]|$)/, '_');
}

function valueLine({ kind, width, id }: Declared, value: VcdValue): string {
  if (kind === 'string') return `s${escapeText(value === null ? '?' : String(value))} ${id}\n`;
  assert(typeof value !== 'string', 'text given to a VCD wire');
  if (width === 1) return `${value === null ? 'x' : value & 1}${id}\n`;
  const mask = -1 >>> (MAX_WIRE_BITS - width);
  return `b${value === null ? 'x' : ((value & mask) >>> 0).toString(2)} ${id}\n`;
}

/** Text without blanks: those and other unprintable characters become octal escapes, as in C. */
function escapeText(text: string): string {
  return Array.from(new TextEncoder().encode(text), byte =>
    byte > 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`,
  ).join('');
}
