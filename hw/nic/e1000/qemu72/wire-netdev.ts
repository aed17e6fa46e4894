/**
 * The netdev that is a real wire: a queue in front of the MAC, and one behind it. To the NIC every frame has left at
 * once; on the wire each takes its time, and arrives with preamble, FCS and everything. Frames shorter than the minimum
 * are padded, as a host's adapter would. Damaged ones are lost here: a netdev carries none.
 *
 * QEMU's link is up from power-on, when no wire has one yet. So the NIC hears of the link only when it goes down, and
 * what it sends before waits for the wire.
 */
import { FCS_BYTES, Frame, MIN_FRAME_BYTES } from '../../../ethernet/frame.ts';
import { Mac, type MacClient, type MacState } from '../../../ethernet/mac/mac.ts';
import { classify } from '../../../ethernet/mac/receive.ts';
import type { Phy } from '../../../ethernet/ports.ts';
import type { Clock } from '../../../sim/clock.ts';
import type { Netdev, NetdevClient } from './netdev.ts';

/** Frames that wait in either direction at most; more are lost. */
const QUEUE_FRAMES = 1024;
/** Longest frame from DA to FCS that is handed on: RCTL.LPE decides in the NIC. */
const MAX_FRAME_BYTES = 16_384 + FCS_BYTES;
const MIN_OCTETS = MIN_FRAME_BYTES - FCS_BYTES;

interface WireState {
  readonly mac: MacState;
  readonly outgoing: readonly Uint8Array[];
  readonly waiting: readonly Uint8Array[];
  readonly up: boolean;
}

export class WireNetdev implements Netdev, MacClient {
  nic: NetdevClient | null = null;
  readonly #phy: Phy;
  readonly #mac: Mac;
  readonly #outgoing: Uint8Array[] = [];
  readonly #waiting: Uint8Array[] = [];
  /** The link as the NIC has been told. */
  #up = true;

  constructor(clock: Clock, phy: Phy) {
    this.#phy = phy;
    this.#mac = new Mac(clock, phy, this);
  }

  // From the NIC.

  send(octets: Uint8Array): void {
    if (this.#outgoing.length === QUEUE_FRAMES) return;
    this.#outgoing.push(octets);
    this.#next();
  }

  /** The NIC has asked for one frame: it is offered whatever the NIC's state, the others while they can be taken. */
  flush(): void {
    while (this.#waiting.length > 0 && this.nic!.receive(this.#waiting[0]!)) {
      this.#waiting.shift();
      if (!this.nic!.canReceive) return;
    }
  }

  // From the MAC.

  transmitted(): void {
    this.#next();
  }

  received(frame: Frame): void {
    if (classify(frame, MAX_FRAME_BYTES) !== 'ok' || this.#waiting.length === QUEUE_FRAMES) return;
    this.#waiting.push(frame.octets);
    if (this.nic!.canReceive) this.flush();
  }

  linkChanged(): void {
    const { up } = this.#phy.link;
    if (up !== this.#up) this.nic!.linkIs(up);
    this.#up = up;
    this.#next();
  }

  save(): WireState {
    return { mac: this.#mac.save(), outgoing: [...this.#outgoing], waiting: [...this.#waiting], up: this.#up };
  }

  load(saved: unknown): void {
    const state = saved as WireState;
    this.#mac.load(state.mac);
    this.#outgoing.splice(0, this.#outgoing.length, ...state.outgoing);
    this.#waiting.splice(0, this.#waiting.length, ...state.waiting);
    this.#up = state.up;
  }

  #next(): void {
    if (!this.#mac.idle) return;
    const octets = this.#outgoing.shift();
    if (octets !== undefined) this.#mac.transmit(Frame.withFcs(padded(octets)));
  }
}

function padded(octets: Uint8Array): Uint8Array {
  if (octets.length >= MIN_OCTETS) return octets;
  const whole = new Uint8Array(MIN_OCTETS);
  whole.set(octets);
  return whole;
}
