/** Reads the statements of a `%{ … }%` block. A statement ends where the next one begins. */
import type { BinaryOperator, Code, Comparison, Statement } from './code.ts';
import type { Cursor } from './cursor.ts';

const NAME = /[A-Za-z_]\w*/y;
const NUMBER = /0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;
const COMPARISON = /==|!=|<=|>=|<(?!<)|>(?!>)/y;
const BLOCK_END = '}%';
const KEYWORDS = ['if', 'for', 'while', 'def', 'import', 'from', 'class', 'try', 'with', 'lambda', 'return', 'global'];
/** From weakest to strongest. `%` is not that of the end of the block. */
const LEVELS: readonly RegExp[] = [/\|/y, /&/y, /<<|>>/y, /[+-]/y, /\/\/|\/|\*(?!\*)|%(?!\})/y];
const MAX_DEPTH = 32;
/** Of one kind, one after the other: each makes the tree deeper. */
const MAX_OPERATORS = 256;

/** What stands between `%{`, which was taken, and `}%`. Throws a ScriptError. */
export function parseCode(cursor: Cursor): readonly Statement[] {
  const statements: Statement[] = [];
  cursor.inCode = true;
  while (!cursor.accept(BLOCK_END)) {
    if (cursor.atEnd) cursor.fail(`"${BLOCK_END}" is missing`);
    if (cursor.accept(';')) continue;
    statements.push(parseStatement(cursor));
  }
  cursor.inCode = false;
  return statements;
}

function parseStatement(cursor: Cursor): Statement {
  const start = cursor.at;
  const at = cursor.position();
  if (cursor.take(/assert\b/y) !== null) {
    const condition = parseOr(cursor, 0);
    const text = cursor.text.slice(start, cursor.end);
    return { kind: 'assert', condition, message: cursor.accept(',') ? parseOr(cursor, 0) : null, at, text };
  }
  if (cursor.take(/print\b/y) !== null) return { kind: 'print', values: parsePrinted(cursor), at };
  const name = cursor.require(NAME, 'assert, print, or an assignment');
  if (KEYWORDS.includes(name)) cursor.unsupported(`"${name}" in a %{ }% block`, start);
  if (!cursor.sees(/=(?!=)/y))
    cursor.unsupported('statements in a %{ }% block other than assert, print and x = …', start);
  cursor.expect('=');
  return { kind: 'assign', name, value: parseOr(cursor, 0), at };
}

/** `print(a, b)`, and `print a, b` as it was once written. */
function parsePrinted(cursor: Cursor): readonly Code[] {
  const bracket = cursor.accept('(');
  const values: Code[] = [];
  if (bracket && cursor.accept(')')) return values;
  do values.push(parseOr(cursor, 0));
  while (cursor.accept(','));
  if (bracket) cursor.expect(')');
  return values;
}

function parseOr(cursor: Cursor, depth: number): Code {
  checkDepth(cursor, depth);
  return chain(cursor, /or\b/y, 'or', () => parseAnd(cursor, depth));
}

function parseAnd(cursor: Cursor, depth: number): Code {
  return chain(cursor, /and\b/y, 'and', () => parseNot(cursor, depth));
}

function chain(cursor: Cursor, word: RegExp, kind: 'and' | 'or', operand: () => Code): Code {
  let left = operand();
  for (let count = 1; cursor.take(word) !== null; count++) {
    if (count > MAX_OPERATORS) cursor.fail(`more than ${MAX_OPERATORS} operators in a row`);
    left = { kind, left, right: operand() };
  }
  return left;
}

function parseNot(cursor: Cursor, depth: number): Code {
  checkDepth(cursor, depth);
  if (cursor.take(/not\b/y) !== null) return { kind: 'not', of: parseNot(cursor, depth + 1) };
  const first = parseLevel(cursor, 0, depth);
  const rest: (readonly [Comparison, Code])[] = [];
  for (let operator = cursor.take(COMPARISON); operator !== null; operator = cursor.take(COMPARISON)) {
    rest.push([operator as Comparison, parseLevel(cursor, 0, depth)]);
  }
  return rest.length === 0 ? first : { kind: 'compare', first, rest };
}

function parseLevel(cursor: Cursor, level: number, depth: number): Code {
  const operators = LEVELS[level];
  if (operators === undefined) return parsePrimary(cursor, depth);
  let left = parseLevel(cursor, level + 1, depth);
  let count = 0;
  for (let operator = cursor.take(operators); operator !== null; operator = cursor.take(operators)) {
    if (++count > MAX_OPERATORS) cursor.fail(`more than ${MAX_OPERATORS} operators in a row`);
    const right = parseLevel(cursor, level + 1, depth);
    left = { kind: 'binary', operator: operator as BinaryOperator, left, right };
  }
  return left;
}

function parsePrimary(cursor: Cursor, depth: number): Code {
  checkDepth(cursor, depth);
  if (cursor.accept('-')) return { kind: 'negative', of: parsePrimary(cursor, depth + 1) };
  if (cursor.accept('(')) {
    const inner = parseOr(cursor, depth + 1);
    cursor.expect(')');
    return inner;
  }
  const number = cursor.take(NUMBER);
  if (number !== null) return { kind: 'value', value: Number(number) };
  const string = cursor.take(STRING);
  if (string !== null) return { kind: 'value', value: string.slice(1, -1).replace(/\\(.)/g, '$1') };
  const at = cursor.position();
  const name = cursor.require(NAME, 'a value');
  switch (name) {
    case 'True':
      return { kind: 'value', value: true };
    case 'False':
      return { kind: 'value', value: false };
    case 'None':
      return { kind: 'value', value: null };
  }
  if (!cursor.accept('(')) return { kind: 'name', name, at };
  const args: Code[] = [];
  if (cursor.accept(')')) return { kind: 'call', name, args, at };
  do args.push(parseOr(cursor, depth + 1));
  while (cursor.accept(','));
  cursor.expect(')');
  return { kind: 'call', name, args, at };
}

function checkDepth(cursor: Cursor, depth: number): void {
  if (depth > MAX_DEPTH) cursor.fail(`more than ${MAX_DEPTH} brackets in one another`);
}
