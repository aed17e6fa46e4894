/** Where conversations begin and end: an address and a port. */
import { formatIpv4 } from '../../src/lib/bytes.ts';
import { SocketError } from './socket-error.ts';

/** One end of a conversation. The address is an unsigned 32-bit number, 0 for any; port 0 is none yet. */
export interface Endpoint {
  readonly address: number;
  readonly port: number;
}

/** `192.0.2.1:80`. */
export const formatEndpoint = (address: number, port: number): string => `${formatIpv4(address)}:${port}`;

/** Throws EINVAL unless `port` is a whole number from `least` to 65535. */
export function checkPort(port: number, least: number): void {
  if (!Number.isInteger(port) || port < least || port > 65_535)
    throw new SocketError('EINVAL', `no such port: ${port}`);
}
