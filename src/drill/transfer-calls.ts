/** Calls that move octets: read, write and their kin, with and without vectors, addresses and messages. */
import { SocketError } from '../../kernel/net/socket-error.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import type { Blocking } from '../../kernel/task.ts';
import { formatIpv4 } from '../lib/bytes.ts';
import { type CallContext, type CallOutcome, type CallReader, difference, outcome, type PreparedCall } from './call.ts';
import { CallArguments, type SocketAddress } from './call-arguments.ts';
import type { Expression } from './call-line.ts';
import { CONSTANTS } from './constants.ts';
import type { DrillSocket } from './descriptors.ts';
import { peerOctet } from './wire-packet.ts';

const OPEN: SocketAddress = { address: null, port: null };
/** What a script may read or write in one call. */
const MAX_TRANSFER_BYTES = 16 * 1024 * 1024;
const { MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_WAITALL } = CONSTANTS as {
  readonly [name: string]: number;
};
/** Flags that calls may have. The sockets of the host give them the same values; MSG_NOSIGNAL changes nothing here. */
const SEND_FLAGS = MSG_DONTWAIT! | MSG_OOB! | MSG_NOSIGNAL!;
const RECEIVE_FLAGS = MSG_DONTWAIT! | MSG_PEEK! | MSG_WAITALL! | MSG_NOSIGNAL!;

const SENDABLE = 'flags other than MSG_DONTWAIT, MSG_OOB and MSG_NOSIGNAL';
const RECEIVABLE = 'flags other than MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL and MSG_NOSIGNAL';

/** What is to be moved. `given` is null where the script leaves the octets open. */
interface Transfer {
  readonly fd: number;
  readonly lengthBytes: number;
  readonly given: Uint8Array | null;
  readonly flags: number;
  /** Where to, or where from; null when the call has no address. */
  readonly address: SocketAddress | null;
}

const plain = (make: (transfer: Transfer) => PreparedCall): CallReader => {
  return call => {
    const args = new CallArguments(call, 3);
    return make(transferOf(args, args.octets(args.at(1)), args.number(2), 0, null));
  };
};

const withFlags = (make: (transfer: Transfer) => PreparedCall): CallReader => {
  return call => {
    const args = new CallArguments(call, 4);
    return make(transferOf(args, args.octets(args.at(1)), args.number(2), args.number(3), null));
  };
};

const withAddress = (make: (transfer: Transfer) => PreparedCall): CallReader => {
  return call => {
    const args = new CallArguments(call, 6);
    return make(transferOf(args, args.octets(args.at(1)), args.number(2), args.number(3), args.socketAddress(4)));
  };
};

const vector = (make: (transfer: Transfer) => PreparedCall): CallReader => {
  return call => {
    const args = new CallArguments(call, 3);
    const { given, lengthBytes } = gather(args, args.items(1));
    return make(transferOf(args, given, lengthBytes, 0, null));
  };
};

const message = (make: (transfer: Transfer) => PreparedCall): CallReader => {
  return call => {
    const args = new CallArguments(call, 3);
    const fields = args.struct(args.at(1));
    for (const name of fields.keys()) {
      // `...` at the end is whatever else there may be.
      if (!['msg_name', 'msg_iov', 'msg_flags'].includes(name) && fields.get(name)?.kind !== 'any')
        args.unsupported(name);
    }
    const vectors = fields.get('msg_iov');
    const { given, lengthBytes } = gather(
      args,
      vectors?.kind === 'list' ? vectors.items : args.fail('msg_iov is missing'),
    );
    const named = fields.get('msg_name') !== undefined;
    return make(transferOf(args, given, lengthBytes, args.number(2), named ? OPEN : null));
  };
};

function transferOf(
  args: CallArguments,
  given: Uint8Array | null,
  lengthBytes: number,
  flags: number,
  address: SocketAddress | null,
): Transfer {
  const sends = ['write', 'send'].some(name => args.call.name.startsWith(name));
  if ((flags & ~(sends ? SEND_FLAGS : RECEIVE_FLAGS)) !== 0) args.unsupported(sends ? SENDABLE : RECEIVABLE);
  if (lengthBytes < 0 || lengthBytes > MAX_TRANSFER_BYTES) args.fail(`cannot move ${lengthBytes} octets`);
  return { fd: args.number(0), lengthBytes, given, flags: flags & ~MSG_NOSIGNAL!, address };
}

/** `[{..., 1000}, {"abc", 3}]`: the pieces as one. */
function gather(args: CallArguments, vectors: readonly Expression[]) {
  let lengthBytes = 0;
  const octets: number[] = [];
  for (const each of vectors) {
    const fields = args.struct(each);
    const base = fields.get('iov_base') ?? fields.get('0');
    const length = fields.get('iov_len') ?? fields.get('1');
    if (base === undefined || length === undefined) return args.fail('an element of a vector is {..., length}');
    const count = args.numberOf(length);
    const given = args.octets(base);
    if (given !== null) octets.push(...given.subarray(0, count));
    lengthBytes += count;
  }
  return { lengthBytes, given: octets.length === 0 ? null : Uint8Array.from(octets) };
}

function sending(transfer: Transfer): PreparedCall {
  return function* (sys, context) {
    const drilled = context.descriptors.socket(transfer.fd);
    const bytes = drilled.next(transfer.lengthBytes, transfer.given);
    return yield* send(sys, context, drilled, bytes, transfer);
  };
}

function* send(
  sys: Syscalls,
  { addresses }: CallContext,
  drilled: DrillSocket,
  bytes: Uint8Array,
  { address: to, flags }: Transfer,
): Blocking<CallOutcome> {
  if (drilled.type === 'udp' && to !== null) {
    sys.sendto(drilled.socket, bytes, to.address ?? addresses.remote, to.port ?? addresses.connectPort);
    return outcome(bytes.length);
  }
  const count = yield* sys.send(drilled.socket, bytes, flags);
  if (drilled.type === 'tcp') drilled.wrote(bytes, count);
  return outcome(count);
}

function receiving(transfer: Transfer): PreparedCall {
  return function* (sys, context) {
    const drilled = context.descriptors.socket(transfer.fd);
    return yield* receive(sys, drilled, transfer);
  };
}

function* receive(sys: Syscalls, drilled: DrillSocket, transfer: Transfer): Blocking<CallOutcome> {
  const { flags } = transfer;
  if (drilled.type === 'udp' && (flags & MSG_PEEK!) !== 0) {
    const bytes = yield* sys.recv(drilled.socket, transfer.lengthBytes, flags);
    return outcome(
      bytes.length,
      contentDifferences(bytes, i => transfer.given?.[i] ?? peerOctet(i)),
    );
  }
  if (drilled.type === 'udp') {
    const datagram = yield* sys.recvfrom(drilled.socket, (flags & MSG_DONTWAIT!) === 0 ? undefined : 0);
    if (datagram === null) throw new SocketError('EAGAIN', 'no datagram has come');
    const { address } = transfer;
    const bytes = datagram.bytes.subarray(0, transfer.lengthBytes);
    return outcome(bytes.length, [
      ...difference(
        'the address',
        address?.address == null ? null : formatIpv4(address.address),
        formatIpv4(datagram.address),
      ),
      ...difference('the port', address?.port ?? null, datagram.port),
      ...contentDifferences(bytes, i => transfer.given?.[i] ?? peerOctet(i)),
    ]);
  }
  const bytes = yield* sys.recv(drilled.socket, transfer.lengthBytes, flags);
  const first = drilled.firstOctet;
  const offset = drilled.readBytes;
  if ((flags & MSG_PEEK!) === 0) drilled.readBytes += bytes.length;
  if (transfer.given === null && first === null) return outcome(bytes.length);
  return outcome(
    bytes.length,
    contentDifferences(bytes, i => transfer.given?.[i] ?? peerOctet(((first ?? 0) + offset + i) >>> 0)),
  );
}

function contentDifferences(bytes: Uint8Array, wanted: (index: number) => number): string[] {
  const at = bytes.findIndex((octet, i) => octet !== wanted(i));
  return at < 0 ? [] : [`octet ${at} is ${bytes[at]}, not ${wanted(at)}`];
}

export const TRANSFER_CALLS: Readonly<Record<string, CallReader>> = {
  read: plain(receiving),
  readv: vector(receiving),
  recv: withFlags(receiving),
  recvfrom: withAddress(receiving),
  recvmsg: message(receiving),
  write: plain(sending),
  writev: vector(sending),
  send: withFlags(sending),
  sendto: withAddress(sending),
  sendmsg: message(sending),
};
