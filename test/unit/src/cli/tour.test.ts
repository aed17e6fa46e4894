/** `ringtail tour`: what it tells is what the run did, and the files agree with it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../../../src/cli/tour/step.ts';
import { bytesFromHex, readBe16, readBe32 } from '../../../../src/lib/bytes.ts';
import { CLOSED_NS, type WebJourneyResult } from '../../../../src/scenarios/web-journey.ts';
import { runMain, runProcess } from '../../../support/command.ts';
import { readBlocks, readPackets, textOf } from '../../../support/pcapng-reader.ts';

interface Tour {
  readonly seed: string;
  readonly steps: readonly Step[];
  readonly result: WebJourneyResult;
  readonly files: readonly string[];
}

type Packet = ReturnType<typeof readPackets>[number] & { readonly wire: string };

const [FIN, SYN, ACK] = [0x01, 0x02, 0x10];
/** From alice to the server: each wire, and how a packet on its way there is marked in the capture. */
const THERE = [
  ['switch.port0', 'outbound'],
  ['switch.port2', 'inbound'],
  ['access', 'outbound'],
  ['long-haul', 'outbound'],
  ['rack', 'outbound'],
] as const;
const BACK = THERE.toReversed().map(([wire, way]) => [wire, way === 'outbound' ? 'inbound' : 'outbound'] as const);

let directory: string;
let tour: Tour;
let packets: Packet[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ringtail-tour-'));
  const { status, stdout, stderr } = await runMain('tour', '--json', '--out', join(directory, 'first'));
  expect([status, stderr]).toEqual([0, '']);
  tour = JSON.parse(stdout);
  const file = readFileSync(join(directory, 'first', 'tour.pcapng'));
  const wires = readBlocks(file)
    .filter(({ type }) => type === 1)
    .map(({ options }) => textOf(options(8).find(([code]) => code === 2)![1]));
  packets = readPackets([file]).map(packet => ({ ...packet, wire: wires[packet.interfaceId]! }));
});
afterAll(() => rmSync(directory, { recursive: true }));

const step = (title: string): Step => tour.steps.find(each => each.title === title)!;
const value = (title: string, name: string): string => step(title).values[name]!;
const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);

const on = (wire: string, direction: string): Packet[] =>
  packets.filter(packet => packet.wire === wire && packet.direction === direction);
const etherType = ({ bytes }: Packet): number => readBe16(bytes, 12);
const isTcp = (packet: Packet): boolean => etherType(packet) === 0x0800 && packet.bytes[23] === 6;
const dotted = ({ bytes }: Packet, at: number): string => bytes.subarray(at, at + 4).join('.');
/** `192.0.2.80:80`, the sender and the receiver of a segment. */
const ends = (packet: Packet): [string, string] => [
  `${dotted(packet, 26)}:${readBe16(packet.bytes, 34)}`,
  `${dotted(packet, 30)}:${readBe16(packet.bytes, 36)}`,
];
const flags = ({ bytes }: Packet): number => bytes[47]!;
const seq = ({ bytes }: Packet): number => readBe32(bytes, 38);
const ack = ({ bytes }: Packet): number => readBe32(bytes, 42);
const dataBytes = ({ bytes }: Packet): number => readBe16(bytes, 16) - 20 - 4 * (bytes[46]! >>> 4);
const mac = ({ bytes }: Packet, at: number): string => Buffer.from(bytes.subarray(at, at + 6)).toString('hex');
const lost = ({ comments }: Packet): boolean => comments.some(text => text.startsWith('lost'));

/** The SYN as it was on each wire. */
const syns = (): Packet[] =>
  THERE.map(([wire, way]) => on(wire, way).find(packet => isTcp(packet) && flags(packet) === SYN)!);
/** The SYN,ACK as it was on each wire, from the server on. */
const answers = (): Packet[] =>
  BACK.map(([wire, way]) => on(wire, way).find(packet => isTcp(packet) && flags(packet) === (SYN | ACK))!);

test('its steps stand in the order of time, and its chapters in one piece each', () => {
  const times = tour.steps.map(({ timeNs }) => timeNs);
  expect(times.length).toBeGreaterThanOrEqual(35);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const chapters = tour.steps.map(({ chapter }) => chapter);
  const changes = chapters.filter((chapter, index) => chapter !== chapters[index - 1]);
  expect(changes.length).toBeGreaterThanOrEqual(10);
  expect(new Set(changes).size).toBe(changes.length);
  for (const { values } of tour.steps) expect(Object.values(values).join()).not.toMatch(/undefined|NaN|null/);
});

describe('the first packet, register by register:', () => {
  test('the frame and the FCS that it prints are those of the capture', () => {
    const { bytes } = syns()[0]!;
    const shown = bytesFromHex(value('Onto the wire', 'frame').replace('...', ''));
    expect(shown.length).toBeGreaterThan(14);
    expect(Buffer.from(bytes).subarray(0, shown.length)).toEqual(Buffer.from(shown));
    expect(Buffer.from(bytes).subarray(-4)).toEqual(Buffer.from(bytesFromHex(value('Onto the wire', 'FCS'))));
  });

  test('the times on the wire are those of the capture, at a gigabit', () => {
    const { timeNs, bytes } = syns()[0]!;
    const [header, octets, startNs, endNs, lengthNs] = numbers(value('Onto the wire', 'on the wire'));
    const [delayNs, arrivalNs] = numbers(value('Onto the wire', 'propagation'));
    expect([header, octets]).toEqual([8, bytes.length]);
    expect([lengthNs, endNs! - startNs!]).toEqual([8 * (8 + bytes.length), lengthNs]);
    expect([arrivalNs, startNs! + delayNs!]).toEqual([timeNs, timeNs]);
  });

  test('the addresses and lengths of every layer are those in the frame', () => {
    const syn = syns()[0]!;
    const { bytes } = syn;
    const [title, frame] = ['IPv4 puts an address on it', 'The driver fills in a descriptor'];
    expect([value(title, 'from'), value(title, 'to')]).toEqual([dotted(syn, 26), dotted(syn, 30)]);
    expect(numbers(value(title, 'length'))).toEqual([readBe16(bytes, 16)]);
    expect(numbers(value(frame, 'frame'))).toEqual([bytes.length - 4]);
    expect(value(frame, 'length')).toBe(`${bytes.length - 4}`);
    expect(value('The far NIC lets it in', 'LENGTH')).toBe(`${bytes.length - 4}`);
    const hop = value('The ARP cache knows the next hop', 'found').match(/(..:){5}../)![0];
    expect(Buffer.from(bytesFromHex(hop))).toEqual(Buffer.from(bytes.subarray(0, 6)));
  });

  test('the descriptor is written back with DD after the last bit has left, not before', () => {
    const [, , , endNs] = numbers(value('Onto the wire', 'on the wire'));
    expect(step('The sender gets its buffer back').timeNs).toBe(endNs);
    const [before, after] = ['The driver fills in a descriptor', 'The sender gets its buffer back'].map(title =>
      bytesFromHex(value(title, 'descriptor').split(': ')[1]!),
    );
    expect([before![12]! & 1, after![12]! & 1]).toEqual([0, 1]);
    expect(Buffer.from(after!).subarray(0, 12)).toEqual(Buffer.from(before!).subarray(0, 12));
  });
});

describe('in the house:', () => {
  test('the question for the hardware address went out by all other ports, its answer by one', () => {
    const arps = ['switch.port0', 'switch.port1', 'switch.port2'].map(wire =>
      packets.filter(packet => packet.wire === wire && etherType(packet) === 0x0806).map(({ direction }) => direction),
    );
    // Seen from the NIC at end 0: what is inbound comes from the switch.
    expect(arps).toEqual([['outbound', 'inbound'], ['inbound'], ['inbound', 'outbound']]);
    const title = 'The switch learns, and asks everybody';
    expect(value(title, 'looked up')).toBe('ff:ff:ff:ff:ff:ff: flooded, to ports 1 and 2');
    expect(value(title, 'looked up then')).toMatch(/: forwarded, to port 0$/);
  });

  test('the name became the address that the connection goes to', () => {
    expect(value('A program asks', 'name')).toBe('www.example.net');
    expect(value('The answer: an address', 'answer')).toBe(`www.example.net A ${dotted(syns()[0]!, 30)}`);
  });

  test('the switch passes a frame on as it is; who is at another port sees nothing of it', () => {
    const [before, behind] = syns();
    expect(Buffer.from(behind!.bytes)).toEqual(Buffer.from(before!.bytes));
    const title = 'The switch looks the address up';
    const fcs = Buffer.from(before!.bytes.subarray(-4)).toString('hex');
    for (const name of ['FCS of what came in', 'FCS of what goes out']) {
      expect(value(title, name).replace(/,.*| /g, '')).toBe(fcs);
    }
    expect(packets.filter(packet => packet.wire === 'switch.port1' && isTcp(packet))).toEqual([]);
  });
});

describe('routers:', () => {
  test('the time to live is one less behind each, and the Ethernet addresses are those of the next cable', () => {
    const hops = syns();
    expect(hops.map(({ bytes }) => bytes[22])).toEqual([64, 64, 63, 62, 61]);
    const titles = ['The routing table', 'The router of the provider', 'The router of the data centre'];
    expect(titles.map(title => value(title, 'TTL'))).toEqual(['64 to 63', '63 to 62', '62 to 61']);
    const pairs = hops.map(packet => `${mac(packet, 6)} ${mac(packet, 0)}`);
    expect(new Set(pairs).size).toBe(4);
    expect(answers().map(({ bytes }) => bytes[22])).toEqual([64, 63, 62, 61, 61]);
    expect(numbers(value('The way back', 'TTL behind edge, isp, home'))).toEqual([63, 62, 61]);
  });

  test('the source is private before the NAT router, and public behind it', () => {
    const sources = syns().map(packet => ends(packet)[0]);
    const title = 'One public address for the whole house';
    const [before, after] = [value(title, 'source before'), value(title, 'source after')];
    expect(sources).toEqual([before, before, after, after, after]);
    expect([before.split(':')[0], after.split(':')[0]]).toEqual(['192.168.1.2', '203.0.113.2']);
    const entry = [after, before].flatMap(end => end.split(':')).join(' | ');
    expect(value(title, 'entry')).toBe(`${entry} | tcp | INSIDE INIT`);
    expect(tour.result.client).toBe(after);
    expect(answers().map(packet => ends(packet)[1])).toEqual([after, after, after, before, before]);
  });

  test('where the next hop was unknown, a question and its answer went over that cable before the packet did', () => {
    for (const [title, wire] of [
      ['The router of the provider', 'long-haul'],
      ['The router of the data centre', 'rack'],
    ] as const) {
      const first = packets.filter(packet => packet.wire === wire).slice(0, 3);
      expect(first.map(etherType)).toEqual([0x0806, 0x0806, 0x0800]);
      const learned = value(title, 'learned').match(/(..:){5}../)![0];
      expect(mac(first[2]!, 0)).toBe(learned.replaceAll(':', ''));
    }
  });
});

describe('the connection:', () => {
  test('numbers and offers are those of the SYNs', () => {
    const [syn, answer] = [syns()[0]!, answers()[0]!];
    const [asking, agreeing] = ['connect(): what there is to agree on', 'The server agrees'];
    expect(Number(value(asking, 'sequence number'))).toBe(seq(syn));
    expect(Number(value(agreeing, 'sequence number'))).toBe(seq(answer));
    expect(numbers(value(agreeing, 'acknowledgement number'))[0]).toBe(seq(syn) + 1);
    expect(ack(answer)).toBe(seq(syn) + 1);
    // Its first option: kind 2, length 4, and the maximum segment size.
    expect(Buffer.from(syn.bytes.subarray(54, 58)).toString('hex')).toBe('020405b4');
    expect(value(asking, 'offers')).toMatch(/^MSS 1460, window scale \d+, SACK permitted, timestamps; window 65535$/);
  });

  test('four addresses find its socket on both sides, and the one that listens stays', () => {
    const [client, server] = ends(syns()[0]!);
    const outside = ends(syns().at(-1)!)[0];
    expect(value('connect(): what there is to agree on', 'four addresses')).toBe(`${client}-${server}`);
    expect(value('A copy of the listening socket', 'looked up')).toBe(`${outside} to ${server}`);
    expect(value('A copy of the listening socket', 'found')).toBe('0.0.0.0:80, in state LISTEN');
    expect(value('A copy of the listening socket', 'new control block')).toBe(`${server}-${outside}`);
    expect(value('The request arrives', 'found')).toBe(`${server}-${outside}, in state ESTABLISHED`);
    expect(value('Connected', 'found')).toBe(`${client}-${server}, in state SYN-SENT`);
    expect(value('accept() returns', 'socket 1')).toBe('0.0.0.0:80 to 0.0.0.0:0, LISTEN');
    expect(value('accept() returns', 'socket 2')).toBe(`${server} to ${outside}, ESTABLISHED`);
  });

  test('exactly one segment was lost: it is not on the far side, and comes again later', () => {
    const gone = packets.filter(lost);
    expect(gone.map(({ wire, direction }) => [wire, direction])).toEqual([['long-haul', 'inbound']]);
    const [segment] = gone;
    expect(Number(value('One segment is lost', 'sequence number'))).toBe(seq(segment!));
    expect(numbers(value('One segment is lost', 'should have come out'))).toEqual([segment!.timeNs]);
    const copies = BACK.map(([wire, way]) =>
      on(wire, way).filter(packet => isTcp(packet) && dataBytes(packet) > 0 && seq(packet) === seq(segment!)),
    );
    expect(copies.map(({ length }) => length)).toEqual([2, 2, 1, 1, 1]);
    const resentNs = step('Sent once more').timeNs;
    for (const wire of copies) expect(wire.at(-1)!.timeNs).toBeGreaterThan(resentNs);
    expect(segment!.timeNs).toBeLessThan(resentNs);
    expect(value('Sent once more', 'reason')).toBe('fast retransmit');
    expect([tour.result.lost, tour.result.retransmitted]).toEqual([1, 1]);
  });

  test('the ACKs that asked for it are in the capture, all of them for the same octet', () => {
    const gone = packets.find(lost)!;
    const resentNs = step('Sent once more').timeNs;
    const asking = on('rack', 'outbound').filter(packet => isTcp(packet) && ack(packet) === seq(gone));
    // The first of them is an ordinary one.
    const count = Number(value('alice notices a hole', 'duplicate ACKs at the server'));
    expect([count, asking.filter(({ timeNs }) => timeNs < resentNs).length]).toEqual([3, 4]);
    expect(numbers(value('alice notices a hole', 'SACK says'))[0]).toBe(seq(gone) + dataBytes(gone));
  });

  test('the page is whole, and took the time that the program measured, but for its clock of 100 ns', () => {
    const { status, intact, bodyBytes, durationNs } = tour.result;
    expect([status, intact]).toEqual([200, true]);
    const octets = on('switch.port0', 'inbound').filter(isTcp).map(dataBytes);
    expect(numbers(value('The page is complete', 'read'))[0]).toBe(octets.reduce((sum, bytes) => sum + bytes, 0));
    expect(value('The page is complete', 'head')).toContain(`Content-Length: ${bodyBytes}`);
    const [toldNs] = numbers(value('The page is complete', 'since the program began'));
    expect(Math.abs(toldNs! - durationNs)).toBeLessThanOrEqual(100);
  });

  test('alice closes first, waits for twice two minutes, and then nothing is left', () => {
    const fins = on('rack', 'outbound')
      .concat(on('rack', 'inbound'))
      .filter(packet => isTcp(packet));
    const closing = fins.filter(packet => (flags(packet) & FIN) !== 0).toSorted((a, b) => a.timeNs - b.timeNs);
    expect(closing.map(({ direction }) => direction)).toEqual(['outbound', 'inbound']);
    expect(value('alice closes first', 'segment')).toBe(`FIN ACK, sequence number ${seq(closing[0]!)}`);
    expect(value('The server closes too', 'segment')).toBe(`FIN ACK, sequence number ${seq(closing[1]!)}`);
    expect(value('TIME-WAIT', 'state')).toBe('FIN-WAIT-2 to TIME-WAIT');
    const [waitedNs] = numbers(value('The socket is deleted', 'in TIME-WAIT for'));
    expect(Math.abs(waitedNs! - 240e9)).toBeLessThan(1000);
    expect(tour.result.timeWait).toHaveLength(1);
    expect(tour.result.left).toEqual([]);
  });
});

test('the waveform ends with the connection, not with the minutes after it', () => {
  const text = readFileSync(join(directory, 'first', 'tour.vcd'), 'utf8');
  const times = [...text.matchAll(/^#(\d+)$/gm)].map(([, time]) => Number(time));
  expect(times.at(-1)).toBeGreaterThan(step('TIME-WAIT').timeNs);
  expect(times.at(-1)).toBeLessThanOrEqual(CLOSED_NS + 1000);
});

test('--quiet prints the names of the files, and a second run makes the same ones to the byte', async () => {
  const { status, stdout, stderr } = await runMain('tour', '--quiet', '--out', join(directory, 'second'));
  expect([status, stderr]).toEqual([0, '']);
  const names = ['tour.pcapng', 'tour.vcd'];
  expect(stdout).toBe(names.map(name => `${join(directory, 'second', name)}\n`).join(''));
  expect(tour.files).toEqual(names.map(name => join(directory, 'first', name)));
  for (const name of names) {
    const [first, second] = ['first', 'second'].map(folder => readFileSync(join(directory, folder, name)));
    expect(first!.length).toBeGreaterThan(1000);
    expect(first!.equals(second!)).toBe(true);
  }
});

test('another seed tells the same story with other numbers', async () => {
  const { status, stdout, stderr } = await runMain('tour', '--json', '--seed', '2', '--out', join(directory, 'other'));
  expect([status, stderr]).toEqual([0, '']);
  const { steps } = JSON.parse(stdout) as Tour;
  expect(steps.map(({ title }) => title)).toEqual(tour.steps.map(({ title }) => title));
  expect(steps.find(({ title }) => title === 'The server agrees')).not.toEqual(step('The server agrees'));
});

test('for a person: no colours where there is no terminal, the files in `out` where nothing else is said', () => {
  const folder = mkdtempSync(join(directory, 'here-'));
  const { status, stdout, stderr } = runProcess(folder, 'tour');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).not.toContain('\u001b');
  for (const { title, chapter } of tour.steps) {
    expect(stdout).toContain(title);
    expect(stdout).toContain(`== ${chapter}\n`);
  }
  expect(readdirSync(join(folder, 'out')).toSorted()).toEqual(['tour.pcapng', 'tour.vcd']);
});
