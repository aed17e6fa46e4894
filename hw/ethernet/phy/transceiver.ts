/**
 * The two alarms of a 10 Mb/s transceiver. Both reach the MAC over the collision wire.
 *
 * - SQE test (clause 7.2.4.6), "heartbeat": a short pulse after each transmission shows that the collision circuit
 *   works. It must not be counted as a collision, and is off where a repeater is attached.
 * - Jabber (clauses 8.2.1.5 and 14.2.1.6): a MAC that does not stop is cut off from the medium, and hears of a
 *   collision, until it has been silent for half a second.
 *
 * A transmission of legal length costs a comparison here, and one event where the SQE test is on.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { Transmission } from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState } from '../transmission.ts';

const MS = 1_000_000;
/** 10 Mb/s: at the others there is none of this. */
const BIT_NS = 100;
/** The longest transmission, 20 to 150 ms. */
export const JABBER_NS = 30 * MS;
/** Silence that ends the cut-off, 0.5 s ± 50 %. */
export const UNJAB_NS = 500 * MS;
/** From the end of a transmission to the SQE pulse, 0.6 to 1.6 us. */
const SQE_TEST_WAIT_NS = 1000;

/** The PHY around a transceiver. */
interface Host {
  /** The end of `transmission` has moved to now. */
  cutOff(transmission: Transmission): void;
  /** The collision wire rises although nobody else sends. */
  collision(): void;
  /** The SQE pulse. */
  signalQuality(): void;
  /** The MAC has been cut off, or connected again. */
  jabber(on: boolean): void;
}

export interface TransceiverState {
  readonly sqeTest: boolean;
  readonly jabberProtection: boolean;
  readonly jabbering: boolean;
  readonly long: TransmissionState | null;
  readonly jabberTimer: TimerState;
  readonly sqeTimer: TimerState;
}

export class Transceiver {
  sqeTest = false;
  /** Off by a register of some PHYs. */
  jabberProtection = true;
  /** The MAC is cut off. */
  jabbering = false;
  readonly #clock: Clock;
  readonly #host: Host;
  /** Due when `#long` has lasted too long; while cut off, when the silence has lasted long enough. */
  readonly #jabberTimer: Timer;
  readonly #sqeTimer: Timer;
  #long: Transmission | null = null;

  constructor(clock: Clock, host: Host) {
    this.#clock = clock;
    this.#host = host;
    this.#jabberTimer = clock.timer(() => (this.jabbering ? this.#reconnect() : this.#cutOff()));
    this.#sqeTimer = clock.timer(() => host.signalQuality());
  }

  /** A transmission from the MAC. False if it must not reach the medium. */
  passes(transmission: Transmission): boolean {
    const { bitNs, startNs, endNs } = transmission;
    if (bitNs !== BIT_NS) return true;
    if (this.jabbering) {
      this.#jabberTimer.armAt(endNs + UNJAB_NS);
      this.#host.collision();
      return false;
    }
    if (endNs - startNs > JABBER_NS && this.jabberProtection) {
      this.#long = transmission;
      this.#jabberTimer.armAt(startNs + JABBER_NS);
    }
    if (this.sqeTest) this.#sqeTimer.armAt(endNs + SQE_TEST_WAIT_NS);
    return true;
  }

  /** The MAC has moved the end of its transmission. False if the medium no longer carries it. */
  aborted(transmission: Transmission): boolean {
    if (transmission.bitNs !== BIT_NS) return true;
    if (this.jabbering) {
      // The medium has the transmission as it was cut off; what the MAC sent after that went nowhere.
      this.#jabberTimer.armAt(transmission.endNs + UNJAB_NS);
      transmission.endNs = this.#clock.nowNs;
      return false;
    }
    if (this.#long !== null) {
      this.#long = null;
      this.#jabberTimer.cancel();
    }
    if (this.sqeTest) this.#sqeTimer.armAt(transmission.endNs + SQE_TEST_WAIT_NS);
    return true;
  }

  save(): TransceiverState {
    return {
      sqeTest: this.sqeTest,
      jabberProtection: this.jabberProtection,
      jabbering: this.jabbering,
      long: this.#long === null ? null : saveTransmission(this.#long),
      jabberTimer: this.#jabberTimer.save(),
      sqeTimer: this.#sqeTimer.save(),
    };
  }

  load(state: TransceiverState): void {
    this.sqeTest = state.sqeTest;
    this.jabberProtection = state.jabberProtection;
    this.jabbering = state.jabbering;
    this.#long = state.long === null ? null : loadTransmission(state.long);
    this.#jabberTimer.load(state.jabberTimer);
    this.#sqeTimer.load(state.sqeTimer);
  }

  #cutOff(): void {
    const long = this.#long!;
    this.#long = null;
    this.jabbering = true;
    this.#jabberTimer.armAt(long.endNs + UNJAB_NS);
    this.#sqeTimer.cancel();
    long.endNs = this.#clock.nowNs;
    long.aborted = true;
    this.#host.cutOff(long);
    this.#host.jabber(true);
    this.#host.collision();
  }

  #reconnect(): void {
    this.jabbering = false;
    this.#host.jabber(false);
  }
}
