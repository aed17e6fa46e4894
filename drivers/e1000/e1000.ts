/**
 * The driver of the Intel 82540EM. Section numbers are those of the PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual. Read on in `tx.ts` for the way out, `rx.ts` for the way in, and `interrupts.ts` for what
 * makes them turn.
 *
 * The driver runs on one hart. Handlers interrupt everything at a register access; deferred work interrupts no other
 * deferred work. `open` and `close` are called by tasks, never from within `receive` or `wakeQueue`.
 */
import type {
  LinkState,
  NetDriverOps,
  NetFeatures,
  NetInterface,
  PacketBuffer,
  PciDevice,
  PciDriver,
  Platform,
} from '../../kernel/driver-api.ts';
import { readLe16, readLe32 } from '../../src/lib/bytes.ts';
import { readMac } from './eeprom.ts';
import { DEFAULT_FEATURES, type Features } from './features.ts';
import { resolveFlowControl } from './flow-control.ts';
import { InterruptControl, type InterruptService, maskInterrupts } from './interrupts.ts';
import { Mmio } from './mmio.ts';
import { Moderation } from './moderation.ts';
import { MulticastTable } from './multicast.ts';
import { LINK_DOWN, type LinkMode, preparePhy, readLink } from './phy.ts';
import {
  CTRL,
  CTRL_ASDE,
  CTRL_FRCDPLX,
  CTRL_FRCSPD,
  CTRL_ILOS,
  CTRL_LRST,
  CTRL_PHY_RST,
  CTRL_RFCE,
  CTRL_RST,
  CTRL_SLU,
  CTRL_TFCE,
  CTRL_VME,
  RAH,
  RAH_AV,
  RAL,
  RCTL,
  TCTL,
} from './registers.ts';
import { checkRingSize } from './ring.ts';
import { RxRing } from './rx.ts';
import { Statistics } from './statistics.ts';
import { TxRing } from './tx.ts';

const VENDOR_INTEL = 0x8086;
const DEVICE_82540EM = 0x100e;
/** In each ring, unless told. */
export const DEFAULT_DESCRIPTORS = 256;
/** Frames that one turn of deferred work hands up before others get theirs. */
const RX_BUDGET = 64;
/** Buffers that a packet to be segmented may take: 64 KiB of them, if the ring has descriptors for so many. */
const SEGMENTATION_BUFFERS = 32;
/** One for a context, and one that always stays unused. */
const SPARE_DESCRIPTORS = 2;
/** The hardware takes less than a microsecond for a reset (13.4.1). */
const RESET_POLL_LIMIT = 100;
/** The longest frame on the wire: preamble and SFD 8, frame 1522, gap 12 octets. */
const LONGEST_FRAME_BITS = (8 + 1522 + 12) * 8;

/** What can be chosen for an adapter. */
export interface E1000Options {
  /** Descriptors in each ring: multiples of 8 from 8 to 4096, 256 unless told. One of each stays unused. */
  readonly txDescriptors?: number;
  readonly rxDescriptors?: number;
  /** All are on unless told. */
  readonly features?: Partial<Features>;
  /** Negotiated unless told. */
  readonly link?: LinkMode;
}

/**
 * The driver. The devices in the PCI slots that are keys of `bySlot` have options of their own. Throws a RangeError for
 * ring sizes that the hardware cannot have.
 */
export function e1000Driver(
  options: E1000Options = {},
  bySlot: ReadonlyMap<number, E1000Options> = new Map(),
): PciDriver {
  for (const each of [options, ...bySlot.values()]) checkSizes(each);
  return {
    name: 'e1000',
    ids: [[VENDOR_INTEL, DEVICE_82540EM]],
    probe: (device, platform) => {
      new Adapter(device, platform, bySlot.get(device.slot) ?? options);
    },
  };
}

function checkSizes({ txDescriptors = DEFAULT_DESCRIPTORS, rxDescriptors = DEFAULT_DESCRIPTORS }: E1000Options): void {
  checkRingSize('txDescriptors', txDescriptors);
  checkRingSize('rxDescriptors', rxDescriptors);
}

/** One 82540EM, from probe on. The kernel holds it as the interface's {@link NetDriverOps}. */
class Adapter implements NetDriverOps, InterruptService {
  readonly features: NetFeatures;
  readonly #uses: Features;
  readonly #regs: Mmio;
  readonly #platform: Platform;
  readonly #txDescriptors: number;
  readonly #rxDescriptors: number;
  readonly #linkMode: LinkMode;
  readonly #mac: Uint8Array;
  readonly #iface: NetInterface;
  readonly #interrupts: InterruptControl;
  readonly #statistics: Statistics;
  readonly #multicast: MulticastTable;
  /** Both null while the interface is closed. */
  #tx: TxRing | null = null;
  #rx: RxRing | null = null;
  /** What the kernel was last told. */
  #link: LinkState = LINK_DOWN;

  /** Brings the device up as far as it goes without rings. Throws when it does not answer as it should. */
  constructor(device: PciDevice, platform: Platform, options: E1000Options) {
    const { txDescriptors = DEFAULT_DESCRIPTORS, rxDescriptors = DEFAULT_DESCRIPTORS, link = 'auto' } = options;
    const uses = { ...DEFAULT_FEATURES, ...options.features };
    const base = device.bars[0] ?? 0;
    if (base === 0) throw new Error('BAR0 has no address');
    device.enable();
    this.#regs = new Mmio(platform.io, base);
    this.#platform = platform;
    this.#txDescriptors = txDescriptors;
    this.#rxDescriptors = rxDescriptors;
    this.#uses = uses;
    this.#linkMode = link;
    this.features = {
      checksum: uses.checksumOffload,
      segmentationBuffers:
        uses.checksumOffload && uses.segmentation
          ? Math.min(txDescriptors - SPARE_DESCRIPTORS, SEGMENTATION_BUFFERS)
          : 0,
      vlan: uses.vlan,
    };
    this.#reset();
    this.#mac = readMac(this.#regs, platform);
    preparePhy(this.#regs, platform, link);
    this.#statistics = new Statistics(this.#regs);
    this.#multicast = new MulticastTable(this.#regs, uses.multicastFilter);
    this.#iface = platform.addInterface(this.#mac, this);
    this.#interrupts = new InterruptControl(this.#regs, platform, device.irq, this.#iface.name, this);
  }

  /** Starts the hardware, 14.2 to 14.5: rings first, then the MAC, interrupts last. Throws when memory runs out. */
  open(): void {
    const { memory, packets } = this.#platform;
    const counters = this.#statistics.driver;
    const tx = new TxRing(this.#regs, memory, packets, this.#iface, counters, this.#txDescriptors, {
      ...this.features,
      delaysInterrupts: this.#uses.moderation,
    });
    try {
      this.#rx = new RxRing(this.#regs, memory, packets, this.#iface, counters, this.#rxDescriptors);
    } catch (error) {
      tx.release();
      throw error;
    }
    this.#tx = tx;
    this.#configureMac();
    tx.start();
    const moderation = this.#uses.moderation ? new Moderation(this.#regs, this.#platform) : null;
    this.#rx.start(this.#uses.checksumOffload, this.#multicast.promiscuous, moderation);
    this.#interrupts.start();
  }

  /** Stops the hardware. Only a reset makes sure that it reads and writes no more: rings and packets go after it. */
  close(): void {
    const tx = this.#tx;
    if (tx === null || this.#rx === null) return;
    const rx = this.#rx;
    this.#tx = null;
    this.#rx = null;
    this.#interrupts.stop();
    this.#regs.write(RCTL, 0);
    tx.stop(this.#platform, this.#link.up ? Math.ceil(LONGEST_FRAME_BITS / this.#link.speedMbps) : 0);
    this.#statistics.accumulate();
    this.#reset();
    tx.release();
    rx.release();
    this.#tellLink(LINK_DOWN);
  }

  transmit(packet: PacketBuffer): boolean {
    return this.#tx?.transmit(packet) ?? false;
  }

  setMulticast(groups: readonly Uint8Array[]): void {
    const before = this.#multicast.promiscuous;
    this.#multicast.set(groups, this.#rx !== null);
    const { promiscuous } = this.#multicast;
    if (promiscuous !== before) this.#rx?.receiveAllMulticast(promiscuous);
  }

  statistics(): Readonly<Record<string, number>> {
    this.#statistics.accumulate();
    return this.#statistics.totals();
  }

  pollRings(): boolean {
    this.#tx?.reclaim();
    return this.#rx?.poll(RX_BUDGET) ?? false;
  }

  /**
   * The link changed, or was never looked at. The transmitter waits for the first link; after that it stays enabled, for
   * while STATUS.LU is 0 the hardware itself leaves the descriptors alone.
   */
  checkLink(): void {
    const link = readLink(this.#regs);
    if (link.up) {
      resolveFlowControl(this.#regs, this.#platform, link.fullDuplex && this.#linkMode === 'auto');
      this.#tx?.enable(link.speedMbps === 1000 && !link.fullDuplex);
    }
    this.#tellLink(link);
  }

  #tellLink(link: LinkState): void {
    const last = this.#link;
    if (link.up === last.up && link.speedMbps === last.speedMbps && link.fullDuplex === last.fullDuplex) return;
    this.#link = link;
    this.#iface.linkChanged(link);
  }

  /** Global reset, 14.2 and 13.4.1. Interrupts are masked before, against a late one, and after, as the manual asks. */
  #reset(): void {
    const regs = this.#regs;
    maskInterrupts(regs);
    regs.write(RCTL, 0);
    regs.write(TCTL, 0);
    regs.write(CTRL, regs.read(CTRL) | CTRL_RST);
    for (let polls = 0; polls < RESET_POLL_LIMIT; polls++) {
      this.#platform.delayUs(1); // first: no access within a microsecond of the write
      if ((regs.read(CTRL) & CTRL_RST) === 0) {
        maskInterrupts(regs);
        return;
      }
    }
    throw new Error(`CTRL.RST still set after ${RESET_POLL_LIMIT} us`);
  }

  /** General configuration, 14.3, and the address filter of 14.4. */
  #configureMac(): void {
    const regs = this.#regs;
    // The MAC follows the PHY (14.3.1): link on, speed and duplex not forced. Flow control waits for a link.
    const cleared =
      CTRL_LRST | CTRL_ILOS | CTRL_FRCSPD | CTRL_FRCDPLX | CTRL_RFCE | CTRL_TFCE | CTRL_VME | CTRL_PHY_RST;
    const set = CTRL_ASDE | CTRL_SLU | (this.#uses.vlan ? CTRL_VME : 0);
    regs.write(CTRL, (regs.read(CTRL) & ~cleared) | set);
    this.#multicast.write();
    regs.write(RAL, readLe32(this.#mac, 0));
    regs.write(RAH, RAH_AV | readLe16(this.#mac, 4));
  }
}
