/**
 * The port information machine, IEEE 802.1D-2004 clause 17.27: it keeps the best that was heard on the link, until it is
 * superseded or too old, and notes what received messages ask for. One call does one transition and says so.
 */
import type { ConfigurationBpdu } from './bpdu.ts';
import { LEAST_HELLO_TIME } from './parameters.ts';
import { compareVectors, isSuperior, type PriorityVector, sameTimes, type Times } from './priority-vector.ts';
import type { Tree, TreePort } from './tree-port.ts';

export function portInformation(port: TreePort, tree: Tree): boolean {
  if (!port.portEnabled) return disabled(port);
  if (port.infoIs === 'Disabled') {
    aged(port);
    return true;
  }
  if (port.selected && port.updtInfo) {
    update(port);
    return true;
  }
  if (port.infoIs === 'Received' && port.rcvdInfoWhile === 0 && !port.updtInfo && port.rcvdMsg === null) {
    aged(port);
    return true;
  }
  // An aged port has nothing to compare a message with before its role is selected anew.
  if (port.rcvdMsg === null || port.updtInfo || port.infoIs === 'Aged') return false;
  receive(port, tree);
  return true;
}

function disabled(port: TreePort): boolean {
  if (port.infoIs === 'Disabled' && port.rcvdMsg === null) return false;
  port.rcvdMsg = null;
  port.proposing = port.proposed = port.agree = port.agreed = false;
  port.rcvdInfoWhile = 0;
  port.infoIs = 'Disabled';
  reselect(port);
  return true;
}

function aged(port: TreePort): void {
  port.infoIs = 'Aged';
  reselect(port);
}

/** The port speaks for itself from now on. */
function update(port: TreePort): void {
  port.proposing = port.proposed = false;
  port.agreed &&= port.infoIs === 'Mine' && compareVectors(port.portPriority, port.designatedPriority) >= 0;
  port.synced &&= port.agreed;
  port.portPriority = port.designatedPriority;
  port.portTimes = port.designatedTimes;
  port.updtInfo = false;
  port.infoIs = 'Mine';
  port.newInfo = true;
}

function receive(port: TreePort, tree: Tree): void {
  const message = port.rcvdMsg!;
  port.rcvdMsg = null;
  if (message.kind === 'tcn') {
    port.rcvdTcn = true;
    return;
  }
  const times = timesOf(message);
  const priority = { ...message.priority, receivingPort: port.portId };
  const order = compareVectors(priority, port.portPriority);
  switch (message.role) {
    // A message without a role is taken for that of a designated port, 9.2.9.
    case 'unknown':
    case 'designated':
      if (isSuperior(priority, port.portPriority)) superior(port, message, priority, times);
      else if (order !== 0) inferior(port, message);
      else if (!sameTimes(times, port.portTimes)) superior(port, message, priority, times);
      else if (port.infoIs === 'Received') repeated(port, message);
      return;
    case 'root':
    case 'alternate or backup':
      if (order < 0) return;
      recordAgreement(port, message, tree);
      setTcFlags(port, message);
  }
}

function superior(port: TreePort, message: ConfigurationBpdu, priority: PriorityVector, times: Times): void {
  port.agreed = port.proposing = false;
  if (message.proposal) port.proposed = true;
  setTcFlags(port, message);
  port.agree &&= port.infoIs === 'Received' && compareVectors(priority, port.portPriority) <= 0;
  port.portPriority = priority;
  port.portTimes = times;
  updateInfoWhile(port);
  port.infoIs = 'Received';
  reselect(port);
}

function repeated(port: TreePort, message: ConfigurationBpdu): void {
  if (message.proposal) port.proposed = true;
  setTcFlags(port, message);
  updateInfoWhile(port);
}

/**
 * A partner that is worse, and yet learns, does not hear us: a link that works one way only. The first edition of the
 * clause has an agreement here, which its successor in 802.1Q corrects to a dispute.
 */
function inferior(port: TreePort, message: ConfigurationBpdu): void {
  if (message.kind !== 'rst' || !message.learning) return;
  port.disputed = true;
  port.agreed = false;
}

function recordAgreement(port: TreePort, message: ConfigurationBpdu, { rstpVersion }: Tree): void {
  port.agreed = rstpVersion && port.operPointToPointMAC && message.agreement;
  if (port.agreed) port.proposing = false;
}

function setTcFlags(port: TreePort, message: ConfigurationBpdu): void {
  if (message.topologyChange) port.rcvdTc = true;
  if (message.topologyChangeAck) port.rcvdTcAck = true;
}

/** What was heard holds for three Hello Times, unless it is too old already, 17.21.23. */
function updateInfoWhile(port: TreePort): void {
  const { messageAge, maxAge, helloTime } = port.portTimes;
  port.rcvdInfoWhile = messageAge + 1 <= maxAge ? Math.ceil(3 * helloTime) : 0;
}

function reselect(port: TreePort): void {
  port.reselect = true;
  port.selected = false;
}

function timesOf({ times }: ConfigurationBpdu): Times {
  return times.helloTime >= LEAST_HELLO_TIME ? times : { ...times, helloTime: LEAST_HELLO_TIME };
}
