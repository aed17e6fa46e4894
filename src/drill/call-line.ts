/** A system call as a script writes it: name, arguments, and what it must give. */
import type { Position } from './script.ts';

/** An argument, or a part of one. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  /** `AF_INET`: what it means depends on where it stands. */
  | { readonly kind: 'name'; readonly name: string }
  /** `...`: whatever it is, or what is usual. */
  | { readonly kind: 'any' }
  /** `POLLIN | POLLOUT`. */
  | { readonly kind: 'or'; readonly terms: readonly Expression[] }
  /** `[...]`: an array, or where a call puts something. */
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  /** `{fd=3, events=POLLIN}`. Items without a name have their place as name. */
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, Expression> }
  /** `htons(8080)`, `sizeof(x)`. */
  | { readonly kind: 'apply'; readonly name: string; readonly argument: Expression };

export interface CallLine {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly result: CallResult;
  readonly at: Position;
}

export interface CallResult {
  /** Null for `...`: whatever it is. */
  readonly value: number | null;
  /** The name of an error number, with the value -1. */
  readonly errno: string | null;
}

export function expressionText(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return String(expression.value);
    case 'string':
      return JSON.stringify(expression.value);
    case 'name':
      return expression.name;
    case 'any':
      return '...';
    case 'or':
      return expression.terms.map(expressionText).join('|');
    case 'list':
      return `[${expression.items.map(expressionText).join(', ')}]`;
    case 'struct':
      return `{${[...expression.fields].map(([name, value]) => `${name}=${expressionText(value)}`).join(', ')}}`;
    case 'apply':
      return `${expression.name}(${expressionText(expression.argument)})`;
  }
}

export const resultText = ({ value, errno }: CallResult): string =>
  errno === null ? String(value ?? '...') : `-1 ${errno}`;

/** Without its result. */
export const callText = ({ name, args }: CallLine): string => `${name}(${args.map(expressionText).join(', ')})`;
