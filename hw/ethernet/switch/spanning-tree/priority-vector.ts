/**
 * Spanning tree priority vectors, IEEE 802.1D-2004 clause 17.5 and 17.6: root, cost to it, who says so and on which of
 * its ports, and the port that heard it. Lower is better, component by component. They are compared some times a second.
 */
import { hexBytes } from '../../../../src/lib/bytes.ts';

/** Priority in four hexadecimal digits, a dot, and the address in twelve: text order is the order of the standard. */
export type BridgeId = string;

export interface PriorityVector {
  readonly root: BridgeId;
  readonly rootPathCost: number;
  /** The designated bridge and, with its priority in the upper four bits, port. */
  readonly bridge: BridgeId;
  readonly port: number;
  /** The port identifier of the port that received it; 0 where that plays no part. */
  readonly receivingPort: number;
}

/** Timer values that travel with a message, 17.14, in seconds. */
export interface Times {
  readonly messageAge: number;
  readonly maxAge: number;
  readonly helloTime: number;
  readonly forwardDelay: number;
}

const PORT_PRIORITY_BITS = 0xf000;

export function bridgeId(priority: number, address: Uint8Array): BridgeId {
  return `${priority.toString(16).padStart(4, '0')}.${hexBytes(address, '')}`;
}

export const addressOf = (bridge: BridgeId): string => bridge.slice(5);

/** Below zero where `a` is better. */
export function compareVectors(a: PriorityVector, b: PriorityVector): number {
  return (
    compareIds(a.root, b.root) ||
    a.rootPathCost - b.rootPathCost ||
    compareIds(a.bridge, b.bridge) ||
    a.port - b.port ||
    a.receivingPort - b.receivingPort
  );
}

/** Whether a message supersedes what a port has: it is better, or the same bridge and port say something new, 17.6. */
export function isSuperior(message: PriorityVector, held: PriorityVector): boolean {
  const order = compareVectors(message, held);
  if (order <= 0) return order < 0;
  return (
    addressOf(message.bridge) === addressOf(held.bridge) &&
    (message.port & ~PORT_PRIORITY_BITS) === (held.port & ~PORT_PRIORITY_BITS)
  );
}

export function sameTimes(a: Times, b: Times): boolean {
  return (
    a.messageAge === b.messageAge &&
    a.maxAge === b.maxAge &&
    a.helloTime === b.helloTime &&
    a.forwardDelay === b.forwardDelay
  );
}

function compareIds(a: BridgeId, b: BridgeId): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
