/**
 * Draws frames as signals: the MII or GMII of the sender, its line, bit by bit and level by level, and the MII of the
 * receiver. Nothing of this exists while a world runs. A frame is an interval there, and its signals follow from that.
 *
 * The wire counts bits from the beginning of a frame, so clocks take their phase from frames and may skip between them.
 * TXD changes as TX_CLK rises, RXD as RX_CLK falls (22.2). RX_ER stands at the end of its frame: a frame knows that it
 * was raised, not when. Idle is drawn for a few units before and after a frame.
 */
import type { Frame } from '../../hw/ethernet/frame.ts';
import { groupName } from '../../hw/ethernet/line/four-b-five-b.ts';
import { orderedSetName } from '../../hw/ethernet/line/gigabit-pcs.ts';
import { gigabitGroups, type LineCode, streamOf } from '../../hw/ethernet/line/line-code.ts';
import { carrierSense, collision, HEADER_OCTETS, type Interval, miiOf, unitsOf } from '../../hw/ethernet/line/mii.ts';
import { decodeMlt3 } from '../../hw/ethernet/line/mlt3.ts';
import type { End } from '../../hw/ethernet/medium/cable.ts';
import { jammed } from '../../hw/ethernet/medium/damage.ts';
import { BIT_NS, HEADER_BITS, type SpeedMbps } from '../../hw/ethernet/ports.ts';
import { hexBytes } from '../lib/bytes.ts';
import type { FrameEvent } from './frame-probe.ts';
import { type TextSink, type VcdVariable, VcdWriter } from './vcd.ts';
import { type Field, type Wave, WaveBuilder } from './wave.ts';

/** Units of idle that are drawn on either side of a frame. */
export const IDLE_UNITS = 4;
/** Bits of the jam at the end of a frame that its sender gave up. */
const JAM_BITS = 32;
const JAM_OCTET = 0x55;
/** What the line signal of each code is called. */
const SIGNAL_NAMES: Readonly<Record<LineCode['name'], string>> = {
  '10BASE-T': 'Manchester',
  '100BASE-TX': 'MLT-3',
  '1000BASE-X': 'NRZ',
};
const MAC_OCTETS = 6;
const TYPE_AT = 12;
const DATA_AT = 14;
const FCS_OCTETS = 4;

export interface LineView {
  /** What is plugged in at end 0 and end 1. */
  readonly ends: readonly [string, string];
  readonly wire: string;
  /** The end whose sending is drawn. */
  readonly fromEnd: End;
  /** Of the link, or of `code` when it is another one. */
  readonly speed: SpeedMbps;
  readonly fullDuplex: boolean;
  /** The code to draw the line in; null draws no line. */
  readonly code: LineCode | null;
  readonly fromNs: number;
  readonly toNs: number;
}

/** A frame on one side of its line: where its units begin, and what it carries. */
interface Drawn {
  readonly atNs: number;
  readonly octets: Uint8Array;
  /** Bits of the octets: the last one may be there in part. */
  readonly frameBits: number;
  /** Preamble, SFD and octets, as far as they were sent. */
  readonly units: Uint8Array;
  /** The first bit that is jam, from DA on. */
  readonly jamFrom: number;
  readonly rxError: boolean;
}

/** When the signal of `frame` is at the sender, or at the far end. */
export function intervalAt({ timeNs, endNs, arrivalNs }: FrameEvent, side: 'sender' | 'receiver'): Interval {
  const fromNs = side === 'sender' ? timeNs : arrivalNs;
  return { fromNs, toNs: fromNs + endNs - timeNs };
}

/** `frame` as it would have been sent at `speed`, from the same time on. */
export function atSpeed(frame: FrameEvent, speed: SpeedMbps): FrameEvent {
  const bitNs = BIT_NS[speed];
  return { ...frame, bitNs, endNs: frame.timeNs + ((frame.endNs - frame.timeNs) / frame.bitNs) * bitNs };
}

/** The signals of `frames`, which are in the order of their time, in the window of `view`. */
export function lineWaves(frames: readonly FrameEvent[], view: LineView): Wave[] {
  const visible = frames.filter(frame => isVisible(frame, view));
  const own = visible.filter(({ fromEnd }) => fromEnd === view.fromEnd);
  const others = visible.filter(({ fromEnd, arrived }) => fromEnd !== view.fromEnd && arrived !== null);
  const bits = miiOf(view.speed).bits;
  const sent = own.map(frame => drawnAtSender(frame, bits));
  const received = own.flatMap(frame => drawnAtReceiver(frame, bits));
  const heard = others.flatMap(frame => drawnAtReceiver(frame, bits));
  const near = view.ends[view.fromEnd];
  const far = view.ends[view.fromEnd === 0 ? 1 : 0];
  const activity = [
    own.map(frame => intervalAt(frame, 'sender')),
    others.map(frame => intervalAt(frame, 'receiver')),
    view.fullDuplex,
    BIT_NS[view.speed],
  ] as const;
  const level = (name: string, intervals: readonly Interval[]) =>
    new WaveBuilder(near, name, 'bit').pulses(intervals).build(view.fromNs, view.toNs, 0);
  return [
    ...transmitWaves(near, sent, view),
    level('CRS', carrierSense(...activity)),
    level('COL', collision(...activity)),
    ...(heard.length > 0 ? receiveWaves(near, heard, view) : []),
    ...(view.code === null ? [] : codeWaves(sent, view, view.code)),
    ...receiveWaves(far, received, view),
  ];
}

/** Writes `waves` as a VCD. It counts whole nanoseconds, so the bits of 8B/10B, 0.8 ns each, are left out. */
export function writeVcd(sink: TextSink, waves: readonly Wave[], toNs: number): void {
  const vcd = new VcdWriter(sink);
  const whole = waves.filter(({ changes }) => changes.every(({ atNs }) => Number.isInteger(atNs)));
  const declared = whole.map((wave): [VcdVariable, Wave] => {
    return [vcd.wire([wave.scope], wave.name, wave.kind === 'level' ? 2 : wave.width), wave];
  });
  for (const [variable, { changes }] of declared) {
    for (const { atNs, value } of changes) vcd.change(variable, atNs, value);
  }
  vcd.close(toNs);
}

/** Whether `frame`, or the idle around it, is in the window at either end. */
function isVisible(frame: FrameEvent, { fromNs, toNs, speed }: LineView): boolean {
  const marginNs = 2 * IDLE_UNITS * miiOf(speed).periodNs;
  return frame.timeNs - marginNs < toNs && intervalAt(frame, 'receiver').toNs + marginNs > fromNs;
}

function transmitWaves(scope: string, frames: readonly Drawn[], view: LineView): Wave[] {
  const { name, bits, periodNs } = miiOf(view.speed);
  const octet = new WaveBuilder(scope, 'octet', 'bus', 8);
  for (const frame of frames) {
    const { atNs, octets, units } = frame;
    const perOctet = 8 / bits;
    const header = unitsOf(new Uint8Array(0), 8);
    for (let i = 0; i * perOctet < units.length; i++) {
      const value = i < HEADER_OCTETS ? header[i]! : octets[i - HEADER_OCTETS]!;
      octet.set(atNs + i * perOctet * periodNs, value, hexBytes(Uint8Array.of(value)), fieldOf(8 * i, frame));
    }
    octet.set(atNs + units.length * periodNs, null);
  }
  return [
    octet.build(view.fromNs, view.toNs, null),
    clock(scope, name === 'GMII' ? 'GTX_CLK' : 'TX_CLK', frames, view, 0),
    ...dataWaves(scope, 'TX_EN', 'TXD', frames, view),
  ];
}

function receiveWaves(scope: string, frames: readonly Drawn[], view: LineView): Wave[] {
  const { periodNs } = miiOf(view.speed);
  const error = new WaveBuilder(scope, 'RX_ER', 'bit');
  for (const { atNs, units, rxError } of frames) {
    const endNs = atNs + units.length * periodNs;
    if (rxError) error.set(endNs - periodNs, 1).set(endNs, 0);
  }
  return [
    clock(scope, 'RX_CLK', frames, view, periodNs / 2),
    ...dataWaves(scope, 'RX_DV', 'RXD', frames, view),
    error.build(view.fromNs, view.toNs, 0),
  ];
}

/** The enabling signal and the data beside it. */
function dataWaves(scope: string, enable: string, data: string, frames: readonly Drawn[], view: LineView): Wave[] {
  const { bits, periodNs } = miiOf(view.speed);
  const enabled = new WaveBuilder(scope, enable, 'bit');
  const bus = new WaveBuilder(scope, data, 'bus', bits);
  for (const frame of frames) {
    const { atNs, units } = frame;
    enabled.set(atNs, 1);
    units.forEach((unit, i) => {
      const text = bits === 4 ? unit.toString(16).toUpperCase() : hexBytes(Uint8Array.of(unit));
      bus.set(atNs + i * periodNs, unit, text, fieldOf(i * bits, frame));
    });
    enabled.set(atNs + units.length * periodNs, 0);
    bus.set(atNs + units.length * periodNs, 0);
  }
  return [enabled.build(view.fromNs, view.toNs, 0), bus.build(view.fromNs, view.toNs, 0)];
}

/** A clock that rises `riseNs` after the beginning of each unit. */
function clock(scope: string, name: string, frames: readonly Drawn[], view: LineView, riseNs: number): Wave {
  const halfNs = miiOf(view.speed).periodNs / 2;
  const wave = new WaveBuilder(scope, name, 'clock');
  const phases = frames.length > 0 ? frames.map(({ atNs }) => atNs) : [view.fromNs];
  phases.forEach((phaseNs, i) => {
    const untilNs = Math.min(view.toNs, (phases[i + 1] ?? view.toNs + halfNs) - halfNs);
    const sinceNs = Math.max(view.fromNs, i === 0 ? view.fromNs : phaseNs - halfNs);
    const risingNs = phaseNs + riseNs;
    for (let n = Math.floor((sinceNs - risingNs) / halfNs); risingNs + n * halfNs < untilNs; n++) {
      wave.set(Math.max(sinceNs, risingNs + n * halfNs), n % 2 === 0 ? 1 : 0);
    }
  });
  return wave.build(view.fromNs, view.toNs, 0);
}

/** The line: what its code makes of each unit, and the levels. */
function codeWaves(frames: readonly Drawn[], view: LineView, code: LineCode): Wave[] {
  const unitNs = miiOf(view.speed).periodNs;
  const symbolNs = unitNs / code.symbolsPerUnit;
  const idle = code.name === '10BASE-T' ? 0 : null;
  const level = new WaveBuilder(view.wire, SIGNAL_NAMES[code.name], 'level');
  const parts = partsOf(code, view.wire);
  for (const frame of frames) {
    const symbols = code.encode(frame.octets, frame.frameBits);
    const begin = Math.max(0, code.leadSymbols - IDLE_UNITS * code.symbolsPerUnit);
    const timeOf = (symbol: number) => frame.atNs + (symbol - code.leadSymbols) * symbolNs;
    for (let i = begin; i < symbols.length; i++) level.set(timeOf(i), symbols[i]!);
    level.set(timeOf(symbols.length), idle);
    for (const part of parts) drawPart(part, frame, symbols, begin, timeOf);
  }
  return [...parts.map(({ wave }) => wave), level].map((wave, i, { length }) =>
    wave.build(view.fromNs, view.toNs, i === length - 1 ? idle : null),
  );
}

/** Adds a frame to a part, from the symbol `begin` on, each at its time. */
function drawPart(
  { wave, symbols, render }: CodePart,
  frame: Drawn,
  levels: Int8Array,
  begin: number,
  timeOf: (symbol: number) => number,
): void {
  const [values, textOf] = render(frame, levels);
  for (let i = begin / symbols; i < values.length; i++) {
    const text = textOf(values[i]!, i);
    wave.set(timeOf(i * symbols), values[i]!, text, text.startsWith('/') && text !== '/I/' ? 'code' : null);
  }
  wave.set(timeOf(values.length * symbols), null);
}

/** A wave between the MII and the levels, with a value each so many symbols. */
interface CodePart {
  readonly wave: WaveBuilder;
  readonly symbols: number;
  /** The values of a frame from its lead-in on, and the text of each. */
  render(frame: Drawn, levels: Int8Array): [ArrayLike<number>, (value: number, i: number) => string];
}

function partsOf(code: LineCode, scope: string): CodePart[] {
  const bit = (name: string) => new WaveBuilder(scope, name, 'digits');
  switch (code.name) {
    case '10BASE-T':
      return [{ wave: bit('bit'), symbols: 2, render: frame => [unitsOf(frame.octets, 1, frame.frameBits), String] }];
    case '100BASE-TX':
      return [
        {
          wave: new WaveBuilder(scope, '4B5B', 'bus', 5),
          symbols: 5,
          render: frame => [streamOf(frame.octets, frame.frameBits), groupName],
        },
        { wave: bit('scrambled'), symbols: 1, render: (_, levels) => [decodeMlt3(levels), String] },
      ];
    case '1000BASE-X':
      return [
        {
          wave: new WaveBuilder(scope, '8B10B', 'bus', 10),
          symbols: 10,
          render: frame => {
            const { codes, groups } = gigabitGroups(frame.octets, frame.frameBits);
            return [groups, (_, i) => orderedSetName(codes[i]!)];
          },
        },
        { wave: bit('bit'), symbols: 1, render: (_, levels) => [levels.map(level => (level > 0 ? 1 : 0)), String] },
      ];
  }
}

function drawnAtSender({ sent, timeNs, endNs, bitNs, aborted }: FrameEvent, bits: 4 | 8): Drawn {
  if (!aborted) return drawn(timeNs, sent, false, bits);
  const frameBits = Math.floor((endNs - timeNs) / bitNs) - HEADER_BITS;
  const jam = jammed(sent, frameBits, frameBits - JAM_BITS);
  if (jam !== null) return drawn(timeNs, jam, true, bits);
  const octets = new Uint8Array(0);
  return { atNs: timeNs, octets, frameBits, units: unitsOf(octets, bits, frameBits), jamFrom: 0, rxError: false };
}

function drawnAtReceiver({ arrived, arrivalNs, aborted }: FrameEvent, bits: 4 | 8): Drawn[] {
  return arrived === null ? [] : [drawn(arrivalNs, arrived, aborted, bits)];
}

/** `frame`, which ends in jam if `aborted`; so does its last octet if that is there in part, which frames do not keep. */
function drawn(atNs: number, frame: Frame, aborted: boolean, bits: 4 | 8): Drawn {
  const { dribbleBits, rxError } = frame.errors;
  const wire = frame.wire();
  const octets = dribbleBits === 0 ? wire : Uint8Array.from([...wire, aborted ? JAM_OCTET : 0]);
  const frameBits = 8 * wire.length + dribbleBits;
  const jamFrom = aborted ? frameBits - JAM_BITS : frameBits;
  return { atNs, octets, frameBits, units: unitsOf(octets, bits, frameBits), jamFrom, rxError };
}

/** The part of a frame that the bit `at`, counted from the preamble on, belongs to. */
function fieldOf(at: number, { octets, frameBits, jamFrom }: Drawn): Field {
  const octet = Math.floor(at / 8) - HEADER_OCTETS;
  if (octet < -1) return 'preamble';
  if (octet === -1) return 'SFD';
  if (at - HEADER_BITS >= jamFrom) return 'jam';
  if (octet < MAC_OCTETS) return 'DA';
  if (octet < TYPE_AT) return 'SA';
  if (octet < DATA_AT) return 'type';
  return octet < octets.length - FCS_OCTETS || jamFrom < frameBits ? 'data' : 'FCS';
}
