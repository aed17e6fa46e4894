/**
 * Bytes from one end of a {@link TcpPair} to the other, and what became of them: the program of most tests that are about
 * links rather than segments.
 */
import type { TcpConnection } from '../../kernel/net/tcp/connection.ts';
import type { TcpOptions } from '../../kernel/net/tcp/user.ts';
import type { TcpPair } from './tcp-pair.ts';

/** The octet at place `i` of every stream. */
const octetAt = (i: number): number => (i * 31 + (i >> 8) * 7) & 255;

const WRITE_BYTES = 4096;
const READ_BYTES = 65_536;

/** Sends `bytes` octets from the client to the server and closes; the server reads, checks, and closes after it. */
export class Transfer {
  readonly client: TcpConnection;
  server: TcpConnection | null = null;
  received = 0;
  /** The first place at which something else arrived than was sent, or -1. */
  wrongAt = -1;
  #written = 0;
  readonly #bytes: number;
  readonly #pair: TcpPair;

  constructor(pair: TcpPair, bytes: number, client: Partial<TcpOptions> = {}, server: Partial<TcpOptions> = client) {
    this.#pair = pair;
    this.#bytes = bytes;
    const listener = pair.listen(server, {
      changed: () => {
        this.server ??= listener.accept({ changed: () => this.#read() });
        this.#read();
      },
    });
    this.client = pair.connect(client, { changed: () => this.#write() });
  }

  get done(): boolean {
    return this.received === this.#bytes;
  }

  /** Both ends are closed: one may still be in TIME-WAIT. */
  get closed(): boolean {
    const over = (connection: TcpConnection | null) =>
      connection !== null && (connection.state === 'CLOSED' || connection.state === 'TIME-WAIT');
    return over(this.client) && over(this.server);
  }

  run(forNs: number, done: () => boolean = () => this.closed): void {
    this.#pair.run(forNs, done);
  }

  #write(): void {
    while (this.#written < this.#bytes && this.client.writableBytes > 0) {
      const count = Math.min(WRITE_BYTES, this.#bytes - this.#written);
      const piece = Uint8Array.from({ length: count }, (_, i) => octetAt(this.#written + i));
      this.#written += this.client.write(piece, 0, count);
    }
    if (this.#written === this.#bytes && this.client.canWrite) this.client.shutdownWrite();
    if (this.client.atEof) this.client.close();
  }

  #read(): void {
    const { server } = this;
    if (server === null) return;
    for (;;) {
      const bytes = server.read(READ_BYTES);
      if (bytes === null) break;
      for (const octet of bytes) {
        if (octet !== octetAt(this.received) && this.wrongAt < 0) this.wrongAt = this.received;
        this.received += 1;
      }
    }
    if (server.atEof) server.close();
  }
}
