/** The GDB remote protocol, as much of it as breakpoints and going on take: `$text#checksum`, acknowledged by `+`. */
import type { Socket } from 'node:net';

const PACKET = /\$([^#]*)#../;

export class GdbChannel {
  readonly #socket: Socket;
  readonly #waiting: { resolve(text: string): void; reject(error: Error): void }[] = [];
  #rest = '';

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the debugger connection has closed'));
    });
  }

  /** Sends a packet; resolves to the packet that answers it. After `c` that is the one that says why it stopped. */
  ask(text: string): Promise<string> {
    let sum = 0;
    for (let i = 0; i < text.length; i++) sum = (sum + text.charCodeAt(i)) & 0xff;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`$${text}#${sum.toString(16).padStart(2, '0')}`);
    });
  }

  #take(text: string): void {
    this.#rest += text;
    for (let match = PACKET.exec(this.#rest); match !== null; match = PACKET.exec(this.#rest)) {
      this.#rest = this.#rest.slice(match.index + match[0].length);
      if (this.#socket.writable) this.#socket.write('+');
      this.#waiting.shift()?.resolve(match[1]!);
    }
  }
}
