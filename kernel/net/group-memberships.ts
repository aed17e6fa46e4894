/**
 * The multicast groups that one socket has joined. It gets what is sent to these, on the link on which it joined, and
 * nothing that others of its host have joined for.
 */
import { formatIpv4 } from '../../src/lib/bytes.ts';
import type { Ipv4Groups } from './ipv4/groups.ts';
import type { Link } from './ipv4/link.ts';
import { SocketError } from './socket-error.ts';
import type { GroupMembership } from './socket-options.ts';

/** Groups of one socket (IP_MAX_MEMBERSHIPS). */
const MAX_MEMBERSHIPS = 20;

interface Joined {
  readonly link: Link;
  readonly group: number;
}

export class GroupMemberships {
  readonly #groups: Ipv4Groups;
  #joined: readonly Joined[] = [];

  constructor(groups: Ipv4Groups) {
    this.#groups = groups;
  }

  has(link: Link | null, group: number): boolean {
    return this.#find(link, group) !== undefined;
  }

  /** Throws EINVAL, ENODEV, EADDRINUSE when the socket has joined already, ENOBUFS when it may join no more. */
  join(membership: GroupMembership): void {
    const { link, group } = this.#resolve(membership);
    if (this.has(link, group))
      throw new SocketError('EADDRINUSE', `the socket has joined ${formatIpv4(group)} already`);
    if (this.#joined.length === MAX_MEMBERSHIPS) {
      throw new SocketError('ENOBUFS', `no more than ${MAX_MEMBERSHIPS} groups for a socket`);
    }
    this.#groups.join(link, group);
    this.#joined = [...this.#joined, { link, group }];
  }

  /** Throws EADDRNOTAVAIL when the socket has not joined. */
  leave(membership: GroupMembership): void {
    const { link, group } = this.#resolve(membership);
    const joined = this.#find(link, group);
    if (joined === undefined) {
      throw new SocketError('EADDRNOTAVAIL', `the socket has not joined ${formatIpv4(group)}`);
    }
    this.#groups.leave(link, group);
    this.#joined = this.#joined.filter(each => each !== joined);
  }

  leaveAll(): void {
    for (const { link, group } of this.#joined) this.#groups.leave(link, group);
    this.#joined = [];
  }

  #find(link: Link | null, group: number): Joined | undefined {
    return this.#joined.find(each => each.group === group && each.link === link);
  }

  #resolve({ group, interface: name }: GroupMembership): Joined {
    const link = name === undefined ? this.#groups.usualLink : this.#groups.linkNamed(name);
    if (link === null) throw new SocketError('ENODEV', 'no interface has an address');
    return { link, group };
  }
}
