/**
 * What the receiver finds out about checksums, 82540EM manual, sections 3.2.9 and 13.4.40: of the IPv4 header, and of
 * TCP and UDP over IPv4, as far as RXCSUM asks. Packets that it cannot check are marked with IXSM, "ignore".
 */
import { readBe16 } from '../../../src/lib/bytes.ts';
import { fold, onesSum } from './checksum.ts';
import { RX_ERRORS, RX_STATUS } from './descriptors.ts';
import { E1000 } from './registers.ts';

const { RXCSUM } = E1000;

const ETHERTYPE_IPV4 = 0x0800;
const TYPE_AT = 12;
const TAG_BYTES = 4;
const MIN_IPV4_HEADER_BYTES = 20;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
/** MF and the fragment offset: where either is set there is no whole TCP or UDP packet. */
const FRAGMENT_MASK = 0x3fff;
/** What a sum with the right checksum in it comes to. */
const GOOD = 0xffff;

/** The bits of STATUS (7:0) and ERRORS (15:8) that checksums decide; `vlanType` marks a tag to look behind. */
export function checksumInfo(octets: Uint8Array, rxcsum: number, vlanType: number): number {
  if ((rxcsum & (RXCSUM.IPOFL | RXCSUM.TUOFL)) === 0 || octets.length < TYPE_AT + 2) return RX_STATUS.IXSM;
  const typeAt = readBe16(octets, TYPE_AT) === vlanType ? TYPE_AT + TAG_BYTES : TYPE_AT;
  const ip = typeAt + 2;
  if (ip + MIN_IPV4_HEADER_BYTES > octets.length) return RX_STATUS.IXSM;
  if (readBe16(octets, typeAt) !== ETHERTYPE_IPV4 || octets[ip]! >> 4 !== 4) return RX_STATUS.IXSM;
  const transport = ip + 4 * (octets[ip]! & 0xf);
  const end = ip + readBe16(octets, ip + 2);
  if (transport < ip + MIN_IPV4_HEADER_BYTES || end < transport || end > octets.length) return RX_STATUS.IXSM;
  let info = 0;
  if ((rxcsum & RXCSUM.IPOFL) !== 0) {
    info |= RX_STATUS.IPCS;
    if (onesSum(octets, ip, transport) !== GOOD) info |= RX_ERRORS.IPE << 8;
  }
  return (rxcsum & RXCSUM.TUOFL) === 0 ? info : info | transportInfo(octets, ip, transport, end);
}

function transportInfo(octets: Uint8Array, ip: number, transport: number, end: number): number {
  const protocol = octets[ip + 9]!;
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return 0;
  if ((readBe16(octets, ip + 6) & FRAGMENT_MASK) !== 0) return 0;
  const checksumAt = transport + (protocol === PROTOCOL_TCP ? 16 : 6);
  if (checksumAt + 2 > end) return 0;
  if (protocol === PROTOCOL_UDP && readBe16(octets, checksumAt) === 0) return 0; // the sender computed none
  const pseudoHeader = onesSum(octets, ip + 12, ip + 20) + protocol + (end - transport);
  const good = fold(pseudoHeader + onesSum(octets, transport, end)) === GOOD;
  return good ? RX_STATUS.TCPCS : RX_STATUS.TCPCS | (RX_ERRORS.TCPE << 8);
}
