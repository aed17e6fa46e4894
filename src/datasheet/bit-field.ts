/**
 * A register as a row of boxes, bit 31 on the left, as a datasheet draws it: SVG, for light and dark backgrounds. Rows
 * of 16 bits keep the names of narrow fields readable.
 */
import type { Fields } from '../../hw/bus/registers.ts';

const ROW_BITS = 16;
const BIT_PX = 46;
const BOX_PX = 34;
const ROW_PX = 64;
const MARGIN_PX = 8;
const LABEL_PX = 14;

/** The fields of a register of `width` bits, as a picture. Deterministic. */
export function bitFieldSvg(name: string, fields: Fields, width: number): string {
  const rows = Math.ceil(width / ROW_BITS);
  const columns = Math.min(width, ROW_BITS);
  const svgWidth = columns * BIT_PX + 2 * MARGIN_PX;
  const boxes = Array.from({ length: rows }, (_, row) => rowOf(fields, width, row)).flat();
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${svgWidth} ${rows * ROW_PX + MARGIN_PX}" width="${svgWidth}" role="img" aria-label="Fields of ${name}">`,
    '<style>',
    'text{font:11px ui-monospace,monospace;text-anchor:middle;fill:#24292f}.bit{font-size:9px;fill:#6e7781}',
    'rect{fill:#ddf4ff;stroke:#57606a}.reserved{fill:#eaeef2}',
    '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bit{fill:#8b949e}rect{fill:#0c2d6b;stroke:#8b949e}.reserved{fill:#21262d}}',
    '</style>',
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}

/** The part of a field that lies in one row; `name` is null for reserved bits. */
interface Part {
  readonly name: string | null;
  readonly hi: number;
  readonly lo: number;
}

function rowOf(fields: Fields, width: number, row: number): string[] {
  const top = width - 1 - row * ROW_BITS;
  const bottom = Math.max(0, top - ROW_BITS + 1);
  return partsOf(fields, top, bottom).flatMap(part => boxOf(part, top, row));
}

function partsOf(fields: Fields, top: number, bottom: number): Part[] {
  const parts: Part[] = [];
  for (let bit = top; bit >= bottom; ) {
    const found = Object.entries(fields).find(([, [, hi, lo]]) => bit <= hi && bit >= lo);
    let lo = found === undefined ? bit : Math.max(bottom, found[1][2]);
    while (found === undefined && lo > bottom && !isNamed(fields, lo - 1)) lo -= 1;
    parts.push({ name: found?.[0] ?? null, hi: bit, lo });
    bit = lo - 1;
  }
  return parts;
}

const isNamed = (fields: Fields, bit: number): boolean =>
  Object.values(fields).some(([, hi, lo]) => bit <= hi && bit >= lo);

function boxOf({ name, hi, lo }: Part, top: number, row: number): string[] {
  const x = MARGIN_PX + (top - hi) * BIT_PX;
  const y = row * ROW_PX + LABEL_PX + MARGIN_PX;
  const boxWidth = (hi - lo + 1) * BIT_PX;
  const label = name === null ? '' : fitted(name, boxWidth);
  return [
    `<rect x="${x}" y="${y}" width="${boxWidth}" height="${BOX_PX}"${name === null ? ' class="reserved"' : ''}/>`,
    label === '' ? '' : `<text x="${x + boxWidth / 2}" y="${y + BOX_PX / 2 + 4}">${label}</text>`,
    `<text class="bit" x="${x + BIT_PX / 2}" y="${y - 4}">${hi}</text>`,
    hi === lo ? '' : `<text class="bit" x="${x + boxWidth - BIT_PX / 2}" y="${y - 4}">${lo}</text>`,
  ].filter(line => line !== '');
}

/** The name, squeezed when it is wider than its box. */
function fitted(name: string, boxWidth: number): string {
  const room = boxWidth - 4;
  return name.length * 6.7 <= room
    ? name
    : `<tspan textLength="${room}" lengthAdjust="spacingAndGlyphs">${name}</tspan>`;
}
