/**
 * What the sockets of the host that translates hold themselves, as the NAT has to know it: their ports are given to nobody
 * inside, and what comes for them is theirs.
 */
import type { EchoSockets } from '../echo-sockets.ts';
import type { Ipv4Input } from '../ipv4/input.ts';
import type { Ipv4Output } from '../ipv4/output.ts';
import type { Tcp } from '../tcp/tcp.ts';
import type { Udp } from '../udp.ts';
import { KIND, type Kind } from './mapping.ts';

export class OwnPorts {
  readonly #tcp: Tcp;
  readonly #udp: Udp;
  readonly #echo: EchoSockets;
  readonly #input: Ipv4Input;
  readonly #output: Ipv4Output;

  constructor(tcp: Tcp, udp: Udp, echo: EchoSockets, input: Ipv4Input, output: Ipv4Output) {
    this.#tcp = tcp;
    this.#udp = udp;
    this.#echo = echo;
    this.#input = input;
    this.#output = output;
  }

  /** Whether a socket holds `port` at `address`; of protocols without ports, whether the host speaks the one. */
  holds(kind: Kind, address: number, port: number): boolean {
    switch (kind) {
      case KIND.tcp:
        return this.#tcp.portTaken(address, port);
      case KIND.udp:
        return this.#udp.ports.isTaken(address, port);
      case KIND.icmp:
        return this.#echo.ports.isTaken(address, port);
      case KIND.other:
        return this.#input.speaks(port);
    }
  }

  isOwnAddress(address: number): boolean {
    return this.#output.isOwnAddress(address);
  }

  /** Whether a connection or a listener wants a TCP segment with these ends. */
  expectsSegment(address: number, port: number, remoteAddress: number, remotePort: number): boolean {
    return this.#tcp.expects(address, port, remoteAddress, remotePort);
  }
}
