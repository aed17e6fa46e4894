/** The web server of the scenario `lab`, asked by curl on a Linux host. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { LiveProcess } from '../support/ringtail-process.ts';
import { faultyFrames, framesOf } from '../support/tshark.ts';

const EMULATED = '192.0.2.2';
const URL = `http://${EMULATED}`;
const BIG = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251);
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

requireLinuxHost('curl', 'tshark')('curl on a Linux host', () => {
  let directory: string;
  let live: LiveProcess;
  let linux: LinuxHost;
  const curl = (...args: string[]) => linux.run('curl', '-sS', '-m', '20', ...args);

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-curl-'));
    live = await LiveProcess.start('lab', 'uplink', directory);
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
  });
  afterAll(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(['--http1.0', '--http1.1'])('gets a document with %s', async version => {
    expect(await curl(version, '-w', '%{http_code} %{http_version}', `${URL}/`)).toBe('ringtail\n200 1.1');
  });

  it('gets a megabyte unchanged, of known length and in chunks, over one connection', async () => {
    const paths = [join(directory, 'big'), join(directory, 'stream')] as const;
    const printed = await curl('-w', '%{num_connects} ', '-o', paths[0], `${URL}/big`, '-o', paths[1], `${URL}/stream`);
    expect(printed).toBe('1 0 ');
    expect(paths.map(path => hashOf(readFileSync(path)))).toEqual([hashOf(BIG), hashOf(BIG)]);
  });

  it('is told what is not there, and what may not be done', async () => {
    const codes = ['-o', '/dev/null', '-w', '%{http_code}'];
    expect(await curl(...codes, `${URL}/none`)).toBe('404');
    expect(await curl(...codes, '-X', 'DELETE', `${URL}/`)).toBe('405');
    expect(await curl('-I', `${URL}/`)).toContain('Content-Length: 9');
    await expect(curl(`${URL}:81/`)).rejects.toThrow(/refused|connect/i);
  });

  it('gets ten documents at once', async () => {
    const urls = Array.from({ length: 10 }, () => `${URL}/`);
    expect(await curl('-Z', '--no-progress-meter', ...urls)).toBe('ringtail\n'.repeat(10));
  });

  it('leaves a capture in which who closes first is as the version says, and tshark finds no fault', async () => {
    expect(await linux.unplug()).toBe(0);
    expect(await live.end('SIGTERM')).toBe(0);
    const closers = (stream: number) =>
      framesOf(live.pcapPath, `tcp.stream == ${stream} && tcp.flags.fin == 1`).map(
        line => /192[.]0[.]2[.]\d/.exec(line)![0],
      );
    expect(closers(0)).toEqual([EMULATED, '192.0.2.1']);
    expect(closers(1)).toEqual(['192.0.2.1', EMULATED]);
    expect(faultyFrames(live.pcapPath)).toEqual([]);
  });
});
