/**
 * What the stations do just now, as a space-time diagram in text for a terminal: one column to a station, time runs down
 * to the present. It is made from the latest attempts of each station, so a long run costs no more than a short one.
 */
import type { Transmission } from '../../../hw/ethernet/ports.ts';
import type { SaturatedStation } from './saturated-station.ts';

/** Attempts remembered of each station. */
const ATTEMPTS = 32;
const ROWS = 20;
/** Stations that fit on a terminal. */
const MAX_COLUMNS = 32;
/** A row is this part of a frame, but no less than the bits below. */
const ROWS_PER_FRAME = 6;
const MIN_ROW_BITS = 64;

const LEGEND = '| silence   * sends   # jams   ~ waits to try again   : hears another   X hears while it sends';

interface Shape {
  readonly frameBytes: number;
  readonly bitNs: number;
  /** From any station to any other; nothing where it differs from pair to pair. */
  readonly delayNs: number;
}

export class LiveDiagram {
  readonly #tracks: readonly Transmission[][];
  readonly #shape: Shape;
  readonly #stationCount: number;

  /** Follows `stations` from now on. */
  constructor(stations: readonly SaturatedStation[], shape: Shape) {
    this.#shape = shape;
    this.#stationCount = stations.length;
    this.#tracks = stations.slice(0, MAX_COLUMNS).map(({ unit }) => {
      const track: Transmission[] = [];
      unit.onTransmit = transmission => {
        track.push(transmission);
        if (track.length > ATTEMPTS) track.shift();
      };
      return track;
    });
  }

  /** The stretch of time up to `nowNs`, in nanoseconds. */
  lines(nowNs: number): string[] {
    const { frameBytes, bitNs } = this.#shape;
    const stepNs = Math.max(MIN_ROW_BITS, Math.round((8 * frameBytes) / ROWS_PER_FRAME)) * bitNs;
    const rows = Array.from({ length: ROWS }, (_, row) => nowNs - (ROWS - 1 - row) * stepNs);
    const hidden = this.#stationCount - this.#tracks.length;
    return [
      `${'us'.padStart(14)}  ${this.#tracks.map((_, station) => String(station).padStart(2)).join('')}${hidden > 0 ? `  and ${hidden} more` : ''}`,
      ...rows
        .filter(atNs => atNs >= 0)
        .map(atNs => `${(atNs / 1000).toFixed(1).padStart(14)}  ${this.#row(atNs).join('')}`),
      LEGEND,
    ];
  }

  #row(atNs: number): string[] {
    const own = this.#tracks.map(track => signalAt(track, atNs));
    const heard = this.#tracks.map(track => signalAt(track, atNs - this.#shape.delayNs) !== null);
    return own.map((signal, station) => {
      const others = heard.some((sends, from) => sends && from !== station);
      if (signal === null) return ` ${waits(this.#tracks[station]!, atNs) ? '~' : others ? ':' : '|'}`;
      if (atNs >= signal.jamNs) return ' #';
      return others ? ' X' : ' *';
    });
  }
}

/** The attempt that is under way at a station, or null. */
function signalAt(track: readonly Transmission[], atNs: number): Transmission | null {
  return track.find(({ startNs, endNs }) => atNs >= startNs && atNs < endNs) ?? null;
}

/** Whether the latest attempt before that time was broken off. */
function waits(track: readonly Transmission[], atNs: number): boolean {
  return track.findLast(({ endNs }) => endNs <= atNs)?.aborted ?? false;
}
