/**
 * The port role transitions machine, IEEE 802.1D-2004 clause 17.29: from the role of a port to whether it learns and
 * forwards, so that no loop arises on the way. A port that is to forward at once has to know that everything behind it
 * is in step (`synced`) and asks the far end (`proposing`) whether it agrees. One call does one transition and says so.
 *
 * The conditions of the standard's figures stand here in the same order, with the names of its states beside them.
 */
import type { Tree, TreePort } from './tree-port.ts';

export function portRoleTransitions(port: TreePort, tree: Tree): boolean {
  if (!port.selected || port.updtInfo) return false;
  if (port.role !== port.selectedRole) {
    changeRole(port);
    return true;
  }
  switch (port.role) {
    case 'Disabled':
      return disabledPort(port);
    case 'Root':
      return rootPort(port, tree);
    case 'Designated':
      return designatedPort(port);
    case 'Alternate':
    case 'Backup':
      return alternatePort(port, tree);
  }
}

/** DISABLE_PORT, ROOT_PORT, DESIGNATED_PORT, BLOCK_PORT. */
function changeRole(port: TreePort): void {
  port.role = port.selectedRole;
  if (port.role === 'Root') port.rrWhile = port.designatedTimes.forwardDelay;
  else if (port.role !== 'Designated') port.learn = port.forward = false;
}

/** Figure 17-20. */
function disabledPort(port: TreePort): boolean {
  const { maxAge } = port.designatedTimes;
  if (port.learning || port.forwarding) return false;
  if (port.fdWhile === maxAge && port.rrWhile === 0 && !port.sync && !port.reRoot && port.synced) return false;
  port.fdWhile = maxAge;
  port.synced = true;
  port.rrWhile = 0;
  port.sync = port.reRoot = false;
  return true;
}

/** Figure 17-21. */
function rootPort(port: TreePort, tree: Tree): boolean {
  const { forwardDelay } = port.designatedTimes;
  if (port.proposed && !port.agree) {
    // ROOT_PROPOSED
    syncAll(tree);
    port.proposed = false;
  } else if ((allSynced(tree) && !port.agree) || (port.proposed && port.agree)) {
    // ROOT_AGREED
    port.proposed = port.sync = false;
    port.agree = port.newInfo = true;
  } else if (!port.forward && !port.reRoot) {
    // REROOT
    for (const each of tree.ports) each.reRoot = true;
  } else if (!port.learn && mayForwardAsRoot(port, tree)) {
    // ROOT_LEARN
    port.fdWhile = forwardDelay;
    port.learn = true;
  } else if (port.learn && !port.forward && mayForwardAsRoot(port, tree)) {
    // ROOT_FORWARD
    port.fdWhile = 0;
    port.forward = true;
  } else if (port.reRoot && port.forward) {
    // REROOTED
    port.reRoot = false;
  } else if (port.rrWhile !== forwardDelay) {
    // ROOT_PORT
    port.rrWhile = forwardDelay;
  } else {
    return false;
  }
  return true;
}

/** Its wait is over, or no other port that was root lately still forwards (reRooted). */
function mayForwardAsRoot(port: TreePort, { ports, rstpVersion }: Tree): boolean {
  if (port.fdWhile === 0) return true;
  return rstpVersion && port.rbWhile === 0 && ports.every(each => each === port || each.rrWhile === 0);
}

/** Figure 17-22. */
function designatedPort(port: TreePort): boolean {
  if (!port.forward && !port.agreed && !port.proposing && !port.operEdge) {
    // DESIGNATED_PROPOSE
    port.proposing = port.newInfo = true;
    port.edgeDelayWhile = port.edgeDelay;
  } else if (isInStep(port)) {
    // DESIGNATED_SYNCED
    port.rrWhile = 0;
    port.synced = true;
    port.sync = false;
  } else if (port.rrWhile === 0 && port.reRoot) {
    // DESIGNATED_RETIRED
    port.reRoot = false;
  } else if ((port.learn || port.forward) && mustDiscard(port)) {
    // DESIGNATED_DISCARD
    port.learn = port.forward = port.disputed = false;
    port.fdWhile = port.forwardDelay;
  } else if (!port.learn && mayForwardAsDesignated(port)) {
    // DESIGNATED_LEARN
    port.learn = true;
    port.fdWhile = port.forwardDelay;
  } else if (port.learn && !port.forward && mayForwardAsDesignated(port)) {
    // DESIGNATED_FORWARD
    port.forward = true;
    port.fdWhile = 0;
    port.agreed = port.sendRSTP;
  } else {
    return false;
  }
  return true;
}

function isInStep(port: TreePort): boolean {
  if (port.synced) return port.sync;
  return (!port.learning && !port.forwarding) || port.agreed || port.operEdge;
}

function mustDiscard(port: TreePort): boolean {
  if (port.operEdge) return false;
  return (port.sync && !port.synced) || (port.reRoot && port.rrWhile !== 0) || port.disputed;
}

function mayForwardAsDesignated(port: TreePort): boolean {
  if (port.sync || (port.reRoot && port.rrWhile !== 0)) return false;
  return port.fdWhile === 0 || port.agreed || port.operEdge;
}

/** Figure 17-23. */
function alternatePort(port: TreePort, tree: Tree): boolean {
  const { forwardDelay } = port;
  const backupWhile = 2 * port.designatedTimes.helloTime;
  if (port.learning || port.forwarding) return false;
  if (port.proposed && !port.agree) {
    // ALTERNATE_PROPOSED
    syncAll(tree);
    port.proposed = false;
  } else if ((allSynced(tree) && !port.agree) || (port.proposed && port.agree)) {
    // ALTERNATE_AGREED
    port.proposed = false;
    port.agree = port.newInfo = true;
  } else if (port.role === 'Backup' && port.rbWhile !== backupWhile) {
    // BACKUP_PORT
    port.rbWhile = backupWhile;
  } else if (port.fdWhile !== forwardDelay || port.rrWhile !== 0 || port.sync || port.reRoot || !port.synced) {
    // ALTERNATE_PORT
    port.fdWhile = forwardDelay;
    port.synced = true;
    port.rrWhile = 0;
    port.sync = port.reRoot = false;
  } else {
    return false;
  }
  return true;
}

function syncAll({ ports }: Tree): void {
  for (const port of ports) port.sync = true;
}

/** 17.20.3: every port has the role that was selected, and is in step, or is the root port. */
function allSynced({ ports }: Tree): boolean {
  return ports.every(
    ({ selected, role, selectedRole, synced }) => selected && role === selectedRole && (synced || role === 'Root'),
  );
}
