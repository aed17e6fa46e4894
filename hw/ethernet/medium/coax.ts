/**
 * A coaxial cable with taps: 10BASE5, 10BASE2. Everything that one station sends reaches every other, later the
 * farther away, and what overlaps at a tap is lost there. The ends are terminated, nothing comes back.
 *
 * Events are edges only. The beginning of a signal walks along the taps in the order of their distance from the
 * sender, and so does its end; taps at equal distance are one event. The cost of a frame is proportional to the number
 * of stations that hear it.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { MediumListener, MediumPort, Transmission } from '../ports.ts';
import { loadTransmission, moveEnd, saveTransmission, type TransmissionState } from '../transmission.ts';
import { Reception, type ReceptionState } from './reception.ts';

/** 10BASE5: 0.77 c. */
export const THICK_COAX_NS_PER_METRE = 4.33;
/** 10BASE2: 0.65 c. */
export const THIN_COAX_NS_PER_METRE = 5.13;

/** A transmission has passed the last tap: all that will become of it is known. */
export type SignalTap = (from: CoaxTap, transmission: Transmission) => void;

interface FlightState {
  readonly from: number;
  readonly transmission: TransmissionState;
  readonly begun: number;
  readonly ended: number;
  readonly startTimer: TimerState;
  readonly endTimer: TimerState;
}

export interface CoaxState {
  readonly receptions: readonly ReceptionState[];
  readonly flights: readonly FlightState[];
}

export class Coax {
  readonly lengthMetres: number;
  /** Observation; null unless somebody watches. */
  onSignal: SignalTap | null = null;
  /** For {@link Flight}. */
  readonly clock: Clock;
  readonly #nsPerMetre: number;
  readonly #taps: CoaxTap[] = [];
  /** Signals on the cable, and flights to be used again. */
  readonly #flights: Flight[] = [];
  readonly #spare: Flight[] = [];

  constructor(clock: Clock, lengthMetres: number, nsPerMetre = THICK_COAX_NS_PER_METRE) {
    if (!(lengthMetres >= 0 && nsPerMetre > 0)) {
      throw new RangeError(`a coaxial cable of ${lengthMetres} m and ${nsPerMetre} ns/m makes no sense`);
    }
    this.clock = clock;
    this.lengthMetres = lengthMetres;
    this.#nsPerMetre = nsPerMetre;
  }

  /** Taps the cable `positionMetres` from its left end, and attaches `phy` there. */
  attach(positionMetres: number, phy: MediumListener): CoaxTap {
    if (!(positionMetres >= 0 && positionMetres <= this.lengthMetres)) {
      throw new RangeError(`there is no tap at ${positionMetres} m of a cable of ${this.lengthMetres} m`);
    }
    const tap = new CoaxTap(this, positionMetres, phy);
    this.#taps.push(tap);
    for (const { route } of this.#taps) route.clear();
    phy.plugged(tap);
    return tap;
  }

  /** Takes a station off the cable. What it has sent goes on; its tap neither hears nor sends any more. */
  detach(tap: CoaxTap): void {
    const at = this.#taps.indexOf(tap);
    if (at < 0) return;
    this.#taps.splice(at, 1);
    for (const { route } of this.#taps) route.clear();
    tap.cutOff(this.clock.nowNs);
  }

  /** Propagation between two taps. */
  delayNs(a: CoaxTap, b: CoaxTap): number {
    return Math.round(Math.abs(a.positionMetres - b.positionMetres) * this.#nsPerMetre);
  }

  /** For {@link CoaxTap}: lets a signal out onto the cable. */
  send(from: CoaxTap, transmission: Transmission): Flight {
    const { route } = from;
    if (route.taps.length === 0) this.#plan(from);
    const flight = this.#spare.pop() ?? new Flight(this);
    this.#flights.push(flight);
    flight.begin(from, transmission);
    return flight;
  }

  /** For {@link Flight}: it has passed the last tap. */
  landed(flight: Flight): void {
    const at = this.#flights.indexOf(flight);
    const last = this.#flights.pop()!;
    if (last !== flight) this.#flights[at] = last;
    this.#spare.push(flight);
    this.onSignal?.(flight.from, flight.transmission);
  }

  save(): CoaxState {
    return {
      receptions: this.#taps.map(tap => tap.reception.save()),
      flights: this.#flights.map(flight => flight.save(this.#taps.indexOf(flight.from))),
    };
  }

  /** Restores what is on the cable. The same taps must have been attached before, in the same order. */
  load(state: CoaxState): void {
    for (const [i, tap] of this.#taps.entries()) tap.reception.load(state.receptions[i]!);
    for (const flight of this.#flights.splice(0)) flight.cancel();
    for (const saved of state.flights) {
      const from = this.#taps[saved.from]!;
      this.#plan(from);
      const flight = new Flight(this);
      flight.load(from, saved);
      this.#flights.push(flight);
    }
  }

  /** The other taps in the order in which a signal from `from` passes them. */
  #plan(from: CoaxTap): void {
    const others = this.#taps.filter(tap => tap !== from);
    others.sort((a, b) => this.delayNs(from, a) - this.delayNs(from, b));
    from.route.taps = others;
    from.route.delaysNs = others.map(tap => this.delayNs(from, tap));
  }
}

/** The way of a signal from one tap to all others, nearest first. */
class Route {
  taps: readonly CoaxTap[] = [];
  delaysNs: readonly number[] = [];

  clear(): void {
    this.taps = [];
    this.delaysNs = [];
  }
}

/** One tap: the port of the PHY that is attached there, and what that hears. */
export class CoaxTap implements MediumPort {
  readonly positionMetres: number;
  /** For {@link Coax} and {@link Flight}. */
  readonly reception: Reception;
  readonly route = new Route();
  readonly #coax: Coax;
  #phy: MediumListener | null;
  /** The latest own signal. */
  #flight: Flight | null = null;

  constructor(coax: Coax, positionMetres: number, phy: MediumListener) {
    this.#coax = coax;
    this.positionMetres = positionMetres;
    this.#phy = phy;
    this.reception = new Reception(phy);
  }

  transmit(transmission: Transmission): void {
    if (this.#phy === null) return;
    this.reception.sends(transmission, this.#coax.clock.nowNs);
    this.#flight = this.#coax.send(this, transmission);
  }

  abort(transmission: Transmission): void {
    const flight = this.#flight;
    if (flight === null || flight.from !== this || flight.transmission.startNs !== transmission.startNs) return;
    moveEnd(flight.transmission, transmission);
    flight.endMoved();
  }

  signal(): void {
    // A coaxial cable is silent between frames.
  }

  /** For {@link Coax}: takes up the flight that was on its way when the cable was saved. */
  resume(flight: Flight): void {
    this.#flight = flight;
  }

  /** For {@link Coax}: the station is taken off. */
  cutOff(nowNs: number): void {
    const flight = this.#flight;
    if (flight !== null && flight.from === this && flight.transmission.endNs > nowNs) {
      flight.transmission.endNs = Math.max(nowNs, flight.transmission.startNs);
      flight.transmission.aborted = true;
      flight.endMoved();
    }
    const phy = this.#phy;
    this.#phy = null;
    this.reception.close();
    phy?.plugged(null);
  }
}

/** A signal on its way along the cable. Used again for another one when it has passed all taps. */
class Flight {
  from!: CoaxTap;
  transmission!: Transmission;
  readonly #coax: Coax;
  readonly #startTimer: Timer;
  readonly #endTimer: Timer;
  #taps: readonly CoaxTap[] = [];
  #delaysNs: readonly number[] = [];
  /** Taps that the beginning has passed, and that the end has. */
  #begun = 0;
  #ended = 0;

  constructor(coax: Coax) {
    this.#coax = coax;
    this.#startTimer = coax.clock.timer(() => this.#beginNext());
    this.#endTimer = coax.clock.timer(() => this.#endNext());
  }

  begin(from: CoaxTap, transmission: Transmission): void {
    this.from = from;
    this.transmission = transmission;
    this.#taps = from.route.taps;
    this.#delaysNs = from.route.delaysNs;
    this.#begun = this.#ended = 0;
    const nearestNs = this.#taps.length === 0 ? 0 : this.#delaysNs[0]!;
    if (this.#taps.length > 0) this.#startTimer.armAt(transmission.startNs + nearestNs);
    this.endMoved();
  }

  /** The sender's end of the signal has moved. No tap has heard the end yet. */
  endMoved(): void {
    const { endNs } = this.transmission;
    if (endNs === Number.POSITIVE_INFINITY) this.#endTimer.cancel();
    else this.#endTimer.armAt(endNs + (this.#taps.length === 0 ? 0 : this.#delaysNs[0]!));
  }

  cancel(): void {
    this.#startTimer.cancel();
    this.#endTimer.cancel();
  }

  save(from: number): FlightState {
    return {
      from,
      transmission: saveTransmission(this.transmission),
      begun: this.#begun,
      ended: this.#ended,
      startTimer: this.#startTimer.save(),
      endTimer: this.#endTimer.save(),
    };
  }

  load(from: CoaxTap, state: FlightState): void {
    this.from = from;
    this.transmission = loadTransmission(state.transmission);
    this.#taps = from.route.taps;
    this.#delaysNs = from.route.delaysNs;
    this.#begun = state.begun;
    this.#ended = state.ended;
    this.#startTimer.load(state.startTimer);
    this.#endTimer.load(state.endTimer);
    from.resume(this);
  }

  #beginNext(): void {
    const delaysNs = this.#delaysNs;
    const delayNs = delaysNs[this.#begun]!;
    const { nowNs } = this.#coax.clock;
    do {
      this.#taps[this.#begun]!.reception.begin(this.transmission, nowNs);
      this.#begun += 1;
    } while (delaysNs[this.#begun] === delayNs);
    if (this.#begun < delaysNs.length) this.#startTimer.armAt(this.transmission.startNs + delaysNs[this.#begun]!);
  }

  #endNext(): void {
    const delaysNs = this.#delaysNs;
    const delayNs = delaysNs[this.#ended];
    const { nowNs } = this.#coax.clock;
    while (this.#ended < delaysNs.length && delaysNs[this.#ended] === delayNs) {
      this.#taps[this.#ended]!.reception.end(this.transmission, nowNs);
      this.#ended += 1;
    }
    if (this.#ended < delaysNs.length) this.#endTimer.armAt(this.transmission.endNs + delaysNs[this.#ended]!);
    else this.#coax.landed(this);
  }
}
