/**
 * The smallest world that a bridge can join to a peer: one open wire, whose far end sends each frame back after its
 * time on the wire. It keeps a trace of what happened when, which a replay has to repeat to the step.
 */
import { Frame } from '../../hw/ethernet/frame.ts';
import { Clock } from '../../hw/sim/clock.ts';
import type { BridgeStation, BridgeWorld } from '../../src/bridge/ports.ts';

const NS_PER_OCTET = 80;

interface EchoOptions {
  /** Frames that the station holds before it refuses the next. */
  readonly queueFrames?: number;
  /** Real time that handling a frame costs, in nanoseconds: a world that is slower than the wall. */
  readonly effortNs?: number;
  /** Virtual time between two steps that the world takes of itself. */
  readonly beatNs?: number;
  /** A frame that begins with this octet breaks the world. */
  readonly poison?: number;
}

export class EchoWorld implements BridgeWorld {
  readonly clock = new Clock();
  readonly station: BridgeStation = { send: octets => this.#send(octets), onReceive: null, onRoom: null };
  readonly openWires = new Map([['uplink', { station: this.station }]]);
  /** A line per frame sent back: step, virtual nanoseconds, octets. */
  readonly trace: string[] = [];
  readonly #queue: Uint8Array[] = [];
  readonly #options: EchoOptions;
  readonly #sent = this.clock.timer(() => this.#echo());
  /** Beats for ever, as a link does, so that steps are taken while no frame comes. */
  readonly #beat = this.clock.timer(() => this.#beat.armIn(this.#options.beatNs ?? 1_000_000));
  #refused = false;

  constructor(options: EchoOptions = {}) {
    this.#options = options;
    this.#beat.armIn(0);
  }

  run(untilNs: number, stop?: () => boolean): void {
    this.clock.run(untilNs, stop);
  }

  replayTo(stepCount: number, nowNs: number): void {
    this.clock.replayTo(stepCount, nowNs);
  }

  #send(octets: Uint8Array): boolean {
    if (this.#queue.length >= (this.#options.queueFrames ?? 64)) {
      this.#refused = true;
      return false;
    }
    this.#queue.push(octets);
    if (!this.#sent.armed) this.#sent.armIn(octets.length * NS_PER_OCTET);
    return true;
  }

  #echo(): void {
    const octets = this.#queue.shift()!;
    if (octets[0] === this.#options.poison) throw new Error('the world broke');
    if (this.#options.effortNs !== undefined) labour(this.#options.effortNs);
    this.trace.push(`${this.clock.stepCount} ${this.clock.nowNs} ${Buffer.from(octets).toString('hex')}`);
    this.station.onReceive?.(Frame.withFcs(octets));
    if (this.#queue.length > 0) this.#sent.armIn(this.#queue[0]!.length * NS_PER_OCTET);
    if (!this.#refused) return;
    this.#refused = false;
    this.station.onRoom?.();
  }
}

function labour(ns: number): void {
  const untilNs = process.hrtime.bigint() + BigInt(ns);
  while (process.hrtime.bigint() < untilNs);
}
