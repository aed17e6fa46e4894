/**
 * The variables of one port in the spanning tree, IEEE 802.1D-2004 clauses 17.17 and 17.19, under the names that they
 * have there, and the states of its machines. The machines, one file each, are all that writes them.
 *
 * Timers count down once a second.
 */
import type { Bpdu } from './bpdu.ts';
import { MIGRATE_TIME } from './parameters.ts';
import type { PriorityVector, Times } from './priority-vector.ts';

export type Role = 'Disabled' | 'Root' | 'Designated' | 'Alternate' | 'Backup';

/** What the rest of the bridge is to the machines of a port. */
export interface Tree {
  readonly ports: readonly TreePort[];
  readonly bridgeId: string;
  readonly bridgeTimes: Times;
  /** 802.1w; false where the old protocol is forced. */
  readonly rstpVersion: boolean;
  /** As the latest selection of roles has it. */
  rootPriority: PriorityVector;
  rootTimes: Times;
  /** Port identifier of the root port, 0 on the root bridge. */
  rootPortId: number;
  /** Learning and forwarding of the port are now as it says. */
  stateChanged(port: TreePort): void;
  /** What was learned at the port is no longer true. */
  flush(port: TreePort): void;
  /** Sends a BPDU. */
  transmit(port: TreePort, bpdu: Bpdu): void;
}

/** What never changes while a port is in use. */
export interface TreePortParameters {
  /** Number of the port on its switch. */
  readonly index: number;
  /** Priority in the upper four bits, number from 1 in the others. */
  readonly portId: number;
  readonly adminEdge: boolean;
  /** Null: by the speed of the link. */
  readonly pathCost: number | null;
}

const NO_VECTOR: PriorityVector = { root: '', rootPathCost: 0, bridge: '', port: 0, receivingPort: 0 };
const NO_TIMES: Times = { messageAge: 0, maxAge: 0, helloTime: 0, forwardDelay: 0 };

export class TreePort {
  readonly parameters: TreePortParameters;

  // Timers, 17.17, in seconds.
  edgeDelayWhile = 0;
  fdWhile = 0;
  helloWhen = 0;
  mdelayWhile = 0;
  rbWhile = 0;
  rcvdInfoWhile = 0;
  rrWhile = 0;
  tcWhile = 0;

  // What the port is told, 17.19.
  portEnabled = false;
  /** Full duplex: nobody else can be on the link. */
  operPointToPointMAC = false;
  portPathCost = 0;

  // Variables, 17.19.
  agree = false;
  agreed = false;
  designatedPriority = NO_VECTOR;
  designatedTimes = NO_TIMES;
  disputed = false;
  fdbFlush = false;
  forward = false;
  forwarding = false;
  infoIs: 'Received' | 'Mine' | 'Aged' | 'Disabled' = 'Disabled';
  learn = false;
  learning = false;
  newInfo = false;
  operEdge = false;
  portPriority = NO_VECTOR;
  portTimes = NO_TIMES;
  proposed = false;
  proposing = false;
  /** rcvdBPDU, and the BPDU; null for none. */
  rcvdBPDU: Bpdu | null = null;
  /** rcvdMsg, and the message. */
  rcvdMsg: Bpdu | null = null;
  rcvdRSTP = false;
  rcvdSTP = false;
  rcvdTc = false;
  rcvdTcAck = false;
  rcvdTcn = false;
  reRoot = false;
  reselect = false;
  role: Role = 'Disabled';
  selected = false;
  selectedRole: Role = 'Disabled';
  sendRSTP = true;
  sync = false;
  synced = false;
  tcAck = false;
  tcProp = false;
  txCount = 0;
  updtInfo = false;

  // States of the machines.
  migration: 'CHECKING_RSTP' | 'SELECTING_STP' | 'SENSING' = 'CHECKING_RSTP';
  topologyChange: 'INACTIVE' | 'LEARNING' | 'ACTIVE' = 'INACTIVE';

  constructor(parameters: TreePortParameters) {
    this.parameters = parameters;
  }

  get portId(): number {
    return this.parameters.portId;
  }

  /** 17.20.5: how long a designated port listens and learns where nobody agrees. */
  get forwardDelay(): number {
    return this.sendRSTP ? this.designatedTimes.helloTime : this.designatedTimes.forwardDelay;
  }

  /** 17.20.4: how long a port that proposes waits for an answer before it takes itself for an edge. */
  get edgeDelay(): number {
    return this.operPointToPointMAC ? MIGRATE_TIME : this.designatedTimes.maxAge;
  }

  save(): TreePortState {
    const { parameters: _, ...variables } = this;
    return variables;
  }

  load(state: TreePortState): void {
    Object.assign(this, state);
  }
}

/** The variables alone. What they refer to never changes. */
export type TreePortState = Readonly<
  Omit<TreePort, 'parameters' | 'portId' | 'forwardDelay' | 'edgeDelay' | 'save' | 'load'>
>;
