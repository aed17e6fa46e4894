/**
 * Which client has which address: the bindings of a DHCP server, RFC 2131 sections 2.2 and 4.3.1. A client keeps its
 * entry when its lease has ended, and gets the same address again as long as nobody else needed it.
 */
import { formatIpv4, formatMac } from '../../../src/lib/bytes.ts';

const SECOND_NS = 1_000_000_000;
/** How long an offered address waits for its client. */
const OFFER_NS = 60 * SECOND_NS;
/** How long an address is given to nobody that somebody was found to use. */
const CONFLICT_NS = 600 * SECOND_NS;
/** The lease that never ends (RFC 2131 section 3.3). */
export const INFINITE_SECONDS = 0xffff_ffff;

export type LeaseState = 'offered' | 'bound' | 'free' | 'in use elsewhere';

/** Addresses from the first to the last, unsigned 32-bit numbers. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** Who asks. */
export interface DhcpClientIdentity {
  /** What tells clients apart: the client identifier, or else the hardware address. */
  readonly key: string;
  readonly mac: Uint8Array;
  readonly hostName: string;
}

interface Lease {
  readonly address: number;
  client: DhcpClientIdentity;
  state: LeaseState;
  untilNs: number;
}

/** A row of the table, for inspection. */
export interface LeaseRow {
  readonly address: string;
  readonly mac: string;
  readonly hostName: string;
  readonly state: LeaseState;
  /** How long that lasts; Infinity for a lease that never ends. */
  readonly leftNs: number;
}

export class LeaseTable {
  readonly #ranges: readonly AddressRange[];
  /** Addresses by hardware address in text form. */
  readonly #reservations: ReadonlyMap<string, number>;
  readonly #reserved: ReadonlySet<number>;
  readonly #byAddress = new Map<number, Lease>();
  readonly #byClient = new Map<string, Lease>();

  constructor(ranges: readonly AddressRange[], reservations: ReadonlyMap<string, number>) {
    this.#ranges = ranges;
    this.#reservations = reservations;
    this.#reserved = new Set(reservations.values());
  }

  /**
   * Holds an address for `client`: the one reserved for it, the one it has or had, the one it `wishes` (0: none), or any.
   * Null when none is left.
   */
  offer(client: DhcpClientIdentity, wish: number, nowNs: number): number | null {
    const address = this.#choose(client, wish, nowNs);
    if (address === null) return null;
    const present = this.#byAddress.get(address);
    // Who has a lease and asks anew keeps it until it takes the offer.
    if (present?.client.key === client.key && this.isBound(address, nowNs)) return address;
    this.#enter(address, client, 'offered', nowNs + OFFER_NS);
    return address;
  }

  /** `client` has `address`, which {@link isFor} it, for so long. */
  bind(client: DhcpClientIdentity, address: number, seconds: number, nowNs: number): void {
    const untilNs = seconds === INFINITE_SECONDS ? Number.POSITIVE_INFINITY : nowNs + seconds * SECOND_NS;
    this.#enter(address, client, 'bound', untilNs);
  }

  /** Whether the table knows the client, be it that its lease has ended, and the address is the one it may have. */
  isFor(client: DhcpClientIdentity, address: number): boolean {
    return this.addressOf(client) === address;
  }

  /** The address that `client` has, or had last; null when the table does not know the client. */
  addressOf({ key }: DhcpClientIdentity): number | null {
    return this.#byClient.get(key)?.address ?? null;
  }

  /** Whether a client has a lease of `address` that has not ended. */
  isBound(address: number, nowNs: number): boolean {
    const lease = this.#byAddress.get(address);
    return lease?.state === 'bound' && lease.untilNs > nowNs;
  }

  /** The client gives its address back. */
  release(client: DhcpClientIdentity, address: number, nowNs: number): void {
    const lease = this.#byClient.get(client.key);
    if (lease?.address !== address) return;
    lease.state = 'free';
    lease.untilNs = Math.min(lease.untilNs, nowNs);
  }

  /** Somebody else has `address`, whom this table does not know. */
  conflict(address: number, nowNs: number): void {
    const lease = this.#byAddress.get(address);
    if (lease === undefined) return;
    this.#byClient.delete(lease.client.key);
    lease.state = 'in use elsewhere';
    lease.untilNs = nowNs + CONFLICT_NS;
  }

  /** In the order of the addresses. */
  rows(nowNs: number): readonly LeaseRow[] {
    const leases = [...this.#byAddress.values()].toSorted((a, b) => a.address - b.address);
    return leases.map(({ address, client, state, untilNs }) => ({
      address: formatIpv4(address),
      mac: formatMac(client.mac),
      hostName: client.hostName,
      state: untilNs > nowNs ? state : 'free',
      leftNs: Math.max(0, untilNs - nowNs),
    }));
  }

  #choose(client: DhcpClientIdentity, wish: number, nowNs: number): number | null {
    const reserved = this.#reservations.get(formatMac(client.mac));
    if (reserved !== undefined) return this.#isAvailable(reserved, client, nowNs) ? reserved : null;
    const own = this.#byClient.get(client.key);
    if (own !== undefined && this.#isOpen(own.address)) return own.address;
    if (this.#isOpen(wish) && this.#isAvailable(wish, client, nowNs)) return wish;
    return this.#anyAddress(nowNs);
  }

  /** One that nobody has had yet, or else the one that nobody has had for longest. */
  #anyAddress(nowNs: number): number | null {
    let best: Lease | null = null;
    for (const { first, last } of this.#ranges) {
      for (let address = first; address <= last; address++) {
        if (this.#reserved.has(address)) continue;
        const lease = this.#byAddress.get(address);
        if (lease === undefined) return address;
        if (lease.untilNs <= nowNs && lease.untilNs < (best?.untilNs ?? Number.POSITIVE_INFINITY)) best = lease;
      }
    }
    return best?.address ?? null;
  }

  /** Whether `address` is one that clients without a reservation may have. */
  #isOpen(address: number): boolean {
    return !this.#reserved.has(address) && this.#ranges.some(({ first, last }) => address >= first && address <= last);
  }

  #isAvailable(address: number, client: DhcpClientIdentity, nowNs: number): boolean {
    const lease = this.#byAddress.get(address);
    if (lease === undefined || lease.untilNs <= nowNs) return true;
    return lease.state !== 'in use elsewhere' && lease.client.key === client.key;
  }

  #enter(address: number, client: DhcpClientIdentity, state: LeaseState, untilNs: number): void {
    const former = this.#byAddress.get(address);
    if (former !== undefined && former.client.key !== client.key && this.#byClient.get(former.client.key) === former) {
      this.#byClient.delete(former.client.key);
    }
    const other = this.#byClient.get(client.key);
    if (other !== undefined && other.address !== address) this.#byAddress.delete(other.address);
    const lease = { address, client, state, untilNs };
    this.#byAddress.set(address, lease);
    this.#byClient.set(client.key, lease);
  }
}
