/** One page of the datasheet, in Markdown: a table of the block's registers, then each with its fields. */
import type { Access, Field, Register } from '../../hw/bus/registers.ts';
import { hex } from '../lib/bytes.ts';
import { bitFieldSvg } from './bit-field.ts';
import type { Book } from './books.ts';

/** A file of the datasheet: its path below `docs/datasheet`, and what is in it. */
export interface DatasheetFile {
  readonly path: string;
  readonly text: string;
}

const ACCESS_TEXT: Readonly<Record<Access, string>> = {
  rw: 'read, write',
  ro: 'read only',
  wo: 'write only, reads 0',
  rc: 'cleared by reading',
  w1c: 'write 1 to clear',
  'rc/w1c': 'cleared by reading, or by writing 1',
  w1s: 'write 1 to set',
  sc: 'read, write; clears itself',
  unimp: 'not implemented: reads 0',
};

const GENERATED = '<!-- Generated from the register declarations by `npm run docs`. Do not edit. -->';

/** The page of a block, and a picture of each register that has several fields. */
export function pageOf(book: Book): DatasheetFile[] {
  const registers = Object.entries(book.map);
  const pictured = registers.filter(([, register]) => Object.keys(register.fields).length > 1);
  const text = [
    GENERATED,
    `# ${book.title}`,
    '',
    book.place,
    '',
    '| Offset | Register | Reset | What it is |',
    '|---|---|---|---|',
    ...registers.map(([name, register]) => summaryRow(book, name, register)),
    '',
    ...registers.flatMap(([name, register]) => section(book, name, register)),
  ].join('\n');
  return [
    { path: `${book.name}.md`, text },
    ...pictured.map(([name, register]) => ({
      path: picturePath(book, name),
      text: bitFieldSvg(name, register.fields, book.width),
    })),
  ];
}

/** The front page: a list of the pages. */
export function indexOf(books: readonly Book[]): DatasheetFile {
  const text = [
    GENERATED,
    '# Datasheet',
    '',
    'What the registers of the emulated hardware are and do. The pages are made from the declarations on which the',
    'devices themselves run, so they cannot disagree with them. Bits that no field names are reserved: they read 0,',
    'and a write of 1 is reported to whoever observes the device.',
    '',
    ...books.map(({ name, title, map }) => `- [${title}](${name}.md): ${Object.keys(map).length} registers`),
    '',
  ].join('\n');
  return { path: 'README.md', text };
}

const picturePath = (book: Book, name: string): string => `bits/${book.name}-${name}.svg`;

function summaryRow(book: Book, name: string, register: Register): string {
  return `| ${offsetOf(book, register)} | [${nameOf(name, register)}](#${anchorOf(name, register)}) | ${resetOf(book, register)} | ${register.doc} |`;
}

function section(book: Book, name: string, register: Register): string[] {
  const fields = Object.entries(register.fields);
  const picture = fields.length > 1 ? [`![Fields of ${name}](${picturePath(book, name)})`, ''] : [];
  return [
    `## ${nameOf(name, register)}`,
    '',
    `${register.doc}. Offset ${offsetOf(book, register)}, reset ${resetOf(book, register)}.${register.sticky ? ' Survives a software reset.' : ''}`,
    '',
    ...picture,
    '| Bits | Field | Access | Reset | What it does |',
    '|---|---|---|---|---|',
    ...fields.map(([field, declaration]) => fieldRow(field, declaration)),
    '',
  ];
}

function fieldRow(name: string, [access, hi, lo, reset, doc]: Field): string {
  const width = hi - lo + 1;
  const value =
    width === 1 ? String(reset & 1) : hex(width === 32 ? reset : reset & (2 ** width - 1), Math.ceil(width / 4));
  return `| ${hi === lo ? hi : `${hi}:${lo}`} | ${name} | ${ACCESS_TEXT[access]} | ${value} | ${doc} |`;
}

function offsetOf(book: Book, { at, count, stride }: Register): string {
  if (book.step !== 1) return String(at / book.step);
  const first = hex(at, 4);
  return count === 1 ? first : `${first} + ${stride} n`;
}

const nameOf = (name: string, { count }: Register): string => (count === 1 ? name : `${name}[0..${count - 1}]`);

/** The anchor that GitHub makes of the heading. */
const anchorOf = (name: string, register: Register): string =>
  nameOf(name, register)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '');

function resetOf(book: Book, { fields }: Register): string {
  const value = Object.values(fields).reduce((sum, [, , lo, reset]) => sum | (reset << lo), 0);
  return hex(book.width === 32 ? value : value & (2 ** book.width - 1), book.width / 4);
}
