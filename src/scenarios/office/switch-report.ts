/** What the switches of the office have to say: how full the ring is, which ports are shut, who is where. */
import type { PortCounters } from '../../../hw/ethernet/switch/counters.ts';
import { formatMac } from '../../lib/bytes.ts';
import type { Computer } from '../../world/computer.ts';
import type { SwitchNode } from '../../world/world.ts';

/** Preamble, and the gap behind a frame. */
const OVERHEAD_BYTES = 20;
/** The first ports of each switch are in the ring. */
const RING_PORTS = 2;

/** What the switches have counted by some time. */
export interface SwitchCount {
  /** Octets that went into the cables of the ring, both ways, with what a frame takes besides. */
  readonly ringBytes: number;
  readonly ringCables: number;
  readonly deskFrames: number;
  readonly addressMoves: number;
  readonly droppedFrames: number;
  /** Ports of the ring that are up and that the spanning tree has shut. */
  readonly shut: readonly string[];
}

export interface Phase {
  readonly milliseconds: number;
  readonly ringPercent: number;
  readonly framesToDesks: number;
  readonly addressMoves: number;
  readonly droppedFrames: number;
  readonly shutPorts: readonly string[];
}

export function countOf(switches: readonly SwitchNode[]): SwitchCount {
  const inRing = switches.flatMap(({ device }) => device.ports.slice(0, RING_PORTS));
  const desks = switches.flatMap(({ device }) => device.ports.slice(RING_PORTS));
  const sum = (ports: typeof inRing, of: (counters: PortCounters) => number) =>
    ports.reduce((total, { counters }) => total + of(counters), 0);
  return {
    ringBytes: sum(inRing, ({ txFrames, txBytes }) => txBytes + OVERHEAD_BYTES * txFrames),
    ringCables: switches.length,
    deskFrames: sum(desks, ({ txFrames }) => txFrames),
    addressMoves: sum([...inRing, ...desks], ({ moved }) => moved),
    droppedFrames: sum([...inRing, ...desks], ({ droppedQueue, droppedLink }) => droppedQueue + droppedLink),
    shut: switches.flatMap(({ ports, device }) =>
      device.ports
        .slice(0, RING_PORTS)
        .filter(port => port.phy.link.up && port.state === 'discarding')
        .map(({ index }) => ports[index]!.name),
    ),
  };
}

/** What happened between two counts, in `lastedNs`, with links of `mbps`. */
export function phaseOf(from: SwitchCount, to: SwitchCount, lastedNs: number, mbps: number): Phase {
  const capacityBytes = (2 * to.ringCables * lastedNs * mbps) / 8000;
  return {
    milliseconds: lastedNs / 1e6,
    ringPercent: Math.round((1000 * (to.ringBytes - from.ringBytes)) / capacityBytes) / 10,
    framesToDesks: to.deskFrames - from.deskFrames,
    addressMoves: to.addressMoves - from.addressMoves,
    droppedFrames: to.droppedFrames - from.droppedFrames,
    shutPorts: to.shut,
  };
}

/** The table of addresses of a switch, by VLAN and whose it is: `10 alice port2`. */
export function tableOf({ device }: SwitchNode, computers: readonly Computer[]): readonly string[] {
  const owners = new Map<string, string>();
  for (const { name, kernel } of computers) {
    const { interfaces } = kernel.net;
    for (const { name: iface, mac } of interfaces) {
      owners.set(formatMac(mac), interfaces.length === 1 ? name : `${name}.${iface}`);
    }
  }
  return device
    .table()
    .map(({ vlan, mac, port }) => `${vlan} ${owners.get(formatMac(mac)) ?? formatMac(mac)} port${port}`)
    .sort();
}
