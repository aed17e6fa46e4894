/** Switches and the cables between them: which links forward, and whether what forwards is a tree. */
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import type { SwitchOptions } from '../../hw/ethernet/switch/options.ts';
import { Switch } from '../../hw/ethernet/switch/switch.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { Endpoint } from './ethernet.ts';

/** A cable between two switches, by number, and the ports that it is in. */
export interface NetworkLink {
  readonly cable: Cable;
  readonly ends: readonly [
    { readonly node: number; readonly port: number },
    { readonly node: number; readonly port: number },
  ];
  whole: boolean;
}

export interface NetworkOptions {
  readonly seed?: string;
  /** Of switch `node`, but for the number of ports. */
  options?(node: number): Partial<SwitchOptions>;
  readonly metres?: number;
}

export class SwitchedNetwork {
  readonly clock = new Clock();
  readonly switches: readonly Switch[];
  readonly links: readonly NetworkLink[];
  /** One station at each switch. */
  readonly stations: readonly Endpoint[];

  /** `edges` are the links, by the numbers of the switches that they join. */
  constructor(nodeCount: number, edges: readonly (readonly [number, number])[], network: NetworkOptions = {}) {
    const { seed = 'network', options = () => ({ stp: true }), metres = 10 } = network;
    const prng = new Prng(seed);
    const used = new Array<number>(nodeCount).fill(0);
    const places = edges.map(([a, b]) => [
      { node: a, port: used[a]!++ },
      { node: b, port: used[b]!++ },
    ]);
    this.switches = used.map((count, node) => {
      const address = Uint8Array.of(2, 0, 0, 0, node + 1, 0);
      return new Switch(this.clock, prng.fork(`switch${node}`), address, { ports: count + 1, ...options(node) });
    });
    this.links = places.map(([a, b], i) => {
      const cable = new Cable(this.clock, prng.fork(`link${i}`), metres);
      cable.connect(0, this.switches[a!.node]!.ports[a!.port]!.phy);
      cable.connect(1, this.switches[b!.node]!.ports[b!.port]!.phy);
      return { cable, ends: [a!, b!], whole: true };
    });
    this.stations = this.switches.map(({ ports }, node) => {
      const station = new Endpoint(this.clock, prng.fork(`station${node}`));
      const cable = new Cable(this.clock, prng.fork(`drop${node}`), metres);
      cable.connect(0, station.phy);
      cable.connect(1, ports.at(-1)!.phy);
      return station;
    });
  }

  pass(ns: number): this {
    this.clock.run(this.clock.nowNs + ns);
    return this;
  }

  cut(link: NetworkLink): void {
    link.whole = false;
    link.cable.cut();
  }

  repair(link: NetworkLink): void {
    link.whole = true;
    link.cable.repair();
  }

  /** Links that frames cross: whole, and both ports forward. */
  forwarding(): NetworkLink[] {
    return this.links.filter(
      ({ whole, ends }) =>
        whole && ends.every(({ node, port }) => this.switches[node]!.ports[port]!.state === 'forwarding'),
    );
  }

  /** For each switch the lowest number that can be reached over `links`. */
  components(links: readonly NetworkLink[]): number[] {
    const of = this.switches.map((_, node) => node);
    for (let changed = true; changed; ) {
      changed = false;
      for (const { ends } of links) {
        const lowest = Math.min(...ends.map(({ node }) => of[node]!));
        for (const { node } of ends) {
          if (of[node] !== lowest) changed = true;
          of[node] = lowest;
        }
      }
    }
    return of;
  }

  /** Whether frames could go round in a circle over `links`. */
  hasLoop(links: readonly NetworkLink[]): boolean {
    const trees = new Set(this.components(links)).size;
    return links.length > this.switches.length - trees;
  }
}
