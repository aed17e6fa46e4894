/**
 * The words of a ruleset in the language of nftables (nft(8)), each with the line and column where it stands. Line ends
 * and semicolons are words too, for they end a rule; `#` begins a comment, and a backslash goes on in the next line.
 */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a ruleset, and where. */
export class RulesetError extends Error {
  readonly place: Place;

  constructor(message: string, place: Place) {
    super(`line ${place.line}, column ${place.column}: ${message}`);
    this.name = 'RulesetError';
    this.place = place;
  }
}

export interface Word extends Place {
  /** `end` stands for a line end, a semicolon, or the end of the text. */
  readonly kind: 'word' | 'string' | 'symbol' | 'end';
  /** Without the quotes of a string. */
  readonly text: string;
}

/** Longest ruleset that is read, in characters. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
const BLANK = /[ \t\r]/;
/** Words may hold what addresses, prefixes, names and patterns of names are made of. */
const WORD = /[A-Za-z0-9_.:/*@$-]/;
const SYMBOLS = ['==', '!=', '<=', '>=', '<<', '<', '>', '{', '}', '(', ')', ',', '=', '&', '|', '^', '!', '+'];

/** Throws a {@link RulesetError} at a character that begins nothing, and at a string without end. */
export function wordsOf(text: string): readonly Word[] {
  if (text.length > MAX_CHARACTERS) throw new RulesetError('the ruleset is too long', { line: 1, column: 1 });
  const words: Word[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;
  const place = (): Place => ({ line, column: at - lineStart + 1 });
  const newLine = (): void => {
    line += 1;
    lineStart = at;
  };
  while (at < text.length) {
    const character = text[at]!;
    if (BLANK.test(character)) {
      at += 1;
    } else if (character === '#') {
      while (at < text.length && text[at] !== '\n') at += 1;
    } else if (character === '\\' && /^\\[ \t\r]*\n/.test(text.slice(at, at + 80))) {
      at = text.indexOf('\n', at) + 1;
      newLine();
    } else if (character === '\n' || character === ';') {
      words.push({ kind: 'end', text: character, ...place() });
      at += 1;
      if (character === '\n') newLine();
    } else if (character === '"') {
      const end = text.slice(at + 1).search(/["\n]/);
      if (end < 0 || text[at + 1 + end] === '\n') throw new RulesetError('a string without end', place());
      words.push({ kind: 'string', text: text.slice(at + 1, at + 1 + end), ...place() });
      at += end + 2;
    } else if (WORD.test(character)) {
      const start = place();
      const from = at;
      while (at < text.length && WORD.test(text[at]!)) at += 1;
      words.push({ kind: 'word', text: text.slice(from, at), ...start });
    } else {
      const symbol = SYMBOLS.find(each => text.startsWith(each, at));
      if (symbol === undefined) throw new RulesetError(`"${character}" has no meaning here`, place());
      words.push({ kind: 'symbol', text: symbol, ...place() });
      at += symbol.length;
    }
  }
  words.push({ kind: 'end', text: '', ...place() });
  return words;
}
