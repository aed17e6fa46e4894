/** How routers pass a packet on: the routing table, the translation of addresses, one hop after the other. */
import { formatEndpoint } from '../../../../kernel/net/endpoint.ts';
import { formatIpv4, formatMac } from '../../../lib/bytes.ts';
import { formatMapping, MAPPING_COLUMNS } from '../../../world/nat-table.ts';
import { ipv4In, segmentIn } from '../packet.ts';
import { EDGE, HOME, ISP, THERE, type Way } from '../places.ts';
import type { MomentOf } from '../recording.ts';
import { inKernel, inNat, segmentOn } from '../tests.ts';
import type { Walk } from '../walk.ts';

export function throughTheNatRouter(walk: Walk): void {
  walk.chapter('Through the NAT router');
  routing(walk);
  translating(walk);
  leaving(walk);
}

export function acrossTheInternet(walk: Walk): void {
  walk.chapter('Across the Internet');
  hop(walk, ISP, THERE.toIsp, THERE.toEdge, {
    title: 'The router of the provider',
    text: 'The same again, by another table: here there is a route to just this network, and it is the longest prefix that matches. The time to live is one less, so that no packet goes round for ever. Who the next router is in terms of Ethernet, this one has to ask first: the packet waits, for longer than the whole way took up to here, for the next cable is a hundred kilometres long.',
  });
  hop(walk, EDGE, THERE.toEdge, THERE.toServer, {
    title: 'The router of the data centre',
    text: 'This network is on one of the own links: no gateway any more, the destination itself is the next hop. Its hardware address is asked for, and the packet is on its last cable.',
  });
}

function routing(walk: Walk): void {
  const forward = walk.next('forwarded packet', inKernel(HOME, 'forward'));
  const before = ipv4In(walk.first('SYN', segmentOn(THERE.toHome)).sent)!;
  walk.tell(
    'The routing table',
    HOME,
    forward.timeNs,
    'Of all routes the one with the longest prefix that matches counts, with router and host alike. It names the next hop and the interface. Then the time to live is one less, and the checksum of the header is mended. Had there been no route, or no time left, the sender would have heard of it by ICMP.',
    {
      'looked up': formatIpv4(forward.destination),
      ...routeValues(forward),
      TTL: `${before.timeToLive} to ${forward.timeToLive}`,
    },
  );
}

function translating(walk: Walk): void {
  const { row, timeNs } = walk.next('mapping', inNat('added', 'tcp'));
  const nat = walk.next('translation', inKernel(HOME, 'nat'));
  const before = segmentIn(walk.first('SYN', segmentOn(THERE.toHome)).sent)!;
  const after = segmentIn(walk.ahead('SYN outside', segmentOn(THERE.toIsp)).sent)!;
  walk.tell(
    'One public address for the whole house',
    HOME,
    timeNs,
    'An address like 192.168.1.2 is in use in a million houses, and means nothing outside. So the router puts its own public address in its place, with a port that tells the hosts inside apart, and enters both pairs in a table. For the rest of the world it is the router that talks.',
    {
      'looked up': `${formatEndpoint(before.sourceAddress, before.sourcePort)}: not in the table, entered`,
      table: MAPPING_COLUMNS,
      entry: formatMapping(row),
      translation: nat.text,
      'source before': formatEndpoint(before.sourceAddress, before.sourcePort),
      'source after': formatEndpoint(after.sourceAddress, after.sourcePort),
    },
  );
}

function leaving(walk: Walk): void {
  const found = walk.next(
    'ARP cache',
    inKernel(HOME, 'arp', ({ text }) => text.includes('found')),
  );
  const frame = walk.next('frame outside', segmentOn(THERE.toIsp));
  const came = walk.first('SYN', segmentOn(THERE.toHome));
  walk.tell(
    'Out by the other port',
    HOME,
    frame.timeNs,
    'A port of a router has an address, and is an end of its Ethernet: the frame that came ends here. The packet gets a new header, from this port to the next router, and leaves as it left from alice: descriptor, doorbell, DMA, wire.',
    {
      found: found.text,
      'the frame that came': `${formatMac(came.sent.octets, 6)} to ${formatMac(came.sent.octets)}`,
      'the frame that leaves': `${formatMac(frame.sent.octets, 6)} to ${formatMac(frame.sent.octets)}`,
      'in the router for': `${frame.timeNs - (came.endNs + came.arrivalNs - came.timeNs)} ns`,
    },
  );
}

/** One router that has to ask for the next hop. */
function hop(walk: Walk, host: string, into: Way, outOf: Way, { title, text }: { title: string; text: string }): void {
  const forward = walk.next('forwarded packet', inKernel(host, 'forward'));
  const who = walk.next(
    'ARP request',
    inKernel(host, 'arp', ({ text: said }) => said.includes('who has')),
  );
  const learned = walk.next(
    'ARP answer',
    inKernel(host, 'arp', ({ text: said }) => said.includes('learned')),
  );
  const out = walk.next('frame', segmentOn(outOf));
  const before = ipv4In(walk.first('SYN', segmentOn(into)).sent)!;
  walk.tell(title, host, forward.timeNs, text, {
    'looked up': formatIpv4(forward.destination),
    ...routeValues(forward),
    TTL: `${before.timeToLive} to ${forward.timeToLive}`,
    asked: who.text,
    learned: `${learned.text}, ${learned.timeNs - who.timeNs} ns later`,
    'the frame that leaves': `${formatMac(out.sent.octets, 6)} to ${formatMac(out.sent.octets)}`,
  });
}

function routeValues({ prefix, gateway, link }: MomentOf<'kernel', 'forward'>): Record<string, string> {
  return { route: `${prefix}${gateway === 0 ? '' : ` via ${formatIpv4(gateway)}`} dev ${link}` };
}
