/** A live run against the wall clock: frames in and out, its ends, and the journal that repeats it exactly. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { JournalWriter, readJournal } from '../../../../src/bridge/journal.ts';
import { type LiveResult, runLive } from '../../../../src/bridge/live.ts';
import { ReplayError, replay } from '../../../../src/bridge/replay.ts';
import { EchoWorld } from '../../../support/echo-world.ts';
import { StreamPeer, temporaryDirectory, until } from '../../../support/stream-peer.ts';

const HEADER = { scenario: 'echo', seed: '1', options: {} };
const frame = (octet: number, length = 60) => new Uint8Array(length).fill(octet);
const numbered = (i: number) => Uint8Array.from({ length: 60 + (i % 1000) }, (_, at) => (at === 0 ? i >> 8 : i));

/** Starts `world` live; `over` settles with the run, `stop` sends SIGTERM to it. */
function live(world: EchoWorld, durationMs: number | null = null) {
  const directory = temporaryDirectory();
  const socketPath = join(directory, 'wire.sock');
  const journalPath = join(directory, 'run.jsonl');
  const lines: string[] = [];
  const over: Promise<LiveResult> = runLive(world, {
    wires: new Map([['uplink', socketPath]]),
    durationNs: durationMs === null ? null : durationMs * 1_000_000,
    journal: new JournalWriter(journalPath, HEADER),
    report: line => lines.push(line),
  });
  const ready = until('the socket', () => lines.length > 0);
  return { socketPath, journalPath, lines, over, ready, stop: () => process.emit('SIGTERM') };
}

describe('a live run', () => {
  it('is woken by a frame when the next thing in the world is far away', async () => {
    const run = live(new EchoWorld({ beatNs: 3_600e9 }));
    await run.ready;
    const peer = await StreamPeer.connect(run.socketPath);
    await new Promise(resolve => setTimeout(resolve, 30));
    peer.send(frame(1));
    await peer.receive(1);
    run.stop();
    expect((await run.over).outCount).toBe(1);
  });

  it('loses no frame of a flood that is faster than the wire, and keeps the order', async () => {
    const run = live(new EchoWorld({ queueFrames: 8 }));
    await run.ready;
    const peer = await StreamPeer.connect(run.socketPath);
    const count = 3000;
    for (let i = 0; i < count; i++) peer.send(numbered(i));
    const received = await peer.receive(count);
    run.stop();
    const result = await run.over;
    expect(received.every((octets, i) => Buffer.compare(octets, numbered(i)) === 0)).toBe(true);
    expect(result).toMatchObject({ endedBy: 'SIGTERM', inCount: count, outCount: count, dropCount: 0 });
  });

  it('is repeated by its journal to the step and the nanosecond', async () => {
    const world = new EchoWorld({ queueFrames: 8 });
    const run = live(world);
    await run.ready;
    const peer = await StreamPeer.connect(run.socketPath);
    for (let i = 0; i < 600; i++) {
      peer.send(numbered(i));
      if (i % 50 === 0) await new Promise(resolve => setTimeout(resolve, i % 7));
    }
    await peer.receive(600);
    run.stop();
    const result = await run.over;
    const journal = readJournal(run.journalPath);
    const again = new EchoWorld({ queueFrames: 8 });
    expect(replay(again, journal)).toEqual({ frameCount: 600, complete: true });
    expect(again.trace).toEqual(world.trace);
    expect([again.clock.stepCount, again.clock.nowNs]).toEqual([result.stepCount, result.nowNs]);
  });

  it('ends at its duration, in virtual time and by the wall', async () => {
    const beganMs = performance.now();
    const run = live(new EchoWorld(), 60);
    const result = await run.over;
    expect(result).toMatchObject({ endedBy: 'duration', nowNs: 60_000_000 });
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(59);
    expect(readJournal(run.journalPath).end).toEqual({ step: result.stepCount, t: 60_000_000, failed: null });
    expect(existsSync(run.socketPath)).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends on %s with its journal closed and its handlers gone', async signal => {
    const handlersBefore = process.listenerCount(signal);
    const run = live(new EchoWorld());
    await run.ready;
    process.emit(signal);
    const result = await run.over;
    expect(result.endedBy).toBe(signal);
    expect(readJournal(run.journalPath).end).toMatchObject({ step: result.stepCount, t: result.nowNs });
    expect(process.listenerCount(signal)).toBe(handlersBefore);
  });

  it('that falls behind the wall says so once, and skips nothing', async () => {
    const run = live(new EchoWorld({ effortNs: 2_000_000 }));
    await run.ready;
    const peer = await StreamPeer.connect(run.socketPath);
    for (let i = 0; i < 120; i++) peer.send(frame(i));
    await peer.receive(120);
    run.stop();
    const result = await run.over;
    expect(result).toMatchObject({ inCount: 120, outCount: 120 });
    expect(result.maxLagNs).toBeGreaterThan(100_000_000);
    expect(run.lines.filter(line => line.includes('fallen behind'))).toHaveLength(1);
  });

  it('that fails rejects, and its replay fails alike', async () => {
    const run = live(new EchoWorld({ poison: 0x66 }));
    run.over.catch(() => undefined);
    await run.ready;
    const peer = await StreamPeer.connect(run.socketPath);
    peer.send(frame(1));
    await peer.receive(1);
    peer.send(frame(0x66));
    await expect(run.over).rejects.toThrow('the world broke');
    const journal = readJournal(run.journalPath);
    expect(journal.end?.failed).toBe('the world broke');
    expect(() => replay(new EchoWorld({ poison: 0x66 }), journal)).toThrow('the world broke');
    expect(() => replay(new EchoWorld(), journal)).toThrow(ReplayError);
    expect(existsSync(run.socketPath)).toBe(false);
  });

  it('needs an open wire of the name, and lists those there are', async () => {
    const options = { wires: new Map([['wan', '/x']]), durationNs: null, journal: null, report: () => undefined };
    await expect(runLive(new EchoWorld(), options)).rejects.toThrow('no open wire "wan": uplink');
  });
});

describe('a replay', () => {
  const record = (step: number, t: number) => ({ step, t, wire: 'uplink', frame: frame(step) });

  it('of a journal without an end goes to the last frame and is not complete', () => {
    const world = new EchoWorld();
    const journal = { header: HEADER, records: [record(2, 1_000_500)], end: null };
    expect(replay(world, journal)).toEqual({ frameCount: 1, complete: false });
    expect(world.clock.nowNs).toBe(1_000_500);
  });

  it.each([
    ['has less to do', [record(9, 1_000_500)], 'the run ends at step 2, before step 9'],
    ['has more to do', [record(1, 1_000_500)], 'goes on before 1000500 ns, where it had nothing to do after step 1'],
    ['refuses a frame', Array.from({ length: 65 }, () => record(2, 1_000_500)), 'has no room at step 2'],
  ])('of another world that %s is an error', (_name, records, message) => {
    expect(() => replay(new EchoWorld(), { header: HEADER, records, end: null })).toThrow(message);
  });
});
