/** How one frame fares in half duplex, over all its attempts. Read by the client when it is told of the end. */
export interface ProgressState {
  readonly collisions: number;
  readonly lateCollisions: number;
  readonly deferred: boolean;
  readonly excessivelyDeferred: boolean;
  readonly late: boolean;
  readonly carrierLost: boolean;
  readonly waitFromNs: number;
}

export class Progress {
  /** Collisions, late ones included. */
  collisions = 0;
  lateCollisions = 0;
  /** The first attempt had to wait. */
  deferred = false;
  /** It waited longer than maxDeferTime. */
  excessivelyDeferred = false;
  /** The latest collision was late. */
  late = false;
  /** Carrier was lost during this attempt: the link went away. */
  carrierLost = false;
  /** Since when it waits for the medium. */
  waitFromNs = 0;

  /** A new frame. */
  begin(): void {
    this.collisions = this.lateCollisions = 0;
    this.deferred = this.excessivelyDeferred = false;
  }

  /** It has to wait for the medium. */
  wait(nowNs: number): void {
    this.waitFromNs = nowNs;
    if (this.collisions === 0) this.deferred = true;
  }

  /** It need not any longer. True if this is the first time that it took more than `maxNs`. */
  endWait(nowNs: number, maxNs: number): boolean {
    if (this.excessivelyDeferred || nowNs - this.waitFromNs <= maxNs) return false;
    this.excessivelyDeferred = true;
    return true;
  }

  collided(late: boolean): void {
    this.late = late;
    this.collisions += 1;
    if (late) this.lateCollisions += 1;
  }

  save(): ProgressState {
    return { ...this };
  }

  load(state: ProgressState): void {
    Object.assign(this, state);
  }
}
