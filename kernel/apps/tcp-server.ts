/**
 * What every server of streams does: listens at a port, and gives each connection to a task of its own, which ends with
 * it. That a client went away ends its connection, not the server.
 */
import type { Descriptor } from '../net/socket.ts';
import { SocketError } from '../net/socket-error.ts';
import type { Syscalls } from '../syscall.ts';
import type { Blocking, Program } from '../task.ts';

/** Serves one connection. Whoever calls it closes the socket. */
export type Service = (sys: Syscalls, socket: Descriptor) => Blocking<void>;

export interface TcpServerOptions {
  readonly port: number;
  /** Connections that may wait to be accepted. */
  readonly backlog?: number;
  /** The congestion control of its connections. */
  readonly congestion?: 'reno' | 'newreno' | 'cubic';
}

/** A program that serves every connection to its port, for ever. `name` is what its tasks are called. */
export function tcpServer(name: string, options: TcpServerOptions, service: Service): Program {
  return function* (sys: Syscalls): Blocking<void> {
    const listener = sys.socket('tcp');
    sys.setsockopt(listener, 'SO_REUSEADDR', true);
    if (options.congestion !== undefined) sys.setsockopt(listener, 'TCP_CONGESTION', options.congestion);
    sys.bind(listener, 0, options.port);
    sys.listen(listener, options.backlog);
    for (let number = 1; ; number++) {
      const socket = yield* sys.accept(listener);
      sys.spawn(`${name}/${number}`, connection(socket, service), [socket]);
    }
  };
}

function connection(socket: Descriptor, service: Service): Program {
  return function* (sys: Syscalls): Blocking<void> {
    try {
      yield* service(sys, socket);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  };
}
