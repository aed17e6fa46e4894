/** A switch with a bare station on a cable at each port, driven and watched from the stations' side. */
import { Frame } from '../../hw/ethernet/frame.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import type { SwitchOptions } from '../../hw/ethernet/switch/options.ts';
import { Switch } from '../../hw/ethernet/switch/switch.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { bytesFromHex } from '../../src/lib/bytes.ts';
import { Endpoint } from './ethernet.ts';

/** By then links are up, however they came to be. */
const LINK_UP_NS = 3_000_000_000;

export interface RigOptions extends Partial<SwitchOptions> {
  readonly metres?: number;
  readonly seed?: string;
}

export class SwitchRig {
  readonly clock = new Clock();
  readonly device: Switch;
  readonly stations: readonly Endpoint[];
  readonly cables: readonly Cable[];

  constructor(portCount: number, { metres = 10, seed = 'rig', ...options }: RigOptions = {}) {
    const prng = new Prng(seed);
    const address = bytesFromHex('02 00 00 00 01 00');
    this.device = new Switch(this.clock, prng.fork('switch'), address, { ports: portCount, ...options });
    this.stations = this.device.ports.map((_, i) => new Endpoint(this.clock, prng.fork(`station${i}`)));
    this.cables = this.device.ports.map(({ phy }, i) => {
      const cable = new Cable(this.clock, prng.fork(`cable${i}`), metres);
      cable.connect(0, this.stations[i]!.phy);
      cable.connect(1, phy);
      return cable;
    });
  }

  /** Waits until all links are up. */
  up(): this {
    this.clock.run(this.clock.nowNs + LINK_UP_NS);
    for (const [i, { link }] of this.device.ports.entries()) if (!link.up) throw new Error(`port ${i} has no link`);
    return this;
  }

  /** Lets `ns` nanoseconds pass. */
  pass(ns: number): this {
    this.clock.run(this.clock.nowNs + ns);
    return this;
  }

  /** `frame` comes from the station at `port`, and all that follows has happened within a millisecond. */
  send(port: number, frame: Frame): this {
    this.stations[port]!.send(frame);
    return this.pass(1_000_000);
  }

  /** Where `frame` has arrived by now, by port; the FCS included. */
  receivers(frame: Frame): number[] {
    const wire = frame.wire();
    return this.stations.flatMap((station, port) =>
      station.arrivals.filter(arrival => Buffer.compare(arrival.frame.wire(), wire) === 0).map(() => port),
    );
  }
}

/** The address of a station, by number; an individual one. */
export const station = (number: number): Uint8Array => Uint8Array.of(2, 0, 0, 1, number >>> 8, number);
export const BROADCAST = new Uint8Array(6).fill(0xff);

let serial = 0;

export interface FrameParts {
  /** Octets from DA to FCS, 64 unless given. */
  readonly bytes?: number;
  /** The tag behind the addresses: priority, DEI and VLAN identifier. */
  readonly tag?: number;
  readonly type?: number;
}

/** A frame that no other call has made. */
export function frameTo(
  destination: Uint8Array,
  source: Uint8Array,
  { bytes = 64, tag, type = 0x88b5 }: FrameParts = {},
): Frame {
  const octets = new Uint8Array(bytes - 4);
  octets.set(destination);
  octets.set(source, 6);
  const head = tag === undefined ? [type >>> 8, type] : [0x81, 0x00, tag >>> 8, tag, type >>> 8, type];
  octets.set(head, 12);
  serial += 1;
  octets.set([serial >>> 16, serial >>> 8, serial], 12 + head.length);
  return Frame.withFcs(octets);
}
