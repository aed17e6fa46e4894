/**
 * The loopback link: what this host sends to itself. Packets go through a queue and come back in from deferred work,
 * as if from a wire, so that no layer is ever entered while it is at work. Nothing of it is ever on a wire
 * (RFC 1122 section 3.2.1.3, case g).
 */
import type { KernelContext } from '../context.ts';
import type { DeferredWork, NetFeatures, PacketBuffer } from '../driver-api.ts';
import type { Drops } from './drop.ts';
import { LIMITED_BROADCAST, LOOPBACK_ADDRESS, LOOPBACK_PREFIX_LENGTH } from './ipv4/address.ts';
import type { Link } from './ipv4/link.ts';

/** What a packet buffer holds is as long as what an Ethernet frame does. */
const LOOPBACK_MTU = 1500;
const NO_FEATURES: NetFeatures = { checksum: false, segmentationBuffers: 0, vlan: false };
/** Room for the fragments of two of the longest datagrams. */
const QUEUE_PACKETS = 128;
/** Packets that come back in before other work has its turn. */
const PACKETS_PER_RUN = 16;

export class Loopback implements Link {
  readonly name = 'lo';
  readonly type = 'loopback';
  readonly mtu = LOOPBACK_MTU;
  readonly address = LOOPBACK_ADDRESS;
  readonly prefixLength = LOOPBACK_PREFIX_LENGTH;
  readonly broadcast = LIMITED_BROADCAST;
  readonly loopback = true;
  readonly features = NO_FEATURES;
  readonly #drops: Drops;
  readonly #input: (packet: PacketBuffer) => void;
  readonly #work: DeferredWork;
  readonly #queue: PacketBuffer[] = [];

  /** `input` is where packets come back in; it takes them over. */
  constructor(context: KernelContext, drops: Drops, input: (packet: PacketBuffer) => void) {
    this.#drops = drops;
    this.#input = input;
    this.#work = context.deferred(this.name, () => this.#run());
  }

  send(packet: PacketBuffer): void {
    if (this.#queue.length === QUEUE_PACKETS) {
      this.#drops.drop(packet, this.name, 'loopback queue is full');
      return;
    }
    this.#queue.push(packet);
    this.#work.schedule();
  }

  #run(): boolean {
    for (let i = 0; i < PACKETS_PER_RUN && this.#queue.length > 0; i++) this.#input(this.#queue.shift()!);
    return this.#queue.length > 0;
  }
}
