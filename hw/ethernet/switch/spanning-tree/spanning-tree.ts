/**
 * The spanning tree of one switch: the Rapid Spanning Tree Protocol of IEEE 802.1D-2004 clause 17, which falls back to
 * the old protocol at each port whose partner speaks nothing else, or everywhere if that is forced. One tree serves all
 * VLANs.
 *
 * The machines of the standard are functions that do one transition. After each event (a BPDU, a link, a second that has
 * passed) they run until none of them can move; BPDUs go out when all others have come to rest. One timer ticks while any
 * port has a link.
 */
import { assert } from '../../../../src/lib/assert.ts';
import type { Clock, Timer, TimerState } from '../../../sim/clock.ts';
import type { PhyLink } from '../../ports.ts';
import { type Bpdu, decodeBpdu, encodeBpdu } from './bpdu.ts';
import type { SpanningTreeParameters } from './options.ts';
import { MAX_TRANSITIONS, PORT_PATH_COST } from './parameters.ts';
import { portInformation } from './port-information.ts';
import { bridgeDetection, portProtocolMigration, portReceive } from './port-protocol.ts';
import { portTransmit } from './port-transmit.ts';
import { type BridgeId, bridgeId, type PriorityVector, type Times } from './priority-vector.ts';
import { portRoleSelection } from './role-selection.ts';
import { portRoleTransitions } from './role-transitions.ts';
import { portStateTransitions, topologyChange } from './topology-change.ts';
import { type Role, type Tree, TreePort, type TreePortState } from './tree-port.ts';

const TICK_NS = 1_000_000_000;

/** The switch around a spanning tree. */
export interface SpanningTreeHost {
  /** What a port may do has changed. */
  setState(port: number, state: 'discarding' | 'learning' | 'forwarding'): void;
  /** Forgets what was learned at the port. */
  flush(port: number): void;
  /** Entries age so fast for now; null: as usual again. */
  setAgeing(seconds: number | null): void;
  /** Sends a frame from the port; the octets are DA to pad. The source address is that of the port. */
  transmit(port: number, octets: Uint8Array): void;
  addressOf(port: number): Uint8Array;
}

/** A port of the tree, for people. */
export interface TreePortView {
  readonly port: number;
  readonly role: Role;
  readonly state: 'discarding' | 'learning' | 'forwarding';
  readonly edge: boolean;
  readonly pathCost: number;
}

export interface SpanningTreeState {
  readonly ports: readonly TreePortState[];
  readonly rootPriority: PriorityVector;
  readonly rootTimes: Times;
  readonly rootPortId: number;
  readonly ageingWhile: number;
  readonly tick: TimerState;
}

export class SpanningTree implements Tree {
  readonly ports: readonly TreePort[];
  readonly bridgeId: BridgeId;
  readonly bridgeTimes: Times;
  readonly rstpVersion: boolean;
  rootPriority: PriorityVector;
  rootTimes: Times;
  rootPortId = 0;
  readonly #host: SpanningTreeHost;
  readonly #tick: Timer;
  /** Old protocol: seconds for which entries age fast. */
  #ageingWhile = 0;

  /** A tree whose ports have no link yet. `address` is that of the switch. */
  constructor(clock: Clock, address: Uint8Array, parameters: SpanningTreeParameters, host: SpanningTreeHost) {
    this.#host = host;
    this.#tick = clock.timer(() => this.#second());
    this.bridgeId = bridgeId(parameters.priority, address);
    this.rstpVersion = parameters.rstp;
    this.bridgeTimes = parameters.times;
    this.rootTimes = parameters.times;
    this.rootPriority = { root: this.bridgeId, rootPathCost: 0, bridge: this.bridgeId, port: 0, receivingPort: 0 };
    this.ports = parameters.ports.map(port => new TreePort(port));
    for (const port of this.ports) {
      port.reselect = true;
      host.setState(port.parameters.index, 'discarding');
    }
    this.#run();
  }

  /** Whether this switch takes itself for the root. */
  get isRoot(): boolean {
    return this.rootPortId === 0;
  }

  view(): readonly TreePortView[] {
    return this.ports.map(port => ({
      port: port.parameters.index,
      role: port.role,
      state: stateOf(port),
      edge: port.operEdge,
      pathCost: port.portPathCost,
    }));
  }

  /** The link of the switch's port `index` has changed. */
  linkChanged(index: number, { up, speed, fullDuplex }: PhyLink): void {
    const port = this.#port(index);
    if (port === undefined) return;
    port.portEnabled = up;
    if (up) {
      port.operPointToPointMAC = fullDuplex;
      port.portPathCost = port.parameters.pathCost ?? PORT_PATH_COST[speed];
      if (!this.#tick.armed) this.#tick.armIn(TICK_NS);
    }
    this.#run();
  }

  /** A frame to the bridge group address has come in at the switch's port `index`. */
  received(index: number, octets: Uint8Array): void {
    const port = this.#port(index);
    const bpdu = port === undefined ? null : decodeBpdu(octets);
    if (port === undefined || bpdu === null || this.#isOwn(port, bpdu)) return;
    port.rcvdBPDU = bpdu;
    this.#run();
  }

  // From the machines.

  stateChanged(port: TreePort): void {
    this.#host.setState(port.parameters.index, stateOf(port));
  }

  /** 17.19.1: at once; in the old protocol by ageing that is as fast as the forward delay, for as long. */
  flush(port: TreePort): void {
    if (this.rstpVersion || !port.portEnabled) {
      this.#host.flush(port.parameters.index);
      return;
    }
    this.#ageingWhile = this.rootTimes.forwardDelay;
    this.#host.setAgeing(this.#ageingWhile);
  }

  transmit(port: TreePort, bpdu: Bpdu): void {
    const { index } = port.parameters;
    this.#host.transmit(index, encodeBpdu(bpdu, this.#host.addressOf(index)));
  }

  save(): SpanningTreeState {
    const { rootPriority, rootTimes, rootPortId } = this;
    return {
      ports: this.ports.map(port => port.save()),
      rootPriority,
      rootTimes,
      rootPortId,
      ageingWhile: this.#ageingWhile,
      tick: this.#tick.save(),
    };
  }

  load(state: SpanningTreeState): void {
    for (const [i, port] of this.ports.entries()) port.load(state.ports[i]!);
    this.rootPriority = state.rootPriority;
    this.rootTimes = state.rootTimes;
    this.rootPortId = state.rootPortId;
    this.#ageingWhile = state.ageingWhile;
    this.#tick.load(state.tick);
  }

  #port(index: number): TreePort | undefined {
    return this.ports.find(({ parameters }) => parameters.index === index);
  }

  /** 9.3.4: a Configuration BPDU that this very port has sent. */
  #isOwn(port: TreePort, bpdu: Bpdu): boolean {
    return bpdu.kind === 'config' && bpdu.priority.bridge === this.bridgeId && bpdu.priority.port === port.portId;
  }

  /** The port timers machine, 17.22. */
  #second(): void {
    for (const port of this.ports) {
      port.helloWhen = down(port.helloWhen);
      port.tcWhile = down(port.tcWhile);
      port.fdWhile = down(port.fdWhile);
      port.rcvdInfoWhile = down(port.rcvdInfoWhile);
      port.rrWhile = down(port.rrWhile);
      port.rbWhile = down(port.rbWhile);
      port.mdelayWhile = down(port.mdelayWhile);
      port.edgeDelayWhile = down(port.edgeDelayWhile);
      port.txCount = down(port.txCount);
    }
    if (this.#ageingWhile > 0) {
      this.#ageingWhile = down(this.#ageingWhile);
      if (this.#ageingWhile === 0) this.#host.setAgeing(null);
    }
    this.#run();
    if (this.#ageingWhile > 0 || this.ports.some(({ portEnabled }) => portEnabled)) this.#tick.armIn(TICK_NS);
  }

  /** Lets the machines move until all are at rest. */
  #run(): void {
    for (let count = 0; this.#move(); count++) assert(count < MAX_TRANSITIONS, 'the spanning tree never comes to rest');
  }

  /** Each machine of each port moves as far as it can. False when none could. */
  #move(): boolean {
    let moved = false;
    for (const port of this.ports) {
      while (portReceive(port) || portProtocolMigration(port, this) || bridgeDetection(port)) moved = true;
      while (portInformation(port, this)) moved = true;
    }
    if (portRoleSelection(this)) moved = true;
    for (const port of this.ports) {
      while (portRoleTransitions(port, this) || portStateTransitions(port, this) || topologyChange(port, this)) {
        moved = true;
      }
    }
    if (moved) return true;
    for (const port of this.ports) if (portTransmit(port, this)) moved = true;
    return moved;
  }
}

function stateOf({ learning, forwarding }: TreePort): TreePortView['state'] {
  if (forwarding) return 'forwarding';
  return learning ? 'learning' : 'discarding';
}

function down(seconds: number): number {
  return Math.max(0, seconds - 1);
}
