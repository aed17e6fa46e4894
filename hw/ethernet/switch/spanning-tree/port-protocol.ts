/**
 * Three small machines of a port, IEEE 802.1D-2004 clauses 17.23 to 17.25: it takes one BPDU after the other, finds out
 * which version its partner speaks, and whether it has a partner at all. Each does one transition and says so.
 */
import { MIGRATE_TIME } from './parameters.ts';
import type { Tree, TreePort } from './tree-port.ts';

/** Port receive, 17.23. */
export function portReceive(port: TreePort): boolean {
  if (!port.portEnabled) {
    if (port.rcvdBPDU === null && port.edgeDelayWhile === MIGRATE_TIME) return false;
    port.rcvdBPDU = port.rcvdMsg = null;
    port.rcvdRSTP = port.rcvdSTP = false;
    port.edgeDelayWhile = MIGRATE_TIME;
    return true;
  }
  if (port.rcvdBPDU === null || port.rcvdMsg !== null) return false;
  if (port.rcvdBPDU.kind === 'rst') port.rcvdRSTP = true;
  else port.rcvdSTP = true;
  port.rcvdMsg = port.rcvdBPDU;
  port.rcvdBPDU = null;
  port.operEdge = false;
  port.edgeDelayWhile = MIGRATE_TIME;
  return true;
}

/** Port protocol migration, 17.24: for MigrateTime it keeps to what it has chosen, then goes by what it hears. */
export function portProtocolMigration(port: TreePort, { rstpVersion }: Tree): boolean {
  switch (port.migration) {
    case 'CHECKING_RSTP':
      if (!port.portEnabled) {
        if (port.mdelayWhile === MIGRATE_TIME) return false;
        checkRstp(port, rstpVersion);
        return true;
      }
      if (port.mdelayWhile > 0) return false;
      break;
    case 'SELECTING_STP':
      if (port.mdelayWhile > 0 && port.portEnabled) return false;
      break;
    case 'SENSING':
      if (!port.portEnabled || (rstpVersion && !port.sendRSTP && port.rcvdRSTP)) checkRstp(port, rstpVersion);
      else if (port.sendRSTP && port.rcvdSTP) selectStp(port);
      else return false;
      return true;
  }
  port.migration = 'SENSING';
  port.rcvdRSTP = port.rcvdSTP = false;
  return true;
}

function checkRstp(port: TreePort, rstpVersion: boolean): void {
  port.migration = 'CHECKING_RSTP';
  port.sendRSTP = rstpVersion;
  port.mdelayWhile = MIGRATE_TIME;
}

function selectStp(port: TreePort): void {
  port.migration = 'SELECTING_STP';
  port.sendRSTP = false;
  port.mdelayWhile = MIGRATE_TIME;
}

/** Bridge detection, 17.25: a port whose proposals nobody answers leads to no bridge. */
export function bridgeDetection(port: TreePort): boolean {
  const { adminEdge } = port.parameters;
  const becomesEdge = port.portEnabled ? port.edgeDelayWhile === 0 && port.sendRSTP && port.proposing : adminEdge;
  if (!port.operEdge && becomesEdge) port.operEdge = true;
  else if (port.operEdge && !port.portEnabled && !adminEdge) port.operEdge = false;
  else return false;
  return true;
}
