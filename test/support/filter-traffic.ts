/**
 * Arbitrary traffic through a router, from both sides: connections that begin, go on and end as they should, and among
 * that what does not belong: odd flags, numbers out of the window, answers that nobody asked for, errors about this and that.
 */
import fc from 'fast-check';
import type { Side, SidePacket } from './linux-router.ts';
import { icmp, ipv4, tcp, udp } from './packets.ts';

const HOSTS = { inside: ['10.0.0.2', '10.0.0.3'], outside: ['198.51.100.7', '198.51.100.8'] } as const;
const PORTS = { inside: 4000, outside: 80 } as const;
const FIRST_SEQ = { inside: 1000, outside: 0xffff_ff00 } as const;
const FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;
const { FIN, SYN, RST, PSH, ACK, URG } = FLAGS;
const WINDOW_SCALE = [3, 3, 4, 0];
const WINDOW = 20_000;
const ERRORS = [
  [3, 0],
  [3, 1],
  [3, 3],
  [3, 4],
  [4, 0],
  [5, 1],
  [11, 0],
  [12, 0],
] as const;

/** Who talks to whom: the number of a host at either side. */
interface Pair {
  readonly inside: 0 | 1;
  readonly outside: 0 | 1;
}

interface Segment {
  readonly kind: 'segment';
  readonly pair: Pair;
  readonly from: Side;
  readonly flags: number;
  /** From the numbers that are due. */
  readonly seqOffset: number;
  readonly ackOffset: number;
  readonly window: number;
  readonly dataBytes: number;
  readonly scale: boolean;
  readonly dataOffset: number | null;
}
interface Handshake {
  readonly kind: 'handshake';
  readonly pair: Pair;
  readonly from: Side;
  readonly scale: boolean;
}
interface Datagram {
  readonly kind: 'datagram';
  readonly pair: Pair;
  readonly from: Side;
  readonly port: number;
  /** Added to the length in its header. */
  readonly lengthError: number;
}
interface Query {
  readonly kind: 'query';
  readonly pair: Pair;
  readonly from: Side;
  readonly type: number;
  readonly code: number;
  readonly identifier: number;
}
interface ErrorAbout {
  readonly kind: 'error';
  readonly pair: Pair;
  readonly from: Side;
  /** Which of the packets before, from the latest one on. */
  readonly about: number;
  readonly error: readonly [type: number, code: number];
  readonly quotedBytes: number;
  /** Whether it goes to who sent what it is about. */
  readonly toSender: boolean;
}
interface Other {
  readonly kind: 'other';
  readonly pair: Pair;
  readonly from: Side;
  readonly protocol: number;
}
export type Move = Segment | Handshake | Datagram | Query | ErrorAbout | Other;

const who = {
  pair: fc.record({
    inside: fc.constantFrom(0 as const, 1 as const),
    outside: fc.constantFrom(0 as const, 1 as const),
  }),
  from: fc.constantFrom('inside' as const, 'outside' as const),
};
const flags = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(ACK, ACK, PSH | ACK, SYN, SYN | ACK, FIN | ACK, FIN | ACK, RST, RST | ACK) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, FIN, PSH, URG, SYN | FIN, SYN | RST, FIN | PSH | URG, ACK | URG, SYN | URG),
  },
  { weight: 1, arbitrary: fc.nat(63) },
);
/**
 * Numbers that are due, a little beside them, or far ahead. Where exactly a window ends, and whether what comes too late
 * is let through to be answered by its receiver, is every filter's own.
 */
const offset = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -100, max: 100 }) },
  { weight: 1, arbitrary: fc.constantFrom(WINDOW * 64, 0x4000_0000) },
);
const segment = fc.record({
  kind: fc.constant('segment' as const),
  ...who,
  flags,
  seqOffset: offset,
  ackOffset: offset,
  window: fc.constantFrom(WINDOW, 2 * WINDOW),
  dataBytes: fc.constantFrom(0, 0, 1, 10, 100),
  scale: fc.boolean(),
  dataOffset: fc.oneof(
    { weight: 30, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom(0, 4, 15) },
  ),
});
const handshake = fc.record({ kind: fc.constant('handshake' as const), ...who, scale: fc.boolean() });
const datagram = fc.record({
  kind: fc.constant('datagram' as const),
  ...who,
  port: fc.integer({ min: 53, max: 54 }),
  lengthError: fc.oneof(
    { weight: 10, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(-9, -1, 1) },
  ),
});
const query = fc.record({
  kind: fc.constant('query' as const),
  ...who,
  // Of others Linux fears that they may be errors.
  type: fc.constantFrom(8, 8, 8, 0, 0, 0, 13, 14, 15, 16, 17, 18),
  code: fc.constantFrom(0, 0, 0, 1),
  identifier: fc.constantFrom(1, 2),
});
const error = fc.record({
  kind: fc.constant('error' as const),
  ...who,
  about: fc.nat(5),
  error: fc.constantFrom(...ERRORS),
  quotedBytes: fc.constantFrom(28, 28, 1000),
  toSender: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});
const other = fc.record({ kind: fc.constant('other' as const), ...who, protocol: fc.constantFrom(50, 253) });

export const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: segment },
  { weight: 3, arbitrary: handshake },
  { weight: 4, arbitrary: datagram },
  { weight: 4, arbitrary: query },
  { weight: 3, arbitrary: error },
  { weight: 1, arbitrary: other },
);

/** TCP with numbers that go on in each direction; one for each pair. */
class Conversation {
  readonly #next: Record<Side, number> = { ...FIRST_SEQ };
  readonly #opened: Record<Side, boolean> = { inside: false, outside: false };

  segment({
    from,
    flags: bits,
    seqOffset,
    ackOffset,
    window,
    dataBytes,
    scale,
    dataOffset,
    ...ends
  }: Segment & Ends): Uint8Array {
    const to = from === 'inside' ? 'outside' : 'inside';
    if ((bits & SYN) !== 0) this.#opened[from] = true;
    // Before both have said where their numbers begin, or in a reset, data is nonsense that is judged in different ways.
    const counts = ((bits & SYN) !== 0 || (this.#opened[from] && this.#opened[to])) && (bits & RST) === 0;
    const octets = counts ? dataBytes : 0;
    // Linux forgets no SYN for one with a lower number, which then cannot be answered.
    const seq = (this.#next[from] + ((bits & SYN) !== 0 ? 0 : seqOffset)) >>> 0;
    const taken = octets + ((bits & SYN) !== 0 ? 1 : 0) + ((bits & FIN) !== 0 ? 1 : 0);
    if (seqOffset === 0 && counts) this.#next[from] = (seq + taken) >>> 0;
    return tcp({
      ...ends,
      flags: bits,
      seq,
      ...((bits & ACK) !== 0 && { ack: (this.#next[to] + ackOffset) >>> 0 }),
      window,
      ...((bits & SYN) !== 0 && scale && { options: WINDOW_SCALE }),
      ...(dataOffset !== null && { dataOffset }),
      data: new Uint8Array(octets),
    });
  }
}

interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const PLAIN = { seqOffset: 0, ackOffset: 0, window: WINDOW, dataBytes: 0, dataOffset: null } as const;

/** The packets of `moves`, in their order. */
export function packetsOf(moves: readonly Move[]): readonly SidePacket[] {
  const conversations = new Map<string, Conversation>();
  const packets: SidePacket[] = [];
  const say = (each: Move & { readonly from: Side }, protocol: number, payload: Uint8Array): void => {
    const { source, destination } = endsOf(each, each.from);
    packets.push({ side: each.from, packet: ipv4({ source, destination, protocol, payload }) });
  };
  const saySegment = (each: Segment): void => {
    const { inside, outside } = each.pair;
    const key = `${inside} ${outside}`;
    const conversation = conversations.get(key) ?? new Conversation();
    conversations.set(key, conversation);
    say(each, 6, conversation.segment({ ...each, ...endsOf(each, each.from) }));
  };
  for (const each of moves) {
    const { from, pair } = each;
    const to = from === 'inside' ? 'outside' : 'inside';
    switch (each.kind) {
      case 'segment':
        saySegment(each);
        break;
      case 'handshake': {
        const { scale } = each;
        saySegment({ ...PLAIN, kind: 'segment', pair, from, flags: SYN, scale });
        saySegment({ ...PLAIN, kind: 'segment', pair, from: to, flags: SYN | ACK, scale });
        saySegment({ ...PLAIN, kind: 'segment', pair, from, flags: ACK, scale });
        break;
      }
      case 'datagram': {
        const ends = endsOf(each, from, each.port);
        const wrong = each.lengthError === 0 ? {} : { length: 11 + each.lengthError, checksum: 0 };
        say(each, 17, udp({ ...ends, data: [1, 2, 3], ...wrong }));
        break;
      }
      case 'query': {
        const { type, code, identifier } = each;
        say(each, 1, icmp({ type, code, word: identifier * 0x1_0000 + 1, data: [1, 2, 3] }));
        break;
      }
      case 'error': {
        const about = packets[packets.length - 1 - each.about];
        if (about === undefined) break;
        const { side, packet } = about;
        const sender = packet.subarray(12, 16).join('.');
        const { source, destination } = endsOf(each, side === 'inside' ? 'outside' : 'inside');
        const [type, code] = each.error;
        const payload = icmp({ type, code, data: packet.subarray(0, each.quotedBytes) });
        const address = each.toSender ? sender : destination;
        packets.push({
          side: side === 'inside' ? 'outside' : 'inside',
          packet: ipv4({ source, destination: address, protocol: 1, payload }),
        });
        break;
      }
      case 'other':
        // Linux sends no error about what is no protocol of its and has a sum that is not that of nothing.
        say(each, each.protocol, Uint8Array.of(0xff, 0xff, 0, 0, 0, 0, 0, 0));
        break;
    }
  }
  return packets;
}

function endsOf({ pair }: Move, from: Side, outsidePort: number = PORTS.outside): Ends {
  const [inside, outside] = [HOSTS.inside[pair.inside]!, HOSTS.outside[pair.outside]!];
  return from === 'inside'
    ? { source: inside, destination: outside, sourcePort: PORTS.inside, destinationPort: outsidePort }
    : { source: outside, destination: inside, sourcePort: outsidePort, destinationPort: PORTS.inside };
}
