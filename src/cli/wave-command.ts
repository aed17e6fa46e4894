/**
 * `ringtail wave`: runs a scenario, and draws a frame or a stretch of time of one wire as signals: the MII at both ends,
 * and the line between them.
 */
import { EIGHT_B_TEN_B, lineCodeOf, MANCHESTER, MLT3 } from '../../hw/ethernet/line/line-code.ts';
import { miiOf } from '../../hw/ethernet/line/mii.ts';
import type { PhyLink, SpeedMbps } from '../../hw/ethernet/ports.ts';
import { formatMac, readBe16 } from '../lib/bytes.ts';
import { type FrameEvent, frameEvents } from '../observe/frame-probe.ts';
import { atSpeed, IDLE_UNITS, intervalAt, type LineView, lineWaves, writeVcd } from '../observe/line-waveform.ts';
import { REORDER_NS, TimeOrder } from '../observe/time-order.ts';
import type { Wave } from '../observe/wave.ts';
import { waveSvg } from '../observe/wave-svg.ts';
import type { Wire, World } from '../world/world.ts';
import { formatDuration } from './duration.ts';
import { FileSink } from './file-sink.ts';
import { buildWorld, loadScenario } from './load-scenario.ts';
import { runWithProgress } from './progress.ts';
import { UsageError } from './usage-error.ts';
import { waveText } from './wave-text.ts';

/** The codes by the names that the command line has for them. */
const CODES = { manchester: MANCHESTER, mlt3: MLT3, '8b10b': EIGHT_B_TEN_B } as const;

/** Units of the MII that are drawn unless somebody asks for more, and at most. */
const DEFAULT_UNITS = 256;
const MAX_UNITS = 4096;
/** Frames around the one that is drawn, which may be heard while it is sent. */
const NEAR_FRAMES = 32;
const MAX_FRAMES = 4096;
/** Rows of text that are shown unless a duration was asked for. */
const DEFAULT_TEXT_ROWS = 3;
const DEFAULT_COLUMNS = 100;
/** A row of the picture, and what a unit takes of it: by the symbols of a unit. */
const ROW_PX = 1280;
const UNIT_PX: Readonly<Record<number, number>> = { 4: 40, 5: 40, 8: 64, 10: 80 };
/** Columns of a unit when there are no symbols. */
const PLAIN_UNIT_COLUMNS = 4;
const TICK_UNITS = 4;

export interface WaveOptions {
  readonly seed: string;
  readonly wire?: string;
  readonly frame?: number;
  readonly at?: number;
  readonly for?: number;
  readonly code?: keyof typeof CODES;
  readonly svg?: string;
  readonly vcd?: string;
}

/** What is drawn: frames around a first one, and a window. */
interface Scene {
  readonly title: string;
  readonly notes: readonly string[];
  readonly view: LineView;
  readonly waves: readonly Wave[];
  readonly originNs: number;
}

/** A frame on a wire, and its number there: from 1, in the order of their first bits. */
interface Numbered {
  readonly number: number;
  readonly event: FrameEvent;
}

/** Runs the scenario `name`, and draws. */
export async function waveCommand(name: string, options: WaveOptions): Promise<void> {
  if (options.frame !== undefined && options.at !== undefined) throw new UsageError('give --frame or --at, not both');
  const scenario = await loadScenario(name);
  const { world } = buildWorld(name, scenario, options.seed);
  const wire = chooseWire(world, options.wire);
  const taken = takeFrames(wire, options);
  const untilNs = options.at === undefined ? scenario.untilNs : options.at + (options.for ?? 0) + REORDER_NS;
  await runWithProgress(world, Math.min(untilNs, scenario.untilNs));
  const scene = compose(world, wire, taken(), options);
  print(scene, options.for === undefined);
  if (options.svg !== undefined) write(options.svg, picture(scene));
  if (options.vcd !== undefined) {
    const sink = new FileSink(options.vcd);
    writeVcd(sink.text, scene.waves, scene.view.toNs);
    sink.close();
    process.stderr.write(`wrote ${options.vcd}\n`);
  }
}

function chooseWire(world: World, name: string | undefined): Wire {
  const names = [...world.wires.keys()];
  if (name === undefined && names.length > 1) throw new UsageError(`choose a wire with --wire: ${names.join(', ')}`);
  const wire = world.wires.get(name ?? names[0] ?? '');
  if (wire !== undefined) return wire;
  throw new UsageError(
    names.length === 0 ? 'the scenario has no wires' : `no wire "${name}": there are ${names.join(', ')}`,
  );
}

/** Takes note of the frames that can matter, while the world runs. The function returned gives them at the end. */
function takeFrames(wire: Wire, options: WaveOptions): () => readonly Numbered[] {
  const { at, for: forNs = Number.POSITIVE_INFINITY, frame = 1 } = options;
  const matters = ({ number, event }: Numbered) =>
    at === undefined
      ? Math.abs(number - frame) <= NEAR_FRAMES
      : intervalAt(event, 'receiver').toNs > at && event.timeNs < at + forNs;
  const taken: Numbered[] = [];
  let number = 0;
  const order = new TimeOrder<FrameEvent>((_, event) => {
    const numbered = { number: ++number, event };
    if (taken.length < MAX_FRAMES && matters(numbered)) taken.push(numbered);
  });
  const subscription = frameEvents(wire.cable).subscribe(event => order.add(event.arrivalNs, event.fromEnd, event));
  return () => {
    subscription.unsubscribe();
    order.flush();
    return taken;
  };
}

function compose(world: World, wire: Wire, taken: readonly Numbered[], options: WaveOptions): Scene {
  const first = options.at === undefined ? taken.find(({ number }) => number === (options.frame ?? 1)) : taken[0];
  if (first === undefined) throw new UsageError(nothingFound(wire, options, taken));
  const linkSpeed = (1000 / first.event.bitNs) as SpeedMbps;
  const asked = options.code === undefined ? null : CODES[options.code];
  const code = asked ?? (linkSpeed === 1000 ? null : lineCodeOf(linkSpeed));
  const elsewhere = asked !== null && asked.speed !== linkSpeed;
  const speed = elsewhere ? asked.speed : linkSpeed;
  const frames = elsewhere ? [atSpeed(first.event, speed)] : taken.map(({ event }) => event);
  const frame = frames[elsewhere ? 0 : taken.indexOf(first)]!;
  const { periodNs } = miiOf(speed);
  const wholeNs = IDLE_UNITS * periodNs;
  const fromNs = options.at === undefined || elsewhere ? frame.timeNs - wholeNs : options.at;
  const endNs = options.at === undefined ? intervalAt(frame, 'receiver').toNs + wholeNs : Number.POSITIVE_INFINITY;
  const toNs = options.for === undefined ? Math.min(endNs, fromNs + DEFAULT_UNITS * periodNs) : fromNs + options.for;
  if (toNs - fromNs > MAX_UNITS * periodNs) {
    throw new UsageError(
      `--for is ${formatDuration(MAX_UNITS * periodNs)} at most on this wire: ${MAX_UNITS} clock periods`,
    );
  }
  if (frame.timeNs >= toNs) {
    throw new UsageError(`nothing is on ${wire.name} then: the next frame begins at ${frame.timeNs}ns`);
  }
  const { fullDuplex } = linkOf(world, wire, frame.fromEnd);
  const view = { ends: wire.ends, wire: wire.name, fromEnd: frame.fromEnd, speed, fullDuplex, code, fromNs, toNs };
  const [near, far] = frame.fromEnd === 0 ? wire.ends : [wire.ends[1], wire.ends[0]];
  return {
    title: `Frame ${first.number} on ${wire.name}: ${near} to ${far}`,
    notes: [describe(frame), ...lineNotes(view, linkSpeed), ...cutNote(view, endNs)],
    view,
    waves: lineWaves(frames, view),
    originNs: frame.timeNs,
  };
}

function nothingFound(wire: Wire, options: WaveOptions, taken: readonly Numbered[]): string {
  if (options.at !== undefined) {
    return `no frame is on ${wire.name} in the ${formatDuration(options.for ?? REORDER_NS)} from ${options.at} ns on`;
  }
  return taken.length === 0 && (options.frame ?? 1) === 1
    ? `no frame goes over ${wire.name} in this run`
    : `there is no frame ${options.frame} on ${wire.name} in this run`;
}

function linkOf(world: World, wire: Wire, end: 0 | 1): Pick<PhyLink, 'fullDuplex'> {
  const name = wire.ends[end];
  for (const { nics } of world.computers.values()) {
    const nic = nics.find(each => each.name === name);
    if (nic !== undefined) return nic.device.phy.link;
  }
  for (const { ports, device } of world.switches.values()) {
    const port = device.ports[ports.findIndex(each => each.name === name)];
    if (port !== undefined) return port.link;
  }
  return world.openWires.get(wire.name)?.station.phy.link ?? { fullDuplex: true };
}

function describe({ sent, arrived }: FrameEvent): string {
  const { octets, wireBytes } = sent;
  const fate = arrived === sent ? '' : arrived === null ? '; lost on the wire' : '; damaged on the wire';
  if (octets.length < 14) return `${wireBytes} octets${fate}`;
  const type = readBe16(octets, 12).toString(16).padStart(4, '0');
  return `${formatMac(octets, 6)} to ${formatMac(octets, 0)}, type ${type}, ${wireBytes} octets${fate}`;
}

function lineNotes({ code, speed, fullDuplex, fromNs }: LineView, linkSpeed: SpeedMbps): string[] {
  const duplex = fullDuplex ? 'full duplex' : 'half duplex';
  const link = `The link is ${{ 10: '10BASE-T', 100: '100BASE-TX', 1000: '1000BASE-T' }[linkSpeed]}, ${duplex}.`;
  const began = `The window begins at ${grouped(fromNs)} ns.`;
  if (code === null)
    return [`${link} Its five-level code (PAM-5) is not drawn; --code 8b10b shows 1000BASE-X. ${began}`];
  if (speed === linkSpeed && speed !== 1000) return [`${link} ${began}`];
  return [`${link} Drawn as the frame would look on ${code.name}. ${began}`];
}

function cutNote({ fromNs, toNs }: LineView, endNs: number): string[] {
  const hidden = Number.isFinite(endNs) && toNs < endNs;
  return hidden ? [`Shown: the first ${formatDuration(toNs - fromNs)} of ${formatDuration(endNs - fromNs)}.`] : [];
}

function picture({ title, notes, view, waves, originNs }: Scene): string {
  const { periodNs } = miiOf(view.speed);
  const unitPx = UNIT_PX[view.code?.symbolsPerUnit ?? PLAIN_UNIT_COLUMNS]!;
  return waveSvg({
    title,
    notes,
    waves,
    fromNs: view.fromNs,
    toNs: view.toNs,
    originNs,
    tickNs: TICK_UNITS * periodNs,
    rowNs: (ROW_PX / unitPx) * periodNs,
    rowPx: ROW_PX,
  });
}

/** All rows, or the first ones and a word about the others. */
function print({ title, notes, view, waves, originNs }: Scene, brief: boolean): void {
  const rows = waveText({
    waves,
    fromNs: view.fromNs,
    toNs: view.toNs,
    originNs,
    unitNs: miiOf(view.speed).periodNs,
    unitColumns: view.code?.symbolsPerUnit ?? PLAIN_UNIT_COLUMNS,
    columns: process.stdout.columns ?? DEFAULT_COLUMNS,
    coloured: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  });
  const shown = brief ? rows.slice(0, DEFAULT_TEXT_ROWS) : rows;
  const rest = rows.length - shown.length;
  const lines = [title, ...notes, ...shown.flatMap(row => ['', ...row])];
  if (rest > 0) lines.push('', `${rest} more rows: --svg draws them all, --for DURATION shows a stretch here.`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function write(path: string, text: string): void {
  const sink = new FileSink(path);
  sink.text(text);
  sink.close();
  process.stderr.write(`wrote ${path}\n`);
}

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
