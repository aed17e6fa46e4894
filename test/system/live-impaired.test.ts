/**
 * TCP of Linux against TCP of an emulated host over wires that do to frames what bad networks do: what arrives is what
 * was sent, in both directions, however long it takes.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { LiveProcess, ringtail } from '../support/ringtail-process.ts';
import { untilAsync } from '../support/stream-peer.ts';
import { faultyFrames, framesOf, TCP_DATA_AS_IT_IS } from '../support/tshark.ts';

const EMULATED = '192.0.2.2';
/** What the scenario serves as /big. */
const BIG = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251);
const ECHOED = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >>> 8)) & 0xff);
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Sends a file to the echo service, reads what comes back to its end, and writes it to another. */
const ECHO = `
const { createReadStream, createWriteStream } = require('node:fs');
const [from, to] = process.argv.slice(1);
const socket = require('node:net').connect({ host: '${EMULATED}', port: 7, allowHalfOpen: true });
createReadStream(from).pipe(socket).pipe(createWriteStream(to));
`;

requireLinuxHost(
  'curl',
  'ss',
  'tshark',
)('TCP over a bad wire', () => {
  let directory: string;
  let live: LiveProcess | null = null;
  let linux: LinuxHost | null = null;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-impaired-'));
  });
  afterEach(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['loses 2%', ['--loss', '2%'], 'lost'],
    ['loses 10%', ['--loss', '10%'], 'lost'],
    ['reorders 5%', ['--reorder', '5%'], 'reordered'],
    ['doubles 10%', ['--duplicate', '10%'], 'duplicated'],
    ['damages 2%', ['--corrupt', '2%'], 'corrupted'],
    ['takes 10 to 15 ms', ['--delay', '10ms', '--jitter', '5ms'], 'delivered'],
    [
      'does all of that a little',
      ['--loss', '1%', '--reorder', '1%', '--duplicate', '1%', '--corrupt', '1%', '--delay', '2ms', '--jitter', '1ms'],
      'lost',
    ],
  ])('that %s carries everything unchanged, both ways', async (_, options, counter) => {
    live = await LiveProcess.start('lab', 'uplink', directory, { options: ['--seed', 'bad', ...options] });
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
    const [fetched, sent, echoed] = ['fetched', 'sent', 'echoed'].map(name => join(directory, name));
    // A tenth is much: most of the time passes in timeouts of a second and more (RFC 6298).
    const slow = options.includes('10%') && counter === 'lost';
    if (!slow) {
      await linux.run('curl', '-sS', '-m', '45', '-o', fetched!, `http://${EMULATED}/big`);
      expect(hashOf(readFileSync(fetched!))).toBe(hashOf(BIG));
    }
    writeFileSync(sent!, slow ? ECHOED.subarray(0, 40_000) : ECHOED);
    await linux.run(process.execPath, '-e', ECHO, sent!, echoed!);
    expect(hashOf(readFileSync(echoed!))).toBe(hashOf(readFileSync(sent!)));
    await untilAsync('every connection to be closed or in TIME-WAIT', async () =>
      (await linux!.connections()).every(({ state }) => state === 'TIME-WAIT'),
    );
    await linux.unplug();
    expect(await live.end('SIGTERM')).toBe(0);

    const count = (name: string) =>
      [...live!.printed.matchAll(new RegExp(`\\b${name}: (\\d+)`, 'g'))].reduce((sum, [, n]) => sum + Number(n), 0);
    expect(count(counter)).toBeGreaterThan(0);
    // Every damaged packet has a wrong checksum, and no other: each is in the capture once, a doubled one twice.
    const faulty = faultyFrames(live.pcapPath, ...TCP_DATA_AS_IT_IS);
    expect(faulty.length).toBeGreaterThanOrEqual(count('corrupted'));
    if (!options.includes('--duplicate')) expect(faulty, faulty.join('\n')).toHaveLength(count('corrupted'));
    expect(framesOf(live.pcapPath, 'frame.comment contains "lost:"').length).toBe(count('lost'));
  });

  it('is the same wire again in a replay, to the byte', async () => {
    const options = ['--loss', '5%', '--reorder', '5%', '--duplicate', '5%', '--corrupt', '5%', '--jitter', '1ms'];
    live = await LiveProcess.start('lab', 'uplink', directory, { options });
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
    await linux.run('curl', '-sS', '-m', '45', `http://${EMULATED}/`);
    await linux.unplug();
    expect(await live.end('SIGTERM')).toBe(0);
    const again = join(directory, 'again.pcapng');
    ringtail('replay', live.journalPath, '--pcap', again);
    expect(readFileSync(again).equals(readFileSync(live.pcapPath))).toBe(true);
  });
});
