/** PAUSE at a switch, IEEE 802.3 annex 31B: it obeys, and it asks. */
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { pauseOctets } from '../../../../../hw/ethernet/mac/pause.ts';
import { frameTo, type RigOptions, SwitchRig, station } from '../../../../support/switch-rig.ts';

const A = station(1);
const B = station(2);
const SINK = station(3);
const QUANTUM_NS = 512; // at 1000 Mb/s

/** Stations whose PHYs offer PAUSE, as they come. */
function rigOf(ports: number, options: RigOptions = {}): SwitchRig {
  return new SwitchRig(ports, { flowControl: true, lookupNs: 0, ...options }).up();
}

const pause = (quanta: number) => Frame.withFcs(pauseOctets(station(9), quanta));

/** Hands frames to port 1 by way of port 0, and tells when each began to arrive at station 1, from now on. */
function startsAfter(rig: SwitchRig, count: number): number[] {
  const beganNs = rig.clock.nowNs;
  rig.stations[0]!.send(...Array.from({ length: count }, () => frameTo(B, A)));
  rig.pass(100_000_000);
  return rig.stations[1]!.arrivals.map(({ startNs }) => startNs - beganNs);
}

describe('a PAUSE that comes in', () => {
  test('31B.3.3 holds up what is to leave for its quanta of 512 bit times', () => {
    const rig = rigOf(2);
    rig.stations[1]!.send(pause(1000));
    rig.pass(10_000);
    const sentNs = rig.stations[1]!.sent[0]!.atNs;
    const nowNs = rig.clock.nowNs;
    const [first] = startsAfter(rig, 1);
    const pausedUntilNs = sentNs + rig.cables[1]!.delayNs + 1000 * QUANTUM_NS;
    expect(first! + nowNs).toBe(pausedUntilNs + rig.cables[1]!.delayNs);
    expect(rig.device.ports[1]!.counters.pauseReceived).toBe(1);
  });

  test('31B.3.3 a new value replaces the old one, and 0 ends the pause', () => {
    const rig = rigOf(2);
    rig.stations[1]!.send(pause(0xffff), pause(0));
    rig.pass(10_000);
    expect(startsAfter(rig, 1)[0]).toBeLessThan(10_000);
  });

  test('a frame that is being sent completes', () => {
    const rig = rigOf(2);
    rig.stations[0]!.send(frameTo(B, A, { bytes: 1518 }), frameTo(B, A));
    rig.pass(12_300 + rig.cables[0]!.delayNs); // the first one is on its way out
    rig.stations[1]!.send(pause(1000));
    rig.pass(200_000);
    expect(rig.stations[1]!.arrivals.length).toBe(1);
    rig.pass(1_000_000);
    expect(rig.stations[1]!.arrivals.length).toBe(2);
  });

  test('is never forwarded, nor learned from', () => {
    const rig = rigOf(3);
    rig.send(1, pause(10));
    expect(rig.stations.map(({ arrivals }) => arrivals.length)).toEqual([0, 0, 0]);
    expect(rig.device.table()).toEqual([]);
  });

  test.each([
    ['flow control is off', { flowControl: false }],
    ['the link was forced', { ports: [{}, { link: { speedMbps: 1000, fullDuplex: true } }] }],
  ] as const)('is counted and no more where %s', (_, options) => {
    const rig = new SwitchRig(2, { flowControl: true, lookupNs: 0, ...options });
    if ('ports' in options) rig.stations[1]!.phy.writeRegister(0, 0x8140);
    rig.up();
    rig.stations[1]!.send(pause(0xffff));
    rig.pass(10_000);
    expect(startsAfter(rig, 1)[0]).toBeLessThan(10_000);
    expect(rig.device.ports[1]!.counters.pauseReceived).toBe(1);
  });

  test('another opcode of MAC control is dropped', () => {
    const rig = rigOf(2);
    const octets = pauseOctets(station(9), 100);
    octets[15] = 2;
    rig.send(1, Frame.withFcs(octets));
    expect(rig.device.ports[1]!.counters.pauseReceived).toBe(0);
    expect(rig.device.ports[1]!.counters.control).toBe(1);
  });
});

describe('a congested output queue', () => {
  /** Two stations that stop for a PAUSE flood one that is ten times slower. */
  function congest(flowControl: boolean): SwitchRig {
    const ports = [{}, {}, { link: { speedMbps: 100, fullDuplex: true } }] as const;
    const rig = new SwitchRig(3, { flowControl, ports, queueBytes: 64 * 1024 });
    rig.stations[2]!.phy.writeRegister(0, 0xa100);
    rig.up();
    rig.device.addStatic(SINK, 2);
    for (const [port, source] of [A, B].entries()) {
      const sender = rig.stations[port]!;
      const all = Array.from({ length: 300 }, () => frameTo(SINK, source, { bytes: 1518 }));
      // A station that obeys: its queue is closed while it is paused.
      let closed = false;
      const { queue } = sender;
      const receive = sender.received.bind(sender);
      sender.received = (frame, startNs, bitNs) => {
        receive(frame, startNs, bitNs);
        closed = (frame.octets[16]! | frame.octets[17]!) !== 0;
        if (!closed && sender.mac.idle && all.length > 0) sender.mac.transmit(all.shift()!);
      };
      queue.shift = () => (closed ? undefined : all.shift());
      sender.send(frameTo(SINK, source));
    }
    return rig.pass(1e9);
  }

  test('has those paused who fill it, and then loses nothing', () => {
    const rig = congest(true);
    expect(rig.stations[2]!.arrivals.length).toBe(2 * 300);
    expect(rig.device.ports[2]!.counters.droppedQueue).toBe(0);
    for (const port of [0, 1]) {
      expect(rig.device.ports[port]!.counters.pauseSent).toBeGreaterThan(2);
      const frames = rig.stations[port]!.arrivals.map(({ frame }) => frame);
      expect(frames.every(({ octets, wireBytes }) => octets[5] === 1 && wireBytes === 64)).toBe(true);
      expect(frames.at(-1)!.octets[16]).toBe(0); // the last one lets it go on
    }
    expect(rig.stations[2]!.arrivals.every(({ frame }) => frame.wireBytes === 1518 || frame.wireBytes === 64)).toBe(
      true,
    );
  });

  test('without flow control loses what does not fit', () => {
    const rig = congest(false);
    expect(rig.device.ports[2]!.counters.droppedQueue).toBeGreaterThan(100);
    expect(rig.device.ports[0]!.counters.pauseSent).toBe(0);
  });

  test('31B.3.2 repeats the PAUSE before it runs out, as long as the queue does not drain', () => {
    const rig = rigOf(3, { queueBytes: 20_000 });
    rig.device.addStatic(SINK, 2);
    rig.stations[2]!.send(pause(0xffff), pause(0xffff));
    rig.pass(20_000);
    rig.stations[0]!.send(...Array.from({ length: 12 }, () => frameTo(SINK, A, { bytes: 1518 })));
    rig.pass(30_000_000);
    // 65 535 quanta are 33.6 ms: XOFF at once, and again after half of that.
    expect(rig.device.ports[0]!.counters.pauseSent).toBe(2);
    rig.pass(10_000_000); // the sink's own pause is over, and the queue drains
    expect(rig.device.ports[0]!.counters.pauseSent).toBe(3);
    expect(rig.stations[0]!.arrivals.at(-1)!.frame.octets[16]).toBe(0);
    rig.pass(1e9);
    expect(rig.device.ports[0]!.counters.pauseSent).toBe(3);
  });
});
