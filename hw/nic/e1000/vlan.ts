/** The VLAN tag of a received frame, IEEE 802.1Q: four octets behind the addresses. 82540EM manual, chapter 9. */
import { readBe16 } from '../../../src/lib/bytes.ts';
import { Frame } from '../../ethernet/frame.ts';

const TYPE_AT = 12;
const TAG_BYTES = 4;

/** Whether the frame has a tag of EtherType `vlanType`. */
export const isTagged = (octets: Uint8Array, vlanType: number): boolean =>
  octets.length >= TYPE_AT + TAG_BYTES && readBe16(octets, TYPE_AT) === vlanType;

/** The tag's 16 bits: priority, CFI, VLAN. */
export const tagOf = (octets: Uint8Array): number => readBe16(octets, TYPE_AT + 2);

/** The frame as it goes to memory when its tag is stripped: with the FCS that it came with. */
export function withoutTag(frame: Frame): Frame {
  const wire = frame.wire();
  wire.copyWithin(TAG_BYTES, 0, TYPE_AT);
  return Frame.raw(wire.subarray(TAG_BYTES));
}
