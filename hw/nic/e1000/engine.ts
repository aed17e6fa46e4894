/**
 * What works behind the registers: DMA, frames, interrupts, link, and the effects of register accesses. The bus side
 * (`e1000.ts`) owns the chip and the way to the wire, and gives both to one engine, which its profile chooses.
 */
import type { Mac, MacClient } from '../../ethernet/mac/mac.ts';
import type { M88E1011 } from '../../ethernet/phy/phy.ts';
import type { Chip } from './chip.ts';

/** The way to the wire. The engine hears of it as the client of the MAC. */
export interface Wire {
  readonly phy: M88E1011;
  /** The MAC on that PHY, which tells `client`. Made once, by the engine. */
  macFor(client: MacClient): Mac;
}

export interface Engine<State = unknown> {
  /** The NIC as its EEPROM has it: the EEPROM is read, which takes no time. Once, at power-on. */
  powerOn(): void;
  /** Software reads the register in `slot`, with what that does. Returns int32. */
  read(slot: number): number;
  /** What software would read, without doing anything. */
  peek(slot: number): number;
  /** Software has written the register in `slot`, and the register file has taken it. */
  written(slot: number): void;
  /** The PCI command register was written. */
  commandWritten(): void;
  save(): State;
  load(state: State): void;
}

/** Makes an engine for `chip`. `address` is the MAC address that its EEPROM holds. */
export type EngineMaker = (chip: Chip, wire: Wire, address: Uint8Array) => Engine;
