/** Interrupt causes, mask and throttling. 82540EM manual, sections 13.4.17 to 13.4.21, and 3.2.7 on moderation. */
import type { Access, Declaration, Field } from '../../../bus/registers.ts';

const causes = <A extends Access>(access: A) =>
  ({
    TXDW: [access, 0, 0, 0, 'Transmit descriptor written back'],
    TXQE: [access, 1, 1, 0, 'Transmit queue empty'],
    LSC: [access, 2, 2, 0, 'Link status change'],
    RXSEQ: [access, 3, 3, 0, 'Receive sequence error; of SerDes parts'],
    RXDMT0: [access, 4, 4, 0, 'Receive descriptor minimum threshold'],
    RXO: [access, 6, 6, 0, 'Receiver overrun'],
    RXT0: [access, 7, 7, 0, 'Receiver timer'],
    MDAC: [access, 9, 9, 0, 'MDIO access complete'],
    RXCFG: [access, 10, 10, 0, 'Configuration word received; of SerDes parts'],
    PHYINT: [access, 12, 12, 0, 'PHY interrupt'],
    GPI: [access, 14, 13, 0, 'General-purpose pins'],
    TXD_LOW: [access, 15, 15, 0, 'Transmit descriptors low'],
    SRPD: [access, 16, 16, 0, 'Small receive packet detected'],
  }) as const satisfies Readonly<Record<string, Field>>;

export const INTERRUPT = {
  ICR: [0x00c0, 'Interrupt cause read: reading clears all of it, writing ones clears those', causes('rc/w1c')],
  ITR: [0x00c4, 'Interrupt throttling', { INTERVAL: ['rw', 15, 0, 0, 'Least time between interrupts, x 256 ns'] }],
  ICS: [0x00c8, 'Interrupt cause set; reads as ICR without clearing it', causes('wo')],
  IMS: [0x00d0, 'Interrupt mask set and read', causes('w1s')],
  IMC: [0x00d8, 'Interrupt mask clear', causes('wo')],
} as const satisfies Readonly<Record<string, Declaration>>;
