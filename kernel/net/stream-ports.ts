/**
 * The local endpoints that stream sockets have bound, listeners and others. Connections are found by all four
 * addresses, by TCP itself; here they count only in so far as a port with closed connections on it is not given to a new
 * listener unasked (SO_REUSEADDR): what still arrives for them would be taken for the new listener's.
 */
import { formatIpv4 } from '../../src/lib/bytes.ts';
import type { Endpoint } from './endpoint.ts';
import { PortTable } from './port-table.ts';
import { SocketError } from './socket-error.ts';
import type { StreamProtocol } from './stream-protocol.ts';

/** One bound endpoint, as a port table wants it. */
class Bound implements Endpoint {
  readonly localAddress: number;
  readonly localPort: number;
  readonly remoteAddress = 0;
  readonly remotePort = 0;
  readonly connected = false;

  constructor(address: number, port: number) {
    this.localAddress = address;
    this.localPort = port;
  }

  get address(): number {
    return this.localAddress;
  }

  get port(): number {
    return this.localPort;
  }
}

export class StreamPorts {
  readonly tcp: StreamProtocol;
  readonly #isOwnAddress: (address: number) => boolean;
  readonly #table: PortTable<Bound>;

  /** `random` gives the words from which ephemeral ports are drawn. */
  constructor(tcp: StreamProtocol, isOwnAddress: (address: number) => boolean, random: () => number) {
    this.tcp = tcp;
    this.#isOwnAddress = isOwnAddress;
    this.#table = new PortTable(random);
  }

  /** Takes a local endpoint; port 0: an ephemeral one. The caller gives it back. Throws EADDRNOTAVAIL, EADDRINUSE. */
  bind(address: number, port: number, reuse: boolean): Endpoint {
    if (address !== 0 && !this.#isOwnAddress(address)) {
      throw new SocketError('EADDRNOTAVAIL', `${formatIpv4(address)} is not an address of this host`);
    }
    // An ephemeral port is one that nobody has; one that is asked for may be had after others, if the program says so.
    const busy = reuse && port !== 0 ? undefined : (each: number) => this.tcp.portTaken(address, each);
    const bound = new Bound(address, this.#table.choose(address, port, busy));
    this.#table.add(bound);
    return bound;
  }

  release(endpoint: Endpoint): void {
    if (endpoint instanceof Bound) this.#table.remove(endpoint);
  }
}
