/**
 * The journal of a live run: all that came in from outside, and when. With the scenario and the seed it is the whole
 * run, because nothing else reaches the world. One JSON value a line:
 *
 *     {"ringtail":1,"scenario":"lab","seed":"1","options":{}}
 *     {"step":41,"t":1250000,"wire":"uplink","frame":"ffffffffffff…"}
 *     {"end":true,"step":97,"t":3000000000}
 *
 * `step` and `t` (virtual nanoseconds) are the position of the clock when the frame went in: the step is what makes a
 * replay exact, since two things may happen at one nanosecond. A frame is in the file before the world reacts to it,
 * so that the journal of a run that failed holds what made it fail; the end then says so, `"failed":"why"`.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { bytesFromHex } from '../lib/bytes.ts';
import { MAX_FRAME_BYTES } from './stream-framing.ts';

const JOURNAL_VERSION = 1;

export interface JournalHeader {
  readonly scenario: string;
  readonly seed: string;
  /** Whatever else the run was started with that its outcome depends on; JSON. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A place in a run: steps taken since the world began, and virtual nanoseconds. */
export interface JournalPosition {
  readonly step: number;
  readonly t: number;
}

export interface JournalRecord extends JournalPosition {
  readonly wire: string;
  readonly frame: Uint8Array;
}

export interface JournalEnd extends JournalPosition {
  /** The message of what the run threw, or null when it ended as it was to. */
  readonly failed: string | null;
}

export interface Journal {
  readonly header: JournalHeader;
  readonly records: readonly JournalRecord[];
  /** Where the run ended, or null when it was killed before it could say so. */
  readonly end: JournalEnd | null;
}

/** Writes a journal to a file, which it makes or empties. `close` leaves it without an end, as a killed run does. */
export class JournalWriter {
  readonly #file: number;
  #lines = '';

  constructor(path: string, header: JournalHeader) {
    this.#file = openSync(path, 'w');
    const { scenario, seed, options } = header;
    this.#line({ ringtail: JOURNAL_VERSION, scenario, seed, options });
    this.flush();
  }

  /** Takes note of a frame; it is in the file after the next flush. */
  add(record: JournalRecord): void {
    const frame = Buffer.from(record.frame.buffer, record.frame.byteOffset, record.frame.length).toString('hex');
    this.#line({ step: record.step, t: record.t, wire: record.wire, frame });
  }

  end({ step, t, failed }: JournalEnd): void {
    this.#line({ end: true, step, t, ...(failed === null ? {} : { failed }) });
    this.flush();
  }

  flush(): void {
    if (this.#lines === '') return;
    writeSync(this.#file, this.#lines);
    this.#lines = '';
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }

  #line(value: unknown): void {
    this.#lines += `${JSON.stringify(value)}\n`;
  }
}

/** Reads a journal from a file. Throws an Error that names the file and the line when it is not one. */
export function readJournal(path: string): Journal {
  return parseJournal(readFileSync(path, 'utf8'), path);
}

/**
 * The journal in `text`; `path` is for messages. A last line that has no line end was cut off in the middle of a
 * write: it is left out, and the journal has then no end. Anything else that is not as above throws.
 */
export function parseJournal(text: string, path: string): Journal {
  const lines = text.split('\n');
  lines.pop();
  const header = parseHeader(objectOn(lines, 0, path), path);
  const records: JournalRecord[] = [];
  let end: JournalEnd | null = null;
  let last: JournalPosition = { step: 0, t: 0 };
  for (let i = 1; i < lines.length; i++) {
    const value = objectOn(lines, i, path);
    if (end !== null) throw malformed(path, i, 'nothing may follow the end');
    const position = parsePosition(value, last, path, i);
    if (value['end'] === true) end = { ...position, failed: parseFailure(value, path, i) };
    else records.push({ ...position, ...parseFrame(value, path, i) });
    last = position;
  }
  return { header, records, end };
}

type Fields = Readonly<Record<string, unknown>>;

function malformed(path: string, index: number, reason: string): Error {
  return new Error(`${path}, line ${index + 1}: ${reason}`);
}

function objectOn(lines: readonly string[], index: number, path: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(lines[index] ?? '');
  } catch {
    throw malformed(path, index, index === 0 ? 'not a Ringtail journal' : 'not JSON');
  }
  if (!isFields(value)) throw malformed(path, index, 'not a JSON object');
  return value;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseHeader(value: Fields, path: string): JournalHeader {
  const { ringtail, scenario, seed, options } = value;
  if (ringtail === undefined) throw malformed(path, 0, 'not a Ringtail journal');
  if (ringtail !== JOURNAL_VERSION) {
    throw malformed(path, 0, `journal version ${JSON.stringify(ringtail)}; this Ringtail reads ${JOURNAL_VERSION}`);
  }
  if (typeof scenario !== 'string' || typeof seed !== 'string' || !isFields(options)) {
    throw malformed(path, 0, 'scenario and seed must be text, and options an object');
  }
  return { scenario, seed, options };
}

function parsePosition(value: Fields, last: JournalPosition, path: string, index: number): JournalPosition {
  const { step, t } = value;
  if (!isCount(step) || !isCount(t)) throw malformed(path, index, 'step and t must be whole numbers, 0 or more');
  if (step < last.step || t < last.t) throw malformed(path, index, 'step and t may not run backwards');
  return { step, t };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseFailure({ failed }: Fields, path: string, index: number): string | null {
  if (failed !== undefined && typeof failed !== 'string') throw malformed(path, index, 'failed must be text');
  return failed ?? null;
}

function parseFrame(value: Fields, path: string, index: number): { wire: string; frame: Uint8Array } {
  const { wire, frame } = value;
  if (typeof wire !== 'string') throw malformed(path, index, 'wire must be the name of a wire');
  if (typeof frame !== 'string' || !/^([0-9a-f]{2})+$/.test(frame) || frame.length > 2 * MAX_FRAME_BYTES) {
    throw malformed(path, index, `frame must be 1 to ${MAX_FRAME_BYTES} octets in hexadecimal`);
  }
  return { wire, frame: bytesFromHex(frame) };
}
