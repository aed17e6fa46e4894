/** `ringtail drill`: exit codes, and the forms in which it reports. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMain, runProcess } from '../../../support/command.ts';
import { readPackets } from '../../../support/pcapng-reader.ts';

const GOOD = '0 < S 7:7(0) win 100\n+0 > R. 0:0(0) ack 8\n';
const BAD = '0 < S 7:7(0) win 100\n+0 > R. 0:0(0) ack 9\n';
const UNSUPPORTED = '`tc qdisc add`\n`ip link` // <&>\n';
const INVALID = '0 < what\n';

let directory: string;
const file = (name: string) => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringtail-drill-'));
  mkdirSync(file('all/deep'), { recursive: true });
  mkdirSync(file('none'));
  const scripts = { 'good.pkt': GOOD, 'bad.pkt': BAD, 'unsupported.pkt': UNSUPPORTED, 'invalid.pkt': INVALID };
  for (const [name, text] of Object.entries(scripts)) writeFileSync(file(name), text);
  writeFileSync(file('all/2.pkt'), GOOD);
  writeFileSync(file('all/deep/1.pkt'), BAD);
  writeFileSync(file('all/notes.txt'), 'no script');
});
afterAll(() => rmSync(directory, { recursive: true }));

const drill = (...args: readonly string[]) => runMain('drill', ...args);

describe('exit codes', () => {
  test.each([
    [0, ['good.pkt']],
    [1, ['good.pkt', 'bad.pkt']],
    [3, ['good.pkt', 'unsupported.pkt']],
    [1, ['unsupported.pkt', 'bad.pkt']],
    [2, ['bad.pkt', 'invalid.pkt', 'unsupported.pkt']],
  ])('%i for %j', async (status, names) => {
    expect((await drill(...names.map(file))).status).toBe(status);
  });

  test.each([
    [['nobody.pkt'], /^ringtail: cannot read .*nobody\.pkt: .*\n$/],
    [['none'], /^ringtail: there is no \.pkt script in .*none\n$/],
    [['good.pkt', '--json', '--tap'], /^ringtail: --json and --tap both ask for the output\n$/],
    [['good.pkt', '--tolerance', '5'], /^ringtail: .*a duration is a number and a unit.*\n$/],
    [['good.pkt', '--profile', 'bsd'], /^ringtail: .*Allowed choices are linux, freebsd, rfc.*\n$/],
  ])('2 and a line that says why for %j', async (args, complaint) => {
    const [name, ...rest] = args;
    const { status, stdout, stderr } = await drill(file(name!), ...rest);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(complaint);
  });
});

test('a directory stands for its scripts and those below it, in the order of their names', async () => {
  const { stdout } = await drill(file('all'));
  expect(stdout.split('\n').filter(line => /^(ok|FAILED) /.test(line))).toEqual([
    `ok          ${file('all/2.pkt')}`,
    `FAILED      ${file('all/deep/1.pkt')}`,
  ]);
});

test('the report counts what passed, what failed, and what is not supported', () => {
  const { status, stdout, stderr } = runProcess(directory, 'drill', 'good.pkt', 'bad.pkt', 'unsupported.pkt');
  expect([status, stderr]).toEqual([1, '']);
  expect(stdout).toBe(`ok          good.pkt
FAILED      bad.pkt
bad.pkt:2:1: the packet differs: ack
    script    +0 > R. 0:0(0) ack 9
    expected  0.000000 > R. 0:0(0) ack 9
    actual    0.000000 > R. 0:0(0) ack 8 win 0
UNSUPPORTED unsupported.pkt
unsupported.pkt:1:1: not supported: the command \`tc qdisc add\`
    script    \`tc qdisc add\`
unsupported.pkt:2:1: not supported: the command \`ip link\`
    script    \`ip link\` // <&>
3 scripts: 1 passed, 1 failed, 1 unsupported (2 places)
`);
});

test('--verbose tells every event on standard error', async () => {
  const { stderr } = await drill(file('good.pkt'), '--verbose');
  expect(stderr).toBe('0.000000 < S 7:7(0) win 100\n0.000000 > R. 0:0(0) ack 8 win 0\n');
});

test('--json prints the results', async () => {
  const { stdout } = await drill(file('bad.pkt'), '--json');
  expect(JSON.parse(stdout)).toEqual({
    scripts: [
      {
        path: file('bad.pkt'),
        verdict: 'failed',
        problems: [
          {
            at: { line: 2, column: 1 },
            text: 'the packet differs: ack',
            source: '+0 > R. 0:0(0) ack 9',
            details: [
              ['expected', '0.000000 > R. 0:0(0) ack 9'],
              ['actual', '0.000000 > R. 0:0(0) ack 8 win 0'],
            ],
          },
        ],
        notes: [],
        eventCount: 2,
        packetCount: 2,
        virtualTimeNs: 0,
      },
    ],
  });
});

test('--tap prints a test point for each script', async () => {
  const { stdout } = await drill(file('good.pkt'), file('bad.pkt'), file('unsupported.pkt'), '--tap');
  const lines = stdout.split('\n').filter(line => !line.startsWith('#'));
  expect(lines).toEqual([
    'TAP version 13',
    '1..3',
    `ok 1 - ${file('good.pkt')}`,
    `not ok 2 - ${file('bad.pkt')}`,
    `ok 3 - ${file('unsupported.pkt')} # SKIP not supported: the command \`tc qdisc add\``,
    '',
  ]);
});

test('--junit writes well-formed XML, whatever stands in a script', async () => {
  await drill(
    file('good.pkt'),
    file('bad.pkt'),
    file('unsupported.pkt'),
    file('invalid.pkt'),
    '--junit',
    file('out.xml'),
  );
  const xml = readFileSync(file('out.xml'), 'utf8');
  expect(xml).toContain('<testsuite name="ringtail drill" tests="4" failures="1" errors="1" skipped="1">');
  expect(xml).toContain('script    `ip link` // &lt;&amp;&gt;');
  // Every element that is opened is closed, in order.
  const open: string[] = [];
  for (const [, close, name, alone] of xml.matchAll(/<(\/?)([a-z]+)(?:"[^"]*"|[^">])*?(\/?)>/g)) {
    if (close === '/') expect(open.pop()).toBe(name);
    else if (alone !== '/') open.push(name!);
  }
  expect(open).toEqual([]);
});

test('--pcap writes every frame, with the script as its interface', async () => {
  const { stderr } = await drill(file('good.pkt'), '--pcap', file('out.pcapng'));
  expect(stderr).toBe(`wrote ${file('out.pcapng')}\n`);
  const packets = readPackets([readFileSync(file('out.pcapng'))]);
  // TCP, there and back; what ARP says goes before.
  expect(
    packets.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0).map(({ bytes }) => bytes[47]! & 0x3f),
  ).toEqual([2, 0x14]);
});
