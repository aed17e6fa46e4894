/** Frames and signals for tests of line codes. */
import { Frame } from '../../hw/ethernet/frame.ts';
import { bytesFromHex } from '../../src/lib/bytes.ts';

/** A broadcast ARP request, 60 octets, whose FCS is `ad 8d 88 40`. */
export const ARP_REQUEST = Frame.withFcs(
  bytesFromHex(
    `ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0a80001 000000000000 c0a80002 ${'00'.repeat(18)}`,
  ),
);

/** `1011` as the bits 1, 0, 1, 1; blanks are ignored. */
export const bitsOf = (text: string): Uint8Array => Uint8Array.from(text.replace(/\s/g, ''), Number);

/** `+0-0` as levels; `L` and `H` are - and +; blanks are ignored. */
export const levelsOf = (text: string): Int8Array =>
  Int8Array.from(text.replace(/\s/g, ''), sign => '-0+'.indexOf(sign.replace('L', '-').replace('H', '+')) - 1);

export const levelText = (levels: Int8Array): string => Array.from(levels, level => '-0+'[level + 1]).join('');
