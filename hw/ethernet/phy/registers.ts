/**
 * The MII registers of the Marvell 88E1011, the PHY inside an 82540EM: 802.3 clause 22 and 40.5 up to 15, the maker's
 * own from 16. Reset values are those of `reference/e1000.md` section 3; bits that say what the link does reset to zero.
 *
 * MII registers are 16 bits wide and numbered. They stand here at byte offset 4 * number, one to a word, so that the
 * register file of the memory-mapped devices serves them too; bits 31:16 are never used.
 *
 * Sticky registers keep their contents through PCTRL.RESET, as on the M88: that is how software makes a change take
 * effect. The PHY's reset pin restores everything.
 */
import { registers } from '../../bus/registers.ts';

/** Registers that MDIO can address. */
export const MII_REGISTER_COUNT = 32;

/** Byte offset of register `n` in the register file. */
const at = (n: number): number => 4 * n;
const STICKY = { sticky: true } as const;

export const MII = registers({
  PCTRL: [
    at(0),
    'PHY Control',
    {
      SPEED_MSB: ['rw', 6, 6, 1, 'With SPEED_LSB: 00 10 Mb/s, 01 100, 10 1000. Takes effect at RESET or ANRESTART'],
      COLTEST: ['unimp', 7, 7, 0, 'Collision test'],
      FD: ['rw', 8, 8, 1, 'Full duplex. Takes effect at RESET or ANRESTART'],
      ANRESTART: ['sc', 9, 9, 0, 'Restart auto-negotiation'],
      ISOLATE: ['rw', 10, 10, 0, 'Neither takes frames from the MAC nor gives any'],
      PDOWN: ['rw', 11, 11, 0, 'Power down: silent, no link, registers answer'],
      ANE: ['rw', 12, 12, 1, 'Auto-negotiation enable. Takes effect at RESET or ANRESTART'],
      SPEED_LSB: ['rw', 13, 13, 0, 'Low bit of the speed'],
      LOOPBACK: ['rw', 14, 14, 0, 'Frames return to the own MAC and do not reach the wire'],
      RESET: ['sc', 15, 15, 0, 'Software reset: status cleared, configuration kept and put into effect'],
    },
    STICKY,
  ],
  PSTATUS: [
    at(1),
    'PHY Status',
    {
      EXTENDED: ['ro', 0, 0, 1, 'Registers beyond 1 exist'],
      JABBER: ['rc', 1, 1, 0, 'Jabber detected; latched'],
      LINK: ['ro', 2, 2, 0, 'Link up; latches low until read'],
      AN_ABLE: ['ro', 3, 3, 1, 'Can auto-negotiate'],
      REMOTE_FAULT: ['rc', 4, 4, 0, 'The partner reports a fault; latched'],
      AN_DONE: ['ro', 5, 5, 0, 'Auto-negotiation complete: registers 4 to 6 are valid'],
      MFPS: ['ro', 6, 6, 1, 'Takes management frames without preamble'],
      EXT_STATUS: ['ro', 8, 8, 1, 'ESTAT exists'],
      HD10: ['ro', 11, 11, 1, '10BASE-T half duplex'],
      FD10: ['ro', 12, 12, 1, '10BASE-T full duplex'],
      HD100: ['ro', 13, 13, 1, '100BASE-TX half duplex'],
      FD100: ['ro', 14, 14, 1, '100BASE-TX full duplex'],
    },
  ],
  PHYID1: [at(2), 'PHY Identifier, high', { OUI: ['ro', 15, 0, 0x0141, 'Bits 3 to 18 of the maker’s OUI'] }],
  PHYID2: [
    at(3),
    'PHY Identifier, low',
    {
      REVISION: ['ro', 3, 0, 0, 'Revision'],
      MODEL: ['ro', 15, 4, 0x0c2, 'Rest of the OUI, and the model: 88E1011'],
    },
  ],
  ANA: [
    at(4),
    'Auto-Negotiation Advertisement: the base page',
    {
      SELECTOR: ['rw', 4, 0, 1, 'IEEE 802.3'],
      HD10: ['rw', 5, 5, 1, '10BASE-T half duplex'],
      FD10: ['rw', 6, 6, 1, '10BASE-T full duplex'],
      HD100: ['rw', 7, 7, 1, '100BASE-TX half duplex'],
      FD100: ['rw', 8, 8, 1, '100BASE-TX full duplex'],
      T4: ['unimp', 9, 9, 0, '100BASE-T4'],
      PAUSE: ['rw', 10, 10, 1, 'Symmetric pause'],
      ASM_DIR: ['rw', 11, 11, 1, 'Asymmetric pause'],
      REMOTE_FAULT: ['rw', 13, 13, 0, 'Tell the partner of a fault'],
      NP: ['rw', 15, 15, 0, 'Next pages follow; sent as one anyway when GCON advertises gigabit'],
    },
    STICKY,
  ],
  LPA: [
    at(5),
    'Link Partner Ability: its base page; after parallel detection the one bit that was seen',
    {
      PAGE: ['ro', 13, 0, 0, 'As in ANA'],
      ACK: ['ro', 14, 14, 0, 'The partner has received our page'],
      NP: ['ro', 15, 15, 0, 'The partner sends next pages'],
    },
  ],
  ANE: [
    at(6),
    'Auto-Negotiation Expansion',
    {
      LP_AN_ABLE: ['ro', 0, 0, 0, 'The partner auto-negotiates; 0 after parallel detection'],
      PAGE_RX: ['rc', 1, 1, 0, 'A page has been received; latched'],
      NP_ABLE: ['ro', 2, 2, 0, 'We send next pages'],
      LP_NP_ABLE: ['ro', 3, 3, 0, 'The partner sends next pages'],
      PD_FAULT: ['rc', 4, 4, 0, 'Parallel detection found nothing in common; latched'],
    },
  ],
  NPT: [
    at(7),
    'Next Page Transmit; stored, the pages of 1000BASE-T are sent by the PHY itself',
    { PAGE: ['rw', 15, 0, 0x2001, 'Next page'] },
    STICKY,
  ],
  LPN: [at(8), 'Link Partner Next Page', { PAGE: ['ro', 15, 0, 0, 'Never filled'] }],
  GCON: [
    at(9),
    '1000BASE-T Control',
    {
      HD1000: ['rw', 8, 8, 0, 'Advertise 1000BASE-T half duplex'],
      FD1000: ['rw', 9, 9, 1, 'Advertise 1000BASE-T full duplex'],
      MULTIPORT: ['rw', 10, 10, 1, 'Prefer to be master'],
      MS_VALUE: ['rw', 11, 11, 1, 'With MS_MANUAL: 1 master, 0 slave'],
      MS_MANUAL: ['rw', 12, 12, 0, 'Master or slave as MS_VALUE says'],
      TEST_MODE: ['unimp', 15, 13, 0, 'Transmitter test modes'],
    },
    STICKY,
  ],
  GSTAT: [
    at(10),
    '1000BASE-T Status',
    {
      IDLE_ERRORS: ['rc', 7, 0, 0, 'Idle error count; stays 0'],
      LP_HD1000: ['ro', 10, 10, 0, 'The partner can 1000BASE-T half duplex'],
      LP_FD1000: ['ro', 11, 11, 0, 'The partner can 1000BASE-T full duplex'],
      REMOTE_RX_OK: ['ro', 12, 12, 0, 'The partner’s receiver works'],
      LOCAL_RX_OK: ['ro', 13, 13, 0, 'Our receiver works'],
      MASTER: ['ro', 14, 14, 0, 'Resolved to master'],
      MS_FAULT: ['rc', 15, 15, 0, 'Both ends insist on the same role; latched'],
    },
  ],
  ESTAT: [
    at(15),
    'Extended Status',
    {
      HD1000: ['ro', 12, 12, 1, '1000BASE-T half duplex'],
      FD1000: ['ro', 13, 13, 1, '1000BASE-T full duplex'],
    },
  ],
  PSCON: [
    at(16),
    'PHY Specific Control',
    {
      JABBER_DISABLE: ['rw', 0, 0, 0, 'No jabber function at 10 Mb/s'],
      POLARITY_DISABLE: ['rw', 1, 1, 0, 'No polarity correction; stored'],
      SQE_TEST: ['rw', 2, 2, 0, 'SQE test after each transmission at 10 Mb/s in half duplex'],
      RX_CLOCK: ['rw', 4, 3, 0, 'Clock outputs; stored'],
      MDI_X: ['rw', 6, 5, 3, '00 MDI, 01 MDI-X, 11 automatic. Takes effect at RESET or ANRESTART'],
      ENERGY_DETECT: ['rw', 9, 7, 6, 'Receive threshold and energy detect; stored'],
      FORCE_LINK_GOOD: ['unimp', 10, 10, 0, 'Link up whatever the line says'],
      ASSERT_CRS_ON_TX: ['rw', 11, 11, 0, 'CRS while transmitting, which half duplex expects'],
      FIFO_DEPTH: ['rw', 15, 12, 0, 'FIFO depths; stored'],
    },
    STICKY,
  ],
  PSSTAT: [
    at(17),
    'PHY Specific Status, in real time',
    {
      JABBER: ['ro', 0, 0, 0, 'The MAC is cut off: it jabbers'],
      POLARITY: ['ro', 1, 1, 0, 'Polarity is reversed'],
      DOWNSHIFT: ['ro', 5, 5, 0, 'Downshifted from gigabit'],
      MDI_X: ['ro', 6, 6, 0, 'Crossed over: MDI-X'],
      CABLE_LENGTH: ['ro', 9, 7, 0, '0: under 50 m; not measured'],
      LINK: ['ro', 10, 10, 0, 'Link up, not latched'],
      RESOLVED: ['ro', 11, 11, 0, 'Speed and duplex are valid'],
      PAGE_RX: ['ro', 12, 12, 0, 'A page has been received'],
      FD: ['ro', 13, 13, 0, 'Full duplex'],
      SPEED: ['ro', 15, 14, 0, '00 10 Mb/s, 01 100, 10 1000'],
    },
  ],
  PINTE: [
    at(18),
    'PHY Interrupt Enable',
    {
      OTHER: ['rw', 9, 0, 0, 'Causes that never arise here'],
      LINK: ['rw', 10, 10, 0, 'Link changed'],
      AN_DONE: ['rw', 11, 11, 0, 'Auto-negotiation completed'],
      PAGE_RX: ['rw', 12, 12, 0, 'Page received'],
      DUPLEX: ['rw', 13, 13, 0, 'Duplex changed'],
      SPEED: ['rw', 14, 14, 0, 'Speed changed'],
      AN_ERROR: ['rw', 15, 15, 0, 'Auto-negotiation error'],
    },
    STICKY,
  ],
  PINTS: [
    at(19),
    'PHY Interrupt Status',
    {
      OTHER: ['rc', 9, 0, 0, 'Causes that never arise here'],
      LINK: ['rc', 10, 10, 0, 'Link changed'],
      AN_DONE: ['rc', 11, 11, 0, 'Auto-negotiation completed'],
      PAGE_RX: ['rc', 12, 12, 0, 'Page received'],
      DUPLEX: ['rc', 13, 13, 0, 'Duplex changed'],
      SPEED: ['rc', 14, 14, 0, 'Speed changed'],
      AN_ERROR: ['rc', 15, 15, 0, 'Auto-negotiation error'],
    },
  ],
  EPSCON1: [
    at(20),
    'Extended PHY Specific Control 1; stored',
    {
      RX_TIMING: ['rw', 3, 0, 0, 'Receive timing'],
      TX_CLK: ['rw', 6, 4, 6, 'Transmit clock; 111 is 25 MHz'],
      LINE_LOOPBACK: ['rw', 7, 7, 0, 'Stored'],
      SLAVE_DOWNSHIFT: ['rw', 9, 8, 1, 'Tries before downshift as slave'],
      MASTER_DOWNSHIFT: ['rw', 11, 10, 3, 'Tries before downshift as master'],
      REST: ['rw', 15, 12, 0, 'Stored'],
    },
    STICKY,
  ],
  PREC: [at(21), 'PHY Receive Error Counter', { COUNT: ['rc', 15, 0, 0, 'Frames with RX_ER; sticks at its maximum'] }],
  VENDOR: [
    at(22),
    'Maker’s registers 22 to 31, of which 29 selects a page of 30; stored',
    { DATA: ['rw', 15, 0, 0, 'Stored'] },
    { count: 10, sticky: true },
  ],
});
