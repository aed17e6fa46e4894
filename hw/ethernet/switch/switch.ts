/**
 * A learning switch, the MAC relay of IEEE 802.1D-2004 clause 7 with the VLANs of 802.1Q: it stores each good frame,
 * learns from its source address, looks its destination up, and sends it where that is, or everywhere else. It never
 * sends a frame back to where it came from, nor one to a reserved address; it keeps the order.
 *
 * A frame that leaves as it came is the same object, FCS included, so that what goes wrong inside would show at the
 * receiver; only one whose tag is put in or taken out gets a new FCS.
 *
 * Its time for an uncontended frame is that of receiving it and of looking it up: through k switches at one rate R, a
 * frame of L octets takes (k + 1) · 8 (L + 8) / R and what cables and lookups take.
 */
import type { Clock } from '../../sim/clock.ts';
import type { Prng } from '../../sim/prng.ts';
import { Frame } from '../frame.ts';
import type { ReceiveClass } from '../mac/receive.ts';
import type { PhyLink } from '../ports.ts';
import { Lookup, type LookupState } from './lookup.ts';
import { MacTable, type MacTableState, type TableEntry, UNKNOWN } from './mac-table.ts';
import { mirrored } from './mirror.ts';
import { type SwitchOptions, type SwitchParameters, switchParameters } from './options.ts';
import { isReserved, type PortState, SwitchPort, type SwitchPortState } from './port.ts';
import { SpanningTree, type SpanningTreeState } from './spanning-tree/spanning-tree.ts';
import { DEFAULT_VLAN, NO_VLAN, tagged, untagged } from './vlan.ts';

/** Where the switch decided that a frame goes: for observers. */
export interface Decision {
  readonly frame: Frame;
  /** Where it came in. */
  readonly port: number;
  /** The VLAN that it belongs to; -1 for none of this port's. */
  readonly vlan: number;
  readonly verdict: 'forwarded' | 'flooded' | 'filtered' | 'reserved' | 'wrong VLAN' | 'blocked';
  /** Where it goes. */
  readonly to: readonly number[];
}

/** Why a frame went no further: for observers. */
export type SwitchDropReason = Exclude<ReceiveClass, 'ok'> | 'wrong VLAN' | 'port is blocked' | 'output queue is full';

export interface SwitchState {
  readonly ports: readonly SwitchPortState[];
  readonly table: MacTableState;
  readonly lookup: LookupState;
  readonly tree: SpanningTreeState | null;
}

/** The last octet of the bridge group address, to which BPDUs go. */
const BRIDGE_GROUP_LAST = 0x00;

export class Switch {
  readonly ports: readonly SwitchPort[];
  /** Six octets. That of a port is this one plus its number plus one. */
  readonly address: Uint8Array;
  // Observation; null unless somebody watches.
  /** An address was learned. */
  onLearned: ((entry: TableEntry) => void) | null = null;
  /** An address has moved, from the port `from`. */
  onMoved: ((entry: TableEntry, from: number) => void) | null = null;
  onDecision: ((decision: Decision) => void) | null = null;
  /** A frame that came in at `port` was dropped, or, with a full queue, one of the copies that were to leave. */
  onDropped: ((port: number, frame: Frame, reason: SwitchDropReason) => void) | null = null;
  /** The spanning tree has changed what a port may do. */
  onPortState: ((port: number, state: PortState) => void) | null = null;
  /** Null for a switch without one. */
  readonly tree: SpanningTree | null;
  readonly #clock: Clock;
  readonly #table: MacTable;
  readonly #lookup: Lookup;
  /** The ports that forward: all but the one with copies. */
  readonly #relaying: readonly SwitchPort[];
  /** Where copies leave; null without mirroring. */
  readonly #mirror: SwitchPort | null;
  /** By port: what comes in, and what goes out, is copied. */
  readonly #copiesIn: readonly boolean[];
  readonly #copiesOut: readonly boolean[];
  readonly #vlanAware: boolean;
  /** Unless the spanning tree shortens it. */
  readonly #ageingNs: number;
  /** The frame in hand with its tag, and without one, once somebody has needed it so. */
  #tagged: Frame | null = null;
  #untagged: Frame | null = null;

  /** A switch whose own address is `address`. Throws a RangeError when the options make no sense. */
  constructor(clock: Clock, prng: Prng, address: Uint8Array, options: SwitchOptions) {
    const parameters = switchParameters(options);
    const { mirror, tableEntries, ageingNs, lookupNs } = parameters;
    this.#clock = clock;
    this.address = address;
    this.#ageingNs = ageingNs;
    this.#table = new MacTable(clock, tableEntries, ageingNs, port => {
      this.ports[port]!.counters.aged += 1;
    });
    this.#lookup = new Lookup(clock, lookupNs, (port, frame) => this.#relay(this.ports[port]!, frame));
    this.ports = portsOf(parameters, clock, prng, address, this);
    this.#mirror = mirror === null ? null : this.ports[mirror.to]!;
    this.#relaying = this.ports.filter(port => port !== this.#mirror);
    this.#copiesIn = this.ports.map(({ index }) => mirrored(mirror, index).ingress);
    this.#copiesOut = this.ports.map(({ index }) => mirrored(mirror, index).egress);
    this.#vlanAware = this.ports[0]!.vlans !== null;
    this.tree = parameters.tree === null ? null : new SpanningTree(clock, address, parameters.tree, this);
  }

  /** The table of addresses as it now is: a copy. */
  table(): readonly TableEntry[] {
    return this.#table.entries();
  }

  /** Observation: an entry has reached the ageing time. */
  set onAged(tap: ((entry: TableEntry) => void) | null) {
    this.#table.onAged = tap;
  }

  /** Observation: an entry was forgotten before that, since the link broke or the spanning tree has changed. */
  set onFlushed(tap: ((entry: TableEntry) => void) | null) {
    this.#table.onFlushed = tap;
  }

  /** Observation: a static entry is there, perhaps in place of one that was learned. */
  set onEntered(tap: ((entry: TableEntry) => void) | null) {
    this.#table.onEntered = tap;
  }

  /**
   * Enters an address for good: six octets, an individual one, behind `port`. Throws a RangeError when it makes no sense
   * or the table is full.
   */
  addStatic(mac: Uint8Array, port: number, vlan = DEFAULT_VLAN): void {
    if ((mac[0]! & 1) !== 0) throw new RangeError('a static entry is for the address of one station, not of a group');
    const to = this.ports[port];
    if (to === undefined || to === this.#mirror) throw new RangeError(`the switch forwards nothing to port ${port}`);
    if (!this.#table.addStatic(mac, vlan, port)) throw new RangeError('the table of the switch is full');
  }

  // From the ports.

  arrived(port: SwitchPort, frame: Frame): void {
    this.#lookup.begin(port.index, frame);
  }

  damaged(port: SwitchPort, frame: Frame, outcome: Exclude<ReceiveClass, 'ok'>): void {
    this.onDropped?.(port.index, frame, outcome);
  }

  left(port: SwitchPort, frame: Frame): void {
    if (this.#copiesOut[port.index]!) this.#mirror!.send(frame, null);
  }

  linkChanged(port: SwitchPort, link: PhyLink): void {
    if (!link.up) this.#table.flush(port.index);
    this.tree?.linkChanged(port.index, link);
  }

  drained({ index }: SwitchPort): void {
    for (const port of this.ports) port.flow.relieve(index);
  }

  // From the spanning tree.

  setState(port: number, state: PortState): void {
    this.ports[port]!.state = state;
    this.onPortState?.(port, state);
  }

  flush(port: number): void {
    this.#table.flush(port);
  }

  setAgeing(seconds: number | null): void {
    this.#table.ageingNs = seconds === null ? this.#ageingNs : seconds * 1e9;
  }

  transmit(port: number, octets: Uint8Array): void {
    this.ports[port]!.sendControl(Frame.withFcs(octets));
  }

  addressOf(port: number): Uint8Array {
    return this.ports[port]!.address;
  }

  save(): SwitchState {
    return {
      ports: this.ports.map(port => port.save()),
      table: this.#table.save(),
      lookup: this.#lookup.save(),
      tree: this.tree === null ? null : this.tree.save(),
    };
  }

  load(state: SwitchState): void {
    for (const [i, port] of this.ports.entries()) port.load(state.ports[i]!);
    this.#table.load(state.table);
    this.#lookup.load(state.lookup);
    if (state.tree !== null) this.tree?.load(state.tree);
  }

  /** `frame`, which has come in at `port`, has been looked up. */
  #relay(port: SwitchPort, frame: Frame): void {
    const { octets } = frame;
    const { counters } = port;
    if (this.#copiesIn[port.index]!) this.#mirror!.send(frame, null);
    if (port === this.#mirror) {
      counters.filtered += 1;
      this.#decided(port, frame, DEFAULT_VLAN, 'filtered', UNKNOWN);
      return;
    }
    const vlan = port.vlans === null ? DEFAULT_VLAN : port.vlans.vlanOf(octets);
    if (vlan !== NO_VLAN && port.state !== 'discarding' && (octets[6]! & 1) === 0) this.#learn(port, octets, vlan);
    if (isReserved(octets)) {
      counters.control += 1;
      this.#decided(port, frame, vlan, 'reserved', UNKNOWN);
      if (octets[5] === BRIDGE_GROUP_LAST) this.tree?.received(port.index, octets);
    } else if (vlan === NO_VLAN) {
      counters.wrongVlan += 1;
      this.#decided(port, frame, vlan, 'wrong VLAN', UNKNOWN);
      this.onDropped?.(port.index, frame, 'wrong VLAN');
    } else if (port.state !== 'forwarding') {
      counters.blocked += 1;
      this.#decided(port, frame, vlan, 'blocked', UNKNOWN);
      this.onDropped?.(port.index, frame, 'port is blocked');
    } else {
      const to = (octets[0]! & 1) === 0 ? this.#table.lookup(octets, 0, vlan) : UNKNOWN;
      if (to === UNKNOWN) this.#flood(port, frame, vlan);
      else this.#forward(port, frame, vlan, this.ports[to]!);
    }
  }

  #learn(port: SwitchPort, octets: Uint8Array, vlan: number): void {
    const { counters, index } = port;
    const from = this.onMoved === null ? UNKNOWN : this.#table.lookup(octets, 6, vlan);
    const learning = this.#table.learn(octets, 6, vlan, index);
    switch (learning) {
      case 'known':
        return;
      case 'full':
        counters.notLearned += 1;
        return;
      case 'learned':
        counters.learned += 1;
        break;
      case 'moved':
        counters.moved += 1;
        break;
    }
    if (this.onLearned === null && this.onMoved === null) return;
    const entry = { mac: octets.slice(6, 12), vlan, port: index, static: false, seenNs: this.#clock.nowNs };
    if (learning === 'learned') this.onLearned?.(entry);
    else this.onMoved?.(entry, from);
  }

  #forward(port: SwitchPort, frame: Frame, vlan: number, to: SwitchPort): void {
    if (to === port || !carries(to, vlan)) {
      port.counters.filtered += 1;
      this.#decided(port, frame, vlan, 'filtered', UNKNOWN);
      return;
    }
    port.counters.forwarded += 1;
    this.#decided(port, frame, vlan, 'forwarded', to.index);
    this.#send(to, frame, vlan, port);
    this.#tagged = this.#untagged = null;
  }

  #flood(port: SwitchPort, frame: Frame, vlan: number): void {
    port.counters.flooded += 1;
    this.#decided(port, frame, vlan, 'flooded', UNKNOWN);
    for (const to of this.#relaying) if (to !== port && carries(to, vlan)) this.#send(to, frame, vlan, port);
    this.#tagged = this.#untagged = null;
  }

  #send(to: SwitchPort, frame: Frame, vlan: number, from: SwitchPort): void {
    if (!to.send(this.#vlanAware ? this.#asSentBy(to, frame, vlan) : frame, from)) {
      this.onDropped?.(from.index, frame, 'output queue is full');
    }
  }

  /** With the tag that `to` wants; the copies of one frame share it. */
  #asSentBy(to: SwitchPort, frame: Frame, vlan: number): Frame {
    if (to.vlans!.tags(vlan)) {
      this.#tagged ??= tagged(frame, vlan);
      return this.#tagged;
    }
    this.#untagged ??= untagged(frame);
    return this.#untagged;
  }

  #decided(port: SwitchPort, frame: Frame, vlan: number, verdict: Decision['verdict'], to: number): void {
    if (this.onDecision === null) return;
    const ports = verdict === 'flooded' ? this.#relaying.filter(each => each !== port && carries(each, vlan)) : [];
    const all = to === UNKNOWN ? ports.map(({ index }) => index) : [to];
    this.onDecision({ frame, port: port.index, vlan, verdict, to: all });
  }
}

/** Whether frames of `vlan` leave at `port` now. */
function carries(port: SwitchPort, vlan: number): boolean {
  return port.up && port.state === 'forwarding' && (port.vlans === null || port.vlans.has(vlan));
}

function portsOf(
  { ports, queueBytes }: SwitchParameters,
  clock: Clock,
  prng: Prng,
  address: Uint8Array,
  host: Switch,
): readonly SwitchPort[] {
  return ports.map(({ link, vlans }, index) => {
    const own = Uint8Array.from(address);
    own[5] = address[5]! + index + 1;
    return new SwitchPort(clock, prng.fork(`port${index}`), host, { index, address: own, link, vlans, queueBytes });
  });
}
