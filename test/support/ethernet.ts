/**
 * Two stations on a cable, driven as a NIC would drive them: each is a MAC client that keeps what it is told, with the
 * time at which it was told.
 */
import { Frame } from '../../hw/ethernet/frame.ts';
import { Mac, type MacClient, type TransmitOutcome } from '../../hw/ethernet/mac/mac.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { M88E1011 } from '../../hw/ethernet/phy/phy.ts';
import type { PhyLink } from '../../hw/ethernet/ports.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';

export interface Sent {
  readonly frame: Frame;
  readonly outcome: TransmitOutcome;
  readonly atNs: number;
}

export interface Arrival {
  readonly frame: Frame;
  readonly startNs: number;
  readonly bitNs: number;
  readonly atNs: number;
}

/** PCTRL for a mode without negotiation, RESET included so that it takes effect. */
export function forcedControl(speed: 10 | 100 | 1000, fullDuplex: boolean): number {
  return 0x8000 | (speed === 100 ? 0x2000 : 0) | (speed === 1000 ? 0x0040 : 0) | (fullDuplex ? 0x0100 : 0);
}

export class Endpoint implements MacClient {
  readonly clock: Clock;
  readonly phy: M88E1011;
  readonly mac: Mac;
  readonly sent: Sent[] = [];
  readonly arrivals: Arrival[] = [];
  readonly links: PhyLink[] = [];
  /** Frames to hand over, one by one, as the MAC becomes idle. */
  readonly queue: Frame[] = [];

  constructor(clock: Clock, prng: Prng) {
    this.clock = clock;
    this.phy = new M88E1011(clock, prng);
    this.mac = new Mac(clock, this.phy, this);
  }

  send(...frames: Frame[]): void {
    this.queue.push(...frames);
    if (this.mac.idle) this.#next();
  }

  transmitted(frame: Frame, outcome: TransmitOutcome): void {
    this.sent.push({ frame, outcome, atNs: this.clock.nowNs });
    this.#next();
  }

  received(frame: Frame, startNs: number, bitNs: number): void {
    this.arrivals.push({ frame, startNs, bitNs, atNs: this.clock.nowNs });
  }

  linkChanged(): void {
    this.links.push(this.phy.link);
  }

  #next(): void {
    const frame = this.queue.shift();
    if (frame !== undefined) this.mac.transmit(frame);
  }
}

export class Pair {
  readonly clock = new Clock();
  readonly cable: Cable;
  readonly a: Endpoint;
  readonly b: Endpoint;

  constructor({ metres = 0, bitErrorRate = 0, seed = 'pair' } = {}) {
    const prng = new Prng(seed);
    this.cable = new Cable(this.clock, prng.fork('cable'), metres, bitErrorRate);
    this.a = new Endpoint(this.clock, prng.fork('a'));
    this.b = new Endpoint(this.clock, prng.fork('b'));
    this.cable.connect(0, this.a.phy);
    this.cable.connect(1, this.b.phy);
  }

  /** Lets `ns` nanoseconds pass. */
  pass(ns: number): void {
    this.clock.run(this.clock.nowNs + ns);
  }

  /** Forces both ends to one mode, and waits for the link. */
  force(speed: 10 | 100 | 1000, fullDuplex = true): this {
    for (const { phy } of [this.a, this.b]) phy.writeRegister(0, forcedControl(speed, fullDuplex));
    return this.up();
  }

  /** Waits until nothing more happens: the link is up. */
  up(): this {
    this.clock.run(this.clock.nowNs + 3_000_000_000);
    if (!this.a.phy.link.up || !this.b.phy.link.up) throw new Error('the link did not come up within 3 s');
    return this;
  }
}

/** A frame of `bytes` octets from DA to FCS with a recognizable payload. */
export function frameOf(bytes: number, fill = 0): Frame {
  return Frame.withFcs(Uint8Array.from({ length: bytes - 4 }, (_, i) => (i * 7 + fill) & 0xff));
}
