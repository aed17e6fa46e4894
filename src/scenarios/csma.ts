/**
 * CSMA/CD under full load: bare stations on one medium, each with always one more frame to send. This is the experiment
 * behind the throughput curves of the textbooks; what varies is here an option.
 */
import { Hub } from '../../hw/ethernet/hub/hub.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { Coax } from '../../hw/ethernet/medium/coax.ts';
import { PassiveStar } from '../../hw/ethernet/medium/passive-star.ts';
import { BIT_NS, type SpeedMbps } from '../../hw/ethernet/ports.ts';
import { type OptionValues, scenario } from '../world/scenario.ts';
import type { World } from '../world/world.ts';
import { LiveDiagram } from './csma/live-diagram.ts';
import { reportLines, reportOf } from './csma/report.ts';
import { SaturatedStation } from './csma/saturated-station.ts';

const MAX_STATIONS = 1024;
const MIN_FRAME_BYTES = 64;
const MAX_FRAME_BYTES = 1518;
/** Unless the user says otherwise: some 900 m of coaxial cable at 10 Mb/s. */
const DELAY_BITS = 40;
const MAX_DELAY_BITS = 100_000;
const MAX_SECONDS = 100_000;

const OPTIONS = {
  stations: { kind: 'integer', default: 5, doc: 'stations that share the medium' },
  rate: { kind: ['10', '100', '1000'], default: '10', doc: 'Mb/s' },
  frame: { kind: 'integer', default: 512, doc: 'octets of a frame, DA to FCS' },
  topology: {
    kind: ['bus', 'hub'],
    default: 'bus',
    doc: 'a passive medium, or a repeater with a cable to each station',
  },
  length: {
    kind: 'number',
    default: null,
    doc: 'metres of a coaxial cable with the stations evenly along it, or of each cable of the hub',
  },
  'delay-bt': {
    kind: 'integer',
    default: null,
    doc: `one-way delay between any two stations, in bit times; ${DELAY_BITS} unless there is a length`,
  },
  seconds: { kind: 'number', default: 1, doc: 'virtual time that the run lasts' },
} as const;

type Values = OptionValues<typeof OPTIONS>;

export default scenario({
  summary: 'CSMA/CD under full load: stations that always have a frame to send',
  untilNs: 1_000_000_000,
  options: OPTIONS,
  build(world, values) {
    check(values);
    const speed = Number(values.rate) as SpeedMbps;
    const stations = Array.from(
      { length: values.stations },
      (_, index) =>
        new SaturatedStation(world.clock, world.prng(`station${index}`), {
          index,
          stationCount: values.stations,
          speed,
          frameBytes: values.frame,
        }),
    );
    attach(world, stations, values, speed);
    for (const station of stations) station.start();
    const report = () => reportOf(stations, { speed, frameBytes: values.frame, nowNs: world.clock.nowNs });
    const bitNs = BIT_NS[speed];
    const delayNs = values.length === null ? (values['delay-bt'] ?? DELAY_BITS) * bitNs : 0;
    let diagram: LiveDiagram | null = null;
    return {
      untilNs: Math.round(values.seconds * 1e9),
      result: report,
      lines: () => reportLines(report()),
      live: () => {
        diagram ??= new LiveDiagram(stations, { frameBytes: values.frame, bitNs, delayNs });
        return diagram.lines(world.clock.nowNs);
      },
    };
  },
});

/** Puts the stations on a medium as the options describe it. */
function attach(world: World, stations: readonly SaturatedStation[], values: Values, speed: SpeedMbps): void {
  const { clock } = world;
  const delayNs = (values['delay-bt'] ?? DELAY_BITS) * BIT_NS[speed];
  if (values.topology === 'bus') {
    const { length } = values;
    const medium = length === null ? new PassiveStar(clock, delayNs) : new Coax(clock, length);
    const spacing = (length ?? 0) / (stations.length - 1);
    for (const [i, { unit }] of stations.entries()) medium.attach(Math.min(i * spacing, medium.lengthMetres), unit);
    return;
  }
  const hub =
    values.length === null ? new Hub(clock, stations.length, speed, delayNs) : new Hub(clock, stations.length, speed);
  for (const [i, { unit }] of stations.entries()) {
    const cable = new Cable(clock, world.prng(`cable${i}`), values.length ?? 0);
    cable.connect(0, unit);
    cable.connect(1, hub.ports[i]!);
  }
}

/** Throws a RangeError when the values make no sense. */
function check(values: Values): void {
  const { stations, frame, length, seconds } = values;
  const delayBits = values['delay-bt'];
  within('stations', stations, 2, MAX_STATIONS);
  within('frame', frame, MIN_FRAME_BYTES, MAX_FRAME_BYTES);
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) throw new RangeError(`--seconds ${seconds} is not 0 to ${MAX_SECONDS}`);
  if (length !== null && delayBits !== null) throw new RangeError('--length and --delay-bt both say how far it is');
  if (delayBits !== null) within('delay-bt', delayBits, 0, MAX_DELAY_BITS);
}

function within(option: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw new RangeError(`--${option} ${value} is not ${min} to ${max}`);
}
