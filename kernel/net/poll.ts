/**
 * Waiting for several sockets at once: POSIX's `poll`, and the bits of its events.
 */
import { type Blocking, sleepOn, WaitChannel } from '../task.ts';
import type { Socket } from './socket.ts';

/** There is something to receive: bytes, a datagram, a connection, the end of the stream. */
export const POLLIN = 0x001;
/** The peer has sent urgent data, not all of which were read. TCP_INFO says how far they go. */
export const POLLPRI = 0x002;
/** Sending would not wait. */
export const POLLOUT = 0x004;
/** An error is pending. Told whether asked for or not. */
export const POLLERR = 0x008;
/** Both directions have ended. Told whether asked for or not. */
export const POLLHUP = 0x010;
/** The socket is closed. Told whether asked for or not. */
export const POLLNVAL = 0x020;
/** The peer has finished sending. */
export const POLLRDHUP = 0x2000;

const ALWAYS_TOLD = POLLERR | POLLHUP | POLLNVAL;

/** A socket, and which of its events are waited for. */
export interface PollSocket {
  readonly socket: Socket;
  readonly events: number;
}

/**
 * Waits until one of `sockets` has an event that was asked for, at most `timeoutNs`. Returns for each of them the
 * events that hold, 0 for none; all are 0 after a time-out. `nowNs` is the kernel's clock.
 */
export function* poll(sockets: readonly PollSocket[], timeoutNs: number, nowNs: () => number): Blocking<number[]> {
  const channel = new WaitChannel('poll');
  const untilNs = nowNs() + timeoutNs;
  for (const { socket } of sockets) socket.watchers.push(channel);
  try {
    for (;;) {
      const events = sockets.map(({ socket, events }) => socket.pollEvents() & (events | ALWAYS_TOLD));
      const leftNs = untilNs - nowNs();
      if (leftNs <= 0 || events.some(bits => bits !== 0)) return events;
      yield* sleepOn(channel, leftNs);
    }
  } finally {
    for (const { socket } of sockets) socket.watchers.splice(socket.watchers.indexOf(channel), 1);
  }
}
