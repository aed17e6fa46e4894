/** The devices whose registers the datasheet shows: one page a block, from the declarations that the devices run on. */
import type { RegisterMap } from '../../hw/bus/registers.ts';
import { MII } from '../../hw/ethernet/phy/registers.ts';
import { CLINT } from '../../hw/irq/clint.ts';
import { PLIC } from '../../hw/irq/plic.ts';
import { GENERAL } from '../../hw/nic/e1000/registers/general.ts';
import { INTERRUPT } from '../../hw/nic/e1000/registers/interrupt.ts';
import { RECEIVE } from '../../hw/nic/e1000/registers/receive.ts';
import { STATISTICS } from '../../hw/nic/e1000/registers/statistics.ts';
import { TRANSMIT } from '../../hw/nic/e1000/registers/transmit.ts';
import { E1000 } from '../../hw/nic/e1000/registers.ts';
import { CONFIG } from '../../hw/pci/config.ts';
import { UART } from '../../hw/serial/uart16550-registers.ts';

export interface Book {
  /** File name, without extension. */
  readonly name: string;
  readonly title: string;
  /** Where the registers are, in a sentence. */
  readonly place: string;
  /** Bits of one register. */
  readonly width: 8 | 16 | 32;
  /** What `at` in the declaration is divided by to get what software uses: an offset, or a register number. */
  readonly step: number;
  readonly map: RegisterMap;
}

const E1000_PLACE = 'Offsets are those of BAR0, which is 128 KiB of memory space. Words only.';

export const BOOKS: readonly Book[] = [
  e1000('e1000-general', 'general and link', GENERAL),
  e1000('e1000-interrupt', 'interrupts', INTERRUPT),
  e1000('e1000-receive', 'receive', RECEIVE),
  e1000('e1000-transmit', 'transmit', TRANSMIT),
  e1000('e1000-statistics', 'statistics', STATISTICS),
  {
    name: 'phy',
    title: 'M88E1011 PHY: MII registers',
    place: 'Reached through MDIC of the 82540EM, PHY address 1. Registers are numbered.',
    width: 16,
    step: 4,
    map: MII,
  },
  {
    name: 'pci-config',
    title: 'PCI configuration space, type 0',
    place: 'Offsets into the function in ECAM, which starts at 0x30000000.',
    width: 32,
    step: 1,
    map: CONFIG,
  },
  {
    name: 'plic',
    title: 'Platform-level interrupt controller',
    place: 'Offsets from 0x0c000000. Shown for context 0, the machine level of hart 0. Words only.',
    width: 32,
    step: 1,
    map: PLIC,
  },
  {
    name: 'clint',
    title: 'Core-local interruptor',
    place: 'Offsets from 0x02000000. Words only; a double access is two words.',
    width: 32,
    step: 1,
    map: CLINT,
  },
  {
    name: 'uart',
    title: 'UART 16550',
    place: 'Offsets from 0x10000000. Bytes.',
    width: 8,
    step: 1,
    map: UART,
  },
];

/** A block of the NIC: its names in the block's declaration, its slots in the whole map. */
function e1000(name: string, block: string, declarations: object): Book {
  const names = Object.keys(declarations) as (keyof typeof E1000)[];
  const map = Object.fromEntries(names.map(register => [register, E1000[register]]));
  return { name, title: `82540EM: ${block}`, place: E1000_PLACE, width: 32, step: 1, map };
}
