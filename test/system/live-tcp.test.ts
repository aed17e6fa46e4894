/**
 * TCP of Linux against TCP of an emulated host, both ways: what arrives, how connections end, what a port scan sees. The
 * tests are steps of one run, in order; its capture is judged at the end.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { LiveProcess } from '../support/ringtail-process.ts';
import { untilAsync } from '../support/stream-peer.ts';
import { faultyFrames, framesOf, TCP_DATA_AS_IT_IS } from '../support/tshark.ts';

const EMULATED = '192.0.2.2';
/** What the scenario serves as /huge: ten times its megabyte. */
const BIG = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251);
const HUGE = Buffer.concat(new Array<Uint8Array>(10).fill(BIG));
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

requireLinuxHost(
  'curl',
  'iperf3',
  'nmap',
  'ss',
  'tshark',
)('TCP of a Linux host', () => {
  let directory: string;
  let live: LiveProcess;
  let linux: LinuxHost;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-tcp-'));
    live = await LiveProcess.start('lab', 'uplink', directory);
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
  });
  afterAll(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it('receives ten megabytes unchanged', async () => {
    const path = join(directory, 'huge');
    const printed = await linux.run(
      'curl',
      '-sS',
      '-m',
      '40',
      '-o',
      path,
      '-w',
      '%{size_download}',
      `http://${EMULATED}/huge`,
    );
    expect(printed).toBe(String(HUGE.length));
    expect(hashOf(readFileSync(path))).toBe(hashOf(HUGE));
  });

  it.each([
    ['to the emulated host', []],
    ['from the emulated host', ['-R']],
    ['to it over three connections', ['-P', '3']],
  ])('is measured by iperf3, %s', async (_, options) => {
    const result = JSON.parse(await linux.run('iperf3', '-c', EMULATED, '-J', '-n', '5M', '-C', 'reno', ...options));
    expect(result.error).toBeUndefined();
    // When the test ends, the last of what was sent may still wait in a send buffer, which Linux makes large.
    const { sum_sent: sent, sum_received: received } = result.end;
    expect(sent.bytes).toBeGreaterThanOrEqual(5 * 2 ** 20);
    expect(received.bytes).toBeGreaterThan(0.3 * sent.bytes);
    expect(received.bytes).toBeLessThanOrEqual(sent.bytes);
  });

  it.each([['-u'], ['--bidir']])('is told that iperf3 %s is not served', async option => {
    await expect(linux.run('iperf3', '-c', EMULATED, '-t', '1', option)).rejects.toThrow('not implemented');
  });

  it('has TIME-WAIT where it closed first, and nothing where the emulated host did; no connection is stuck', async () => {
    const get = (version: string, port: number) =>
      linux.run('curl', '-sS', '-m', '20', version, '--local-port', String(port), `http://${EMULATED}/`);
    await get('--http1.1', 40_011);
    await get('--http1.0', 40_010);
    await untilAsync('every connection to be closed or in TIME-WAIT', async () =>
      (await linux.connections()).every(({ state }) => state === 'TIME-WAIT'),
    );
    const waiting = (await linux.connections()).map(({ localPort }) => localPort);
    expect(waiting).toContain(40_011);
    expect(waiting).not.toContain(40_010);
  });

  const scan = async (...options: string[]) => {
    const printed = await linux.run('nmap', '-n', '-Pn', '--reason', '-p', '80,81', ...options, EMULATED);
    return [...printed.matchAll(/^(\d+)\/tcp +(\S+) +\S+ +(\S+)/gm)].map(([, ...words]) => words.join(' '));
  };

  it.each([
    ['-sS', ['80 open syn-ack', '81 closed reset']],
    ['-sT', ['80 open syn-ack', '81 closed conn-refused']],
    ['-sA', ['80 unfiltered reset', '81 unfiltered reset']],
    ['-sF', ['80 open|filtered no-response', '81 closed reset']],
    ['-sN', ['80 open|filtered no-response', '81 closed reset']],
  ])('nmap %s sees one port open and one closed', async (option, expected) => {
    expect(await scan(option)).toEqual(expected);
  });

  it('leaves a capture in which tshark finds no fault', async () => {
    expect(await linux.unplug()).toBe(0);
    expect(await live.end('SIGTERM')).toBe(0);
    expect(faultyFrames(live.pcapPath)).toEqual([]);
    // Among these the fault that would be worst: bytes sent again that are others than before.
    expect(framesOf(live.pcapPath, '_ws.expert.severity == "Error"', ...TCP_DATA_AS_IT_IS)).toEqual([]);
    expect(framesOf(live.pcapPath, 'tcp.port == 40011 && tcp.analysis.flags')).toEqual([]);
  });
});
