/**
 * Frames per CPU-second through a switch: bare stations at all of its ports, each of which sends to its neighbour as fast
 * as the wire takes it, at 1000 Mb/s in full duplex. The stations' own work is part of it. And what a lookup in the table
 * of addresses costs, with learning, whatever its size.
 */
import { Frame } from '../../hw/ethernet/frame.ts';
import { Mac } from '../../hw/ethernet/mac/mac.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { M88E1011 } from '../../hw/ethernet/phy/phy.ts';
import { MacTable } from '../../hw/ethernet/switch/mac-table.ts';
import { Switch } from '../../hw/ethernet/switch/switch.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import type { Variant } from './paired.ts';

const LINK_UP_NS = 2_500_000_000;
const CABLE_METRES = 10;
/** Looks-up in one round, each with learning the source. */
const LOOKUPS = 100_000;

export interface SwitchResult {
  readonly frames: number;
  readonly cpuSeconds: number;
  readonly eventCount: number;
}

const macOf = (n: number): Uint8Array => Uint8Array.of(2, 0, 0, n >>> 16, n >>> 8, n);

/** Lets the stations of a switch with `portCount` ports send frames of `frameBytes` (DA to FCS) until `frames` came. */
export function switched(portCount: number, frameBytes: number, frames: number): SwitchResult {
  const clock = new Clock();
  const prng = new Prng('switch');
  const device = new Switch(clock, prng.fork('switch'), macOf(0x100), { ports: portCount });
  let received = 0;
  const stations = device.ports.map(({ phy: port }, i) => {
    const phy = new M88E1011(clock, prng.fork(`station${i}`));
    const octets = new Uint8Array(frameBytes - 4);
    octets.set(macOf(i ^ 1));
    octets.set(macOf(i), 6);
    const frame = Frame.withFcs(octets);
    const mac: Mac = new Mac(clock, phy, {
      transmitted: () => mac.transmit(frame),
      received: () => {
        received += 1;
      },
      linkChanged: () => {},
    });
    const cable = new Cable(clock, prng.fork(`cable${i}`), CABLE_METRES);
    cable.connect(0, phy);
    cable.connect(1, port);
    return { mac, frame };
  });
  clock.run(LINK_UP_NS);
  for (const { mac, frame } of stations) mac.transmit(frame);
  clock.run(LINK_UP_NS + 1_000_000); // addresses are learned
  const [receivedBefore, eventsBefore] = [received, clock.eventCount];
  const began = process.cpuUsage();
  clock.run(Number.MAX_SAFE_INTEGER, () => received - receivedBefore >= frames);
  const used = process.cpuUsage(began);
  const dropped = device.ports.reduce((sum, { counters }) => sum + counters.droppedQueue, 0);
  if (dropped > 2 * portCount) throw new Error(`${dropped} frames were dropped: the switch is no match for the wire`);
  return { frames, cpuSeconds: (used.user + used.system) / 1e6, eventCount: clock.eventCount - eventsBefore };
}

/** Frames between random stations of `size`, as far as the table is concerned. */
export function tableLookups(size: number): Variant {
  const table = new MacTable(new Clock(), size, 300e9, () => {});
  const prng = new Prng(`table${size}`);
  const headers = Array.from({ length: 4096 }, () => {
    const header = new Uint8Array(12);
    header.set(macOf(prng.below(size)));
    header.set(macOf(prng.below(size)), 6);
    return header;
  });
  for (let n = 0; n < size; n++) table.learn(macOf(n), 0, 1, n % 48);
  return {
    name: `${size}`,
    operations: LOOKUPS,
    run() {
      for (let i = 0; i < LOOKUPS; i++) {
        const header = headers[i & 4095]!;
        table.learn(header, 6, 1, header[11]! % 48);
        if (table.lookup(header, 0, 1) < 0) throw new Error('an address is lost');
      }
    },
  };
}
