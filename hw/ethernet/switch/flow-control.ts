/**
 * Flow control of one port of a switch, IEEE 802.3 annex 31B, where both ends have agreed on symmetric PAUSE by
 * auto-negotiation (28B.3): it obeys a PAUSE that comes in, and sends one while frames from here congest an output queue
 * of the switch. It owns two timers: the pause that it obeys, and the repetition of the one that it has asked for.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import { QUANTUM_BITS } from '../mac/pause.ts';
import { PAUSE_QUANTA } from './parameters.ts';

/** The port around it. */
interface FlowControlHost {
  /** Nanoseconds per bit of the link. */
  readonly bitNs: number;
  sendPause(quanta: number): void;
  /** The pause is over. */
  resume(): void;
}

export interface FlowControlState {
  readonly active: boolean;
  readonly congested: readonly number[];
  readonly pause: TimerState;
  readonly repeat: TimerState;
}

export class FlowControl {
  /** Both ends have agreed on it. */
  active = false;
  readonly #host: FlowControlHost;
  readonly #pause: Timer;
  readonly #repeat: Timer;
  /** The ports whose output queues have asked that this one's partner be paused. */
  readonly #congested = new Set<number>();

  constructor(clock: Clock, host: FlowControlHost) {
    this.#host = host;
    this.#pause = clock.timer(() => this.#host.resume());
    this.#repeat = clock.timer(() => this.#ask());
  }

  /** Whether the port must not begin a frame, PAUSE apart. */
  get paused(): boolean {
    return this.#pause.armed;
  }

  /** The partner asks for a pause of so many quanta; the latest word counts. */
  obey(quanta: number): void {
    if (quanta > 0) {
      this.#pause.armIn(quanta * QUANTUM_BITS * this.#host.bitNs);
    } else if (this.#pause.armed) {
      this.#pause.cancel();
      this.#host.resume();
    }
  }

  /** A frame from here has filled the output queue of `port` beyond its mark. */
  congest(port: number): void {
    if (!this.active || this.#congested.has(port)) return;
    this.#congested.add(port);
    if (this.#congested.size === 1) this.#ask();
  }

  /** The output queue of `port` has drained. */
  relieve(port: number): void {
    if (!this.#congested.delete(port) || this.#congested.size > 0) return;
    this.#repeat.cancel();
    this.#host.sendPause(0);
  }

  /** The link has changed. */
  reset(active: boolean): void {
    this.active = active;
    this.#congested.clear();
    this.#pause.cancel();
    this.#repeat.cancel();
  }

  save(): FlowControlState {
    return {
      active: this.active,
      congested: [...this.#congested],
      pause: this.#pause.save(),
      repeat: this.#repeat.save(),
    };
  }

  load(state: FlowControlState): void {
    this.active = state.active;
    this.#congested.clear();
    for (const port of state.congested) this.#congested.add(port);
    this.#pause.load(state.pause);
    this.#repeat.load(state.repeat);
  }

  #ask(): void {
    this.#host.sendPause(PAUSE_QUANTA);
    this.#repeat.armIn((PAUSE_QUANTA * QUANTUM_BITS * this.#host.bitNs) / 2);
  }
}
