/**
 * The packet that an ICMP error quotes: it is the one that its receiver sent, so it has to look as it did there (RFC 5508
 * section 4.2). Its checksums are rewritten with it, as far as they are among what is quoted, and that of the error too.
 */
import { readBe16, writeBe16 } from '../../../src/lib/bytes.ts';
import type { PacketBuffer } from '../../driver-api.ts';
import { chainBytes, sumChain } from '../chain.ts';
import { fold, isGood, sum, update } from '../checksum.ts';
import type { DropReason } from '../drop.ts';
import { ICMP_HEADER_BYTES } from '../icmp-message.ts';
import { pull, push } from '../packet.ts';
import { TCP_HEADER_BYTES } from '../tcp/segment.ts';
import { Flow } from './flow.ts';
import { type End, rewrite } from './rewrite.ts';

const ICMP_CHECKSUM_AT = 2;

export class IcmpPayload {
  /** What is quoted. */
  readonly flow = new Flow();
  /** Of the error. */
  type = 0;
  #icmpAt = 0;

  /**
   * Reads what `packet`, an ICMP error whose message is that of `outer`, quotes. Of a longer one than a buffer holds, all
   * that is looked at or changed is in the first. Returns what is wrong, or null.
   */
  read(packet: PacketBuffer, outer: Flow): DropReason | null {
    const { bytes } = packet;
    const { transportAt, endAt } = outer;
    this.#icmpAt = transportAt;
    this.type = bytes[transportAt]!;
    if (!hasGoodChecksum(packet, outer.header.headerBytes)) return 'bad ICMP checksum';
    const at = transportAt + ICMP_HEADER_BYTES;
    return this.flow.read(bytes, at, endAt - at, true);
  }

  /** Whether the quoted IPv4 header is undamaged. Of the transport's checksum there may be nothing to say. */
  isIntact(bytes: Uint8Array): boolean {
    return isGood(sum(bytes, this.flow.ipAt, this.flow.header.headerBytes));
  }

  /** Gives one end of what is quoted another address and port. */
  rewrite(bytes: Uint8Array, end: End, address: number, port: number): void {
    const { ipAt, transportAt, endAt } = this.flow;
    // All that changes is among these octets. They are even in number, unless they are the last ones of the message.
    const length = Math.min(endAt, transportAt + TCP_HEADER_BYTES) - ipAt;
    const before = fold(sum(bytes, ipAt, length));
    rewrite(bytes, this.flow, end, address, port, false);
    const checksumAt = this.#icmpAt + ICMP_CHECKSUM_AT;
    writeBe16(bytes, checksumAt, update(readBe16(bytes, checksumAt), before, fold(sum(bytes, ipAt, length))));
  }
}

function hasGoodChecksum(packet: PacketBuffer, headerBytes: number): boolean {
  pull(packet, headerBytes);
  const good = isGood(sumChain(packet, chainBytes(packet)));
  push(packet, headerBytes);
  return good;
}
