/**
 * The port transmit machine, IEEE 802.1D-2004 clause 17.26: at once where there is something new, else every Hello Time
 * from designated ports; never more than TxHoldCount a second. One call does one transition and says so.
 */
import type { BpduRole, ConfigurationBpdu } from './bpdu.ts';
import { TRANSMIT_HOLD_COUNT } from './parameters.ts';
import type { Role, Tree, TreePort } from './tree-port.ts';

const ROLE: Readonly<Record<Role, BpduRole>> = {
  Disabled: 'unknown',
  Root: 'root',
  Designated: 'designated',
  Alternate: 'alternate or backup',
  Backup: 'alternate or backup',
};

export function portTransmit(port: TreePort, tree: Tree): boolean {
  if (!port.selected || port.updtInfo) return false;
  const { role, designatedTimes } = port;
  if (port.helloWhen === 0) {
    // TRANSMIT_PERIODIC
    port.newInfo ||= role === 'Designated' || (role === 'Root' && port.tcWhile !== 0);
    port.helloWhen = designatedTimes.helloTime;
    return true;
  }
  if (!port.newInfo || port.txCount >= TRANSMIT_HOLD_COUNT || !port.portEnabled) return false;
  if (port.sendRSTP) tree.transmit(port, messageOf(port, 'rst'));
  else if (role === 'Designated') tree.transmit(port, messageOf(port, 'config'));
  else if (role === 'Root') tree.transmit(port, { kind: 'tcn' });
  else return false;
  if (port.sendRSTP || role === 'Designated') port.tcAck = false;
  port.newInfo = false;
  port.txCount += 1;
  port.helloWhen = designatedTimes.helloTime;
  return true;
}

function messageOf(port: TreePort, kind: 'config' | 'rst'): ConfigurationBpdu {
  const rst = kind === 'rst';
  return {
    kind,
    priority: port.designatedPriority,
    times: port.designatedTimes,
    topologyChange: port.tcWhile !== 0,
    topologyChangeAck: !rst && port.tcAck,
    role: rst ? ROLE[port.role] : 'designated',
    proposal: rst && port.proposing,
    agreement: rst && port.agree,
    learning: rst && port.learning,
    forwarding: rst && port.forwarding,
  };
}
