/**
 * Slow start and congestion avoidance, RFC 5681 section 3.1.
 */
import type { CongestionAlgorithm, TcpOptions } from '../user.ts';
import type { CongestionControl } from './congestion-control.ts';

/** No window that a header can offer is larger than this. */
const MAX_CWND = 2 ** 30;

/** How fast the window begins and grows. */
export type GrowthOptions = Readonly<Pick<TcpOptions, 'initialWindowSegments' | 'slowStartSegments'>>;

/** IW, RFC 5681 section 3.1. */
function initialWindow(mss: number): number {
  if (mss > 2190) return 2 * mss;
  return mss > 1095 ? 3 * mss : 4 * mss;
}

export class Reno implements CongestionControl {
  readonly name: CongestionAlgorithm = 'reno';
  readonly keepsRecovering: boolean = false;
  cwnd = 0;
  ssthresh = MAX_CWND;
  protected mss = 0;
  /** Acknowledged during congestion avoidance since the window last grew. */
  #acknowledged = 0;
  readonly #growth: GrowthOptions;

  constructor(growth: GrowthOptions) {
    this.#growth = growth;
  }

  setMss(mss: number): void {
    this.mss = mss;
  }

  begin(synLost: boolean): void {
    this.cwnd = synLost ? this.mss : this.#initialWindow();
  }

  acknowledged(bytes: number, nowNs: number, srttNs: number): void {
    if (this.cwnd < this.ssthresh) {
      this.cwnd = Math.min(MAX_CWND, this.cwnd + Math.min(bytes, this.#growth.slowStartSegments * this.mss));
    } else this.avoid(bytes, nowNs, srttNs);
  }

  lost(flightBytes: number, _nowNs: number): void {
    this.ssthresh = Math.max(Math.floor(flightBytes / 2), 2 * this.mss);
    this.#acknowledged = 0;
  }

  timedOut(flightBytes: number, first: boolean, nowNs: number): void {
    if (first) this.lost(flightBytes, nowNs);
    this.cwnd = this.mss;
  }

  idle(): void {
    this.cwnd = Math.min(this.#initialWindow(), this.cwnd);
  }

  /** One SMSS for each window that was acknowledged (RFC 5681 section 3.1, by counting bytes). */
  protected avoid(bytes: number, _nowNs: number, _srttNs: number): void {
    this.#acknowledged += bytes;
    if (this.#acknowledged < this.cwnd) return;
    this.#acknowledged -= this.cwnd;
    this.cwnd = Math.min(MAX_CWND, this.cwnd + this.mss);
  }

  #initialWindow(): number {
    const { initialWindowSegments } = this.#growth;
    return initialWindowSegments === 0 ? initialWindow(this.mss) : initialWindowSegments * this.mss;
  }
}
