/** A wire socket as a peer meets it: one at a time, in step, made to wait, and gone afterwards. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WireSocket } from '../../../../src/bridge/wire-socket.ts';
import { StreamPeer, temporaryDirectory, until } from '../../../support/stream-peer.ts';

const frame = (octet: number, length = 60) => new Uint8Array(length).fill(octet);

async function open(path = join(temporaryDirectory(), 'wire.sock')) {
  const frames: Uint8Array[] = [];
  const lines: string[] = [];
  const socket = await WireSocket.listen('uplink', path, {
    frame: octets => frames.push(octets),
    framesRead: () => undefined,
    report: line => lines.push(line),
  });
  onTestFinished(() => socket.close());
  return { path, socket, frames, lines };
}

describe('a wire socket', () => {
  it('carries frames both ways', async () => {
    const { path, socket, frames } = await open();
    const peer = await StreamPeer.connect(path);
    peer.send(frame(1));
    peer.send(frame(2, 1514));
    await until('two frames', () => frames.length === 2);
    expect(frames).toEqual([frame(1), frame(2, 1514)]);
    socket.send(frame(3));
    socket.send(frame(4));
    socket.flush();
    expect(await peer.receive(2)).toEqual([frame(3), frame(4)]);
  });

  it('refuses a second peer and says so, and lets the first go on', async () => {
    const { path, frames, lines } = await open();
    const first = await StreamPeer.connect(path);
    await until('the first peer', () => lines.length === 1);
    const second = await StreamPeer.connect(path);
    await until('the refusal', () => second.closed);
    expect(lines).toEqual(['wire uplink: peer connected', 'wire uplink: a second peer was refused; one at a time']);
    first.send(frame(1));
    await until('a frame', () => frames.length === 1);
  });

  it('takes a peer that comes back, and forgets half a frame of its last visit', async () => {
    const { path, socket, frames, lines } = await open();
    const first = await StreamPeer.connect(path);
    first.socket.end(Uint8Array.from([0, 0, 0, 60, 1, 1, 1]));
    await until('the end', () => lines.length === 2);
    expect(lines[1]).toBe('wire uplink: peer disconnected in the middle of a frame');
    expect(socket.connected).toBe(false);
    socket.send(frame(9));
    const second = await StreamPeer.connect(path);
    second.send(frame(2));
    await until('a frame', () => frames.length === 1);
    expect(frames).toEqual([frame(2)]);
    expect(second.received).toEqual([]);
  });

  it('closes a peer that announces an impossible length, with a clear message', async () => {
    const { path, frames, lines } = await open();
    const peer = await StreamPeer.connect(path);
    peer.send(frame(1));
    peer.socket.write(Uint8Array.from([0, 0, 0, 0]));
    await until('the close', () => peer.closed && lines.length === 3);
    expect(frames).toEqual([frame(1)]);
    expect(lines[1]).toBe('wire uplink: a frame of 0 octets is announced; 1 to 16384 are possible; peer closed');
    expect(lines[2]).toBe('wire uplink: peer disconnected');
  });

  it('makes the peer wait while paused, and loses nothing', async () => {
    const { path, socket, frames, lines } = await open();
    const peer = await StreamPeer.connect(path);
    await until('the peer', () => lines.length === 1);
    socket.pause();
    const count = 4000;
    for (let i = 0; i < count; i++) peer.send(frame(i & 255, 1514));
    await until('the kernel to be full', () => peer.socket.writableLength > 0);
    await new Promise(resolve => setTimeout(resolve, 30));
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    expect(frames.length).toBeLessThan(count / 4);
    socket.resume();
    await until('all frames', () => frames.length === count);
    expect(frames.every((octets, i) => octets.length === 1514 && octets[0] === (i & 255))).toBe(true);
  });

  it('keeps frames for a peer that does not read up to a bound, and counts the rest', async () => {
    const { path, socket, lines } = await open();
    const peer = await StreamPeer.connect(path);
    await until('the peer', () => lines.length === 1);
    peer.socket.pause();
    const count = 10_000;
    for (let i = 0; i < count; i++) {
      socket.send(frame(i & 255, 1514));
      socket.flush();
    }
    expect(socket.dropCount).toBeGreaterThan(count / 4);
    peer.socket.resume();
    await peer.receive(count - socket.dropCount);
    expect(peer.received.length).toBe(count - socket.dropCount);
  });

  it('removes its file when it closes, also under a peer that does not read', async () => {
    const { path, socket, lines } = await open();
    const peer = await StreamPeer.connect(path);
    await until('the peer', () => lines.length === 1);
    peer.socket.pause();
    for (let i = 0; i < 2000; i++) socket.send(frame(1, 1514));
    expect(existsSync(path)).toBe(true);
    await socket.close();
    expect(existsSync(path)).toBe(false);
  });

  it('replaces the file of a process that was killed', async () => {
    const path = join(temporaryDirectory(), 'wire.sock');
    const listener = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ['-e', listener]);
    expect(existsSync(path)).toBe(true);
    await open(path);
    await StreamPeer.connect(path);
  });

  it('does not replace the socket of a living process', async () => {
    const { path } = await open();
    await expect(open(path)).rejects.toThrow(`wire uplink: another process listens at ${path}`);
    await StreamPeer.connect(path);
  });

  it('does not replace a file that is no socket', async () => {
    const path = join(temporaryDirectory(), 'precious');
    writeFileSync(path, 'data');
    await expect(open(path)).rejects.toThrow(`${path} exists and is not a socket`);
    expect(existsSync(path)).toBe(true);
  });

  it('says when a path is too long for a socket', async () => {
    await expect(open(`/tmp/${'x'.repeat(103)}`)).rejects.toThrow('a socket path has at most 107 octets, this one 108');
  });
});
