/** What the transmitter works out for software: checksums and segments, against sums computed in the plainest way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onesSum } from '../../../../../hw/nic/e1000/checksum.ts';
import { E1000 } from '../../../../../hw/nic/e1000/registers.ts';
import { readBe16, readBe32, writeBe16, writeBe32 } from '../../../../../src/lib/bytes.ts';
import { BROADCAST, CMD, E1000Rig, NIC_MAC, octetsTo, Recorder, SEND } from '../../../../support/e1000-rig.ts';
import { checksummed, IP, packet, plainSum, pseudo, TCP } from '../../../../support/ipv4-packets.ts';

const { TDT, TSCTC, TSCTFC } = E1000;
const IXSM = 1;
const TXSM = 2;
const HEADERS = 54;

interface Context {
  readonly ip?: readonly [css: number, cso: number, cse: number];
  readonly tu?: readonly [css: number, cso: number, cse: number];
  readonly payload?: number;
  readonly cmd?: number;
  readonly header?: number;
  readonly mss?: number;
}

/** Writes a context descriptor: TUCMD.TCP and IP set unless `cmd` says otherwise. */
function txContext(rig: E1000Rig, index: number, context: Context): void {
  const { ip = [14, 24, 33], tu = [34, 50, 0], payload = 0, cmd = 3, header = 0, mss = 0 } = context;
  const bytes = rig.memory(0x8000_1000 + 16 * index, 16).fill(0);
  bytes.set([ip[0], ip[1], ip[2] & 255, ip[2] >> 8, tu[0], tu[1], tu[2] & 255, tu[2] >> 8]);
  bytes.set([payload & 255, (payload >> 8) & 255, payload >> 16, cmd | CMD.DEXT, 0, header, mss & 255, mss >> 8], 8);
}

function sendAll(rig: E1000Rig, tail: number): Uint8Array[] {
  rig.write(TDT.at, tail);
  rig.pass(2_000_000);
  return rig.far.arrivals.map(({ frame }) => frame.octets);
}

describe('the Internet checksum, RFC 1071', () => {
  it('is the sum of the plainest loop, wherever the octets lie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 300 }), fc.nat(7), fc.nat(40), (octets, shift, from) => {
        const slab = new Uint8Array(320);
        const moved = slab.subarray(shift, shift + octets.length);
        moved.set(octets);
        const start = Math.min(from, octets.length);
        expect(onesSum(moved, start, octets.length)).toBe(plainSum(octets, start));
      }),
      { numRuns: 500 },
    );
  });
});

describe('transmit checksums, 82540EM manual 3.3.3 and 3.5', () => {
  it('legacy IC inserts at CSO the checksum from CSS to the end of the packet', () => {
    const rig = new E1000Rig().openTx();
    const octets = packet(6, 101);
    writeBe16(octets, TCP + 16, pseudo(octets, octets.length - TCP));
    rig.txLegacy(0, rig.txBuffer(0, octets), octets.length, SEND | CMD.IC, { css: TCP, cso: TCP + 16 });
    const [sent] = sendAll(rig, 1);
    expect(readBe16(sent!, TCP + 16)).toBe(readBe16(checksummed(octets), TCP + 16));
    expect(readBe16(sent!, IP + 10)).toBe(0);
  });

  it.each([
    ['TCP', 6, [34, 50, 0]],
    ['UDP', 17, [34, 40, 0]],
  ] as const)('a context and POPTS insert the checksums of IPv4 and %s', (_name, protocol, tu) => {
    const rig = new E1000Rig().openTx();
    const octets = packet(protocol, 100);
    writeBe16(octets, tu[1], pseudo(octets, octets.length - TCP));
    txContext(rig, 0, { tu });
    const address = rig.txBuffer(0, octets);
    rig.txData(1, address, 50, CMD.IFCS, IXSM | TXSM);
    rig.txData(2, address + 50, octets.length - 50, SEND);
    const sent = sendAll(rig, 3);
    expect(sent).toEqual([checksummed(octets)]);
    expect([rig.txStatus(0), rig.txStatus(1), rig.txStatus(2), rig.read(E1000.TDH.at)]).toEqual([0, 0, 1, 3]);
  });

  it('a context holds until the next one of its kind', () => {
    const rig = new E1000Rig().openTx();
    txContext(rig, 0, {});
    const packets = [packet(6, 50), packet(6, 60)];
    packets.forEach((octets, i) => {
      writeBe16(octets, TCP + 16, pseudo(octets, octets.length - TCP));
      rig.txData(1 + i, rig.txBuffer(i, octets), octets.length, SEND, IXSM | TXSM);
    });
    expect(sendAll(rig, 3)).toEqual(packets.map(checksummed));
  });

  it('IPCSE and TUCSE name the last octet that is summed', () => {
    const rig = new E1000Rig().openTx();
    const octets = packet(17, 100);
    txContext(rig, 0, { tu: [34, 40, 61] });
    rig.txData(1, rig.txBuffer(0, octets), octets.length, SEND, TXSM);
    const [sent] = sendAll(rig, 2);
    expect(readBe16(sent!, 40)).toBe(~plainSum(octets, 34, 62) & 0xffff);
  });

  it('offsets outside the packet change nothing', () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(255),
        fc.nat(0xffff),
        fc.integer({ min: 1, max: 120 }),
        (css, cso, cse, bytes) => {
          const rig = new E1000Rig().openTx();
          rig.write(E1000.TCTL.at, E1000.TCTL.EN);
          const octets = octetsTo(BROADCAST, bytes);
          txContext(rig, 0, { ip: [css, cso, cse], tu: [cso, css, cse] });
          rig.txData(1, rig.txBuffer(0, octets), bytes, SEND, IXSM | TXSM);
          const [sent] = sendAll(rig, 2);
          const expected = octets.slice();
          for (const [from, at] of [
            [css, cso],
            [cso, css],
          ] as const) {
            const end = cse === 0 ? bytes : Math.min(bytes, cse + 1);
            if (from < end && at + 2 <= bytes) writeBe16(expected, at, ~plainSum(expected, from, end) & 0xffff);
          }
          expect(sent).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('segmentation, 82540EM manual 3.3.7 and 3.6', () => {
  /** Sends `octets` in one segmented packet of data descriptors cut at `cuts`. */
  function segmented(octets: Uint8Array, mss: number, cuts: readonly number[], tcp = true): E1000Rig {
    const rig = new E1000Rig().openTx(32);
    const header = tcp ? HEADERS : 42;
    const patched = octets.slice();
    writeBe16(patched, tcp ? TCP + 16 : TCP + 6, pseudo(octets, 0));
    txContext(rig, 0, {
      tu: [34, tcp ? 50 : 40, 0],
      payload: octets.length - header,
      cmd: (tcp ? 1 : 0) | 2 | 4,
      header,
      mss,
    });
    const address = rig.txBuffer(0, patched);
    const ends = [...cuts, octets.length];
    ends.forEach((end, i) => {
      const start = i === 0 ? 0 : ends[i - 1]!;
      const last = i === ends.length - 1 ? CMD.EOP | CMD.RS : 0;
      rig.txData(1 + i, address + start, end - start, CMD.TSE | CMD.IFCS | last, i === 0 ? IXSM | TXSM : 0);
    });
    sendAll(rig, 1 + ends.length);
    return rig;
  }

  function expectSegments(rig: E1000Rig, octets: Uint8Array, mss: number): void {
    const payload = octets.slice(HEADERS);
    const segments = rig.far.arrivals.map(({ frame }) => frame.octets);
    const count = Math.max(1, Math.ceil(payload.length / mss));
    expect(segments).toHaveLength(count);
    segments.forEach((segment, i) => {
      const data = payload.slice(i * mss, (i + 1) * mss);
      const wanted = octets.slice(0, HEADERS + data.length);
      wanted.set(data, HEADERS);
      writeBe16(wanted, IP + 2, 40 + data.length);
      writeBe16(wanted, IP + 4, 0x1234 + i);
      writeBe32(wanted, TCP + 4, 0xffff_ff00 + i * mss);
      wanted[TCP + 13] = i === count - 1 ? 0x19 : 0x10;
      const padded = new Uint8Array(Math.max(60, wanted.length));
      padded.set(checksummed(wanted));
      expect(segment).toEqual(padded);
    });
  }

  it('cuts a packet into segments of MSS octets, each with its own header and checksums', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 200, max: 1460 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
        (payloadBytes, mss, fractions) => {
          const octets = packet(6, payloadBytes, 0x19);
          const cuts = fractions.map(fraction => Math.floor(fraction * octets.length)).sort((a, b) => a - b);
          const rig = segmented(octets, mss, cuts);
          expectSegments(rig, octets, mss);
          expect([rig.read(TSCTC.at), rig.read(TSCTFC.at)]).toEqual([1, 0]);
          expect(rig.txStatus(1 + cuts.length)).toBe(1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of a payload that is a multiple of MSS has no empty segment at the end', () => {
    const octets = packet(6, 3000, 0x19);
    expectSegments(segmented(octets, 1000, [HEADERS]), octets, 1000);
  });

  it('puts the length of each segment into the UDP header', () => {
    const rig = segmented(packet(17, 2500), 1000, [42], false);
    const lengths = rig.far.arrivals.map(({ frame }) => readBe16(frame.octets, TCP + 4));
    expect(lengths).toEqual([1008, 1008, 508]);
    for (const { frame } of rig.far.arrivals) expect(frame.octets).toEqual(checksummed(frame.octets));
  });

  it('of IPv6 writes the payload length', () => {
    const rig = new E1000Rig().openTx(32);
    const octets = octetsTo(NIC_MAC, 74 + 2000, 9);
    txContext(rig, 0, { tu: [54, 70, 0], payload: 2000, cmd: 1 | 4, header: 74, mss: 1000 });
    rig.txData(1, rig.txBuffer(0, octets), octets.length, CMD.TSE | SEND);
    const sent = sendAll(rig, 2);
    expect(sent.map(segment => readBe16(segment, IP + 4))).toEqual([1020, 1020]);
    expect(readBe32(sent[1]!, 58)).toBe((readBe32(octets, 58) + 1000) >>> 0);
  });

  it('counts TSCTFC when EOP comes before PAYLEN is consumed', () => {
    const rig = new E1000Rig().openTx(32);
    txContext(rig, 0, { payload: 3000, cmd: 7, header: HEADERS, mss: 1000 });
    const octets = packet(6, 1500);
    rig.txData(1, rig.txBuffer(0, octets), octets.length, CMD.TSE | SEND);
    expect(sendAll(rig, 2).map(segment => segment.length)).toEqual([1054, 554]);
    expect([rig.read(TSCTC.at), rig.read(TSCTFC.at), rig.txStatus(1)]).toEqual([0, 1, 1]);
  });

  it('sends no more than PAYLEN, and counts TSCTFC for the rest', () => {
    const rig = new E1000Rig().openTx(32);
    txContext(rig, 0, { payload: 500, cmd: 7, header: HEADERS, mss: 1000 });
    const octets = packet(6, 1500);
    const address = rig.txBuffer(0, octets);
    rig.txData(1, address, 1000, CMD.TSE | CMD.IFCS);
    rig.txData(2, address + 1000, octets.length - 1000, CMD.TSE | SEND);
    expect(sendAll(rig, 3).map(segment => segment.length)).toEqual([554]);
    expect([rig.read(TSCTC.at), rig.read(TSCTFC.at), rig.txStatus(2), rig.read(E1000.TDH.at)]).toEqual([0, 1, 1, 3]);
  });

  it.each([
    ['MSS 0', { header: HEADERS, mss: 0 }],
    ['HDRLEN 0', { header: 0, mss: 1000 }],
    ['segments longer than a frame may be', { header: 255, mss: 65_535 }],
    ['no context at all', null],
  ])('with %s sends nothing, and gives the descriptors back', (_text, context) => {
    const rig = new E1000Rig().openTx(32);
    const record = new Recorder();
    rig.nic.taps = record;
    if (context === null) rig.txLegacy(0, 0, 0, CMD.EOP);
    else txContext(rig, 0, { payload: 1500, cmd: 7, ...context });
    const octets = packet(6, 1500);
    rig.txData(1, rig.txBuffer(0, octets), octets.length, CMD.TSE | SEND);
    rig.txLegacy(2, rig.txBuffer(1, octets), 100, SEND);
    expect(sendAll(rig, 3).map(frame => frame.length)).toEqual([100]);
    expect([rig.txStatus(1), rig.txStatus(2), rig.read(TSCTFC.at)]).toEqual([1, 1, 1]);
    expect(record.suspicions.some(text => text.startsWith('segmentation with'))).toBe(true);
  });

  it('with a header longer than the packet sends nothing', () => {
    const rig = new E1000Rig().openTx(32);
    txContext(rig, 0, { payload: 1500, cmd: 7, header: 200, mss: 1000 });
    rig.txData(1, rig.txBuffer(0, packet(6, 6)), 60, CMD.TSE | SEND);
    expect(sendAll(rig, 2)).toEqual([]);
    expect([rig.txStatus(1), rig.read(TSCTFC.at)]).toEqual([1, 1]);
  });

  it('ignores a context between the data descriptors of a packet', () => {
    const rig = new E1000Rig().openTx(32);
    const octets = packet(6, 2000, 0x19);
    writeBe16(octets, TCP + 16, pseudo(octets, 0));
    txContext(rig, 0, { payload: 2000, cmd: 7, header: HEADERS, mss: 1000 });
    const address = rig.txBuffer(0, octets);
    rig.txData(1, address, 500, CMD.TSE | CMD.IFCS, IXSM | TXSM);
    txContext(rig, 2, { payload: 7, cmd: 7, header: 3, mss: 1 });
    rig.txData(3, address + 500, octets.length - 500, CMD.TSE | SEND);
    sendAll(rig, 4);
    expectSegments(rig, octets, 1000);
  });
});
