/**
 * A repeater hub, IEEE 802.3 clauses 9, 27 and 41: what comes in at one port goes out at all others, preamble and timing
 * made anew, a constant delay later. It knows no frames; it knows activity.
 *
 *   idle        silence
 *   repeating   one port is active; the others get what it sends
 *   collision   more than one port is active: jam goes out at all of them
 *   one-left    a collision of which one active port is left: jam to all but that one, or two hubs would jam each
 *               other for ever
 *   extending   the input has ended, and what goes out is made up to 96 bits
 *   paused      10 Mb/s: somebody jabbers, and the hub interrupts what it repeats
 *
 * Edges come in from the ports and count one delay later; from then on everything is immediate. What goes out is open
 * ended until the input ends. One timer serves the states; there is no event per bit or per frame of its own.
 *
 * A port that collides again and again is shut out (partitioned) until it behaves: see `port.ts` for its counts.
 */
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { Frame } from '../frame.ts';
import { BIT_NS, HEADER_BITS, type SpeedMbps, type Transmission } from '../ports.ts';
import { EdgeQueue, type EdgeQueueState } from './edge-queue.ts';
import {
  COLLISION_LIMIT,
  DELAY_NS,
  JABBER_BITS,
  JABBER_PAUSE_BITS,
  LONG_COLLISION_BITS,
  MIN_OUT_BITS,
  RECONNECT_BITS,
} from './parameters.ts';
import { type Edge, HubPort, type HubPortState } from './port.ts';

type Phase = 'idle' | 'repeating' | 'collision' | 'one-left' | 'extending' | 'paused';

export interface HubState {
  readonly phase: Phase;
  readonly source: number;
  readonly startNs: number;
  readonly collisions: number;
  readonly ports: readonly HubPortState[];
  readonly edges: EdgeQueueState;
  readonly timer: TimerState;
}

export class Hub {
  readonly ports: readonly HubPort[];
  readonly speed: SpeedMbps;
  /** Collisions that the hub has jammed. */
  collisions = 0;
  /** Observation: a port was shut out, or let in again. Null unless somebody watches. */
  onPartition: ((port: number, partitioned: boolean) => void) | null = null;
  readonly #clock: Clock;
  readonly #bitNs: number;
  readonly #edges: EdgeQueue;
  /** The end of what `#phase` lasts at most. */
  readonly #timer: Timer;
  #phase: Phase = 'idle';
  /** The port that is repeated. */
  #source: HubPort;
  /** When what goes out began. */
  #startNs = 0;

  constructor(clock: Clock, portCount: number, speed: SpeedMbps, delayNs = DELAY_NS[speed]) {
    if (!(portCount >= 1)) throw new RangeError(`a hub of ${portCount} ports makes no sense`);
    this.#clock = clock;
    this.speed = speed;
    this.#bitNs = BIT_NS[speed];
    this.ports = Array.from({ length: portCount }, (_, index) => new HubPort(index, speed, this));
    this.#source = this.ports[0]!;
    this.#edges = new EdgeQueue(clock, delayNs, this.ports, (port, edge, transmission) =>
      this.#take(port, edge, transmission),
    );
    this.#timer = clock.timer(() => this.#due());
  }

  // From the ports.

  edge(port: HubPort, edge: Edge, transmission: Transmission | null): void {
    this.#edges.push(port, edge, transmission);
  }

  damaged(port: HubPort, transmission: Transmission, frame: Frame): void {
    if (this.#phase !== 'repeating' || port !== this.#source || port.input?.startNs !== transmission.startNs) return;
    for (const other of this.ports) if (other !== port && other.out !== null) other.out.frame = frame;
  }

  save(): HubState {
    return {
      phase: this.#phase,
      source: this.#source.index,
      startNs: this.#startNs,
      collisions: this.collisions,
      ports: this.ports.map(port => port.save()),
      edges: this.#edges.save(),
      timer: this.#timer.save(),
    };
  }

  load(state: HubState): void {
    this.#phase = state.phase;
    this.#source = this.ports[state.source]!;
    this.#startNs = state.startNs;
    this.collisions = state.collisions;
    for (const [i, port] of this.ports.entries()) port.load(state.ports[i]!);
    this.#edges.load(state.edges);
    this.#timer.load(state.timer);
  }

  #take(port: HubPort, edge: Edge, transmission: Transmission | null): void {
    if (edge === 'on') this.#begins(port, transmission!);
    else if (edge === 'off') this.#ends(port, transmission);
    else if (port.active && this.#phase !== 'collision') this.#collide();
  }

  /** A port has become active. */
  #begins(port: HubPort, transmission: Transmission): void {
    port.input = transmission;
    port.sinceNs = this.#clock.nowNs;
    if (port.partitioned) {
      port.disturbed = this.#phase !== 'idle';
      return;
    }
    if (this.#phase === 'idle') this.#repeat(port, false);
    else if (this.#phase === 'collision') port.involved = true;
    else if (this.#phase !== 'paused') this.#collide();
  }

  /** A port has fallen silent. Without activity it does nothing. */
  #ends(port: HubPort, transmission: Transmission | null): void {
    if (port.input === null) return;
    const input = transmission ?? port.input;
    const wasActive = port.active;
    port.input = null;
    port.isolated = false;
    if (!wasActive) {
      if (port.partitioned && !port.disturbed && this.#lasted(port.sinceNs, RECONNECT_BITS)) this.#letIn(port);
      return;
    }
    if (this.#phase === 'repeating') this.#finish(input);
    else if (this.#phase === 'collision' || this.#phase === 'one-left') this.#settle();
  }

  /** Begins to repeat `source`; `resumed` if that is in the middle of what it sends. */
  #repeat(source: HubPort, resumed: boolean): void {
    const { nowNs } = this.#clock;
    const { frame, headBits, startNs, jamNs } = source.input!;
    this.#phase = 'repeating';
    this.#source = source;
    this.#startNs = nowNs;
    for (const port of this.ports) {
      if (port.partitioned) port.disturbed = port.input !== null;
      if (port !== source && port.occupied) port.send(frame, nowNs, headBits, resumed || jamNs <= startNs);
    }
    this.#timer.armAt(nowNs + JABBER_BITS * this.#bitNs);
  }

  /** The port that was repeated has ended `input` without a collision at the hub. */
  #finish(input: Transmission): void {
    const { nowNs } = this.#clock;
    const endNs = Math.max(nowNs, this.#startNs + MIN_OUT_BITS * this.#bitNs);
    const cut = input.aborted || endNs > nowNs;
    const jamNs = Math.min(this.#startNs + input.jamNs - input.startNs, nowNs);
    for (const port of this.ports) {
      if (port === this.#source || !port.sends(nowNs)) continue;
      const out = port.out!;
      out.aborted ||= cut;
      if (cut) out.jamNs = Math.min(out.jamNs, jamNs);
      port.stop(endNs);
    }
    if (this.#lasted(this.#startNs, RECONNECT_BITS)) this.#wasClean();
    this.#rest(endNs);
  }

  /** Something free of collision went through: ports forget their collisions, and may be let in again. */
  #wasClean(): void {
    for (const port of this.ports) {
      port.collisions = 0;
      if (port.partitioned && !port.disturbed && port.occupied) this.#letIn(port);
    }
  }

  /** More than one port is active: jam to all. */
  #collide(): void {
    const { nowNs } = this.#clock;
    const { frame } = this.#source.input ?? this.ports.find(port => port.input !== null)!.input!;
    if (this.#phase !== 'one-left') {
      this.collisions += 1;
      this.#timer.armAt(nowNs + LONG_COLLISION_BITS * this.#bitNs);
    }
    this.#phase = 'collision';
    for (const port of this.ports) {
      port.involved ||= port.active;
      if (port.partitioned) port.disturbed ||= port.input !== null;
      if (!port.occupied) continue;
      if (port.sends(nowNs)) port.jam(nowNs);
      else port.send(frame, nowNs, HEADER_BITS, true);
    }
  }

  /** Fewer ports are active in a collision than before. */
  #settle(): void {
    const { nowNs } = this.#clock;
    let left: HubPort | null = null;
    let count = 0;
    for (const port of this.ports) {
      if (!port.active) continue;
      left = port;
      count += 1;
    }
    if (count > 1) return;
    if (left !== null) {
      this.#phase = 'one-left';
      left.stop(Math.max(nowNs, this.#leastEndNs(left)));
      return;
    }
    let endNs = nowNs;
    for (const port of this.ports) if (port.sends(nowNs)) endNs = Math.max(endNs, this.#leastEndNs(port));
    for (const port of this.ports) if (port.out?.endNs === Number.POSITIVE_INFINITY) port.stop(endNs);
    this.#countCollision();
    this.#rest(endNs);
  }

  #countCollision(): void {
    for (const port of this.ports) {
      if (!port.involved) continue;
      port.involved = false;
      port.collisions += 1;
      if (port.collisions > COLLISION_LIMIT[this.speed]) this.#shutOut(port);
    }
  }

  /** All input has ended; what goes out does at `endNs`. */
  #rest(endNs: number): void {
    if (endNs > this.#clock.nowNs) {
      this.#phase = 'extending';
      this.#timer.armAt(endNs);
    } else {
      this.#phase = 'idle';
      this.#timer.cancel();
    }
  }

  #due(): void {
    switch (this.#phase) {
      case 'repeating':
        this.#interrupt();
        break;
      case 'collision':
      case 'one-left':
        for (const port of this.ports) if (port.active) this.#shutOut(port);
        this.#settle();
        break;
      case 'extending':
        this.#phase = 'idle';
        break;
      case 'paused':
        this.#resume();
        break;
    }
  }

  /** The source jabbers: at 10 Mb/s what goes out is cut into pieces, above it the port is shut out until it stops. */
  #interrupt(): void {
    const { nowNs } = this.#clock;
    for (const port of this.ports) {
      if (port === this.#source || !port.sends(nowNs)) continue;
      port.out!.aborted = true;
      port.stop(nowNs);
    }
    if (this.speed === 10) {
      this.#phase = 'paused';
      this.#timer.armAt(nowNs + JABBER_PAUSE_BITS * this.#bitNs);
    } else {
      this.#source.isolated = true;
      this.#phase = 'idle';
    }
  }

  #resume(): void {
    const active = this.ports.filter(port => port.active);
    this.#phase = 'idle';
    if (active.length === 1) this.#repeat(active[0]!, true);
    else if (active.length > 1) this.#collide();
  }

  #shutOut(port: HubPort): void {
    port.partitioned = true;
    port.disturbed = port.input !== null;
    this.onPartition?.(port.index, true);
  }

  #letIn(port: HubPort): void {
    port.partitioned = false;
    port.collisions = 0;
    this.onPartition?.(port.index, false);
  }

  #leastEndNs(port: HubPort): number {
    return port.out!.startNs + MIN_OUT_BITS * this.#bitNs;
  }

  #lasted(sinceNs: number, bits: number): boolean {
    return this.#clock.nowNs - sinceNs >= bits * this.#bitNs;
  }
}
