/** Prints the tour for a person: the steps, then what the programs got out of it, then the files. */
import pico from 'picocolors';
import { formatIpv4 } from '../../lib/bytes.ts';
import type { TwoHostsResult } from '../../scenarios/two-hosts.ts';
import type { Step } from './step.ts';

const TEXT_COLUMNS = 100;
const INDENT = '    ';

/** Colours are for a terminal, which a CI system is not, or for whoever asks for them by FORCE_COLOR. */
const coloursWanted = (): boolean =>
  pico.isColorSupported && (process.stdout.isTTY === true || process.env['FORCE_COLOR'] !== undefined);

type Write = (line: string) => void;
type Colours = ReturnType<typeof pico.createColors>;

/** `coloured` says whether to use colours; unless given, whether standard output is a terminal. */
export function tell(
  write: Write,
  steps: readonly Step[],
  result: TwoHostsResult,
  files: readonly string[],
  coloured = coloursWanted(),
): void {
  const pc = pico.createColors(coloured);
  write(pc.bold('The journey of one packet'));
  write('Two computers, alice and bob, joined by a cable. alice asks whether bob is there. What follows is what this');
  write('run did, register by register; times are virtual nanoseconds since both were switched on.');
  for (const [index, step] of steps.entries()) tellStep(write, pc, index + 1, step);
  write('');
  write(pc.bold('And then'));
  for (const ping of result.pings) {
    const answer =
      ping.kind === 'reply' ? `reply from ${formatIpv4(ping.address)} in ${ping.rttNs} ns, TTL ${ping.ttl}` : ping.kind;
    write(`${INDENT}ping ${ping.sequence}: ${pc.green(answer)}`);
  }
  for (const echo of result.echoes) {
    const answer =
      echo.kind === 'answer' ? `answer in ${echo.rttNs} ns, ${echo.intact ? 'intact' : 'DAMAGED'}` : echo.kind;
    write(`${INDENT}UDP datagram ${echo.sequence} to port 7: ${pc.green(answer)}`);
  }
  write('');
  write(pc.bold('Files'));
  for (const file of files) write(`${INDENT}${file}  ${pc.dim(purposeOf(file))}`);
}

function tellStep(write: Write, pc: Colours, number: number, { title, where, timeNs, text, values }: Step): void {
  write('');
  write(
    `${pc.bold(`${String(number).padStart(2)}. ${title}`)}  ${pc.cyan(where)}  ${pc.dim(`at ${grouped(timeNs)} ns`)}`,
  );
  for (const line of wrapped(text)) write(`${INDENT}${line}`);
  const width = Math.max(...Object.keys(values).map(name => name.length));
  for (const [name, value] of Object.entries(values))
    write(`${INDENT}  ${pc.dim(name.padEnd(width))}  ${pc.green(value)}`);
}

function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line.length + word.length < TEXT_COLUMNS) lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** `2004666540` as `2 004 666 540`. */
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

function purposeOf(file: string): string {
  return file.endsWith('.vcd')
    ? 'interrupt, bus and wire signals: open it with GTKWave or Surfer'
    : 'every frame on the cable, with its FCS: open it with Wireshark';
}
