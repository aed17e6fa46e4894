/**
 * DHCP and DNS with those that everybody uses: dnsmasq serves our client and our resolver; dhclient and dig are served by
 * ours. The tests of each group are steps of one run, in order.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LinuxHost, requireLinuxHost } from '../support/linux-host.ts';
import { LiveProcess } from '../support/ringtail-process.ts';
import { untilAsync } from '../support/stream-peer.ts';
import { faultyFrames, framesOf } from '../support/tshark.ts';

const SERVER = '192.0.2.2';
/** Two processes have to be up, on a machine that may be busy. */
const SETUP_MS = 60_000;

/** Puts the address to use, and writes down what happened, as dhclient tells it. */
const DHCLIENT_SCRIPT = `#!/bin/sh
case $reason in BOUND|RENEW|REBIND) ip address replace "$new_ip_address/24" dev "$interface" ;; esac
echo "$reason $new_ip_address $new_routers $new_domain_name_servers $new_domain_name" >>"$(dirname "$0")/events"
`;

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

requireLinuxHost('dnsmasq', 'tshark')('dnsmasq on the wire', () => {
  let directory: string;
  let live: LiveProcess;
  let linux: LinuxHost;
  /** Of our client. */
  let address: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-dhcp-'));
    live = await LiveProcess.start('lab-guest', 'uplink', directory);
    linux = await LinuxHost.join(live.socketPath);
    await untilAsync('the address', async () =>
      (await linux.run('ip', 'address', 'show', 'tap0')).includes('192.0.2.1/'),
    );
    const addresses = ['--dhcp-range=192.0.2.50,192.0.2.60,120', '--dhcp-option=3,192.0.2.1'];
    const names = ['--no-resolv', '--no-hosts', '--address=/h.example/203.0.113.9', '--domain=example.net'];
    const log = ['--log-queries', `--log-facility=${join(directory, 'queries')}`];
    const files = [`--dhcp-leasefile=${join(directory, 'leases')}`, '--conf-file=/dev/null', '--pid-file=', ...log];
    linux.serve(
      'dnsmasq',
      '-k',
      '--user=root',
      '--bind-interfaces',
      '-i',
      'tap0',
      '--no-ping',
      ...addresses,
      ...names,
      ...files,
    );
  }, SETUP_MS);
  afterAll(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it('gives our client a lease, which it puts to use', async () => {
    const leases = join(directory, 'leases');
    await untilAsync('a lease', async () => read(leases).includes('52:54:00'));
    expect(read(leases)).toMatch(/^\d+ 52:54:00:00:00:01 192\.0\.2\.\d+ guest 01:52:54:00:00:00:01$/m);
    address = /192\.0\.2\.\d+/.exec(read(leases))![0];
    const answers = async () =>
      (await linux.run('ping', '-c', '1', '-W', '1', address).catch(() => '')).includes('1 received');
    await untilAsync(`an answer of ${address}`, answers);
  });

  it('answers our resolver, which has learnt of it by the lease', async () => {
    await untilAsync('the lookup', async () => read(join(directory, 'queries')).includes('h.example is 203.0.113.9'));
    // What is answered after the name has got there after it.
    await linux.run('ping', '-c', '1', address);
    expect(await live.end('SIGTERM')).toBe(0);
    expect(live.printed).toMatch(/found:\s+0: 203\.0\.113\.9/);
    expect(live.printed).toMatch(/state\W+BOUND/);
    expect(live.printed).toMatch(/server\W+192\.0\.2\.1\b/);
    expect(live.printed).toMatch(/domainName\W+example\.net/);
    expect(faultyFrames(live.pcapPath)).toEqual([]);
  });
});

requireLinuxHost(
  'dhclient',
  'dig',
  'tshark',
)('dhclient and dig on the wire', () => {
  let directory: string;
  let live: LiveProcess;
  let linux: LinuxHost;
  const file = (name: string): string => join(directory, name);
  const dig = (...query: readonly string[]): Promise<string> =>
    linux.run('dig', `@${SERVER}`, '+time=5', '+tries=2', '+noidnin', ...query);

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringtail-dns-'));
    live = await LiveProcess.start('lab-hosts', 'uplink', directory);
    linux = await LinuxHost.plugIn(live.socketPath, SERVER);
  }, SETUP_MS);
  afterAll(() => {
    linux?.kill();
    live?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  it('get a lease of our server, with router, name server and domain', async () => {
    writeFileSync(file('script'), DHCLIENT_SCRIPT, { mode: 0o755 });
    const files = ['-sf', file('script'), '-lf', file('leases'), '-pf', file('pid'), '-cf', '/dev/null'];
    linux.serve('dhclient', '-4', '-1', '-d', '-v', ...files, 'tap0');
    await untilAsync('a lease', async () => read(file('events')).includes('BOUND'));
    expect(read(file('events'))).toMatch(/^BOUND 192\.0\.2\.1\d\d 192\.0\.2\.2 192\.0\.2\.2 example\.net$/m);
    const leases = read(file('leases'));
    expect(leases).toContain('option dhcp-lease-time 30;');
    expect(leases).toContain(`option dhcp-server-identifier ${SERVER};`);
  });

  it('ask for more time, and get it', async () => {
    await untilAsync('a renewal', async () => read(file('events')).includes('RENEW'));
  });

  it('are told addresses, other names, and exchangers of mail', async () => {
    expect((await dig('+short', 'web.example.net')).trim().split('\n').sort()).toEqual(['192.0.2.80', '192.0.2.81']);
    expect((await dig('+short', 'www.example.net')).split('\n')[0]).toBe('web.example.net.');
    expect((await dig('+short', 'example.net', 'MX')).trim()).toBe('10 mail.example.net.');
    expect((await dig('+short', 'note.example.net', 'TXT')).trim()).toBe('"a ring, and its tail"');
    expect((await dig('+short', 'x.y.any.example.net')).trim()).toBe('192.0.2.99');
    expect((await dig('+short', 'example.net', 'SOA')).trim()).toBe('example.net. hostmaster.example.net. 1 0 0 0 60');
  });

  it('are told what is not there, with the SOA', async () => {
    const none = await dig('no.example.net');
    expect(none).toContain('status: NXDOMAIN');
    expect(none).toMatch(/AUTHORITY SECTION:\nexample\.net\.\s+60\s+IN\s+SOA/);
    const empty = await dig('web.example.net', 'AAAA');
    expect(empty).toContain('status: NOERROR');
    expect(empty).toContain('ANSWER: 0, AUTHORITY: 1');
  });

  it('are referred to the servers of a zone below', async () => {
    const referral = await dig('www.sub.example.net', '+norecurse');
    expect(referral).toMatch(/sub\.example\.net\.\s+3600\s+IN\s+NS\s+ns\.sub\.example\.net\./);
    expect(referral).toMatch(/ns\.sub\.example\.net\.\s+3600\s+IN\s+A\s+192\.0\.2\.53/);
    expect(referral).not.toMatch(/flags: [a-z ]*\baa\b/);
  });

  it('are answered with EDNS and without, as long as they can take', async () => {
    expect(await dig('web.example.net')).toContain('EDNS: version: 0, flags:; udp: 1232');
    expect(await dig('web.example.net', '+noedns')).not.toContain('EDNS');
    expect(await dig('web.example.net', '+edns=1', '+noednsnegotiation')).toContain('status: BADVERS');
    expect(await dig('many.example.net')).toContain('ANSWER: 60,');
    expect(await dig('many.example.net', '+noedns', '+ignore')).toMatch(/flags: [a-z ]*\btc\b/);
  });

  it('are refused what is not ours to tell', async () => {
    expect(await dig('www.example.org')).toContain('status: REFUSED');
  });

  it('leave a capture without a fault', async () => {
    expect(await live.end('SIGTERM')).toBe(0);
    expect(live.printed).toMatch(/192\.0\.2\.1\d\d/);
    const renewals = framesOf(live.pcapPath, 'dhcp.option.dhcp == 5 && ip.dst != 255.255.255.255');
    expect(renewals.length).toBeGreaterThan(0);
    expect(framesOf(live.pcapPath, 'dns.flags.response == 1').length).toBeGreaterThan(10);
    expect(faultyFrames(live.pcapPath)).toEqual([]);
  });
});
