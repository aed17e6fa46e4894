/**
 * A UDP echo server (RFC 862): sends every datagram back to where it came from.
 */
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';

/** The port of the echo service. */
export const ECHO_PORT = 7;

/** A program that echoes what comes to `port`, for ever. */
export function udpEcho(port = ECHO_PORT): Program {
  return function* (sys: Syscalls): Blocking<void> {
    const socket = sys.socket('udp');
    sys.bind(socket, 0, port);
    for (;;) {
      const datagram = yield* sys.recvfrom(socket);
      if (datagram === null) continue;
      try {
        sys.sendto(socket, datagram.bytes, datagram.address, datagram.port);
      } catch (error) {
        // One answer that cannot be sent is a lost datagram to its client, and no reason to stop serving the others.
        if (!(error instanceof SocketError)) throw error;
      }
    }
  };
}
