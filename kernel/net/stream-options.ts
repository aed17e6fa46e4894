/** The options of one stream socket: by their POSIX names to the program, as TCP wants them to TCP. */
import { bufferBytes, duration, flag, wholeNumber } from './option-value.ts';
import { SocketError } from './socket-error.ts';
import type { SettableOptions, SocketOptions } from './socket-options.ts';
import type { CongestionAlgorithm, KeepAlive, TcpOptions } from './tcp/user.ts';

/** The times of RFC 1122 section 4.2.3.6 and of BSD: two hours of silence, then nine probes, 75 s apart. */
const KEEP_ALIVE: KeepAlive = { idleNs: 7200e9, intervalNs: 75e9, count: 9 };
const MAX_PROBES = 127;
const MAX_SYN_RETRIES = 127;
/** What TCP_QUICKACK turns on, as Linux counts them. */
const QUICK_ACKS = 16;
/** The payload of the largest IPv4 packet, and of the smallest that every link carries (RFC 791 section 3.2). */
const MAX_SEGMENT_BYTES = 65_495;
const MIN_SEGMENT_BYTES = 28;
const CONGESTION: readonly CongestionAlgorithm[] = ['reno', 'newreno', 'cubic'];

export class StreamOptions {
  readonly tcp: TcpOptions;
  /** What SO_KEEPALIVE turns on. */
  #keepAlive: KeepAlive;

  /** Begins with the options of the host. */
  constructor(defaults: Readonly<TcpOptions>) {
    this.tcp = { ...defaults };
    this.#keepAlive = defaults.keepAlive ?? KEEP_ALIVE;
  }

  /** The value of an option; undefined when `name` is none of these. */
  get(name: keyof SocketOptions): unknown {
    const { tcp } = this;
    switch (name) {
      case 'SO_REUSEADDR':
        return tcp.reuseAddress;
      case 'SO_KEEPALIVE':
        return tcp.keepAlive !== null;
      case 'TCP_KEEPIDLE':
        return this.#keepAlive.idleNs;
      case 'TCP_KEEPINTVL':
        return this.#keepAlive.intervalNs;
      case 'TCP_KEEPCNT':
        return this.#keepAlive.count;
      case 'SO_LINGER':
        return tcp.lingerNs;
      case 'SO_RCVBUF':
        return tcp.receiveBufferBytes;
      case 'SO_SNDBUF':
        return tcp.sendBufferBytes;
      case 'TCP_NODELAY':
        return tcp.noDelay;
      case 'TCP_CORK':
        return tcp.cork;
      case 'TCP_MAXSEG':
        return tcp.mss;
      case 'TCP_USER_TIMEOUT':
        return tcp.userTimeoutNs;
      case 'TCP_SYNCNT':
        return tcp.synRetries;
      case 'TCP_KEEPINIT':
        return tcp.openTimeoutNs;
      case 'TCP_LINGER2':
        return tcp.finWait2Ns;
      case 'TCP_QUICKACK':
        return tcp.quickAcks > 0;
      case 'TCP_CONGESTION':
        return tcp.congestion;
      default:
        return undefined;
    }
  }

  /** Sets an option. False when `name` is none of these. Throws EINVAL for a value that cannot be. */
  set(name: keyof SettableOptions, value: unknown): boolean {
    const { tcp } = this;
    switch (name) {
      case 'SO_REUSEADDR':
        tcp.reuseAddress = flag(value);
        return true;
      case 'SO_KEEPALIVE':
        tcp.keepAlive = flag(value) ? this.#keepAlive : null;
        return true;
      case 'TCP_KEEPIDLE':
        return this.#setKeepAlive({ idleNs: finite(value) });
      case 'TCP_KEEPINTVL':
        return this.#setKeepAlive({ intervalNs: finite(value) });
      case 'TCP_KEEPCNT':
        return this.#setKeepAlive({ count: wholeNumber(value, 1, MAX_PROBES) });
      case 'SO_LINGER':
        tcp.lingerNs = value === null ? null : finite(value);
        return true;
      case 'SO_RCVBUF':
        tcp.receiveBufferBytes = bufferBytes(value);
        return true;
      case 'SO_SNDBUF':
        tcp.sendBufferBytes = bufferBytes(value);
        return true;
      case 'TCP_NODELAY':
        tcp.noDelay = flag(value);
        return true;
      case 'TCP_CORK':
        tcp.cork = flag(value);
        return true;
      case 'TCP_MAXSEG':
        tcp.mss = wholeNumber(value, MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
        return true;
      case 'TCP_USER_TIMEOUT':
        tcp.userTimeoutNs = finite(value);
        return true;
      case 'TCP_SYNCNT':
        tcp.synRetries = tcp.synAckRetries = wholeNumber(value, 0, MAX_SYN_RETRIES);
        return true;
      case 'TCP_KEEPINIT':
        tcp.openTimeoutNs = finite(value);
        return true;
      case 'TCP_LINGER2':
        tcp.finWait2Ns = finite(value);
        return true;
      case 'TCP_QUICKACK':
        tcp.quickAcks = flag(value) ? QUICK_ACKS : 0;
        return true;
      case 'TCP_CONGESTION':
        tcp.congestion = algorithm(value);
        return true;
      default:
        return false;
    }
  }

  /** An accepted socket has the options of its listener. */
  inherit(from: StreamOptions): void {
    Object.assign(this.tcp, from.tcp);
    this.#keepAlive = from.#keepAlive;
  }

  /** Changes one of the times of keep-alive, which hold at once when it is on. */
  #setKeepAlive(part: Partial<KeepAlive>): true {
    this.#keepAlive = { ...this.#keepAlive, ...part };
    if (this.tcp.keepAlive !== null) this.tcp.keepAlive = this.#keepAlive;
    return true;
  }
}

/** A time at which a timer can be set. */
function finite(value: unknown): number {
  const ns = duration(value);
  if (Number.isFinite(ns)) return ns;
  throw new SocketError('EINVAL', 'a time without an end');
}

function algorithm(value: unknown): CongestionAlgorithm {
  const known = CONGESTION.find(name => name === value);
  if (known !== undefined) return known;
  throw new SocketError('EINVAL', `no such congestion control: ${value}`);
}
