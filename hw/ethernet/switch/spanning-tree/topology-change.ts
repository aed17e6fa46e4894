/**
 * The topology change machine, IEEE 802.1D-2004 clause 17.31, and the port state transitions of 17.30. A port that
 * begins to forward changes the paths of frames: all others forget what they have learned, here and, told by the TC flag
 * of BPDUs for a while, in every bridge. One call does one transition and says so.
 */
import type { Tree, TreePort } from './tree-port.ts';

/** Puts learn and forward into effect, one after the other. */
export function portStateTransitions(port: TreePort, tree: Tree): boolean {
  if (port.forwarding && !port.forward) port.forwarding = port.learning = false;
  else if (port.learning && !port.learn) port.learning = false;
  else if (!port.learning && port.learn) port.learning = true;
  else if (port.learning && !port.forwarding && port.forward) port.forwarding = true;
  else return false;
  tree.stateChanged(port);
  return true;
}

export function topologyChange(port: TreePort, tree: Tree): boolean {
  if (port.fdbFlush) {
    port.fdbFlush = false;
    tree.flush(port);
    return true;
  }
  switch (port.topologyChange) {
    case 'INACTIVE':
      if (!port.learn) return false;
      enterLearning(port);
      return true;
    case 'LEARNING':
      return learning(port, tree);
    case 'ACTIVE':
      return active(port, tree);
  }
}

function learning(port: TreePort, tree: Tree): boolean {
  const told = port.rcvdTc || port.rcvdTcn || port.rcvdTcAck || port.tcProp;
  if (isActiveRole(port) && port.forward && !port.operEdge) {
    // DETECTED
    newTcWhile(port, tree);
    propagate(port, tree);
    port.newInfo = true;
    port.topologyChange = 'ACTIVE';
  } else if (!isActiveRole(port) && !port.learn && !port.learning && !told) {
    // INACTIVE
    port.topologyChange = 'INACTIVE';
    port.fdbFlush = true;
    port.tcWhile = 0;
    port.tcAck = false;
  } else if (told) {
    enterLearning(port);
  } else {
    return false;
  }
  return true;
}

function active(port: TreePort, tree: Tree): boolean {
  if (!isActiveRole(port) || port.operEdge) {
    enterLearning(port);
  } else if (port.rcvdTcn || port.rcvdTc) {
    // NOTIFIED_TCN, NOTIFIED_TC
    if (port.rcvdTcn) newTcWhile(port, tree);
    if (port.rcvdTcn && port.role === 'Designated') port.tcAck = true;
    port.rcvdTcn = port.rcvdTc = false;
    propagate(port, tree);
  } else if (port.tcProp) {
    // PROPAGATING
    newTcWhile(port, tree);
    port.fdbFlush = true;
    port.tcProp = false;
  } else if (port.rcvdTcAck) {
    // ACKNOWLEDGED
    port.tcWhile = 0;
    port.rcvdTcAck = false;
  } else {
    return false;
  }
  return true;
}

function enterLearning(port: TreePort): void {
  port.topologyChange = 'LEARNING';
  port.rcvdTc = port.rcvdTcn = port.rcvdTcAck = port.tcProp = false;
}

function isActiveRole({ role }: TreePort): boolean {
  return role === 'Root' || role === 'Designated';
}

/** 17.21.7: so long BPDUs tell of the change. */
function newTcWhile(port: TreePort, { rootTimes }: Tree): void {
  if (port.tcWhile !== 0) return;
  if (port.sendRSTP) {
    port.tcWhile = port.designatedTimes.helloTime + 1;
    port.newInfo = true;
  } else {
    port.tcWhile = rootTimes.maxAge + rootTimes.forwardDelay;
  }
}

function propagate(port: TreePort, { ports }: Tree): void {
  for (const other of ports) if (other !== port) other.tcProp = true;
}
