/**
 * Fragments of IPv4 packets, cut in the plainest way, for tests that send them to a host.
 */
import { type Ipv4Fields, ipv4 } from './packets.ts';

const MORE_FRAGMENTS = 0x2000;

type Datagram = Pick<Ipv4Fields, 'protocol' | 'payload'> & Partial<Ipv4Fields>;

/** The octets from `from` to `to` (exclusive) of the payload of `datagram`, as what `injectIpv4` takes. */
export function piece(datagram: Datagram, from: number, to: number): Datagram {
  const payload = Array.from(datagram.payload).slice(from, to);
  const more = to < datagram.payload.length ? MORE_FRAGMENTS : 0;
  return { ...datagram, payload, fragment: more | (from / 8) };
}

/** All of `datagram` in pieces of `size` octets of payload, a multiple of 8. */
export function pieces(datagram: Datagram, size: number): Datagram[] {
  const count = Math.ceil(datagram.payload.length / size);
  return Array.from({ length: count }, (_, i) => {
    return piece(datagram, i * size, Math.min((i + 1) * size, datagram.payload.length));
  });
}

/** The packet of a piece, as an ICMP error quotes it. */
export const packetOf = (datagram: Datagram, source: string, destination: string): Uint8Array =>
  ipv4({ source, destination, ...datagram });

/** `length` octets, in which no eight are like others near by. */
export const distinct = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >>> 8)) & 255);
