/**
 * The network interface of the host that a script drives: a wire that takes no time, to a router that answers every ARP
 * request. What the host sends is kept with the time at which the stack handed it to the driver; what is injected
 * arrives, by an interrupt, at the instant at which it is injected. Two packets `+0` apart could not do that on a real
 * wire, where the second has to wait for the first: that is why it is not a 82540EM that stands here.
 *
 * Device and driver in one object: there are no registers in between for anybody to look at.
 */
import type { LineSource } from '../../hw/bus/line.ts';
import type {
  BusDriver,
  DeferredWork,
  NetDriverOps,
  NetInterface,
  PacketBuffer,
  PciDriver,
  Platform,
} from '../../kernel/driver-api.ts';
import { ARP_PACKET_BYTES, ArpPacket, emitArp, parseArp, REPLY, REQUEST } from '../../kernel/net/arp-packet.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../../kernel/net/ethernet.ts';
import { ETHERNET_HEADER_BYTES } from '../../kernel/net/packet.ts';
import { readBe16, writeBe16 } from '../lib/bytes.ts';

const HOST_MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x00, 0x00, 0x01);
const PEER_MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x00, 0x00, 0x02);
/** A vendor number that nobody has, for the one device on the one bus. */
const VENDOR_ID = 0xffff;
const GIGABIT = { up: true, speedMbps: 1000, fullDuplex: true };

/** A frame that crossed the border between driver and wire: DA to payload. */
export interface DrillFrame {
  readonly timeNs: number;
  readonly direction: 'in' | 'out';
  readonly bytes: Uint8Array;
}

export class IdealNic implements NetDriverOps, BusDriver, PciDriver {
  readonly name = 'ideal NIC';
  readonly ids = [[VENDOR_ID, 0]] as const;
  readonly features = { checksum: false, segmentationBuffers: 0, vlan: false };
  /** Told of every frame, ARP too. */
  onFrame: ((frame: DrillFrame) => void) | null = null;
  readonly #irq: number;
  readonly #line: LineSource;
  readonly #nowNs: () => number;
  readonly #arriving: Uint8Array[] = [];
  #platform: Platform | null = null;
  #iface: NetInterface | null = null;
  #receive: DeferredWork | null = null;

  /** `line` drives the interrupt `irq`. */
  constructor(irq: number, line: LineSource, nowNs: () => number) {
    this.#irq = irq;
    this.#line = line;
    this.#nowNs = nowNs;
  }

  /** A frame comes in, now. Its IPv4 packet starts at octet 14. */
  inject(bytes: Uint8Array): void {
    this.onFrame?.({ timeNs: this.#nowNs(), direction: 'in', bytes });
    this.#arriving.push(bytes);
    this.#line.set(true);
  }

  /** The router says which hardware address `address`, its own, has, so that nothing of the host's has to wait for it. */
  announce(address: number, host: number): void {
    const arp = new ArpPacket();
    arp.opcode = REPLY;
    arp.senderMac = PEER_MAC;
    arp.senderAddress = address;
    arp.targetMac = HOST_MAC;
    arp.targetAddress = host;
    this.inject(arpFrame(arp));
  }

  // For the kernel.

  enumerate(): ReturnType<BusDriver['enumerate']> {
    return [{ vendorId: VENDOR_ID, deviceId: 0, slot: 0, bars: [], irq: this.#irq, enable: () => undefined }];
  }

  probe(_device: unknown, platform: Platform): void {
    this.#platform = platform;
    this.#receive = platform.deferred(this.name, () => this.#receiveAll());
    platform.interrupts.request(this.#irq, this.name, () => this.#interrupt());
    this.#iface = platform.addInterface(HOST_MAC, this);
  }

  open(): void {
    this.#iface!.linkChanged(GIGABIT);
  }

  close(): void {
    this.#arriving.length = 0;
  }

  transmit(packet: PacketBuffer): boolean {
    const bytes = packet.bytes.slice(packet.start, packet.start + packet.length);
    this.#platform!.packets.free(packet);
    this.onFrame?.({ timeNs: this.#nowNs(), direction: 'out', bytes });
    if (readBe16(bytes, 12) === ETHERTYPE_ARP) this.#answer(bytes);
    return true;
  }

  setMulticast(): void {}

  statistics(): Readonly<Record<string, number>> {
    return {};
  }

  #interrupt(): boolean {
    if (!this.#line.level) return false;
    this.#line.set(false);
    this.#receive!.schedule();
    return true;
  }

  #receiveAll(): boolean {
    const bytes = this.#arriving.shift();
    if (bytes === undefined) return false;
    const packet = this.#platform!.packets.allocate();
    if (packet === null) return this.#arriving.length > 0;
    packet.bytes.set(bytes, packet.start);
    packet.length = bytes.length;
    this.#iface!.receive(packet);
    return this.#arriving.length > 0;
  }

  /** Every address is the router's, but for that of the host itself, for which nobody answers. */
  #answer(bytes: Uint8Array): void {
    const asked = new ArpPacket();
    if (!parseArp(bytes, ETHERNET_HEADER_BYTES, bytes.length - ETHERNET_HEADER_BYTES, asked)) return;
    if (asked.opcode === REQUEST && asked.targetAddress !== asked.senderAddress) {
      this.announce(asked.targetAddress, asked.senderAddress);
    }
  }
}

/** An Ethernet frame to the host around an IPv4 packet. */
export function ipv4Frame(packet: Uint8Array): Uint8Array {
  const bytes = frame(ETHERTYPE_IPV4, packet.length);
  bytes.set(packet, ETHERNET_HEADER_BYTES);
  return bytes;
}

function arpFrame(arp: ArpPacket): Uint8Array {
  const bytes = frame(ETHERTYPE_ARP, ARP_PACKET_BYTES);
  emitArp(bytes, ETHERNET_HEADER_BYTES, arp);
  return bytes;
}

function frame(etherType: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(ETHERNET_HEADER_BYTES + payloadBytes);
  bytes.set(HOST_MAC, 0);
  bytes.set(PEER_MAC, 6);
  writeBe16(bytes, 12, etherType);
  return bytes;
}
