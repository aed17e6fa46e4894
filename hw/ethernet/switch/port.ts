/**
 * One port of a switch: a PHY that negotiates and crosses over by itself, a MAC of any speed and duplex, and the queue
 * of what is to leave. It takes every frame, has no address of its own, judges what arrives, and hands good frames to the
 * switch; where they go from there is the switch's business.
 *
 * Out of the port go, in this order: PAUSE frames, which no PAUSE holds up; the switch's own frames (BPDUs); then what is
 * forwarded. When the link breaks, all that waits is dropped.
 */
import { readBe16 } from '../../../src/lib/bytes.ts';
import type { Clock } from '../../sim/clock.ts';
import type { Prng } from '../../sim/prng.ts';
import { Frame, type FrameState } from '../frame.ts';
import { Mac, type MacClient, type MacState, type TransmitOutcome } from '../mac/mac.ts';
import { MAC_CONTROL_TYPE, PAUSE_ADDRESS_LAST, PAUSE_AT, pauseOctets, pauseQuantaOf } from '../mac/pause.ts';
import { classify, type ReceiveClass } from '../mac/receive.ts';
import { M88E1011, type PhyState } from '../phy/phy.ts';
import { BIT_NS, type PhyLink } from '../ports.ts';
import { PortCounters, type PortCountersState } from './counters.ts';
import { FlowControl, type FlowControlState } from './flow-control.ts';
import { OutputQueue, type OutputQueueState } from './output-queue.ts';
import {
  CONTROL_QUEUE_FRAMES,
  LAST_RESERVED,
  MAX_BASIC_BYTES,
  MAX_TAGGED_BYTES,
  PAUSE_ABOVE,
  RESUME_BELOW,
} from './parameters.ts';
import { configurePhy, type PortLink, pauseAgreed } from './port-link.ts';
import { isTagged, type VlanMembership } from './vlan.ts';

/** What the spanning tree lets a port do. Learning comes with it. */
export type PortState = 'discarding' | 'learning' | 'forwarding';

/** The switch around a port. */
interface PortHost {
  /** A good frame has come in to its last bit. */
  arrived(port: SwitchPort, frame: Frame): void;
  /** What has come in at `port` is no good. */
  damaged(port: SwitchPort, frame: Frame, outcome: Exclude<ReceiveClass, 'ok'>): void;
  /** A frame has left whole. */
  left(port: SwitchPort, frame: Frame): void;
  linkChanged(port: SwitchPort, link: PhyLink): void;
  /** The output queue of `port` has drained: those who filled it may go on. */
  drained(port: SwitchPort): void;
}

export interface SwitchPortState {
  readonly phy: PhyState;
  readonly mac: MacState;
  readonly queue: OutputQueueState;
  readonly control: readonly FrameState[];
  readonly pause: number;
  readonly full: boolean;
  readonly flow: FlowControlState;
  readonly state: PortState;
  readonly up: boolean;
  readonly counters: PortCountersState;
}

export class SwitchPort implements MacClient {
  readonly index: number;
  readonly phy: M88E1011;
  readonly mac: Mac;
  readonly counters = new PortCounters();
  readonly flow: FlowControl;
  /** Its part in the VLANs; null where the switch knows none. */
  readonly vlans: VlanMembership | null;
  /** Six octets: the source of what the switch itself sends here. */
  readonly address: Uint8Array;
  /** As the spanning tree has it. Without one a port forwards. The switch alone writes it. */
  state: PortState = 'forwarding';
  /** The link is up. */
  up = false;
  readonly #host: PortHost;
  readonly #queue: OutputQueue;
  /** Frames of the switch's own. */
  readonly #control: Frame[] = [];
  /** Quanta of the PAUSE frame that is to go out, -1 for none. The latest word counts. */
  #pause = -1;
  /** The queue is above its mark, and has not been below the lower one since. */
  #full = false;

  constructor(clock: Clock, prng: Prng, host: PortHost, options: SwitchPortParameters) {
    this.index = options.index;
    this.address = options.address;
    this.vlans = options.vlans;
    this.#host = host;
    this.#queue = new OutputQueue(options.queueBytes);
    this.phy = new M88E1011(clock, prng);
    configurePhy(this.phy, options.link);
    this.mac = new Mac(clock, this.phy, this);
    this.flow = new FlowControl(clock, this);
  }

  get link(): PhyLink {
    return this.phy.link;
  }

  get bitNs(): number {
    return BIT_NS[this.phy.link.speed];
  }

  /** Octets that wait to leave. */
  get queueBytes(): number {
    return this.#queue.bytes;
  }

  /**
   * `frame` is to leave here. False when it was dropped, since there is no room. The port `source` where it came in has
   * its partner paused, if that was agreed on, when the queue fills up; null for a copy, which is nobody's fault.
   */
  send(frame: Frame, source: SwitchPort | null): boolean {
    if (this.#canSend()) {
      this.mac.transmit(frame);
    } else if (!this.#queue.push(frame)) {
      this.counters.droppedQueue += 1;
      return false;
    } else if (this.#full || this.#queue.bytes > this.#queue.maxBytes * PAUSE_ABOVE) {
      this.#full = true;
      source?.flow.congest(this.index);
    }
    return true;
  }

  /** Sends a frame of the switch's own, before what is forwarded. False when there is no room, or no link. */
  sendControl(frame: Frame): boolean {
    if (!this.up || this.#control.length === CONTROL_QUEUE_FRAMES) return false;
    if (this.#canSend()) this.mac.transmit(frame);
    else this.#control.push(frame);
    return true;
  }

  // From the MAC.

  transmitted(frame: Frame, outcome: TransmitOutcome): void {
    if (outcome === 'sent') {
      this.counters.txFrames += 1;
      this.counters.txBytes += frame.wireBytes;
      this.#host.left(this, frame);
    } else {
      this.counters.droppedCollisions += 1;
    }
    this.#next();
  }

  received(frame: Frame): void {
    const maxBytes = frame.wireBytes > MAX_BASIC_BYTES && isTagged(frame.octets) ? MAX_TAGGED_BYTES : MAX_BASIC_BYTES;
    const outcome = classify(frame, maxBytes);
    const { counters } = this;
    if (outcome !== 'ok') {
      countDamage(counters, outcome);
      this.#host.damaged(this, frame, outcome);
      return;
    }
    counters.rxFrames += 1;
    counters.rxBytes += frame.wireBytes;
    const { octets } = frame;
    if (readBe16(octets, PAUSE_AT.type) === MAC_CONTROL_TYPE && isReserved(octets)) {
      counters.control += 1;
      if (octets[5] === PAUSE_ADDRESS_LAST) this.#takeControl(octets);
      return;
    }
    // Bits behind the last octet do not go on.
    this.#host.arrived(this, frame.errors.dribbleBits === 0 ? frame : Frame.withFcs(octets));
  }

  linkChanged(): void {
    const { link } = this.phy;
    this.flow.reset(link.up && link.fullDuplex && pauseAgreed(this.phy));
    if (!link.up) this.#dropAll();
    this.up = link.up;
    this.#host.linkChanged(this, link);
  }

  // From flow control.

  /** A PAUSE frame goes out as soon as the MAC is free. */
  sendPause(quanta: number): void {
    this.#pause = quanta;
    if (this.mac.idle) this.#next();
  }

  resume(): void {
    if (this.mac.idle) this.#next();
  }

  save(): SwitchPortState {
    return {
      phy: this.phy.save(),
      mac: this.mac.save(),
      queue: this.#queue.save(),
      control: this.#control.map(frame => frame.save()),
      pause: this.#pause,
      full: this.#full,
      flow: this.flow.save(),
      state: this.state,
      up: this.up,
      counters: this.counters.save(),
    };
  }

  load(saved: SwitchPortState): void {
    this.phy.load(saved.phy);
    this.mac.load(saved.mac);
    this.#queue.load(saved.queue);
    this.#control.length = 0;
    for (const frame of saved.control) this.#control.push(Frame.load(frame));
    this.#pause = saved.pause;
    this.#full = saved.full;
    this.flow.load(saved.flow);
    this.state = saved.state;
    this.up = saved.up;
    this.counters.load(saved.counters);
  }

  /** Whether a frame may go straight to the MAC. While that is idle nothing waits, but for a pause. */
  #canSend(): boolean {
    return this.mac.idle && !this.flow.paused;
  }

  /** The MAC is idle: it gets what is first in line. */
  #next(): void {
    if (this.#pause >= 0) {
      const quanta = this.#pause;
      this.#pause = -1;
      this.counters.pauseSent += 1;
      this.mac.transmit(Frame.withFcs(pauseOctets(this.address, quanta)));
      return;
    }
    if (this.flow.paused) return;
    if (this.#control.length > 0) {
      this.mac.transmit(this.#control.shift()!);
    } else if (this.#queue.length > 0) {
      const frame = this.#queue.shift();
      if (this.#full && this.#queue.bytes <= this.#queue.maxBytes * RESUME_BELOW) {
        this.#full = false;
        this.#host.drained(this);
      }
      this.mac.transmit(frame);
    }
  }

  /** MAC control to the PAUSE address. */
  #takeControl(octets: Uint8Array): void {
    const quanta = pauseQuantaOf(octets);
    if (quanta < 0) return;
    this.counters.pauseReceived += 1;
    if (this.flow.active) this.flow.obey(quanta);
  }

  #dropAll(): void {
    const { counters } = this;
    if (!this.mac.idle) counters.droppedLink += 1;
    counters.droppedLink += this.#queue.length + this.#control.length;
    this.mac.reset();
    this.#queue.clear();
    this.#control.length = 0;
    this.#pause = -1;
    if (!this.#full) return;
    this.#full = false;
    this.#host.drained(this);
  }
}

/** What a port is made of. */
export interface SwitchPortParameters {
  readonly index: number;
  readonly address: Uint8Array;
  readonly link: PortLink;
  readonly queueBytes: number;
  readonly vlans: VlanMembership | null;
}

/** Whether DA is one of 01-80-C2-00-00-00 to 0F, which no bridge forwards. */
export function isReserved(octets: Uint8Array): boolean {
  return (
    octets[0] === 0x01 &&
    octets[5]! <= LAST_RESERVED &&
    octets[1] === 0x80 &&
    octets[2] === 0xc2 &&
    octets[3] === 0x00 &&
    octets[4] === 0x00
  );
}

function countDamage(counters: PortCounters, outcome: Exclude<ReceiveClass, 'ok'>): void {
  switch (outcome) {
    case 'fcs':
      counters.fcsErrors += 1;
      break;
    case 'alignment':
      counters.alignmentErrors += 1;
      break;
    case 'rx-error':
      counters.rxErrors += 1;
      break;
    case 'undersize':
    case 'fragment':
      counters.runts += 1;
      break;
    case 'oversize':
    case 'jabber':
      counters.tooLong += 1;
      break;
  }
}
