/**
 * The command line: what each command is called and which options it takes. The commands themselves are loaded when
 * they are used, so that `ringtail list` starts quickly.
 *
 * Exit codes: 0 done; 2 the request itself was wrong, or a scenario or the software in it failed; `drill` has more of
 * its own (docs/drill.md). A person never sees a stack trace.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { BUILT_IN } from '../scenarios/index.ts';
import { parseDuration } from './duration.ts';
import { describeOptions } from './scenario-options.ts';
import { UsageError } from './usage-error.ts';

const FAILED = 2;
/** What `ringtail wave` can draw a line in. */
const LINE_CODES = ['manchester', 'mlt3', '8b10b'];

/** What holds for all of these options alike. */
const IMPAIRMENTS_HELP = `
--loss, --duplicate, --reorder, --corrupt, --delay and --jitter hold for both directions of every wire that --wire
opens, or, as in --loss uplink:5%, of the one that they name (repeatable).`;

/** Runs one command; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = ringtail();
  addTour(program);
  addList(program);
  addRun(program);
  addShow(program);
  addLive(program);
  addReplay(program);
  addWave(program);
  let exitCode = 0;
  addDrill(program, code => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : FAILED;
    process.stderr.write(`ringtail: ${oneLine(error)}\n`);
    return FAILED;
  }
}

function ringtail(): Command {
  return new Command('ringtail')
    .description('A machine you can see through: emulated computers, real drivers, and the wires between them.')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`ringtail: ${complaint(text)}`) })
    .configureHelp({ showGlobalOptions: false });
}

const seedOption = ['--seed <text>', 'everything random follows from it', '1'] as const;

function addTour(program: Command): void {
  program
    .command('tour')
    .description('the journey of a web page, step by step, its first packet register by register')
    .option(...seedOption)
    .option('--json', 'print the journey as JSON')
    .option('--quiet', 'print only the names of the files written')
    .option('--out <dir>', 'directory for the capture and the waveform', 'out')
    .action(async options => (await import('./tour-command.ts')).tourCommand(options));
}

function addList(program: Command): void {
  program
    .command('list')
    .description('the scenarios that are shipped, and their options')
    .action(async () => {
      const entries = Object.entries(BUILT_IN).map(async ([name, load]) => ({
        name,
        scenario: (await load()).default,
      }));
      for (const { name, scenario } of await Promise.all(entries)) {
        process.stdout.write(`${name.padEnd(16)} ${scenario.summary}\n`);
        for (const line of describeOptions(scenario)) process.stdout.write(`${' '.repeat(18)}${line}\n`);
      }
    });
}

function addRun(program: Command): void {
  program
    .command('run')
    .description('run a scenario: one of `ringtail list`, or a TypeScript file')
    .argument('<scenario>')
    .argument('[options...]', 'options of the scenario itself')
    .allowUnknownOption()
    .option(...seedOption)
    .option('--seeds <count>', 'run as many times, each with a seed of its own; tell mean and spread', parseCount)
    .option('--until <duration>', 'virtual time to run for, such as 2s or 250ms', parseDuration)
    .option('--pcap <file>', 'write every frame on every wire')
    .option('--vcd <file>', 'write interrupt, bus and wire signals')
    .option('--sockets', 'print the sockets of every computer at the end')
    .option('--json', 'print the result as JSON on standard output')
    .action(async (name, args, options) => (await import('./run-command.ts')).runCommand(name, args, options));
}

function addShow(program: Command): void {
  program
    .command('show')
    .description('run a scenario, and print a table of what is in it at the end')
    .argument('<table>', 'addr, route, neigh, nat, filter, connections, sockets; of switches mac, ports')
    .argument('<scenario>')
    .argument('[options...]', 'options of the scenario itself')
    .allowUnknownOption()
    .option(...seedOption)
    .option('--until <duration>', 'virtual time to run for, such as 2s or 250ms', parseDuration)
    .option('--on <name>', 'only of that computer or switch')
    .option('--changes', 'print how the table has changed since power-on: route, nat and mac')
    .option('--json', 'print the rows as JSON')
    .action(async (table, name, args, options) =>
      (await import('./show-command.ts')).showCommand(table, name, args, options),
    );
}

function addLive(program: Command): void {
  program
    .command('live')
    .description('run a scenario against wall-clock time, with wires open to real peers')
    .argument('<scenario>')
    .argument('[options...]', 'options of the scenario itself')
    .allowUnknownOption()
    .requiredOption('--wire <name=socket>', 'open the wire NAME at the unix socket SOCKET (repeatable)', collect)
    .option(...seedOption)
    .option('--for <duration>', 'end after this much time; otherwise on SIGINT', parseDuration)
    .option('--loss <rate>', 'lose so many of the frames on the open wires, such as 5% or 0.05', collect)
    .option('--duplicate <rate>', 'double so many', collect)
    .option('--reorder <rate>', 'let three others overtake so many', collect)
    .option('--corrupt <rate>', 'damage an octet in so many, and give them the FCS that fits', collect)
    .option('--delay <duration>', 'hold every frame for so long, such as 20ms', collect)
    .option('--jitter <duration>', 'and for up to so much longer', collect)
    .addHelpText('after', IMPAIRMENTS_HELP)
    .option('--journal <file>', 'record every frame that comes in, for `ringtail replay`')
    .option('--pcap <file>', 'write every frame on every wire')
    .option('--vcd <file>', 'write interrupt, bus and wire signals')
    .action(async (name, args, options) => (await import('./live-command.ts')).liveCommand(name, args, options));
}

function addReplay(program: Command): void {
  program
    .command('replay')
    .description('repeat a journalled live run exactly, offline')
    .argument('<journal>')
    .option('--pcap <file>', 'write every frame on every wire')
    .option('--vcd <file>', 'write interrupt, bus and wire signals')
    .option('--json', 'print the result as JSON on standard output')
    .action(async (journal, options) => (await import('./live-command.ts')).replayCommand(journal, options));
}

/** A complaint of commander's about the arguments, on one line. */
function complaint(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ');
  return `${line} (ringtail --help lists the commands)\n`;
}

function addWave(program: Command): void {
  program
    .command('wave')
    .description('draw a frame as the signals of MII and line: run a scenario, look at one wire')
    .argument('<scenario>')
    .option(...seedOption)
    .option('--wire <name>', 'the wire to look at; needed when there are several')
    .option('--frame <n>', 'the n-th frame on the wire, from 1 (the default)', parseCount)
    .option('--at <time>', 'a stretch of time instead, from here on, such as 2004666us', parseDuration)
    .option('--for <duration>', 'how much to draw', parseDuration)
    .addOption(
      new Option('--code <code>', 'draw the line in this code, whatever the speed of the link').choices(LINE_CODES),
    )
    .option('--svg <file>', 'write the picture')
    .option('--vcd <file>', 'write the signals for a waveform viewer')
    .action(async (name, options) => (await import('./wave-command.ts')).waveCommand(name, options));
}

function addDrill(program: Command, end: (exitCode: number) => void): void {
  program
    .command('drill')
    .description('run packetdrill scripts against a host on virtual time')
    .argument('<path...>', 'scripts, or directories of .pkt files')
    .option('--tolerance <duration>', 'how far times may be off, such as 100us; 0ns unless given', parseDuration, 0)
    .addOption(
      new Option(
        '--profile <profile>',
        'whose defaults the host has; by the commands of a script unless given',
      ).choices(['linux', 'freebsd', 'rfc']),
    )
    .option('--strict', 'packets that a script leaves unmentioned at its end are a failure')
    .option('--verbose', 'print every event on standard error')
    .option('--json', 'print the results as JSON on standard output')
    .option('--tap', 'print the results as TAP on standard output')
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--pcap <file>', 'write every frame, each script as an interface of its own')
    .action(async (paths, options) => end((await import('./drill-command.ts')).drillCommand(paths, options)));
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError(`a count is a number from 1 on, not "${text}"`);
  return Number(text);
}

function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message.split('\n')[0]!;
  return error instanceof UsageError || error.name === 'Error' ? text : `${error.name}: ${text}`;
}
