/** The TCP connections of a computer, for the results of scenarios. */
import { formatEndpoint } from '../../kernel/net/endpoint.ts';
import type { Computer } from '../world/computer.ts';

/** The connections of `computer` in `state`, or all of them, as `local > peer`. */
export function connectionsOf(computer: Computer, state?: string): string[] {
  return computer.kernel.net.sockets
    .table()
    .filter(row => row.netid === 'tcp' && (state === undefined ? row.state !== 'LISTEN' : row.state === state))
    .map(
      ({ local, peer }) => `${formatEndpoint(local.address, local.port)} > ${formatEndpoint(peer.address, peer.port)}`,
    );
}
