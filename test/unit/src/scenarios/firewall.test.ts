/** The scenario `firewall`: what gets through, what does not, and that the counters of the rules say the same. */
import { describe, expect, test } from 'vitest';
import { TCP_PROTOCOL } from '../../../../kernel/net/tcp/segment.ts';
import firewall from '../../../../src/scenarios/firewall.ts';
import { World } from '../../../../src/world/world.ts';

interface Result {
  readonly web: readonly string[];
  readonly ssh: string;
  readonly ping: string;
  readonly datagramOfServer: string;
  readonly forgedSegments: number;
  readonly flows: number;
  readonly rules: readonly { readonly rule: string; readonly packets: number; readonly bytes: number }[];
}

function run(ssh: 'reject' | 'drop') {
  const world = new World('1');
  const built = firewall.build(world, { ssh });
  world.run(firewall.untilNs);
  expect(world.failedPrograms()).toEqual([]);
  const result = built.result() as Result;
  const counted = (text: string) => result.rules.find(({ rule }) => rule.includes(text))!;
  return { world, result, counted, lines: built.lines!() };
}

describe('a server behind a packet filter', () => {
  const { world, result, counted, lines } = run('reject');

  test('is reached at port 80, and what belongs to that connection passes', () => {
    expect(result.web).toEqual(['http://192.0.2.2/: 200, 250000 bytes']);
    expect(counted('tcp dport http').packets).toBe(1); // the SYN
    expect(counted('established').packets).toBeGreaterThan(200);
    expect(counted('established').bytes).toBeGreaterThan(250_000);
  });

  test('is not reached otherwise: a reset for port 22, nothing for a ping', () => {
    expect(result.ssh).toMatch(/^ECONNREFUSED: .*, after 0\.\d ms$/);
    expect(counted('tcp dport ssh').packets).toBe(1);
    expect(result.ping).toBe('0 of 3 answered');
    expect(counted('policy drop')).toMatchObject({ packets: 3, bytes: 3 * 84 });
  });

  test('hears of what it has caused itself: an ICMP error is related to its datagram', () => {
    expect(result.datagramOfServer).toBe('ECONNREFUSED: port unreachable');
    expect(counted('iifname "eth1"').packets).toBe(1);
  });

  test('gets no forged segment, and the connection that one was meant for goes on', () => {
    expect(result.forgedSegments).toBe(3);
    expect(counted('ct state invalid')).toMatchObject({ packets: 2, bytes: 80 });
    expect(counted('saddr 192.0.2.0/24')).toMatchObject({ packets: 1, bytes: 40 });
    expect(world.computers.get('router')!.kernel.net.drops.counts.filtered).toBe(3 + 3 + 1);
  });

  test('no flow is kept of what was dropped', () => {
    const flows = world.computers.get('router')!.kernel.net.filter!.tracker.flows();
    expect(result.flows).toBe(2);
    expect(flows.filter(({ protocol }) => protocol === TCP_PROTOCOL).map(flow => flow.destinationPort)).toEqual([80]);
  });

  test('the rules stand there as they were written, each with its counters', () => {
    expect(lines).toContain('chain forward');
    expect(lines).toContain('        2        80  ct state invalid drop comment "of no connection"');
    expect(lines.at(-1)).toBe('        3       252  policy drop');
  });
});

test('with `--ssh drop` a connection to port 22 is given up after the SYN was sent three times', () => {
  const { result, counted } = run('drop');
  expect(result.ssh).toBe('ETIMEDOUT: the peer does not answer, after 7000.0 ms');
  expect(counted('tcp dport ssh')).toMatchObject({ packets: 3, bytes: 180 });
});
