/**
 * What works behind the registers: DMA, frames, interrupts, link, and the effects of register accesses. The bus side
 * (`e1000.ts`) owns chip and PHY and hands them to one engine, which its profile chooses. The engine owns everything
 * else, the MAC on that PHY included.
 */
import type { M88E1011 } from '../../ethernet/phy/phy.ts';
import type { Chip } from './chip.ts';

export interface Engine {
  /** Software reads the register in `slot`, with all that this brings about. Returns int32. */
  read(slot: number): number;
  /** What software would read, without any side effect. */
  peek(slot: number): number;
  /** Software has written the register in `slot`; the register file has taken what it stores of it. */
  written(slot: number): void;
  /** The PCI command register was written. */
  commandWritten(): void;
  save(): unknown;
  /** `state` is what an engine of the same profile has saved. */
  load(state: unknown): void;
}

/** An engine at power-on. `address` is the MAC address that its EEPROM holds: six octets. */
export type EngineMaker = (chip: Chip, phy: M88E1011, address: Uint8Array) => Engine;
