/** Space-time diagrams as pictures. */
import { expect, test } from 'vitest';
import { spaceTimeSvg } from '../../../../src/observe/space-time-svg.ts';

const picture = spaceTimeSvg({
  title: 'a < b',
  bitNs: 100,
  untilNs: 100_000,
  places: [
    { name: 'a', positionNs: 0, signals: [{ startNs: 0, endNs: 30_000, jamNs: 20_000 }] },
    { name: 'b', positionNs: 10_000, signals: [{ startNs: 50_000, endNs: 60_000, jamNs: Number.POSITIVE_INFINITY }] },
  ],
  notes: [{ place: 1, atNs: 50_000, text: 'b & co' }],
});

/** Corners of the bands, in the order in which they are drawn. */
const bands = [...picture.matchAll(/points="([^"]+)" fill="#/g)].map(([, points]) =>
  points!.split(' ').map(point => point.split(',').map(Number) as [number, number]),
);

test('a signal is a band that gets to the far end later, at one speed whatever the direction', () => {
  const [frame, jam, other] = bands;
  expect(bands).toHaveLength(3);
  const slope = (band: [number, number][]) => band[2]![1] - band[0]![1];
  expect(slope(frame!)).toBeGreaterThan(0);
  expect(slope(jam!)).toBeCloseTo(slope(frame!), 0);
  expect(slope(other!)).toBeCloseTo(-slope(frame!), 0);
});

test('jam begins where the frame ends', () => {
  const [frame, jam] = bands;
  expect(jam![0]).toEqual(frame![5]);
});

test('words stand as they are', () => {
  expect(picture).toContain('a &lt; b');
  expect(picture).toContain('b &amp; co');
});
