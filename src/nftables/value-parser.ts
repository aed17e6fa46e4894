/** Reads the values that a field is compared with: one, a range, a prefix, or a set of these in braces. */
import type { FieldRange } from '../../kernel/net/filter/rule.ts';
import type { Cursor } from './cursor.ts';
import { type FieldKind, parseValue } from './vocabulary.ts';

/** A set that has a name, and which values it may have. */
export interface NamedSet {
  readonly type: FieldKind;
  readonly ranges: readonly FieldRange[];
}

/** The sets of a table, by name. */
export type NamedSets = ReadonlyMap<string, NamedSet>;

/** One value, range or prefix. */
export function parseRange(cursor: Cursor, kind: FieldKind): FieldRange {
  const { place } = cursor;
  const text = cursor.word('a value');
  const range = single(kind, text) ?? prefix(kind, text) ?? fromTo(kind, text);
  if (range === null) cursor.fail(`"${text}" is no value of this field`, place);
  if (range.from > range.to) cursor.fail(`"${text}" ends before it begins`, place);
  return range;
}

/** `{ a, b-c, d/8 }`, over as many lines as it takes. */
export function parseElements(cursor: Cursor, kind: FieldKind): readonly FieldRange[] {
  cursor.expect('{');
  const ranges: FieldRange[] = [];
  for (cursor.skipEnds(); !cursor.takes('}'); cursor.skipEnds()) {
    ranges.push(parseRange(cursor, kind));
    cursor.skipEnds();
    if (!cursor.sees('}')) cursor.expect(',');
  }
  if (ranges.length === 0) cursor.fail('a set without elements matches nothing');
  return ranges;
}

/** Bits joined by `|`, as in `fin | syn`. */
export function parseBits(cursor: Cursor, kind: FieldKind): number {
  let bits = 0;
  do {
    const { place } = cursor;
    const text = cursor.word('a value');
    const value = parseValue(kind, text);
    if (value === null) cursor.fail(`"${text}" is no value of this field`, place);
    bits |= value;
  } while (cursor.takes('|'));
  return bits >>> 0;
}

function single(kind: FieldKind, text: string): FieldRange | null {
  const value = parseValue(kind, text);
  return value === null ? null : { from: value, to: value };
}

/** `10.0.0.0/8`; bits behind the prefix do not count. */
function prefix(kind: FieldKind, text: string): FieldRange | null {
  const [, start, length] = /^(.+)\/(\d{1,2})$/.exec(text) ?? [];
  if (start === undefined || kind.notation !== 'ipv4' || Number(length) > kind.bits) return null;
  const value = parseValue(kind, start);
  if (value === null) return null;
  const size = 2 ** (kind.bits - Number(length));
  const from = Math.floor(value / size) * size;
  return { from, to: from + size - 1 };
}

/** `1024-65535`. Names of values have hyphens too, so each is tried as the one between. */
function fromTo(kind: FieldKind, text: string): FieldRange | null {
  for (let at = text.indexOf('-'); at >= 0; at = text.indexOf('-', at + 1)) {
    const from = parseValue(kind, text.slice(0, at));
    const to = parseValue(kind, text.slice(at + 1));
    if (from !== null && to !== null) return { from, to };
  }
  return null;
}
