/**
 * The delay of a hub: carrier edges in the order in which they came in, each due one delay later. All have the same
 * delay, so one timer and a ring do. A hub without delay takes each edge at once.
 */
import { assert } from '../../../src/lib/assert.ts';
import type { Clock, Timer, TimerState } from '../../sim/clock.ts';
import type { Transmission } from '../ports.ts';
import { loadTransmission, saveTransmission, type TransmissionState } from '../transmission.ts';
import type { Edge, HubPort } from './port.ts';

/** Edges that may wait per port: more would come within one delay only if bits were shorter than they are. */
const EDGES_PER_PORT = 16;

export interface EdgeQueueState {
  readonly edges: readonly {
    readonly dueNs: number;
    readonly port: number;
    readonly edge: Edge;
    readonly transmission: TransmissionState | null;
  }[];
  readonly timer: TimerState;
}

export class EdgeQueue {
  readonly #clock: Clock;
  readonly #delayNs: number;
  readonly #ports: readonly HubPort[];
  readonly #take: (port: HubPort, edge: Edge, transmission: Transmission | null) => void;
  readonly #timer: Timer;
  // A ring; entry i is spread over four arrays.
  readonly #capacity: number;
  readonly #dueNs: number[];
  readonly #port: HubPort[];
  readonly #edge: Edge[];
  readonly #transmission: (Transmission | null)[];
  #head = 0;
  #count = 0;

  constructor(
    clock: Clock,
    delayNs: number,
    ports: readonly HubPort[],
    take: (port: HubPort, edge: Edge, transmission: Transmission | null) => void,
  ) {
    this.#clock = clock;
    this.#delayNs = delayNs;
    this.#ports = ports;
    this.#take = take;
    this.#timer = clock.timer(() => this.#due());
    this.#capacity = EDGES_PER_PORT * ports.length;
    this.#dueNs = new Array(this.#capacity).fill(0);
    this.#port = new Array(this.#capacity).fill(ports[0]);
    this.#edge = new Array(this.#capacity).fill('off');
    this.#transmission = new Array(this.#capacity).fill(null);
  }

  push(port: HubPort, edge: Edge, transmission: Transmission | null): void {
    if (this.#delayNs === 0) {
      this.#take(port, edge, transmission);
      return;
    }
    this.#put(this.#clock.nowNs + this.#delayNs, port, edge, transmission);
    if (this.#count === 1) this.#timer.armIn(this.#delayNs);
  }

  save(): EdgeQueueState {
    const edges = Array.from({ length: this.#count }, (_, i) => {
      const at = (this.#head + i) % this.#capacity;
      const transmission = this.#transmission[at]!;
      return {
        dueNs: this.#dueNs[at]!,
        port: this.#port[at]!.index,
        edge: this.#edge[at]!,
        transmission: transmission === null ? null : saveTransmission(transmission),
      };
    });
    return { edges, timer: this.#timer.save() };
  }

  load(state: EdgeQueueState): void {
    this.#count = 0;
    for (const { dueNs, port, edge, transmission } of state.edges) {
      this.#put(dueNs, this.#ports[port]!, edge, transmission === null ? null : loadTransmission(transmission));
    }
    this.#timer.load(state.timer);
  }

  #put(dueNs: number, port: HubPort, edge: Edge, transmission: Transmission | null): void {
    assert(this.#count < this.#capacity, 'more carrier edges within a hub than can be');
    const at = (this.#head + this.#count) % this.#capacity;
    this.#dueNs[at] = dueNs;
    this.#port[at] = port;
    this.#edge[at] = edge;
    this.#transmission[at] = transmission;
    this.#count += 1;
  }

  #due(): void {
    const at = this.#head;
    const transmission = this.#transmission[at]!;
    this.#transmission[at] = null;
    this.#head = (at + 1) % this.#capacity;
    this.#count -= 1;
    if (this.#count > 0) this.#timer.armAt(this.#dueNs[this.#head]!);
    this.#take(this.#port[at]!, this.#edge[at]!, transmission);
  }
}
