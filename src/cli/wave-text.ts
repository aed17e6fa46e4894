/** Draws waves in a terminal: one character column is one symbol of the line, one line of text is one signal. */
import pc from 'picocolors';
import { type Field, type Segment, segmentsOf, type Wave } from '../observe/wave.ts';

export interface TextDrawing {
  readonly waves: readonly Wave[];
  readonly fromNs: number;
  readonly toNs: number;
  readonly originNs: number;
  /** A unit of the MII, and the columns that it takes. */
  readonly unitNs: number;
  readonly unitColumns: number;
  /** Columns of the terminal. */
  readonly columns: number;
  readonly coloured: boolean;
}

const GUTTER_COLUMNS = 13;
const MIN_UNITS = 4;
/** By the sign of the value: -1, 0, 1. */
const LEVELS = ['▁', '─', '▔'] as const;
const BITS = ['▁', '▔'] as const;

type Colours = ReturnType<typeof pc.createColors>;
type Paint = (text: string) => string;

interface Cell {
  readonly character: string;
  readonly paint: Paint;
}

/** Rows of lines of text, each row a stretch of time. */
export function waveText(drawing: TextDrawing): string[][] {
  const { fromNs, toNs, unitNs, unitColumns, columns } = drawing;
  const units = Math.max(MIN_UNITS, 2 * Math.floor((columns - GUTTER_COLUMNS) / unitColumns / 2));
  const rowNs = units * unitNs;
  const colours = pc.createColors(drawing.coloured);
  return Array.from({ length: Math.ceil((toNs - fromNs) / rowNs) }, (_, i) => {
    const beginNs = fromNs + i * rowNs;
    return rowOf(drawing, beginNs, Math.min(beginNs + rowNs, toNs), colours);
  });
}

function rowOf(drawing: TextDrawing, fromNs: number, toNs: number, colours: Colours): string[] {
  const { waves, originNs, unitNs, unitColumns } = drawing;
  const columnNs = unitNs / unitColumns;
  const width = Math.round((toNs - fromNs) / columnNs);
  const lines = [colours.dim(`${' '.repeat(GUTTER_COLUMNS)}${signed(fromNs - originNs)} ns`)];
  let scope = '';
  for (const wave of waves) {
    if (wave.scope !== scope) lines.push(colours.bold(wave.scope));
    scope = wave.scope;
    const cells = new Array<Cell>(width).fill({ character: ' ', paint: String });
    for (const segment of segmentsOf(wave, fromNs, toNs)) {
      const at = Math.round((segment.atNs - fromNs) / columnNs);
      const end = Math.round((segment.toNs - fromNs) / columnNs);
      const paint = paintOf(wave, segment, colours);
      [...charactersOf(wave, segment, end - at)].forEach((character, i) => {
        cells[at + i] = { character, paint };
      });
    }
    lines.push(`${colours.dim(wave.name.padStart(GUTTER_COLUMNS - 2))}  ${painted(cells)}`.trimEnd());
  }
  return lines;
}

function charactersOf({ kind }: Wave, { value, text }: Segment, width: number): string {
  if (value === null) return ' '.repeat(width);
  if (kind === 'level') return LEVELS[value + 1]!.repeat(width);
  if (kind === 'clock' || kind === 'bit') return BITS[value]!.repeat(width);
  if (kind === 'digits') return text.padEnd(width);
  if (text === '') return '·'.repeat(width);
  return `│${text}`.slice(0, width).padEnd(width);
}

function paintOf({ kind }: Wave, { field }: Segment, colours: Colours): Paint {
  if (kind === 'level') return colours.yellow;
  if (kind === 'clock' || kind === 'digits') return colours.dim;
  if (kind === 'bit') return colours.green;
  return field === null ? colours.dim : fieldPaint(field, colours);
}

function fieldPaint(field: Field, colours: Colours): Paint {
  switch (field) {
    case 'preamble':
      return colours.gray;
    case 'SFD':
    case 'code':
      return colours.yellow;
    case 'DA':
      return colours.cyan;
    case 'SA':
      return colours.blue;
    case 'type':
      return colours.magenta;
    case 'data':
      return colours.white;
    case 'FCS':
    case 'jam':
      return colours.red;
  }
}

/** The characters of `cells`, each run of one paint painted at once. */
function painted(cells: readonly Cell[]): string {
  let line = '';
  for (let at = 0; at < cells.length; ) {
    const { paint } = cells[at]!;
    let text = '';
    while (cells[at]?.paint === paint) text += cells[at++]!.character;
    line += paint(text);
  }
  return line;
}

const signed = (ns: number): string => (ns > 0 ? `+${ns}` : String(ns));
