/** traceroute as it is seen on the wire, and through three routers. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type TracerouteHop, type TracerouteOptions, traceroute } from '../../../../kernel/apps/traceroute.ts';
import { formatIpv4, parseIpv4, readBe16 } from '../../../../src/lib/bytes.ts';
import { FREE } from '../../../../src/world/computer.ts';
import { World } from '../../../../src/world/world.ts';
import { HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { icmp, udp } from '../../../support/packets.ts';

const ROUTER = '198.51.100.1';
const TTL_AT = 22;
const PORT_AT = 36;
const UNREACHABLE = 3;

let rig: NetRig;
let hops: TracerouteHop[];
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
  hops = [];
});

const start = (options: Partial<TracerouteOptions> = {}) =>
  rig.spawn(
    'traceroute',
    traceroute(parseIpv4(PEER), { probes: 1, ...options }, hop => hops.push(hop)),
  );

/** Somebody on the way answers the probe `octets`. */
function answer(octets: Uint8Array, type: number, code: number, source = ROUTER): void {
  rig.injectIpv4({ source, protocol: 1, payload: icmp({ type, code, data: octets.subarray(14) }) });
}

describe('traceroute', () => {
  test('sends with a time to live of 1, then 2, and so on, each probe to a port of its own', () => {
    start({ probes: 2, timeoutNs: SECOND_NS, maxHops: 3 });
    const probes: number[][] = [];
    for (let i = 0; i < 6; i++) {
      const octets = rig.sent();
      probes.push([octets[TTL_AT]!, readBe16(octets, PORT_AT)]);
      rig.advance(SECOND_NS);
    }
    expect(probes).toEqual([1, 1, 2, 2, 3, 3].map((ttl, i) => [ttl, 33_434 + i]));
    rig.expectNothing();
    expect(hops.map(({ ttl, last }) => [ttl, last])).toEqual([1, 2, 3].map(ttl => [ttl, false]));
    expect(rig.net.sockets.list()).toEqual([]);
  });

  test('shows the router at which the time ran out (RFC 792, time exceeded), and goes on', () => {
    start();
    const octets = rig.sent();
    rig.advance(5_000_000);
    answer(octets, 11, 0);
    const probes = [{ kind: 'answer', address: parseIpv4(ROUTER), rttNs: 5_000_000, failure: '' }];
    expect(hops).toEqual([{ ttl: 1, probes, last: false }]);
    expect(rig.sent()[TTL_AT]).toBe(2);
  });

  test('ends where nobody is at the port: that is the destination (RFC 1122 4.1.3.1)', () => {
    const task = start();
    answer(rig.sent(), UNREACHABLE, 3, PEER);
    expect(hops).toMatchObject([{ last: true, probes: [{ address: parseIpv4(PEER), failure: '' }] }]);
    expect([task.ended, task.error]).toEqual([true, null]);
  });

  test('ends where somebody is at the port, and answers', () => {
    start();
    const octets = rig.sent();
    const ports = { sourcePort: readBe16(octets, PORT_AT), destinationPort: readBe16(octets, 34) };
    rig.injectIpv4({ protocol: 17, payload: udp({ source: PEER, destination: HOST, ...ports, data: [1] }) });
    expect(hops).toMatchObject([{ last: true, probes: [{ address: parseIpv4(PEER) }] }]);
  });

  test.each([
    [0, '!N', 'network unreachable'],
    [1, '!H', 'host unreachable'],
    [2, '!P', 'protocol unreachable'],
    [4, '!F', 'fragmentation needed'],
    [13, '!X', 'administratively prohibited'],
    [77, '!77', 'a code that nobody knows'],
  ])('ends, and marks code %d with %s: %s', (code, mark) => {
    start();
    answer(rig.sent(), UNREACHABLE, code);
    expect(hops).toMatchObject([{ last: true, probes: [{ address: parseIpv4(ROUTER), failure: mark }] }]);
  });

  test('shows that nobody answered, and does not take a late answer for that of the next probe', () => {
    start({ timeoutNs: SECOND_NS });
    const late = rig.sent();
    rig.advance(SECOND_NS);
    expect(hops).toEqual([{ ttl: 1, probes: [{ kind: 'timeout' }], last: false }]);
    answer(late, 11, 0);
    rig.sent();
    expect(hops).toHaveLength(1);
  });

  test('shows that this host itself knows no way', () => {
    rig = new NetRig({ interfaces: [] });
    const task = start();
    rig.settle();
    expect(task.error).toMatchObject({ code: 'ENETUNREACH' });
  });
});

/** alice -- r1 -- r2 -- r3 -- bob: networks 10.0.n.0/24, the lower address is the left one's. */
function journey(to: string, options: Partial<TracerouteOptions> = {}): string[] {
  const world = new World('traceroute');
  const alice = world.computer('alice', { nics: [{ address: '10.0.1.1/24', gateway: '10.0.1.2' }], costs: FREE });
  const routers = [1, 2, 3].map(n =>
    world.computer(`r${n}`, {
      nics: [{ address: `10.0.${n}.2/24` }, { address: `10.0.${n + 1}.1/24` }],
      forwarding: true,
      costs: FREE,
      routes: [1, 2, 3, 4].flatMap(net => {
        if (net === n || net === n + 1) return [];
        return [{ destination: `10.0.${net}.0/24`, gateway: net > n ? `10.0.${n + 1}.2` : `10.0.${n}.1` }];
      }),
    }),
  );
  const bob = world.computer('bob', { nics: [{ address: '10.0.4.2/24', gateway: '10.0.4.1' }], costs: FREE });
  const path = [alice, ...routers, bob];
  for (let i = 0; i < 4; i++) world.cable(`net${i + 1}`, path[i]!.nics.at(-1)!, path[i + 1]!.nics[0]!);
  const lines: string[] = [];
  alice.start('traceroute', function* (sys) {
    yield* sys.sleep(2_500_000_000);
    yield* traceroute(parseIpv4(to), { probes: 2, ...options }, ({ ttl, probes }) => {
      const seen = probes.map(each => (each.kind === 'timeout' ? '*' : `${formatIpv4(each.address)}${each.failure}`));
      lines.push(`${ttl} ${seen.join(' ')}`);
    })(sys);
  });
  world.run(30_000_000_000);
  return lines;
}

const WAY = ['1 10.0.1.2 10.0.1.2', '2 10.0.2.2 10.0.2.2', '3 10.0.3.2 10.0.3.2'];

describe('traceroute through three routers', () => {
  test('shows each of them by the address that it has on this side, and the destination', () => {
    expect(journey('10.0.4.2')).toEqual([...WAY, '4 10.0.4.2 10.0.4.2']);
  });

  test('shows who knows no further way', () => {
    expect(journey('10.9.9.9')).toEqual(['1 10.0.1.2!N 10.0.1.2!N']);
  });

  test('shows who finds that the host is not there', () => {
    expect(journey('10.0.4.9', { timeoutNs: 5_000_000_000 })).toEqual([...WAY, '4 10.0.3.2!H 10.0.3.2!H']);
  });
});
