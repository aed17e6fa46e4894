/** `ringtail tour`: what it tells is what the run did, and the files agree with it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../../../src/cli/tour/step.ts';
import { bytesFromHex } from '../../../../src/lib/bytes.ts';
import { runMain, runProcess } from '../../../support/command.ts';
import { readPackets } from '../../../support/pcapng-reader.ts';

interface Tour {
  readonly seed: string;
  readonly steps: readonly Step[];
  readonly result: { readonly pings: readonly { readonly rttNs: number }[]; readonly echoes: readonly unknown[] };
  readonly files: readonly string[];
}

let directory: string;
let tour: Tour;
let packets: ReturnType<typeof readPackets>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ringtail-tour-'));
  const { status, stdout, stderr } = await runMain('tour', '--json', '--out', join(directory, 'first'));
  expect([status, stderr]).toEqual([0, '']);
  tour = JSON.parse(stdout);
  packets = readPackets([readFileSync(join(directory, 'first', 'tour.pcapng'))]);
});
afterAll(() => rmSync(directory, { recursive: true }));

const step = (title: string): Step => tour.steps.find(each => each.title === title)!;
const value = (title: string, name: string): string => step(title).values[name]!;
const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);

/** The first IPv4 packet in each direction: the echo request, and the reply. */
const ipv4 = (direction: string) =>
  packets.find(({ direction: way, bytes }) => way === direction && bytes[12] === 8 && bytes[13] === 0)!;

test('its steps stand in the order of time', () => {
  const times = tour.steps.map(({ timeNs }) => timeNs);
  expect(times.length).toBeGreaterThanOrEqual(12);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('the frame and the FCS that it prints are those of the capture', () => {
  const { bytes } = ipv4('outbound');
  const shown = bytesFromHex(value('Onto the wire', 'frame').replace('...', ''));
  expect(shown.length).toBeGreaterThan(14);
  expect(Buffer.from(bytes).subarray(0, shown.length)).toEqual(Buffer.from(shown));
  expect(Buffer.from(bytes).subarray(-4)).toEqual(Buffer.from(bytesFromHex(value('Onto the wire', 'FCS'))));
});

test('the times on the wire are those of the capture, at a gigabit', () => {
  const { timeNs, bytes } = ipv4('outbound');
  const [header, octets, startNs, endNs, lengthNs] = numbers(value('Onto the wire', 'on the wire'));
  const [delayNs, arrivalNs] = numbers(value('Onto the wire', 'propagation'));
  expect([header, octets]).toEqual([8, bytes.length]);
  expect([lengthNs, endNs! - startNs!]).toEqual([8 * (8 + bytes.length), lengthNs]);
  expect([arrivalNs, startNs! + delayNs!]).toEqual([timeNs, timeNs]);
});

test('the addresses and lengths of every layer are those in the frame', () => {
  const { bytes } = ipv4('outbound');
  const dotted = (at: number) => bytes.subarray(at, at + 4).join('.');
  const [title, frame] = ['IPv4 puts an address on it', 'The driver fills in a descriptor'];
  expect([value(title, 'from'), value(title, 'to')]).toEqual([dotted(26), dotted(30)]);
  expect(numbers(value(title, 'length'))).toEqual([256 * bytes[16]! + bytes[17]!]);
  expect(numbers(value(frame, 'frame'))).toEqual([bytes.length - 4]);
  expect(value(frame, 'length')).toBe(`${bytes.length - 4}`);
  const mac = value('ARP finds the hardware address', 'learned').match(/(..:){5}../)![0];
  expect(Buffer.from(bytesFromHex(mac))).toEqual(Buffer.from(bytes.subarray(0, 6)));
});

test('the ARP frames came before, and the reply after, as the capture has them', () => {
  const [question, answer] = packets;
  expect([question!.bytes[13], answer!.bytes[13], question!.direction, answer!.direction]).toEqual([
    6,
    6,
    'outbound',
    'inbound',
  ]);
  const reply = ipv4('inbound');
  const [, startNs] = /(\d+) to/.exec(value('Back where it began', 'reply on the wire'))!;
  expect(reply.timeNs - Number(startNs)).toBe(numbers(value('Onto the wire', 'propagation'))[0]);
});

test('the way from question to answer is the time that ping measured, but for its clock of 100 ns', () => {
  const [fromStepNs] = numbers(value('Back where it began', 'from question to answer'));
  expect(Math.abs(fromStepNs! - tour.result.pings[0]!.rttNs)).toBeLessThanOrEqual(100);
  expect([tour.result.pings.length, tour.result.echoes.length]).toEqual([3, 5]);
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

test('for a person: no colours where there is no terminal, the files in `out` where nothing else is said', () => {
  const folder = mkdtempSync(join(directory, 'here-'));
  const { status, stdout, stderr } = runProcess(folder, 'tour');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).not.toContain('\u001b');
  for (const { title } of tour.steps) expect(stdout).toContain(title);
  expect(readdirSync(join(folder, 'out')).toSorted()).toEqual(['tour.pcapng', 'tour.vcd']);
});
