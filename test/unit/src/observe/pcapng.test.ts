import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CapturedPacket, PACKET_ERROR, PcapngWriter } from '../../../../src/observe/pcapng.ts';
import { readBlocks, readPacket, stamp, textOf } from '../../../support/pcapng-reader.ts';

/** What `write` makes, as one array. */
function capture(write: (writer: PcapngWriter) => void, hardware = 'two hosts'): Uint8Array {
  const chunks: Uint8Array[] = [];
  write(new PcapngWriter(chunk => chunks.push(chunk), hardware));
  return Uint8Array.from(chunks.flatMap(chunk => Array.from(chunk)));
}

const anyText = fc.string({ unit: 'binary', maxLength: 40 });

const anyPacket = (interfaceCount: number): fc.Arbitrary<CapturedPacket> =>
  fc.record({
    interfaceId: fc.nat(interfaceCount - 1),
    timeNs: fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 31)),
    bytes: fc.uint8Array({ maxLength: 100 }),
    direction: fc.constantFrom('inbound', 'outbound', null),
    errors: fc.subarray(Object.values(PACKET_ERROR)).map(bits => bits.reduce((all, bit) => all | bit, 0) >>> 0),
    comments: fc.array(anyText, { maxLength: 3 }),
  });

describe('pcapng', () => {
  it('gives back every packet, with its time to the nanosecond, comments, direction and errors', () => {
    const anyCapture = fc
      .array(fc.tuple(anyText, anyText), { minLength: 1, maxLength: 4 })
      .chain(names => fc.tuple(fc.constant(names), fc.array(anyPacket(names.length), { maxLength: 8 })));
    fc.assert(
      fc.property(anyCapture, ([names, packets]) => {
        const file = capture(writer => {
          for (const [name, description] of names) writer.addInterface(name, description);
          for (const packet of packets) writer.packet(packet);
        });
        const [section, ...rest] = readBlocks(file);
        expect(section!.type).toBe(0x0a0d0d0a);
        expect(rest.map(block => block.type)).toEqual([...names.map(() => 1), ...packets.map(() => 6)]);
        const interfaces = rest.slice(0, names.length).map(block => Object.fromEntries(block.options(8)));
        expect(interfaces.map(options => [textOf(options[2]), textOf(options[3])])).toEqual(names);
        expect(rest.slice(names.length).map(readPacket)).toEqual(
          packets.map(packet => ({ ...packet, fcsOctets: packet.bytes.length < 4 ? 0 : 4 })),
        );
      }),
    );
  });

  it('4.1: the section header tells byte order, version, hardware, and a length that is not known', () => {
    const [section] = readBlocks(capture(() => {}, 'one host'));
    expect(section!.body.getUint32(0, true)).toBe(0x1a2b3c4d);
    expect([section!.body.getUint16(4, true), section!.body.getUint16(6, true)]).toEqual([1, 0]);
    expect(section!.body.getBigInt64(8, true)).toBe(-1n);
    expect(section!.options(16).map(([code, value]) => [code, textOf(value)])).toEqual([
      [2, 'one host'],
      [4, 'Ringtail'],
    ]);
  });

  it('4.2: an interface is Ethernet without snap length, in nanoseconds, with an FCS of 32 bits', () => {
    const [, block] = readBlocks(capture(writer => writer.addInterface('h1.eth0', 'copper')));
    expect(block!.body.getUint16(0, true)).toBe(1);
    expect(block!.body.getUint32(4, true)).toBe(0);
    const options = new Map(block!.options(8));
    expect([options.get(9), options.get(13)]).toEqual([Uint8Array.of(9), Uint8Array.of(32)]);
  });

  it('an interface may be added between packets, and numbers count up', () => {
    const ids: number[] = [];
    capture(writer => {
      ids.push(writer.addInterface('a', ''));
      writer.packet({ interfaceId: 0, timeNs: 1, bytes: new Uint8Array(1), direction: null, errors: 0, comments: [] });
      ids.push(writer.addInterface('b', ''));
    });
    expect(ids).toEqual([0, 1]);
  });

  it('4.5: statistics carry end time and counts beyond 32 bits', () => {
    const endNs = 2 ** 40 + 5;
    const file = capture(writer =>
      writer.statistics(writer.addInterface('a', ''), { endNs, received: 2 ** 33 + 1, dropped: 3 }),
    );
    const block = readBlocks(file)[2]!;
    const options = new Map(
      block.options(12).map(([code, value]) => [code, new DataView(value.buffer, value.byteOffset)]),
    );
    expect([block.type, block.body.getUint32(0, true)]).toEqual([5, 0]);
    expect([stamp(block.body, 4), stamp(options.get(2)!, 0), stamp(options.get(3)!, 0)]).toEqual([
      BigInt(endNs),
      0n,
      BigInt(endNs),
    ]);
    expect([options.get(4)!.getBigUint64(0, true), options.get(5)!.getBigUint64(0, true)]).toEqual([
      2n ** 33n + 1n,
      3n,
    ]);
  });

  it('a comment longer than the length field ends at the last whole character', () => {
    const file = capture(writer => {
      const interfaceId = writer.addInterface('a', '');
      const comments = [`a${'é'.repeat(40_000)}`, 'next'];
      writer.packet({ interfaceId, timeNs: 0, bytes: new Uint8Array(3), direction: null, errors: 0, comments });
    });
    const { comments } = readPacket(readBlocks(file)[2]!);
    expect(comments).toEqual([`a${'é'.repeat(32_767)}`, 'next']);
  });
});
