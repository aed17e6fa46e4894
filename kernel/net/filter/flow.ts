/**
 * A connection as a router sees it go by: who began it, with whom, and whether there was an answer. What stands for ports
 * where there are none is in `packet-ends.ts`.
 */
import type { TcpFlow } from './tcp-flow.ts';

/** The two ends of a packet or of a connection. Addresses are unsigned. */
export interface Ends {
  readonly protocol: number;
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
}

export class Flow implements Ends {
  readonly protocol: number;
  /** Who sent the first packet, and to whom. */
  readonly source: number;
  readonly sourcePort: number;
  readonly destination: number;
  readonly destinationPort: number;
  /** Null for other protocols than TCP. */
  readonly tcp: TcpFlow | null;
  /** A packet has come from the other end. */
  answered = false;
  /** When it is forgotten, unless a packet comes before. */
  dueNs = 0;
  /** Chain of the table. */
  nextInBucket: Flow | null = null;

  constructor(ends: Ends, tcp: TcpFlow | null) {
    this.protocol = ends.protocol;
    this.source = ends.source;
    this.sourcePort = ends.sourcePort;
    this.destination = ends.destination;
    this.destinationPort = ends.destinationPort;
    this.tcp = tcp;
  }

  /** Whether a packet with these ends goes from who began the connection to the other. */
  isForward(ends: Ends): boolean {
    return (
      ends.source === this.source &&
      ends.sourcePort === this.sourcePort &&
      ends.destination === this.destination &&
      ends.destinationPort === this.destinationPort
    );
  }

  /** Whether these are its ends, in one direction or the other. */
  joins(ends: Ends): boolean {
    if (this.protocol !== ends.protocol) return false;
    if (this.isForward(ends)) return true;
    return (
      ends.source === this.destination &&
      ends.sourcePort === this.destinationPort &&
      ends.destination === this.source &&
      ends.destinationPort === this.sourcePort
    );
  }
}
