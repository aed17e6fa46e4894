/** Computers on one network: who has an address, and who is the better way. Real machines, on both ends of every frame. */
import { describe, expect, test } from 'vitest';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import { formatIpv4, formatMac, parseIpv4 } from '../../../src/lib/bytes.ts';
import { frameEvents } from '../../../src/observe/frame-probe.ts';
import type { Computer } from '../../../src/world/computer.ts';
import { World } from '../../../src/world/world.ts';

const SECOND_NS = 1_000_000_000;
const ADDRESS = '192.0.2.7';

interface Claim {
  readonly host: 'a' | 'b';
  readonly kind: 'probe' | 'announcement' | 'reply';
  readonly atNs: number;
}

/** Two computers on one cable; `b` may come to the address later. All ARP about ADDRESS is noted. */
function pair(bDetects: boolean, bConfigured = true) {
  const world = new World('two of one');
  const nic = { address: `${ADDRESS}/24`, detectConflicts: true };
  const a = world.computer('a', { nics: [nic] });
  const b = world.computer('b', { nics: [bConfigured ? { ...nic, detectConflicts: bDetects } : {}] });
  const claims: Claim[] = [];
  const { cable } = world.cable('cable', a.nics[0]!, b.nics[0]!);
  frameEvents(cable).subscribe(({ fromEnd, sent: { octets }, timeNs }) => {
    if (octets[12] !== 8 || octets[13] !== 6) return;
    const [sender, target] = [octets.subarray(28, 32).join('.'), octets.subarray(38, 42).join('.')];
    const kind = octets[21] === 2 ? 'reply' : sender === '0.0.0.0' ? 'probe' : 'announcement';
    if (sender === ADDRESS || target === ADDRESS) claims.push({ host: fromEnd === 0 ? 'a' : 'b', kind, atNs: timeNs });
  });
  const states = () => [a, b].map(({ kernel }) => kernel.net.addressState(0));
  return { world, a, b, claims, states };
}

/** How long after the one before each of these came. */
const gapsOf = (claims: readonly Claim[]): number[] =>
  claims.slice(1).map(({ atNs }, i) => (atNs - claims[i]!.atNs) / SECOND_NS);

describe('two computers with one address', () => {
  test('5227-1 5227-2 one that finds nobody probes three times, 1 to 2 s apart, and announces twice, 2 s apart', () => {
    const { world, claims, states } = pair(false, false);
    world.run(20 * SECOND_NS);
    expect(claims.map(({ host, kind }) => `${host} ${kind}`)).toEqual([
      ...['a probe', 'a probe', 'a probe'],
      ...['a announcement', 'a announcement'],
    ]);
    const [first, second, third, fourth] = gapsOf(claims);
    for (const gap of [first!, second!]) expect(gap >= 1 && gap <= 2).toBe(true);
    for (const gap of [third!, fourth!]) expect(gap).toBeCloseTo(2, 3);
    expect(states()).toEqual(['assigned', 'none']);
  });

  test('5227-1 one that probes for what the other has gives way at the first answer', () => {
    const { world, a, claims, states } = pair(false);
    world.run(20 * SECOND_NS);
    expect(states()).toEqual(['conflict', 'assigned']);
    expect(claims.map(({ host, kind }) => `${host} ${kind}`)).toEqual(['a probe', 'b reply']);
    expect(a.kernel.net.interfaces[0]!.address).toBe(0);
    expect(a.console).toContain(`${ADDRESS} is not used, for`);
  });

  test('5227-1 of two that begin at once the one whose probe comes first has it: the other hears that and never asks', () => {
    const { world, claims, states } = pair(true);
    world.run(20 * SECOND_NS);
    const [{ host: winner }] = claims as [Claim];
    expect(states()).toEqual(winner === 'a' ? ['assigned', 'conflict'] : ['conflict', 'assigned']);
    expect(claims.map(({ host, kind }) => `${host} ${kind}`)).toEqual([
      ...[1, 2, 3].map(() => `${winner} probe`),
      ...[1, 2].map(() => `${winner} announcement`),
    ]);
  });

  test('5227-3 one that has it defends it once, and gives it up at the second conflict within 10 s', () => {
    const { world, a, b, claims, states } = pair(false, false);
    world.run(20 * SECOND_NS);
    claims.length = 0;
    const take = () => b.kernel.net.configure(0, { address: parseIpv4(ADDRESS), prefixLength: 24, announce: true });
    const release = () => b.kernel.net.configure(0, { address: 0, prefixLength: 0 });
    // Two announcements, 2 s apart: the second one is a conflict within 10 s of the first.
    take();
    world.run(21 * SECOND_NS);
    expect(states()).toEqual(['assigned', 'assigned']);
    expect(claims.map(({ host, kind }) => `${host} ${kind}`)).toEqual(['b announcement', 'a announcement']);
    expect(gapsOf(claims)[0]).toBeLessThan(0.001);
    release();
    world.run(35 * SECOND_NS);
    // More than 10 s later it is defended once more.
    take();
    world.run(36 * SECOND_NS);
    expect(states()).toEqual(['assigned', 'assigned']);
    world.run(40 * SECOND_NS);
    expect(states()).toEqual(['conflict', 'assigned']);
    expect(a.kernel.net.interfaces[0]!.address).toBe(0);
    expect(claims.map(({ host }) => host).join('')).toBe('babab');
  });

  test('5227-2 an announcement updates who knew the address', () => {
    const world = new World('moves');
    const host = (name: string, nic: object) => world.computer(name, { nics: [nic] });
    const peer = host('peer', { address: '192.0.2.1/24' });
    const before = host('before', { address: `${ADDRESS}/24` });
    const after = host('after', {});
    world.switch('lan', [peer.nics[0]!, before.nics[0]!, after.nics[0]!]);
    const answered: string[] = [];
    const known = () => peer.kernel.net.arpTable(0).find(({ address }) => address === parseIpv4(ADDRESS))?.mac;
    const macOf = (computer: Computer) => formatMac(computer.kernel.net.interfaces[0]!.mac);
    peer.start('ping', function* (sys) {
      yield* sys.sleep(3 * SECOND_NS);
      yield* ping(parseIpv4(ADDRESS), { count: 1 }, ({ kind }) => answered.push(kind))(sys);
    });
    world.run(6 * SECOND_NS);
    expect([answered, known()]).toEqual([['reply'], macOf(before)]);
    before.kernel.net.configure(0, { address: 0, prefixLength: 0 });
    after.kernel.net.configure(0, { address: parseIpv4(ADDRESS), prefixLength: 24, announce: true });
    world.run(7 * SECOND_NS);
    expect(known()).toBe(macOf(after));
  });
});

test('1122-7 1812-7 a host follows the redirect of our router: the second packet goes the better way', () => {
  const world = new World('redirect');
  const alice = world.computer('alice', { nics: [{ address: '10.0.1.1/24', gateway: '10.0.1.2' }] });
  const far = { destination: '10.0.2.0/24', gateway: '10.0.1.3' };
  const first = world.computer('first', { nics: [{ address: '10.0.1.2/24' }], forwarding: true, routes: [far] });
  const better = world.computer('better', {
    nics: [{ address: '10.0.1.3/24' }, { address: '10.0.2.1/24' }],
    forwarding: true,
  });
  const bob = world.computer('bob', { nics: [{ address: '10.0.2.2/24', gateway: '10.0.2.1' }] });
  world.switch('lan', [alice.nics[0]!, first.nics[0]!, better.nics[0]!]);
  world.cable('far', better.nics[1]!, bob.nics[0]!);
  const reports: PingReport[] = [];
  const gateway = () => formatIpv4(alice.kernel.net.routes.find(parseIpv4('10.0.2.2'))!.gateway);
  alice.start('ping', function* (sys) {
    yield* sys.sleep(3 * SECOND_NS);
    yield* ping(parseIpv4('10.0.2.2'), { count: 4 }, report => reports.push(report))(sys);
  });
  world.run(2 * SECOND_NS);
  expect(gateway()).toBe('10.0.1.2');
  world.run(12 * SECOND_NS);
  expect(reports.map(report => (report.kind === 'reply' ? report.ttl : report.kind))).toEqual([63, 63, 63, 63]);
  expect(gateway()).toBe('10.0.1.3');
  expect(first.kernel.net.ipv4Forward!.counters.forwarded).toBe(1);
  expect(first.kernel.net.icmpErrors.counters.sent).toBe(1);
  expect(better.kernel.net.ipv4Forward!.counters.forwarded).toBe(8);
});
