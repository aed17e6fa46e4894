/**
 * The socket at which a real peer plugs into an open wire: a unix stream socket of one name, one peer at a time, framed
 * as in stream-framing.ts. A TAP relay and QEMU's `-netdev stream` connect alike, go, and come back.
 *
 * Back-pressure: the owner pauses the socket when it holds as many frames as it wants, and the kernel then makes the
 * peer wait. The other way Ringtail cannot wait, because a wire does not: what a slow peer does not take is kept up to
 * a bound, and dropped and counted beyond it.
 *
 * The socket's file belongs to this object: made by `listen`, gone after `close`, and gone when the process ends in any
 * way that lets it run code. A file left by a process that was killed is replaced.
 */
import { lstatSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { FrameDecoder, FrameEncoder, FramingError } from './stream-framing.ts';

/** Octets kept for a peer that reads too slowly, in this process: some 2,700 full-size frames. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** How long `close` waits for a peer to take what is left. */
const CLOSE_TIMEOUT_MS = 500;
/** What fits into `sun_path` with its final zero. A longer name would be cut off silently. */
const MAX_PATH_BYTES = 107;

export interface WireSocketEvents {
  /** A peer's frame, in an array of its own. */
  frame(octets: Uint8Array): void;
  /** The frames of one read have all been handed over. */
  framesRead(): void;
  /** One line for the person at the terminal: a peer came, went, was refused, sent nonsense. */
  report(line: string): void;
}

export class WireSocket {
  readonly path: string;
  /** Frames not sent because the peer did not take those before. */
  dropCount = 0;
  readonly #name: string;
  readonly #events: WireSocketEvents;
  readonly #server: Server;
  readonly #removeFile: () => void;
  #peer: Socket | null = null;
  #paused = false;
  /** What goes out at the next flush. */
  readonly #outgoing = new FrameEncoder();

  private constructor(name: string, path: string, events: WireSocketEvents, server: Server) {
    this.#name = name;
    this.path = path;
    this.#events = events;
    this.#server = server;
    this.#removeFile = () => rmSync(path, { force: true });
    process.once('exit', this.#removeFile);
    server.on('connection', peer => this.#admit(peer));
  }

  /**
   * Listens at `path` for peers of the wire `name`. Rejects when a living process listens there, when the path is taken
   * by something else than a socket, or when it is too long for a socket.
   */
  static async listen(name: string, path: string, events: WireSocketEvents): Promise<WireSocket> {
    const pathBytes = Buffer.byteLength(path);
    if (pathBytes > MAX_PATH_BYTES) {
      throw new Error(
        `wire ${name}: a socket path has at most ${MAX_PATH_BYTES} octets, this one ${pathBytes}: ${path}`,
      );
    }
    await removeStaleSocket(name, path);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', error => reject(new Error(`wire ${name}: ${error.message}`)));
      server.listen(path, resolve);
    });
    return new WireSocket(name, path, events, server);
  }

  get connected(): boolean {
    return this.#peer !== null;
  }

  /** Sends a frame, DA to the last octet of the data. With no peer it goes nowhere, as on a cable that ends in the air. */
  send(octets: Uint8Array): void {
    const peer = this.#peer;
    if (peer === null) return;
    if (peer.writableLength > MAX_KEPT_BYTES) {
      this.dropCount += 1;
      return;
    }
    if (!this.#outgoing.fits(octets)) this.flush();
    this.#outgoing.add(octets);
  }

  /** Hands all that was sent since the last flush to the kernel, in as few calls as can be. */
  flush(): void {
    const piece = this.#outgoing.take();
    if (piece.length > 0) this.#peer?.write(piece);
  }

  /** Reads no more until `resume`. Frames of the read in progress may still come. */
  pause(): void {
    this.#paused = true;
    this.#peer?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#peer?.resume();
  }

  /** Sends what is left, lets the peer go and removes the socket's file. */
  async close(): Promise<void> {
    this.flush();
    const peer = this.#peer;
    peer?.destroySoon();
    const patience = setTimeout(() => peer?.destroy(), CLOSE_TIMEOUT_MS);
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
    clearTimeout(patience);
    process.off('exit', this.#removeFile);
  }

  #admit(peer: Socket): void {
    if (this.#peer !== null) {
      this.#events.report(`wire ${this.#name}: a second peer was refused; one at a time`);
      peer.on('error', () => undefined);
      peer.destroy();
      return;
    }
    this.#peer = peer;
    this.#outgoing.take();
    this.#events.report(`wire ${this.#name}: peer connected`);
    const decoder = new FrameDecoder(octets => this.#events.frame(octets));
    peer.on('data', chunk => this.#read(peer, decoder, chunk));
    // A reset is a peer that went without a word; `close` follows and says that it has gone.
    peer.on('error', () => undefined);
    peer.on('close', () => {
      this.#peer = null;
      const cut = decoder.inFrame ? ' in the middle of a frame' : '';
      this.#events.report(`wire ${this.#name}: peer disconnected${cut}`);
    });
    if (this.#paused) peer.pause();
  }

  #read(peer: Socket, decoder: FrameDecoder, chunk: Uint8Array): void {
    try {
      decoder.push(chunk);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#events.report(`wire ${this.#name}: ${error.message}; peer closed`);
      peer.destroy();
    }
    this.#events.framesRead();
  }
}

/** Removes a socket's file that nobody listens at. */
async function removeStaleSocket(name: string, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`wire ${name}: ${path} exists and is not a socket`);
  if (await someoneListens(path)) throw new Error(`wire ${name}: another process listens at ${path}`);
  rmSync(path, { force: true });
}

function someoneListens(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}
