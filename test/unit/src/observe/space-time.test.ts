/** Space-time diagrams as text. */
import { expect, test } from 'vitest';
import { spaceTime } from '../../../../src/observe/space-time.ts';

test('a line for every moment at which something changes somewhere', () => {
  const tracks = [
    { name: 'a', transmissions: [{ startNs: 0, endNs: 50, jamNs: 30 }] },
    { name: 'b', transmissions: [{ startNs: 10, endNs: 60, jamNs: 40 }] },
  ];
  const cells = spaceTime(tracks, () => 20, 10)
    .split('\n')
    .map(line => line.trim().split(/\s+/).join(' '));
  expect(cells).toEqual([
    'bit time 0 1',
    '0.0 * |',
    '1.0 * *',
    '2.0 * X',
    '3.0 # X',
    '4.0 # #',
    '5.0 : #',
    '6.0 : :',
    '7.0 : |',
    '8.0 | |',
  ]);
});
