/** Wire formats: what is emitted is parsed back to the same fields, and is right by the plainest checksum there is. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PacketBuffer } from '../../../kernel/driver-api.ts';
import { ArpPacket, emitArp, parseArp } from '../../../kernel/net/arp-packet.ts';
import { emitIcmp } from '../../../kernel/net/icmp-message.ts';
import { emit, Ipv4Header, parse } from '../../../kernel/net/ipv4/header.ts';
import { findBadOption } from '../../../kernel/net/ipv4/options.ts';
import { readBe16, readBe32 } from '../../../src/lib/bytes.ts';
import { naiveSum } from '../../support/packets.ts';

const octet = fc.nat({ max: 0xff });
const word = fc.nat({ max: 0xffff });
const long = fc.nat({ max: 0xffff_ffff });

/** All of `bytes`, as a packet. */
function packetOf(bytes: Uint8Array): PacketBuffer {
  const asks = { checksumStart: 0, checksumAt: 0, segmentBytes: 0, dataStart: 0, vlanTag: null, checksumGood: false };
  return { address: 0, bytes, start: 0, length: bytes.length, next: null, ...asks };
}

const header = fc
  .record({
    optionWords: fc.nat({ max: 10 }),
    typeOfService: octet,
    payloadBytes: fc.nat({ max: 200 }),
    identification: word,
    fragment: word,
    timeToLive: octet,
    protocol: octet,
    source: long,
    destination: long,
  })
  .map(({ optionWords, payloadBytes, ...fields }) => {
    const headerBytes = 20 + 4 * optionWords;
    return Object.assign(new Ipv4Header(), { ...fields, headerBytes, totalBytes: headerBytes + payloadBytes });
  });

test('an IPv4 header is parsed back as it was emitted, and its checksum is good', () => {
  fc.assert(
    fc.property(header, fc.uint8Array({ minLength: 400, maxLength: 400 }), fc.nat({ max: 9 }), (sent, bytes, start) => {
      emit(bytes, start, sent);
      const parsed = new Ipv4Header();
      expect(parse(bytes, start, sent.totalBytes, parsed)).toBeNull();
      expect(parsed).toEqual(sent);
      expect(naiveSum(bytes.subarray(start, start + sent.headerBytes))).toBe(0xffff);
    }),
  );
});

test('an IPv4 header with one bit changed is refused', () => {
  fc.assert(
    fc.property(header, fc.nat({ max: 159 }), (sent, bit) => {
      const bytes = new Uint8Array(400);
      emit(bytes, 0, sent);
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      expect(parse(bytes, 0, bytes.length, new Ipv4Header())).not.toBeNull();
    }),
  );
});

test('an ARP packet is parsed back as it was emitted', () => {
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
  const fields = fc.record({ opcode: word, senderMac: mac, senderAddress: long, targetMac: mac, targetAddress: long });
  fc.assert(
    fc.property(fields, fc.nat({ max: 9 }), (sent, start) => {
      const bytes = new Uint8Array(60);
      emitArp(bytes, start, Object.assign(new ArpPacket(), sent));
      const parsed = new ArpPacket();
      expect(parseArp(bytes, start, 28, parsed)).toBe(true);
      expect({ ...parsed }).toEqual(sent);
    }),
  );
});

test('an ICMP message has the type, code and word that it was given, and a good checksum', () => {
  const data = fc.uint8Array({ minLength: 8, maxLength: 300 });
  fc.assert(
    fc.property(fc.constantFrom(0, 3, 5, 8, 11, 12), octet, long, data, (type, code, second, bytes) => {
      const payload = bytes.slice(8);
      emitIcmp(packetOf(bytes), type, code, second);
      expect([bytes[0], bytes[1], readBe32(bytes, 4)]).toEqual([type, code, second]);
      expect(bytes.slice(8)).toEqual(payload);
      const sum = naiveSum(bytes);
      expect(sum === 0 ? readBe16(bytes, 2) : sum).toBe(0xffff);
    }),
  );
});

test('options that are put together by the rules have no bad octet; the first that breaks them is pointed at', () => {
  const option = fc.oneof(
    fc.constant([1]),
    fc
      .record({ type: fc.integer({ min: 2, max: 255 }), data: fc.uint8Array({ maxLength: 6 }) })
      .map(({ type, data }) => {
        return [type, 2 + data.length, ...data];
      }),
  );
  fc.assert(
    fc.property(fc.array(option, { maxLength: 4 }), fc.constantFrom(0, 1, 41, 255), (parts, badLength) => {
      const good = parts.flat();
      const room = 40 - good.length;
      const bytes = Uint8Array.from([...new Array<number>(20).fill(0), ...good, ...new Array<number>(room).fill(0)]);
      expect(findBadOption(bytes, 0, 60)).toBe(-1);
      if (room < 2) return;
      bytes[20 + good.length] = 7;
      bytes[21 + good.length] = badLength;
      expect(findBadOption(bytes, 0, 60)).toBe(21 + good.length);
    }),
  );
});
