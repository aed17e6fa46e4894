/** Initial sequence numbers, RFC 6528. */
import { expect, test } from 'vitest';
import { InitialNumbers } from '../../../../../kernel/net/tcp/isn.ts';
import { TcpRig } from '../../../../support/tcp-rig.ts';

/** The ISN with which a host that has waited `ns` connects to `port` of its peer. */
function isn(rig: TcpRig, port: number, ns = 0): number {
  rig.advance(ns);
  rig.hostIss = 0;
  rig.peerPort = port;
  const connection = rig.connect();
  expect(rig.next().flags).toBe('S');
  connection.abort();
  return rig.hostIss;
}

test('6528-1 for the same endpoints the ISN grows by one in 4 us, for others it is another', () => {
  const rig = new TcpRig();
  const first = isn(rig, 7);
  expect((isn(rig, 7, 4000) - first) | 0).toBe(1);
  expect((isn(rig, 7, 40_000_000) - first) | 0).toBe(10_001);
  const others = Array.from({ length: 50 }, (_, i) => isn(rig, 8 + i));
  expect(new Set(others).size).toBe(50);
  // No pattern: neighbouring ports are far apart, up and down.
  const steps = others.slice(1).map((each, i) => (each - others[i]!) | 0);
  expect(steps.filter(step => Math.abs(step) < 2 ** 20).length).toBeLessThan(5);
  expect(steps.some(step => step < 0) && steps.some(step => step > 0)).toBe(true);
});

test('6528-1 every part of the endpoints counts, and the key, which comes from the seed', () => {
  const numbers = (seed: number) => {
    let state = seed;
    return new InitialNumbers(() => (state = Math.imul(state, 1_664_525) + 1_013_904_223));
  };
  const of = { localAddress: 1, localPort: 2, remoteAddress: 3, remotePort: 4 };
  const all = [
    numbers(1).sequence(of, 0),
    numbers(2).sequence(of, 0),
    ...(Object.keys(of) as (keyof typeof of)[]).map(part => numbers(1).sequence({ ...of, [part]: 9 }, 0)),
  ];
  expect(new Set(all).size).toBe(6);
  expect(numbers(1).sequence(of, 0)).toBe(all[0]);
});
