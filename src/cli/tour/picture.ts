/** A stretch of terminal output as a picture (SVG), colours included, for the README. */

const COLUMN_PX = 7.8;
const LINE_PX = 18;
const MARGIN_PX = 16;

/** SGR parameters that picocolors uses, as colours on a dark background. */
const COLOURS: Readonly<Record<string, string>> = { '1': '#ffffff', '2': '#8b949e', '32': '#7ee787', '36': '#79c0ff' };
const PLAIN = '#c9d1d9';

/** Draws `lines`, which may carry SGR sequences, `columns` wide. Longer lines are cut off. */
export function terminalSvg(lines: readonly string[], columns: number): string {
  const width = Math.round(columns * COLUMN_PX + 2 * MARGIN_PX);
  const height = lines.length * LINE_PX + 2 * MARGIN_PX;
  const rows = lines.map((line, row) => {
    const y = MARGIN_PX + (row + 1) * LINE_PX - 5;
    return `<text xml:space="preserve" x="${MARGIN_PX}" y="${y}">${spansOf(line, columns)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Terminal output of the tour">`,
    `<style>text{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${PLAIN}}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function spansOf(line: string, columns: number): string {
  let left = columns;
  let colour = PLAIN;
  let spans = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an SGR sequence begins with ESC
  for (const part of line.split(/(\x1b\[\d+m)/)) {
    const code = /\[(\d+)m$/.exec(part)?.[1];
    if (part.startsWith('\x1b') && code !== undefined) {
      colour = COLOURS[code] ?? PLAIN;
      continue;
    }
    const text = part.slice(0, left);
    left -= text.length;
    if (text !== '') spans += `<tspan fill="${colour}">${escaped(text)}</tspan>`;
  }
  return spans;
}

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
