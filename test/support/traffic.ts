/**
 * Two hosts and a cable, with datagrams in both directions at the same time, and the books: what was sent, what came,
 * and every counter of a datagram that did not.
 */
import type { Features } from '../../drivers/e1000/features.ts';
import type { Cable } from '../../hw/ethernet/medium/cable.ts';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import type { DropReason } from '../../kernel/net/drop.ts';
import { ETHERTYPE_ARP } from '../../kernel/net/ethernet.ts';
import type { Descriptor } from '../../kernel/net/socket.ts';
import { SocketError } from '../../kernel/net/socket-error.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import type { Program } from '../../kernel/task.ts';
import { parseIpv4 } from '../../src/lib/bytes.ts';
import { frameEvents } from '../../src/observe/frame-probe.ts';
import { kernelEvents } from '../../src/observe/kernel-probe.ts';
import { nicEvents } from '../../src/observe/nic-probe.ts';
import type { AccessCosts, Computer } from '../../src/world/computer.ts';
import { PCI_MEMORY } from '../../src/world/memory-map.ts';
import { World } from '../../src/world/world.ts';

/** By then the link is up, whatever the accesses cost. */
const LINK_UP_NS = 2_500_000_000;
const PORT = 9;
/** Where the bus driver puts the registers of the first NIC. */
const FIRST_BAR = PCI_MEMORY.base;

/** After `delayNs`, `count` datagrams of `sizeBytes` back to back. */
export interface Burst {
  readonly delayNs: number;
  readonly count: number;
  readonly sizeBytes: number;
}

export interface HostPlan {
  readonly txDescriptors: number;
  readonly rxDescriptors: number;
  readonly costs: AccessCosts;
  /** Null: as much as the rings ask for. */
  readonly memoryMib: number | null;
  readonly bursts: readonly Burst[];
  /** The receiver does nothing for so long after each datagram. */
  readonly readPauseNs: number;
  /** What the driver uses of the NIC. */
  readonly features: Partial<Features>;
  /** Least time between two interrupts of the NIC in units of 256 ns: put into ITR, which moderation may change. */
  readonly itr: number;
}

export interface TrafficPlan {
  readonly seed: string;
  readonly lengthMetres: number;
  readonly bitErrorRate: number;
  readonly hosts: readonly [HostPlan, HostPlan];
}

/** Why datagrams end in the kernel that sends them, and in the one that receives them. No other reason is expected. */
const OUT_REASONS: readonly DropReason[] = [
  'link is down',
  'transmit queue is full',
  'ARP queue is full',
  'host unreachable',
];
const IN_REASONS: readonly DropReason[] = ['receive buffer is full'];
/** What a NIC counts of frames that were damaged on the wire: each is in one of these. */
const DAMAGE = ['CRCERRS', 'ALGNERRC', 'RXERRC', 'RUC', 'ROC', 'RFC', 'RJC'];

/** PAUSE frames that a NIC sent, and those that it took. */
const PAUSES = { sent: ['XOFFTXC', 'XONTXC'], received: ['XOFFRXC', 'XONRXC'] };

/** Where the datagrams, ARP packets and PAUSE frames in one direction ended. */
export interface Books {
  readonly sent: number;
  readonly delivered: number;
  /** Dropped by the sender's kernel. */
  readonly droppedOut: number;
  /** Sent by the NIC, and nothing of it came out of the cable. */
  readonly lost: number;
  /** Damaged on the wire, and recognized as such by the receiving NIC. */
  readonly damaged: number;
  /** Damaged in the destination address: taken for somebody else's. */
  readonly misaddressed: number;
  /** Dropped by the receiving NIC or its driver: no room in the FIFO, or no packet buffer. */
  readonly overrun: number;
  /** Dropped by the receiver's kernel. */
  readonly droppedIn: number;
}

const pick = (counters: Readonly<Record<string, number>>, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + counters[name]!, 0);

/** One of the two hosts: it sends what its plan says, and takes what the other one sends. */
export class TrafficHost {
  readonly computer: Computer;
  /** What the kernel accepted, in order. */
  readonly sent: Uint8Array[] = [];
  readonly received: Uint8Array[] = [];
  /** Datagrams that the kernel did not accept: ENOBUFS. */
  refused = 0;
  /** ARP packets that Ethernet sent. */
  arpSent = 0;
  /** Frames from the other host that the NIC took for somebody else's. */
  misaddressed = 0;
  readonly #plan: HostPlan;
  readonly #peer: number;

  constructor(world: World, index: 0 | 1, plan: HostPlan) {
    this.#plan = plan;
    this.#peer = parseIpv4(`192.0.2.${2 - index}`);
    const { txDescriptors, rxDescriptors, costs, memoryMib, features } = plan;
    const nics = [{ address: `192.0.2.${index + 1}/24`, txDescriptors, rxDescriptors, features }];
    this.computer = world.computer(`host${index}`, { nics, costs, ...(memoryMib === null ? {} : { memoryMib }) });
    this.computer.start('receiver', this.#receiver());
    this.computer.start('sender', this.#sender());
    const nic = this.computer.nics[0]!;
    kernelEvents(this.computer.kernel, this.computer.name, world.clock).subscribe(event => {
      if (event.kind === 'frame' && event.direction === 'out' && event.etherType === ETHERTYPE_ARP) this.arpSent += 1;
    });
    nicEvents(nic.device, nic.name, world.clock).subscribe(event => {
      if (event.kind === 'dropped' && event.reason === 'address filter') this.misaddressed += 1;
    });
  }

  get statistics(): Readonly<Record<string, number>> {
    return this.computer.kernel.net.interfaces[0]!.statistics();
  }

  /** What must be back in place when all is quiet: packets by owner, and memory that devices reach. */
  get ledger(): unknown {
    const { free, cpu, device } = this.computer.kernel.packets.usage();
    return { packets: { free, cpu, device }, memory: this.computer.kernel.memory.usage() };
  }

  /** Packets dropped by the kernel, and how many of those for a reason that is not in the books. */
  get drops(): { readonly out: number; readonly in: number; readonly other: number } {
    const { counts } = this.computer.kernel.net.drops;
    const [out, into] = [pick(counts, OUT_REASONS), pick(counts, IN_REASONS)];
    return { out, in: into, other: pick(counts, Object.keys(counts)) - out - into };
  }

  get arpReceived(): number {
    return this.computer.kernel.net.statistics()['eth0 arp']!['received']!;
  }

  #sender(): Program {
    const { bursts } = this.#plan;
    const sendOne = (sys: Syscalls, socket: Descriptor, sizeBytes: number): void =>
      this.#sendOne(sys, socket, sizeBytes);
    return function* (sys) {
      const socket = sys.socket('udp');
      yield* sys.sleep(LINK_UP_NS - sys.nowNs());
      for (const { delayNs, count, sizeBytes } of bursts) {
        yield* sys.sleep(delayNs);
        for (let i = 0; i < count; i++) sendOne(sys, socket, sizeBytes);
      }
    };
  }

  #sendOne(sys: Syscalls, socket: Descriptor, sizeBytes: number): void {
    const bytes = contents(this.#peer, this.sent.length + this.refused, sizeBytes);
    try {
      sys.sendto(socket, bytes, this.#peer, PORT);
      this.sent.push(bytes);
    } catch (error) {
      if (!(error instanceof SocketError && error.code === 'ENOBUFS')) throw error;
      this.refused += 1;
    }
  }

  #receiver(): Program {
    const { received } = this;
    const { readPauseNs } = this.#plan;
    return function* (sys) {
      const socket = sys.socket('udp');
      sys.bind(socket, 0, PORT);
      for (;;) {
        const datagram = yield* sys.recvfrom(socket);
        if (datagram !== null) received.push(datagram.bytes);
        if (readPauseNs > 0) yield* sys.sleep(readPauseNs);
      }
    };
  }
}

/** The two hosts and the cable, from power-on. */
export class Traffic {
  readonly world: World;
  readonly hosts: readonly [TrafficHost, TrafficHost];
  readonly cable: Cable;
  /** When the last datagram is sent, unless software is slower than that. */
  readonly lastNs: number;
  /** The ledgers of both, with the link up and nothing sent yet. */
  readonly atRest: readonly [unknown, unknown];
  readonly #cameOut: [number, number] = [0, 0];

  /** Runs up to the first datagram. */
  constructor(plan: TrafficPlan) {
    this.world = new World(plan.seed);
    this.hosts = [new TrafficHost(this.world, 0, plan.hosts[0]), new TrafficHost(this.world, 1, plan.hosts[1])];
    const [a, b] = this.hosts.map(({ computer }) => computer.nics[0]!);
    const { lengthMetres, bitErrorRate } = plan;
    this.cable = this.world.cable('cable', a!, b!, { lengthMetres, bitErrorRate }).cable;
    frameEvents(this.cable).subscribe(({ fromEnd, arrived }) => {
      if (arrived !== null) this.#cameOut[fromEnd] += 1;
    });
    const durations = plan.hosts.map(({ bursts }) => bursts.reduce((sum, { delayNs }) => sum + delayNs, 0));
    this.lastNs = LINK_UP_NS + Math.max(...durations);
    this.world.run(LINK_UP_NS - 1_000_000);
    for (const [index, { computer }] of this.hosts.entries()) {
      const address = FIRST_BAR + E1000.ITR.at;
      const region = computer.bus.find(address, 4)!;
      region.device.write(address - region.base, 4, plan.hosts[index]!.itr);
    }
    this.atRest = [this.hosts[0].ledger, this.hosts[1].ledger];
  }

  get ledgers(): readonly [unknown, unknown] {
    return [this.hosts[0].ledger, this.hosts[1].ledger];
  }

  /** The books of the direction from host `from`. To be asked when all is quiet. */
  books(from: 0 | 1): Books {
    const [sender, receiver] = from === 0 ? this.hosts : [this.hosts[1], this.hosts[0]];
    const sent = sender.statistics;
    const pauses = pick(sent, PAUSES.sent);
    const counters = receiver.statistics;
    return {
      sent: sender.sent.length + sender.arpSent + pauses,
      delivered: receiver.received.length + receiver.arpReceived + pick(counters, PAUSES.received),
      droppedOut: sender.drops.out,
      lost: sent['GPTC']! + pauses - this.#cameOut[from],
      damaged: pick(counters, DAMAGE),
      misaddressed: receiver.misaddressed,
      overrun: pick(counters, ['MPC', 'rxNoBuffer']),
      droppedIn: receiver.drops.in,
    };
  }
}

/** No two datagrams of a run are alike, as far as their size allows. */
function contents(peer: number, number: number, sizeBytes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: sizeBytes }, (_, i) => peer + 31 * number + 7 * i);
  for (let i = 0; i < Math.min(4, sizeBytes); i++) bytes[i] = number >>> (8 * i);
  return bytes;
}
