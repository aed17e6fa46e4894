/**
 * What goes over the link of a {@link TcpPair}, segment by segment: a test looks at it, and says what is lost. Sequence
 * numbers are as they stand in the header, modulo 2^32, but unsigned.
 */
import { expect } from 'vitest';
import type { TcpConnection } from '../../kernel/net/tcp/connection.ts';
import type { TcpOptions } from '../../kernel/net/tcp/user.ts';
import { readBe16, readBe32 } from '../../src/lib/bytes.ts';
import type { TcpPair } from './tcp-pair.ts';

const LETTERS = ['F', 'S', 'R', 'P', 'A', 'U'];
const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const SECOND_NS = 1e9;

/** A segment as it was sent; whether it arrived is another matter. */
export interface WireSegment {
  readonly timeNs: number;
  /** 0: the client's. 1: the server's. */
  readonly from: number;
  /** Letters of `FSRPAU`, in that order. */
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly dataBytes: number;
  readonly frame: Uint8Array;
}

export class TcpWire {
  readonly segments: WireSegment[] = [];
  /** True: this one is lost. */
  lose: (segment: WireSegment) => boolean = () => false;
  readonly #pair: TcpPair;

  constructor(pair: TcpPair) {
    this.#pair = pair;
    pair.lose = (frame, from) => {
      if (readBe16(frame, 12) !== 0x0800 || frame[23] !== 6) return false;
      const segment = this.#parse(frame, from);
      this.segments.push(segment);
      return this.lose(segment);
    };
  }

  /** The segments since the last call, for a test to go on from there. */
  take(): WireSegment[] {
    return this.segments.splice(0);
  }

  #parse(frame: Uint8Array, from: number): WireSegment {
    const tcp = ETHERNET_BYTES + IPV4_BYTES;
    const bits = frame[tcp + 13]!;
    return {
      timeNs: this.#pair.rigs[from]!.nowNs(),
      from,
      flags: LETTERS.filter((_, bit) => (bits & (1 << bit)) !== 0).join(''),
      seq: readBe32(frame, tcp + 4),
      ack: readBe32(frame, tcp + 8),
      window: readBe16(frame, tcp + 14),
      dataBytes: readBe16(frame, ETHERNET_BYTES + 2) - IPV4_BYTES - (frame[tcp + 12]! >> 4) * 4,
      frame,
    };
  }
}

/** Both ends of a connection over the pair, all quiet. */
export function established(
  pair: TcpPair,
  client: Partial<TcpOptions> = {},
  server: Partial<TcpOptions> = client,
): { client: TcpConnection; server: TcpConnection } {
  const listener = pair.listen(server);
  const near = pair.connect(client);
  pair.run(SECOND_NS);
  const far = listener.accept({ changed: () => {} });
  if (far === null) throw new Error('no connection was accepted');
  listener.close();
  expect([near.state, far.state]).toEqual(['ESTABLISHED', 'ESTABLISHED']);
  return { client: near, server: far };
}
