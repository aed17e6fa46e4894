/**
 * How an interface claims its IPv4 address, RFC 5227: it probes whether anybody has it (section 2.1), announces it
 * (2.3), and defends it (2.4). Each interface says how much of that it does; one that does none just has its address.
 *
 *     none --claim--> waiting --link up--> probing --nobody has it--> assigned --second conflict in 10 s--+
 *                        ^                    |                          |                                v
 *                        +------link down-----|--------------------------+                             conflict
 *                                             +----somebody has it, or wants it------------------------>--+
 *
 * `conflict` is left by another claim alone: an administrator, or a DHCP client, has to choose another address.
 */
import { formatIpv4, formatMac } from '../../src/lib/bytes.ts';
import type { KernelContext } from '../context.ts';
import type { DriverTimer } from '../driver-api.ts';
import type { ArpPacket } from './arp-packet.ts';

const SECOND_NS = 1_000_000_000;
// RFC 5227 section 1.1.
const PROBE_WAIT_NS = SECOND_NS;
const PROBE_NUM = 3;
const PROBE_MIN_NS = SECOND_NS;
const PROBE_MAX_NS = 2 * SECOND_NS;
const ANNOUNCE_WAIT_NS = 2 * SECOND_NS;
const ANNOUNCE_NUM = 2;
const ANNOUNCE_INTERVAL_NS = 2 * SECOND_NS;
const DEFEND_INTERVAL_NS = 10 * SECOND_NS;

export type AddressState = 'none' | 'waiting' | 'probing' | 'assigned' | 'conflict';

/** What of RFC 5227 an interface does. */
export interface ClaimPolicy {
  /** Probes before use, and gives the address up when it cannot be defended. */
  readonly detectConflicts: boolean;
  /** Announces the address when it is assigned and whenever the link comes up. `detectConflicts` does so too. */
  readonly announce: boolean;
}

/** What a claim needs of its interface. */
export interface ClaimHost {
  readonly name: string;
  /** Broadcasts an ARP request for `address`: a probe, which comes from nobody, or an announcement. */
  ask(address: number, probe: boolean): void;
  /** The address is this host's from now on, or no more. */
  assign(): void;
  withdraw(): void;
  /** The state of the claim, or of the link, is another one. */
  changed(): void;
}

export class AddressClaim {
  readonly counters = { probesSent: 0, announcementsSent: 0, conflicts: 0 };
  readonly #context: KernelContext;
  readonly #host: ClaimHost;
  readonly #timer: DriverTimer;
  #state: AddressState = 'none';
  #address = 0;
  #policy: ClaimPolicy = { detectConflicts: false, announce: false };
  #linkUp = false;
  #probesLeft = 0;
  #announcementsLeft = 0;
  /** When the address was defended last. */
  #defendedNs = Number.NEGATIVE_INFINITY;

  constructor(context: KernelContext, host: ClaimHost) {
    this.#context = context;
    this.#host = host;
    this.#timer = context.timer(() => this.#timeout());
  }

  get state(): AddressState {
    return this.#state;
  }

  /** Claims `address`, and gives up what was claimed before. 0: no address. */
  claim(address: number, policy: ClaimPolicy): void {
    this.#timer.cancel();
    if (this.#state === 'assigned') this.#host.withdraw();
    this.#address = address;
    this.#policy = policy;
    this.#defendedNs = Number.NEGATIVE_INFINITY;
    if (address === 0) this.#enter('none');
    else if (!policy.detectConflicts) this.#assign();
    else if (this.#linkUp) this.#startProbing();
    else this.#enter('waiting');
  }

  /** Section 2.1: what is at the other end of the link may be another network now. */
  linkChanged(up: boolean): void {
    this.#linkUp = up;
    this.#timer.cancel();
    if (this.#policy.detectConflicts) {
      if (up && this.#state === 'waiting') this.#startProbing();
      else if (!up && (this.#state === 'assigned' || this.#state === 'probing')) this.#wait();
    } else if (up && this.#state === 'assigned') {
      this.#startAnnouncing();
    }
    this.#host.changed();
  }

  /** An ARP packet of another station came in. True: it contradicts the claim, and nothing else is to be learnt of it. */
  heard(arp: ArpPacket): boolean {
    if (this.#state === 'probing') {
      const taken = arp.senderAddress === this.#address;
      const wanted = arp.senderAddress === 0 && arp.targetAddress === this.#address;
      if (taken || wanted) this.#fail(arp);
      return taken;
    }
    if (this.#state !== 'assigned' || arp.senderAddress !== this.#address) return false;
    if (this.#policy.detectConflicts) this.#defend(arp);
    else this.#note(arp);
    return true;
  }

  #enter(state: AddressState): void {
    this.#state = state;
    this.#host.changed();
  }

  #wait(): void {
    if (this.#state === 'assigned') this.#host.withdraw();
    this.#enter('waiting');
  }

  #startProbing(): void {
    this.#enter('probing');
    this.#probesLeft = PROBE_NUM;
    this.#timer.armIn(this.#upTo(PROBE_WAIT_NS));
  }

  #timeout(): void {
    if (this.#state === 'probing') this.#probe();
    else if (this.#announcementsLeft > 0) this.#announce();
  }

  /** A probe is due, or the time is over in which an answer to the last one would have come. */
  #probe(): void {
    if (this.#probesLeft === 0) {
      this.#assign();
      return;
    }
    this.#probesLeft -= 1;
    this.counters.probesSent += 1;
    this.#host.ask(this.#address, true);
    const apartNs = PROBE_MIN_NS + this.#upTo(PROBE_MAX_NS - PROBE_MIN_NS);
    this.#timer.armIn(this.#probesLeft === 0 ? ANNOUNCE_WAIT_NS : apartNs);
  }

  #assign(): void {
    this.#host.assign();
    this.#enter('assigned');
    if (this.#linkUp) this.#startAnnouncing();
  }

  #startAnnouncing(): void {
    if (!this.#policy.announce && !this.#policy.detectConflicts) return;
    this.#announcementsLeft = ANNOUNCE_NUM;
    this.#announce();
  }

  /** Section 2.3: a request for our own address, which updates whoever knows us. */
  #announce(): void {
    this.#announcementsLeft -= 1;
    this.counters.announcementsSent += 1;
    this.#host.ask(this.#address, false);
    if (this.#announcementsLeft > 0) this.#timer.armIn(ANNOUNCE_INTERVAL_NS);
  }

  /** Section 2.4 (b): one announcement; who is not impressed by that within 10 s has the address. */
  #defend(arp: ArpPacket): void {
    const nowNs = this.#context.nowNs();
    if (nowNs - this.#defendedNs < DEFEND_INTERVAL_NS) {
      this.#host.withdraw();
      this.#fail(arp);
      return;
    }
    this.#note(arp);
    this.#defendedNs = nowNs;
    this.counters.announcementsSent += 1;
    this.#host.ask(this.#address, false);
  }

  #fail(arp: ArpPacket): void {
    this.#timer.cancel();
    this.#enter('conflict');
    this.counters.conflicts += 1;
    const address = formatIpv4(this.#address);
    this.#context.log(`${this.#host.name}: ${address} is not used, for ${formatMac(arp.senderMac)} has it`);
  }

  /** Somebody else uses our address, and both go on: an administrator looks at the log. */
  #note(arp: ArpPacket): void {
    this.counters.conflicts += 1;
    if (this.counters.conflicts > 1) return;
    this.#context.log(`${this.#host.name}: ${formatMac(arp.senderMac)} uses ${formatIpv4(this.#address)} too`);
  }

  /** A random time from 0 to `ns`. */
  #upTo(ns: number): number {
    return Math.floor(((this.#context.random() >>> 0) / 2 ** 32) * ns);
  }
}
