/**
 * One port of a hub: what a cable, or a coaxial cable, is plugged into. It tells the hub of carrier edges and sends what
 * the hub says; the rules are in `hub.ts`. The partition state machine of clause 9.6.6 keeps its counts here.
 */
import type { Frame } from '../frame.ts';
import {
  BIT_NS,
  type CarrierListener,
  type LinkSignal,
  type MediumListener,
  type MediumPort,
  type SpeedMbps,
  type Transmission,
} from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState } from '../transmission.ts';

/** A carrier edge at a port; `noise` is a second signal on top of the first. */
export type Edge = 'on' | 'off' | 'noise';

/** The hub around a port. */
interface PortHost {
  /** An edge has come in; it will count after the hub's delay. */
  edge(port: HubPort, edge: Edge, transmission: Transmission | null): void;
  /** What has come in of `transmission` is `frame`, a damaged one. */
  damaged(port: HubPort, transmission: Transmission, frame: Frame): void;
}

export interface HubPortState {
  readonly input: TransmissionState | null;
  readonly out: TransmissionState | null;
  readonly collisions: number;
  readonly involved: boolean;
  readonly partitioned: boolean;
  readonly isolated: boolean;
  readonly disturbed: boolean;
  readonly sinceNs: number;
}

export class HubPort implements MediumListener, CarrierListener {
  readonly index: number;
  readonly #host: PortHost;
  readonly #speed: SpeedMbps;
  #plug: MediumPort | null = null;

  // For the hub.

  /** What comes in, as the hub knows by now; null in silence. */
  input: Transmission | null = null;
  /** What goes out, or the latest that did. */
  out: Transmission | null = null;
  /** Collisions without a clean frame between them. */
  collisions = 0;
  /** It was active in the collision that goes on. */
  involved = false;
  /** Its receptions are shut out; it still gets what goes out to all. */
  partitioned = false;
  /** Shut out until its carrier ends: it jabbers. */
  isolated = false;
  /** While partitioned: the activity that goes on is not free of collision. */
  disturbed = false;
  /** When `input` began. */
  sinceNs = 0;

  constructor(index: number, speed: SpeedMbps, host: PortHost) {
    this.index = index;
    this.#speed = speed;
    this.#host = host;
  }

  /** Whether something goes out now. */
  sends(nowNs: number): boolean {
    return this.out !== null && this.out.endNs > nowNs;
  }

  /** Whether it takes part in what the hub does. */
  get active(): boolean {
    return this.input !== null && !this.partitioned && !this.isolated;
  }

  get occupied(): boolean {
    return this.#plug !== null;
  }

  /** Begins to send `frame`, whose end is not known yet; without one, jam alone. */
  send(frame: Frame, nowNs: number, headBits: number, jam: boolean): void {
    const bitNs = BIT_NS[this.#speed];
    const endNs = Number.POSITIVE_INFINITY;
    const jamNs = jam ? nowNs : Number.POSITIVE_INFINITY;
    this.out = { frame, bitNs, startNs: nowNs, headBits, endNs, aborted: jam, jamNs };
    this.#plug?.transmit(this.out);
  }

  /** What goes out turns to jam from now on. */
  jam(nowNs: number): void {
    const out = this.out!;
    if (out.jamNs > nowNs) out.jamNs = nowNs;
    out.aborted = true;
    out.endNs = Number.POSITIVE_INFINITY;
    this.#plug?.abort(out);
  }

  /** What goes out ends at `endNs`. */
  stop(endNs: number): void {
    const out = this.out!;
    out.endNs = endNs;
    this.#plug?.abort(out);
  }

  // From the medium.

  /** Throws a RangeError when there is a plug in the port already. */
  plugged(plug: MediumPort | null): void {
    if (plug !== null && this.#plug !== null)
      throw new RangeError(`port ${this.index} of the hub is plugged in already`);
    this.#plug = plug;
    if (plug === null) this.#host.edge(this, 'off', null);
    else plug.signal({ kind: 'idle', speed: this.#speed });
  }

  arrived(frame: Frame, transmission: Transmission): void {
    if (frame !== transmission.frame && !transmission.aborted) this.#host.damaged(this, transmission, frame);
  }

  linkSignal(_signal: LinkSignal | null): void {
    // A hub repeats whatever comes; it negotiates nothing.
  }

  get carrier(): CarrierListener {
    return this;
  }

  carrierOn(transmission: Transmission): void {
    if (transmission.bitNs === BIT_NS[this.#speed]) this.#host.edge(this, 'on', transmission);
  }

  noise(): void {
    this.#host.edge(this, 'noise', null);
  }

  carrierOff(transmission: Transmission | null): void {
    this.#host.edge(this, 'off', transmission);
  }

  save(): HubPortState {
    return {
      input: this.input === null ? null : saveTransmission(this.input),
      out: this.out === null ? null : saveTransmission(this.out),
      collisions: this.collisions,
      involved: this.involved,
      partitioned: this.partitioned,
      isolated: this.isolated,
      disturbed: this.disturbed,
      sinceNs: this.sinceNs,
    };
  }

  load(state: HubPortState): void {
    this.input = state.input === null ? null : loadTransmission(state.input);
    this.out = state.out === null ? null : loadTransmission(state.out);
    this.collisions = state.collisions;
    this.involved = state.involved;
    this.partitioned = state.partitioned;
    this.isolated = state.isolated;
    this.disturbed = state.disturbed;
    this.sinceNs = state.sinceNs;
  }
}
