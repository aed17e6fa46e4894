/** An emulated host that fetches ten megabytes from nginx on a Linux host, over a clean wire and over a bad one. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fcs } from '../../hw/ethernet/fcs.ts';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { LiveProcess } from '../support/ringtail-process.ts';
import { untilAsync } from '../support/stream-peer.ts';
import { faultyFrames } from '../support/tshark.ts';

const EMULATED = '192.0.2.2';

/** No daemon, no worker, nothing outside of `directory`. */
const configurationIn = (directory: string) => `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events {}
http {
  access_log ${directory}/access.log;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${directory}/temp;`).join('\n  ')}
  server {
    listen 192.0.2.1:80;
    root ${directory}/served;
  }
}`;

requireLinuxHost('nginx', 'tshark')('an emulated host', () => {
  let directory: string;
  let live: LiveProcess | null = null;
  let linux: LinuxHost | null = null;
  const served = Uint8Array.from({ length: 10_000_000 }, (_, i) => (i * 31 + (i >>> 9)) & 0xff);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-nginx-'));
    mkdirSync(join(directory, 'served'));
    writeFileSync(join(directory, 'nginx.conf'), configurationIn(directory));
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
    writeFileSync(join(directory, 'served', 'big'), served.subarray(0, length));
    live = await LiveProcess.start('lab-client', 'uplink', directory, { options });
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
    linux.serve('nginx', '-e', join(directory, 'error.log'), '-c', join(directory, 'nginx.conf'));
    await untilAsync('the answer to be fetched', async () => {
      const log = readFileSync(join(directory, 'access.log'), { encoding: 'utf8', flag: 'a+' });
      return log.includes(`"GET /big HTTP/1.1" 200 ${length} `);
    });
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
