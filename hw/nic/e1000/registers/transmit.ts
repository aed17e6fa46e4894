/** Transmit: control, spacing, ring, moderation timers, thresholds. 82540EM manual, chapter 13. */
import type { Declaration } from '../../../bus/registers.ts';

export const TRANSMIT = {
  TCTL: [
    0x0400,
    'Transmit control',
    {
      EN: ['rw', 1, 1, 0, 'Transmitter enable'],
      PSP: ['rw', 3, 3, 0, 'Pad short packets to 64 octets'],
      CT: ['rw', 11, 4, 0, 'Collision threshold: half duplex, retransmissions before a frame is given up'],
      COLD: ['rw', 21, 12, 0, 'Collision distance. Storage: drivers write the same whatever the duplex'],
      SWXOFF: ['sc', 22, 22, 0, 'Sends one XOFF frame'],
      RTLC: ['rw', 24, 24, 0, 'Retransmit after a late collision; else the frame is given up'],
    },
  ],
  TIPG: [
    0x0410,
    'Transmit inter-packet gap',
    {
      IPGT: ['rw', 9, 0, 0, 'Back-to-back gap in MAC clocks of 8 bits, less 4; in full duplex it is 96 bit times'],
      IPGR1: ['rw', 19, 10, 0, 'Half duplex: first part of the gap after carrier, in MAC clocks'],
      IPGR2: ['rw', 29, 20, 0, 'Half duplex: whole gap after carrier in MAC clocks, less 6'],
    },
  ],
  AIT: [
    0x0458,
    'Adaptive inter-frame spacing',
    { AIFS: ['rw', 15, 0, 0, 'Half duplex: more back-to-back gap, in MAC clocks'] },
  ],
  TXDMAC: [0x3000, 'Transmit DMA control', { DPP: ['rw', 0, 0, 0, 'Disable packet prefetching. Storage'] }],
  TDFH: [0x3410, 'Transmit FIFO head', { FIFO: ['rw', 10, 0, 0, 'In units of 8 octets. Storage'] }],
  TDFT: [0x3418, 'Transmit FIFO tail', { FIFO: ['rw', 10, 0, 0, 'In units of 8 octets. Storage'] }],
  TDFHS: [0x3420, 'Transmit FIFO head, saved', { FIFO: ['rw', 12, 0, 0, 'In units of 8 octets. Storage'] }],
  TDFTS: [0x3428, 'Transmit FIFO tail, saved', { FIFO: ['rw', 12, 0, 0, 'In units of 8 octets. Storage'] }],
  TDFPC: [0x3430, 'Transmit FIFO packet count', { COUNT: ['ro', 12, 0, 0, 'Frames in the transmit FIFO'] }],
  TDBAL: [0x3800, 'Transmit descriptor base, low', { TDBAL: ['rw', 31, 4, 0, 'Address bits 31:4'] }],
  TDBAH: [0x3804, 'Transmit descriptor base, high', { TDBAH: ['rw', 31, 0, 0, 'Address bits 63:32'] }],
  TDLEN: [0x3808, 'Transmit ring length in octets', { LEN: ['rw', 19, 7, 0, 'In units of 128, eight descriptors'] }],
  TDH: [0x3810, 'Transmit descriptor head', { TDH: ['rw', 15, 0, 0, 'First descriptor whose work is not done'] }],
  TDT: [0x3818, 'Transmit descriptor tail', { TDT: ['rw', 15, 0, 0, 'First descriptor that software has not given'] }],
  TIDV: [
    0x3820,
    'Transmit interrupt delay',
    { IDV: ['rw', 15, 0, 0, 'Delay of TXDW for IDE descriptors, x 1.024 us'] },
  ],
  TXDCTL: [
    0x3828,
    'Transmit descriptor control',
    {
      PTHRESH: ['rw', 5, 0, 0, 'Fetches ahead while fewer than this are on chip; 0: when it has none'],
      HTHRESH: ['rw', 13, 8, 0, 'Of those that wait in memory, fewer than this are not fetched ahead'],
      WTHRESH: ['rw', 21, 16, 0, 'Written back when this many are done with, or when TIDV or TADV expires'],
      GRAN: ['rw', 24, 24, 0, 'These thresholds count descriptors, not cache lines'],
      LWTHRESH: ['rw', 31, 25, 0, 'Descriptors left, in units of 8, that raise TXD_LOW'],
    },
  ],
  TADV: [0x382c, 'Transmit absolute delay', { IDV: ['rw', 15, 0, 0, 'Longest delay of TXDW, x 1.024 us; 0 is off'] }],
  TSPMT: [
    0x3830,
    'TCP segmentation pad and threshold',
    {
      TSMT: ['rw', 15, 0, 0x0400, 'Least free FIFO for the first segment. Storage'],
      TSPBP: ['rw', 31, 16, 0x0100, 'FIFO padding per segment. Storage'],
    },
  ],
} as const satisfies Readonly<Record<string, Declaration>>;
