/**
 * The engine that behaves as QEMU 7.2's e1000 does, so far as software can tell: what a register write asks for has
 * happened when the write returns. Time plays a part in five places alone: the window of the interrupts, the second after
 * a write to RCTL, and the half second of a negotiation.
 *
 * docs/e1000-profiles.md compares it with the manual, point by point; the differential test compares it with QEMU.
 */
import type { Chip } from '../chip.ts';
import { eepromImage } from '../eeprom.ts';
import type { Engine } from '../engine.ts';
import { E1000 } from '../registers.ts';
import { Counters } from './counters.ts';
import { type PinsState, ReadableEeprom } from './eeprom.ts';
import { WindowedInterrupts, type WindowedInterruptsState } from './interrupts.ts';
import { InstantMdio, type InstantMdioState } from './mdio.ts';
import type { Netdev, NetdevClient } from './netdev.ts';
import type { PacketState } from './packet.ts';
import { InstantReceiver, type InstantReceiverState } from './receiver.ts';
import { InstantTransmitter } from './transmitter.ts';

const { CTRL, EECD, EERD, ICR, ICS, IMC, IMS, MDIC, RCTL, RDT, TCTL, TDT } = E1000;

interface Qemu72State {
  readonly netdev: unknown;
  readonly eeprom: PinsState;
  readonly mdio: InstantMdioState;
  readonly interrupts: WindowedInterruptsState;
  readonly transmitter: PacketState;
  readonly receiver: InstantReceiverState;
}

export class Qemu72Engine implements Engine, NetdevClient {
  readonly #chip: Chip;
  readonly #words: Int32Array;
  readonly #netdev: Netdev;
  readonly #eeprom: ReadableEeprom;
  readonly #mdio: InstantMdio;
  readonly #counters: Counters;
  readonly #interrupts: WindowedInterrupts;
  readonly #transmitter: InstantTransmitter;
  readonly #receiver: InstantReceiver;

  /** At power-on. The link is up, as that of a netdev is. */
  constructor(chip: Chip, netdev: Netdev, address: Uint8Array) {
    this.#chip = chip;
    this.#words = chip.words;
    this.#netdev = netdev;
    this.#eeprom = new ReadableEeprom(chip, eepromImage(address));
    this.#counters = new Counters(chip.words);
    this.#interrupts = new WindowedInterrupts(chip);
    this.#mdio = new InstantMdio(chip, this.#interrupts);
    this.#receiver = new InstantReceiver(chip, this.#interrupts, this.#counters);
    this.#transmitter = new InstantTransmitter(chip, this.#interrupts, this.#counters);
    netdev.nic = this;
    this.#receiver.onReady = () => netdev.flush();
    this.#transmitter.onFrame = octets => this.#send(octets);
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
      case EECD.n:
      case EERD.n:
        return this.peek(slot);
      default: {
        const value = regs.read(slot);
        this.#counters.wasRead(slot);
        return value;
      }
    }
  }

  peek(slot: number): number {
    if (slot === EECD.n) return this.#eeprom.eecd;
    if (slot === EERD.n) return this.#eeprom.eerd;
    return this.#chip.regs.peek(slot === ICS.n ? ICR.n : slot);
  }

  written(slot: number): void {
    switch (slot) {
      case CTRL.n:
        this.#words[CTRL.n]! &= ~CTRL.RST;
        break;
      case EECD.n:
        this.#eeprom.eecdWritten();
        break;
      case MDIC.n:
        this.#mdio.written();
        break;
      case ICR.n:
      case IMS.n:
        this.#interrupts.update();
        break;
      case ICS.n:
        this.#interrupts.raiseFromIcs();
        break;
      case IMC.n:
        this.#interrupts.clearMaskFromImc();
        break;
      case RCTL.n:
        this.#receiver.controlWritten();
        break;
      case RDT.n:
        this.#receiver.doorbell();
        break;
      case TCTL.n:
      case TDT.n:
        this.#transmitter.run();
        break;
    }
  }

  commandWritten(): void {
    if (this.#chip.pci.busMasterEnabled) this.#netdev.flush();
  }

  // From the netdev.

  get canReceive(): boolean {
    return this.#receiver.canReceive;
  }

  receive(octets: Uint8Array): boolean {
    return this.#receiver.receive(octets);
  }

  linkIs(up: boolean): void {
    this.#mdio.linkIs(up);
  }

  save(): Qemu72State {
    return {
      netdev: this.#netdev.save(),
      eeprom: this.#eeprom.save(),
      mdio: this.#mdio.save(),
      interrupts: this.#interrupts.save(),
      transmitter: this.#transmitter.save(),
      receiver: this.#receiver.save(),
    };
  }

  load(saved: unknown): void {
    const state = saved as Qemu72State;
    this.#netdev.load(state.netdev);
    this.#eeprom.load(state.eeprom);
    this.#mdio.load(state.mdio);
    this.#interrupts.load(state.interrupts);
    this.#transmitter.load(state.transmitter);
    this.#receiver.load(state.receiver);
  }

  /** Loopback in the PHY never waits: what the NIC cannot take then is lost. */
  #send(octets: Uint8Array): void {
    if (!this.#mdio.loopback) this.#netdev.send(octets);
    else if (this.canReceive) this.receive(octets);
  }
}
