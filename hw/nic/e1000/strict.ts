/**
 * The engine of the 82540EM as in its manual: the wiring of the units, the resets, and the effects of register
 * accesses. What a register stores and clears by itself is declared in `registers.ts`.
 *
 * A frame's way out: `tx.ts` (ring, FIFO) with `assembler.ts` (descriptors to frame), the MAC, the PHY. Its way in: the
 * PHY, the MAC, `rx.ts` (filter, FIFO, ring). `interrupts.ts` decides the level of INTA. Every way takes time: no
 * register write completes a frame, and nothing here is called back from inside a bus-master transfer.
 */
import type { Frame } from '../../ethernet/frame.ts';
import { Mac, type MacClient, type TransmitOutcome } from '../../ethernet/mac/mac.ts';
import type { M88E1011 } from '../../ethernet/phy/phy.ts';
import type { Chip } from './chip.ts';
import { Eeprom, type EepromState, eepromImage } from './eeprom.ts';
import type { Engine } from './engine.ts';
import { FlowControl, type FlowControlState } from './flow-control.ts';
import { Interrupts, type InterruptsState } from './interrupts.ts';
import { linkStatus, SPEED_CODES } from './link.ts';
import { MacPort, type MacPortState } from './mac-port.ts';
import { Mdio } from './mdio.ts';
import { E1000 } from './registers.ts';
import { Receiver, type ReceiverState } from './rx.ts';
import { Statistics } from './statistics.ts';
import { Transmitter, type TransmitterState } from './tx.ts';

const { CTRL, CTRL_EXT, EECD, EERD, ICR, ICS, IMC, IMS, ITR, MDIC, PBA, STATUS } = E1000;
const { RCTL, RDBAH, RDBAL, RDFPC, RDH, RDLEN, RDT, RDTR } = E1000;
const { TCTL, TDBAH, TDBAL, TDFPC, TDH, TDLEN, TDT } = E1000;

/** KiB of packet buffer, for both directions. */
const PACKET_BUFFER_KIB = 64;

interface StrictState {
  readonly port: MacPortState;
  readonly flow: FlowControlState;
  readonly eeprom: EepromState;
  readonly mdio: ReturnType<Mdio['save']>;
  readonly interrupts: InterruptsState;
  readonly transmitter: TransmitterState;
  readonly receiver: ReceiverState;
}

export class StrictEngine implements Engine, MacClient {
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #phy: M88E1011;
  readonly #port: MacPort;
  readonly #flow: FlowControl;
  readonly #eeprom: Eeprom;
  readonly #mdio: Mdio;
  readonly #interrupts: Interrupts;
  readonly #statistics: Statistics;
  readonly #transmitter: Transmitter;
  readonly #receiver: Receiver;

  constructor(chip: Chip, phy: M88E1011, address: Uint8Array) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#phy = phy;
    this.#port = new MacPort(chip, new Mac(chip.clock, phy, this), phy);
    this.#eeprom = new Eeprom(chip, eepromImage(address));
    this.#statistics = new Statistics(chip.words);
    this.#interrupts = new Interrupts(chip);
    this.#mdio = new Mdio(chip, this.#interrupts, phy);
    this.#flow = new FlowControl(chip, this.#statistics, phy);
    this.#receiver = new Receiver(chip, this.#interrupts, this.#statistics, this.#flow);
    this.#transmitter = new Transmitter(chip, this.#interrupts, this.#statistics, this.#port, this.#flow);
    this.#connect();
    this.#eeprom.autoload();
    this.#updateLink();
  }

  // From the bus side.

  read(slot: number): number {
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

  peek(slot: number): number {
    this.#refresh(slot);
    return this.#chip.regs.peek(slot === ICS.n ? ICR.n : slot);
  }

  written(slot: number): void {
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

  commandWritten(): void {
    this.#kick();
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

  save(): StrictState {
    return {
      port: this.#port.save(),
      flow: this.#flow.save(),
      eeprom: this.#eeprom.save(),
      mdio: this.#mdio.save(),
      interrupts: this.#interrupts.save(),
      transmitter: this.#transmitter.save(),
      receiver: this.#receiver.save(),
    };
  }

  load(saved: unknown): void {
    const state = saved as StrictState;
    this.#port.load(state.port);
    this.#flow.load(state.flow);
    this.#eeprom.load(state.eeprom);
    this.#mdio.load(state.mdio);
    this.#interrupts.load(state.interrupts);
    this.#transmitter.load(state.transmitter);
    this.#receiver.load(state.receiver);
  }

  #connect(): void {
    this.#phy.onInterrupt = level => {
      if (level) this.#interrupts.raise(ICR.PHYINT);
    };
    this.#port.onTransmitted = (frame, outcome) => this.#transmitter.transmitted(frame, outcome);
    this.#port.onLooped = frame => this.#receiver.received(frame);
    this.#flow.onSend = frame => this.#transmitter.sendControl(frame);
    this.#flow.onResume = () => this.#transmitter.kick();
  }

  /** Brings registers up to date whose contents are computed when somebody looks. */
  #refresh(slot: number): void {
    if (slot === EECD.n) this.#eeprom.updateDataOut();
    else if (slot === RDFPC.n) this.#receiver.updateDiagnostics();
    else if (slot === TDFPC.n) this.#transmitter.updateDiagnostics();
  }

  #controlWritten(): void {
    const ctrl = this.#words[CTRL.n]!;
    this.#phy.holdReset((ctrl & CTRL.PHY_RST) !== 0);
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
    const detected = SPEED_CODES[this.#phy.link.speed] << 8;
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
    this.#phy.holdReset(false);
    this.#updateLink();
  }

  #updateLink(): void {
    this.#words[STATUS.n] = linkStatus(this.#words[STATUS.n]!, this.#words[CTRL.n]!, this.#phy.link);
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
