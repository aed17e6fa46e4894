/**
 * A Linux host behind address translation and packet filter of an emulated router, and one on the public side: who sees
 * whom under which address, what gets in, what is remembered. The tests are steps of one run, in order.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requireLinuxHost } from '../support/linux-host.ts';
import { INSIDE, type LiveRouter, liveRouter, OUTSIDE, PUBLIC } from '../support/live-router.ts';
import { Nginx } from '../support/nginx.ts';
import { ringtail } from '../support/ringtail-process.ts';
import { faultyFrames, framesOf, TCP_DATA_AS_IT_IS } from '../support/tshark.ts';

const MEGABYTE = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31 + (i >>> 9)) & 0xff);
const CURL = ['-sS', '-m', '40', '--retry', '20', '--retry-connrefused'];
const LOCAL_PORT = 41_000;

requireLinuxHost(
  'curl',
  'nginx',
  'nmap',
  'tshark',
)('a Linux host behind NAT and filter', () => {
  let directory: string;
  let lab: LiveRouter;
  let web: Nginx;
  let served: Nginx;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-nat-'));
    web = new Nginx(join(directory, 'outside'), { document: MEGABYTE });
    served = new Nginx(join(directory, 'inside'), { document: MEGABYTE.subarray(0, 100_000) });
    lab = await liveRouter(directory, '--nat', 'on', '--filter', 'reject');
    web.start(lab.outside, OUTSIDE);
    served.start(lab.inside, INSIDE);
  });
  afterAll(() => {
    lab?.inside.kill();
    lab?.outside.kill();
    lab?.live.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it('reaches a host outside, which does not reach it', async () => {
    expect(await lab.inside.run('ping', '-c', '3', '-i', '0.2', '-w', '30', OUTSIDE)).toContain(' 3 received');
    expect(await lab.outside.try('ping', '-c', '1', '-W', '2', INSIDE)).toContain('0 received');
  });

  it('fetches a megabyte unchanged, and the server sees the public address', async () => {
    const path = join(directory, 'fetched');
    const port = ['--local-port', String(LOCAL_PORT)];
    await lab.inside.run('curl', ...CURL, ...port, '-o', path, `http://${OUTSIDE}/document`);
    expect(readFileSync(path).equals(MEGABYTE)).toBe(true);
    expect(web.log()).toMatch(new RegExp(`^${PUBLIC} .*"GET /document HTTP/1.1" 200 ${MEGABYTE.length} `));
  });

  it('is reached at the forwarded port, and sees who it is that asks', async () => {
    const path = join(directory, 'forwarded');
    await lab.outside.run('curl', ...CURL, '-o', path, `http://${PUBLIC}:8080/document`);
    expect(readFileSync(path).equals(MEGABYTE.subarray(0, 100_000))).toBe(true);
    expect(served.log()).toMatch(new RegExp(`^${OUTSIDE} .*"GET /document HTTP/1.1" 200 100000 `));
  });

  it('traces errors back to what it sent, as the public address never shows inside', async () => {
    const printed = await lab.inside.try('ping', '-c', '1', '-W', '5', '-t', '2', OUTSIDE);
    expect(printed).toContain('From 203.0.113.2 icmp_seq=1 Time to live exceeded');
  });

  it('has one port open to the outside, as nmap sees it', async () => {
    const ports = ['-p', '8080,8081', PUBLIC];
    const printed = await lab.outside.run('nmap', '-n', '-Pn', '-sS', '--reason', '--max-retries', '5', ...ports);
    expect(printed).toMatch(/^8080\/tcp open .*syn-ack/m);
    expect(printed).not.toMatch(/^8081\/tcp open/m);
  });

  it('is in the tables of the router under both addresses', async () => {
    await Promise.all([lab.inside.unplug(), lab.outside.unplug()]);
    expect(await lab.live.end('SIGTERM')).toBe(0);
    const { printed } = lab.live;
    const connection = `tcp ${INSIDE}:${LOCAL_PORT} as ${PUBLIC}:${LOCAL_PORT} with ${OUTSIDE}:80`;
    expect(printed).toContain(`${connection}: `);
    expect(printed).toContain(`tcp ${INSIDE}:80 as ${PUBLIC}:8080`);
    expect(printed).toContain(`tcp from ${INSIDE}:${LOCAL_PORT} to ${OUTSIDE}:80: TIME-WAIT`);
    expect(printed).toMatch(new RegExp(`tcp from ${OUTSIDE}:\\d+ to ${INSIDE}:80: `));
    expect(printed).toContain(`icmp from ${INSIDE} to ${OUTSIDE}: answered`);
  });

  it('is never seen outside under its own address, and tshark finds no fault', () => {
    const { pcapPath } = lab.live;
    // The same segments are in it three times, once for each link.
    expect(faultyFrames(pcapPath, ...TCP_DATA_AS_IT_IS)).toEqual([]);
    const seen = `ip.src == ${INSIDE} && !(frame.interface_name contains "inside")`;
    expect(framesOf(pcapPath, seen)).toEqual([]);
    expect(framesOf(pcapPath, `ip.src == ${PUBLIC} && frame.interface_name contains "inside"`)).toEqual([]);
  });

  it('is not needed for the same run again', () => {
    const again = join(directory, 'again.pcapng');
    ringtail('replay', lab.live.journalPath, '--pcap', again);
    expect(readFileSync(again).equals(readFileSync(lab.live.pcapPath))).toBe(true);
  });
});
