/**
 * A world: computers, the wires between them, one clock, one seed. Building is all that a scenario does; `run` then
 * lets time pass. The same program and the same seed give the same run, to the bit.
 */

import { Hub } from '../../hw/ethernet/hub/hub.ts';
import { SignalPath } from '../../hw/ethernet/line/signal-path.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import type { Impairments } from '../../hw/ethernet/medium/impairments.ts';
import type { MediumListener } from '../../hw/ethernet/ports.ts';
import { Station } from '../../hw/ethernet/station.ts';
import type { SwitchOptions } from '../../hw/ethernet/switch/options.ts';
import { Switch } from '../../hw/ethernet/switch/switch.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { Computer, type ComputerOptions } from './computer.ts';
import type { Jack } from './jack.ts';

/** Locally administered, in the range that QEMU uses: the last three octets count up. */
const FIRST_MAC = [0x52, 0x54, 0x00, 0x00, 0x00, 0x01] as const;
/** Those of switches: octets 3 and 4 count up, and the last one is the port's. */
const FIRST_SWITCH_MAC = [0x52, 0x54, 0x01, 0x00, 0x01, 0x00] as const;
const DEFAULT_CABLE_METRES = 10;
/** The far end of an open wire. */
const OUTSIDE = 'outside';

/** A repeater, and the cables to what is plugged into it. */
export interface HubSegment {
  readonly name: string;
  readonly hub: Hub;
  /** One for each jack, in their order; end 1 of each is in the port of that number. */
  readonly wires: readonly Wire[];
}

/** A switch, and what its ports take: plugs of cables. */
export interface SwitchNode {
  readonly name: string;
  readonly device: Switch;
  /** Named `sw.port0` and so on. */
  readonly ports: readonly Jack[];
  /** Those that came with it: one for each NIC of a list, in their order, end 1 in the port of that number. */
  readonly wires: readonly Wire[];
}

/** A switch that comes with cables: as many ports as it has NICs, unless there are to be more. */
export interface SwitchSegmentOptions extends CableOptions, Partial<SwitchOptions> {}

export interface HubOptions extends CableOptions {
  /** 10 unless given. */
  readonly speedMbps?: 10 | 100;
}

export interface CableOptions {
  readonly lengthMetres?: number;
  /** Wired from MDI to MDI; straight unless given. */
  readonly crossed?: boolean;
  /** Probability that a bit of a frame arrives inverted. */
  readonly bitErrorRate?: number;
  /** Every frame is coded into line symbols and decoded from them, by the code of the link's speed. */
  readonly signalAccurate?: boolean;
  /** Probability that a line symbol is bad, on a signal-accurate cable. */
  readonly symbolErrorRate?: number;
  /** Boxes in line that lose, double, reorder, damage and delay frames; none unless given. In full duplex only. */
  readonly impairments?: WireImpairments;
}

/** The same for both directions, or a pair: for what end 0 sends, and for what end 1 sends; null for no box. */
export type WireImpairments = Impairments | readonly [Impairments | null, Impairments | null];

/** A cable, and what is plugged in at its ends 0 and 1, by name: `alice.eth0`. */
export interface Wire {
  readonly name: string;
  readonly cable: Cable;
  readonly ends: readonly [string, string];
}

/** A wire whose far end leads out of the world: to a real peer, or to whoever replays one. */
export interface OpenWire extends Wire {
  /** The MAC and PHY at the far end. Frames sent into it travel the cable as any other. */
  readonly station: Station;
}

/** A program that threw something. */
export interface FailedProgram {
  readonly computer: string;
  readonly program: string;
  readonly error: Error;
}

export class World {
  readonly seed: string;
  readonly clock = new Clock();
  readonly computers = new Map<string, Computer>();
  readonly wires = new Map<string, Wire>();
  readonly openWires = new Map<string, OpenWire>();
  readonly switches = new Map<string, SwitchNode>();
  readonly #prng: Prng;
  #macCount = 0;
  #poweredOn = false;

  /** Everything random in the world follows from `seed`. */
  constructor(seed: string) {
    this.seed = seed;
    this.#prng = new Prng(seed);
  }

  /** A computer, which is switched on when the world first runs. Names are unique. */
  computer(name: string, options: ComputerOptions): Computer {
    if (this.#poweredOn) throw new RangeError(`computer "${name}" comes too late: the world has run already`);
    this.#checkNode(name);
    const computer = new Computer(name, options, {
      clock: this.clock,
      prng: this.#prng.fork(`computer/${name}`),
      nextMac: () => this.#nextMac(),
    });
    this.computers.set(name, computer);
    return computer;
  }

  /** A cable between two jacks that have none yet: NICs, ports of switches. Names are unique. Throws a RangeError. */
  cable(name: string, a: Jack, b: Jack, options: CableOptions = {}): Wire {
    if (a === b) throw new RangeError(`both ends of cable "${name}" in ${a.name}`);
    return this.#plug({ name, ends: [a.name, b.name], cable: this.#cable(name, options) }, a.phy, b.phy);
  }

  /** A repeater hub with a cable to each of `jacks`, all of which then share one collision domain. Throws a RangeError. */
  hub(name: string, jacks: readonly Jack[], { speedMbps = 10, ...cable }: HubOptions = {}): HubSegment {
    if (cable.impairments !== undefined) throw new RangeError('a hub is half duplex, where no impairments can be');
    const hub = new Hub(this.clock, jacks.length, speedMbps);
    const ports = hub.ports.map((phy, port) => ({ name: `${name}.port${port}`, phy }));
    return { name, hub, wires: this.#plugAll(jacks, ports, cable) };
  }

  /**
   * A learning switch, alone or with a cable to each of `jacks`. Names are unique among switches and computers. Throws a
   * RangeError.
   */
  switch(name: string, options: SwitchOptions): SwitchNode;
  switch(name: string, jacks: readonly Jack[], options?: SwitchSegmentOptions): SwitchNode;
  switch(name: string, first: SwitchOptions | readonly Jack[], options: SwitchSegmentOptions = {}): SwitchNode {
    this.#checkNode(name);
    const jacks = 'ports' in first ? [] : first;
    const switchOptions = 'ports' in first ? first : { ports: jacks.length, ...options };
    const device = new Switch(this.clock, this.#prng.fork(`switch/${name}`), this.#nextSwitchMac(), switchOptions);
    const ports = device.ports.map(({ index, phy }) => ({ name: `${name}.port${index}`, phy }));
    if (jacks.length > ports.length) throw new RangeError(`${jacks.length} NICs at a switch of ${ports.length} ports`);
    const node = { name, device, ports, wires: this.#plugAll(jacks, ports, options) };
    this.switches.set(name, node);
    return node;
  }

  /** A cable from `jack` to a far end that real peers may use. */
  openWire(name: string, jack: Jack, options: CableOptions = {}): OpenWire {
    const station = new Station(this.clock, this.#prng.fork(`wire/${name}`));
    const wire: OpenWire = { name, ends: [jack.name, OUTSIDE], cable: this.#cable(name, options), station };
    this.#plug(wire, jack.phy, station.phy);
    this.openWires.set(name, wire);
    return wire;
  }

  /**
   * Puts boxes in line of the wire `name`, in place of those that it has. Throws a RangeError when there is no such wire,
   * or when they make no sense.
   */
  impair(name: string, impairments: WireImpairments): void {
    const wire = this.wires.get(name);
    if (wire === undefined) throw new RangeError(`the world has no wire "${name}"`);
    impairCable(wire.cable, impairments);
  }

  /** The seed of a part that a scenario builds by itself. Labels are unique in a world. */
  prng(label: string): Prng {
    return this.#prng.fork(`part/${label}`);
  }

  /**
   * Lets the world run up to and including virtual time `untilNs`, or until `stop` returns true. Throws what halted a
   * hart: a driver or kernel that broke ends the run.
   */
  run(untilNs: number, stop?: () => boolean): void {
    this.#powerOn();
    this.clock.run(untilNs, stop);
    this.#throwFault();
  }

  /** Takes a recorded number of steps, then lets time pass to `nowNs`: see {@link Clock.replayTo}. */
  replayTo(stepCount: number, nowNs: number): void {
    this.#powerOn();
    this.clock.replayTo(stepCount, nowNs);
    this.#throwFault();
  }

  /** The first program on each computer that ended with an error, which its kernel logs and outlives. */
  failedPrograms(): readonly FailedProgram[] {
    return Array.from(this.computers.values(), ({ name: computer, kernel: { firstFailed } }) =>
      firstFailed === null ? [] : [{ computer, program: firstFailed.name, error: firstFailed.error! }],
    ).flat();
  }

  #cable(name: string, options: CableOptions): Cable {
    const { lengthMetres = DEFAULT_CABLE_METRES, bitErrorRate = 0, signalAccurate = false, symbolErrorRate } = options;
    const wiring = options.crossed === true ? 'crossed' : 'straight';
    if (symbolErrorRate !== undefined && !signalAccurate) {
      throw new RangeError('only a signal-accurate cable has a symbol error rate');
    }
    const prng = this.#prng.fork(`cable/${name}`);
    const cable = new Cable(this.clock, prng, lengthMetres, bitErrorRate, wiring);
    if (options.impairments !== undefined) impairCable(cable, options.impairments);
    if (!signalAccurate) return cable;
    for (const from of [0, 1] as const) {
      cable.carryThrough(from, new SignalPath(symbolErrorRate ?? 0, prng.fork(`signal${from}`)));
    }
    return cable;
  }

  /** A cable from each of `jacks` to the port of its number, named as that. */
  #plugAll(jacks: readonly Jack[], ports: readonly Jack[], options: CableOptions): readonly Wire[] {
    return jacks.map((jack, i) => {
      const { name, phy } = ports[i]!;
      return this.#plug({ name, ends: [jack.name, name], cable: this.#cable(name, options) }, jack.phy, phy);
    });
  }

  #plug(wire: Wire, a: MediumListener, b: MediumListener): Wire {
    checkNew(this.wires, wire.name);
    for (const { name, ends } of this.wires.values()) {
      const taken = ends.find(end => end !== OUTSIDE && wire.ends.includes(end));
      if (taken !== undefined) throw new RangeError(`${taken} has cable "${name}" in its socket already`);
    }
    this.wires.set(wire.name, wire);
    wire.cable.connect(0, a);
    wire.cable.connect(1, b);
    return wire;
  }

  #powerOn(): void {
    if (this.#poweredOn) return;
    this.#poweredOn = true;
    for (const computer of this.computers.values()) computer.powerOn();
  }

  #throwFault(): void {
    for (const computer of this.computers.values()) {
      const { fault } = computer.hart;
      if (fault !== null) throw new Error(`${computer.name} halted: ${fault.message}`, { cause: fault });
    }
  }

  #nextMac(): Uint8Array {
    const mac = Uint8Array.from(FIRST_MAC);
    const number = FIRST_MAC[5] + this.#macCount++;
    mac[3] = number >>> 16;
    mac[4] = number >>> 8;
    mac[5] = number;
    return mac;
  }

  #nextSwitchMac(): Uint8Array {
    const mac = Uint8Array.from(FIRST_SWITCH_MAC);
    const number = FIRST_SWITCH_MAC[4] + this.switches.size;
    mac[3] = number >>> 8;
    mac[4] = number;
    return mac;
  }

  #checkNode(name: string): void {
    checkNew(this.computers, name);
    checkNew(this.switches, name);
  }
}

function impairCable(cable: Cable, impairments: WireImpairments): void {
  const pair = isPair(impairments) ? impairments : ([impairments, impairments] as const);
  for (const from of [0, 1] as const) cable.impair(from, pair[from]);
}

const isPair = (impairments: WireImpairments): impairments is Exclude<WireImpairments, Impairments> =>
  Array.isArray(impairments);

function checkNew(map: ReadonlyMap<string, unknown>, name: string): void {
  if (map.has(name)) throw new RangeError(`the world has a "${name}" already`);
}
