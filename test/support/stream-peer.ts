/** A peer of a wire socket: connects, sends frames, keeps those that come back. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { FrameDecoder, FrameEncoder } from '../../src/bridge/stream-framing.ts';

const PATIENCE_MS = 20_000;

/** `frame` as it stands on the stream. */
export function encodeFrame(frame: Uint8Array): Uint8Array {
  const encoder = new FrameEncoder();
  encoder.add(frame);
  return encoder.take();
}

export class StreamPeer {
  readonly socket: Socket;
  readonly received: Uint8Array[] = [];
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new FrameDecoder(frame => this.received.push(frame));
    socket.on('data', chunk => decoder.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
    onTestFinished(() => {
      socket.destroy();
    });
  }

  static async connect(path: string): Promise<StreamPeer> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new StreamPeer(socket);
  }

  send(frame: Uint8Array): void {
    this.socket.write(encodeFrame(frame));
  }

  /** Waits until `count` frames in all have come. */
  async receive(count: number): Promise<readonly Uint8Array[]> {
    await until(`${count} frames`, () => this.received.length >= count);
    return this.received;
  }
}

/** Waits for `condition`, which the event loop is to bring about; rejects after some seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

/** As {@link until}, for a condition that takes time to look at. */
export async function untilAsync(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** A directory that is gone when the test has finished. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringtail-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
