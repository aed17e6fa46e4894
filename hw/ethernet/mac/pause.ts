/**
 * The PAUSE frame of MAC control, IEEE 802.3 annex 31B: it asks the other end of a full-duplex link to send nothing for
 * so many quanta; none of them lets it go on at once.
 */
import { readBe16, writeBe16 } from '../../../src/lib/bytes.ts';

/** A PAUSE counts in quanta of so many bits. */
export const QUANTUM_BITS = 512;
export const MAC_CONTROL_TYPE = 0x8808;
export const OPCODE_PAUSE = 1;
/** The last octet of the PAUSE address, 01-80-C2-00-00-01. */
export const PAUSE_ADDRESS_LAST = 0x01;
/** Where the fields are. */
export const PAUSE_AT = { type: 12, opcode: 14, quanta: 16 } as const;
/** DA to pad: a PAUSE frame has the minimum length. */
export const PAUSE_BYTES = 60;

const PAUSE_ADDRESS = Uint8Array.of(0x01, 0x80, 0xc2, 0x00, 0x00, PAUSE_ADDRESS_LAST);

/** The octets of a PAUSE frame from `source`, six octets, to the PAUSE address. */
export function pauseOctets(source: Uint8Array, quanta: number): Uint8Array {
  const octets = new Uint8Array(PAUSE_BYTES);
  octets.set(PAUSE_ADDRESS);
  octets.set(source, 6);
  writeBe16(octets, PAUSE_AT.type, MAC_CONTROL_TYPE);
  writeBe16(octets, PAUSE_AT.opcode, OPCODE_PAUSE);
  writeBe16(octets, PAUSE_AT.quanta, quanta);
  return octets;
}

/** The quanta of a good frame that is MAC control; -1 when it is another opcode than PAUSE. */
export function pauseQuantaOf(octets: Uint8Array): number {
  return readBe16(octets, PAUSE_AT.opcode) === OPCODE_PAUSE ? readBe16(octets, PAUSE_AT.quanta) : -1;
}
