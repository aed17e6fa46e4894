/**
 * Stations that share a medium, driven as a NIC would drive them and watched from outside: every transmission as it was
 * put on the medium, and everything that each station was told. Bare MACs without PHY registers, on a coaxial cable or
 * around a hub.
 */
import { Frame } from '../../hw/ethernet/frame.ts';
import { Hub } from '../../hw/ethernet/hub/hub.ts';
import { Mac, type MacClient, type TransmitOutcome } from '../../hw/ethernet/mac/mac.ts';
import { classify } from '../../hw/ethernet/mac/receive.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { Coax } from '../../hw/ethernet/medium/coax.ts';
import { AttachmentUnit } from '../../hw/ethernet/phy/attachment-unit.ts';
import { BIT_NS, type SpeedMbps, type Transmission } from '../../hw/ethernet/ports.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { spaceTime } from '../../src/observe/space-time.ts';

export interface Finished {
  readonly frame: Frame;
  readonly outcome: TransmitOutcome;
  readonly atNs: number;
  readonly collisions: number;
  readonly lateCollisions: number;
  readonly deferred: boolean;
}

export interface Heard {
  readonly frame: Frame;
  readonly startNs: number;
  readonly atNs: number;
}

/** An attachment unit that keeps what goes through it; the transmissions show how they ended. */
class WatchedUnit extends AttachmentUnit {
  readonly transmissions: Transmission[] = [];
  watched = true;

  override transmit(transmission: Transmission): void {
    if (this.watched) this.transmissions.push(transmission);
    super.transmit(transmission);
  }
}

export class DomainStation implements MacClient {
  readonly name: string;
  readonly unit: WatchedUnit;
  readonly mac: Mac;
  readonly finished: Finished[] = [];
  readonly heard: Heard[] = [];
  readonly queue: Frame[] = [];
  /** Given, the station sends this again and again, and keeps no record. */
  saturateWith: Frame | null = null;
  offered = 0;
  readonly #clock: Clock;

  constructor(clock: Clock, prng: Prng, name: string, speed: SpeedMbps) {
    this.#clock = clock;
    this.name = name;
    this.unit = new WatchedUnit(clock, prng, speed);
    this.mac = new Mac(clock, this.unit, this);
  }

  get transmissions(): readonly Transmission[] {
    return this.unit.transmissions;
  }

  send(...frames: Frame[]): void {
    this.offered += frames.length;
    this.queue.push(...frames);
    if (this.mac.idle) this.#next();
  }

  saturate(frame: Frame): void {
    this.saturateWith = frame;
    this.unit.watched = false;
    this.mac.transmit(frame);
  }

  transmitted(frame: Frame, outcome: TransmitOutcome): void {
    if (this.saturateWith !== null) {
      this.mac.transmit(this.saturateWith);
      return;
    }
    const { collisions, lateCollisions, deferred } = this.mac;
    this.finished.push({ frame, outcome, atNs: this.#clock.nowNs, collisions, lateCollisions, deferred });
    this.#next();
  }

  received(frame: Frame, startNs: number): void {
    if (this.saturateWith === null) this.heard.push({ frame, startNs, atNs: this.#clock.nowNs });
  }

  linkChanged(): void {}

  /** What it would hand on: good frames of legal length. */
  get delivered(): Heard[] {
    return this.heard.filter(({ frame }) => classify(frame, 1518) === 'ok');
  }

  #next(): void {
    const frame = this.queue.shift();
    if (frame !== undefined) this.mac.transmit(frame);
  }
}

export interface DomainOptions {
  readonly speed?: SpeedMbps;
  readonly seed?: string;
  /** Labels of the stations' seeds, where they are not their numbers. */
  readonly labels?: readonly string[];
}

export class Domain {
  readonly clock = new Clock();
  readonly bitNs: number;
  readonly stations: readonly DomainStation[];
  readonly seed: string;
  coax: Coax | null = null;
  hub: Hub | null = null;
  readonly cables: Cable[] = [];
  /** One-way delay between stations, in bit times. */
  readonly #delayBits: (a: number, b: number) => number;

  private constructor(count: number, options: DomainOptions, delayBits: (a: number, b: number) => number) {
    const speed = options.speed ?? 10;
    this.seed = options.seed ?? 'domain';
    const prng = new Prng(this.seed);
    this.bitNs = BIT_NS[speed];
    this.#delayBits = delayBits;
    this.stations = Array.from({ length: count }, (_, i) => {
      const label = options.labels?.[i] ?? `${i}`;
      return new DomainStation(this.clock, prng.fork(`station${label}`), `station ${label}`, speed);
    });
  }

  /** Stations on a coaxial cable, at `positionsBits` bit times from its end. */
  static onCoax(positionsBits: readonly number[], options: DomainOptions = {}): Domain {
    const delay = (a: number, b: number) => Math.abs(positionsBits[a]! - positionsBits[b]!);
    const domain = new Domain(positionsBits.length, options, delay);
    domain.coax = new Coax(domain.clock, Math.max(...positionsBits), domain.bitNs);
    for (const [i, { unit }] of domain.stations.entries()) domain.coax.attach(positionsBits[i]!, unit);
    return domain;
  }

  /** Stations around a hub, each on a cable of `metres[i]`. */
  static aroundHub(metres: readonly number[], hubDelayBits: number, options: DomainOptions = {}): Domain {
    const delays: number[] = [];
    const bitNs = BIT_NS[options.speed ?? 10];
    const domain = new Domain(metres.length, options, (a, b) => (delays[a]! + delays[b]!) / bitNs + hubDelayBits);
    domain.hub = new Hub(domain.clock, metres.length + 2, options.speed ?? 10, hubDelayBits * domain.bitNs);
    for (const [i, { unit }] of domain.stations.entries()) {
      const cable = new Cable(domain.clock, new Prng(`cable${i}`), metres[i]!);
      delays.push(cable.delayNs);
      domain.cables.push(cable);
      cable.connect(0, unit);
      cable.connect(1, domain.hub.ports[i]!);
    }
    return domain;
  }

  /** One-way delay between two stations, in nanoseconds. */
  delayNs(a: number, b: number): number {
    return this.#delayBits(a, b) * this.bitNs;
  }

  /** Lets `bits` bit times pass. */
  pass(bits: number): this {
    this.clock.run(this.clock.nowNs + bits * this.bitNs);
    return this;
  }

  /** Hands frames over at their times, then lets everything come to rest. */
  play(script: readonly Handover[]): this {
    for (const { atBits, station, bytes, fill } of [...script].sort((x, y) => x.atBits - y.atBits)) {
      this.clock.run(Math.round(atBits * this.bitNs));
      this.stations[station % this.stations.length]!.send(frameWith(bytes, fill ?? 0));
    }
    this.clock.run(this.clock.nowNs + 20e9);
    return this;
  }

  /** Runs `check`; where that fails, the error shows the run as a space-time diagram, and the seed. */
  explain(check: () => void): void {
    try {
      check();
    } catch (error) {
      const tracks = this.stations.map(({ name, transmissions }) => ({ name, transmissions }));
      const delayNs = (a: number, b: number) => this.delayNs(a, b);
      throw new Error(`seed ${this.seed}\n${spaceTime(tracks, delayNs, this.bitNs)}\n${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/** One line of a script: at `atBits` a frame is handed to a station. */
export interface Handover {
  readonly atBits: number;
  readonly station: number;
  readonly bytes: number;
  readonly fill?: number;
}

/** A frame of `bytes` octets from DA to FCS. */
export function frameWith(bytes: number, fill = 0): Frame {
  return Frame.withFcs(new Uint8Array(bytes - 4).fill(fill));
}
