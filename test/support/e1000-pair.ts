/**
 * Two drivers on two real 82540EMs, joined by a cable: everything below the kernel. Each side has its own platform
 * double; registers cost time as on a PCI bus, so the hardware goes on while the drivers work.
 */
import { type E1000Options, e1000Driver } from '../../drivers/e1000/e1000.ts';
import type { Features } from '../../drivers/e1000/features.ts';
import { Line } from '../../hw/bus/line.ts';
import type { BusMaster } from '../../hw/bus/ram.ts';
import { Cable } from '../../hw/ethernet/medium/cable.ts';
import { E1000Nic } from '../../hw/nic/e1000/e1000.ts';
import { Clock } from '../../hw/sim/clock.ts';
import { Prng } from '../../hw/sim/prng.ts';
import { DriverPlatform, type FakeDevice, type TestInterface, TestMemory } from './driver-platform.ts';

const RAM_BYTES = 2 * 1024 * 1024;
const COMMAND = 0x04;
const MEMORY_AND_BUS_MASTER = 0x06;
/** Time for two PHYs to negotiate, with something to spare. */
export const NEGOTIATION_NS = 3_000_000_000;

interface PairOptions extends E1000Options {
  /** Those of the right side, if they differ. */
  readonly rightFeatures?: Partial<Features>;
  readonly packets?: number;
  readonly readNs?: number;
  readonly writeNs?: number;
  readonly metres?: number;
  readonly bitErrorRate?: number;
  readonly seed?: string;
}

/** One end: NIC, driver, and the kernel double. */
export interface Side {
  readonly nic: E1000Nic;
  readonly platform: DriverPlatform;
  readonly iface: TestInterface;
  readonly line: Line;
  /** What the NIC found odd about the driver. */
  readonly suspicions: string[];
}

export class E1000Pair {
  readonly clock = new Clock();
  readonly cable: Cable;
  readonly left: Side;
  readonly right: Side;

  /** Both drivers have probed; neither interface is open. */
  constructor(options: PairOptions = {}) {
    const prng = new Prng(options.seed ?? 'pair');
    this.cable = new Cable(this.clock, prng.fork('cable'), options.metres ?? 10, options.bitErrorRate ?? 0);
    this.left = this.#side(1, prng.fork('left'), options);
    const features = options.rightFeatures ?? options.features ?? {};
    this.right = this.#side(2, prng.fork('right'), { ...options, features });
    this.cable.connect(0, this.left.nic.phy);
    this.cable.connect(1, this.right.nic.phy);
  }

  get sides(): readonly Side[] {
    return [this.left, this.right];
  }

  open(): void {
    for (const { iface } of this.sides) iface.ops.open();
  }

  /** Lets `ns` pass: hardware by its events, software whenever a line is high. */
  run(ns: number): void {
    const untilNs = this.clock.nowNs + ns;
    const interrupted = () =>
      this.sides.some(({ line, platform }) => (line.level && platform.interruptsEnabled) || platform.deferredPending);
    while (this.clock.nowNs < untilNs || interrupted()) {
      this.clock.run(Math.max(untilNs, this.clock.nowNs), interrupted);
      for (const { platform } of this.sides) {
        platform.takeInterrupts();
        platform.runDeferredOnce();
      }
    }
  }

  /** Opens both interfaces and waits for the link. */
  bringUp(): void {
    this.open();
    this.run(NEGOTIATION_NS);
  }

  #side(index: number, prng: Prng, options: PairOptions): Side {
    const memory = new TestMemory(RAM_BYTES);
    const nic = new E1000Nic(this.clock, masterOf(memory), prng, Uint8Array.of(0x52, 0x54, 0, 0, 0, index));
    const line = new Line(`INTA${index}`);
    nic.pci.attach({ intx: line.source(), place: () => {} });
    const platform = new DriverPlatform(this.#timed(nic, line, options), memory, options.packets ?? 64);
    platform.onNow = () => this.clock.nowNs;
    platform.onDelay = microseconds => this.clock.advance(microseconds * 1000);
    const enable = () => nic.pci.configWrite(COMMAND, 2, MEMORY_AND_BUS_MASTER);
    const suspicions: string[] = [];
    nic.taps = {
      register: () => {},
      descriptor: () => {},
      dma: () => {},
      causes: () => {},
      dropped: () => {},
      suspicion: text => suspicions.push(text),
    };
    e1000Driver(options).probe({ ...platform.pci, enable }, platform);
    return { nic, platform, iface: platform.iface!, line, suspicions };
  }

  #timed(nic: E1000Nic, line: Line, { readNs = 300, writeNs = 60 }: PairOptions): FakeDevice {
    return {
      read32: offset => {
        this.clock.advance(readNs);
        return nic.read(offset, 4);
      },
      write32: (offset, value) => {
        this.clock.advance(writeNs);
        nic.write(offset, 4, value);
      },
      get interruptLevel() {
        return line.level;
      },
    };
  }
}

/** Memory as a bus master sees it. Each address must lie in it: these drivers make no such mistake. */
function masterOf(memory: TestMemory): BusMaster {
  return {
    dmaRead: (address, target, at, length) => {
      target.set(memory.at(address, length), at);
      return true;
    },
    dmaWrite: (address, source, at, length) => {
      memory.at(address, length).set(source.subarray(at, at + length));
      return true;
    },
  };
}

/** A broadcast frame of `length` octets that carries `tag`. */
export function broadcast(tag: number, length = 60): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => tag + i);
  bytes.fill(0xff, 0, 6);
  new DataView(bytes.buffer).setUint32(14, tag);
  return bytes;
}

export const tagOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(14);
