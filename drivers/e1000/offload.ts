/**
 * Context descriptors, 3.3.5: how the hardware is told where in a packet the checksums go, and how to cut it into
 * segments. The hardware keeps the last one of each kind (3.5.3): as long as the headers lie alike, packets that only
 * want a checksum need no further one. Segmentation needs one each time, for it has the packet's length in it.
 *
 * Checksums of IPv4 headers are the kernel's, as they cost next to nothing, but for segments, whose headers differ.
 */
import type { PacketBuffer } from '../../kernel/driver-api.ts';
import { setField } from '../../src/lib/bits.ts';
import { readBe16, writeBe16 } from '../../src/lib/bytes.ts';
import {
  TX_CMD_DEXT,
  TX_CMD_TSE,
  TX_CSE,
  TX_CSO,
  TX_CSS,
  TX_HDRLEN,
  TX_MSS,
  TX_TUCMD_IP,
  TX_TUCMD_TCP,
} from './registers.ts';
import type { DescriptorRing } from './ring.ts';

const ETHERNET_HEADER_BYTES = 14;
const ETHERTYPE_AT = 12;
const ETHERTYPE_VLAN = 0x8100;
const VLAN_TAG_BYTES = 4;
/** The checksum in an IPv4 header. */
const IPV4_CHECKSUM_AT = 10;

export class OffloadContext {
  /** The second word of the checksum context that the hardware has; 0 for none, as no header begins at 0. */
  #checksum = 0;

  /** Whether the hardware must be given a context before `packet`, which asks for a checksum. */
  needed(packet: PacketBuffer): boolean {
    return packet.segmentBytes !== 0 || checksumWord(packet) !== this.#checksum;
  }

  /** Fills descriptor `index` with the context for `packet`. */
  fill(ring: DescriptorRing, index: number, packet: PacketBuffer): void {
    const checksum = checksumWord(packet);
    if (packet.segmentBytes === 0) {
      ring.fillWords(index, 0, checksum, TX_CMD_DEXT, 0);
      this.#checksum = checksum;
    } else {
      fillSegmentation(ring, index, packet, checksum);
    }
  }
}

/** TUCSS and TUCSO; a TUCSE of 0 is the end of the packet. */
function checksumWord({ start, checksumStart, checksumAt }: PacketBuffer): number {
  return setField(setField(0, TX_CSS, checksumStart - start), TX_CSO, checksumAt - start);
}

/** Segments of TCP over IPv4. The header's checksum must be 0 at first, for what stands there is part of the sum. */
function fillSegmentation(ring: DescriptorRing, index: number, packet: PacketBuffer, checksum: number): void {
  const { bytes, start } = packet;
  const tagged = readBe16(bytes, start + ETHERTYPE_AT) === ETHERTYPE_VLAN;
  const ip = ETHERNET_HEADER_BYTES + (tagged ? VLAN_TAG_BYTES : 0);
  writeBe16(bytes, start + ip + IPV4_CHECKSUM_AT, 0);
  const ipChecksum = setField(setField(0, TX_CSS, ip), TX_CSO, ip + IPV4_CHECKSUM_AT);
  const headerBytes = packet.dataStart - start;
  let payloadBytes = -headerBytes;
  for (let each: PacketBuffer | null = packet; each !== null; each = each.next) payloadBytes += each.length;
  ring.fillWords(
    index,
    setField(ipChecksum, TX_CSE, packet.checksumStart - start - 1) >>> 0,
    checksum,
    payloadBytes | TX_TUCMD_TCP | TX_TUCMD_IP | TX_CMD_TSE | TX_CMD_DEXT,
    setField(setField(0, TX_HDRLEN, headerBytes), TX_MSS, packet.segmentBytes),
  );
}
