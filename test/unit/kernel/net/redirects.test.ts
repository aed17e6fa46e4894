/** Redirects: RFC 792, and RFC 1122 section 3.2.2.2 on which of them a host follows. */
import { beforeEach, expect, test } from 'vitest';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { GATEWAY, HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { icmp, ipv4 } from '../../../support/packets.ts';

const REMOTE = '203.0.113.9';
const OTHER_ROUTER = '192.0.2.253';
let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
});

const gatewayTo = (destination: string): number | undefined => rig.net.routes.find(parseIpv4(destination))?.gateway;

/** Says that `to` is the better way to REMOTE. */
function redirect({ from = GATEWAY, to = OTHER_ROUTER, code = 1, source = HOST, about = REMOTE } = {}): void {
  const data = ipv4({ source, destination: about, protocol: 17, payload: new Uint8Array(8) });
  rig.injectIpv4({ source: from, protocol: 1, payload: icmp({ type: 5, code, word: parseIpv4(to), data }) });
}

test.each([0, 1, 2, 3])(
  '792-1 1122-7 a redirect from the first-hop gateway is followed for that host, code %i',
  code => {
    redirect({ code });
    expect(gatewayTo(REMOTE)).toBe(parseIpv4(OTHER_ROUTER));
    expect(gatewayTo('203.0.113.10')).toBe(parseIpv4(GATEWAY));
    rig.expectNoLeak();
  },
);

test('1122-7 a second one, from the router of the first, takes its place', () => {
  redirect();
  redirect({ to: '192.0.2.252' });
  expect(gatewayTo(REMOTE)).toBe(parseIpv4(OTHER_ROUTER));
  redirect({ from: OTHER_ROUTER, to: '192.0.2.252' });
  expect(gatewayTo(REMOTE)).toBe(parseIpv4('192.0.2.252'));
});

test('1122-7 a redirect to the destination itself makes it a neighbour', () => {
  rig.net.configure(0, { address: parseIpv4(HOST), prefixLength: 24, gateway: parseIpv4(GATEWAY) });
  rig.net.routes.add({
    destination: parseIpv4(PEER),
    prefixLength: 32,
    gateway: parseIpv4(GATEWAY),
    link: rig.iface,
    metric: 1,
  });
  redirect({ about: PEER, to: PEER });
  expect(gatewayTo(PEER)).toBe(0);
});

test.each([
  ['from another than the gateway to that destination', { from: PEER }],
  ['to a router that is no neighbour', { to: '198.51.100.1' }],
  ['to this host itself', { to: HOST }],
  ['to a broadcast address', { to: '192.0.2.255' }],
  ['to the gateway that says so', { to: GATEWAY }],
  ['about a packet that this host did not send', { source: PEER }],
  ['about a neighbour, to whom no gateway leads', { about: PEER }],
  ['with a code that nobody knows', { code: 4 }],
])('1122-7 a redirect %s is not followed', (_, fields) => {
  redirect(fields);
  expect(gatewayTo(REMOTE)).toBe(parseIpv4(GATEWAY));
  expect(rig.net.drops.counts['redirect not followed']).toBe(1);
  rig.expectNoLeak();
});

test('a redirect that quotes no header is malformed', () => {
  rig.injectIpv4({ source: GATEWAY, protocol: 1, payload: icmp({ type: 5, code: 1, word: parseIpv4(OTHER_ROUTER) }) });
  expect(rig.net.drops.counts['malformed ICMP']).toBe(1);
});

test('what a redirect said is forgotten after 10 minutes, or with the address of the interface', () => {
  redirect();
  rig.advance(600 * SECOND_NS);
  expect(gatewayTo(REMOTE)).toBe(parseIpv4(GATEWAY));
  redirect();
  rig.net.configure(0, { address: parseIpv4(HOST), prefixLength: 24, gateway: parseIpv4(GATEWAY) });
  expect(gatewayTo(REMOTE)).toBe(parseIpv4(GATEWAY));
});

test('no more than 256 destinations are redirected; a newer one takes the place of the oldest', () => {
  for (let i = 0; i < 257; i++) redirect({ about: `198.51.${100 + (i >> 8)}.${i & 255}` });
  expect(gatewayTo('198.51.100.0')).toBe(parseIpv4(GATEWAY));
  expect(gatewayTo('198.51.100.1')).toBe(parseIpv4(OTHER_ROUTER));
  expect(gatewayTo('198.51.101.0')).toBe(parseIpv4(OTHER_ROUTER));
});

test('1812 a router follows none', () => {
  rig = new NetRig({
    interfaces: [{ address: parseIpv4(HOST), prefixLength: 24, gateway: parseIpv4(GATEWAY) }],
    forwarding: true,
  });
  redirect();
  expect(gatewayTo(REMOTE)).toBe(parseIpv4(GATEWAY));
});
