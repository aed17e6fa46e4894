/** What goes over the cables of the path: fragments, and how long the packets of a host are. */
import { readBe16, readBe32 } from '../../lib/bytes.ts';
import { frameEvents, type TappedWire } from '../../observe/frame-probe.ts';

/** Where things are in a frame that carries IPv4. */
const AT = { etherType: 12, totalLength: 16, identification: 18, fragment: 20, source: 26 } as const;
const ETHER_TYPE_IPV4 = 0x0800;
/** More fragments, or an offset. */
const FRAGMENTED = 0x3fff;

const isIpv4 = (octets: Uint8Array): boolean => readBe16(octets, AT.etherType) === ETHER_TYPE_IPV4;

/** Whether the frame `octets`, from its DA on, carries a fragment. */
export const isFragment = (octets: Uint8Array): boolean =>
  isIpv4(octets) && (readBe16(octets, AT.fragment) & FRAGMENTED) !== 0;

/** The fragments of each datagram of `source` on `cable`, in the order of the datagrams; it counts on. */
export function countFragments(cable: TappedWire, source: number): ReadonlyMap<number, number> {
  const byIdentification = new Map<number, number>();
  frameEvents(cable).subscribe(({ sent: { octets } }) => {
    if (!isFragment(octets) || readBe32(octets, AT.source) >>> 0 !== source) return;
    const identification = readBe16(octets, AT.identification);
    byIdentification.set(identification, (byIdentification.get(identification) ?? 0) + 1);
  });
  return byIdentification;
}

/**
 * The lengths of packets from end 0 of `cable` that are just as long as the path takes by then, as their sender knows it:
 * one after the other as they change; it goes on.
 */
export function watchLongest(cable: TappedWire, pathMtu: () => number): readonly number[] {
  const lengths: number[] = [];
  frameEvents(cable).subscribe(({ fromEnd, sent: { octets } }) => {
    if (fromEnd !== 0 || !isIpv4(octets)) return;
    const length = readBe16(octets, AT.totalLength);
    if (length === pathMtu() && length !== lengths.at(-1)) lengths.push(length);
  });
  return lengths;
}
