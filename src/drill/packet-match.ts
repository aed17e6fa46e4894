/**
 * Whether a packet that was sent is the one that a script expects, and in what it differs. What the script leaves open
 * is not looked at: the window, the IP header, options written `<...>`. The order of options, and the NOPs between
 * them, are the sender's own affair (RFC 9293 section 3.1) and no difference.
 */
import type { PacketLine, TcpLine, TcpOption } from './packet-line.ts';

/** How timestamps of the host are looked at. */
export interface StampCheck {
  /** Whether their values count, or only that they are there. */
  readonly exact: boolean;
}

/** The names of the fields in which the packets differ; none when `actual` is what was expected. */
export function differences(expected: PacketLine, actual: PacketLine, stamps: StampCheck): string[] {
  if (expected.protocol !== actual.protocol) return ['protocol'];
  const found: string[] = [];
  const compare = (name: string, wanted: unknown, got: unknown): void => {
    if (wanted !== null && wanted !== got) found.push(name);
  };
  compare('ecn', expected.ip.ecn, actual.ip.ecn);
  compare('tos', expected.ip.tos, actual.ip.tos);
  compare('ttl', expected.ip.ttl, actual.ip.ttl);
  if (expected.protocol === 'icmp' && actual.protocol === 'icmp') {
    compare('type', expected.type, actual.type);
    compare('code', expected.code, actual.code);
    compare('mtu', expected.mtu, actual.mtu);
  } else if (expected.protocol === 'udp' && actual.protocol === 'udp') {
    compare('length', expected.lengthBytes, actual.lengthBytes);
  } else if (expected.protocol === 'tcp' && actual.protocol === 'tcp') {
    compareTcp(expected, actual, compare);
    if (expected.options !== null && !sameOptions(expected.options, actual.options!, stamps)) found.push('options');
  }
  return found;
}

function compareTcp(
  expected: TcpLine,
  actual: TcpLine,
  compare: (name: string, wanted: unknown, got: unknown) => void,
): void {
  compare('flags', expected.flags, actual.flags);
  compare('seq', expected.seq, actual.seq);
  compare('length', expected.lengthBytes, actual.lengthBytes);
  compare('ack', expected.ack, actual.ack);
  compare('win', expected.window, actual.window);
  compare('urg', expected.urgent, actual.urgent);
}

function sameOptions(expected: readonly TcpOption[], actual: readonly TcpOption[], stamps: StampCheck): boolean {
  const texts = (options: readonly TcpOption[]): string =>
    options
      .filter(({ kind }) => kind !== 'nop' && kind !== 'eol')
      .map(option => JSON.stringify(option.kind === 'TS' && !stamps.exact ? { ...option, val: 0 } : option))
      .sort()
      .join();
  return texts(expected) === texts(actual);
}
