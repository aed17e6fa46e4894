/** A learning switch seen from its ports: IEEE 802.1D-2004 clause 7. */
import { describe, expect, test } from 'vitest';
import { Frame } from '../../../../../hw/ethernet/frame.ts';
import { TABLE_ENTRIES } from '../../../../../hw/ethernet/switch/parameters.ts';
import type { Decision } from '../../../../../hw/ethernet/switch/switch.ts';
import { bytesFromHex, formatMac } from '../../../../../src/lib/bytes.ts';
import { BROADCAST, frameTo, SwitchRig, station } from '../../../../support/switch-rig.ts';

const A = station(1);
const B = station(2);
const C = station(3);
const SECOND_NS = 1e9;

describe('SW-1 forwarding', () => {
  test('7.7.1 a frame to an address that is not known goes to all other ports', () => {
    const rig = new SwitchRig(4).up();
    const frame = frameTo(B, A);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([1, 2, 3]);
    expect(rig.device.ports[0]!.counters.flooded).toBe(1);
  });

  test('7.7.1 so does one to a group, whatever has been learned', () => {
    const rig = new SwitchRig(3).up();
    rig.send(1, frameTo(BROADCAST, B));
    const broadcast = frameTo(BROADCAST, A);
    const multicast = frameTo(bytesFromHex('01 00 5e 00 00 01'), A);
    rig.send(0, broadcast).send(0, multicast);
    expect(rig.receivers(broadcast)).toEqual([1, 2]);
    expect(rig.receivers(multicast)).toEqual([1, 2]);
  });

  test('7.8 the source address of a frame says where its station is', () => {
    const rig = new SwitchRig(4).up();
    rig.send(2, frameTo(BROADCAST, B));
    const frame = frameTo(B, A);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([2]);
    expect(rig.device.table().map(({ mac, port, vlan }) => [formatMac(mac), port, vlan])).toEqual([
      [formatMac(B), 2, 1],
      [formatMac(A), 0, 1],
    ]);
  });

  test('7.8 nothing is learned from a source address that is a group', () => {
    const rig = new SwitchRig(2).up();
    const frame = frameTo(B, BROADCAST);
    rig.send(0, frame);
    expect(rig.device.table()).toEqual([]);
    expect(rig.receivers(frame)).toEqual([1]);
  });

  test('7.8 a station that moves to another port is found there', () => {
    const rig = new SwitchRig(3).up();
    rig.send(1, frameTo(BROADCAST, B)).send(2, frameTo(BROADCAST, B));
    const frame = frameTo(B, A);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([2]);
    expect(rig.device.ports[2]!.counters.moved).toBe(1);
  });

  test('7.7.1 a frame to the port that it came from is filtered', () => {
    const rig = new SwitchRig(2).up();
    rig.send(0, frameTo(BROADCAST, A)).send(0, frameTo(BROADCAST, B));
    const frame = frameTo(A, B);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([]);
    expect(rig.device.ports[0]!.counters.filtered).toBe(1);
  });

  test.each([...Array(16).keys()])('7.12.6 01-80-C2-00-00-%i is not forwarded', last => {
    const rig = new SwitchRig(2).up();
    const frame = frameTo(Uint8Array.of(1, 0x80, 0xc2, 0, 0, last), A);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([]);
    expect(rig.device.ports[0]!.counters.control).toBe(1);
  });

  test('Table 7-10 the addresses around the reserved ones are ordinary', () => {
    const rig = new SwitchRig(2).up();
    for (const address of ['01 80 c2 00 00 10', '01 80 c2 00 01 00', '01 80 c1 00 00 00', '00 80 c2 00 00 00']) {
      const frame = frameTo(bytesFromHex(address), A);
      rig.send(0, frame);
      expect(rig.receivers(frame)).toEqual([1]);
    }
  });

  test('6.3.8 the FCS of a frame that is forwarded is the one that came in: it is the same frame', () => {
    const rig = new SwitchRig(2).up();
    const frame = frameTo(B, A, { bytes: 1518 });
    rig.send(0, frame);
    expect(rig.stations[1]!.arrivals.at(-1)!.frame).toBe(frame);
  });
});

describe('SW-1 ageing', () => {
  test('7.9.2 an entry is forgotten 300 s after it was last seen, to the nanosecond', () => {
    const rig = new SwitchRig(3, { lookupNs: 0 }).up();
    rig.stations[1]!.send(frameTo(BROADCAST, B));
    rig.pass(1_000_000);
    const [entry] = rig.device.table();
    rig.clock.run(entry!.seenNs + 300 * SECOND_NS - 1);
    expect(rig.device.table().length).toBe(1);
    rig.pass(1);
    expect(rig.device.table()).toEqual([]);
    expect(rig.device.ports[1]!.counters.aged).toBe(1);
    const frame = frameTo(B, A);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([1, 2]);
  });

  test('7.9.2 a frame from the station renews it', () => {
    const rig = new SwitchRig(2, { ageingSeconds: 10 }).up();
    for (let i = 0; i < 3; i++) rig.send(1, frameTo(BROADCAST, B)).pass(9 * SECOND_NS);
    expect(rig.device.table().length).toBe(1);
    rig.pass(SECOND_NS);
    expect(rig.device.table().length).toBe(0);
    expect(rig.clock.idle).toBe(true);
  });

  test.each([9, 1_000_001, 12.5, Number.NaN])('Table 7-5 an ageing time of %d s is refused', ageingSeconds => {
    expect(() => new SwitchRig(2, { ageingSeconds })).toThrow(RangeError);
  });

  test('7.9.1 a static entry neither ages nor moves', () => {
    const rig = new SwitchRig(3).up();
    rig.device.addStatic(B, 1);
    rig.send(2, frameTo(BROADCAST, B)).pass(400 * SECOND_NS);
    const frame = frameTo(B, A);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([1]);
  });

  test('what was learned at a port goes with its link', () => {
    const rig = new SwitchRig(3).up();
    rig.send(1, frameTo(BROADCAST, B)).send(2, frameTo(BROADCAST, C));
    rig.cables[1]!.cut();
    rig.pass(SECOND_NS);
    expect(rig.device.table().map(({ port }) => port)).toEqual([2]);
  });
});

describe('a full table', () => {
  test('takes no new addresses; frames to them are flooded, and what it knows it keeps', () => {
    const rig = new SwitchRig(3, { tableEntries: 2 }).up();
    rig.send(0, frameTo(BROADCAST, A)).send(1, frameTo(BROADCAST, B)).send(2, frameTo(BROADCAST, C));
    const [known, unknown] = [frameTo(A, B), frameTo(C, B)];
    rig.send(1, known).send(1, unknown);
    expect(rig.receivers(known)).toEqual([0]);
    expect(rig.receivers(unknown)).toEqual([0, 2]);
    expect(rig.device.ports[2]!.counters.notLearned).toBe(1);
    expect(TABLE_ENTRIES).toBe(8192);
  });
});

describe('7.6 and 6.3.8 frames that are discarded', () => {
  const bad = (frame: Frame, change: (wire: Uint8Array) => Uint8Array) => Frame.raw(change(frame.wire()));
  const flipped = (wire: Uint8Array) => wire.map((octet, i) => (i === 20 ? octet ^ 1 : octet));

  test.each([
    ['a bad FCS', () => bad(frameTo(B, A), flipped), 'fcsErrors'],
    ['less than 64 octets', () => bad(frameTo(B, A, { bytes: 63 }), wire => wire), 'runts'],
    ['a fragment', () => bad(frameTo(B, A, { bytes: 40 }), flipped), 'runts'],
    ['1519 octets', () => frameTo(B, A, { bytes: 1519 }), 'tooLong'],
    ['1523 octets with a tag', () => frameTo(B, A, { bytes: 1523, tag: 5 }), 'tooLong'],
    ['1519 octets and a bad FCS', () => bad(frameTo(B, A, { bytes: 1519 }), flipped), 'tooLong'],
  ] as const)('%s', (_, make, counter) => {
    const rig = new SwitchRig(2).up();
    rig.send(0, make());
    expect(rig.stations[1]!.arrivals).toEqual([]);
    const { counters } = rig.device.ports[0]!;
    expect(counters[counter]).toBe(1);
    expect(counters.rxFrames).toBe(0);
    expect(rig.device.table()).toEqual([]);
  });

  test.each([
    ['64 octets', { bytes: 64 }],
    ['1518 octets', { bytes: 1518 }],
    ['1522 octets with a tag', { bytes: 1522, tag: 5 }],
  ])('but not %s', (_, parts) => {
    const rig = new SwitchRig(2).up();
    const frame = frameTo(B, A, parts);
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([1]);
  });
});

describe('time', () => {
  test.each([
    [1518, 122_080],
    [64, 5760],
  ])('a frame of %i octets takes another %i ns for each switch at 100 Mb/s', (bytes, hopNs) => {
    const rig = new SwitchRig(2, { fastestMbps: 100, lookupNs: 777 }).up();
    const sentNs = rig.clock.nowNs;
    rig.send(0, frameTo(B, A, { bytes }));
    const [arrival] = rig.stations[1]!.arrivals;
    const cables = rig.cables[0]!.delayNs + rig.cables[1]!.delayNs;
    expect(arrival!.atNs - sentNs).toBe(2 * hopNs + cables + 777);
  });

  test('mixed rates: each port at its own', () => {
    const rig = new SwitchRig(2, {
      lookupNs: 0,
      ports: [{ link: { speedMbps: 10, fullDuplex: true } }, { link: { speedMbps: 100, fullDuplex: true } }],
    });
    rig.stations[0]!.phy.writeRegister(0, 0x8100);
    rig.stations[1]!.phy.writeRegister(0, 0xa100);
    rig.up();
    const sentNs = rig.clock.nowNs;
    rig.send(0, frameTo(B, A, { bytes: 1000 }));
    const cables = rig.cables[0]!.delayNs + rig.cables[1]!.delayNs;
    expect(rig.stations[1]!.arrivals[0]!.atNs - sentNs).toBe(8 * 1008 * (100 + 10) + cables);
  });
});

describe('an output queue', () => {
  test('drops what does not fit at its tail, and counts it', () => {
    const rig = new SwitchRig(3, { queueBytes: 10 * 1518 }).up();
    rig.send(2, frameTo(BROADCAST, C));
    const frames = Array.from({ length: 40 }, () => frameTo(C, A, { bytes: 1518 }));
    const others = Array.from({ length: 40 }, () => frameTo(C, B, { bytes: 1518 }));
    rig.stations[0]!.send(...frames);
    rig.stations[1]!.send(...others);
    rig.pass(2_000_000);
    const { counters, queueBytes } = rig.device.ports[2]!;
    const got = rig.stations[2]!.arrivals.length;
    expect(counters.droppedQueue).toBeGreaterThan(20);
    expect(got + counters.droppedQueue).toBe(80);
    expect(queueBytes).toBe(0);
  });

  test('is dropped with the link, and what comes later goes nowhere', () => {
    const rig = new SwitchRig(3).up();
    rig.send(2, frameTo(BROADCAST, C));
    rig.stations[0]!.send(...Array.from({ length: 10 }, () => frameTo(C, A, { bytes: 1518 })));
    rig.stations[1]!.send(...Array.from({ length: 10 }, () => frameTo(C, B, { bytes: 1518 })));
    rig.pass(100_000);
    rig.device.ports[2]!.phy.writeRegister(0, 0x1940); // power down
    rig.pass(1_000_000);
    const { counters } = rig.device.ports[2]!;
    expect(counters.droppedLink).toBeGreaterThan(0);
    expect(rig.device.ports[2]!.queueBytes).toBe(0);
    const late = frameTo(C, A);
    rig.send(0, late);
    expect(rig.receivers(late)).toEqual([1]); // forgotten with the link, so flooded
  });
});

describe('half duplex', () => {
  test('a port collides as any station, and what it forwards arrives in the end', () => {
    const link = { speedMbps: 10, fullDuplex: false } as const;
    const rig = new SwitchRig(2, { ports: [{}, { link }] });
    rig.stations[1]!.phy.writeRegister(0, 0x8000);
    rig.up();
    rig.stations[0]!.send(...Array.from({ length: 30 }, () => frameTo(B, A, { bytes: 600 })));
    rig.stations[1]!.send(...Array.from({ length: 30 }, () => frameTo(A, B, { bytes: 600 })));
    rig.pass(1e9);
    const { mac, counters } = rig.device.ports[1]!;
    expect(mac.halfDuplex).toBe(true);
    expect(mac.counters.collisions).toBeGreaterThan(0);
    const delivered = rig.stations[1]!.arrivals.filter(({ frame }) => frame.fcsGood && frame.wireBytes === 600).length;
    expect(delivered + counters.droppedCollisions).toBe(30);
    expect(delivered).toBeGreaterThan(20);
  });
});

describe('observation', () => {
  test('tells what was learned, what moved, what aged, and where each frame went', () => {
    const rig = new SwitchRig(3, { ageingSeconds: 10 }).up();
    const told: unknown[] = [];
    const { device } = rig;
    device.onLearned = ({ mac, port }) => told.push(['learned', mac[5], port]);
    device.onMoved = ({ mac, port }, from) => told.push(['moved', mac[5], from, port]);
    device.onAged = ({ mac, port }) => told.push(['aged', mac[5], port]);
    device.onDecision = ({ port, verdict, to }: Decision) => told.push([verdict, port, to]);
    rig.send(0, frameTo(BROADCAST, A)).send(1, frameTo(A, B)).send(2, frameTo(B, A)).send(2, frameTo(A, C));
    rig.send(0, frameTo(Uint8Array.of(1, 0x80, 0xc2, 0, 0, 14), B));
    rig.pass(20 * SECOND_NS);
    expect(told).toEqual([
      ['learned', 1, 0],
      ['flooded', 0, [1, 2]],
      ['learned', 2, 1],
      ['forwarded', 1, [0]],
      ['moved', 1, 0, 2],
      ['forwarded', 2, [1]],
      ['learned', 3, 2],
      ['filtered', 2, []],
      ['moved', 2, 1, 0],
      ['reserved', 0, []],
      ['aged', 1, 2],
      ['aged', 3, 2],
      ['aged', 2, 0],
    ]);
  });
});

describe('what makes no sense is refused', () => {
  test.each([
    [{ ports: 0 }, 'number of ports of a switch: 0'],
    [{ ports: 255 }, 'number of ports of a switch: 255'],
    [{ lookupNs: -1 }, 'lookup time in nanoseconds of a switch: -1'],
    [{ tableEntries: 0 }, 'number of table entries of a switch: 0'],
    [{ queueBytes: 1000 }, 'queue in octets of a switch: 1000'],
    [{ mirror: { from: [0], direction: 'both', to: 2 } }, 'the switch has no port 2'],
    [{ mirror: { from: [0], direction: 'both', to: 0 } }, 'port 0 of the switch cannot mirror itself'],
    [{ ports: [{ vlans: { access: 4095 } }] }, 'no VLAN has the number 4095'],
    [{ ports: [{ vlans: { trunk: [2, 3], native: 4 } }] }, 'native VLAN 4 is not among those'],
  ] as const)('%j', (options, message) => {
    expect(() => new SwitchRig(2, options)).toThrow(RangeError);
    expect(() => new SwitchRig(2, options)).toThrow(message);
  });

  test('a static entry for a group, for no port, or when there is no room', () => {
    const { device } = new SwitchRig(3, { tableEntries: 1, mirror: { from: [0], direction: 'both', to: 2 } });
    expect(() => device.addStatic(BROADCAST, 0)).toThrow('not of a group');
    expect(() => device.addStatic(A, 3)).toThrow('forwards nothing to port 3');
    expect(() => device.addStatic(A, 2)).toThrow('forwards nothing to port 2');
    device.addStatic(A, 0);
    expect(() => device.addStatic(B, 0)).toThrow('the table of the switch is full');
  });
});
