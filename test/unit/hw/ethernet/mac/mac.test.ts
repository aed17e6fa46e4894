import { describe, expect, test } from 'vitest';
import { INTER_FRAME_GAP_BITS } from '../../../../../hw/ethernet/mac/mac.ts';
import { HEADER_BITS } from '../../../../../hw/ethernet/ports.ts';
import { type Endpoint, frameOf, Pair } from '../../../../support/ethernet.ts';

const SPEEDS = [
  [10, 100],
  [100, 10],
  [1000, 1],
] as const;

describe.each(SPEEDS)('full-duplex MAC at %i Mb/s', (speed, bitNs) => {
  test.each([4, 64, 65, 512, 1518, 9000])(
    'a frame of %i octets takes preamble, SFD and 8 bit times an octet',
    bytes => {
      const pair = new Pair({ metres: 100 }).force(speed);
      const frame = frameOf(bytes);
      const startNs = pair.clock.nowNs;
      const endNs = startNs + (64 + 8 * bytes) * bitNs;
      pair.a.send(frame);
      pair.pass(1e9);
      expect(pair.a.sent).toEqual([{ frame, outcome: 'sent', atNs: endNs }]);
      expect(pair.b.arrivals).toEqual([{ frame, startNs: startNs + 556, bitNs, atNs: endNs + 556 }]);
      expect(pair.b.arrivals[0]!.frame).toBe(frame);
    },
  );

  test('own frames are 96 bit times apart, and no further when the next one waits', () => {
    const pair = new Pair().force(speed);
    pair.a.send(frameOf(64), frameOf(1518), frameOf(64, 1));
    pair.pass(1e9);
    const [first, second, third] = pair.b.arrivals;
    expect(second!.startNs - first!.atNs).toBe(96 * bitNs);
    expect(third!.startNs - second!.atNs).toBe(96 * bitNs);
  });

  test('a frame handed over during the gap waits for its end, one handed over after it starts at once', () => {
    for (const lateBits of [0, 1, 95, 96, 97, 1000]) {
      const pair = new Pair().force(speed);
      pair.a.send(frameOf(64));
      pair.pass((HEADER_BITS + 512 + lateBits) * bitNs);
      pair.a.send(frameOf(64));
      pair.pass(1e9);
      const [first, second] = pair.b.arrivals;
      expect((second!.startNs - first!.atNs) / bitNs).toBe(Math.max(lateBits, INTER_FRAME_GAP_BITS));
    }
  });

  test('saturated, minimum frames pass at 1 / (20 + 64 octets), both ways at once', () => {
    const pair = new Pair({ metres: 100 }).force(speed);
    const frames = Array.from({ length: 50 }, () => frameOf(64));
    pair.a.send(...frames);
    pair.b.send(...frames);
    pair.pass(1e9);
    for (const { arrivals } of [pair.a, pair.b]) {
      expect(arrivals.length).toBe(50);
      expect(arrivals[49]!.atNs - arrivals[0]!.atNs).toBe(49 * 84 * 8 * bitNs);
    }
  });
});

describe('MAC', () => {
  test('two events carry one frame', () => {
    const pair = new Pair().up();
    const before = pair.clock.eventCount;
    pair.a.send(frameOf(64), frameOf(64), frameOf(64));
    pair.pass(1e9);
    expect(pair.clock.eventCount - before).toBe(6);
  });

  test('a frame handed over while the link is down waits for the link', () => {
    const pair = new Pair();
    expect([pair.a.mac.idle, pair.a.mac.canTransmit]).toEqual([true, false]);
    pair.a.send(frameOf(64));
    expect(pair.a.mac.idle).toBe(false);
    pair.up();
    const upNs = pair.b.arrivals[0]!.startNs;
    expect(upNs).toBeGreaterThan(1_200_000_000);
    expect(pair.a.sent.map(sent => sent.atNs)).toEqual([upNs + 576]);
    expect(pair.a.mac.canTransmit).toBe(true);
  });

  test('a frame that was being sent when the cable broke completes for the sender, and is lost on the wire', () => {
    const pair = new Pair().force(10);
    pair.a.send(frameOf(1518));
    pair.pass(500_000);
    pair.cable.cut();
    pair.pass(1_000_000);
    expect(pair.a.sent.map(sent => sent.outcome)).toEqual(['sent']);
    expect(pair.b.arrivals[0]!.frame.wireBytes).toBeLessThan(1518);
  });

  test('the next frame may be handed over from inside `transmitted`; handing over two at once is our own mistake', () => {
    const pair = new Pair().up();
    pair.a.mac.transmit(frameOf(64));
    expect(() => pair.a.mac.transmit(frameOf(64))).toThrow('frame handed to a MAC that has one');
  });

  test('reset cuts the frame on the wire off, says nothing, and keeps the gap before the next', () => {
    const pair = new Pair().force(100);
    const beganNs = pair.clock.nowNs;
    pair.a.send(frameOf(512));
    pair.pass(20_000);
    pair.a.mac.reset();
    expect(pair.a.mac.idle).toBe(true);
    pair.a.send(frameOf(64));
    pair.pass(1e9);
    expect(pair.a.sent.length).toBe(1);
    const [cut, next] = pair.b.arrivals;
    expect(cut!.atNs).toBe(beganNs + 20_000);
    expect(cut!.frame.wireBytes).toBe((2000 - 64) / 8);
    expect(cut!.frame.fcsGood).toBe(false);
    expect(next!.startNs).toBe(beganNs + 20_000 + 960);
  });

  test('reset drops a frame that waits for the link, and one whose first bit has not left', () => {
    const pair = new Pair();
    pair.a.send(frameOf(64));
    pair.a.mac.reset();
    pair.up();
    pair.a.send(frameOf(64), frameOf(64, 1));
    pair.pass(576 + 50);
    pair.a.mac.reset();
    pair.pass(1e9);
    expect(pair.b.arrivals.map(arrival => arrival.frame.octets[0])).toEqual([0]);
  });

  test('saved with frames on the wire and loaded elsewhere, it goes on to the same nanosecond', () => {
    const build = () => new Pair({ metres: 5000, bitErrorRate: 1e-4, seed: 'snapshot' });
    const snapshot = (pair: Pair) =>
      structuredClone({
        clock: pair.clock.save(),
        cable: pair.cable.save(),
        phys: [pair.a.phy.save(), pair.b.phy.save()],
        macs: [pair.a.mac.save(), pair.b.mac.save()],
      });
    const traffic = () => Array.from({ length: 60 }, (_, i) => frameOf(64 + 9 * i, i));
    const original = build().up();
    original.cable.flipNext(0, [3]);
    original.a.send(...traffic());
    original.b.send(...traffic());
    original.pass(60_000);
    const state = snapshot(original);

    const copy = build();
    copy.clock.load(state.clock);
    copy.cable.load(state.cable);
    for (const [i, end] of [copy.a, copy.b].entries()) {
      end.phy.load(state.phys[i]!);
      end.mac.load(state.macs[i]!);
      end.queue.push(...(i === 0 ? original.a : original.b).queue);
    }
    const arrivedBefore = original.b.arrivals.length;
    expect(arrivedBefore).toBeGreaterThan(0);
    for (const pair of [original, copy]) pair.pass(1e9);
    const log = (end: Endpoint, from: number) =>
      end.arrivals.slice(from).map(({ frame, atNs }) => [atNs, frame.wire()]);
    expect(log(copy.b, 0)).toEqual(log(original.b, arrivedBefore));
    expect(copy.clock.save()).toEqual(original.clock.save());
    expect(snapshot(copy).cable).toEqual(snapshot(original).cable);
  });
});
