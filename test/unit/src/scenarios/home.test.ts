import { beforeAll, describe, expect, test } from 'vitest';
import { formatIpv4, readBe16, readBe32 } from '../../../../src/lib/bytes.ts';
import home, { type HomeResult } from '../../../../src/scenarios/home.ts';
import { recordFrames } from '../../../../src/world/recorders.ts';
import { defaultsOf } from '../../../../src/world/scenario.ts';
import { World } from '../../../../src/world/world.ts';
import { readPackets } from '../../../support/pcapng-reader.ts';
import { type CapturedSegment, readSegments } from '../../../support/tcp-capture.ts';

const PUBLIC = '203.0.113.2';
const hostOf = (end: string): string => end.split(':')[0]!;

interface Run {
  readonly result: HomeResult;
  readonly lines: readonly string[];
  readonly segments: readonly CapturedSegment[];
  /** Senders and receivers of IPv4 packets on the wires in the house, and on the others. */
  readonly addresses: { readonly inside: ReadonlySet<string>; readonly outside: ReadonlySet<string> };
}

function runHome(segment: 'switch' | 'hub'): Run {
  const world = new World('1');
  const run = home.build(world, { ...defaultsOf(home.options!), segment } as never);
  const chunks: Uint8Array[] = [];
  const recorder = recordFrames(world, chunk => chunks.push(chunk.slice()));
  world.run(home.untilNs);
  recorder.close();
  expect(world.failedPrograms()).toEqual([]);
  const addresses = { inside: new Set<string>(), outside: new Set<string>() };
  const wires = [...world.wires.keys()];
  for (const { interfaceId, bytes } of readPackets(chunks)) {
    if (readBe16(bytes, 12) !== 0x0800) continue;
    const seen = wires[interfaceId]!.includes('port') ? addresses.inside : addresses.outside;
    for (const at of [26, 30]) seen.add(formatIpv4(readBe32(bytes, at)));
  }
  const result = run.result() as HomeResult;
  return { result, lines: run.lines!(), segments: readSegments(chunks), addresses };
}

describe.each(['switch', 'hub'] as const)('behind a %s', segment => {
  let run: Run;
  beforeAll(() => {
    run = runHome(segment);
  });

  test('everybody gets the page that was asked for: out, in from outside, and round by the router', () => {
    expect(run.result.fetches.toSorted()).toEqual([
      'alice: http://home.example.net:8080/: 200, 36 bytes',
      'alice: http://www.example.net/: 200, 44038 bytes',
      'bob: http://www.example.net/: 200, 44038 bytes',
      'visitor: http://home.example.net:8080/: 200, 36 bytes',
    ]);
  });

  test('both hosts were at it at once, and the server has seen one address with two ports', () => {
    const { seenByWww } = run.result;
    expect([seenByWww.map(hostOf), new Set(seenByWww).size]).toEqual([[PUBLIC, PUBLIC], 2]);
    const spans = ['192.168.1.2', '192.168.1.3'].map(host => {
      const times = run.segments
        .filter(({ from, to }) => hostOf(from) === host && to === '192.0.2.80:80')
        .map(({ timeNs }) => timeNs);
      return [times[0]!, times.at(-1)!] as const;
    });
    expect(Math.max(spans[0]![0], spans[1]![0])).toBeLessThan(Math.min(spans[0]![1], spans[1]![1]));
  });

  test('RFC 4787 REQ-9: who comes round by the router looks as if from outside; a visitor keeps its address', () => {
    expect(run.result.seenByBob.map(hostOf).toSorted()).toEqual(['198.51.100.7', PUBLIC]);
  });

  test('the table has the forwarded port and a mapping for each connection that began inside', () => {
    const rows = run.result.translations.map(line => line.split(' | '));
    expect(rows[0]).toEqual([PUBLIC, '8080', '192.168.1.3', '80', 'tcp', 'FORWARD']);
    expect(
      rows
        .slice(1)
        .map(([, , inside]) => inside)
        .toSorted(),
    ).toEqual(['192.168.1.2', '192.168.1.2', '192.168.1.3']);
    const { seenByWww, seenByBob } = run.result;
    const outside = rows.slice(1).map(([address, port]) => `${address}:${port}`);
    expect(outside.toSorted()).toEqual([...seenByWww, ...seenByBob.filter(end => hostOf(end) === PUBLIC)].toSorted());
    expect(run.lines.slice(-rows.length)).toEqual(run.result.translations);
  });

  test('no private address is ever seen outside', () => {
    const { inside, outside } = run.addresses;
    expect(inside.has('192.168.1.2') && inside.has('192.168.1.3') && inside.has('192.0.2.80')).toBe(true);
    expect([...outside].filter(address => address.startsWith('192.168.'))).toEqual([]);
    expect(outside.has(PUBLIC) && outside.has('192.0.2.80')).toBe(true);
  });

  test(segment === 'hub' ? 'frames collide' : 'no frames collide', () => {
    expect(run.result.collisions > 0).toBe(segment === 'hub');
  });
});
