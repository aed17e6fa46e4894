/**
 * An impairment: a box in line, at the far end of one direction of a cable, that does to frames what a bad network
 * would. It loses them, doubles them, lets others overtake them, damages what they carry, and delays them. A cable can
 * do none of this; a box that holds frames can. What it lets out is a wire again: see {@link DelayLine}.
 *
 * Damage here is another thing than bit errors: the frame gets the FCS that belongs to what it carries now, as from a
 * switch with a bad memory, so that only the checksums of the protocols above can find it. One octet of an IPv4 packet
 * becomes another one, which those checksums find, but for a UDP checksum of which only zero, for none, is left. ARP has
 * no checksum, so its packets are spared.
 *
 * Each kind of decision has a generator of its own and draws once for each frame, whatever becomes of it: so another
 * rate of loss, say, leaves it at that which frames are doubled, and at a higher rate the same frames are lost, and more.
 *
 * A box stands in full duplex only. Where the end that it leads to listens for carrier, it would have to hold back what
 * everybody else has heard: it lets everything pass, and counts that.
 */
import { readBe16 } from '../../../src/lib/bytes.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { Prng, PrngState } from '../../sim/prng.ts';
import { Frame } from '../frame.ts';
import type { Transmission } from '../ports.ts';
import {
  type BoxedFrame,
  type BoxedFrameState,
  DelayLine,
  type DelayLineState,
  loadBoxed,
  saveBoxed,
} from './delay-line.ts';
import { type CheckedImpairments, checkImpairments, type Impairments } from './impairments.ts';

/** How long a frame is held back at most when nothing comes to overtake it. */
export const HOLD_NS = 10_000_000;
/** Frames held back at a time; further ones keep their place. */
export const MAX_HELD_FRAMES = 16;

const ETHER_TYPE_AT = 12;
const ETHER_TYPE_IPV4 = 0x0800;
const IPV4_AT = 14;
const MIN_IPV4_BYTES = 20;
const TOTAL_LENGTH_AT = IPV4_AT + 2;

/** `frame` is null when the box has lost it; `startNs` is when its first bit comes out. */
type BoxEnd = (frame: Frame | null, transmission: Transmission, startNs: number) => void;

/** What a box has done. `taken + duplicated = delivered + lost + dropped + bypassed`, and what is still inside. */
export interface ImpairmentCounters {
  /** Frames that came in, whatever became of them. */
  taken: number;
  delivered: number;
  /** Lost on purpose, by rate or by plan. */
  lost: number;
  /** Second copies that were made. */
  duplicated: number;
  /** Frames held back for others to overtake. */
  reordered: number;
  corrupted: number;
  /** Copies for which there was no room, and those inside when the cable was cut or unplugged. */
  dropped: number;
  /** Let through untouched because of half duplex. */
  bypassed: number;
}

/** A frame that is held back, with its copies, until `overtakers` more have gone past, or until `untilNs`. */
interface Held {
  readonly boxed: BoxedFrame;
  readonly copies: number;
  overtakers: number;
  readonly untilNs: number;
  readonly fromNs: number;
}

export interface HeldState extends Omit<Held, 'boxed'> {
  readonly boxed: BoxedFrameState;
}

export interface ImpairmentState {
  readonly counters: ImpairmentCounters;
  readonly matched: number;
  readonly held: readonly HeldState[];
  readonly holdTimer: TimerState;
  readonly line: DelayLineState;
  readonly prngs: readonly PrngState[];
}

export class Impairment {
  readonly counters: ImpairmentCounters = {
    taken: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    dropped: 0,
    bypassed: 0,
  };
  readonly #clock: Clock;
  readonly #options: CheckedImpairments;
  readonly #deliver: BoxEnd;
  readonly #line: DelayLine;
  readonly #loss: Prng;
  readonly #duplicate: Prng;
  readonly #reorder: Prng;
  readonly #corrupt: Prng;
  readonly #damage: Prng;
  readonly #jitter: Prng;
  /** Frames so far that the planned loss counts. */
  #matched = 0;
  /** In the order in which they came, and in which they are let go. */
  readonly #held: Held[] = [];
  /** Due when the first of those has been held long enough. */
  readonly #holdTimer: Timer;

  /** Throws a RangeError when `impairments` make no sense. */
  constructor(clock: Clock, prng: Prng, impairments: Impairments, deliver: BoxEnd) {
    this.#options = checkImpairments(impairments);
    this.#clock = clock;
    this.#deliver = deliver;
    this.#line = new DelayLine(clock, boxed => this.#leave(boxed));
    this.#holdTimer = clock.timer(() => this.#release());
    this.#loss = prng.fork('loss');
    this.#duplicate = prng.fork('duplicate');
    this.#reorder = prng.fork('reorder');
    this.#corrupt = prng.fork('corrupt');
    this.#damage = prng.fork('damage');
    this.#jitter = prng.fork('jitter');
  }

  /** Takes a frame whose last bit has just come, and whose first one did at `startNs`. */
  take(frame: Frame, transmission: Transmission, startNs: number): void {
    const { counters } = this;
    counters.taken += 1;
    const { loss, duplicate, reorder, corrupt, delayNs, jitterNs, reorderDepth } = this.#options;
    const lost = chance(this.#loss, loss);
    const copies = chance(this.#duplicate, duplicate) ? 2 : 1;
    const heldBack = chance(this.#reorder, reorder);
    const damaged = chance(this.#corrupt, corrupt) ? this.#damaged(frame) : frame;
    const fromNs = startNs + delayNs + (jitterNs === 0 ? 0 : this.#jitter.below(jitterNs + 1));
    if (this.#planned(frame) || lost) {
      counters.lost += 1;
      this.#deliver(null, transmission, startNs);
      return;
    }
    if (damaged !== frame) counters.corrupted += 1;
    counters.duplicated += copies - 1;
    const nowNs = this.#clock.nowNs;
    const boxed = { frame: damaged, transmission, startNs, endNs: nowNs };
    if (heldBack && this.#held.length < MAX_HELD_FRAMES) {
      counters.reordered += 1;
      this.#held.push({ boxed, copies, overtakers: reorderDepth, untilNs: nowNs + HOLD_NS, fromNs });
      if (this.#held.length === 1) this.#holdTimer.armAt(nowNs + HOLD_NS);
      return;
    }
    this.#put(boxed, copies, fromNs);
    this.#overtake();
  }

  /** Lets a frame pass because the far end listens for carrier. */
  bypass(frame: Frame, transmission: Transmission, startNs: number): void {
    this.counters.taken += 1;
    this.counters.bypassed += 1;
    this.#deliver(frame, transmission, startNs);
  }

  /** The cable is cut, or unplugged, behind the box: what is inside will not come out. */
  empty(): void {
    const discard = ({ transmission, startNs }: BoxedFrame) => {
      this.counters.dropped += 1;
      this.#deliver(null, transmission, startNs);
    };
    this.#line.empty(discard);
    this.#holdTimer.cancel();
    for (const { boxed, copies } of this.#held.splice(0)) {
      for (let i = 0; i < copies; i++) discard(boxed);
    }
  }

  save(): ImpairmentState {
    return {
      counters: { ...this.counters },
      matched: this.#matched,
      held: this.#held.map(held => ({ ...held, boxed: saveBoxed(held.boxed) })),
      holdTimer: this.#holdTimer.save(),
      line: this.#line.save(),
      prngs: this.#prngs.map(prng => prng.save()),
    };
  }

  load(state: ImpairmentState): void {
    Object.assign(this.counters, state.counters);
    this.#matched = state.matched;
    this.#held.splice(0, this.#held.length, ...state.held.map(held => ({ ...held, boxed: loadBoxed(held.boxed) })));
    this.#holdTimer.load(state.holdTimer);
    this.#line.load(state.line);
    this.#prngs.forEach((prng, i) => {
      prng.load(state.prngs[i]!);
    });
  }

  get #prngs(): readonly Prng[] {
    return [this.#loss, this.#duplicate, this.#reorder, this.#corrupt, this.#damage, this.#jitter];
  }

  /** Whether the plan names this frame. */
  #planned(frame: Frame): boolean {
    const { lose } = this.#options;
    if (lose === undefined || lose.matching?.(frame.octets) === false) return false;
    this.#matched += 1;
    return lose.nth.includes(this.#matched);
  }

  /** One octet of its IPv4 packet becomes another one; a frame that is damaged already, or has none, stays as it is. */
  #damaged(frame: Frame): Frame {
    const { octets } = frame;
    const at = this.#damage.fraction();
    const flips = 1 + this.#damage.below(255);
    if (octets.length < IPV4_AT + MIN_IPV4_BYTES || readBe16(octets, ETHER_TYPE_AT) !== ETHER_TYPE_IPV4) return frame;
    if (!frame.fcsGood) return frame;
    const packetBytes = Math.min(readBe16(octets, TOTAL_LENGTH_AT), octets.length - IPV4_AT);
    const damaged = octets.slice();
    damaged[IPV4_AT + Math.floor(at * packetBytes)]! ^= flips;
    return Frame.withFcs(damaged);
  }

  /** Another frame has gone past those that are held back. */
  #overtake(): void {
    if (this.#held.length === 0) return;
    for (const held of this.#held) held.overtakers -= 1;
    while (this.#held.length > 0 && this.#held[0]!.overtakers <= 0) this.#letGo();
    this.#armHold();
  }

  /** The first has been held long enough. */
  #release(): void {
    while (this.#held.length > 0 && this.#held[0]!.untilNs <= this.#clock.nowNs) this.#letGo();
    this.#armHold();
  }

  #letGo(): void {
    const { boxed, copies, fromNs } = this.#held.shift()!;
    this.#put(boxed, copies, Math.max(fromNs, this.#clock.nowNs));
  }

  #armHold(): void {
    if (this.#held.length === 0) this.#holdTimer.cancel();
    else this.#holdTimer.armAt(this.#held[0]!.untilNs);
  }

  #put(boxed: BoxedFrame, copies: number, fromNs: number): void {
    for (let i = 0; i < copies; i++) {
      if (this.#line.push(boxed, fromNs)) continue;
      this.counters.dropped += 1;
      this.#deliver(null, boxed.transmission, boxed.startNs);
    }
  }

  #leave({ frame, transmission, startNs }: BoxedFrame): void {
    this.counters.delivered += 1;
    this.#deliver(frame, transmission, startNs);
  }
}

function chance(prng: Prng, probability: number): boolean {
  return probability > 0 && prng.fraction() < probability;
}
