/**
 * The NIC: an Intel 82540EM as in its manual. This file is the bus side: decode, the effects of register accesses, the
 * resets, and the wiring of the units. What a register stores and clears by itself is declared in `registers.ts`.
 *
 * A frame's way out: `tx.ts` (ring, FIFO) with `assembler.ts` (descriptors to frame), the MAC, the PHY. Its way in: the
 * PHY, the MAC, `rx.ts` (filter, FIFO, ring). `interrupts.ts` decides the level of INTA. Every way takes time: no
 * register write completes a frame, and nothing here is called back from inside a bus-master transfer.
 */
import { hex } from '../../../src/lib/bytes.ts';
import type { AccessSize, BusDevice } from '../../bus/bus.ts';
import type { BusMaster } from '../../bus/ram.ts';
import type { Frame } from '../../ethernet/frame.ts';
import { Mac, type MacClient, type TransmitOutcome } from '../../ethernet/mac/mac.ts';
import { M88E1011, type PhyState } from '../../ethernet/phy/phy.ts';
import { type BarSpec, PciFunction, type PciFunctionState, type PciIdentity } from '../../pci/function.ts';
import type { Clock } from '../../sim/clock.ts';
import type { Prng } from '../../sim/prng.ts';
import { Chip } from './chip.ts';
import { Eeprom, type EepromState, eepromImage } from './eeprom.ts';
import { FlowControl, type FlowControlState } from './flow-control.ts';
import { Interrupts, type InterruptsState } from './interrupts.ts';
import { IO_WINDOW_BYTES, IoWindow } from './io-window.ts';
import { linkStatus, SPEED_CODES } from './link.ts';
import { MacPort, type MacPortState } from './mac-port.ts';
import { Mdio } from './mdio.ts';
import { E1000, REGISTER_SPACE_BYTES } from './registers.ts';
import { Receiver, type ReceiverState } from './rx.ts';
import { Statistics } from './statistics.ts';
import type { E1000Taps } from './taps.ts';
import { Transmitter, type TransmitterState } from './tx.ts';

const { CTRL, CTRL_EXT, EECD, EERD, ICR, ICS, IMC, IMS, ITR, MDIC, PBA, STATUS } = E1000;
const { RCTL, RDBAH, RDBAL, RDFPC, RDH, RDLEN, RDT, RDTR } = E1000;
const { TCTL, TDBAH, TDBAL, TDFPC, TDH, TDLEN, TDT } = E1000;

const IDENTITY: PciIdentity = {
  vendorId: 0x8086,
  deviceId: 0x100e,
  revision: 3,
  classCode: 0x02_00_00,
  subsystemVendorId: 0x8086,
  subsystemId: 0x100e,
  interruptPin: 1,
};

/** KiB of packet buffer, for both directions. */
const PACKET_BUFFER_KIB = 64;
export interface E1000State {
  readonly pci: PciFunctionState;
  readonly registers: Int32Array;
  readonly phy: PhyState;
  readonly port: MacPortState;
  readonly flow: FlowControlState;
  readonly eeprom: EepromState;
  readonly mdio: ReturnType<Mdio['save']>;
  readonly interrupts: InterruptsState;
  readonly transmitter: TransmitterState;
  readonly receiver: ReceiverState;
  readonly ioAddress: number;
}

export class E1000Nic implements BusDevice, MacClient {
  readonly name = 'e1000';
  readonly pci: PciFunction;
  readonly phy: M88E1011;
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #port: MacPort;
  readonly #flow: FlowControl;
  readonly #eeprom: Eeprom;
  readonly #mdio: Mdio;
  readonly #interrupts: Interrupts;
  readonly #statistics: Statistics;
  readonly #transmitter: Transmitter;
  readonly #receiver: Receiver;
  readonly #ioWindow: IoWindow;

  /** A NIC at power-on. `address` is the MAC address that its EEPROM holds: six octets. */
  constructor(clock: Clock, memory: BusMaster, prng: Prng, address: Uint8Array) {
    this.#ioWindow = new IoWindow(this);
    const bars: readonly BarSpec[] = [
      { kind: 'memory', sizeBytes: REGISTER_SPACE_BYTES, device: this },
      { kind: 'io', sizeBytes: IO_WINDOW_BYTES, device: this.#ioWindow },
    ];
    this.pci = new PciFunction(IDENTITY, bars, memory);
    this.phy = new M88E1011(clock, prng.fork('phy'));
    this.#chip = new Chip(clock, this.pci);
    this.#words = this.#chip.words;
    this.#port = new MacPort(this.#chip, new Mac(clock, this.phy, this), this.phy);
    this.#eeprom = new Eeprom(this.#chip, eepromImage(address));
    this.#statistics = new Statistics(this.#words);
    this.#interrupts = new Interrupts(this.#chip);
    this.#mdio = new Mdio(this.#chip, this.#interrupts, this.phy);
    this.#flow = new FlowControl(this.#chip, this.#statistics, this.phy);
    this.#receiver = new Receiver(this.#chip, this.#interrupts, this.#statistics, this.#flow);
    this.#transmitter = new Transmitter(this.#chip, this.#interrupts, this.#statistics, this.#port, this.#flow);
    this.#connect();
    this.#eeprom.autoload();
    this.#updateLink();
  }

  /** Observation; null unless somebody watches. */
  get taps(): E1000Taps | null {
    return this.#chip.taps;
  }

  set taps(taps: E1000Taps | null) {
    this.#chip.taps = taps;
    this.#chip.regs.onReserved =
      taps === null ? null : (name, bits) => taps.suspicion(`${name}: ${hex(bits)} is reserved or not implemented`);
  }

  // From the bus.

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return this.#readPart(offset, size);
    const slot = this.#chip.regs.slot(offset);
    const value = this.#readRegister(slot);
    this.#chip.taps?.register(false, offset, value);
    return value;
  }

  /** Registers take whole words: the manual leaves anything else undefined, here it is ignored. */
  write(offset: number, size: AccessSize, value: number): void {
    if (size !== 4) {
      this.#chip.taps?.suspicion(`write of ${size} bytes to ${this.nameAt(offset)} ignored`);
      return;
    }
    this.#chip.taps?.register(true, offset, value);
    const slot = this.#chip.regs.slot(offset);
    this.#chip.regs.write(slot, value);
    this.#written(slot);
  }

  /** The register at byte `offset` as software would read it, without side effects. */
  peek(offset: number): number {
    const slot = this.#chip.regs.slot(offset);
    this.#refresh(slot);
    return this.#chip.regs.peek(slot === ICS.n ? ICR.n : slot);
  }

  nameAt(offset: number): string {
    const slot = this.#chip.regs.slot(offset);
    return slot === 0 ? `${hex(offset, 5)} (no register)` : this.#chip.regs.nameOf(slot);
  }

  // From the MAC.

  transmitted(frame: Frame, outcome: TransmitOutcome): void {
    this.#transmitter.transmitted(frame, outcome);
  }

  received(frame: Frame): void {
    if (!this.#port.loopback && this.#port.open) this.#receiver.received(frame);
  }

  linkChanged(): void {
    const before = this.#words[STATUS.n]!;
    this.#updateLink();
    if (((before ^ this.#words[STATUS.n]!) & STATUS.LU) === 0) return;
    this.#interrupts.raise(ICR.LSC);
    this.#kick();
  }

  save(): E1000State {
    return {
      pci: this.pci.save(),
      registers: this.#chip.regs.save(),
      phy: this.phy.save(),
      port: this.#port.save(),
      flow: this.#flow.save(),
      eeprom: this.#eeprom.save(),
      mdio: this.#mdio.save(),
      interrupts: this.#interrupts.save(),
      transmitter: this.#transmitter.save(),
      receiver: this.#receiver.save(),
      ioAddress: this.#ioWindow.save(),
    };
  }

  load(state: E1000State): void {
    this.pci.load(state.pci);
    this.#chip.regs.load(state.registers);
    this.phy.load(state.phy);
    this.#port.load(state.port);
    this.#flow.load(state.flow);
    this.#eeprom.load(state.eeprom);
    this.#mdio.load(state.mdio);
    this.#interrupts.load(state.interrupts);
    this.#transmitter.load(state.transmitter);
    this.#receiver.load(state.receiver);
    this.#ioWindow.load(state.ioAddress);
  }

  #connect(): void {
    this.pci.onCommand = () => this.#kick();
    this.phy.onInterrupt = level => {
      if (level) this.#interrupts.raise(ICR.PHYINT);
    };
    this.#port.onTransmitted = (frame, outcome) => this.#transmitter.transmitted(frame, outcome);
    this.#port.onLooped = frame => this.#receiver.received(frame);
    this.#flow.onSend = frame => this.#transmitter.sendControl(frame);
    this.#flow.onResume = () => this.#transmitter.kick();
  }

  #readRegister(slot: number): number {
    const { regs } = this.#chip;
    switch (slot) {
      case ICR.n: {
        const causes = regs.read(slot);
        this.#interrupts.update();
        return causes;
      }
      case ICS.n:
        return regs.peek(ICR.n);
      default: {
        this.#refresh(slot);
        const value = regs.read(slot);
        this.#statistics.wasRead(slot);
        return value;
      }
    }
  }

  /** The effects of a write, after the register itself has changed. */
  #written(slot: number): void {
    switch (slot) {
      case CTRL.n:
        this.#controlWritten();
        break;
      case CTRL_EXT.n:
        this.#extendedControlWritten();
        break;
      case EECD.n:
        this.#eeprom.eecdWritten();
        break;
      case EERD.n:
        this.#eeprom.eerdWritten();
        break;
      case MDIC.n:
        this.#mdio.written();
        break;
      case ICR.n:
      case ITR.n:
      case IMS.n:
        this.#interrupts.update();
        break;
      case ICS.n:
        this.#interrupts.raiseFromIcs();
        break;
      case IMC.n:
        this.#interrupts.clearMaskFromImc();
        break;
      case PBA.n:
        this.#splitPacketBuffer();
        break;
      case RCTL.n:
        this.#kick();
        break;
      case RDT.n:
        this.#receiver.doorbell();
        break;
      case RDBAL.n:
      case RDBAH.n:
      case RDLEN.n:
      case RDH.n:
        this.#receiver.ringMoved();
        break;
      case RDTR.n:
        if ((this.#words[RDTR.n]! & RDTR.FPD) !== 0) this.#interrupts.flushReceive();
        break;
      case TCTL.n:
        this.#transmitControlWritten();
        break;
      case TDT.n:
        this.#transmitter.doorbell();
        break;
      case TDBAL.n:
      case TDBAH.n:
      case TDLEN.n:
      case TDH.n:
        this.#transmitter.ringMoved();
        break;
    }
  }

  /** Brings registers up to date whose contents are computed when somebody looks. */
  #refresh(slot: number): void {
    if (slot === EECD.n) this.#eeprom.updateDataOut();
    else if (slot === RDFPC.n) this.#receiver.updateDiagnostics();
    else if (slot === TDFPC.n) this.#transmitter.updateDiagnostics();
  }

  #readPart(offset: number, size: 1 | 2): number {
    this.#chip.taps?.suspicion(`read of ${size} bytes from ${this.nameAt(offset)}: registers are words`);
    const word = this.read(offset & ~3, 4) >>> (8 * (offset & 3));
    return word & (size === 1 ? 0xff : 0xffff);
  }

  #controlWritten(): void {
    const ctrl = this.#words[CTRL.n]!;
    this.phy.holdReset((ctrl & CTRL.PHY_RST) !== 0);
    if ((ctrl & CTRL.RST) !== 0) this.#reset();
    else this.linkChanged();
  }

  #transmitControlWritten(): void {
    if ((this.#words[TCTL.n]! & TCTL.SWXOFF) !== 0) {
      this.#words[TCTL.n]! &= ~TCTL.SWXOFF;
      this.#flow.sendXoff();
    }
    this.#transmitter.kick();
  }

  #extendedControlWritten(): void {
    const word = this.#words[CTRL_EXT.n]!;
    this.#words[CTRL_EXT.n] = word & ~(CTRL_EXT.ASDCHK | CTRL_EXT.EE_RST);
    if ((word & CTRL_EXT.EE_RST) !== 0) this.#eeprom.autoload();
    if ((word & CTRL_EXT.ASDCHK) === 0) return;
    const detected = SPEED_CODES[this.phy.link.speed] << 8;
    this.#words[STATUS.n] = (this.#words[STATUS.n]! & ~STATUS.ASDV) | detected;
  }

  /** CTRL.RST: everything but PCI configuration and PHY. At the end the EEPROM is read again, which takes no time. */
  #reset(): void {
    this.#port.reset();
    this.#flow.reset();
    this.#chip.regs.reset('software');
    this.#transmitter.reset();
    this.#receiver.reset();
    this.#interrupts.reset();
    this.#mdio.reset();
    this.#eeprom.reset();
    this.#eeprom.autoload();
    this.phy.holdReset(false);
    this.#updateLink();
  }

  #updateLink(): void {
    this.#words[STATUS.n] = linkStatus(this.#words[STATUS.n]!, this.#words[CTRL.n]!, this.phy.link);
    this.#port.adoptDuplex();
  }

  #splitPacketBuffer(): void {
    const receive = Math.min(this.#words[PBA.n]! & PBA.RXA, PACKET_BUFFER_KIB);
    this.#words[PBA.n] = receive | ((PACKET_BUFFER_KIB - receive) << 16);
  }

  #kick(): void {
    this.#transmitter.kick();
    this.#receiver.kick();
  }
}
