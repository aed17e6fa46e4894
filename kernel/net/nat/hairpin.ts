/**
 * The packet that is on its way from the inside, or from this host, back to the inside: it went to a public address, has
 * its private destination, and waits for its public source until postrouting (or input, if it is for this host). The
 * packet filter in between knows flows by their private ends. There is one at a time, for a packet is handled to its end
 * before the next one is looked at.
 */
import type { PacketBuffer } from '../../driver-api.ts';
import type { Flow } from './flow.ts';

export class Hairpin {
  packet: PacketBuffer | null = null;
  /** The source that it will have. */
  address = 0;
  port = 0;
  /** Where it was sent to. */
  #destination = 0;
  #destinationPort = 0;
  /** Its ends until then. */
  #source = 0;
  #sourcePort = 0;
  #privateDestination = 0;
  #privatePort = 0;

  /** `packet` of `flow`, not translated yet, will have that source. */
  begin(packet: PacketBuffer, flow: Flow, address: number, port: number): void {
    this.packet = packet;
    this.address = address;
    this.port = port;
    this.#source = flow.header.source;
    this.#sourcePort = flow.sourcePort;
    this.#destination = flow.header.destination;
    this.#destinationPort = flow.destinationPort;
  }

  /** Its destination is translated. */
  turn(flow: Flow): void {
    this.#privateDestination = flow.header.destination;
    this.#privatePort = flow.destinationPort;
  }

  get destination(): number {
    return this.#destination;
  }

  get destinationPort(): number {
    return this.#destinationPort;
  }

  /** Whether `flow`, which an ICMP error quotes, is that packet's before its source is translated. */
  isQuoted({ header, sourcePort, destinationPort }: Flow): boolean {
    return (
      this.packet !== null &&
      header.source === this.#source &&
      header.destination === this.#privateDestination &&
      sourcePort === this.#sourcePort &&
      destinationPort === this.#privatePort
    );
  }

  /** Whether `flow` goes from where that packet is to go back to its sender: it answers in the name of its receiver. */
  isAnsweredBy({ header, sourcePort, destinationPort }: Flow): boolean {
    return (
      this.packet !== null &&
      header.source === this.#privateDestination &&
      header.destination === this.#source &&
      sourcePort === this.#privatePort &&
      destinationPort === this.#sourcePort
    );
  }
}
