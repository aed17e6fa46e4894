import { describe, expect, test } from 'vitest';
import { congestionControl } from '../../../../../kernel/net/tcp/congestion/algorithms.ts';

const MSS = 1000;
const SECOND_NS = 1e9;

function begun(name: 'reno' | 'newreno' | 'cubic') {
  const control = congestionControl(name);
  control.setMss(MSS);
  control.begin(false);
  return control;
}

describe('CUBIC (RFC 9438)', () => {
  /** A window of 100 segments, a loss, and round trips of 100 ms after it. */
  function afterLoss() {
    const control = begun('cubic');
    control.cwnd = 100 * MSS;
    control.lost(control.cwnd, 0);
    control.cwnd = control.ssthresh;
    const windows: number[] = [];
    for (let round = 0; round < 120; round++) {
      const window = control.cwnd;
      for (let acked = 0; acked < window; acked += MSS)
        control.acknowledged(MSS, round * 0.1 * SECOND_NS, 0.1 * SECOND_NS);
      windows.push(control.cwnd / MSS);
    }
    return windows;
  }

  test('section 4.6: a loss leaves 0.7 of the window', () => {
    const control = begun('cubic');
    control.cwnd = 100 * MSS;
    control.lost(100 * MSS, 0);
    expect(control.ssthresh).toBe(70 * MSS);
  });

  test('section 4.2: the window is back at W_max after K = cbrt(W_max*(1-0.7)/C) seconds, and flat there', () => {
    const windows = afterLoss();
    const rounds = Math.cbrt((100 * 0.3) / 0.4) / 0.1;
    expect(windows[Math.round(rounds)]).toBeGreaterThan(97);
    expect(windows[Math.round(rounds)]).toBeLessThan(103);
    const growth = (round: number) => windows[round + 1]! - windows[round]!;
    expect(growth(Math.round(rounds))).toBeLessThan(growth(2));
    expect(growth(100)).toBeGreaterThan(growth(Math.round(rounds)));
  });

  test('section 4.7: a second loss below W_max makes room for others', () => {
    const control = begun('cubic');
    control.cwnd = 100 * MSS;
    control.lost(control.cwnd, 0);
    control.cwnd = 80 * MSS;
    control.lost(control.cwnd, SECOND_NS);
    expect(control.ssthresh).toBe(56 * MSS);
  });
});

describe('Reno (RFC 5681)', () => {
  test('5681-2 congestion avoidance adds one segment for each window that is acknowledged', () => {
    const control = begun('reno');
    control.ssthresh = control.cwnd = 10 * MSS;
    for (let i = 0; i < 10; i++) control.acknowledged(MSS, 0, 0);
    expect(control.cwnd).toBe(11 * MSS);
  });

  test('5681-3 ssthresh is at least two segments', () => {
    const control = begun('reno');
    control.lost(MSS, 0);
    expect(control.ssthresh).toBe(2 * MSS);
  });
});
