/**
 * Linux hosts on both sides of two emulated routers, with a narrow link between these: what goes through, what comes back
 * as an error, and the same run again from the journal. The tests are steps of one run, in order.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readJournal } from '../../src/bridge/journal.ts';
import { requireLinuxHost } from '../support/linux-host.ts';
import { HOPS, INSIDE, type LiveRouter, liveRouter, OUTSIDE } from '../support/live-router.ts';
import { Nginx } from '../support/nginx.ts';
import { ringtail } from '../support/ringtail-process.ts';
import { faultyFrames, framesOf, TCP_DATA_AS_IT_IS } from '../support/tshark.ts';

const MTU = 1280;
/** So many answers are waited for, however slow this machine is; with -W ping gives the last one two round trips. */
const ANSWERED = ['-i', '0.2', '-w', '30', '-c'];
const DOCUMENT = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >>> 9)) & 0xff);

requireLinuxHost(
  'curl',
  'nginx',
  'traceroute',
  'tshark',
)('Linux hosts on both sides of two routers', () => {
  let directory: string;
  let lab: LiveRouter;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-router-'));
    lab = await liveRouter(directory, '--mtu', String(MTU), '--seed', 'router');
  });
  afterAll(() => {
    lab?.inside.kill();
    lab?.outside.kill();
    lab?.live.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it('answer each other, two hops away', async () => {
    const [out, back] = await Promise.all([
      lab.inside.run('ping', ...ANSWERED, '5', OUTSIDE),
      lab.outside.run('ping', ...ANSWERED, '5', INSIDE),
    ]);
    expect(out).toContain(`from ${OUTSIDE}: icmp_seq=1 ttl=62 `);
    expect(back).toContain(`from ${INSIDE}: icmp_seq=1 ttl=62 `);
    for (const printed of [out, back]) expect(printed).toContain(' 5 received');
  });

  it.each([
    [1, HOPS[0]],
    [2, HOPS[1]],
  ])('hear of a time to live of %s from the router where it ended', async (ttl, hop) => {
    const printed = await lab.inside.try('ping', '-c', '1', '-W', '5', '-t', String(ttl), OUTSIDE);
    expect(printed).toContain(`From ${hop} icmp_seq=1 Time to live exceeded`);
  });

  it.each<[string[]]>([[[]], [['-I']], [['-T', '-p', '9']]])('trace the route with traceroute %j', async kind => {
    const printed = await lab.inside.run('traceroute', ...kind, '-n', '-q', '1', '-N', '1', '-w', '5', OUTSIDE);
    const hops = [...printed.matchAll(/^ *\d+ +(\S+)/gm)].map(([, hop]) => hop);
    expect(hops).toEqual([...HOPS, OUTSIDE]);
  });

  it('hear from the router in front of the narrow link how long a packet may be, in either direction', async () => {
    const payload = ['-M', 'do', '-c', '1', '-W', '5', '-s', String(MTU - 27)];
    const needed = `Frag needed and DF set (mtu = ${MTU})`;
    expect(await lab.inside.try('ping', ...payload, OUTSIDE)).toContain(`From ${HOPS[0]} icmp_seq=1 ${needed}`);
    expect(await lab.outside.try('ping', ...payload, INSIDE)).toContain(`From 192.0.2.1 icmp_seq=1 ${needed}`);
    const fits = ['-M', 'do', '-c', '1', '-W', '5', '-s', String(MTU - 28)];
    expect(await lab.inside.run('ping', ...fits, OUTSIDE)).toContain('1 received');
  });

  it('send datagrams of 8000 octets through it, in fragments that are cut again', async () => {
    const printed = await lab.inside.run(
      'ping',
      '-M',
      'dont',
      '-c',
      '3',
      '-i',
      '0.2',
      '-W',
      '5',
      '-s',
      '8000',
      OUTSIDE,
    );
    expect(printed).toContain('3 packets transmitted, 3 received, 0% packet loss');
  });

  it('are told of a network that nobody knows', async () => {
    const printed = await lab.inside.try('ping', '-c', '1', '-W', '5', '198.51.100.1');
    expect(printed).toContain(`From ${HOPS[1]} icmp_seq=1 Destination Net Unreachable`);
  });

  it('fetch a document from each other, whose segments fit the narrow link', async () => {
    const nginx = new Nginx(directory, { document: DOCUMENT });
    nginx.start(lab.outside, OUTSIDE);
    const path = join(directory, 'fetched');
    const url = `http://${OUTSIDE}/document`;
    await lab.inside.run('curl', '-sS', '-m', '40', '--retry', '20', '--retry-connrefused', '-o', path, url);
    expect(readFileSync(path).equals(DOCUMENT)).toBe(true);
    expect(nginx.log()).toMatch(new RegExp(`^${INSIDE} .*"GET /document HTTP/1.1" 200 ${DOCUMENT.length} `));
  });

  it('leave a capture in which tshark finds no fault, and on the narrow link nothing too long', async () => {
    await Promise.all([lab.inside.unplug(), lab.outside.unplug()]);
    expect(await lab.live.end('SIGTERM')).toBe(0);
    const { pcapPath } = lab.live;
    // The same segments are in it three times, once for each link.
    expect(faultyFrames(pcapPath, ...TCP_DATA_AS_IT_IS)).toEqual([]);
    const onLink = 'frame.interface_name contains "link"';
    expect(framesOf(pcapPath, `${onLink} && icmp.type == 8`).length).toBeGreaterThan(10);
    expect(framesOf(pcapPath, `${onLink} && ip.len > ${MTU}`)).toEqual([]);
    expect(framesOf(pcapPath, `${onLink} && ip.flags.mf == 1`).length).toBeGreaterThanOrEqual(6 * 6);
  });

  it('are not needed for the same run again', () => {
    expect(readJournal(lab.live.journalPath).header.options).toEqual({
      values: { nat: 'off', filter: 'off', mtu: MTU },
    });
    const again = join(directory, 'again.pcapng');
    ringtail('replay', lab.live.journalPath, '--pcap', again);
    expect(readFileSync(again).equals(readFileSync(lab.live.pcapPath))).toBe(true);
  });
});
