/** What is at the far end of a hub port, by no rules: it sends what the test says and keeps what comes. */

import type { Frame } from '../../hw/ethernet/frame.ts';
import type { Hub } from '../../hw/ethernet/hub/hub.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import type { CarrierListener, MediumListener, MediumPort, Transmission } from '../../hw/ethernet/ports.ts';
import { transmissionOf } from '../../hw/ethernet/transmission.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { frameWith } from './collision-domain.ts';

/** Something that came out of a hub: times in bits from the first preamble bit on; `jamBits` Infinity if none came. */
export interface Output {
  readonly startBits: number;
  readonly bits: number;
  readonly jamBits: number;
  readonly frame: Frame | null;
}

export class HubProbe implements MediumListener, CarrierListener {
  readonly outputs: Output[] = [];
  /** Sends noise as long as anything comes: a port that always collides. */
  faulty = false;
  readonly #clock: Clock;
  readonly #bitNs: number;
  #port: MediumPort | null = null;
  #frame: Frame | null = null;

  constructor(clock: Clock, hub: Hub, port: number, bitNs: number) {
    this.#clock = clock;
    this.#bitNs = bitNs;
    const cable = new Cable(clock, new Prng(`probe${port}`), 0);
    cable.connect(0, this);
    cable.connect(1, hub.ports[port]!);
  }

  get carrier(): CarrierListener {
    return this;
  }

  /** Sends `frame` from now. */
  send(frame: Frame): Transmission {
    const transmission = transmissionOf(frame, this.#bitNs, this.#clock.nowNs);
    this.#port!.transmit(transmission);
    return transmission;
  }

  /** Sends a carrier of `bits` from now: the beginning of a long frame. */
  burst(bits: number): void {
    const transmission = transmissionOf(frameWith(1518), this.#bitNs, this.#clock.nowNs);
    transmission.endNs = transmission.startNs + bits * this.#bitNs;
    transmission.aborted = true;
    this.#port!.transmit(transmission);
  }

  plugged(port: MediumPort | null): void {
    this.#port = port;
  }

  arrived(frame: Frame): void {
    this.#frame = frame;
  }

  linkSignal(): void {}

  carrierOn(): void {
    this.#frame = null;
    if (this.faulty) this.burst(100);
  }

  carrierOff(transmission: Transmission | null): void {
    const { startNs, endNs, jamNs } = transmission!;
    this.outputs.push({
      startBits: startNs / this.#bitNs,
      bits: (endNs - startNs) / this.#bitNs,
      jamBits: (jamNs - startNs) / this.#bitNs,
      frame: this.#frame,
    });
  }
}
