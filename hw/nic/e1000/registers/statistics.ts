/**
 * Statistics. 82540EM manual, section 13.7: "all Statistics registers reset when read, and stick at FFFFFFFFh". Of a
 * 64-bit pair, reading the high half clears both. Gaps between the counters read zero.
 */
import type { Access, Declaration, Fields } from '../../../bus/registers.ts';

const counter = <A extends number>(at: A, doc: string) => [at, doc, field('rc')] as const;
const pair = <A extends number>(at: A, doc: string) => [at, `${doc}, low half`, field('ro')] as const;
const high = <A extends number>(at: A, doc: string) => [at, `${doc}, high half`, field('rc')] as const;

function field(access: Access): { readonly COUNT: Fields[string] } {
  return { COUNT: [access, 31, 0, 0, 'Count'] };
}

export const STATISTICS = {
  CRCERRS: counter(0x4000, 'Frames with a bad FCS'),
  ALGNERRC: counter(0x4004, 'Frames with a bad FCS that end between octets; 10 and 100 Mb/s'),
  SYMERRS: counter(0x4008, 'Symbol errors; of SerDes parts'),
  RXERRC: counter(0x400c, 'Frames during which the PHY raised RX_ER'),
  MPC: counter(0x4010, 'Missed packets: the receive FIFO was full'),
  SCC: counter(0x4014, 'Frames sent after one collision'),
  ECOL: counter(0x4018, 'Frames that met 16 collisions'),
  MCC: counter(0x401c, 'Frames sent after 2 to 15 collisions'),
  LATECOL: counter(0x4020, 'Late collisions'),
  COLC: counter(0x4028, 'Collisions that were not late'),
  DC: counter(0x4030, 'Transmissions that had to wait'),
  TNCRS: counter(0x4034, 'Frames sent without carrier sense'),
  SEC: counter(0x4038, 'Sequence errors; of SerDes parts'),
  CEXTERR: counter(0x403c, 'Carrier extension errors; 1000 Mb/s half duplex'),
  RLEC: counter(0x4040, 'Frames shorter than 64 octets or too long'),
  XONRXC: counter(0x4048, 'XON frames received'),
  XONTXC: counter(0x404c, 'XON frames sent'),
  XOFFRXC: counter(0x4050, 'XOFF frames received'),
  XOFFTXC: counter(0x4054, 'XOFF frames sent'),
  FCRUC: counter(0x4058, 'Flow control frames received that are not supported'),
  PRC64: counter(0x405c, 'Good frames received of 64 octets'),
  PRC127: counter(0x4060, 'Good frames received of 65 to 127 octets'),
  PRC255: counter(0x4064, 'Good frames received of 128 to 255 octets'),
  PRC511: counter(0x4068, 'Good frames received of 256 to 511 octets'),
  PRC1023: counter(0x406c, 'Good frames received of 512 to 1023 octets'),
  PRC1522: counter(0x4070, 'Good frames received of 1024 octets or more'),
  GPRC: counter(0x4074, 'Good frames received'),
  BPRC: counter(0x4078, 'Good broadcast frames received'),
  MPRC: counter(0x407c, 'Good multicast frames received'),
  GPTC: counter(0x4080, 'Good frames sent'),
  GORCL: pair(0x4088, 'Good octets received'),
  GORCH: high(0x408c, 'Good octets received'),
  GOTCL: pair(0x4090, 'Good octets sent'),
  GOTCH: high(0x4094, 'Good octets sent'),
  RNBC: counter(0x40a0, 'Frames that found no receive descriptor'),
  RUC: counter(0x40a4, 'Undersize frames with a good FCS'),
  RFC: counter(0x40a8, 'Fragments: undersize frames with a bad FCS'),
  ROC: counter(0x40ac, 'Oversize frames with a good FCS'),
  RJC: counter(0x40b0, 'Jabber: oversize frames with a bad FCS'),
  MGTPRC: counter(0x40b4, 'Management packets received; there are none'),
  MGTPDC: counter(0x40b8, 'Management packets dropped; there are none'),
  MGTPTC: counter(0x40bc, 'Management packets sent; there are none'),
  TORL: pair(0x40c0, 'Octets received, errors included'),
  TORH: high(0x40c4, 'Octets received, errors included'),
  TOTL: pair(0x40c8, 'Octets sent, errors included'),
  TOTH: high(0x40cc, 'Octets sent, errors included'),
  TPR: counter(0x40d0, 'Frames received, errors included'),
  TPT: counter(0x40d4, 'Frames sent, errors included'),
  PTC64: counter(0x40d8, 'Frames sent of 64 octets or fewer'),
  PTC127: counter(0x40dc, 'Frames sent of 65 to 127 octets'),
  PTC255: counter(0x40e0, 'Frames sent of 128 to 255 octets'),
  PTC511: counter(0x40e4, 'Frames sent of 256 to 511 octets'),
  PTC1023: counter(0x40e8, 'Frames sent of 512 to 1023 octets'),
  PTC1522: counter(0x40ec, 'Frames sent of 1024 octets or more'),
  MPTC: counter(0x40f0, 'Multicast frames sent'),
  BPTC: counter(0x40f4, 'Broadcast frames sent'),
  TSCTC: counter(0x40f8, 'TCP segmentation contexts completed'),
  TSCTFC: counter(0x40fc, 'TCP segmentation contexts that ended in a bad way'),
} as const satisfies Readonly<Record<string, Declaration>>;
