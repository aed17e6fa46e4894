/**
 * What the kernel tells an observer. One object, null unless somebody watches: an unobserved kernel pays one check at
 * each of these places. Implemented by `src/observe`; nothing in here may be kept after the call returns.
 */
import type { Cause } from './ports.ts';

export type Direction = 'in' | 'out';

/**
 * Why TCP sent a segment that is not the next new data. `timeout`: the RTO is over. `fast retransmit`, `partial ACK`,
 * `SACK`: a hole was found by duplicate ACKs, by an ACK in recovery (RFC 6582), by the scoreboard (RFC 6675). `path MTU`:
 * ICMP has said that the segments were too long. `window opened`: what a probe has sent may have been refused.
 * `SYN repeated`: so has the peer, which cannot have heard the answer.
 */
export type ResendReason =
  | 'timeout'
  | 'fast retransmit'
  | 'partial ACK'
  | 'SACK'
  | 'path MTU'
  | 'window opened'
  | 'SYN repeated'
  | 'zero window probe'
  | 'keep-alive probe';

export interface KernelTrace {
  trap(cause: Cause): void;
  /** The interrupt controller was asked, and named `source` (0: none was pending). */
  claim(source: number): void;
  /** The handler `name` was called for `source`, and said whether its device was the cause. */
  irq(source: number, name: string, handled: boolean): void;
  complete(source: number): void;
  /** Deferred work began to run. */
  deferred(name: string): void;
  /** A task began to run, or left the CPU to wait for `waitsFor` (null: it ended). */
  task(name: string, running: boolean, waitsFor: string | null): void;
  syscall(task: string, text: string): void;
  /** A frame crossed the border between driver and network stack. `handler` serves its EtherType, or null: none. */
  frame(direction: Direction, iface: string, etherType: number, lengthBytes: number, handler: string | null): void;
  arp(text: string): void;
  /**
   * This host found its way for a packet of its own to `destination`: the prefix that matched (empty where
   * a group, or the interface that the socket is bound to, has decided), the next hop (0: the destination is on the
   * link), the link.
   */
  route(destination: number, prefix: string, gateway: number, link: string): void;
  /** An IPv4 packet: one that came in, before anything was decided about it, or one of this host's own on its way out. */
  ipv4(direction: Direction, source: number, destination: number, protocol: number, lengthBytes: number): void;
  /** A packet is for this host; `handler` serves its protocol number, or null: none. */
  protocol(protocol: number, handler: string | null): void;
  /**
   * A router found its way for a packet to `destination`: the prefix that matched, the next hop (0: the destination is
   * on the link), the link, and the time to live that is left.
   */
  forward(destination: number, prefix: string, gateway: number, link: string, timeToLive: number): void;
  /** Address translation found an end of a packet in its table, or entered it there: `udp 10.0.0.2:4000 → 192.0.2.1:4000`. */
  nat(text: string): void;
  /**
   * The four addresses of a TCP segment, this end first, were looked up: what has them, named as in `state`, and its
   * state. A listener has any at the far end; both are null where nobody has them.
   */
  demultiplex(local: string, remote: string, found: string | null, state: string | null): void;
  /** A TCP connection or listener, named by its endpoints, went from one state of RFC 9293 section 3.3.2 to another. */
  state(connection: string, from: string, to: string): void;
  /**
   * A TCP connection, named as in `state`, is about to send a segment again, or a probe: `seq` is that of its header,
   * unsigned, `lengthBytes` counts data, so that it is 0 for a SYN or FIN alone.
   */
  resend(connection: string, seq: number, lengthBytes: number, reason: ResendReason): void;
  /** The packet filter has judged a packet that came to the base chain `chain`. */
  filter(chain: string, verdict: string): void;
  /** A datagram met a socket, or left one; for a stream, bytes went from or to the program. */
  socket(direction: Direction, socket: string, lengthBytes: number): void;
  /** Something was thrown away, and why. */
  drop(where: string, reason: string): void;
  log(text: string): void;
}
