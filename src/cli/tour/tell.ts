/** Prints the tour for a person: the steps by chapters, then what came of it, then the files. */
import pico from 'picocolors';
import type { WebJourneyResult } from '../../scenarios/web-journey.ts';
import type { Step } from './step.ts';

const TEXT_COLUMNS = 100;
const INDENT = '    ';
const INTRODUCTION =
  'alice, in a network at home, wants a page of a web server. Between them are a switch, a router that translates addresses, the router of a provider, and that of a data centre. What follows is what this run did: the first packet of the connection register by register, then in larger steps. Times are virtual nanoseconds since everything was switched on; names and numbers are those of this run.';

/** Colours are for a terminal, which a CI system is not, or for whoever asks for them by FORCE_COLOR. */
const coloursWanted = (): boolean =>
  pico.isColorSupported && (process.stdout.isTTY === true || process.env['FORCE_COLOR'] !== undefined);

type Write = (line: string) => void;
type Colours = ReturnType<typeof pico.createColors>;

/** `coloured` says whether to use colours; unless given, whether standard output is a terminal. */
export function tell(
  write: Write,
  steps: readonly Step[],
  result: WebJourneyResult,
  files: readonly string[],
  coloured = coloursWanted(),
): void {
  const pc = pico.createColors(coloured);
  write(pc.bold('The journey of a web page'));
  for (const line of wrapped(INTRODUCTION)) write(line);
  let chapter = '';
  for (const [index, step] of steps.entries()) {
    if (step.chapter !== chapter) {
      chapter = step.chapter;
      write('');
      write(pc.bold(`== ${chapter}`));
    }
    tellStep(write, pc, index + 1, step);
  }
  write('');
  write(pc.bold('And so'));
  for (const line of outcome(result)) write(`${INDENT}${line}`);
  write('');
  write(pc.bold('Files'));
  for (const file of files) write(`${INDENT}${file}  ${pc.dim(purposeOf(file))}`);
}

function outcome(result: WebJourneyResult): string[] {
  const { url, status, bodyBytes, intact, durationNs, client, lost, retransmitted } = result;
  return [
    `${url}: ${status ?? result.error}, ${bodyBytes} bytes, ${intact ? 'intact' : 'DAMAGED'}, in ${durationNs} ns`,
    `the server has seen ${client}; segments lost ${lost}, sent again ${retransmitted}`,
  ];
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
    : 'every frame on every cable, with its FCS: open it with Wireshark';
}
