/**
 * The scenario `lab` live against a Linux host: its ping and arping, then the same run again from the journal. The tests
 * are steps of one run, in order.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readJournal } from '../../src/bridge/journal.ts';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { LiveProcess, ringtail } from '../support/ringtail-process.ts';
import { StreamPeer } from '../support/stream-peer.ts';
import { faultyFrames, framesOf } from '../support/tshark.ts';

const EMULATED = '192.0.2.2';
const FLOOD_COUNT = 10_000;

requireLinuxHost('arping', 'tshark')('a Linux host on the wire', () => {
  let directory: string;
  let live: LiveProcess;
  let linux: LinuxHost;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-live-'));
    live = await LiveProcess.start('lab', 'uplink', directory);
    linux = await LinuxHost.plugIn(live.socketPath, EMULATED);
  });
  afterAll(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it('has its pings answered within two milliseconds', async () => {
    const printed = await linux.run('ping', '-c', '51', '-i', '0.02', '-W', '2', EMULATED);
    expect(printed).toContain('51 packets transmitted, 51 received, 0% packet loss');
    const timesMs = [...printed.matchAll(/time=([\d.]+) ms/g)].map(match => Number(match[1]));
    // Whatever else this machine does makes some of them late, but not nearly all.
    expect(timesMs.sort((a, b) => a - b)[13]).toBeLessThan(2);
  });

  it('has its ARP requests answered', async () => {
    const printed = await linux.run('arping', '-c', '3', '-w', '10', '-I', 'tap0', EMULATED);
    expect(printed).toMatch(/Received 3 response/);
  });

  it('has packets of nearly a full frame answered', async () => {
    const printed = await linux.run('ping', '-c', '3', '-i', '0.2', '-s', '1400', '-M', 'do', EMULATED);
    expect(printed).toContain('3 packets transmitted, 3 received, 0% packet loss');
  });

  it(`has a flood of ${FLOOD_COUNT} pings answered, every one`, async () => {
    const printed = await linux.run('ping', '-f', '-q', '-c', String(FLOOD_COUNT), EMULATED);
    expect(printed).toContain(`${FLOOD_COUNT} packets transmitted, ${FLOOD_COUNT} received, 0% packet loss`);
  });

  it('is the only one at its end of the wire', async () => {
    const second = await StreamPeer.connect(live.socketPath);
    await new Promise(resolve => second.socket.once('close', resolve));
    expect(live.said).toContain('a second peer was refused');
    const printed = await linux.run('ping', '-c', '1', EMULATED);
    expect(printed).toContain('1 received');
  });

  it('may leave, and the run ends on SIGTERM with everything written', async () => {
    expect(await linux.unplug()).toBe(0);
    expect(await live.end('SIGTERM')).toBe(0);
    expect(existsSync(live.socketPath)).toBe(false);
    const { records, end } = readJournal(live.journalPath);
    expect(records.length).toBeGreaterThan(FLOOD_COUNT);
    expect(end).toMatchObject({ failed: null });
  });

  it('leaves a capture in which tshark finds every echo and no fault', () => {
    expect(framesOf(live.pcapPath, 'icmp.type == 8').length).toBeGreaterThanOrEqual(FLOOD_COUNT + 15);
    expect(framesOf(live.pcapPath, 'icmp.type == 0').length).toBeGreaterThanOrEqual(FLOOD_COUNT + 15);
    expect(framesOf(live.pcapPath, 'arp.opcode == 2').length).toBeGreaterThanOrEqual(3);
    expect(faultyFrames(live.pcapPath)).toEqual([]);
  });

  it('would have tshark find one octet that is wrong', () => {
    const bytes = readFileSync(live.pcapPath);
    const pingPattern = Buffer.from(Array.from({ length: 16 }, (_, i) => 0x20 + i));
    bytes[bytes.indexOf(pingPattern)]! ^= 1;
    const damagedPath = join(directory, 'damaged.pcapng');
    writeFileSync(damagedPath, bytes);
    expect(faultyFrames(damagedPath)).toHaveLength(1);
  });

  it('is not needed for the same run again: the replay writes the same capture', () => {
    const replayedPath = join(directory, 'replayed.pcapng');
    const printed = ringtail('replay', live.journalPath, '--pcap', replayedPath);
    expect(printed).toContain(`${readJournal(live.journalPath).records.length} frames replayed`);
    expect(readFileSync(replayedPath).equals(readFileSync(live.pcapPath))).toBe(true);
  });
});
