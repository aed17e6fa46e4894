/** The EEPROM, 5.6: 64 words of 16 bits, read one at a time through EERD (13.4.4). */

import type { Platform } from '../../kernel/driver-api.ts';
import { getField, setField } from '../../src/lib/bits.ts';
import { hex } from '../../src/lib/bytes.ts';
import type { Mmio } from './mmio.ts';
import { EERD, EERD_ADDR, EERD_DATA, EERD_DONE, EERD_START } from './registers.ts';

const WORD_COUNT = 64;
/** All words add up to this, by the choice of the last one (5.6.35). Software checks it, hardware does not. */
const CHECKSUM = 0xbaba;
/** The Ethernet address is words 0 to 2, low octet first (5.6.1). */
const MAC_WORDS = 3;
/** After a reset the hardware itself reads the EEPROM first, which may take some milliseconds. */
const POLL_LIMIT = 1000;
const POLL_US = 10;

/** The six octets of the Ethernet address. Throws when the EEPROM does not answer or its checksum is wrong. */
export function readMac(regs: Mmio, platform: Platform): Uint8Array {
  const mac = new Uint8Array(2 * MAC_WORDS);
  let sum = 0;
  for (let address = 0; address < WORD_COUNT; address++) {
    const word = readWord(regs, platform, address);
    sum = (sum + word) & 0xffff;
    if (address >= MAC_WORDS) continue;
    mac[2 * address] = word;
    mac[2 * address + 1] = word >>> 8;
  }
  if (sum !== CHECKSUM) throw new Error(`EEPROM checksum ${hex(sum, 4)}, expected ${hex(CHECKSUM, 4)}`);
  return mac;
}

function readWord(regs: Mmio, platform: Platform, address: number): number {
  regs.write(EERD, EERD_START | setField(0, EERD_ADDR, address));
  for (let i = 0; i < POLL_LIMIT; i++) {
    const value = regs.read(EERD);
    if ((value & EERD_DONE) !== 0) return getField(value, EERD_DATA);
    platform.delayUs(POLL_US);
  }
  throw new Error(`EEPROM word ${hex(address, 2)} not read after ${POLL_LIMIT * POLL_US} us`);
}
