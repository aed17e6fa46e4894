/**
 * A bare station: a MAC and a PHY with no computer behind them. It stands at the far end of a wire whose other traffic
 * comes from outside: a real peer over a socket, or a recording. It offers every mode that its PHY has, up to gigabit, and no
 * PAUSE, for it obeys none.
 *
 * It sends what it is given in order, as fast as the wire allows, and hands on what arrives intact.
 */
import type { Clock } from '../sim/clock.ts';
import type { Prng } from '../sim/prng.ts';
import { FCS_BYTES, Frame, MIN_FRAME_BYTES } from './frame.ts';
import { Mac, type MacClient, type MacState } from './mac/mac.ts';
import { classify } from './mac/receive.ts';
import { M88E1011, type PhyState } from './phy/phy.ts';
import { MII } from './phy/registers.ts';

/** Frames that wait for the wire. */
export const STATION_QUEUE_FRAMES = 256;
/** Longest frame that is handed on, DA to FCS: a jumbo frame of 9000 octets with a VLAN tag. */
const MAX_FRAME_BYTES = 9022;

export interface StationState {
  readonly mac: MacState;
  readonly phy: PhyState;
  readonly queue: readonly Uint8Array[];
  readonly refused: boolean;
  readonly discardedFrames: number;
}

export class Station implements MacClient {
  readonly phy: M88E1011;
  /** A good frame has arrived. */
  onReceive: ((frame: Frame) => void) | null = null;
  /** The queue has room again after `send` had to refuse a frame. */
  onRoom: (() => void) | null = null;
  /** Arrivals that were damaged, too short or too long. */
  discardedFrames = 0;
  readonly #mac: Mac;
  /** A ring of the frames behind the one that the MAC has. */
  readonly #queue: (Frame | null)[] = new Array(STATION_QUEUE_FRAMES).fill(null);
  #head = 0;
  #count = 0;
  #refused = false;

  constructor(clock: Clock, prng: Prng) {
    this.phy = new M88E1011(clock, prng);
    this.phy.writeRegister(MII.ANA.at / 4, this.phy.peekRegister(MII.ANA.at / 4) & ~(MII.ANA.PAUSE | MII.ANA.ASM_DIR));
    this.#mac = new Mac(clock, this.phy, this);
  }

  /**
   * Sends `octets`, DA up to not including the FCS, which it takes over; shorter ones are padded to the minimum. False
   * when the queue is full.
   */
  send(octets: Uint8Array): boolean {
    if (this.#count === STATION_QUEUE_FRAMES) {
      this.#refused = true;
      return false;
    }
    const frame = Frame.withFcs(padded(octets));
    if (this.#mac.idle) {
      this.#mac.transmit(frame);
    } else {
      this.#queue[(this.#head + this.#count) % STATION_QUEUE_FRAMES] = frame;
      this.#count += 1;
    }
    return true;
  }

  transmitted(): void {
    if (this.#count === 0) return;
    const frame = this.#queue[this.#head]!;
    this.#queue[this.#head] = null;
    this.#head = (this.#head + 1) % STATION_QUEUE_FRAMES;
    this.#count -= 1;
    this.#mac.transmit(frame);
    if (!this.#refused) return;
    this.#refused = false;
    this.onRoom?.();
  }

  received(frame: Frame): void {
    if (classify(frame, MAX_FRAME_BYTES) === 'ok') this.onReceive?.(frame);
    else this.discardedFrames += 1;
  }

  linkChanged(): void {
    // A frame that waits for the link waits in the MAC.
  }

  save(): StationState {
    return {
      mac: this.#mac.save(),
      phy: this.phy.save(),
      queue: Array.from(
        { length: this.#count },
        (_, i) => this.#queue[(this.#head + i) % STATION_QUEUE_FRAMES]!.octets,
      ),
      refused: this.#refused,
      discardedFrames: this.discardedFrames,
    };
  }

  load(state: StationState): void {
    this.phy.load(state.phy);
    this.#mac.load(state.mac);
    this.#queue.fill(null);
    state.queue.forEach((octets, i) => {
      this.#queue[i] = Frame.withFcs(octets);
    });
    this.#head = 0;
    this.#count = state.queue.length;
    this.#refused = state.refused;
    this.discardedFrames = state.discardedFrames;
  }
}

function padded(octets: Uint8Array): Uint8Array {
  if (octets.length >= MIN_FRAME_BYTES - FCS_BYTES) return octets;
  const full = new Uint8Array(MIN_FRAME_BYTES - FCS_BYTES);
  full.set(octets);
  return full;
}
