/** What tshark makes of the capture of the tour: nothing is wrong in it, and the story is the one that is told. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runMain } from '../support/command.ts';
import { requireTool } from '../support/require-tool.ts';
import { faultyFrames, framesOf, TCP_DATA_AS_IT_IS } from '../support/tshark.ts';

requireTool('tshark')('tshark', () => {
  let folder: string;
  let capture: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ringtail-tour-'));
    const { status } = await runMain('tour', '--quiet', '--out', folder);
    expect(status).toBe(0);
    capture = join(folder, 'tour.pcapng');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What went over one wire, by itself: on the others every segment is seen again. */
  function on(wire: string): string {
    const path = join(folder, `${wire}.pcapng`);
    execFileSync('tshark', ['-n', '-r', capture, '-Y', `frame.interface_name == "${wire}"`, '-w', path], {
      stdio: 'pipe',
    });
    return path;
  }

  test('no frame is malformed, and every FCS and checksum is right', () => {
    expect(faultyFrames(capture, ...TCP_DATA_AS_IT_IS)).toEqual([]);
    expect(framesOf(capture, 'eth.fcs.status == "Good"').length).toBeGreaterThan(100);
  });

  test('the name is answered with the address of the server', () => {
    const answers = framesOf(on('switch.port0'), 'dns.flags.response == 1');
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatch(/www\.example\.net A 192\.0\.2\.80/);
  });

  test('the wire at the server has one retransmission, and that at alice a hole which it fills', () => {
    const [rack, house] = [on('rack'), on('switch.port0')];
    expect(framesOf(rack, 'tcp.analysis.retransmission')).toHaveLength(1);
    expect(framesOf(house, 'tcp.analysis.lost_segment')).toHaveLength(1);
    expect(framesOf(house, 'tcp.analysis.duplicate_ack').length).toBeGreaterThanOrEqual(3);
    expect(framesOf(house, 'http.response.code == 200')).toHaveLength(1);
  });
});
