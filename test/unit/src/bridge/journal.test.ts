/** The journal file: what is written is what is read, and a damaged one is refused by line. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { JournalWriter, parseJournal, readJournal } from '../../../../src/bridge/journal.ts';
import { temporaryDirectory } from '../../../support/stream-peer.ts';

const HEADER = { scenario: 'lab', seed: '1', options: { pcap: 'x' } };
const RECORD = { step: 3, t: 1200, wire: 'uplink', frame: Uint8Array.from([0xff, 0x00, 0x1a]) };
const END = { step: 9, t: 5000, failed: null };

const HEADER_LINE = '{"ringtail":1,"scenario":"lab","seed":"1","options":{}}';
const RECORD_LINE = '{"step":3,"t":1200,"wire":"uplink","frame":"ff001a"}';
const END_LINE = '{"end":true,"step":9,"t":5000}';
const parse = (...lines: string[]) => parseJournal(`${lines.join('\n')}\n`, 'j');

describe('a journal', () => {
  it('reads back as it was written', () => {
    const path = join(temporaryDirectory(), 'run.jsonl');
    const writer = new JournalWriter(path, HEADER);
    writer.add(RECORD);
    writer.end(END);
    writer.close();
    expect(readJournal(path)).toEqual({ header: HEADER, records: [RECORD], end: END });
  });

  it('is JSON, one value a line, and says how a failed run ended', () => {
    const path = join(temporaryDirectory(), 'run.jsonl');
    const writer = new JournalWriter(path, { ...HEADER, options: {} });
    writer.add(RECORD);
    writer.end({ ...END, failed: 'it broke' });
    writer.close();
    const failedLine = '{"end":true,"step":9,"t":5000,"failed":"it broke"}';
    expect(readFileSync(path, 'utf8')).toBe(`${HEADER_LINE}\n${RECORD_LINE}\n${failedLine}\n`);
    expect(readJournal(path).end).toEqual({ ...END, failed: 'it broke' });
  });

  it('has a frame in the file as soon as it is flushed', () => {
    const path = join(temporaryDirectory(), 'run.jsonl');
    const writer = new JournalWriter(path, HEADER);
    writer.add(RECORD);
    writer.flush();
    expect(readJournal(path)).toEqual({ header: HEADER, records: [RECORD], end: null });
    writer.close();
  });

  it('has no end when the run was killed, and then a line that was cut off is left out', () => {
    const path = join(temporaryDirectory(), 'run.jsonl');
    writeFileSync(path, `${HEADER_LINE}\n${RECORD_LINE}\n`);
    appendFileSync(path, '{"step":4,"t":13');
    expect(readJournal(path)).toMatchObject({ records: [RECORD], end: null });
  });

  it.each([
    ['an empty file', [], 'j, line 1: not a Ringtail journal'],
    ['another file', ['hello'], 'j, line 1: not a Ringtail journal'],
    ['another JSON file', ['{"name":"x"}'], 'j, line 1: not a Ringtail journal'],
    ['a later version', ['{"ringtail":2}'], 'j, line 1: journal version 2; this Ringtail reads 1'],
    ['no seed', ['{"ringtail":1,"scenario":"lab","options":{}}'], 'j, line 1: scenario and seed must be text'],
    ['a broken line', [HEADER_LINE, RECORD_LINE.slice(0, -3), END_LINE], 'j, line 2: not JSON'],
    ['an array', [HEADER_LINE, '[]'], 'j, line 2: not a JSON object'],
    ['no step', [HEADER_LINE, '{"t":1,"wire":"w","frame":"00"}'], 'j, line 2: step and t must be whole numbers'],
    ['a negative time', [HEADER_LINE, '{"step":1,"t":-1,"wire":"w","frame":"00"}'], 'j, line 2: step and t must be'],
    ['half an octet', [HEADER_LINE, '{"step":1,"t":1,"wire":"w","frame":"0"}'], 'j, line 2: frame must be'],
    ['no frame', [HEADER_LINE, '{"step":1,"t":1,"wire":"w"}'], 'j, line 2: frame must be'],
    ['no wire', [HEADER_LINE, '{"step":1,"t":1,"frame":"00"}'], 'j, line 2: wire must be'],
    [
      'time that runs backwards',
      [HEADER_LINE, END_LINE.replace('"end":true', '"wire":"w","frame":"00"'), RECORD_LINE],
      'j, line 3: step and t may not run backwards',
    ],
    ['a frame after the end', [HEADER_LINE, END_LINE, RECORD_LINE], 'j, line 3: nothing may follow the end'],
    ['a failure without text', [HEADER_LINE, '{"end":true,"step":9,"t":5000,"failed":1}'], 'j, line 2: failed must be'],
  ])('is refused with its line: %s', (_name, lines, message) => {
    expect(() => parse(...lines)).toThrow(message);
  });
});
