/**
 * Registers and descriptors of the Intel 82540EM, typed from the PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual: chapter 13 for registers, 3.2.3 and 3.3.3 for descriptors, 8 and the PHY's own chapter
 * for `PHY_`. Only what this driver uses. Names are the manual's, `REGISTER` for an offset in BAR0 and `REGISTER_FIELD`
 * for a mask. Nothing is shared with the emulated hardware: a typing error in one place must not cancel out in another.
 */

/** Device control, 13.4.1. */
export const CTRL = 0x0000;
export const CTRL_LRST = 1 << 3;
export const CTRL_ASDE = 1 << 5;
export const CTRL_SLU = 1 << 6;
export const CTRL_ILOS = 1 << 7;
export const CTRL_FRCSPD = 1 << 11;
export const CTRL_FRCDPLX = 1 << 12;
export const CTRL_RST = 1 << 26;
export const CTRL_RFCE = 1 << 27;
export const CTRL_TFCE = 1 << 28;
export const CTRL_VME = 1 << 30;
export const CTRL_PHY_RST = 1 << 31;

/** Device status, 13.4.2. */
export const STATUS = 0x0008;
export const STATUS_FD = 1 << 0;
export const STATUS_LU = 1 << 1;
export const STATUS_SPEED = 0b11 << 6;

/** EEPROM read, 13.4.4. */
export const EERD = 0x0014;
export const EERD_START = 1 << 0;
export const EERD_DONE = 1 << 4;
export const EERD_ADDR = 0xff << 8;
export const EERD_DATA = 0xffff << 16;

/** MDI control, 13.4.8: the way to the PHY. */
export const MDIC = 0x0020;
export const MDIC_DATA = 0xffff;
export const MDIC_REGADD = 0b1_1111 << 16;
export const MDIC_PHYADD = 0b1_1111 << 21;
export const MDIC_OP = 0b11 << 26;
export const MDIC_R = 1 << 28;
export const MDIC_E = 1 << 30;
/** Values of MDIC_OP. */
export const MDI_WRITE = 0b01;
export const MDI_READ = 0b10;

/** Flow control: address and type of PAUSE frames, quanta to ask for, water marks of the receive FIFO, 13.4.10 to 13.4.15. */
export const FCAL = 0x0028;
export const FCAH = 0x002c;
export const FCT = 0x0030;
export const FCTTV = 0x0170;
export const FCRTL = 0x2160;
export const FCRTL_XONE = 1 << 31;
export const FCRTH = 0x2168;

/** Interrupt cause read, 13.4.17; cause set, 13.4.19; mask set, 13.4.20; mask clear, 13.4.21. One layout for all. */
export const ICR = 0x00c0;
export const ICS = 0x00c8;
export const IMS = 0x00d0;
export const IMC = 0x00d8;
export const ICR_TXDW = 1 << 0;
export const ICR_LSC = 1 << 2;
export const ICR_RXDMT0 = 1 << 4;
export const ICR_RXO = 1 << 6;
export const ICR_RXT0 = 1 << 7;
/** Every cause that the part has; the other bits are to be written as 0. */
export const ICR_ALL = 0x0001_f6df;

/** Interrupt throttling, 13.4.18: the least time between two interrupts, in units of 256 ns. */
export const ITR = 0x00c4;

/** Receive control, 13.4.22. */
export const RCTL = 0x0100;
export const RCTL_EN = 1 << 1;
export const RCTL_MPE = 1 << 4;
export const RCTL_BAM = 1 << 15;
export const RCTL_SECRC = 1 << 26;

/** Receive descriptor ring, 13.4.25 to 13.4.29. */
export const RDBAL = 0x2800;
export const RDBAH = 0x2804;
export const RDLEN = 0x2808;
export const RDH = 0x2810;
export const RDT = 0x2818;

/** Receive checksum control, 13.4.40. */
export const RXCSUM = 0x5000;
export const RXCSUM_TUOFL = 1 << 9;

/** Transmit control, 13.4.33. */
export const TCTL = 0x0400;
export const TCTL_EN = 1 << 1;
export const TCTL_PSP = 1 << 3;
export const TCTL_CT = 0xff << 4;
export const TCTL_COLD = 0x3ff << 12;

/** Transmit inter-packet gap, 13.4.34. */
export const TIPG = 0x0410;
export const TIPG_IPGT = 0x3ff;
export const TIPG_IPGR1 = 0x3ff << 10;
export const TIPG_IPGR2 = 0x3ff << 20;

/** Transmit descriptor ring, 13.4.36 to 13.4.40. */
export const TDBAL = 0x3800;
export const TDBAH = 0x3804;
export const TDLEN = 0x3808;
export const TDH = 0x3810;
export const TDT = 0x3818;

/** Transmit interrupt delays for descriptors with IDE, from the last and from the first, 13.4.41 and 13.4.44. */
export const TIDV = 0x3820;
export const TADV = 0x382c;

/** Multicast table, 128 words, 13.5.1; receive address of entry 0, 13.5.2 and 13.5.3. */
export const MTA = 0x5200;
export const RAL = 0x5400;
export const RAH = 0x5404;
export const RAH_AV = 1 << 31;

/** Statistics, 13.7: 32-bit counters, cleared by reading. */
export const COUNTERS = {
  CRCERRS: 0x4000,
  ALGNERRC: 0x4004,
  RXERRC: 0x400c,
  MPC: 0x4010,
  SCC: 0x4014,
  ECOL: 0x4018,
  MCC: 0x401c,
  LATECOL: 0x4020,
  COLC: 0x4028,
  DC: 0x4030,
  TNCRS: 0x4034,
  CEXTERR: 0x403c,
  RLEC: 0x4040,
  XONRXC: 0x4048,
  XONTXC: 0x404c,
  XOFFRXC: 0x4050,
  XOFFTXC: 0x4054,
  FCRUC: 0x4058,
  PRC64: 0x405c,
  PRC127: 0x4060,
  PRC255: 0x4064,
  PRC511: 0x4068,
  PRC1023: 0x406c,
  PRC1522: 0x4070,
  GPRC: 0x4074,
  BPRC: 0x4078,
  MPRC: 0x407c,
  GPTC: 0x4080,
  RNBC: 0x40a0,
  RUC: 0x40a4,
  RFC: 0x40a8,
  ROC: 0x40ac,
  RJC: 0x40b0,
  TPR: 0x40d0,
  TPT: 0x40d4,
  PTC64: 0x40d8,
  PTC127: 0x40dc,
  PTC255: 0x40e0,
  PTC511: 0x40e4,
  PTC1023: 0x40e8,
  PTC1522: 0x40ec,
  MPTC: 0x40f0,
  BPTC: 0x40f4,
  TSCTC: 0x40f8,
  TSCTFC: 0x40fc,
} as const;

/** Statistics of 64 bits: the low half, which the high half follows. Reading the high half clears both. */
export const WIDE_COUNTERS = { GORCL: 0x4088, GOTCL: 0x4090, TORL: 0x40c0, TOTL: 0x40c8 } as const;

/** PHY registers. The identifier is that of the M88E1000 family, its revision masked. */
export const PHY_PCTRL = 0;
export const PCTRL_SPEED_1000 = 1 << 6;
export const PCTRL_FULL_DUPLEX = 1 << 8;
export const PCTRL_SPEED_100 = 1 << 13;
export const PCTRL_RESET = 1 << 15;
export const PHY_ID1 = 2;
export const PHY_ID2 = 3;
/** Own abilities and the partner's, and two bits that both have. */
export const PHY_ANA = 4;
export const PHY_LPA = 5;
export const PAUSE_SYMMETRIC = 1 << 10;
export const PAUSE_ASM_DIR = 1 << 11;
export const PHY_PSCON = 16;
export const PSCON_ASSERT_CRS_ON_TX = 1 << 11;

/** Octets in a descriptor of either ring. */
export const DESCRIPTOR_BYTES = 16;

/**
 * Transmit descriptors, 3.3.3 to 3.3.7, by their third and fourth word. In the third: the command, octet 11, which the
 * legacy and the data format share but for TSE, and whose place in the context format is TUCMD's; and DTYP, which says
 * which of the latter two a descriptor with DEXT is.
 */
export const TX_CMD_EOP = 1 << 24;
export const TX_CMD_IFCS = 1 << 25;
export const TX_CMD_TSE = 1 << 26;
export const TX_CMD_RS = 1 << 27;
export const TX_CMD_DEXT = 1 << 29;
export const TX_CMD_VLE = 1 << 30;
export const TX_CMD_IDE = 1 << 31;
export const TX_TUCMD_TCP = 1 << 24;
export const TX_TUCMD_IP = 1 << 25;
export const TX_DTYP_DATA = 1 << 20;
/** In the fourth: STA, octet 12; POPTS, octet 13 of the data format; SPECIAL, from octet 14 on, the VLAN tag. */
export const TX_STA_AT = 12;
export const TX_STA_DD = 1 << 0;
export const TX_STA_EC = 1 << 1;
export const TX_STA_LC = 1 << 2;
export const TX_POPTS_IXSM = 1 << 8;
export const TX_POPTS_TXSM = 1 << 9;
export const TX_SPECIAL = 0xffff << 16;

/** Context descriptor, 3.3.5: where the IPv4 header and its checksum are, first word; the TCP or UDP one's, second. */
export const TX_CSS = 0xff;
export const TX_CSO = 0xff << 8;
export const TX_CSE = 0xffff << 16;
/** Its fourth word: octets of all headers, and of the data of a segment. */
export const TX_HDRLEN = 0xff << 8;
export const TX_MSS = 0xffff << 16;

/** Receive descriptor, 3.2.3: length, status, errors and VLAN tag by octet. */
export const RX_LENGTH_AT = 8;
export const RX_STATUS_AT = 12;
export const RX_ERRORS_AT = 13;
export const RX_SPECIAL_AT = 14;
export const RX_STATUS_DD = 1 << 0;
export const RX_STATUS_EOP = 1 << 1;
export const RX_STATUS_IXSM = 1 << 2;
export const RX_STATUS_VP = 1 << 3;
export const RX_STATUS_TCPCS = 1 << 5;
export const RX_ERRORS_CE = 1 << 0;
export const RX_ERRORS_TCPE = 1 << 5;
export const RX_ERRORS_RXE = 1 << 7;
