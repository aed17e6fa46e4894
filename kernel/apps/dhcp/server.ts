/**
 * A DHCP server, RFC 2131: gives the clients on the network of one interface their addresses, and tells them what else
 * they have to know. Before it offers an address to somebody new it pings it (section 2.2).
 *
 * Clients behind a relay agent are not served.
 */
import type { Descriptor } from '../../net/socket.ts';
import { SocketError } from '../../net/socket-error.ts';
import type { Syscalls } from '../../syscall.ts';
import type { Blocking, Program } from '../../task.ts';
import { type PingReport, ping } from '../ping.ts';
import type { LeaseRow } from './lease-table.ts';
import { CLIENT_PORT, type DhcpMessage, SERVER_PORT } from './message.ts';
import { parseMessage } from './message-reader.ts';
import { emitMessage } from './message-writer.ts';
import { checkNetwork, configOf, type DhcpServerConfig, type DhcpServerOptions } from './server-options.ts';
import { type DhcpAnswer, ServerProtocol } from './server-protocol.ts';

/** How long an answer to the ping is waited for. */
const PROBE_NS = 500_000_000;
/** Addresses that are pinged at once; who asks for one more has to ask again. */
const MAX_PROBES = 64;

export class DhcpServer {
  readonly counters = { received: 0, offers: 0, acks: 0, naks: 0, conflicts: 0 };
  readonly #config: DhcpServerConfig;
  readonly #protocol: ServerProtocol;
  /** Addresses whose use by others is being looked into. */
  readonly #probed = new Set<number>();

  /** Throws a RangeError when the options make no sense. */
  constructor(options: DhcpServerOptions) {
    this.#config = configOf(options);
    this.#protocol = new ServerProtocol(this.#config);
  }

  /** The table of leases at that time of the server's clock. */
  leases(nowNs: number): readonly LeaseRow[] {
    return this.#protocol.leases.rows(nowNs);
  }

  /** Serves for ever, once the interface has its address. Throws a RangeError when that is none for these ranges. */
  readonly program: Program = sys => this.#serve(sys);

  *#serve(sys: Syscalls): Blocking<void> {
    const { interface: name } = this.#config;
    while (sys.interfaceStatus(name).address === 0) yield* sys.awaitInterface(name);
    const { address, prefixLength } = sys.interfaceStatus(name);
    checkNetwork(this.#config, address, prefixLength);
    const socket = sys.socket('udp');
    sys.setsockopt(socket, 'SO_BINDTODEVICE', name);
    sys.setsockopt(socket, 'SO_BROADCAST', true);
    sys.bind(socket, 0, SERVER_PORT);
    for (;;) {
      const datagram = yield* sys.recvfrom(socket);
      const query = datagram === null ? null : parseMessage(datagram.bytes);
      if (query === null || query.op !== 'BOOTREQUEST' || query.giaddr !== 0) continue;
      this.counters.received += 1;
      this.#answer(sys, socket, query);
    }
  }

  #answer(sys: Syscalls, socket: Descriptor, query: DhcpMessage): void {
    const own = sys.interfaceStatus(this.#config.interface);
    // An address in doubt is none to serve from.
    if (own.address === 0) return;
    const answer = this.#protocol.answer(query, own, sys.nowNs());
    if (answer === null) return;
    if (answer.type === 'DHCPOFFER' && !this.#protocol.leases.isBound(answer.message.yiaddr, sys.nowNs())) {
      this.#probe(sys, socket, query, answer);
    } else {
      this.#send(sys, socket, answer);
    }
  }

  /** Offers the address unless somebody answers there; then the client is offered another one. */
  #probe(sys: Syscalls, socket: Descriptor, query: DhcpMessage, offer: DhcpAnswer): void {
    const address = offer.message.yiaddr;
    if (this.#probed.has(address) || this.#probed.size === MAX_PROBES) return;
    this.#probed.add(address);
    const server = this;
    sys.spawn('dhcp probe', function* (own) {
      const isUsed = yield* answers(own, address);
      server.#probed.delete(address);
      if (!isUsed) {
        server.#send(own, socket, offer);
        return;
      }
      server.counters.conflicts += 1;
      server.#protocol.leases.conflict(address, own.nowNs());
      server.#answer(own, socket, query);
    });
  }

  /** An answer that cannot be sent is lost to its client, and no reason to stop serving the others. */
  #send(sys: Syscalls, socket: Descriptor, { type, message, destination }: DhcpAnswer): void {
    try {
      sys.sendto(socket, emitMessage(message), destination, CLIENT_PORT);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      return;
    }
    if (type === 'DHCPOFFER') this.counters.offers += 1;
    else if (type === 'DHCPACK') this.counters.acks += 1;
    else this.counters.naks += 1;
  }
}

/** Whether somebody at `address` answers a ping. */
function* answers(sys: Syscalls, address: number): Blocking<boolean> {
  const reports: PingReport[] = [];
  yield* ping(address, { count: 1, timeoutNs: PROBE_NS, payloadBytes: 0 }, report => reports.push(report))(sys);
  return reports[0]?.kind === 'reply';
}
