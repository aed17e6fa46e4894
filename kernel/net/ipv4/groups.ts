/**
 * Multicast groups, RFC 1112: which of them this host belongs to, and on which link. Groups are joined for sockets; all
 * hosts with an address belong to 224.0.0.1 (section 4). Nothing is said of it to routers (no IGMP): a group reaches as
 * far as the link.
 */
import { SocketError } from '../socket-error.ts';
import { isMulticast } from './address.ts';
import type { Link } from './link.ts';

const ALL_HOSTS = 0xe000_0001;

/** A group on a link, and how many sockets have joined it there. */
interface Membership {
  readonly link: Link;
  readonly group: number;
  users: number;
}

export class Ipv4Groups {
  readonly #links: readonly Link[];
  readonly #memberships: Membership[] = [];

  /** `links` is the stack's list, which grows as interfaces appear. */
  constructor(links: readonly Link[]) {
    this.#links = links;
  }

  /** The link with that name. Throws ENODEV. */
  linkNamed(name: string): Link {
    const link = this.#links.find(each => each.name === name);
    if (link === undefined) throw new SocketError('ENODEV', `there is no interface ${name}`);
    return link;
  }

  /** Where multicasts go, and are joined, unless the program says otherwise: the first interface with an address. */
  get usualLink(): Link | null {
    return this.#links.find(link => !link.loopback && link.address !== 0) ?? null;
  }

  isMember(link: Link, group: number): boolean {
    if (group === ALL_HOSTS) return link.address !== 0 && !link.loopback;
    return this.#find(link, group) !== undefined;
  }

  /** Until `leave` was called as often as this. Throws EINVAL for what is no group. */
  join(link: Link, group: number): void {
    if (!isMulticast(group)) throw new SocketError('EINVAL', 'not the address of a group');
    const present = this.#find(link, group);
    if (present !== undefined) {
      present.users += 1;
      return;
    }
    link.joinGroup?.(group);
    this.#memberships.push({ link, group, users: 1 });
  }

  /** After a `join`. */
  leave(link: Link, group: number): void {
    const present = this.#find(link, group);
    if (present === undefined) return;
    present.users -= 1;
    if (present.users > 0) return;
    this.#memberships.splice(this.#memberships.indexOf(present), 1);
    link.leaveGroup?.(group);
  }

  #find(link: Link, group: number): Membership | undefined {
    return this.#memberships.find(each => each.group === group && each.link === link);
  }
}
