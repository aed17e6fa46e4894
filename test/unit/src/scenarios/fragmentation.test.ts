/** The scenario `fragmentation`: how many fragments there are where, what a lost one does, and how a path MTU is found. */
import { describe, expect, test } from 'vitest';
import fragmentation from '../../../../src/scenarios/fragmentation.ts';
import { World } from '../../../../src/world/world.ts';

const WHOLE = 'came back whole';

function run(lose: number | null) {
  const world = new World('1');
  const built = fragmentation.build(world, { lose });
  world.run(fragmentation.untilNs);
  expect(world.failedPrograms()).toEqual([]);
  return { result: built.result() as Record<string, unknown>, lines: built.lines!() };
}

/** What RFC 791 section 3.2 makes of packets of these lengths on a link of `mtu`: all but the last a multiple of 8. */
function cut(lengths: readonly number[], mtu: number): number[] {
  const room = (mtu - 20) & ~7;
  return lengths.flatMap(length => {
    const pieces = length <= mtu ? [length] : [];
    if (pieces.length > 0) return pieces;
    for (let left = length - 20; left > 0; left -= room)
      pieces.push(20 + Math.min(left, left > mtu - 20 ? room : left));
    return pieces;
  });
}

describe('datagrams that may be cut', () => {
  test('are cut again on each link, and put together at the far end', () => {
    const { result } = run(null);
    const first = cut([20 + 8 + 8000], 1500);
    const second = cut(first, 1000);
    const third = cut(second, 576);
    expect([first.length, second.length, third.length]).toEqual([6, 11, 17]);
    expect(result['fragmentsPerDatagram']).toEqual({
      'MTU 1500': [6, 6, 6],
      'MTU 1000': [11, 11, 11],
      'MTU 576': [17, 17, 17],
    });
    expect(result['datagrams']).toEqual([WHOLE, WHOLE, WHOLE]);
    expect(result['reassembly']).toEqual({ fragments: 51, reassembled: 3, timedOut: 0, evicted: 0 });
  });

  test('are lost with one fragment, and the sender hears of it: ICMP 11/1', () => {
    const { result, lines } = run(3);
    const told = 'EHOSTUNREACH: reassembly time exceeded (ICMP 11/1 from 10.0.3.2)';
    expect(result['datagrams']).toEqual([told, WHOLE, WHOLE]);
    expect(result['reassembly']).toEqual({ fragments: 50, reassembled: 2, timedOut: 1, evicted: 0 });
    expect(lines).toContain(`  datagram 1: ${told}`);
  });

  test('are lost in silence with the first one, which alone says whose they were', () => {
    expect(run(1).result['datagrams']).toEqual(['no answer', WHOLE, WHOLE]);
  });
});

test('with DF, UDP and TCP find the path MTU link by link, from what routers say', () => {
  const { result, lines } = run(null);
  expect(result['udp with DF']).toEqual([
    { packetBytes: 1500, outcome: 'too long', icmp: '3/4', router: '10.0.1.254', nextMtu: 1000 },
    { packetBytes: 1000, outcome: 'too long', icmp: '3/4', router: '10.0.2.2', nextMtu: 576 },
    { packetBytes: 576, outcome: 'answered' },
  ]);
  expect(result['tcp with DF']).toEqual({
    longestPackets: [1500, 1000, 576],
    pathMtu: 576,
    arrivedBytes: 100_000,
    intact: true,
  });
  expect(lines).toContain('  1500 octets: ICMP 3/4 from 10.0.1.254, the next link takes 1000');
});

test.each([0, 18, -1])('there is no fragment %i to lose', lose => {
  expect(() => fragmentation.build(new World('1'), { lose })).toThrow(`--lose ${lose} is not 1 to 17`);
});
