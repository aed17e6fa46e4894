/** Waiting for an initial sequence number: the clock in it (RFC 6528) brings every one about, within five hours. */
import type { Endpoint } from '../../kernel/net/endpoint.ts';
import type { NetRig } from './net-rig.ts';

/** One step of that clock. */
const ISN_STEP_NS = 4000;

/** How long until a connection of `rig` from `local` to `remote` would have the ISN `iss`. */
export function untilIssNs(rig: NetRig, local: Endpoint, remote: Endpoint, iss: number): number {
  const endpoints = {
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
  };
  return ((iss - rig.net.tcp.initialNumbers.sequence(endpoints, rig.nowNs())) >>> 0) * ISN_STEP_NS;
}
