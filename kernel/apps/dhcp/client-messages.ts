/** What a DHCP client says, RFC 2131 section 4.4 table 5: one object for the messages with one `xid`. */
import type { DhcpLease } from './lease.ts';
import { type DhcpMessage, type DhcpMessageType, ETHERNET } from './message.ts';
import { OPTION, textOption, typeOption, wordsOption } from './options.ts';

/** What the server is asked to tell. */
const WANTED = [
  OPTION.subnetMask,
  OPTION.router,
  OPTION.domainNameServer,
  OPTION.domainName,
  OPTION.leaseTime,
  OPTION.renewalTime,
  OPTION.rebindingTime,
] as const;

export class ClientMessages {
  readonly #xid: number;
  readonly #mac: Uint8Array;
  readonly #hostName: string;

  constructor(xid: number, mac: Uint8Array, hostName: string) {
    this.#xid = xid;
    this.#mac = mac;
    this.#hostName = hostName;
  }

  discover(secs: number): DhcpMessage {
    return this.#asking('DHCPDISCOVER', secs, 0, []);
  }

  /** Takes an offer, and by that turns down the others. */
  select({ address, server }: DhcpLease, secs: number): DhcpMessage {
    return this.#asking('DHCPREQUEST', secs, 0, [
      [OPTION.serverIdentifier, wordsOption(server)],
      [OPTION.requestedAddress, wordsOption(address)],
    ]);
  }

  /** Whether the address is still good here. */
  reboot({ address }: DhcpLease, secs: number): DhcpMessage {
    return this.#asking('DHCPREQUEST', secs, 0, [[OPTION.requestedAddress, wordsOption(address)]]);
  }

  /** For more time. */
  renew({ address }: DhcpLease, secs: number): DhcpMessage {
    return this.#asking('DHCPREQUEST', secs, address, []);
  }

  decline({ address, server }: DhcpLease): DhcpMessage {
    return this.#message('DHCPDECLINE', 0, 0, [
      [OPTION.serverIdentifier, wordsOption(server)],
      [OPTION.requestedAddress, wordsOption(address)],
    ]);
  }

  release({ address, server }: DhcpLease): DhcpMessage {
    return this.#message('DHCPRELEASE', 0, address, [[OPTION.serverIdentifier, wordsOption(server)]]);
  }

  #asking(
    type: DhcpMessageType,
    secs: number,
    ciaddr: number,
    options: readonly (readonly [number, Uint8Array])[],
  ): DhcpMessage {
    return this.#message(type, secs, ciaddr, [
      ...options,
      [OPTION.parameterRequestList, Uint8Array.from(WANTED)],
      [OPTION.hostName, textOption(this.#hostName)],
    ]);
  }

  /** Who has no address yet can only be answered by broadcast: IPv4 takes nothing that is for another one. */
  #message(
    type: DhcpMessageType,
    secs: number,
    ciaddr: number,
    options: readonly (readonly [number, Uint8Array])[],
  ): DhcpMessage {
    return {
      op: 'BOOTREQUEST',
      xid: this.#xid,
      secs,
      broadcast: ciaddr === 0,
      ciaddr,
      yiaddr: 0,
      siaddr: 0,
      giaddr: 0,
      chaddr: this.#mac,
      options: new Map([
        [OPTION.messageType, typeOption(type)],
        [OPTION.clientIdentifier, Uint8Array.of(ETHERNET, ...this.#mac)],
        ...options,
      ]),
    };
  }
}
