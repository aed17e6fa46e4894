/**
 * Two real stacks on one virtual time, joined by a link that a test makes as bad as it likes: it has a rate, a queue, a
 * delay, and it loses, doubles, reorders and damages frames, all from one seed.
 */
import { Prng } from '../../hw/sim/prng.ts';
import type { TcpConnection } from '../../kernel/net/tcp/connection.ts';
import type { TcpListener } from '../../kernel/net/tcp/listener.ts';
import { DEFAULT_TCP_OPTIONS, type TcpOptions } from '../../kernel/net/tcp/user.ts';
import { parseIpv4, readBe16 } from '../../src/lib/bytes.ts';
import { GATEWAY, HOST, HOST_MAC, NetRig, PEER, PEER_MAC } from './net-rig.ts';
import { frame as ethernetFrame, icmp, ipv4 } from './packets.ts';

export interface LinkFaults {
  /** Chances of a frame, 0 to 1. */
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly corrupt?: number;
  readonly delayNs?: number;
  /** 0: no limit. */
  readonly bitsPerSecond?: number;
  /** Full frames, or as many bytes, that may wait for the link; what comes then is dropped. */
  readonly queueFrames?: number;
  /** Longest IPv4 packet that gets through: somewhere on the way there is a smaller link. */
  readonly mtu?: number;
  /** Whether the sender of a longer one is told, by ICMP 3/4, or nobody is: a black hole. */
  readonly tellsMtu?: boolean;
}

interface Flight {
  readonly dueNs: number;
  readonly order: number;
  readonly to: number;
  readonly frame: Uint8Array;
}

const PORT = 80;
const ROUTER_MAC = '52:54:00:00:00:fe';
const ETHERNET_BYTES = 14;
const ARP = 0x0806;
const FULL_FRAME_BYTES = 1514;
const MAX_EVENTS = 3_000_000;
/** How much later a frame comes that others overtake, in delays. */
const REORDER_DELAYS = 3;

const rigOf = (address: string, mac: string): NetRig =>
  new NetRig({ interfaces: [{ address: parseIpv4(address), prefixLength: 24 }] }, 1, { mac });

export class TcpPair {
  /** The client is 192.0.2.1, the server 192.0.2.2. */
  readonly rigs: readonly [NetRig, NetRig] = [rigOf(HOST, HOST_MAC), rigOf(PEER, PEER_MAC)];
  link: Required<LinkFaults>;
  frames = 0;
  /** From where `connect` connects; 0: an ephemeral port. */
  clientPort = 0;
  /** Decides about single frames before chance does: true, it is lost. */
  lose: ((frame: Uint8Array, from: number) => boolean) | null = null;
  readonly #prng: Prng;
  readonly #flights: Flight[] = [];
  /** When each direction of the link is free again, and how many frames wait for it. */
  readonly #freeNs = [0, 0];
  #order = 0;

  constructor(seed: string, faults: LinkFaults = {}) {
    this.#prng = new Prng(seed);
    const perfect = {
      loss: 0,
      duplicate: 0,
      reorder: 0,
      corrupt: 0,
      delayNs: 1_000_000,
      bitsPerSecond: 0,
      queueFrames: 100,
      mtu: 1500,
      tellsMtu: true,
    };
    this.link = { ...perfect, ...faults };
  }

  get client(): NetRig {
    return this.rigs[0];
  }

  get server(): NetRig {
    return this.rigs[1];
  }

  nowNs(): number {
    return this.client.nowNs();
  }

  listen(options: Partial<TcpOptions> = {}, user = { changed: () => {} }): TcpListener {
    return this.server.net.tcp.listen({ address: 0, port: PORT }, 16, { ...DEFAULT_TCP_OPTIONS, ...options }, user);
  }

  connect(options: Partial<TcpOptions> = {}, user = { changed: () => {} }): TcpConnection {
    const remote = { address: parseIpv4(PEER), port: PORT };
    return this.client.net.tcp.connect(
      { address: 0, port: this.clientPort },
      remote,
      { ...DEFAULT_TCP_OPTIONS, ...options },
      user,
    );
  }

  /** Lets time pass until `done`, or for `forNs`. `step` is called after every event. */
  run(forNs: number, done: () => boolean = () => false): void {
    const untilNs = this.nowNs() + forNs;
    for (let events = 0; !done(); events++) {
      if (events > MAX_EVENTS) throw new Error('the pair never rests');
      for (const rig of this.rigs) rig.settle();
      this.#collect();
      const first = this.#flights[0];
      const [client, server] = this.rigs;
      const dueNs = Math.min(first?.dueNs ?? Number.POSITIVE_INFINITY, client.nextTimerNs(), server.nextTimerNs());
      const nextNs = Math.min(untilNs, dueNs);
      for (const rig of this.rigs) rig.advance(Math.max(0, nextNs - rig.nowNs()));
      while (this.#flights.length > 0 && this.#flights[0]!.dueNs <= nextNs) {
        const flight = this.#flights.shift()!;
        this.rigs[flight.to]!.inject(flight.frame);
      }
      if (nextNs === untilNs && dueNs > untilNs) return;
    }
  }

  #collect(): void {
    for (let from = 0; from < 2; from++) {
      const { sent } = this.rigs[from]!.driver;
      for (const frame of sent) this.#carry(frame, from);
      sent.length = 0;
    }
  }

  #carry(frame: Uint8Array, from: number): void {
    const { link } = this;
    this.frames += 1;
    const nowNs = this.rigs[from]!.nowNs();
    let sentNs = nowNs;
    if (link.bitsPerSecond > 0) {
      const frameNs = (frame.length * 8e9) / link.bitsPerSecond;
      if (this.#freeNs[from]! - nowNs > (link.queueFrames * FULL_FRAME_BYTES * 8e9) / link.bitsPerSecond) return;
      sentNs = Math.max(nowNs, this.#freeNs[from]!) + frameNs;
      this.#freeNs[from] = sentNs;
    }
    if (this.lose?.(frame, from) || this.#chance(link.loss)) return;
    if (frame.length - ETHERNET_BYTES > link.mtu) {
      if (link.tellsMtu) this.#push(sentNs + link.delayNs, 1 - from, this.#fragmentationNeeded(frame, from));
      return;
    }
    const late = this.#chance(link.reorder) ? REORDER_DELAYS * link.delayNs * this.#prng.fraction() : 0;
    const dueNs = Math.ceil(sentNs + link.delayNs + late);
    // ARP has no checksum that could find it out.
    const spared = readBe16(frame, 12) === ARP;
    this.#push(dueNs, from, this.#chance(link.corrupt) && !spared ? this.#damaged(frame) : frame);
    if (this.#chance(link.duplicate)) this.#push(dueNs + Math.ceil(link.delayNs / 2), from, frame);
  }

  /** What a router on the way answers: ICMP 3/4, with the MTU, to the one that sent `about` (RFC 1191 section 4). */
  #fragmentationNeeded(about: Uint8Array, from: number): Uint8Array {
    const quoted = about.subarray(ETHERNET_BYTES, ETHERNET_BYTES + 28);
    const payload = icmp({ type: 3, code: 4, word: this.link.mtu, data: quoted });
    const [to, mac] = from === 0 ? [HOST, HOST_MAC] : [PEER, PEER_MAC];
    const packet = ipv4({ protocol: 1, source: GATEWAY, destination: to, payload });
    return ethernetFrame({ to: mac, from: ROUTER_MAC, type: 0x0800, payload: packet });
  }

  #push(dueNs: number, from: number, frame: Uint8Array): void {
    // The timers have ticks of 100 ns, and so has the time at which a frame can come in.
    const flight = { dueNs: Math.ceil(dueNs / 100) * 100, order: this.#order++, to: 1 - from, frame };
    let at = this.#flights.length;
    while (at > 0 && this.#flights[at - 1]!.dueNs > flight.dueNs) at -= 1;
    this.#flights.splice(at, 0, flight);
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#prng.fraction() < probability;
  }

  /** One bit is wrong, behind the Ethernet header: on a real link the FCS would have seen it. */
  #damaged(frame: Uint8Array): Uint8Array {
    const copy = frame.slice();
    const at = ETHERNET_BYTES + this.#prng.below(copy.length - ETHERNET_BYTES);
    copy[at]! ^= 1 << this.#prng.below(8);
    return copy;
  }
}
