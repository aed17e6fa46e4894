/**
 * What a MAC counts of its transmissions, clause 5.2.4 with the names of RFC 3635. With no frame in progress:
 *
 *   framesOffered = framesOk + excessiveCollisions + lateAborted
 *   attempts      = framesOk + collisions
 *   Σ k · collisionFrames[k] + (collisions of the frames that were given up) = collisions
 *
 * Received frames are classified in `receive.ts`, by whoever knows the longest frame that is allowed.
 */

/** Successes after so many collisions and more share the last cell of the histogram. */
const MAX_COUNTED_COLLISIONS = 15;

export class MacCounters {
  /** Frames that the client handed over, but for those that a reset took back. */
  framesOffered = 0;
  /** Frames that went out whole. */
  framesOk = 0;
  /** Times that a preamble was begun. */
  attempts = 0;
  /** Attempts that collided, late ones included. */
  collisions = 0;
  /** By number of collisions, 1 to 15: frames that went out in the end. */
  readonly collisionFrames: Float64Array = new Float64Array(MAX_COUNTED_COLLISIONS + 1);
  /** Frames that went out at the first attempt, which had to wait. */
  deferredTransmissions = 0;
  lateCollisions = 0;
  /** Frames given up at the attempt limit. */
  excessiveCollisions = 0;
  /** Frames given up for a late collision. */
  lateAborted = 0;
  /** Attempts during which carrier was lost, without a collision. */
  carrierSenseErrors = 0;
  /** Frames that waited longer than maxDeferTime; counted when the wait ends. */
  excessiveDeferrals = 0;
  /** Transmissions at 10 Mb/s after which the transceiver did not say that its collision circuit works. */
  sqeTestErrors = 0;
  /** Arrivals that were lost because they met an own transmission. */
  arrivalsCollided = 0;
  /** At 1000 Mb/s: arrivals shorter than a slot, which are what a collision leaves. */
  arrivalsShort = 0;

  /** Frames that went out after exactly one collision. */
  get singleCollisionFrames(): number {
    return this.collisionFrames[1]!;
  }

  /** Frames that went out after more than one. */
  get multipleCollisionFrames(): number {
    let frames = 0;
    for (let k = 2; k <= MAX_COUNTED_COLLISIONS; k++) frames += this.collisionFrames[k]!;
    return frames;
  }

  /** A frame has gone out in full duplex, where it is counted only now. */
  sentInFullDuplex(): void {
    this.framesOffered += 1;
    this.attempts += 1;
    this.framesOk += 1;
  }

  /** A frame has gone out after `collisions` collisions. */
  sent(collisions: number): void {
    this.framesOk += 1;
    if (collisions > 0) this.collisionFrames[Math.min(collisions, MAX_COUNTED_COLLISIONS)]! += 1;
  }

  save(): MacCountersState {
    return { ...this, collisionFrames: this.collisionFrames.slice() };
  }

  load(state: MacCountersState): void {
    const { collisionFrames, ...rest } = state;
    Object.assign(this, rest);
    this.collisionFrames.set(collisionFrames);
  }
}

type CounterName = Exclude<
  { [K in keyof MacCounters]: MacCounters[K] extends number ? K : never }[keyof MacCounters],
  'singleCollisionFrames' | 'multipleCollisionFrames'
>;

export type MacCountersState = Readonly<Record<CounterName, number>> & { readonly collisionFrames: Float64Array };
