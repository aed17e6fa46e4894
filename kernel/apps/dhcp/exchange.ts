/**
 * A DHCP client's side of one exchange: asks, asks again while nobody answers (RFC 2131 section 4.1), and takes the first
 * answer that will do. The socket is open that long only, so nothing piles up in it.
 */
import type { Descriptor } from '../../net/socket.ts';
import { SocketError } from '../../net/socket-error.ts';
import type { Syscalls } from '../../syscall.ts';
import type { Blocking } from '../../task.ts';
import { CLIENT_PORT, type DhcpMessage, SERVER_PORT } from './message.ts';
import { parseMessage } from './message-reader.ts';
import { emitMessage } from './message-writer.ts';

const SECOND_NS = 1_000_000_000;
// Section 4.1: 4 s, then twice as long each time up to 64 s, one second more or less.
const FIRST_WAIT_NS = 4 * SECOND_NS;
const LAST_WAIT_NS = 64 * SECOND_NS;
const JITTER_NS = SECOND_NS;

export interface Exchange<T> {
  readonly interface: string;
  /** Where to ask: a server, or all of them. */
  readonly destination: number;
  /** Whether to ask once more, after so many times without an answer. */
  goesOn(attempts: number): boolean;
  /** The question, asked so many seconds after the first time. */
  query(secs: number): DhcpMessage;
  /** What is to be taken of a reply, which came so early that it may answer the question of `askedNs`; or null. */
  accept(reply: DhcpMessage, askedNs: number): T | null;
}

/** What `accept` took; null when there was no such answer. */
export function* exchange<T>(sys: Syscalls, talk: Exchange<T>): Blocking<T | null> {
  const socket = openSocket(sys, talk.interface);
  const beganNs = sys.nowNs();
  try {
    for (let attempt = 0; talk.goesOn(attempt); attempt++) {
      const askedNs = sys.nowNs();
      const query = talk.query(Math.min(0xffff, Math.floor((askedNs - beganNs) / SECOND_NS)));
      sendQuietly(sys, socket, query, talk.destination);
      const untilNs = askedNs + waitNs(attempt, sys.random());
      for (;;) {
        const datagram = yield* sys.recvfrom(socket, Math.max(0, untilNs - sys.nowNs()));
        if (datagram === null) break;
        const reply = parseMessage(datagram.bytes);
        const taken = reply !== null && isReplyTo(reply, query) ? talk.accept(reply, askedNs) : null;
        if (taken !== null) return taken;
      }
    }
    return null;
  } finally {
    sys.close(socket);
  }
}

/** Sends one message to which there is no answer. */
export function tell(sys: Syscalls, name: string, message: DhcpMessage, destination: number): void {
  const socket = openSocket(sys, name);
  sendQuietly(sys, socket, message, destination);
  sys.close(socket);
}

function openSocket(sys: Syscalls, name: string): Descriptor {
  const socket = sys.socket('udp');
  sys.setsockopt(socket, 'SO_BINDTODEVICE', name);
  sys.setsockopt(socket, 'SO_BROADCAST', true);
  // A release may have to be sent while the client is in an exchange.
  sys.setsockopt(socket, 'SO_REUSEADDR', true);
  sys.bind(socket, 0, CLIENT_PORT);
  return socket;
}

/** What cannot be sent now is as good as lost: it is sent again. */
function sendQuietly(sys: Syscalls, socket: Descriptor, message: DhcpMessage, destination: number): void {
  try {
    sys.sendto(socket, emitMessage(message), destination, SERVER_PORT);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
  }
}

function waitNs(attempt: number, random: number): number {
  const meanNs = Math.min(LAST_WAIT_NS, FIRST_WAIT_NS * 2 ** attempt);
  return Math.floor(meanNs + (random / 2 ** 31) * JITTER_NS);
}

const isReplyTo = (reply: DhcpMessage, { xid, chaddr }: DhcpMessage): boolean =>
  reply.op === 'BOOTREPLY' && reply.xid === xid && reply.chaddr.every((octet, i) => octet === chaddr[i]);
