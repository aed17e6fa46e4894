/** Where the parser is in the words of a ruleset, and what it may ask of them. Variables have been put in already. */
import { type Place, RulesetError, type Word, wordsOf } from './lexer.ts';

/** Words that a ruleset may grow to as its variables are put in. */
const MAX_WORDS = 4_000_000;

export class Cursor {
  readonly #words: readonly Word[];
  #at = 0;

  /** Throws a {@link RulesetError}. */
  constructor(text: string) {
    this.#words = withVariables(wordsOf(text));
  }

  get place(): Place {
    return this.#word;
  }

  get atEnd(): boolean {
    return this.#at === this.#words.length - 1;
  }

  /** Whether the word here is that keyword or symbol. */
  sees(text: string): boolean {
    const word = this.#word;
    return (word.kind === 'word' || word.kind === 'symbol') && word.text === text;
  }

  /** Whether a rule ends here: with a line, a semicolon, or its block. */
  get ruleEnds(): boolean {
    return this.#word.kind === 'end' || this.sees('}');
  }

  /** Passes over that keyword or symbol, if it stands here. */
  takes(text: string): boolean {
    if (!this.sees(text)) return false;
    this.#step();
    return true;
  }

  /** Passes over one of these words; `what` says what was wanted instead of something else. */
  oneOf<T extends string>(texts: readonly T[], what: string): T {
    const found = texts.find(text => this.sees(text));
    if (found === undefined) this.fail(`${what} wanted, ${texts.join(' or ')}, but here is ${this.seen}`);
    this.#step();
    return found;
  }

  expect(text: string): void {
    if (!this.takes(text)) this.fail(`"${text}" wanted, but here is ${this.seen}`);
  }

  /** A word, whatever it is. */
  word(what: string): string {
    const { kind, text } = this.#word;
    if (kind !== 'word') this.fail(`${what} wanted, but here is ${this.seen}`);
    this.#step();
    return text;
  }

  /** A word or a string. */
  name(what: string): string {
    const { kind, text } = this.#word;
    if (kind !== 'string') return this.word(what);
    this.#step();
    return text;
  }

  string(what: string): string {
    const { kind, text } = this.#word;
    if (kind !== 'string') this.fail(`${what} wanted, in quotes, but here is ${this.seen}`);
    this.#step();
    return text;
  }

  whole(what: string): number {
    const { place } = this;
    const text = this.word(what);
    if (!/^\d{1,15}$/.test(text)) this.fail(`${what} wanted, a whole number, but here is "${text}"`, place);
    return Number(text);
  }

  /** A rule or a declaration is over. */
  expectEnd(): void {
    if (this.sees('}')) return;
    if (this.#word.kind !== 'end') this.fail(`the rule should end here, but there is ${this.seen}`);
    if (!this.atEnd) this.#step();
  }

  /** Passes over line ends and semicolons. */
  skipEnds(): void {
    while (this.#word.kind === 'end' && !this.atEnd) this.#step();
  }

  /** What stands here, for a message. */
  get seen(): string {
    const { kind, text } = this.#word;
    if (kind === 'end') return text === ';' ? '";"' : text === '' ? 'the end of the text' : 'the end of the line';
    return `"${text}"`;
  }

  fail(message: string, place: Place = this.place): never {
    throw new RulesetError(message, place);
  }

  get #word(): Word {
    return this.#words[this.#at]!;
  }

  #step(): void {
    if (!this.atEnd) this.#at += 1;
  }
}

/** Takes out `define NAME = VALUE`, and puts VALUE wherever `$NAME` stands behind it. */
function withVariables(words: readonly Word[]): readonly Word[] {
  const variables = new Map<string, readonly Word[]>();
  const out: Word[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word.kind === 'word' && word.text === 'define') {
      const name = words[i + 1]!;
      const equals = words[i + 2];
      if (name.kind !== 'word' || equals?.text !== '=') throw new RulesetError('define takes NAME = VALUE', word);
      const end = valueEnd(words, i + 3);
      variables.set(name.text, substituted(words.slice(i + 3, end), variables));
      i = end - 1;
    } else {
      out.push(...substituted([word], variables));
    }
    if (out.length > MAX_WORDS) throw new RulesetError('the ruleset is too long with its variables put in', word);
  }
  return out;
}

/** The first line end or semicolon from `from` on that is not within braces. */
function valueEnd(words: readonly Word[], from: number): number {
  let depth = 0;
  let at = from;
  for (; at < words.length - 1; at++) {
    const { kind, text } = words[at]!;
    if (kind === 'symbol' && text === '{') depth += 1;
    if (kind === 'symbol' && text === '}') depth -= 1;
    if (kind === 'end' && depth <= 0) break;
  }
  if (at === from) throw new RulesetError('define takes NAME = VALUE', words[from]!);
  return at;
}

/** The words with variables replaced; each word of a variable stands where the variable stood. */
function substituted(words: readonly Word[], variables: ReadonlyMap<string, readonly Word[]>): Word[] {
  return words.flatMap(word => {
    if (word.kind !== 'word' || !word.text.startsWith('$')) return [word];
    const value = variables.get(word.text.slice(1));
    if (value === undefined) throw new RulesetError(`no variable "${word.text}" has been defined`, word);
    return value.map(each => ({ ...each, line: word.line, column: word.column }));
  });
}
