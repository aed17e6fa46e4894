/**
 * A station of the bare minimum, a MAC and an attachment unit, that always has one more frame to send: to its neighbour,
 * the next in the circle of stations. It counts what it sends, and what it gets from the neighbour on the other side.
 */
import { FCS_BYTES, Frame } from '../../../hw/ethernet/frame.ts';
import { Mac, type MacClient, type TransmitOutcome } from '../../../hw/ethernet/mac/mac.ts';
import { classify } from '../../../hw/ethernet/mac/receive.ts';
import { AttachmentUnit } from '../../../hw/ethernet/phy/attachment-unit.ts';
import type { SpeedMbps } from '../../../hw/ethernet/ports.ts';
import type { Clock } from '../../../hw/sim/clock.ts';
import type { Prng } from '../../../hw/sim/prng.ts';

const ADDRESS_BYTES = 6;
const MAX_FRAME_BYTES = 1518;
const LOCALLY_ADMINISTERED = 0x02;

export interface StationOptions {
  readonly index: number;
  /** In the circle. At least two, or it would send to itself. */
  readonly stationCount: number;
  readonly speed: SpeedMbps;
  /** DA to FCS. */
  readonly frameBytes: number;
}

export class SaturatedStation implements MacClient {
  readonly unit: AttachmentUnit;
  readonly mac: Mac;
  /** Frames that went out whole, as far as the MAC noticed. */
  sent = 0;
  /** Frames that the MAC gave up. */
  dropped = 0;
  /** Frames from its neighbour that arrived intact. */
  receivedFrames = 0;
  readonly #frame: Frame;
  /** The last three octets of its address, as a number. */
  readonly #number: number;

  constructor(clock: Clock, prng: Prng, { index, stationCount, speed, frameBytes }: StationOptions) {
    this.#number = index;
    const octets = new Uint8Array(frameBytes - FCS_BYTES);
    writeAddress(octets, 0, (index + 1) % stationCount);
    writeAddress(octets, ADDRESS_BYTES, index);
    this.#frame = Frame.withFcs(octets);
    this.unit = new AttachmentUnit(clock, prng, speed);
    this.mac = new Mac(clock, this.unit, this);
  }

  /** Hands the first frame over. */
  start(): void {
    this.mac.transmit(this.#frame);
  }

  transmitted(_frame: Frame, outcome: TransmitOutcome): void {
    if (outcome === 'sent') this.sent += 1;
    else this.dropped += 1;
    this.mac.transmit(this.#frame);
  }

  received(frame: Frame): void {
    const { octets } = frame;
    if (octets.length <= ADDRESS_BYTES || numberOf(octets) !== this.#number) return;
    if (classify(frame, MAX_FRAME_BYTES) === 'ok') this.receivedFrames += 1;
  }

  linkChanged(): void {
    // The stations are never taken off the medium.
  }
}

/** Addresses of one station each: locally administered, with the station's number in the last three octets. */
function writeAddress(octets: Uint8Array, at: number, number: number): void {
  octets[at] = LOCALLY_ADMINISTERED;
  octets[at + 3] = number >>> 16;
  octets[at + 4] = number >>> 8;
  octets[at + 5] = number;
}

const numberOf = (octets: Uint8Array): number => (octets[3]! << 16) | (octets[4]! << 8) | octets[5]!;
