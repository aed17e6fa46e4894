/**
 * A medium attachment unit: what stands between a MAC and a shared medium where nothing is negotiated, a transceiver
 * clamped to a coaxial cable or the plainest possible PHY on a hub port. It has no registers and no link state machine;
 * its link is up while it is attached, at one speed and in half duplex. It costs next to nothing, so that a medium with
 * thousands of stations stays cheap.
 */
import type { Clock } from '../../sim/clock.ts';
import type { Prng } from '../../sim/prng.ts';
import type { Frame } from '../frame.ts';
import {
  BIT_NS,
  type CarrierListener,
  type MediumListener,
  type MediumPort,
  type Phy,
  type PhyLink,
  type PhyListener,
  type SpeedMbps,
  type Transmission,
} from '../ports.ts';
import { Transceiver, type TransceiverState } from './transceiver.ts';

export interface AttachmentUnitState {
  readonly transceiver: TransceiverState;
}

export class AttachmentUnit implements Phy, MediumListener {
  listener: PhyListener | null = null;
  /** Observation: a transmission is put on the medium, and shows later how it ended. Null unless somebody watches. */
  onTransmit: ((transmission: Transmission) => void) | null = null;
  readonly prng: Prng;
  /** The alarms of 10 Mb/s: SQE test and jabber. */
  readonly transceiver: Transceiver;
  readonly #attached: PhyLink;
  readonly #detached: PhyLink;
  readonly #bitNs: number;
  #port: MediumPort | null = null;

  /** A unit that is not attached yet. `prng` is the seed of the station. */
  constructor(clock: Clock, prng: Prng, speed: SpeedMbps = 10) {
    this.prng = prng;
    this.#attached = { up: true, speed, fullDuplex: false };
    this.#detached = { up: false, speed, fullDuplex: false };
    this.#bitNs = BIT_NS[speed];
    this.transceiver = new Transceiver(clock, {
      cutOff: transmission => this.#port?.abort(transmission),
      collision: () => this.listener?.collision(),
      signalQuality: () => this.listener?.signalQuality(),
      jabber: () => {},
    });
  }

  get link(): PhyLink {
    return this.#port === null ? this.#detached : this.#attached;
  }

  get carrier(): CarrierListener | null {
    return this.listener;
  }

  /** Throws a RangeError when the unit is attached already. */
  plugged(port: MediumPort | null): void {
    if (port !== null && this.#port !== null) throw new RangeError('this attachment unit is attached already');
    this.#port = port;
    port?.signal({ kind: 'idle', speed: this.#attached.speed });
    if (port === null) this.listener?.carrierOff(null);
    this.listener?.linkChanged();
  }

  arrived(frame: Frame, transmission: Transmission, startNs: number): void {
    if (transmission.bitNs === this.#bitNs) this.listener?.received(frame, startNs, transmission.bitNs);
  }

  linkSignal(): void {
    // Coax has none, and a unit on a hub port does not look.
  }

  transmit(transmission: Transmission): void {
    this.onTransmit?.(transmission);
    if (this.transceiver.passes(transmission)) this.#port?.transmit(transmission);
  }

  abort(transmission: Transmission): void {
    if (this.transceiver.aborted(transmission)) this.#port?.abort(transmission);
  }

  save(): AttachmentUnitState {
    return { transceiver: this.transceiver.save() };
  }

  load(state: AttachmentUnitState): void {
    this.transceiver.load(state.transceiver);
  }
}
