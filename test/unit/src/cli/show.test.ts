import { resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../../src/cli/main.ts';
import { COMPUTER_VIEWS, SWITCH_VIEWS } from '../../../../src/views/index.ts';
import { ringtail } from '../../../support/ringtail-process.ts';

const OFFICE = resolve('test/support/small-office.ts');
const FAILED = 2;

/** Runs `ringtail show` in this process. */
async function show(...args: readonly string[]) {
  const printed: string[] = [];
  const said: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation(text => printed.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation(text => said.push(String(text)) > 0);
  const exitCode = await main(['node', 'ringtail', 'show', ...args]);
  vi.restoreAllMocks();
  return { exitCode, printed: printed.join(''), said: said.join('') };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('ringtail show', () => {
  it('prints the table of every computer that has one', async () => {
    const { exitCode, printed } = await show('sockets', 'web', '--until', '3s');
    expect(exitCode).toBe(0);
    expect(
      printed
        .replace(/:\d{5}\b/g, ':n')
        .replace(/ +/g, ' ')
        .split('\n'),
    ).toEqual([
      'web, seed 1: 3 s of virtual time',
      '',
      'server',
      ' Netid State Recv-Q Send-Q Local Peer Info',
      ' tcp LISTEN 0 16 *:80 *:*',
      ' tcp TIME-WAIT 0 0 192.0.2.1:80 192.0.2.2:n',
      ' tcp TIME-WAIT 0 0 192.0.2.1:80 192.0.2.2:n',
      '',
      'client',
      ' Netid State Recv-Q Send-Q Local Peer Info',
      ' tcp TIME-WAIT 0 0 192.0.2.2:n 192.0.2.1:80',
      ' tcp TIME-WAIT 0 0 192.0.2.2:n 192.0.2.1:80',
      '',
    ]);
  });

  it('shows a run that is paused, with --until', async () => {
    const { printed } = await show('neigh', 'web', '--until', '1s', '--on', 'server');
    expect(printed).toBe('web, seed 1: 1 s of virtual time\n\nserver\n  Address  Dev  MAC  State  Waiting\n');
  });

  it('prints only what --on names, and rows as JSON with --json', async () => {
    const { printed } = await show('mac', OFFICE, '--on', 'sw', '--json', '--seed', '5');
    const { mac, ...summary } = JSON.parse(printed);
    expect(summary).toEqual({ scenario: OFFICE, seed: '5', virtualTimeNs: 4_000_000_000 });
    expect(Object.keys(mac)).toEqual(['sw']);
    expect(mac.sw[0]).toEqual({ mac: '52:54:00:aa:00:01', vlan: 1, port: 3, static: true, ageNs: null });
  });

  it('leaves out who has no such table', async () => {
    const { nat } = JSON.parse((await show('nat', OFFICE, '--json')).printed);
    expect(Object.keys(nat)).toEqual(['router']);
  });

  it('prints how a table has changed, with --changes', async () => {
    const { printed } = await show('nat', OFFICE, '--changes');
    const states = printed
      .split('\n')
      .flatMap(line => /^ +[\d.]+ {2}([-+~]) .* tcp +(\S+( \S+)?) {2}/.exec(line) ?? []);
    expect(states.filter((_, i) => i % 4 === 1 || i % 4 === 2)).toEqual([
      '+',
      'FORWARD',
      '+',
      'INSIDE INIT',
      '~',
      'ESTABLISHED',
    ]);
    const { route } = JSON.parse((await show('route', OFFICE, '--changes', '--json', '--on', 'alice')).printed);
    expect(route.alice[0]).toMatchObject({
      timeNs: 0,
      change: 'added',
      row: { destination: '127.0.0.0/8', dev: 'lo' },
    });
  });

  it('takes options of the scenario', async () => {
    const { exitCode, said } = await show('addr', 'two-hosts', '--metres', '7');
    expect([exitCode, said.includes('has no option "--metres"')]).toEqual([FAILED, true]);
    expect((await show('addr', 'loop', '--stp', 'on', '--until', '1ms')).exitCode).toBe(0);
  });

  it.each([
    [
      ['colours', 'web'],
      'no table "colours": there are addr, route, neigh, nat, filter, connections, sockets, mac, ports',
    ],
    [['addr', 'web', '--on', 'bob'], 'scenario web has no "bob": there are server, client'],
    [['addr', OFFICE, '--on', 'bert'], `scenario ${OFFICE} has no "bert": there are alice, bob, router, server, sw`],
    [['mac', OFFICE, '--on', 'alice'], 'alice is a computer: table mac is one of switches'],
    [['addr', OFFICE, '--on', 'sw'], 'sw is a switch: table addr is one of computers'],
    [['nat', OFFICE, '--on', 'alice'], 'there is no address translation on alice, so no table nat'],
    [['filter', 'web'], 'there is no packet filter on any computer of scenario web, so no table filter'],
    [['mac', 'web'], 'scenario web has no switch, so no table mac'],
    [['neigh', 'web', '--changes'], 'nothing tells of changes of table neigh: only of route, nat, mac'],
    [['addr', 'nowhere'], /^no scenario "nowhere"/],
    [['addr', 'web', '--until', 'noon'], /a duration is a number and a unit/],
  ])('says what is wrong with %j', async (args, message) => {
    const { exitCode, printed, said } = await show(...args);
    expect([exitCode, printed]).toEqual([FAILED, '']);
    expect(said).toMatch(/^ringtail: [^\n]*\n$/);
    const text = said.slice('ringtail: '.length, -1);
    if (typeof message === 'string') expect(text).toBe(message);
    else expect(text).toMatch(message);
  });

  it('is in the help, with every table that there is', () => {
    const help = ringtail('show', '--help').replace(/\s+/g, ' ');
    for (const name of Object.keys({ ...COMPUTER_VIEWS, ...SWITCH_VIEWS }))
      expect(help).toMatch(new RegExp(`\\b${name}\\b`));
  });
});
