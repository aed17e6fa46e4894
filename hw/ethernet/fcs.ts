/**
 * The frame check sequence, IEEE 802.3 clause 3.2.9: CRC-32 with the generator 0x04C11DB7, all ones at first,
 * complemented at the end. Octets are taken least significant bit first, so the register is the reflected one
 * (0xEDB88320), and the result, written little-endian, is the FCS in the order of the wire.
 *
 * Eight octets a step ("slicing by eight"): a full-size frame costs about a microsecond.
 */
const POLYNOMIAL_REFLECTED = 0xedb88320 | 0;
const SLICES = 8;

const TABLES = buildTables();

/** The FCS over `length` octets of `bytes` from `at`, as int32. */
export function fcs(bytes: Uint8Array, at: number, length: number): number {
  const t = TABLES;
  const end = at + length;
  let crc = -1;
  let i = at;
  for (; i + SLICES <= end; i += SLICES) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 255]!;
  return ~crc;
}

/** Table k, at 256 * k, advances one octet over k further octets of zeros. */
function buildTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let octet = 0; octet < 256; octet++) {
    let crc = octet;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL_REFLECTED : 0);
    tables[octet] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256]!;
    tables[i] = (shorter >>> 8) ^ tables[shorter & 255]!;
  }
  return tables;
}
