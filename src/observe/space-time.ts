/**
 * A run of a shared medium as text: time runs down, one column to a station. A line is written for each moment at which
 * a signal begins, turns to jam or ends at its sender, or begins or ends at somebody else's place.
 *
 *   |  silence    *  sends    #  jams    :  hears one other    X  hears several, or hears while it sends
 */
/** Moments that are drawn: a longer run is cut at its end, since the beginning of trouble is what one wants to see. */
const MAX_MOMENTS = 120;

/** One attempt to send, at the place of the sender: a transmission that is over. */
export interface Signal {
  readonly startNs: number;
  /** When the last bit has left. */
  readonly endNs: number;
  /** From when on it was jam; Infinity if it never was. */
  readonly jamNs: number;
}

export interface Track {
  readonly name: string;
  readonly transmissions: readonly Signal[];
}

/** Draws `tracks`, between which signals take `delayNs`. Times are written in bit times of `bitNs`, or in another `unit`. */
export function spaceTime(
  tracks: readonly Track[],
  delayNs: (from: number, to: number) => number,
  bitNs: number,
  unit = 'bit time',
): string {
  const moments = new Set<number>();
  for (const [from, { transmissions }] of tracks.entries()) {
    for (const { startNs, jamNs, endNs } of transmissions) {
      if (jamNs < endNs) moments.add(jamNs);
      for (let to = 0; to < tracks.length; to++) {
        const delay = to === from ? 0 : delayNs(from, to);
        moments.add(startNs + delay).add(endNs + delay);
      }
    }
  }
  const times = [...moments].sort((a, b) => a - b);
  const lines = [`${unit.padStart(12)}  ${tracks.map((_, i) => `${i}`.padStart(2)).join(' ')}`];
  for (const nowNs of times.slice(0, MAX_MOMENTS)) {
    const cells = tracks.map((_, place) => cell(tracks, place, nowNs, delayNs).padStart(2));
    lines.push(`${(nowNs / bitNs).toFixed(1).padStart(12)}  ${cells.join(' ')}`);
  }
  if (times.length > MAX_MOMENTS) lines.push(`… and ${times.length - MAX_MOMENTS} more moments`);
  return lines.join('\n');
}

function cell(
  tracks: readonly Track[],
  place: number,
  nowNs: number,
  delayNs: (from: number, to: number) => number,
): string {
  let others = 0;
  let own = '';
  for (const [from, { transmissions }] of tracks.entries()) {
    const delay = from === place ? 0 : delayNs(from, place);
    for (const { startNs, jamNs, endNs } of transmissions) {
      if (nowNs < startNs + delay || nowNs >= endNs + delay) continue;
      if (from !== place) others += 1;
      else own = nowNs >= jamNs ? '#' : '*';
    }
  }
  if (others > 1 || (others > 0 && own === '*')) return own === '#' ? '#' : 'X';
  return own || (others > 0 ? ':' : '|');
}
