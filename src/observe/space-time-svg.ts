/**
 * A run of a shared cable as a picture (SVG): the cable lies across, time runs down. What a station sends spreads both
 * ways as a slanted band, the flatter the slower; where bands cross, signals are on top of each other.
 */
import type { Signal } from './space-time.ts';

export interface Place {
  readonly name: string;
  /** How far along the cable, as the time that a signal takes from its left end. */
  readonly positionNs: number;
  readonly signals: readonly Signal[];
}

export interface SpaceTimePicture {
  readonly title: string;
  /** From left to right. */
  readonly places: readonly Place[];
  /** Time is written in units of this: a bit. */
  readonly bitNs: number;
  /** What is drawn: up to here, from 0. */
  readonly untilNs: number;
  /** Words beside a station, at a time of its. */
  readonly notes: readonly { readonly place: number; readonly atNs: number; readonly text: string }[];
}

const WIDTH = 900;
const LEFT = 112;
const RIGHT = 250;
const TOP = 84;
const BOTTOM = 36;
const HEIGHT = 620;
/** Notes stand at least so far apart. */
const NOTE_PX = 17;
/** Time between lines of the grid, in bits. */
const GRID_BITS = 100;
const COLOURS = ['#2f6fde', '#e08a1e', '#2c9a63', '#8a55c8'] as const;
const JAM = '#c62f3b';
const STYLE = [
  'text{font:13px system-ui,"Segoe UI","DejaVu Sans",sans-serif;fill:#24292f}',
  '.title{font-size:17px;font-weight:600}',
  '.name{font-weight:600;text-anchor:middle}',
  '.axis{fill:#6e7781;text-anchor:end;font-size:11px}',
  '.note{font-size:12px}',
].join('');

/** Draws it. */
export function spaceTimeSvg(picture: SpaceTimePicture): string {
  const { places, untilNs } = picture;
  const spanNs = Math.max(1, ...places.map(place => place.positionNs));
  const x = (positionNs: number) => round(LEFT + (positionNs / spanNs) * (WIDTH - LEFT - RIGHT));
  const y = (ns: number) => round(TOP + (ns / untilNs) * (HEIGHT - TOP - BOTTOM));
  const label = picture.title.replace(/"/g, '');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="${label}">`,
    `<style>${STYLE}</style>`,
    `<defs><clipPath id="run"><rect x="0" y="${TOP}" width="${WIDTH}" height="${HEIGHT - TOP - BOTTOM}"/></clipPath></defs>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    `<text class="title" x="24" y="32">${escaped(picture.title)}</text>`,
    ...grid(picture, x(0), x(spanNs), y),
    '<g clip-path="url(#run)">',
    ...places.flatMap((place, i) => bands(place, COLOURS[i % COLOURS.length]!, spanNs, x, y)),
    '</g>',
    `<line x1="${x(0)}" x2="${x(spanNs)}" y1="${TOP - 8}" y2="${TOP - 8}" stroke="#57606a" stroke-width="5" stroke-linecap="round"/>`,
    ...places.flatMap((place, i) => station(place, COLOURS[i % COLOURS.length]!, x, y, untilNs)),
    ...notesOf(picture, x, y),
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

function grid({ bitNs, untilNs }: SpaceTimePicture, left: number, right: number, y: Scale): string[] {
  const lines = [`<text class="axis" x="${left - 14}" y="${TOP - 14}">bit times</text>`];
  for (let ns = 0; ns <= untilNs; ns += GRID_BITS * bitNs) {
    lines.push(`<line x1="${left}" x2="${right}" y1="${y(ns)}" y2="${y(ns)}" stroke="#eaeef2"/>`);
    lines.push(`<text class="axis" x="${left - 14}" y="${y(ns) + 4}">${ns / bitNs}</text>`);
  }
  return lines;
}

/** The way of each signal of a station to both ends of the cable; the jam at its end on top. */
function bands({ positionNs, signals }: Place, colour: string, spanNs: number, x: Scale, y: Scale): string[] {
  const band = (fromNs: number, toNs: number, fill: string, opacity: number) => {
    const edges = [0, positionNs, spanNs].map(at => ({ at, delayNs: Math.abs(at - positionNs) }));
    const front = edges.map(({ at, delayNs }) => `${x(at)},${y(fromNs + delayNs)}`);
    const back = edges.reverse().map(({ at, delayNs }) => `${x(at)},${y(toNs + delayNs)}`);
    return `<polygon points="${[...front, ...back].join(' ')}" fill="${fill}" fill-opacity="${opacity}"/>`;
  };
  return signals.flatMap(({ startNs, jamNs, endNs }) => [
    band(startNs, Math.min(jamNs, endNs), colour, 0.38),
    ...(jamNs < endNs ? [band(jamNs, endNs, JAM, 0.5)] : []),
  ]);
}

/** The station's own time line: thick while it sends, dotted from a collision to the next attempt. */
function station({ name, positionNs, signals }: Place, colour: string, x: Scale, y: Scale, untilNs: number): string[] {
  const at = x(positionNs);
  const line = (fromNs: number, toNs: number, style: string) =>
    fromNs >= untilNs
      ? ''
      : `<line x1="${at}" x2="${at}" y1="${y(fromNs)}" y2="${y(Math.min(toNs, untilNs))}" ${style}/>`;
  const lines = [
    line(0, untilNs, 'stroke="#8c959f"'),
    `<circle cx="${at}" cy="${TOP - 8}" r="7" fill="${colour}" stroke="#ffffff" stroke-width="2"/>`,
    `<text class="name" x="${at}" y="${TOP - 22}">${escaped(name)}</text>`,
  ];
  for (const [i, { startNs, jamNs, endNs }] of signals.entries()) {
    lines.push(line(startNs, Math.min(jamNs, endNs), `stroke="${colour}" stroke-width="5"`));
    if (jamNs >= endNs) continue;
    lines.push(line(jamNs, endNs, `stroke="${JAM}" stroke-width="5"`));
    const next = signals[i + 1]?.startNs ?? untilNs;
    lines.push(line(endNs, next, `stroke="${colour}" stroke-width="3" stroke-dasharray="1 6" stroke-linecap="round"`));
  }
  return lines.filter(each => each !== '');
}

/** From top to bottom; a note that would cover the one above moves down, and its line with it. */
function notesOf({ notes, places }: SpaceTimePicture, x: Scale, y: Scale): string[] {
  const right = x(Math.max(...places.map(each => each.positionNs)));
  let free = 0;
  return [...notes]
    .sort((a, b) => a.atNs - b.atNs)
    .flatMap(({ place, atNs, text }) => {
      const at = x(places[place]!.positionNs);
      const row = y(atNs);
      const textRow = Math.max(row, free);
      free = textRow + NOTE_PX;
      const line = `${at},${row} ${right + 10},${row} ${right + 22},${textRow} ${right + 28},${textRow}`;
      return [
        `<polyline points="${line}" fill="none" stroke="#57606a" stroke-width="0.8" stroke-dasharray="3 3"/>`,
        `<circle cx="${at}" cy="${row}" r="4.5" fill="#ffffff" stroke="#24292f" stroke-width="1.5"/>`,
        `<text class="note" x="${right + 34}" y="${textRow + 4}">${escaped(text)}</text>`,
      ];
    });
}

const round = (value: number): number => Math.round(value * 10) / 10;
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
