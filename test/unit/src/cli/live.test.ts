/** `ringtail live` with impairments: what it refuses, what the peer notices, and the same run again from the journal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readJournal } from '../../../../src/bridge/journal.ts';
import { formatMac } from '../../../../src/lib/bytes.ts';
import { runMain } from '../../../support/command.ts';
import { arpFrame, frame, icmp, ipv4 } from '../../../support/packets.ts';
import { LiveProcess, ringtail } from '../../../support/ringtail-process.ts';
import { StreamPeer, temporaryDirectory, until } from '../../../support/stream-peer.ts';

const PEER = { mac: '02:00:00:00:00:09', address: '192.0.2.9' };
const HOST = '192.0.2.2';

const question = arpFrame({ opcode: 1, senderMac: PEER.mac, sender: PEER.address, target: HOST });

function echoRequest(to: string, sequence: number): Uint8Array {
  const payload = icmp({ type: 8, word: sequence, data: new Uint8Array(64).fill(sequence) });
  return frame({
    to,
    from: PEER.mac,
    type: 0x0800,
    payload: ipv4({ source: PEER.address, destination: HOST, protocol: 1, payload }),
  });
}

describe('what makes no sense is refused in one line', () => {
  const wires = ['--wire', 'uplink=/tmp/never.sock'];
  test.each<[string[], string]>([
    [[...wires, '--loss', '101%'], '--loss: a rate is a percentage or a fraction, such as 5% or 0.05; not "101%"'],
    [[...wires, '--corrupt', '-1'], 'not "-1"'],
    [[...wires, '--reorder', 'often'], '--reorder: a rate is a percentage'],
    [[...wires, '--delay', '20'], '--delay: a duration is a number and a unit'],
    [[...wires, '--delay', '3s'], 'wire uplink: delayNs is 0 to 2000000000 whole nanoseconds, not 3000000000'],
    [[...wires, '--loss', 'lan:5%'], '--loss names the wire "lan", which no --wire opens'],
    [[...wires, '--loss', '5%', '--loss', 'uplink:6%'], '--loss is given twice for the wire uplink'],
    [['--wire', 'lan=/tmp/never.sock', '--loss', '5%'], 'no open wire "lan": uplink'],
  ])('live lab %j', async (args, message) => {
    const { status, stdout, stderr } = await runMain('live', 'lab', ...args);
    expect(stderr).toMatch(/^ringtail: .*\n$/);
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([2, '']);
  });

  test.each<[string, string[], string]>([
    ['lab', ['--nat', 'on'], 'scenario lab has no option "--nat": it has no options of its own'],
    ['lab-router', ['--nat', 'maybe'], '--nat is on or off, not "maybe"'],
    ['lab-router', ['--mtu', '12'], 'scenario lab-router failed while it was built: an MTU of 12'],
    ['lab-router', ['--mtu'], '--mtu wants a value'],
  ])('live %s %j', async (name, args, message) => {
    const { status, stdout, stderr } = await runMain('live', name, '--wire', 'inside=/tmp/never.sock', ...args);
    expect(stderr).toMatch(/^ringtail: .*\n$/);
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([2, '']);
  });

  test.each<[unknown, string]>([
    [7, 'the values make no sense'],
    [null, 'the values make no sense'],
    [{ frogs: 1 }, 'scenario lab-router has no option "frogs": it has --nat, --filter, --mtu'],
    [{ nat: 'maybe' }, '"maybe" is no value of the option nat of scenario lab-router'],
    [{ mtu: '1280' }, '"1280" is no value of the option mtu of scenario lab-router'],
    [{ mtu: null }, 'null is no value of the option mtu of scenario lab-router'],
  ])('a journal whose values are %j', async (values, message) => {
    const path = join(temporaryDirectory(), 'journal');
    const header = { ringtail: 1, scenario: 'lab-router', seed: '1', options: { values } };
    writeFileSync(path, `${JSON.stringify(header)}\n`);
    const { status, stderr } = await runMain('replay', path);
    expect([status, stderr]).toEqual([2, `ringtail: ${path}, line 1: ${message}\n`]);
  });

  test('a journal whose impairments are none', async () => {
    const path = join(temporaryDirectory(), 'journal');
    for (const impairments of [7, { uplink: { loss: 'all' } }, { uplink: { lose: 1 } }, { uplink: null }]) {
      const header = { ringtail: 1, scenario: 'lab', seed: '1', options: { impairments } };
      writeFileSync(path, `${JSON.stringify(header)}\n`);
      expect((await runMain('replay', path)).stderr).toBe(`ringtail: ${path}, line 1: the impairments make no sense\n`);
    }
  });
});

test('a live run with impairments is repeated by its journal to the byte', async () => {
  const directory = temporaryDirectory();
  const options = ['--loss', '30%', '--duplicate', '0.2', '--reorder', 'uplink:10%', '--corrupt', '5%'];
  options.push('--delay', '3ms', '--jitter', '1ms');
  const live = await LiveProcess.start('lab', 'uplink', directory, { options });
  try {
    const peer = await StreamPeer.connect(live.socketPath);
    await until('an answer to ARP', () => {
      peer.send(question);
      return peer.received.length > 0;
    });
    const mac = formatMac(peer.received[0]!, 6);
    const count = 200;
    const isEcho = (octets: Uint8Array) => octets[13] === 0 && octets[34] === 0;
    for (let i = 0; i < count; i++) peer.send(echoRequest(mac, i));
    await until('a third of the echoes', () => peer.received.filter(isEcho).length >= count / 3);
    expect(await live.end('SIGTERM')).toBe(0);
  } finally {
    live.kill();
  }
  expect(readJournal(live.journalPath).header.options).toEqual({
    impairments: {
      uplink: { loss: 0.3, duplicate: 0.2, reorder: 0.1, corrupt: 0.05, delayNs: 3_000_000, jitterNs: 1_000_000 },
    },
  });
  for (const name of ['lost', 'duplicated', 'reordered', 'corrupted']) {
    expect(live.printed).toMatch(new RegExp(`\\b${name}: [1-9]`));
  }
  const again = join(directory, 'again.pcapng');
  const replayed = ringtail('replay', live.journalPath, '--pcap', again);
  expect(readFileSync(again).equals(readFileSync(live.pcapPath))).toBe(true);
  const countersIn = (printed: string) => /^impairments:\n( +.*\n)+/m.exec(printed)![0];
  expect(countersIn(replayed)).toBe(countersIn(live.printed));
});
