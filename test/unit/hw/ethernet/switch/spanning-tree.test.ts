/** The spanning tree of a switch, IEEE 802.1D-2004 clause 17, and the loops that it is there for. */
import { describe, expect, test } from 'vitest';
import { Hub } from '../../../../../hw/ethernet/hub/hub.ts';
import { Cable } from '../../../../../hw/ethernet/medium/cable.ts';
import { Switch } from '../../../../../hw/ethernet/switch/switch.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { Prng } from '../../../../../hw/sim/prng.ts';
import { formatMac } from '../../../../../src/lib/bytes.ts';
import { BROADCAST, frameTo, SwitchRig, station } from '../../../../support/switch-rig.ts';
import { SwitchedNetwork } from '../../../../support/switched-network.ts';

const SECOND_NS = 1e9;
const RING = [
  [0, 1],
  [1, 2],
  [2, 0],
] as const;

const view = (device: Switch) => device.tree!.view().map(({ role, state }) => `${role} ${state}`);

describe('a ring of three switches', () => {
  test('without a spanning tree: one broadcast is a storm that fills the links, and never ends', () => {
    const network = new SwitchedNetwork(3, RING, { options: () => ({ fastestMbps: 100 }) });
    network.pass(3 * SECOND_NS);
    network.stations[0]!.send(frameTo(BROADCAST, station(0)));
    network.pass(SECOND_NS / 10);
    const before = network.switches.map(({ ports }) => ports.map(({ counters }) => counters.txFrames));
    network.pass(SECOND_NS / 10);
    const frames = network.switches.map(({ ports }, node) =>
      ports.map(({ counters }, port) => counters.txFrames - before[node]![port]!),
    );
    // Two frames run round, one each way; at each switch each of them goes to the station too.
    const hopNs = 8 * (8 + 64) * 10 + network.links[0]!.cable.delayNs + 1000;
    const rounds = SECOND_NS / 10 / hopNs;
    for (const [ring, otherWay, out] of frames) {
      expect(Math.abs(ring! - rounds / 3)).toBeLessThan(2);
      expect(Math.abs(otherWay! - rounds / 3)).toBeLessThan(2);
      expect(Math.abs(out! - (2 * rounds) / 3)).toBeLessThan(4);
    }
  });

  test('with more links the copies multiply, until links are full and queues drop', () => {
    const edges = [...RING, ...RING];
    const network = new SwitchedNetwork(3, edges, { options: () => ({ fastestMbps: 100, queueBytes: 8192 }) });
    network.pass(3 * SECOND_NS);
    network.stations[0]!.send(frameTo(BROADCAST, station(0)));
    network.pass(SECOND_NS / 20);
    const before = network.switches.map(({ ports }) => ports.map(({ counters }) => counters.txFrames));
    network.pass(SECOND_NS / 20);
    for (const [node, { ports }] of network.switches.entries()) {
      for (const [port, { counters }] of ports.entries()) {
        const perSecond = 20 * (counters.txFrames - before[node]![port]!);
        expect(perSecond / (1e8 / (8 * (64 + 20)))).toBeGreaterThan(0.99); // line rate
        expect(counters.droppedQueue).toBeGreaterThan(1000);
      }
    }
  });

  test('17.1 with one: a broadcast reaches everybody once, and two of three links forward', () => {
    const network = new SwitchedNetwork(3, RING);
    network.pass(10 * SECOND_NS);
    const frame = frameTo(BROADCAST, station(0));
    network.stations[0]!.send(frame);
    network.pass(SECOND_NS);
    expect(network.forwarding().length).toBe(2);
    const got = network.stations.map(({ arrivals }) => arrivals.filter(each => each.frame === frame).length);
    expect(got).toEqual([0, 1, 1]);
    expect(view(network.switches[0]!).slice(0, 2)).toEqual(['Designated forwarding', 'Designated forwarding']);
    expect(view(network.switches[1]!).slice(0, 2)).toEqual(['Root forwarding', 'Designated forwarding']);
    expect(view(network.switches[2]!).slice(0, 2)).toEqual(['Alternate discarding', 'Root forwarding']);
  });

  test('17.29.2 an alternate port takes over as soon as the root port has lost its link', () => {
    const network = new SwitchedNetwork(3, RING);
    network.pass(10 * SECOND_NS);
    const changes: string[] = [];
    network.switches[2]!.onPortState = (port, state) => changes.push(`${port} ${state}`);
    network.cut(network.links[2]!); // between 2 and the root
    network.pass(60_000_000); // link_loss_timer is 50 ms of these
    expect(changes).toEqual(['1 discarding', '0 learning', '0 forwarding']);
    network.pass(1_000_000);
    expect(network.forwarding().length).toBe(2);
  });

  test('17.31 what was learned over the old path is forgotten, and frames take the new one', () => {
    const network = new SwitchedNetwork(3, RING);
    network.pass(10 * SECOND_NS);
    for (const [from, { length }] of [[0, network.stations] as const, [2, network.stations] as const]) {
      network.stations[from]!.send(frameTo(BROADCAST, station(from)));
      network.pass(1_000_000);
      expect(length).toBe(3);
    }
    network.cut(network.links[2]!);
    network.pass(100_000_000);
    const frame = frameTo(station(2), station(0));
    network.stations[0]!.send(frame);
    network.pass(1_000_000);
    expect(network.stations[2]!.arrivals.filter(each => each.frame === frame).length).toBe(1);
  });

  test('17.14 and 17.18 priority, and path cost, decide over root and paths', () => {
    const options = (node: number) => ({
      stp: { priority: node === 2 ? 4096 : 32_768 },
      ports: [{}, { stp: { pathCost: node === 0 ? 200_000 : 20_000 } }, {}],
    });
    const network = new SwitchedNetwork(3, RING, { options });
    network.pass(10 * SECOND_NS);
    expect(network.switches.map(({ tree }) => tree!.isRoot)).toEqual([false, false, true]);
    // Switch 0 is next to the root over a link of cost 200 000, and goes by switch 1.
    expect(view(network.switches[0]!).slice(0, 2)).toEqual(['Root forwarding', 'Alternate discarding']);
    expect(network.switches[0]!.tree!.rootPriority.rootPathCost).toBe(40_000);
  });
});

describe('the old protocol, where it is forced', () => {
  const options = () => ({ stp: { version: 'stp' } as const });

  test('8.6 of 802.1D-1998 ports listen and learn for the forward delay each before they forward', () => {
    const network = new SwitchedNetwork(3, RING, { options });
    const seen: string[] = [];
    network.switches[1]!.onPortState = (port, state) => {
      if (port === 0) seen.push(`${state} ${Math.round(network.clock.nowNs / 1e9)}`);
    };
    network.pass(60 * SECOND_NS);
    const [learning, forwarding] = seen.map(each => Number(each.split(' ')[1]));
    expect(seen.map(each => each.split(' ')[0])).toEqual(['learning', 'forwarding']);
    expect(forwarding! - learning!).toBe(15);
    expect(network.forwarding().length).toBe(2);
    // And after a cut at the far side it takes max age and twice the forward delay, at most.
    network.cut(network.links[0]!);
    network.pass(52 * SECOND_NS);
    expect(network.forwarding().length).toBe(2);
  });

  test('17.24 a port of a rapid switch speaks the old protocol to a partner that knows no other', () => {
    const mixed = (node: number) => ({ stp: node === 0 ? ({ version: 'stp' } as const) : true });
    const network = new SwitchedNetwork(3, RING, { options: mixed });
    network.pass(80 * SECOND_NS);
    expect(network.forwarding().length).toBe(2);
    expect(network.hasLoop(network.forwarding())).toBe(false);
    expect(network.switches[1]!.tree!.ports.map(({ sendRSTP }) => sendRSTP)).toEqual([false, true, true]);
  });

  test('17.19.1 after a topology change entries age as fast as the forward delay', () => {
    const network = new SwitchedNetwork(2, [[0, 1]], { options });
    network.pass(100 * SECOND_NS); // BPDUs tell of the first change for 35 s
    network.stations[0]!.send(frameTo(BROADCAST, station(0)));
    network.pass(40 * SECOND_NS);
    const known = (device: Switch) => device.table().some(({ mac }) => formatMac(mac) === formatMac(station(0)));
    expect(known(network.switches[1]!)).toBe(true); // usually 300 s
    network.switches[0]!.ports.at(-1)!.phy.writeRegister(0, 0x9140); // its station is unplugged for a moment
    network.pass(60 * SECOND_NS);
    expect(known(network.switches[1]!)).toBe(false);
  });
});

describe('ports', () => {
  test('17.25 that lead to no bridge become edges after three seconds, and forward', () => {
    const rig = new SwitchRig(2, { stp: true });
    const times: number[] = [];
    rig.device.onPortState = (_, state) => {
      if (state === 'forwarding') times.push(rig.clock.nowNs);
    };
    rig.up().pass(5 * SECOND_NS);
    expect(rig.device.tree!.view().map(({ edge }) => edge)).toEqual([true, true]);
    expect(Math.max(...times)).toBeLessThan(6 * SECOND_NS);
    const frame = frameTo(BROADCAST, station(0));
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([1]);
  });

  test('17.19.1 that are edges by configuration forward at once', () => {
    const ports = [{ stp: { edge: true } }, { stp: { edge: true } }];
    const rig = new SwitchRig(2, { ports, stp: true }).up();
    const frame = frameTo(BROADCAST, station(0));
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([1]);
  });

  test('7.8 learn nothing while they discard, and forward nothing', () => {
    const rig = new SwitchRig(2, { stp: { version: 'stp' } }).up();
    const frame = frameTo(BROADCAST, station(0));
    rig.send(0, frame);
    expect(rig.receivers(frame)).toEqual([]);
    expect(rig.device.table()).toEqual([]);
    expect(rig.device.ports[0]!.counters.blocked).toBe(1);
  });

  test('17.21.25 both on one hub: one is designated, the other its backup, and takes over', () => {
    const clock = new Clock();
    const prng = new Prng('backup');
    const device = new Switch(clock, prng, Uint8Array.of(2, 0, 0, 0, 1, 0), { ports: 2, stp: true });
    const hub = new Hub(clock, 2, 10);
    const cables = device.ports.map(({ phy }, i) => {
      const cable = new Cable(clock, prng.fork(`cable${i}`), 10);
      cable.connect(0, phy);
      cable.connect(1, hub.ports[i]!);
      return cable;
    });
    clock.run(60 * SECOND_NS);
    expect(view(device)).toEqual(['Designated forwarding', 'Backup discarding']);
    cables[0]!.cut();
    clock.run(120 * SECOND_NS);
    expect(view(device)).toEqual(['Disabled discarding', 'Designated forwarding']);
  });
});

describe('what makes no sense is refused', () => {
  test.each([
    [{ stp: { priority: 1 } }, 'bridge priority of a spanning tree: 1 is not a multiple of 4096'],
    [{ stp: { priority: 65_536 } }, 'bridge priority of a spanning tree: 65536 is not a whole number'],
    [{ stp: { maxAgeSeconds: 40 } }, 'spanning tree with max age 40, forward delay 15'],
    [{ stp: { helloSeconds: 3 } }, 'hello time of a spanning tree: 3'],
    [{ stp: true, ports: [{ stp: { pathCost: 0 } }] }, 'path cost of a spanning tree: 0'],
    [{ stp: true, ports: [{ stp: { priority: 8 } }] }, 'port priority of a spanning tree: 8 is not a multiple of 16'],
  ] as const)('%j', (options, message) => {
    expect(() => new SwitchRig(1, options)).toThrow(RangeError);
    expect(() => new SwitchRig(1, options)).toThrow(message);
  });
});
