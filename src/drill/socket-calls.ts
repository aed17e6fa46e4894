/** Calls that make, join and end sockets. */
import { type ShutdownHow, Socket } from '../../kernel/net/socket.ts';
import { SocketError } from '../../kernel/net/socket-error.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import { atOnce, type CallReader, difference, outcome } from './call.ts';
import { CallArguments, type SocketAddress } from './call-arguments.ts';
import { CONSTANTS } from './constants.ts';
import { DrillSocket } from './descriptors.ts';

const { SOCK_STREAM, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC, O_NONBLOCK, O_RDWR, AF_INET } = CONSTANTS as {
  readonly [name: string]: number;
};
const SHUTDOWN: readonly ShutdownHow[] = ['SHUT_RD', 'SHUT_WR', 'SHUT_RDWR'];

const socket: CallReader = call => {
  const args = new CallArguments(call, 3);
  if (!args.isAny(0) && args.number(0) !== AF_INET) args.unsupported('sockets that are not AF_INET');
  const type = args.number(1) & ~(SOCK_NONBLOCK! | SOCK_CLOEXEC!);
  const nonBlocking = (args.number(1) & SOCK_NONBLOCK!) !== 0;
  if (type !== SOCK_STREAM && type !== SOCK_DGRAM) args.unsupported('sockets but SOCK_STREAM and SOCK_DGRAM');
  const protocol = type === SOCK_STREAM ? 'tcp' : 'udp';
  const number = args.isAny(2) ? 0 : args.number(2);
  if (number !== 0 && number !== (protocol === 'tcp' ? 6 : 17)) args.unsupported(`protocol ${number}`);
  return atOnce((sys, { descriptors }) => {
    const made = new DrillSocket(descriptors.choose(call.result.value), sys.socket(protocol), protocol);
    setNonBlocking(sys, made, nonBlocking);
    descriptors.underTest = descriptors.add(made);
    return outcome(made.number);
  });
};

const bind: CallReader = call => {
  const args = new CallArguments(call, 3);
  const fd = args.number(0);
  const address = args.socketAddress(1);
  return atOnce((sys, { descriptors, addresses }) => {
    const { socket } = descriptors.socket(fd);
    sys.bind(socket, address.address ?? addresses.local, address.port ?? addresses.bindPort);
    return outcome(0);
  });
};

const listen: CallReader = call => {
  const args = new CallArguments(call, 2);
  const fd = args.number(0);
  const backlog = args.number(1);
  return atOnce((sys, { descriptors, profile, listening }) => {
    sys.listen(descriptors.socket(fd).socket, profile.backlog(backlog));
    listening();
    return outcome(0);
  });
};

const accept: CallReader = call => {
  const args = new CallArguments(call, 3, 4);
  const fd = args.number(0);
  const peer = args.socketAddress(1);
  const nonBlocking = args.count === 4 && (args.number(3) & SOCK_NONBLOCK!) !== 0;
  return function* (sys, context) {
    const { descriptors } = context;
    const accepted = yield* sys.accept(descriptors.socket(fd).socket);
    const made = new DrillSocket(descriptors.choose(call.result.value), accepted, 'tcp');
    setNonBlocking(sys, made, nonBlocking);
    descriptors.underTest = descriptors.add(made);
    context.connected(made, sys);
    return outcome(made.number, addressDifferences(peer, sys.getpeername(accepted)));
  };
};

const connect: CallReader = call => {
  const args = new CallArguments(call, 3);
  const fd = args.number(0);
  const to = args.socketAddress(1);
  return function* (sys, context) {
    const { descriptors, addresses } = context;
    const connecting = descriptors.socket(fd);
    descriptors.underTest = connecting;
    yield* sys.connect(connecting.socket, to.address ?? addresses.remote, to.port ?? addresses.connectPort);
    context.connected(connecting, sys);
    return outcome(0);
  };
};

const shutdown: CallReader = call => {
  const args = new CallArguments(call, 2);
  const fd = args.number(0);
  const how = SHUTDOWN[args.number(1)] ?? args.fail('the second argument is SHUT_RD, SHUT_WR or SHUT_RDWR');
  return atOnce((sys, { descriptors }) => {
    sys.shutdown(descriptors.socket(fd).socket, how);
    return outcome(0);
  });
};

const close: CallReader = call => {
  const fd = new CallArguments(call, 1).number(0);
  return atOnce((sys, { descriptors }) => {
    const closing = descriptors.any(fd);
    descriptors.remove(fd);
    if (closing.kind === 'socket') sys.close(closing.socket);
    return outcome(0);
  });
};

function nameCall(
  of: (sys: Syscalls, socket: Socket) => { readonly address: number; readonly port: number },
): CallReader {
  return call => {
    const args = new CallArguments(call, 3);
    const fd = args.number(0);
    const wanted = args.socketAddress(1);
    return atOnce((sys, { descriptors }) => {
      return outcome(0, addressDifferences(wanted, of(sys, descriptors.socket(fd).socket as Socket)));
    });
  };
}

const fcntl: CallReader = call => {
  const args = new CallArguments(call, 2, 3);
  const fd = args.number(0);
  const command = args.number(1);
  const flags = args.count === 3 ? args.number(2) : 0;
  const { F_GETFL, F_SETFL, F_GETFD, F_SETFD } = CONSTANTS;
  if (command === F_GETFL) {
    return atOnce((_, { descriptors, profile }) => {
      return outcome(O_RDWR! | (descriptors.socket(fd).nonBlocking ? profile.nonBlockingFlag : 0));
    });
  }
  if (command === F_SETFL) {
    return atOnce((sys, { descriptors }) => {
      setNonBlocking(sys, descriptors.socket(fd), (flags & O_NONBLOCK!) !== 0);
      return outcome(0);
    });
  }
  if (command !== F_GETFD && command !== F_SETFD) args.unsupported(`the command ${command}`);
  return atOnce((_, { descriptors }) => outcome(descriptors.any(fd).number < 0 ? -1 : 0));
};

const ioctl: CallReader = call => {
  const args = new CallArguments(call, 3);
  const fd = args.number(0);
  const request = args.number(1);
  const wanted = args.cell(2);
  const { FIONBIO, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD } = CONSTANTS;
  if (![FIONBIO, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD].includes(request)) args.unsupported(`the request ${request}`);
  return atOnce((sys, { descriptors }) => {
    const drilled = descriptors.socket(fd);
    if (request === FIONBIO) {
      setNonBlocking(sys, drilled, wanted !== 0);
      return outcome(0);
    }
    return outcome(
      0,
      difference('the number of octets', wanted, queued(sys, drilled, request === SIOCINQ, request === SIOCOUTQNSD)),
    );
  });
};

/** Octets that wait to be read, to be acknowledged, or to be sent. */
function queued(sys: Syscalls, { socket, type }: DrillSocket, incoming: boolean, unsentOnly: boolean): number {
  if (!(socket instanceof Socket)) throw new SocketError('ENOTSOCK', 'not a socket');
  if (sys.getsockopt(socket, 'SO_ACCEPTCONN')) throw new SocketError('EINVAL', 'the socket listens');
  if (unsentOnly && type === 'tcp') return sys.getsockopt(socket, 'TCP_INFO').unsent;
  const { recvQ, sendQ } = socket.row();
  return incoming ? recvQ : sendQ;
}

function setNonBlocking(sys: Syscalls, drilled: DrillSocket, value: boolean): void {
  drilled.nonBlocking = value;
  sys.setsockopt(drilled.socket, 'O_NONBLOCK', value);
}

const addressDifferences = (
  wanted: SocketAddress,
  got: { readonly address: number; readonly port: number },
): string[] => [
  ...difference('the address', wanted.address === null ? null : formatIpv4(wanted.address), formatIpv4(got.address)),
  ...difference('the port', wanted.port, got.port),
];

export const SOCKET_CALLS: Readonly<Record<string, CallReader>> = {
  socket,
  bind,
  listen,
  accept,
  accept4: accept,
  connect,
  shutdown,
  close,
  getsockname: nameCall((sys, each) => sys.getsockname(each)),
  getpeername: nameCall((sys, each) => sys.getpeername(each)),
  fcntl,
  ioctl,
};
