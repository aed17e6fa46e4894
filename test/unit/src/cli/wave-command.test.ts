import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../../../src/cli/main.ts';
import { readVcd } from '../../../support/vcd-reader.ts';

const directory = mkdtempSync(join(tmpdir(), 'ringtail-wave-'));
let out = '';
let err = '';

beforeEach(() => {
  out = err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    out += chunk;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation(chunk => {
    err += chunk;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(directory, { recursive: true }));

const wave = (...args: string[]) => main(['node', 'ringtail', 'wave', ...args]);

describe('ringtail wave', () => {
  test('draws the first frame of a gigabit link as GMII, and says that PAM-5 is not drawn', async () => {
    expect(await wave('two-hosts')).toBe(0);
    expect(out).toMatch(
      /^Frame 1 on cable: alice\.eth0 to bob\.eth0\n52:54:00:00:00:01 to ff:ff:ff:ff:ff:ff, type 0806/,
    );
    expect(out).toContain('PAM-5) is not drawn');
    expect(out).toMatch(/GTX_CLK {2}▔/);
    expect(out).toMatch(/TXD {2}·{16}(│55 ){7}│d5 (│ff ){6}/);
    expect(out).not.toMatch(/NRZ|MLT-3/);
    expect(out).not.toContain('\u001b');
  });

  test('draws any frame in the code that is asked for, in text, SVG and VCD', async () => {
    const [svg, vcd] = ['wave.svg', 'wave.vcd'].map(name => join(directory, name));
    expect(await wave('two-hosts', '--frame', '3', '--code', 'mlt3', '--svg', svg!, '--vcd', vcd!)).toBe(0);
    expect(out).toContain('Frame 3 on cable');
    expect(out).toContain('as the frame would look on 100BASE-TX');
    expect(out).toMatch(/4B5B {2}(│\/I\/ ){4}│\/J\/ │\/K\/ (│5 {3}){9}│5\n/);
    expect(out).toMatch(/MLT-3 {2}[▔─▁]{80}/);
    expect(err).toContain(`wrote ${svg}`);
    expect(readFileSync(svg!, 'utf8')).toMatch(/^<svg .*>\/J\/<.*>\/T\/<.*<\/svg>\n$/s);
    const changes = readVcd(readFileSync(vcd!, 'utf8'));
    const levels = changes['cable.MLT_3']!.map(each => each.split(':')[1]!).filter(level => level !== 'x');
    expect(new Set(levels)).toEqual(new Set(['0', '1', '11']));
    expect(changes['alice_eth0.TX_EN']!.length).toBe(3);
  });

  test('draws a stretch of time, from where it is told to', async () => {
    expect(await wave('two-hosts', '--frame', '1')).toBe(0);
    const startNs = Number(/begins at ([\d ]+) ns/.exec(out)![1]!.replace(/ /g, '')) + 32;
    out = '';
    expect(await wave('two-hosts', '--at', `${startNs + 80}ns`, '--for', '40ns')).toBe(0);
    expect(out).toMatch(/TXD {2}(│ff ){3}│ff?\s/);
    expect(out).toMatch(/\n +\+80 ns\n/);
  });

  test.each([
    [['two-hosts', '--wire', 'lan'], 'no wire "lan": there are cable'],
    [['two-hosts', '--frame', '999'], 'there is no frame 999 on cable'],
    [['two-hosts', '--frame', '2', '--at', '1s'], 'give --frame or --at, not both'],
    [['two-hosts', '--at', '1s', '--for', '1us'], 'no frame is on cable in the 1 us from 1000000000 ns on'],
    [['two-hosts', '--for', '1ms'], '--for is 32.768 us at most'],
    [['two-hosts', '--frame', '0'], 'a count is a number from 1 on'],
    [['two-hosts', '--code', 'pam5'], 'Allowed choices are manchester, mlt3, 8b10b'],
    [['lab'], 'no frame goes over uplink'],
    [['nowhere'], 'no scenario "nowhere"'],
  ])('%j: one line, and exit code 2', async (args, message) => {
    expect(await wave(...args)).toBe(2);
    expect(err).toContain(message);
    expect(out).toBe('');
    expect(
      err
        .replace(/\(ringtail --help.*\n/, '')
        .trimEnd()
        .split('\n').length,
    ).toBe(1);
  });
});
