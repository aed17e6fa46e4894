/** `ringtail list` and `ringtail run`: what they print where, and how every command fails. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILT_IN } from '../../../../src/scenarios/index.ts';
import { type CommandOutcome, runMain, runProcess } from '../../../support/command.ts';
import { readPackets } from '../../../support/pcapng-reader.ts';

const API = resolve('src/index.ts');
let directory: string;
const ringtail = (...args: string[]) => runProcess(directory, ...args);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringtail-cli-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Writes a scenario file whose `build` has this body; returns its name. */
function scenarioFile(name: string, body: string): string {
  const text = `import { type World, formatIpv4, parseIpv4, ping, scenario } from '${API}';
    export default scenario({
      summary: 'a test',
      untilNs: 2_100_000_000,
      build(world: World) {
        const alice = world.computer('alice', { nics: [{ address: '192.0.2.1/24' }] });
        const bob = world.computer('bob', { nics: [{ address: '192.0.2.2/24' }] });
        world.cable('cable', alice.nics[0]!, bob.nics[0]!);
        ${body}
      },
    });`;
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

/** The command failed, printed nothing, and said why in one line. */
function expectComplaint(outcome: CommandOutcome, text: string | RegExp): void {
  expect(outcome.stderr.trimEnd().split('\n').length, outcome.stderr).toBe(1);
  expect(outcome.stderr).toMatch(/^ringtail: .*\n$/);
  expect(outcome.stderr).toMatch(text);
  expect([outcome.stdout, outcome.status]).toEqual(['', 2]);
}

describe('ringtail list', () => {
  test('names every scenario that is shipped, with a line about it', () => {
    const { status, stdout, stderr } = ringtail('list');
    expect([status, stderr]).toEqual([0, '']);
    const names = stdout
      .trimEnd()
      .split('\n')
      .filter(line => !line.startsWith(' ')) // the options of a scenario stand below it
      .map(line => /^(\S+) +\S.*$/.exec(line)?.[1]);
    expect(names).toEqual(Object.keys(BUILT_IN));
    expect(names.length).toBeGreaterThanOrEqual(3);
  });
});

describe('ringtail run', () => {
  test('prints the result for a person, and writes the files that it is asked for', () => {
    const { status, stdout, stderr } = ringtail('run', 'two-hosts', '--pcap', 'deep/a.pcapng', '--vcd', 'a.vcd');
    expect([status, stderr]).toEqual([0, 'wrote deep/a.pcapng\nwrote a.vcd\n']);
    expect(stdout).toMatch(/^two-hosts, seed 1: 3 s of virtual time\npings:\n/);
    expect(readPackets([readFileSync(join(directory, 'deep/a.pcapng'))]).length).toBeGreaterThan(16);
    expect(readFileSync(join(directory, 'a.vcd'), 'utf8')).toContain('$enddefinitions');
  });

  test('--json prints JSON alone, with the hash of what --pcap would write', () => {
    const { status, stdout, stderr } = ringtail('run', 'two-hosts', '--json', '--seed', 'x', '--pcap', 'b.pcapng');
    expect([status, stderr]).toEqual([0, 'wrote b.pcapng\n']);
    const hash = createHash('sha256')
      .update(readFileSync(join(directory, 'b.pcapng')))
      .digest('hex');
    expect(JSON.parse(stdout)).toMatchObject({
      scenario: 'two-hosts',
      seed: 'x',
      virtualTimeNs: 3_000_000_000,
      traceHash: hash,
      result: { pings: [{ kind: 'reply' }, { kind: 'reply' }, { kind: 'reply' }] },
    });
  });

  test('--until says when the run ends; software may finish what it is at', () => {
    const { virtualTimeNs, result } = JSON.parse(ringtail('run', 'two-hosts', '--json', '--until', '1.5s').stdout);
    expect(result).toEqual({ pings: [], echoes: [] });
    expect(virtualTimeNs).toBe(1_500_000_000);
  });

  test('a scenario in a file of the user, made from the public API, runs', () => {
    const file = scenarioFile(
      'mine.ts',
      `const seen: string[] = [];
       alice.start('client', function* (sys) {
         yield* sys.sleep(2_050_000_000);
         yield* ping(parseIpv4('192.0.2.2'), { count: 1 }, report => {
           seen.push(report.kind === 'reply' ? formatIpv4(report.address) : report.kind);
         })(sys);
       });
       return { result: () => ({ seen }) };`,
    );
    const { status, stdout, stderr } = ringtail('run', file, '--json');
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout).result).toEqual({ seen: ['192.0.2.2'] });
  });
});

describe('a request that cannot be carried out gives one line and exit code 2:', () => {
  test.each<[string, string[], string]>([
    ['unknown scenario', ['run', 'nope'], 'no scenario "nope": there are two-hosts, noisy-cable'],
    ['unknown command', ['frob'], "unknown command 'frob'"],
    ['no scenario', ['run'], "missing required argument 'scenario'"],
    ['too many arguments', ['run', 'two-hosts', 'lab'], 'two-hosts has no option "lab"'],
    ['unknown flag', ['run', 'two-hosts', '--sed', '1'], 'two-hosts has no option "--sed"'],
    ['flag without its value', ['run', 'two-hosts', '--seed'], "option '--seed <text>' argument missing"],
    ['duration without a unit', ['run', 'two-hosts', '--until', '5'], 'a duration is a number and a unit'],
    ['duration too long', ['run', 'two-hosts', '--until', '99999999999min'], 'a duration is a number and a unit'],
    ['missing file', ['run', './nope.ts'], 'no file "./nope.ts"'],
    ['capture that cannot be made', ['run', 'two-hosts', '--pcap', '/dev/null/x'], 'cannot write /dev/null/x'],
    ['waveform that cannot be made', ['run', 'two-hosts', '--vcd', '/dev/null/x'], 'cannot write /dev/null/x'],
    ['full disk', ['run', 'two-hosts', '--pcap', '/dev/full'], 'cannot write /dev/full: ENOSPC'],
    ['tour that cannot write', ['tour', '--out', '/dev/null/x'], 'cannot write /dev/null/x/tour.pcapng'],
    ['wire without a socket', ['live', 'lab', '--wire', 'uplink'], '--wire takes NAME=SOCKET'],
    ['missing journal', ['replay', 'nope.jsonl'], 'nope.jsonl'],
  ])('%s', async (_, args, text) => expectComplaint(await runMain(...args), text));

  test.each<[string, string, string]>([
    ['no default export', 'export const x = 1;', 'has no scenario as its default export'],
    ['a default export of another kind', 'export default { summary: 1 };', 'has no scenario as its default export'],
    ['no end', "export default { summary: '', untilNs: Infinity, build: () => {} };", 'untilNs Infinity'],
    ['a build that returns nothing', "export default { summary: '', untilNs: 1, build: () => {} };", 'returns no'],
    ['a syntax error', 'export default {\n  summary: "a" "b"\n};', /cannot be loaded: .*:2:/ as never],
    ['an import of something that is not there', "import 'not-there';", "Cannot find package 'not-there'"],
    ['an error at its top', "throw new Error('at the top');", 'cannot be loaded: at the top'],
  ])('scenario file with %s', (_, text, complaint) => {
    writeFileSync(join(directory, 'bad.ts'), text);
    expectComplaint(ringtail('run', './bad.ts'), complaint);
  });

  test.each<[string, string, string]>([
    ['that throws while it is built', "throw new Error('no idea\\nat all');", 'failed while it was built: no idea'],
    ['with a bad address', "world.computer('c', { nics: [{ address: '1.2.3' }] });", 'not an address with a prefix'],
    [
      'whose program throws',
      "alice.start('client', function* (sys) { yield* sys.sleep(1); throw new Error('I broke\\nbadly'); });",
      'alice: program client failed: I broke\n',
    ],
    [
      'whose programs throw something else, on both computers',
      "for (const each of [alice, bob]) each.start('p', function* (sys) { yield* sys.sleep(1); throw 'a fit'; });",
      'alice: program p failed: a fit (and bob too)\n',
    ],
    [
      'whose kernel halts',
      "alice.start('p', function* (sys) { yield* sys.sleep(1); alice.kernel.packets.free({} as never); });",
      'alice halted: cannot free: not a packet of this pool',
    ],
    [
      'whose driver halts',
      `bob.start('p', function* (sys) {
         yield* sys.sleep(2_050_000_000);
         bob.kernel.packets.toDevice = () => { throw new Error('driver bug'); };
         yield* ping(parseIpv4('192.0.2.1'), { count: 1 }, () => {})(sys);
       });`,
      /bob halted: .*eth0.*: driver bug/ as never,
    ],
    ['whose result throws', "return { result: () => { throw new Error('none'); } };", 'has no result: none'],
    ['whose result is no JSON', 'return { result: () => 1n };', 'has no result: '],
  ])('scenario %s', async (name, body, complaint) => {
    // A file of its own for each: a module is loaded once.
    const file = scenarioFile(`${name.replace(/\W/g, '-')}.ts`, `${body}\nreturn { result: () => ({}) };`);
    expectComplaint(await runMain('run', file, '--json'), complaint);
  });

  test('the files of a run that failed are there to be looked at', () => {
    const body = "alice.start('p', function* (sys) { yield* sys.sleep(1); throw new Error('x'); });";
    const file = scenarioFile('failing.ts', `${body}\nreturn { result: () => ({}) };`);
    const { status, stdout, stderr } = ringtail('run', file, '--vcd', 'failed.vcd');
    expect([status, stdout, stderr]).toEqual([2, '', 'wrote failed.vcd\nringtail: alice: program p failed: x\n']);
    expect(existsSync(join(directory, 'failed.vcd'))).toBe(true);
  });
});
