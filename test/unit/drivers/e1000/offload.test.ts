/** Requests that the driver passes on to a real 82540EM, and what comes out at the other end of the cable. */
import { describe, expect, it } from 'vitest';
import type { Features } from '../../../../drivers/e1000/features.ts';
import { E1000Pair } from '../../../support/e1000-pair.ts';
import { datagram, plain, type Request, stream, submit, tagged } from '../../../support/offload-frames.ts';

const MILLISECOND = 1_000_000;
const data = (length: number, salt = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => 31 * i + (i >> 8) + salt);

function pairOf(features: Partial<Features> = {}, rightFeatures = features): E1000Pair {
  const pair = new E1000Pair({ txDescriptors: 16, rxDescriptors: 32, features, rightFeatures });
  pair.bringUp();
  return pair;
}

/** What the right side received, tags put back where they were on the wire. */
const arrived = ({ right }: E1000Pair): Uint8Array[] =>
  right.iface.frames.map((octets, i) => tagged(octets, right.iface.findings[i]!.vlanTag));

function carry(pair: E1000Pair, request: Request, bufferBytes?: number): void {
  expect(submit(pair.left.platform, request, bufferBytes)).toBe(request.frames);
  pair.run(MILLISECOND);
}

describe('a TCP packet of three segments', () => {
  it.each([
    ['in one buffer', 500, 1900, 1300],
    ['in several buffers', 1460, 1900, 4000],
    ['in buffers that end in the middle of segments', 700, 300, 2000],
    ['whose last segment is a whole one', 500, 400, 1500],
  ])('leaves as three frames, %s', (_, segmentBytes, bufferBytes, length) => {
    const pair = pairOf();
    const request = stream(data(length), segmentBytes);
    expect(request.frames).toHaveLength(3);
    carry(pair, request, bufferBytes);
    expect(arrived(pair)).toEqual(request.frames);
    expect(pair.right.iface.findings.map(({ checksumGood }) => checksumGood)).toEqual([true, true, true]);
    expect(pair.left.iface.ops.statistics()).toMatchObject({ TSCTC: 1, TSCTFC: 0, GPTC: 3 });
    expect(pair.left.platform.packets.count('device')).toBe(31);
    expect(pair.left.suspicions).toEqual([]);
  });

  it('has its tag in each of them', () => {
    for (const vlan of [true, false]) {
      const pair = pairOf({ vlan });
      const request = stream(data(1300), 500, { vlanTag: 0x2064 });
      carry(pair, request);
      expect(arrived(pair)).toEqual(request.frames);
    }
  });

  it('goes between frames that want a checksum or nothing, each with what it asked for', () => {
    const pair = pairOf();
    const requests = [
      datagram(data(100), null),
      stream(data(900), 300),
      datagram(data(101), null),
      plain(data(60), null),
    ];
    requests[3]!.octets.fill(0xff, 0, 6);
    for (const request of requests) submit(pair.left.platform, request);
    pair.run(MILLISECOND);
    expect(arrived(pair)).toEqual(requests.flatMap(({ frames }) => frames));
  });

  it('waits as a whole when the ring has room for a part of it only, and the kernel is woken', () => {
    const pair = pairOf();
    const { platform, iface } = pair.left;
    const long = stream(data(8000), 1000);
    expect(submit(platform, long, 700)).toBe(long.frames); // a context and twelve buffers of fifteen descriptors
    expect(submit(platform, long, 700)).toEqual([]);
    pair.run(MILLISECOND);
    expect(iface.wakeCount).toBeGreaterThan(0);
    expect(submit(platform, long, 700)).toBe(long.frames);
    pair.run(MILLISECOND);
    expect(arrived(pair)).toEqual([...long.frames, ...long.frames]);
  });
});

describe('checksums', () => {
  it.each([0, 1, 2, 17, 18, 1000, 1472])('of a datagram with %i octets are inserted and found good', length => {
    const pair = pairOf();
    const request = datagram(data(length), null);
    carry(pair, request);
    expect(arrived(pair)[0]!.subarray(0, request.frames[0]!.length)).toEqual(request.frames[0]);
    expect(pair.right.iface.findings[0]!.checksumGood).toBe(true);
  });

  it('that are wrong come up, as not known to be good, and are counted', () => {
    const pair = pairOf();
    const wrong = datagram(data(100), null).frames[0]!.slice();
    wrong[60]! ^= 1;
    carry(pair, plain(wrong, null));
    expect(arrived(pair)).toEqual([wrong]);
    expect(pair.right.iface.findings[0]!.checksumGood).toBe(false);
    expect(pair.right.iface.ops.statistics()['rxChecksumErrors']).toBe(1);
  });

  it('are nobody’s finding at a receiver that has them off', () => {
    const pair = pairOf({}, { checksumOffload: false });
    const request = datagram(data(100), null);
    carry(pair, request);
    expect(arrived(pair)).toEqual(request.frames);
    expect(pair.right.iface.findings[0]!.checksumGood).toBe(false);
  });
});

it.each([
  [true, true],
  [true, false],
  [false, true],
  [false, false],
])('a VLAN tag is on the wire whoever puts it in (hardware: %s) and takes it out (hardware: %s)', (left, right) => {
  const pair = pairOf({ vlan: left }, { vlan: right });
  const octets = data(200).fill(0xff, 0, 6);
  carry(pair, plain(octets, 0));
  carry(pair, plain(octets, 0xefff));
  expect(arrived(pair)).toEqual([tagged(octets, 0), tagged(octets, 0xefff)]);
  expect(pair.right.iface.findings.map(({ vlanTag }) => vlanTag)).toEqual(right ? [0, 0xefff] : [null, null]);
});

it.each([true, false])('groups are received that were asked for (hash filter: %s)', multicastFilter => {
  const pair = pairOf({ multicastFilter });
  const toGroup = (last: number): Uint8Array => {
    const octets = data(60);
    octets.set([1, 0, 0x5e, 0, 0, last]);
    return octets;
  };
  carry(pair, plain(toGroup(1), null));
  expect(arrived(pair)).toEqual([]);
  pair.right.iface.ops.setMulticast([toGroup(1).slice(0, 6)]);
  carry(pair, plain(toGroup(1), null));
  carry(pair, plain(toGroup(2), null));
  expect(arrived(pair)).toEqual(multicastFilter ? [toGroup(1)] : [toGroup(1), toGroup(2)]);
  pair.right.iface.ops.setMulticast([]);
  carry(pair, plain(toGroup(1), null));
  expect(pair.right.iface.frames).toHaveLength(multicastFilter ? 1 : 2);
});

describe('moderation', () => {
  it('sends no interrupt for each frame, and gives each buffer back all the same', () => {
    const counts = [true, false].map(moderation => {
      const pair = pairOf({ moderation });
      pair.left.platform.interruptCount = 0;
      for (let i = 0; i < 10; i++) {
        submit(pair.left.platform, plain(data(1000, i).fill(0xff, 0, 6), null));
        pair.run(10_000);
      }
      pair.run(MILLISECOND);
      expect(pair.left.platform.packets.count('device')).toBe(31);
      return pair.left.platform.interruptCount;
    });
    expect(counts).toEqual([2, 10]); // at half the ring, and after the last
  });

  it('wakes a full ring before it is empty', () => {
    const pair = pairOf();
    const { platform, iface } = pair.left;
    let accepted = 0;
    const pump = () => {
      while (submit(platform, plain(data(1514, accepted).fill(0xff, 0, 6), null)).length > 0) accepted += 1;
    };
    iface.onWake = pump;
    pump();
    const beganNs = pair.clock.nowNs;
    pair.run(MILLISECOND);
    // A frame takes 12.304 us: the wire was never idle. Some are on their way, or wait for an interrupt.
    expect(pair.right.iface.frames.length).toBeGreaterThan((pair.clock.nowNs - beganNs) / 12_304 - 4);
  });
});
