/**
 * Reads pcapng files as draft-ietf-opsawg-pcapng describes them, apart from the code that writes them, and checks the
 * frame of every block on the way. Numbers of 64 bits are BigInt.
 */
import { expect } from 'vitest';

export interface Block {
  readonly type: number;
  readonly body: DataView;
  readonly options: (fixedBytes: number) => readonly (readonly [code: number, value: Uint8Array])[];
}

export function readBlocks(file: Uint8Array): Block[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const length = view.getUint32(at + 4, true);
    expect(length % 4).toBe(0);
    expect(view.getUint32(at + length - 4, true)).toBe(length);
    const body = new DataView(file.buffer, file.byteOffset + at + 8, length - 12);
    blocks.push({ type: view.getUint32(at, true), body, options: fixed => readOptions(body, fixed) });
    at += length;
  }
  return blocks;
}

function readOptions(body: DataView, from: number): (readonly [number, Uint8Array])[] {
  const options: (readonly [number, Uint8Array])[] = [];
  let at = from;
  for (;;) {
    const code = body.getUint16(at, true);
    const length = body.getUint16(at + 2, true);
    if (code === 0) {
      expect([length, at + 4]).toEqual([0, body.byteLength]);
      return options;
    }
    options.push([code, new Uint8Array(body.buffer, body.byteOffset + at + 4, length)]);
    at += 4 + 4 * Math.ceil(length / 4);
  }
}

export const textOf = (bytes: Uint8Array | undefined) => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
const word = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

/** A timestamp: two words, the upper one first, each little-endian. */
export const stamp = (view: DataView, at: number) =>
  (BigInt(view.getUint32(at, true)) << 32n) | BigInt(view.getUint32(at + 4, true));

/** An Enhanced Packet Block. */
export function readPacket({ body, options }: Block) {
  const length = body.getUint32(12, true);
  const list = options(20 + 4 * Math.ceil(length / 4));
  const flags = word(list.find(([code]) => code === 2)![1]);
  expect(body.getUint32(16, true)).toBe(length);
  return {
    interfaceId: body.getUint32(0, true),
    timeNs: Number(stamp(body, 4)),
    bytes: new Uint8Array(body.buffer, body.byteOffset + 20, length).slice(),
    direction: [null, 'inbound', 'outbound'][flags & 3],
    fcsOctets: (flags >>> 5) & 15,
    errors: (flags & 0xffff0000) >>> 0,
    comments: list.filter(([code]) => code === 1).map(([, value]) => textOf(value)),
  };
}

/** The packets of a file that came in `chunks`. */
export function readPackets(chunks: readonly Uint8Array[]) {
  return readBlocks(new Uint8Array(Buffer.concat(chunks)))
    .filter(block => block.type === 6)
    .map(readPacket);
}
