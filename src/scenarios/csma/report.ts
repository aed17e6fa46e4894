/** What a run of saturated stations came to. */
import type { SpeedMbps } from '../../../hw/ethernet/ports.ts';
import type { SaturatedStation } from './saturated-station.ts';

export interface StationReport {
  /** Of its frames that arrived intact, DA to FCS. */
  readonly goodputBps: number;
  readonly framesSent: number;
  readonly framesDropped: number;
  readonly collisions: number;
  /** Frames that went out at the first attempt, but had to wait for the medium. */
  readonly deferrals: number;
}

export interface CsmaReport {
  /** Bits of frames delivered intact, DA to FCS, in a second of virtual time. */
  readonly goodputBps: number;
  /** The same as a part of the bit rate. */
  readonly utilisation: number;
  readonly framesSent: number;
  readonly framesDropped: number;
  /** Attempts that collided. Two stations that collide count one each. */
  readonly collisions: number;
  /** Frames sent by the number of collisions that they met before: 0 to 15. */
  readonly collisionHistogram: readonly number[];
  readonly lateCollisions: number;
  readonly deferrals: number;
  /** Jain's index of the stations' goodputs: 1 if all get the same, 1/N if one gets all. */
  readonly fairness: number;
  readonly perStation: readonly StationReport[];
}

interface Circumstances {
  readonly speed: SpeedMbps;
  readonly frameBytes: number;
  readonly nowNs: number;
}

const BAR_COLUMNS = 40;
/** Stations that a table for a person shows. */
const MAX_ROWS = 16;

export function reportOf(
  stations: readonly SaturatedStation[],
  { speed, frameBytes, nowNs }: Circumstances,
): CsmaReport {
  const bps = (frames: number) => (nowNs === 0 ? 0 : (frames * 8 * frameBytes * 1e9) / nowNs);
  const perStation = stations.map(({ mac: { counters }, sent, dropped }, i) => ({
    goodputBps: bps(stations[(i + 1) % stations.length]!.receivedFrames),
    framesSent: sent,
    framesDropped: dropped,
    collisions: counters.collisions,
    deferrals: counters.deferredTransmissions,
  }));
  const sum = (of: (station: SaturatedStation) => number) => stations.reduce((total, each) => total + of(each), 0);
  const histogram = Array.from({ length: 16 }, (_, k) => sum(({ mac }) => mac.counters.collisionFrames[k]!));
  const framesSent = sum(({ sent }) => sent);
  histogram[0] = framesSent - histogram.reduce((total, frames) => total + frames, 0);
  const goodputBps = bps(sum(({ receivedFrames }) => receivedFrames));
  return {
    goodputBps,
    utilisation: goodputBps / (speed * 1e6),
    framesSent,
    framesDropped: sum(({ dropped }) => dropped),
    collisions: sum(({ mac }) => mac.counters.collisions),
    collisionHistogram: histogram,
    lateCollisions: sum(({ mac }) => mac.counters.lateCollisions),
    deferrals: sum(({ mac }) => mac.counters.deferredTransmissions),
    fairness: jain(perStation.map(station => station.goodputBps)),
    perStation,
  };
}

/** The report for a person. */
export function reportLines(report: CsmaReport): readonly string[] {
  const { goodputBps, utilisation, framesSent, framesDropped, collisions, lateCollisions, deferrals } = report;
  return [
    `goodput     ${(goodputBps / 1e6).toFixed(3)} Mb/s, ${(100 * utilisation).toFixed(2)} % of the bit rate`,
    `frames      ${framesSent} sent, ${framesDropped} dropped after 16 collisions`,
    `collisions  ${collisions}, of which ${lateCollisions} late`,
    `deferrals   ${deferrals} frames went out at once when the medium fell silent`,
    `fairness    ${report.fairness.toFixed(4)} (Jain: 1 if all stations get the same)`,
    '',
    'collisions before a frame was sent',
    ...histogramLines(report.collisionHistogram),
    '',
    'station      Mb/s    sent  dropped  collisions',
    ...stationLines(report.perStation),
  ];
}

function histogramLines(histogram: readonly number[]): readonly string[] {
  const most = Math.max(...histogram, 1);
  const last = histogram.findLastIndex(frames => frames > 0);
  return histogram.slice(0, last + 1).map((frames, k) => {
    const bar = '█'.repeat(Math.ceil((BAR_COLUMNS * frames) / most));
    return `${String(k).padStart(2)} ${bar.padEnd(BAR_COLUMNS)} ${frames}`;
  });
}

function stationLines(stations: readonly StationReport[]): readonly string[] {
  const rows = stations.slice(0, MAX_ROWS).map((station, i) => {
    const cells = [
      (station.goodputBps / 1e6).toFixed(3),
      station.framesSent,
      station.framesDropped,
      station.collisions,
    ];
    const [goodput, sent, dropped, collided] = cells.map(String) as [string, string, string, string];
    return `${String(i).padStart(7)}${goodput.padStart(10)}${sent.padStart(8)}${dropped.padStart(9)}${collided.padStart(12)}`;
  });
  return stations.length > MAX_ROWS ? [...rows, `… and ${stations.length - MAX_ROWS} more`] : rows;
}

/** The square of the sum over N times the sum of squares. Of nothing at all everyone gets the same. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
