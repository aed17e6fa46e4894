/**
 * A place in the text of a script, with what a parser does there: look, take, complain. The language has no tokens that
 * are the same everywhere (`.` is a flag, a number and a range), so each rule says by a pattern what it wants next.
 * Blanks, line ends, with a backslash before them or not, and the three kinds of comment stand between any two pieces, and are passed over.
 */
import { type Position, ScriptError } from './script.ts';

const BLANK = /(?:\s|\\\r?\n|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)*/y;
/** In Python `//` divides. */
const CODE_BLANK = /(?:\s|#[^\n]*)*/y;
/** What of the text a complaint quotes. */
const QUOTED_CHARACTERS = 20;

export class Cursor {
  readonly text: string;
  /** Inside of a `%{ }%` block other comments hold. */
  inCode = false;
  #at = 0;
  #end = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Offset of the next piece. */
  get at(): number {
    this.#skipBlank();
    return this.#at;
  }

  /** Where the last piece that was taken ended. */
  get end(): number {
    return this.#end;
  }

  get atEnd(): boolean {
    return this.at === this.text.length;
  }

  /** The next piece, if it is like `pattern`, which is sticky; else null, and nothing is taken. */
  take(pattern: RegExp): string | null {
    return this.match(pattern)?.[0] ?? null;
  }

  /** As `take`, with the groups of the pattern. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.#at = this.#end = pattern.lastIndex;
    return match;
  }

  /** Whether the next piece is like `pattern`. */
  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  /** Takes `text` if it is the next piece. */
  accept(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.#at += text.length;
    this.#end = this.#at;
    return true;
  }

  /** Throws a ScriptError unless the next piece is `text`. */
  expect(text: string): void {
    if (!this.accept(text)) this.fail(`"${text}" is missing`);
  }

  /** As `take`; throws a ScriptError that says what is missing. */
  require(pattern: RegExp, what: string): string {
    return this.take(pattern) ?? this.fail(`${what} is missing`);
  }

  /** Leaves the rest of the line out, as far as it was not taken. */
  skipLine(): void {
    const end = this.text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.text.length : end;
  }

  position(at = this.at): Position {
    const before = this.text.slice(0, at);
    const lineStart = before.lastIndexOf('\n') + 1;
    return { line: before.split('\n').length, column: at - lineStart + 1 };
  }

  fail(text: string, at = this.at): never {
    throw new ScriptError('syntax', this.position(at), `${text}, before ${this.#quote(at)}`);
  }

  unsupported(what: string, at = this.at): never {
    throw new ScriptError('unsupported', this.position(at), `not supported: ${what}`);
  }

  #quote(at: number): string {
    if (at >= this.text.length) return 'the end of the script';
    return `"${this.text
      .slice(at, at + QUOTED_CHARACTERS)
      .split('\n')[0]!
      .trimEnd()}"`;
  }

  #skipBlank(): void {
    const blank = this.inCode ? CODE_BLANK : BLANK;
    blank.lastIndex = this.#at;
    blank.exec(this.text);
    this.#at = blank.lastIndex;
  }
}
