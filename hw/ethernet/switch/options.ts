/** What is said about a switch when it is built, and the checks of it. Everything is optional but the ports. */
import type { SpeedMbps } from '../ports.ts';
import { type Mirror, mirrorOf } from './mirror.ts';
import {
  AGEING_SECONDS,
  FASTEST_MBPS,
  LOOKUP_NS,
  MAX_LOOKUP_NS,
  MAX_PORTS,
  MAX_QUEUE_BYTES,
  MAX_TABLE_ENTRIES,
  MAX_TAGGED_BYTES,
  QUEUE_BYTES,
  TABLE_ENTRIES,
} from './parameters.ts';
import type { PortLink } from './port-link.ts';
import {
  type PortTreeOptions,
  type SpanningTreeOptions,
  type SpanningTreeParameters,
  spanningTreeParameters,
} from './spanning-tree/options.ts';
import { type PortVlans, VlanMembership } from './vlan.ts';

export interface SwitchPortOptions {
  /** Speed and duplex that are forced, with nothing negotiated; `auto` unless given. */
  readonly link?: 'auto' | { readonly speedMbps: SpeedMbps; readonly fullDuplex: boolean };
  /** Unless any port has this the switch knows no VLANs, and tags are octets to it. Then: access to VLAN 1. */
  readonly vlans?: PortVlans;
  readonly stp?: PortTreeOptions;
}

export interface SwitchOptions {
  /** How many, or one by one; numbered from 0. */
  readonly ports: number | readonly SwitchPortOptions[];
  /** The fastest modes that ports offer: 1000 unless given. */
  readonly fastestMbps?: SpeedMbps;
  /** From the last bit of a frame in to the decision where it goes, 1000 ns unless given. */
  readonly lookupNs?: number;
  /** Addresses that the table holds, 8192 unless given. */
  readonly tableEntries?: number;
  /** 10 to 1 000 000, 300 unless given. */
  readonly ageingSeconds?: number;
  /** Octets that may wait at each port, 131 072 unless given. */
  readonly queueBytes?: number;
  /** Ports offer symmetric PAUSE, and use it where the partner agrees. Off unless given. */
  readonly flowControl?: boolean;
  /** Copies of what goes through some ports leave at another, which does nothing else. */
  readonly mirror?: Mirror;
  /** A spanning tree, so that there may be loops. Off unless given. */
  readonly stp?: boolean | SpanningTreeOptions;
}

/** The options of a switch with nothing left open. */
export interface SwitchParameters {
  readonly ports: readonly {
    readonly link: PortLink;
    readonly vlans: VlanMembership | null;
  }[];
  readonly lookupNs: number;
  readonly tableEntries: number;
  readonly ageingNs: number;
  readonly queueBytes: number;
  readonly mirror: Mirror | null;
  readonly tree: SpanningTreeParameters | null;
}

/** Throws a RangeError when the options make no sense. */
export function switchParameters(options: SwitchOptions): SwitchParameters {
  const ports: readonly SwitchPortOptions[] =
    typeof options.ports === 'number'
      ? Array.from({ length: within('number of ports', options.ports, 1, MAX_PORTS) }, () => ({}))
      : options.ports;
  within('number of ports', ports.length, 1, MAX_PORTS);
  const aware = ports.some(({ vlans }) => vlans !== undefined);
  const { fastestMbps = FASTEST_MBPS, flowControl = false, ageingSeconds = AGEING_SECONDS.usual } = options;
  within('ageing time in seconds', ageingSeconds, AGEING_SECONDS.least, AGEING_SECONDS.most);
  const mirror = options.mirror === undefined ? null : mirrorOf(options.mirror, ports.length);
  const inTree = ports.map(({ stp = {} }, index) => (index === mirror?.to ? null : stp));
  const { stp = false } = options;
  return {
    ports: ports.map(({ link = 'auto', vlans = { access: 1 } }) => ({
      link: link === 'auto' ? { fastestMbps, pause: flowControl } : link,
      vlans: aware ? new VlanMembership(vlans) : null,
    })),
    lookupNs: within('lookup time in nanoseconds', options.lookupNs ?? LOOKUP_NS, 0, MAX_LOOKUP_NS),
    tableEntries: within('number of table entries', options.tableEntries ?? TABLE_ENTRIES, 1, MAX_TABLE_ENTRIES),
    ageingNs: ageingSeconds * 1e9,
    queueBytes: within('queue in octets', options.queueBytes ?? QUEUE_BYTES, MAX_TAGGED_BYTES, MAX_QUEUE_BYTES),
    mirror,
    tree: stp === false ? null : spanningTreeParameters(stp === true ? {} : stp, inTree),
  };
}

function within(what: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${what} of a switch: ${value} is not a whole number from ${least} to ${most}`);
}
