/**
 * Draws waves as an SVG file, in rows like a score: each row is a stretch of time with all signals under each other.
 * Nothing in it depends on anything but the waves, so that the same run draws the same picture.
 */
import { type Field, type Segment, segmentsOf, type Wave, type WaveKind } from './wave.ts';

export interface Drawing {
  readonly title: string;
  /** Lines under the title. */
  readonly notes: readonly string[];
  readonly waves: readonly Wave[];
  readonly fromNs: number;
  readonly toNs: number;
  /** What the time axis calls zero. */
  readonly originNs: number;
  /** A tick of the time axis stands at each of these from the origin on. */
  readonly tickNs: number;
  /** How much time a row shows, and how wide it is. */
  readonly rowNs: number;
  readonly rowPx: number;
}

const MARGIN_PX = 28;
const GUTTER_PX = 96;
const TITLE_PX = 34;
const NOTE_PX = 19;
const AXIS_PX = 34;
const SCOPE_PX = 20;
const ROW_GAP_PX = 34;
/** Height of the drawn signal, and of the strip that it stands in. */
const HEIGHT_PX: Readonly<Record<WaveKind, readonly [number, number]>> = {
  clock: [11, 19],
  bit: [13, 21],
  bus: [19, 26],
  digits: [11, 17],
  level: [40, 50],
};
/** How the levels of a voltage are labelled. */
const VOLTAGES = [
  [1, '+'],
  [0, '0'],
  [-1, '-'],
] as const;
/** How far an edge leans. */
const EDGE_PX = 2;
const CHARACTER_PX = 6.7;

const FILLS: Readonly<Record<Field, string>> = {
  preamble: '#e5e9f0',
  SFD: '#fbd38d',
  DA: '#bee3f8',
  SA: '#c3dafe',
  type: '#d6bcfa',
  data: '#b8f0dc',
  FCS: '#fed7e2',
  jam: '#feb2b2',
  code: '#faf089',
};
const PLAIN_FILL = '#ffffff';

const STYLE = `
  text { font: 11px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #243b53 }
  .title { font: 600 17px 'DejaVu Sans', 'Segoe UI', Helvetica, sans-serif; fill: #102a43 }
  .note { font: 12px 'DejaVu Sans', 'Segoe UI', Helvetica, sans-serif; fill: #627d98 }
  .scope { font: 600 11px 'DejaVu Sans', 'Segoe UI', Helvetica, sans-serif; fill: #486581 }
  .name { fill: #627d98; text-anchor: end }
  .tick { font-size: 9.5px; fill: #829ab1; text-anchor: middle }
  .value { text-anchor: middle }
  .digit { font-size: 9.5px; fill: #627d98; text-anchor: middle }
  .field { font: 600 10px 'DejaVu Sans', 'Segoe UI', Helvetica, sans-serif; fill: #486581; text-anchor: middle }
  .grid { stroke: #e4eaf1; stroke-width: 1; fill: none }
  .zero { stroke: #d9e2ec; stroke-width: 1; stroke-dasharray: 2 3 }
  .clock { stroke: #9fb3c8; stroke-width: 1.1; fill: none }
  .bit { stroke: #2c5282; stroke-width: 1.5; fill: none; stroke-linejoin: round }
  .bus { stroke: #7b93ad; stroke-width: 1 }
  .level { stroke: #c05621; stroke-width: 1.8; fill: none; stroke-linejoin: round }`;

/** The file's text. */
export function waveSvg(drawing: Drawing): string {
  const { fromNs, toNs, rowNs, rowPx } = drawing;
  const rowCount = Math.ceil((toNs - fromNs) / rowNs);
  const rowHeight = rowHeightOf(drawing.waves);
  const topPx = MARGIN_PX + TITLE_PX + NOTE_PX * drawing.notes.length;
  const width = GUTTER_PX + rowPx + 2 * MARGIN_PX;
  const height = topPx + rowCount * (rowHeight + ROW_GAP_PX) - ROW_GAP_PX + MARGIN_PX;
  const rows = Array.from({ length: rowCount }, (_, i) => {
    const beginNs = fromNs + i * rowNs;
    const row = new Row(drawing, beginNs, Math.min(beginNs + rowNs, toNs), topPx + i * (rowHeight + ROW_GAP_PX));
    return row.draw();
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<style>${STYLE}\n</style>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    label('title', MARGIN_PX, MARGIN_PX + 14, drawing.title),
    ...drawing.notes.map((note, i) => label('note', MARGIN_PX, MARGIN_PX + TITLE_PX + NOTE_PX * i, note)),
    ...rows.flat(),
    '</svg>\n',
  ].join('\n');
}

function rowHeightOf(waves: readonly Wave[]): number {
  const strips = waves.reduce((sum, { kind }) => sum + HEIGHT_PX[kind][1], 0);
  return AXIS_PX + strips + SCOPE_PX * new Set(waves.map(({ scope }) => scope)).size;
}

class Row {
  readonly #drawing: Drawing;
  readonly #fromNs: number;
  readonly #toNs: number;
  #y: number;
  readonly #parts: string[] = [];

  constructor(drawing: Drawing, fromNs: number, toNs: number, topPx: number) {
    this.#drawing = drawing;
    this.#fromNs = fromNs;
    this.#toNs = toNs;
    this.#y = topPx;
  }

  draw(): string[] {
    this.#axis();
    let scope = '';
    for (const wave of this.#drawing.waves) {
      if (wave.scope !== scope) {
        scope = wave.scope;
        this.#parts.push(label('scope', MARGIN_PX, this.#y + 14, scope));
        this.#y += SCOPE_PX;
      }
      const [signalPx, stripPx] = HEIGHT_PX[wave.kind];
      const middle = this.#y + stripPx / 2;
      this.#parts.push(label('name', MARGIN_PX + GUTTER_PX - 14, middle + 4, wave.name));
      this.#wave(wave, middle - signalPx / 2, middle + signalPx / 2);
      this.#y += stripPx;
    }
    return this.#parts;
  }

  #x(timeNs: number): number {
    return MARGIN_PX + GUTTER_PX + ((timeNs - this.#fromNs) / this.#drawing.rowNs) * this.#drawing.rowPx;
  }

  /** Ticks, their lines through all signals, and what part of the frame is below. */
  #axis(): void {
    const { originNs, tickNs, waves } = this.#drawing;
    const bottom = this.#y + rowHeightOf(waves);
    for (let n = Math.ceil((this.#fromNs - originNs) / tickNs); originNs + n * tickNs <= this.#toNs; n++) {
      const x = this.#x(originNs + n * tickNs);
      this.#parts.push(`<path class="grid" d="M${px(x)} ${px(this.#y + 14)}V${px(bottom)}"/>`);
      this.#parts.push(label('tick', x, this.#y + 8, timeText(n * tickNs)));
    }
    const octets = waves.find(({ name }) => name === 'octet');
    if (octets !== undefined) this.#fields(segmentsOf(octets, this.#fromNs, this.#toNs));
    this.#y += AXIS_PX;
  }

  #fields(segments: readonly Segment[]): void {
    for (let i = 0; i < segments.length; ) {
      const { field, atNs } = segments[i]!;
      let end = i;
      while (end < segments.length && segments[end]!.field === field) end += 1;
      const [from, to] = [this.#x(atNs), this.#x(segments[end - 1]!.toNs)];
      i = end;
      if (field === null) continue;
      const y = this.#y + 26;
      this.#parts.push(
        `<rect x="${px(from + 1)}" y="${px(y + 5)}" width="${px(to - from - 2)}" height="3" rx="1.5" fill="${FILLS[field]}"/>`,
      );
      if (fits(field, to - from)) this.#parts.push(label('field', (from + to) / 2, y + 1, field));
    }
  }

  #wave(wave: Wave, top: number, bottom: number): void {
    const segments = segmentsOf(wave, this.#fromNs, this.#toNs);
    if (wave.kind === 'bus') for (const segment of segments) this.#bus(segment, top, bottom);
    else if (wave.kind === 'digits') for (const segment of segments) this.#digit(segment, bottom);
    else this.#line(wave.kind, segments, top, bottom);
  }

  #bus({ atNs, toNs, value, text, field }: Segment, top: number, bottom: number): void {
    const [from, to] = [this.#x(atNs), this.#x(toNs)];
    const middle = (top + bottom) / 2;
    if (text === '' || value === null) {
      this.#parts.push(`<path class="zero" d="M${px(from)} ${px(middle)}H${px(to)}"/>`);
      return;
    }
    const outline = `M${px(from)} ${px(middle)}L${px(from + EDGE_PX)} ${px(top)}H${px(to - EDGE_PX)}L${px(to)} ${px(middle)}L${px(to - EDGE_PX)} ${px(bottom)}H${px(from + EDGE_PX)}Z`;
    this.#parts.push(`<path class="bus" fill="${field === null ? PLAIN_FILL : FILLS[field]}" d="${outline}"/>`);
    if (fits(text, to - from)) this.#parts.push(label('value', (from + to) / 2, middle + 4, text));
  }

  #digit({ atNs, toNs, text }: Segment, bottom: number): void {
    if (text !== '') this.#parts.push(label('digit', (this.#x(atNs) + this.#x(toNs)) / 2, bottom - 1, text));
  }

  /** A wave of levels: 0 at the bottom and 1 at the top, or, of a voltage, -1 at the bottom. */
  #line(kind: 'clock' | 'bit' | 'level', segments: readonly Segment[], top: number, bottom: number): void {
    const low = kind === 'level' ? -1 : 0;
    const yOf = (value: number) => bottom - ((value - low) / (1 - low)) * (bottom - top);
    if (kind === 'level') {
      const [from, to] = [this.#x(this.#fromNs), this.#x(this.#toNs)];
      this.#parts.push(`<path class="zero" d="M${px(from)} ${px(yOf(0))}H${px(to)}"/>`);
      for (const [value, sign] of VOLTAGES) this.#parts.push(label('tick', from - 6, yOf(value) + 3, sign));
    }
    let path = '';
    let drawing = false;
    for (const { atNs, toNs, value, edge } of segments) {
      if (value !== null) {
        const y = px(yOf(value));
        const lean = edge && kind !== 'clock' ? EDGE_PX / 2 : 0;
        path += `${drawing ? `H${px(this.#x(atNs) - lean)}L${px(this.#x(atNs) + lean)} ` : `M${px(this.#x(atNs))} `}${y}H${px(this.#x(toNs) - EDGE_PX / 2)}`;
      }
      drawing = value !== null;
    }
    this.#parts.push(`<path class="${kind}" d="${path}"/>`);
  }
}

const fits = (text: string, widthPx: number): boolean => text.length * CHARACTER_PX <= widthPx + 2;

function label(kind: string, x: number, y: number, text: string): string {
  return `<text class="${kind}" x="${px(x)}" y="${px(y)}">${escaped(text)}</text>`;
}

const px = (value: number): string => String(Math.round(value * 100) / 100);

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** `-160 ns`, `0`, `1.28 us`. */
function timeText(ns: number): string {
  if (ns === 0) return '0';
  return Math.abs(ns) < 1000 ? `${ns} ns` : `${Number((ns / 1000).toFixed(2))} us`;
}
