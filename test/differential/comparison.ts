/** Compares two runs of one program, and shows where they part: the transcripts side by side. */
import { abridged, type Outcome, opText, type Program, type Run } from './ops.ts';

/** Lines of transcript in front of the first difference. */
const CONTEXT_LINES = 60;
const FRAME_LINES = 12;
const FRAME_OCTETS = 96;
/** Memory is shown by rows of so many hexadecimal digits, and only those that differ. */
const ROW_DIGITS = 64;
const ROWS = 16;

/** Null when both runs say the same; else a report for a person. */
export function difference(program: Program, ringtail: Run, qemu: Run): string | null {
  const first = program.findIndex((_, i) => !agree(ringtail.outcomes[i]!, qemu.outcomes[i]!));
  const frames = framesText(ringtail.frames, qemu.frames);
  if (first < 0 && frames.length === 0) return null;
  const ops = first < 0 ? program : program.slice(0, first + 1);
  const lines = ops.map((op, i) =>
    `${opText(op)}  ${outcomesText(ringtail.outcomes[i]!, qemu.outcomes[i]!)}`.trimEnd(),
  );
  const shown = lines.slice(-CONTEXT_LINES);
  if (shown.length < lines.length) shown.unshift(`(${lines.length - shown.length} lines left out)`);
  return [...shown, ...frames].join('\n');
}

const agree = (a: Outcome, b: Outcome): boolean => a.value === b.value && a.edges.join() === b.edges.join();

const outcomeText = ({ value, edges }: Outcome): string => [value, ...edges].join(' ');

function outcomesText(ringtail: Outcome, qemu: Outcome): string {
  const long = ringtail.value.length > ROW_DIGITS;
  if (agree(ringtail, qemu)) return long ? '(the same)' : outcomeText(ringtail);
  if (long) return ['', ...rowsText(ringtail.value, qemu.value)].join('\n');
  return `\n  ringtail: ${outcomeText(ringtail)}\n  qemu:     ${outcomeText(qemu)}`;
}

function rowsText(ringtail: string, qemu: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < ringtail.length && lines.length < 2 * ROWS; at += ROW_DIGITS) {
    const ours = ringtail.slice(at, at + ROW_DIGITS);
    const theirs = qemu.slice(at, at + ROW_DIGITS);
    const offset = `+${(at / 2).toString(16)}`.padEnd(7);
    if (ours !== theirs) lines.push(`  ringtail: ${offset} ${ours}`, `  qemu:     ${offset} ${theirs}`);
  }
  return lines;
}

/** The first frames that differ; nothing if none do. */
function framesText(ringtail: readonly Uint8Array[], qemu: readonly Uint8Array[]): string[] {
  const text = (octets: Uint8Array | undefined) =>
    octets === undefined ? 'none' : `${octets.length}: ${abridged(octets, FRAME_OCTETS)}`;
  const lines: string[] = [];
  for (let i = 0; i < Math.max(ringtail.length, qemu.length) && lines.length < FRAME_LINES; i++) {
    const [ours, theirs] = [ringtail[i], qemu[i]];
    if (ours !== undefined && theirs !== undefined && sameBytes(ours, theirs)) continue;
    lines.push(`frame ${i} of ${ringtail.length}`, `  ringtail: ${text(ours)}`, `  qemu:     ${text(theirs)}`);
  }
  return lines;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
