/**
 * SYNs from outside that nobody inside has asked for, RFC 5382 REQ-4. An answer at once would spoil a simultaneous open
 * whose other SYN is still on its way, so they wait for six seconds. One that the inside matches by then is forgotten; the
 * sender of any other hears that the port is unreachable. Only their headers are kept, in memory of their own: the packet
 * buffers go back to the pool.
 */
import type { KernelContext } from '../../context.ts';
import type { DriverTimer, PacketBuffer } from '../../driver-api.ts';
import type { IcmpErrors } from '../icmp-error.ts';
import { DESTINATION_UNREACHABLE, PORT_UNREACHABLE } from '../icmp-message.ts';
import { parseUnchecked } from '../ipv4/header.ts';
import { Ipv4Arrival } from '../ipv4/input.ts';
import { allocateTransport, pull } from '../packet.ts';
import type { Flow } from './flow.ts';

const HOLD_NS = 6_000_000_000;
/** One more is dropped in silence. */
const MAX_HELD = 256;
/** The headers of IPv4 and TCP with all their options. */
const MAX_HEADERS_BYTES = 120;

/** One SYN, by its endpoints. */
interface Held {
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
  readonly dueNs: number;
  readonly headers: Uint8Array;
}

export class HeldSyns {
  readonly counters = { held: 0, matched: 0, refused: 0 };
  readonly #context: KernelContext;
  readonly #errors: IcmpErrors;
  readonly #timer: DriverTimer;
  readonly #arrival = new Ipv4Arrival();
  /** In the order in which they came, which is that in which they are due. */
  readonly #line: Held[] = [];

  constructor(context: KernelContext, errors: IcmpErrors) {
    this.#context = context;
    this.#errors = errors;
    this.#timer = context.timer(() => this.#refuseDue());
  }

  /**
   * Keeps what an answer to `packet`, of which `flow` has the ends, will need. `source` and `sourcePort` are its sender as
   * the outside knows it. A SYN that is sent again is held once.
   */
  hold(packet: PacketBuffer, flow: Flow, source: number, sourcePort: number): void {
    const { destination } = flow.header;
    const { destinationPort } = flow;
    if (this.#find(source, sourcePort, destination, destinationPort) >= 0 || this.#line.length === MAX_HELD) return;
    const bytes = Math.min(packet.length, MAX_HEADERS_BYTES);
    const headers = packet.bytes.slice(packet.start, packet.start + bytes);
    const dueNs = this.#context.nowNs() + HOLD_NS;
    this.#line.push({ source, sourcePort, destination, destinationPort, dueNs, headers });
    this.counters.held += 1;
    if (this.#line.length === 1) this.#timer.armIn(HOLD_NS);
  }

  /** The inside has sent a SYN from the public end `address` and `port` to `remoteAddress` and `remotePort`. */
  match(address: number, port: number, remoteAddress: number, remotePort: number): void {
    const index = this.#find(remoteAddress, remotePort, address, port);
    if (index < 0) return;
    this.#line.splice(index, 1);
    this.counters.matched += 1;
    if (this.#line.length === 0) this.#timer.cancel();
  }

  #find(source: number, sourcePort: number, destination: number, destinationPort: number): number {
    return this.#line.findIndex(
      held =>
        held.source === source &&
        held.sourcePort === sourcePort &&
        held.destination === destination &&
        held.destinationPort === destinationPort,
    );
  }

  #refuseDue(): void {
    const nowNs = this.#context.nowNs();
    while (this.#line.length > 0 && this.#line[0]!.dueNs <= nowNs) this.#refuse(this.#line.shift()!);
    if (this.#line.length > 0) this.#timer.armIn(this.#line[0]!.dueNs - nowNs);
  }

  #refuse({ headers }: Held): void {
    const packet = allocateTransport(this.#context.packets, headers.length);
    if (packet === null) return;
    packet.bytes.set(headers, packet.start);
    const arrival = this.#arrival;
    if (parseUnchecked(packet.bytes, packet.start, packet.length, arrival)) {
      pull(packet, arrival.headerBytes);
      this.#errors.send(DESTINATION_UNREACHABLE, PORT_UNREACHABLE, 0, packet, arrival);
      this.counters.refused += 1;
    }
    this.#context.packets.free(packet);
  }
}
