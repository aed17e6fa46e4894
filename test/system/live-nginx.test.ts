/** An emulated host that fetches ten megabytes from nginx on a Linux host, over a clean wire and over a bad one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fcs } from '../../hw/ethernet/fcs.ts';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { Nginx } from '../support/nginx.ts';
import { LiveProcess } from '../support/ringtail-process.ts';
import { untilAsync } from '../support/stream-peer.ts';
import { faultyFrames } from '../support/tshark.ts';

const EMULATED = '192.0.2.2';

requireLinuxHost('nginx', 'tshark')('an emulated host', () => {
  let directory: string;
  let live: LiveProcess | null = null;
  let linux: LinuxHost | null = null;
  const served = Uint8Array.from({ length: 10_000_000 }, (_, i) => (i * 31 + (i >>> 9)) & 0xff);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-nginx-'));
  });
  afterEach(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['a clean wire', 10_000_000, []],
    ['a bad wire', 1_000_000, ['--loss', '2%', '--reorder', '2%', '--duplicate', '2%', '--delay', '2ms']],
  ])('fetches a document from nginx over %s', async (_, length, options) => {
    const nginx = new Nginx(directory, { big: served.subarray(0, length) });
    live = await LiveProcess.start('lab-client', 'uplink', directory, { options });
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
    nginx.start(linux, '192.0.2.1');
    await untilAsync('the answer to be fetched', async () =>
      nginx.log().includes(`"GET /big HTTP/1.1" 200 ${length} `),
    );
    await untilAsync('every connection to be closed or in TIME-WAIT', async () =>
      (await linux!.connections()).every(({ state }) => state === 'TIME-WAIT'),
    );
    await linux.unplug();
    expect(await live.end('SIGTERM')).toBe(0);
    const crc = (fcs(served, 0, length) >>> 0).toString(16).padStart(8, '0');
    expect(live.printed).toContain(`status: 200\nbodyBytes: ${length}\ncrc32: ${crc}\n`);
    expect(faultyFrames(live.pcapPath)).toEqual([]);
  });
});
