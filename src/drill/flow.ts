/**
 * One conversation: its endpoints, and how the numbers of the script become those on the wire. The peer's are the
 * script's own. Those of the host begin where it chose to begin: its SYN says where, and so do its first timestamps.
 */
import { formatIpv4 } from '../lib/bytes.ts';
import type { DrillSocket } from './descriptors.ts';
import type { PacketEndpoint } from './packet-line.ts';

const WORDS = 2 ** 32;

export class Flow {
  readonly protocol: 'tcp' | 'udp';
  readonly local: PacketEndpoint;
  readonly remote: PacketEndpoint;
  /** A SYN of the host may start anew: it has not been seen yet, or the peer or a call has asked for one. */
  mayBegin = true;
  /** The number of the latest SYN of the peer's. */
  peerSyn: number | null = null;
  /** The socket of the script at the host's end. */
  stream: DrillSocket | null = null;
  /** The number of the host's SYN, on the wire. */
  #hostSyn: number | null = null;
  /** How far the host's numbers on the wire are beyond those of the script; null before its SYN. */
  #offset: number | null = null;
  #stampOffset: number | null = null;
  /** Timestamps of the host, on the wire, by what the script calls them. */
  readonly #stamps = new Map<number, number>();

  constructor(protocol: 'tcp' | 'udp', local: PacketEndpoint, remote: PacketEndpoint) {
    this.protocol = protocol;
    this.local = local;
    this.remote = remote;
  }

  get text(): string {
    return `${endpointText(this.local)} and ${endpointText(this.remote)}`;
  }

  /** The host has sent a SYN with `live`, which the script calls `script`. */
  begin(live: number, script: number): void {
    const offset = (live - script) >>> 0;
    if (offset === this.#offset || !this.mayBegin) return;
    this.#offset = offset;
    this.#hostSyn = live;
    this.stream = null;
    this.#stampOffset = null;
    this.#stamps.clear();
    this.mayBegin = false;
  }

  /** The place among all that the host sends of the octet with the number `live`; null before its SYN. */
  offsetOf(live: number): number | null {
    return this.#hostSyn === null ? null : (live - this.#hostSyn - 1) >>> 0;
  }

  /** A number of the host's, as the script counts. */
  toScript(live: number): number {
    return (live - (this.#offset ?? 0)) >>> 0;
  }

  toWire(script: number): number {
    return (script + (this.#offset ?? 0)) % WORDS;
  }

  /** A timestamp of the host's that the script calls `script`. */
  learnStamp(live: number, script: number): void {
    this.#stampOffset ??= (live - script) >>> 0;
    this.#stamps.set(script, live);
  }

  stampToScript(live: number): number {
    return (live - (this.#stampOffset ?? 0)) >>> 0;
  }

  /** The echo of a timestamp that the script has seen; one that it has not seen is as far away as it says. */
  stampToWire(script: number): number {
    return this.#stamps.get(script) ?? (script + (this.#stampOffset ?? 0)) % WORDS;
  }

  /** Whether the stamps of the host have a zero that the script knows. */
  get knowsStamps(): boolean {
    return this.#stampOffset !== null;
  }
}

const endpointText = ({ address, port }: PacketEndpoint): string => `${formatIpv4(address)}:${port}`;
