/**
 * How fast a Linux host and an emulated one exchange data by TCP, in both directions. The floor is for a machine that
 * is busy with other things; the figures are printed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { LiveProcess } from '../support/ringtail-process.ts';

const EMULATED = '192.0.2.2';
const FLOOR_MBPS = 60;
/** Enough, if one of the first runs reaches it; else there are more, since the first ones also warm the engine up. */
const GOAL_MBPS = 200;
const MAX_RUNS = 5;

requireLinuxHost('iperf3')('a Linux host and an emulated one', () => {
  let directory: string;
  let live: LiveProcess;
  let linux: LinuxHost;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-rate-'));
    live = await LiveProcess.start('lab', 'uplink', directory, { recorded: false });
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
  });
  afterAll(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['to the emulated host', []],
    ['from the emulated host', ['-R']],
  ])(`exchange ${FLOOR_MBPS} Mb/s and more %s`, async (direction, options) => {
    const runs: { readonly mbps: number; readonly cpuMsPerMb: number }[] = [];
    const best = () => Math.max(0, ...runs.map(({ mbps }) => mbps));
    while (best() < GOAL_MBPS && runs.length < MAX_RUNS) {
      const beganS = live.cpuSeconds;
      const printed = await linux.run('iperf3', '-c', EMULATED, '-J', '-t', '2', '-C', 'reno', ...options);
      const { bytes, bits_per_second: rate } = JSON.parse(printed).end.sum_received;
      const cpuMsPerMb = ((live.cpuSeconds - beganS) * 1e9) / bytes;
      runs.push({ mbps: Math.round(rate / 1e6), cpuMsPerMb: Number(cpuMsPerMb.toFixed(1)) });
    }
    const figures = runs.map(
      ({ mbps, cpuMsPerMb }) => `${mbps} Mb/s at ${cpuMsPerMb} ms of processor time per megabyte`,
    );
    process.stdout.write(`${direction}: ${figures.join('; ')}\n`);
    expect(best()).toBeGreaterThanOrEqual(FLOOR_MBPS);
  });

  it('lose nothing on the way to a peer that keeps up', async () => {
    await linux.unplug();
    expect(await live.end('SIGTERM')).toBe(0);
    expect(live.printed).toContain('framesDropped: 0\n');
  });
});
