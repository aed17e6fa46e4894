/** Carries out the statements of a `%{ … }%` block. Names are looked up when they are met, as Python does. */
import type { BinaryOperator, Code, Comparison, Statement, Value } from './code.ts';
import { CODE_CONSTANTS } from './constants.ts';
import { ScriptError } from './script.ts';
import { isMember } from './tcp-info.ts';

/** What a block has around it. */
export interface CodeScope {
  /** A member of `tcp_info`; throws when there is no connection. */
  member(name: string): number;
  print(text: string): void;
  /** Variables, which live as long as the script. */
  readonly variables: Map<string, Value>;
}

/** An assertion that does not hold: what it says, with the values of what it names. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

const FUNCTIONS: Readonly<Record<string, (...args: number[]) => number>> = {
  abs: Math.abs,
  min: Math.min,
  max: Math.max,
  round: Math.round,
  int: Math.trunc,
};

/** Throws a ScriptError when a statement names what there cannot be. For before the script runs. */
export function checkCode(statements: readonly Statement[]): void {
  const assigned = new Set<string>();
  for (const statement of statements) {
    for (const code of partsOf(statement)) visit(code, each => checkName(each, assigned));
    if (statement.kind === 'assign') assigned.add(statement.name);
  }
}

/** Throws an AssertionFailure. */
export function runCode(statements: readonly Statement[], scope: CodeScope): void {
  for (const statement of statements) {
    switch (statement.kind) {
      case 'assign':
        scope.variables.set(statement.name, evaluate(statement.value, scope));
        break;
      case 'print':
        scope.print(statement.values.map(value => textOf(evaluate(value, scope))).join(' '));
        break;
      case 'assert':
        if (!truth(evaluate(statement.condition, scope))) throw new AssertionFailure(failureText(statement, scope));
    }
  }
}

function failureText(statement: Extract<Statement, { kind: 'assert' }>, scope: CodeScope): string {
  const names = new Map<string, string>();
  visit(statement.condition, each => {
    if (each.kind === 'name') names.set(each.name, textOf(evaluate(each, scope)));
  });
  const values = [...names].map(([name, value]) => `${name} is ${value}`);
  if (statement.message !== null) values.push(`message: ${textOf(evaluate(statement.message, scope))}`);
  return `${statement.text.trim()} does not hold${values.length === 0 ? '' : `; ${values.join(', ')}`}`;
}

function checkName(code: Code, assigned: ReadonlySet<string>): void {
  if (code.kind === 'call' && !Object.hasOwn(FUNCTIONS, code.name)) {
    throw new ScriptError('unsupported', code.at, `not supported: the function ${code.name} in a %{ }% block`);
  }
  if (code.kind !== 'name' || isMember(code.name) || Object.hasOwn(CODE_CONSTANTS, code.name)) return;
  // A variable may come from an earlier block; a name in the manner of tcp_info or of a constant does not.
  if (assigned.has(code.name) || !/^(tcpi_|TCP_|TCPI_)/.test(code.name)) return;
  throw new ScriptError('unsupported', code.at, `not supported: ${code.name}`);
}

function partsOf(statement: Statement): readonly Code[] {
  switch (statement.kind) {
    case 'assert':
      return statement.message === null ? [statement.condition] : [statement.condition, statement.message];
    case 'print':
      return statement.values;
    case 'assign':
      return [statement.value];
  }
}

/** Calls `each` for `code` and all that it consists of. */
function visit(code: Code, each: (code: Code) => void): void {
  each(code);
  switch (code.kind) {
    case 'not':
    case 'negative':
      visit(code.of, each);
      break;
    case 'and':
    case 'or':
    case 'binary':
      visit(code.left, each);
      visit(code.right, each);
      break;
    case 'compare':
      visit(code.first, each);
      for (const [, operand] of code.rest) visit(operand, each);
      break;
    case 'call':
      for (const argument of code.args) visit(argument, each);
  }
}

function evaluate(code: Code, scope: CodeScope): Value {
  switch (code.kind) {
    case 'value':
      return code.value;
    case 'name':
      return lookUp(code.name, scope);
    case 'not':
      return !truth(evaluate(code.of, scope));
    case 'negative':
      return -numeric(evaluate(code.of, scope));
    case 'and': {
      const left = evaluate(code.left, scope);
      return truth(left) ? evaluate(code.right, scope) : left;
    }
    case 'or': {
      const left = evaluate(code.left, scope);
      return truth(left) ? left : evaluate(code.right, scope);
    }
    case 'binary':
      return binary(code.operator, evaluate(code.left, scope), evaluate(code.right, scope));
    case 'compare':
      return compareAll(code, scope);
    case 'call':
      return FUNCTIONS[code.name]!(...code.args.map(argument => numeric(evaluate(argument, scope))));
  }
}

function lookUp(name: string, scope: CodeScope): Value {
  const variable = scope.variables.get(name);
  if (variable !== undefined) return variable;
  if (Object.hasOwn(CODE_CONSTANTS, name)) return CODE_CONSTANTS[name]!;
  if (isMember(name)) return scope.member(name);
  throw new AssertionFailure(`the name ${name} is not defined`);
}

function compareAll(code: Extract<Code, { kind: 'compare' }>, scope: CodeScope): boolean {
  let left = evaluate(code.first, scope);
  for (const [operator, operand] of code.rest) {
    const right = evaluate(operand, scope);
    if (!compare(operator, left, right)) return false;
    left = right;
  }
  return true;
}

function compare(operator: Comparison, left: Value, right: Value): boolean {
  const a = typeof left === 'boolean' ? Number(left) : left;
  const b = typeof right === 'boolean' ? Number(right) : right;
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  const [x, y] = [numeric(a), numeric(b)];
  switch (operator) {
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    case '>=':
      return x >= y;
  }
}

function binary(operator: BinaryOperator, left: Value, right: Value): Value {
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  const [a, b] = [numeric(left), numeric(right)];
  if (b === 0 && ['/', '//', '%'].includes(operator)) throw new AssertionFailure('division by zero');
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    // Python's remainder has the sign of the divisor.
    case '%':
      return a - b * Math.floor(a / b);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '<<':
      return a * 2 ** b;
    case '>>':
      return Math.floor(a / 2 ** b);
  }
}

function numeric(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  throw new AssertionFailure(`${textOf(value)} is not a number`);
}

const truth = (value: Value): boolean => value !== null && value !== false && value !== 0 && value !== '';

function textOf(value: Value): string {
  if (value === null) return 'None';
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}
