/**
 * What a DHCP server answers, RFC 2131 section 4.3: message in, time in; answer out. It keeps the table of leases; it does
 * not send, and does not wait.
 */
import { hexBytes } from '../../../src/lib/bytes.ts';
import { LIMITED_BROADCAST, maskOf } from '../../net/ipv4/address.ts';
import { type DhcpClientIdentity, INFINITE_SECONDS, LeaseTable } from './lease-table.ts';
import type { DhcpMessage, DhcpMessageType } from './message.ts';
import { OPTION, textOf, textOption, typeOf, typeOption, wordOf, wordsOption } from './options.ts';
import type { DhcpServerConfig } from './server-options.ts';

/** The shortest lease that a client gets by asking for less than usual. */
const MIN_LEASE_SECONDS = 60;
const MAX_HOST_NAME = 63;

export interface DhcpAnswer {
  readonly type: 'DHCPOFFER' | 'DHCPACK' | 'DHCPNAK';
  readonly message: DhcpMessage;
  /** Where it goes. */
  readonly destination: number;
}

/** An address and its network. */
interface OwnAddress {
  readonly address: number;
  readonly prefixLength: number;
}

export class ServerProtocol {
  readonly leases: LeaseTable;
  readonly #config: DhcpServerConfig;

  constructor(config: DhcpServerConfig) {
    this.#config = config;
    this.leases = new LeaseTable(config.ranges, config.reservations);
  }

  /** The answer to `query` of a server at `own`, or null for none. */
  answer(query: DhcpMessage, own: OwnAddress, nowNs: number): DhcpAnswer | null {
    switch (typeOf(query.options)) {
      case 'DHCPDISCOVER':
        return this.#discovered(query, own, nowNs);
      case 'DHCPREQUEST':
        return this.#requested(query, own, nowNs);
      case 'DHCPDECLINE':
        this.#declined(query, own, nowNs);
        return null;
      case 'DHCPRELEASE':
        this.leases.release(clientOf(query), query.ciaddr, nowNs);
        return null;
      case 'DHCPINFORM':
        return this.#reply('DHCPACK', query, own, 0, 0);
      default:
        return null;
    }
  }

  /** Section 4.3.1. */
  #discovered(query: DhcpMessage, own: OwnAddress, nowNs: number): DhcpAnswer | null {
    const wish = wordOf(query.options, OPTION.requestedAddress) ?? 0;
    const address = this.leases.offer(clientOf(query), wish, nowNs);
    return address === null ? null : this.#reply('DHCPOFFER', query, own, address, this.#leaseSeconds(query));
  }

  /** Section 4.3.2: what the client fills in says in which state it is. */
  #requested(query: DhcpMessage, own: OwnAddress, nowNs: number): DhcpAnswer | null {
    const { ciaddr, options } = query;
    const server = wordOf(options, OPTION.serverIdentifier);
    const requested = wordOf(options, OPTION.requestedAddress);
    const client = clientOf(query);
    if (server !== null && server !== own.address) {
      this.#passedOver(client, nowNs);
      return null;
    }
    const address = requested ?? ciaddr;
    if (this.leases.isFor(client, address)) {
      const seconds = this.#leaseSeconds(query);
      this.leases.bind(client, address, seconds, nowNs);
      return this.#reply('DHCPACK', query, own, address, seconds);
    }
    // Of a client that comes back, and is unknown here, another server may know, unless its network is another one.
    const isElsewhere = ((address ^ own.address) & maskOf(own.prefixLength)) !== 0;
    if (server === null && !isElsewhere && this.leases.addressOf(client) === null) return null;
    return this.#refuse(query, own);
  }

  /** Section 4.3.2: the client has taken another server's offer. */
  #passedOver(client: DhcpClientIdentity, nowNs: number): void {
    const address = this.leases.addressOf(client);
    if (address !== null) this.leases.release(client, address, nowNs);
  }

  /** Section 4.3.3. */
  #declined(query: DhcpMessage, own: OwnAddress, nowNs: number): void {
    const address = wordOf(query.options, OPTION.requestedAddress);
    if (address === null || wordOf(query.options, OPTION.serverIdentifier) !== own.address) return;
    if (this.leases.isFor(clientOf(query), address)) this.leases.conflict(address, nowNs);
  }

  #leaseSeconds({ options }: DhcpMessage): number {
    const { leaseSeconds } = this.#config;
    const wish = wordOf(options, OPTION.leaseTime) ?? leaseSeconds;
    return Math.min(leaseSeconds, Math.max(MIN_LEASE_SECONDS, wish));
  }

  /** Of the options those come first that no client can do without. `seconds` is 0 for an answer without a lease. */
  #reply(type: DhcpAnswer['type'], query: DhcpMessage, own: OwnAddress, address: number, seconds: number): DhcpAnswer {
    const { routers, dnsServers, domainName } = this.#config;
    const options = optionsOf(type, query, own);
    if (seconds > 0) {
      options.set(OPTION.leaseTime, wordsOption(seconds));
      if (seconds !== INFINITE_SECONDS) {
        options.set(OPTION.renewalTime, wordsOption(Math.floor(seconds / 2)));
        options.set(OPTION.rebindingTime, wordsOption(Math.floor((seconds * 7) / 8)));
      }
    }
    options.set(OPTION.subnetMask, wordsOption(maskOf(own.prefixLength)));
    if (routers.length > 0) options.set(OPTION.router, wordsOption(...routers));
    if (dnsServers.length > 0) options.set(OPTION.domainNameServer, wordsOption(...dnsServers));
    if (domainName !== '') options.set(OPTION.domainName, textOption(domainName));
    const ciaddr = type === 'DHCPACK' ? query.ciaddr : 0;
    const message: DhcpMessage = { ...query, op: 'BOOTREPLY', secs: 0, ciaddr, yiaddr: address, siaddr: 0, options };
    // Section 4.1. Who has no address yet cannot be sent to by a socket, so it is a broadcast whatever its flag says.
    return { type, message, destination: query.ciaddr === 0 ? LIMITED_BROADCAST : query.ciaddr };
  }

  /** A refusal is always broadcast: the client's address is in doubt. */
  #refuse(query: DhcpMessage, own: OwnAddress): DhcpAnswer {
    const options = optionsOf('DHCPNAK', query, own);
    options.set(OPTION.message, textOption('not your address'));
    const message: DhcpMessage = { ...query, op: 'BOOTREPLY', secs: 0, ciaddr: 0, yiaddr: 0, siaddr: 0, options };
    return { type: 'DHCPNAK', message, destination: LIMITED_BROADCAST };
  }
}

/** With the client's identifier as it was (RFC 6842). */
function optionsOf(type: DhcpMessageType, query: DhcpMessage, own: OwnAddress): Map<number, Uint8Array> {
  const options = new Map([
    [OPTION.messageType, typeOption(type)],
    [OPTION.serverIdentifier, wordsOption(own.address)],
  ] as [number, Uint8Array][]);
  const identifier = query.options.get(OPTION.clientIdentifier);
  if (identifier !== undefined) options.set(OPTION.clientIdentifier, identifier);
  return options;
}

function clientOf({ chaddr, options }: DhcpMessage): DhcpClientIdentity {
  const identifier = options.get(OPTION.clientIdentifier);
  const hostName = textOf(options, OPTION.hostName)
    .slice(0, MAX_HOST_NAME)
    .replace(/[^\x21-\x7e]/g, '?');
  const key = identifier === undefined ? `mac ${hexBytes(chaddr)}` : `id ${hexBytes(identifier)}`;
  return { key, mac: chaddr, hostName };
}
