/** What tshark makes of our captures: times, interfaces, FCS, comments. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Frame } from '../../hw/ethernet/frame.ts';
import { bytesFromHex } from '../../src/lib/bytes.ts';
import { PACKET_ERROR, PcapngWriter } from '../../src/observe/pcapng.ts';
import { requireTool } from '../support/require-tool.ts';

const ARP = new Uint8Array(60);
ARP.set(
  bytesFromHex(`ffffffffffff 525400000001 0806
    0001 0800 06 04 0001 525400000001 c0000201 000000000000 c0000202`),
);

requireTool('tshark')('tshark', () => {
  let folder: string;
  let rows: string[][];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringtail-capture-'));
    const chunks: Uint8Array[] = [];
    const writer = new PcapngWriter(chunk => chunks.push(chunk), 'two hosts');
    const there = writer.addInterface('h1-h2', 'between h1.eth0 and h2.eth0');
    const other = writer.addInterface('h3-h4', 'between h3.eth0 and h4.eth0');
    const good = Frame.withFcs(ARP).wire();
    const bad = good.slice();
    bad[20]! ^= 1;
    const damaged = ['damaged on the wire: 1 bit inverted, the first in octet 20', 'dropped by h4.eth0: bad frame'];
    const odd = Frame.withFcs(bytesFromHex(`525400000002 525400000001 88b5 ${'5a'.repeat(47)}`)).wire();
    writer.packet({ interfaceId: there, timeNs: 123, bytes: good, direction: 'outbound', errors: 0, comments: [] });
    writer.packet({
      interfaceId: other,
      timeNs: 2 ** 32 + 5,
      bytes: bad,
      direction: 'inbound',
      errors: PACKET_ERROR.CRC | PACKET_ERROR.SYMBOL,
      comments: damaged,
    });
    writer.packet({
      interfaceId: there,
      timeNs: 90_000_000_000_001,
      bytes: odd,
      direction: null,
      errors: 0,
      comments: [],
    });
    writer.statistics(there, { endNs: 90_000_000_000_001, received: 2, dropped: 0 });
    const file = join(folder, 'capture.pcapng');
    writeFileSync(file, Buffer.concat(chunks));
    const fields = ['frame.time_epoch', 'frame.interface_name', 'frame.interface_description', 'frame.len'];
    fields.push('frame.packet_flags', 'eth.fcs.status', 'frame.comment', '_ws.malformed', 'arp.dst.proto_ipv4');
    const options = ['-n', '-r', file, '-o', 'eth.check_fcs:TRUE', '-T', 'fields', '-E', 'aggregator=|'];
    const text = execFileSync('tshark', [...options, ...fields.flatMap(field => ['-e', field])], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    rows = text
      .replace(/\n$/, '')
      .split('\n')
      .map(line => line.split('\t'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reads times to the nanosecond, also beyond 2**32', () => {
    expect(rows.map(([time]) => time)).toEqual(['0.000000123', '4.294967301', '90000.000000001']);
  });

  it('reads the names of the interfaces', () => {
    expect(rows.map(([, name]) => name)).toEqual(['h1-h2', 'h3-h4', 'h1-h2']);
    expect(rows[1]![2]).toBe('between h3.eth0 and h4.eth0');
  });

  it('finds the FCS of each frame, and which of them are bad', () => {
    const [GOOD, BAD] = ['1', '0'];
    expect(rows.map(row => [row[3], row[5]])).toEqual([
      ['64', GOOD],
      ['64', BAD],
      ['65', GOOD],
    ]);
  });

  it('reads direction, FCS length and errors from the flags', () => {
    const [outbound, inbound, fcsOctets] = [2, 1, 4 << 5];
    expect(rows.map(row => Number(row[4]))).toEqual([
      outbound | fcsOctets,
      0x8100_0000 + (inbound | fcsOctets),
      fcsOctets,
    ]);
  });

  it('shows the comments, and finds nothing malformed', () => {
    expect(rows.map(row => row[6])).toEqual([
      '',
      'damaged on the wire: 1 bit inverted, the first in octet 20|dropped by h4.eth0: bad frame',
      '',
    ]);
    expect(rows.map(row => row[7])).toEqual(['', '', '']);
    expect(rows[0]![8]).toBe('192.0.2.2');
  });
});
