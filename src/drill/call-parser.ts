/** Reads a system call: `bind(3, ..., ...) = 0`, `read(4, ..., 1000) = -1 EAGAIN (Resource temporarily unavailable)`. */
import type { CallLine, CallResult, Expression } from './call-line.ts';
import type { Cursor } from './cursor.ts';

const NAME = /[A-Za-z_]\w*/y;
const INTEGER = /-?(?:0x[0-9a-fA-F]+|\d+)/y;
const STRING = /"(?:[^"\\\n]|\\.)*"/y;
const ERRNO = /E[A-Z0-9]+/y;
/** What strerror says, or what flags a number stands for: it is there for the reader. */
const NOTE = /\([^)\n]*\)/y;
/** `msg_iov(1)=`, `msg_name(16)=`: the length stands with the name. */
const FIELD = /([A-Za-z_]\w*)\s*(?:\(\s*(?:\d+|\.\.\.)\s*\))?\s*=(?!=)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0' };
/** Braces and brackets in one another. */
const MAX_DEPTH = 16;

/** The next pieces are a call: takes them. Throws a ScriptError. */
export function parseCall(cursor: Cursor): CallLine {
  const at = cursor.position();
  const name = cursor.require(NAME, 'a packet (< or >), a system call, or a command');
  cursor.expect('(');
  const args = parseItems(cursor, ')', 0);
  cursor.expect('=');
  return { name, args, result: parseResult(cursor), at };
}

function parseResult(cursor: Cursor): CallResult {
  if (cursor.accept('...')) return { value: null, errno: null };
  const at = cursor.at;
  const value = Number(cursor.require(INTEGER, 'the result of the call'));
  const errno = cursor.take(ERRNO);
  if (errno !== null && value !== -1) cursor.fail(`a call that fails gives -1, not ${value}`, at);
  cursor.take(NOTE);
  return { value, errno };
}

function parseItems(cursor: Cursor, close: string, depth: number): Expression[] {
  const items: Expression[] = [];
  if (cursor.accept(close)) return items;
  do items.push(parseExpression(cursor, depth));
  while (cursor.accept(','));
  cursor.expect(close);
  return items;
}

function parseExpression(cursor: Cursor, depth: number): Expression {
  if (depth > MAX_DEPTH) cursor.fail(`more than ${MAX_DEPTH} braces in one another`);
  const first = parseTerm(cursor, depth);
  const terms = [first];
  while (cursor.accept('|')) terms.push(parseTerm(cursor, depth));
  return terms.length === 1 ? first : { kind: 'or', terms };
}

function parseTerm(cursor: Cursor, depth: number): Expression {
  if (cursor.accept('...')) return { kind: 'any' };
  if (cursor.accept('[')) return { kind: 'list', items: parseItems(cursor, ']', depth + 1) };
  if (cursor.accept('{')) return parseStruct(cursor, depth + 1);
  const quoted = cursor.take(STRING);
  if (quoted !== null) return { kind: 'string', value: unescaped(quoted.slice(1, -1)) };
  const integer = cursor.take(INTEGER);
  if (integer !== null) return { kind: 'number', value: numberOf(integer) };
  const name = cursor.require(NAME, 'an argument');
  if (!cursor.accept('(')) return { kind: 'name', name };
  const argument = parseExpression(cursor, depth + 1);
  cursor.expect(')');
  return { kind: 'apply', name, argument };
}

function parseStruct(cursor: Cursor, depth: number): Expression {
  const fields = new Map<string, Expression>();
  if (cursor.accept('}')) return { kind: 'struct', fields };
  do {
    const at = cursor.at;
    const name = cursor.match(FIELD)?.[1] ?? String(fields.size);
    if (fields.has(name)) cursor.fail(`"${name}" stands there twice`, at);
    fields.set(name, parseExpression(cursor, depth));
  } while (cursor.accept(','));
  cursor.expect('}');
  return { kind: 'struct', fields };
}

const numberOf = (text: string): number => (text.startsWith('-') ? -Number(text.slice(1)) : Number(text));

const unescaped = (text: string): string =>
  text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
