/**
 * A network stack on a fake driver, for tests in the style of a dialogue: frames go in (`inject`), frames come out
 * (`expectSent`, `expectNothing`), and time passes (`advance`). Below the stack all is real: packet pool, deferred work,
 * timers, tasks, system calls; only processor, hardware timer and driver are fakes.
 *
 * The host under test is 192.0.2.1/24 with the gateway 192.0.2.254; the peer that tests speak for is 192.0.2.2.
 */
import { expect } from 'vitest';
import { DeferredQueue } from '../../kernel/deferred.ts';
import type { DeferredWork, LinkState, NetDriverOps, NetFeatures, PacketBuffer } from '../../kernel/driver-api.ts';
import type { Interface } from '../../kernel/net/interface.ts';
import { type NetConfig, NetStack } from '../../kernel/net/stack.ts';
import { PacketPool } from '../../kernel/packet-pool.ts';
import { MACHINE_TIMER } from '../../kernel/ports.ts';
import { type SyscallHost, Syscalls } from '../../kernel/syscall.ts';
import { type Program, type Task, Tasks } from '../../kernel/task.ts';
import { TICK_NS, type Timer, Timers } from '../../kernel/timer.ts';
import type { KernelTrace } from '../../kernel/trace.ts';
import { formatMac, hexBytes, parseIpv4, parseMac } from '../../src/lib/bytes.ts';
import { FakeClockEvent, FakeCpu } from './fake-cpu.ts';
import { type ArpFields, arpFrame, frame, type Ipv4Fields, ipv4 } from './packets.ts';

export const SECOND_NS = 1_000_000_000;
export const HOST = '192.0.2.1';
export const HOST_MAC = '52:54:00:00:00:01';
export const PEER = '192.0.2.2';
export const PEER_MAC = '52:54:00:00:00:02';
export const GATEWAY = '192.0.2.254';
export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

const LINK_UP: LinkState = { up: true, speedMbps: 1000, fullDuplex: true };
const LINK_DOWN: LinkState = { up: false, speedMbps: 0, fullDuplex: false };
const DEFAULT_CONFIG: NetConfig = {
  interfaces: [{ address: parseIpv4(HOST), prefixLength: 24, gateway: parseIpv4(GATEWAY) }],
};
const NO_FEATURES: NetFeatures = { checksum: false, segmentationBuffers: 0, vlan: false };
const PACKETS = 256;
const PACKET_BYTES = 2048;
const MAX_STEPS = 100_000;

/** A driver that keeps a copy of what it sends, and has finished with the packet at once. */
export class FakeDriver implements NetDriverOps {
  readonly sent: Uint8Array[] = [];
  /** With each frame: what was asked of the hardware. Places count from the start of the frame. */
  readonly requests: { readonly vlanTag: number | null; readonly start: number; readonly at: number }[] = [];
  /** Packets that it still has room for. */
  room = Number.POSITIVE_INFINITY;
  /** Called inside of `transmit`, where a real driver makes bus accesses. */
  onTransmit: (() => void) | null = null;
  openError: Error | null = null;
  readonly features: NetFeatures;
  groups: readonly Uint8Array[] = [];
  opened = 0;
  readonly #packets: PacketPool;

  constructor(packets: PacketPool, features: NetFeatures) {
    this.features = features;
    this.#packets = packets;
  }

  open(): void {
    if (this.openError !== null) throw this.openError;
    this.opened += 1;
  }

  close(): void {
    this.opened -= 1;
  }

  transmit(packet: PacketBuffer): boolean {
    this.onTransmit?.();
    if (packet.next !== null) throw new Error('a packet of several buffers that is not to be segmented');
    if (this.room === 0) return false;
    this.room -= 1;
    this.#packets.toDevice(packet);
    const { vlanTag, checksumStart, checksumAt, start } = packet;
    this.requests.push({
      vlanTag,
      start: checksumStart && checksumStart - start,
      at: checksumStart && checksumAt - start,
    });
    this.sent.push(packet.bytes.slice(packet.start, packet.start + packet.length));
    this.#packets.toCpu(packet);
    this.#packets.free(packet);
    return true;
  }

  setMulticast(groups: readonly Uint8Array[]): void {
    this.groups = groups;
  }

  statistics(): Readonly<Record<string, number>> {
    return { frames: this.sent.length };
  }
}

/** A stack's surroundings, and the stack. */
export class NetRig implements SyscallHost {
  readonly hostname = 'rig';
  trace: KernelTrace | null = null;
  readonly packets: PacketPool;
  readonly net: NetStack;
  readonly drivers: FakeDriver[] = [];
  readonly messages: string[] = [];
  readonly #cpu = new FakeCpu();
  readonly #clock = new FakeClockEvent(this.#cpu);
  readonly #deferred = new DeferredQueue(this);
  readonly #timers: Timers;
  readonly #tasks: Tasks;
  #seed = 1;

  /** `interfaceCount` interfaces, all with their link up, on a stack with `config`. */
  constructor(
    config: NetConfig = DEFAULT_CONFIG,
    interfaceCount = 1,
    { features = NO_FEATURES, mac: mac0 = HOST_MAC }: { features?: NetFeatures; mac?: string } = {},
  ) {
    const bytes = new Uint8Array(PACKETS * PACKET_BYTES);
    this.packets = new PacketPool({ address: 0x8000_0000, bytes, view: new DataView(bytes.buffer) });
    this.#timers = new Timers(this.#cpu, this.#clock, (name, work) => this.deferred(name, work));
    this.#tasks = new Tasks(
      this,
      fire => this.timer(fire),
      task => new Syscalls(this, task),
    );
    this.#cpu.trap = () => this.#timers.interrupt();
    this.#timers.start();
    this.#cpu.enableCause(MACHINE_TIMER, true);
    this.#cpu.enableInterrupts();
    this.net = new NetStack(this, config);
    for (let i = 0; i < interfaceCount; i++) {
      const driver = new FakeDriver(this.packets, features);
      this.drivers.push(driver);
      const mac = parseMac(mac0);
      mac[4] = i;
      this.net.addInterface(mac, driver);
    }
    this.net.openAll();
    for (let i = 0; i < interfaceCount; i++) this.setLink(true, i);
  }

  // The kernel, as the stack sees it.

  nowNs(): number {
    return this.#cpu.time() * TICK_NS;
  }

  timer(fire: () => void): Timer {
    return this.#timers.timer(fire);
  }

  deferred(name: string, work: () => boolean): DeferredWork {
    return this.#deferred.create(name, work);
  }

  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
    return this.#seed;
  }

  log(text: string): void {
    this.messages.push(text);
  }

  /** Starts a program and runs it up to where it waits. */
  spawn(name: string, program: Program): Task {
    const task = this.#tasks.spawn(name, program);
    this.settle();
    return task;
  }

  // The dialogue.

  get iface(): Interface {
    return this.net.interfaces[0]!;
  }

  get driver(): FakeDriver {
    return this.drivers[0]!;
  }

  setLink(up: boolean, index = 0): void {
    this.net.interfaces[index]!.linkChanged(up ? LINK_UP : LINK_DOWN);
    this.settle();
  }

  /** A frame comes in, as a driver would bring it. */
  inject(octets: Uint8Array, index = 0, findings: Partial<Pick<PacketBuffer, 'vlanTag' | 'checksumGood'>> = {}): void {
    const packet = Object.assign(this.packets.allocate()!, findings);
    packet.bytes.set(octets, packet.start);
    packet.length = octets.length;
    this.net.interfaces[index]!.receive(packet);
    this.settle();
  }

  /** An IPv4 packet comes in from the peer, unless `fields` or `link` say otherwise. */
  injectIpv4(
    fields: Pick<Ipv4Fields, 'protocol' | 'payload'> & Partial<Ipv4Fields>,
    link: { readonly to?: string; readonly padding?: number } = {},
  ): void {
    const packet = ipv4({ source: PEER, destination: HOST, ...fields });
    const payload = [...packet, ...new Array<number>(link.padding ?? 0).fill(0xa5)];
    this.inject(frame({ to: link.to ?? HOST_MAC, from: PEER_MAC, type: 0x0800, payload }));
  }

  injectArp(fields: Partial<ArpFields> & Pick<ArpFields, 'opcode'>, to?: string): void {
    this.inject(arpFrame({ senderMac: PEER_MAC, sender: PEER, target: HOST, ...fields }, to));
  }

  /** The peer makes itself known, so that no ARP stands in the way of what a test is about. */
  introducePeer(): void {
    this.injectArp({ opcode: 1 });
    this.sent();
  }

  /** The next frame that was sent. */
  sent(index = 0): Uint8Array {
    const octets = this.drivers[index]!.sent.shift();
    if (octets === undefined) throw new Error('nothing was sent');
    return octets;
  }

  /** The next frame that was sent is exactly this. */
  expectSent(octets: Uint8Array, index = 0): void {
    expect(hexBytes(this.sent(index))).toBe(hexBytes(octets));
  }

  /** The next frame is an IPv4 packet from the host to the peer, and this is it, but for its identification. */
  expectSentIpv4(fields: Pick<Ipv4Fields, 'protocol' | 'payload'> & Partial<Ipv4Fields>, to = PEER_MAC): void {
    const octets = this.sent();
    const identification = octets[18]! * 256 + octets[19]!;
    const packet = ipv4({ source: HOST, destination: PEER, identification, ...fields });
    expect(hexBytes(octets)).toBe(hexBytes(frame({ to, from: HOST_MAC, type: 0x0800, payload: packet })));
  }

  /** The next frame asks who has `target`. */
  expectArpRequest(target: string, to = BROADCAST_MAC): void {
    this.expectSent(arpFrame({ opcode: 1, senderMac: HOST_MAC, sender: HOST, target }, to));
  }

  expectNothing(): void {
    const frames = this.drivers.flatMap(driver => driver.sent);
    expect(frames.map(octets => `to ${formatMac(octets)}: ${hexBytes(octets.subarray(12))}`)).toEqual([]);
  }

  /** Every buffer is back in the pool. */
  expectNoLeak(): void {
    expect(this.packets.usage().free).toBe(PACKETS);
  }

  /** When the next timer fires; Infinity for never. */
  nextTimerNs(): number {
    return this.#clock.tick * TICK_NS;
  }

  /** Time passes; all that is due happens at its time. */
  advance(ns: number): void {
    const untilTick = this.#cpu.time() + Math.floor(ns / TICK_NS);
    this.settle();
    for (let steps = 0; this.#clock.tick <= untilTick; steps++) {
      if (steps > MAX_STEPS) throw new Error('the timer never stops');
      this.#passTo(Math.max(this.#clock.tick, this.#cpu.time()));
    }
    this.#passTo(untilTick);
  }

  /** Deferred work, then tasks, until there is nothing left to do. */
  settle(): void {
    for (let steps = 0; this.#deferred.runNext() || this.#tasks.runNext(); steps++) {
      if (steps > MAX_STEPS) throw new Error('the kernel never rests');
    }
  }

  #passTo(tick: number): void {
    this.#cpu.advanceTicks(tick - this.#cpu.time());
    this.#clock.update();
    this.#cpu.access();
    this.settle();
  }
}
