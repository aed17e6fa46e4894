/**
 * Port role selection, IEEE 802.1D-2004 clause 17.28: from what all ports hold it follows which bridge is the root, which
 * port leads there, and what each other port is.
 */
import { addressOf, compareVectors, type PriorityVector, sameTimes } from './priority-vector.ts';
import type { Role, Tree, TreePort } from './tree-port.ts';

/** Selects all roles anew if a port has asked for that, and says so. */
export function portRoleSelection(tree: Tree): boolean {
  if (!tree.ports.some(({ reselect }) => reselect)) return false;
  for (const port of tree.ports) port.reselect = false;
  updateRoles(tree);
  for (const port of tree.ports) port.selected = true;
  return true;
}

/** updtRolesTree(), 17.21.25. */
function updateRoles(tree: Tree): void {
  const { bridgeId, bridgeTimes } = tree;
  let best: PriorityVector = { root: bridgeId, rootPathCost: 0, bridge: bridgeId, port: 0, receivingPort: 0 };
  let rootPort: TreePort | null = null;
  for (const port of tree.ports) {
    const { infoIs, portPriority } = port;
    if (infoIs !== 'Received' || addressOf(portPriority.bridge) === addressOf(bridgeId)) continue;
    const path = { ...portPriority, rootPathCost: portPriority.rootPathCost + port.portPathCost };
    if (compareVectors(path, best) >= 0) continue;
    best = path;
    rootPort = port;
  }
  tree.rootPriority = best;
  tree.rootPortId = rootPort === null ? 0 : rootPort.portId;
  tree.rootTimes =
    rootPort === null
      ? bridgeTimes
      : { ...rootPort.portTimes, messageAge: Math.floor(rootPort.portTimes.messageAge + 1) };
  for (const port of tree.ports) {
    const { portId } = port;
    port.designatedPriority = { ...best, bridge: bridgeId, port: portId, receivingPort: portId };
    port.designatedTimes = { ...tree.rootTimes, helloTime: bridgeTimes.helloTime };
    port.selectedRole = roleOf(port, port === rootPort, bridgeId);
  }
}

/** The role of one port. Sets updtInfo where the port is to speak for itself. */
function roleOf(port: TreePort, isRoot: boolean, bridgeId: string): Role {
  const { portPriority, designatedPriority } = port;
  switch (port.infoIs) {
    case 'Disabled':
      return 'Disabled';
    case 'Aged':
      port.updtInfo = true;
      return 'Designated';
    case 'Mine':
      port.updtInfo =
        compareVectors(portPriority, designatedPriority) !== 0 || !sameTimes(port.portTimes, port.designatedTimes);
      return 'Designated';
    case 'Received':
      port.updtInfo = !isRoot && compareVectors(designatedPriority, portPriority) < 0;
      if (isRoot) return 'Root';
      if (port.updtInfo) return 'Designated';
      return addressOf(portPriority.bridge) === addressOf(bridgeId) ? 'Backup' : 'Alternate';
  }
}
