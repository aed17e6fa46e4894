import { beforeEach, describe, expect, it } from 'vitest';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import { SignalPath } from '../../../../hw/ethernet/line/signal-path.ts';
import { Cable } from '../../../../hw/ethernet/medium/cable.ts';
import type { MediumListener, MediumPort } from '../../../../hw/ethernet/ports.ts';
import { transmissionOf } from '../../../../hw/ethernet/transmission.ts';
import type { DropReason, E1000Taps } from '../../../../hw/nic/e1000/taps.ts';
import { Clock } from '../../../../hw/sim/clock.ts';
import { Prng } from '../../../../hw/sim/prng.ts';
import { Capture } from '../../../../src/observe/capture.ts';
import { frameEvents } from '../../../../src/observe/frame-probe.ts';
import { nicEvents } from '../../../../src/observe/nic-probe.ts';
import { readPackets } from '../../../support/pcapng-reader.ts';

const METRES = 90; // 500 ns
const DELAY_NS = 500;

/** A station that keeps what arrives, and a NIC's taps, by which a test says what the NIC does with it. */
class Station implements MediumListener {
  port: MediumPort | null = null;
  readonly arrivals: Frame[] = [];
  taps: E1000Taps | null = null;
  /** Why the next frame is thrown away, at once. */
  rejects: DropReason | null = null;

  plugged(port: MediumPort | null): void {
    this.port = port;
  }

  arrived(frame: Frame): void {
    this.arrivals.push(frame);
    if (this.rejects !== null) this.taps?.dropped(frame, this.rejects);
  }

  linkSignal(): void {}

  nameAt(): string {
    return '';
  }
}

describe('a capture', () => {
  let clock: Clock;
  let cable: Cable;
  let left: Station;
  let right: Station;
  let chunks: Uint8Array[];
  let capture: Capture;

  beforeEach(() => {
    clock = new Clock();
    cable = new Cable(clock, new Prng('capture'), METRES);
    left = new Station();
    right = new Station();
    cable.connect(0, left);
    cable.connect(1, right);
    chunks = [];
    capture = new Capture(chunk => chunks.push(chunk), 'a cable');
    capture.wire('wire0', ['h1.eth0', 'h2.eth0'], frameEvents(cable));
    capture.nic(nicEvents(left, 'h1.eth0', clock));
    capture.nic(nicEvents(right, 'h2.eth0', clock));
  });

  const frame = (lengthBytes = 60) => Frame.withFcs(new Uint8Array(lengthBytes).fill(0x5a));

  /** Sends at 100 Mb/s, after whatever was sent there before. */
  function send(from: Station, sent: Frame, startNs: number) {
    const transmission = transmissionOf(sent, 10, startNs);
    from.port!.transmit(transmission);
    return transmission;
  }

  function packets() {
    clock.run(clock.nowNs + 1_000_000);
    capture.close(clock.nowNs);
    return readPackets(chunks);
  }

  it('shows each frame as it came out, with the time of its first bit there, in the order of time', () => {
    send(left, frame(1514), 1000);
    send(right, frame(), 3000);
    const seen = packets();
    expect(seen.map(({ timeNs, direction, comments, errors }) => ({ timeNs, direction, comments, errors }))).toEqual([
      { timeNs: 1000 + DELAY_NS, direction: 'outbound', comments: [], errors: 0 },
      { timeNs: 3000 + DELAY_NS, direction: 'inbound', comments: [], errors: 0 },
    ]);
    expect(seen.map(({ bytes }) => bytes)).toEqual([frame(1514).wire(), frame().wire()]);
  });

  it('says which bits the wire inverted, and marks the bad FCS', () => {
    cable.flipNext(0, [80, 81]);
    send(left, frame(), 0);
    const [packet] = packets();
    expect(packet).toMatchObject({
      errors: 1 << 24,
      comments: ['damaged on the wire: 2 bits inverted, the first in octet 10'],
    });
    expect(packet!.bytes).toEqual(right.arrivals[0]!.wire());
    expect(packet!.bytes[10]).toBe(0x5a ^ 3);
  });

  it('tells what bad line symbols did: bits inverted, none, or a frame of another length', () => {
    cable.carryThrough(0, new SignalPath(3e-4, new Prng('symbols')));
    for (let i = 0; i < 300; i++) send(left, frame(), i * 10_000);
    const comments = packets().flatMap(packet => packet.comments);
    const count = (pattern: RegExp) => comments.filter(comment => pattern.test(comment)).length;
    expect(count(/^damaged on the wire: \d+ bits? inverted, the first in octet \d+$/)).toBeGreaterThan(20);
    expect(count(/^damaged on the wire: symbols only, no bit is inverted$/)).toBeGreaterThan(0);
    expect(count(/^drawn out on the wire: (6[5-9]|7\d) octets out of 64$/)).toBeGreaterThan(0);
    expect(count(/^damaged|^drawn out|^cut short on the wire: \d+ of 64|^lost/)).toBe(comments.length);
  });

  it('tells a lost frame from one that was cut short, by the wire or by its sender', () => {
    send(left, frame(), 0);
    clock.run(DELAY_NS + 640 + 30 * 80);
    cable.cut();
    send(left, frame(), clock.nowNs);
    clock.run(clock.nowNs + 10_000);
    cable.repair();
    const given = send(right, frame(), clock.nowNs);
    clock.run(clock.nowNs + 640 + 40 * 80);
    given.endNs = clock.nowNs;
    given.aborted = true;
    right.port!.abort(given);
    const seen = packets();
    expect(seen.map(({ comments, bytes }) => [comments, bytes.length])).toEqual([
      [['cut short on the wire: 30 of 64 octets'], 30],
      [['lost: nothing of it came out of the wire'], 64],
      [['given up by its sender after 40 octets'], 40],
    ]);
    expect(seen[0]!.errors).toBe(((1 << 24) | (1 << 26) | (1 << 31)) >>> 0);
  });

  it('says that a frame was sent with a bad FCS', () => {
    send(left, Frame.raw(new Uint8Array(64)), 0);
    expect(packets()[0]).toMatchObject({ comments: ['sent with this bad FCS'], errors: 1 << 24 });
  });

  it('says which NIC at its ends threw a frame away, and why, before or after it was on the wire', () => {
    right.rejects = 'address filter';
    const first = send(left, frame(), 0);
    const third = send(left, frame(70), 20_000);
    clock.run(10_000);
    right.rejects = null;
    clock.run(50_000);
    right.taps!.dropped(third.frame, 'receive FIFO full');
    expect(packets().map(({ comments }) => comments)).toEqual([
      ['dropped by h2.eth0: address filter'],
      ['dropped by h2.eth0: receive FIFO full'],
    ]);
    expect(first.frame).toBe(right.arrivals[0]);
  });

  it('blames no NIC of another wire that the same frame went over', () => {
    const other = new Cable(clock, new Prng('other'), METRES);
    const [bridge, far] = [new Station(), new Station()];
    other.connect(0, bridge);
    other.connect(1, far);
    capture.wire('wire1', ['switch.1', 'h3.eth0'], frameEvents(other));
    capture.nic(nicEvents(far, 'h3.eth0', clock));
    far.rejects = 'receiver disabled';
    const shared = frame();
    send(left, shared, 0);
    send(bridge, shared, 10_000);
    expect(packets().map(({ interfaceId, comments }) => [interfaceId, comments])).toEqual([
      [0, []],
      [1, ['dropped by h3.eth0: receiver disabled']],
    ]);
  });

  it('takes its taps off when it is closed', () => {
    expect([cable.onFrame === null, left.taps === null]).toEqual([false, false]);
    capture.close(0);
    expect([cable.onFrame, left.taps, right.taps]).toEqual([null, null, null]);
  });
});
