/**
 * The statements of a `%{ … }%` block: a small part of Python, with which a script looks at `tcp_info`. What they are
 * is here; `code-parser.ts` reads them, `code-run.ts` carries them out.
 */
import type { Position } from './script.ts';

export type Statement =
  | {
      readonly kind: 'assert';
      readonly condition: Code;
      readonly message: Code | null;
      readonly at: Position;
      readonly text: string;
    }
  | { readonly kind: 'print'; readonly values: readonly Code[]; readonly at: Position }
  | { readonly kind: 'assign'; readonly name: string; readonly value: Code; readonly at: Position };

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '&' | '|' | '<<' | '>>';
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Code =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string; readonly at: Position }
  | { readonly kind: 'not' | 'negative'; readonly of: Code }
  | { readonly kind: 'and' | 'or'; readonly left: Code; readonly right: Code }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Code; readonly right: Code }
  /** `a < b <= c`: each neighbour with the next. */
  | { readonly kind: 'compare'; readonly first: Code; readonly rest: readonly (readonly [Comparison, Code])[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Code[]; readonly at: Position };

export type Value = number | boolean | string | null;
