/** The packet filter of a router between PEER, who is inside, and NEXT, who is outside: in dialogue, packet by packet. */
import { beforeEach, describe, expect, test } from 'vitest';
import { hexBytes, parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { parseRuleset } from '../../../../../src/nftables/parser.ts';
import { HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../../support/net-rig.ts';
import { arpFrame, frame, icmp, ipv4, naiveChecksum, udp } from '../../../../support/packets.ts';

const ETH1 = '198.51.100.1';
const ETH1_MAC = '52:54:00:00:01:01';
const NEXT = '198.51.100.2';
const NEXT_MAC = '52:54:00:00:01:02';

const rulesOf = (chain: string, hook = 'forward', policy = 'drop') =>
  parseRuleset(`table ip t { chain c { type filter hook ${hook} priority 0; policy ${policy}; ${chain} } }`);
/** What is inside may begin anything, what is outside only answer. */
const STATEFUL = `ct state invalid drop; ct state established,related accept; iifname eth0 ct state new accept`;

let rig: NetRig;
function begin(chain: string, hook = 'forward', policy = 'drop'): void {
  const interfaces = [HOST, ETH1].map(address => ({ address: parseIpv4(address), prefixLength: 24 }));
  rig = new NetRig({ interfaces, forwarding: true, filter: rulesOf(chain, hook, policy) }, 2);
  rig.introducePeer();
  rig.inject(arpFrame({ opcode: 1, senderMac: NEXT_MAC, sender: NEXT, target: ETH1 }), 1);
  rig.sent(1);
}

type Side = 'inside' | 'outside';
const ENDS = {
  inside: { index: 0, source: PEER, destination: NEXT, to: HOST_MAC, from: PEER_MAC },
  outside: { index: 1, source: NEXT, destination: PEER, to: ETH1_MAC, from: NEXT_MAC },
} as const;

/** A packet from one side to the other comes in. */
function send(side: Side, protocol: number, payload: ArrayLike<number>, destination?: string): void {
  const { index, source, to, from, ...ends } = ENDS[side];
  const packet = ipv4({ source, destination: destination ?? ends.destination, protocol, payload });
  rig.inject(frame({ to, from, type: 0x0800, payload: packet }), index);
}

/** Whether what was sent has gone through; nothing else has been said. */
function passed(side: Side): boolean {
  const through = rig.drivers[1 - ENDS[side].index]!.sent.splice(0);
  rig.expectNothing();
  return through.length === 1;
}

const FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16 };
interface SegmentFields {
  readonly flags: string;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  readonly data?: number;
  readonly port?: number;
}

/** A segment between port 4000 inside and port 80 outside. */
function tcp(side: Side, { flags, seq, ack = 0, window = 1000, data = 0, port = 80 }: SegmentFields): number[] {
  const word = (value: number) => [(value >>> 8) & 255, value & 255];
  const long = (value: number) => [...word(value >>> 16), ...word(value)];
  const ports = side === 'inside' ? [...word(4000), ...word(port)] : [...word(port), ...word(4000)];
  const bits = [...flags].reduce((all, letter) => all | FLAGS[letter]!, 0);
  const segment = [
    ...ports,
    ...long(seq),
    ...long(ack),
    0x50,
    bits,
    ...word(window),
    0,
    0,
    0,
    0,
    ...new Array(data).fill(7),
  ];
  const { source, destination } = ENDS[side];
  const pseudo = [...source.split('.'), ...destination.split('.')].map(Number);
  segment.splice(16, 2, ...word(naiveChecksum([...pseudo, 0, 6, ...word(segment.length), ...segment])));
  return segment;
}

const segment = (side: Side, fields: SegmentFields): boolean => {
  send(side, 6, tcp(side, fields));
  return passed(side);
};
const datagram = (side: Side, sourcePort: number, destinationPort: number): boolean => {
  const { source, destination } = ENDS[side];
  send(side, 17, udp({ source, destination, sourcePort, destinationPort, data: [1] }));
  return passed(side);
};

function handshake(): void {
  expect(segment('inside', { flags: 'S', seq: 100 })).toBe(true);
  expect(segment('outside', { flags: 'SA', seq: 500, ack: 101 })).toBe(true);
  expect(segment('inside', { flags: 'A', seq: 101, ack: 501 })).toBe(true);
}

const tcpState = (): string | undefined => rig.net.filter!.tracker.flows()[0]?.tcp?.state;

describe('FW-1 a stateful filter', () => {
  beforeEach(() => begin(STATEFUL));

  test('lets the answer to a datagram in, and nobody else', () => {
    expect(datagram('outside', 53, 4000)).toBe(false);
    expect(datagram('inside', 4000, 53)).toBe(true);
    expect(datagram('outside', 54, 4000)).toBe(false);
    expect(datagram('outside', 53, 4000)).toBe(true);
  });

  test('forgets a datagram that nobody answered after 30 s, and a conversation 180 s after its last', () => {
    datagram('inside', 4000, 53);
    rig.advance(31 * SECOND_NS);
    expect(datagram('outside', 53, 4000)).toBe(false);
    datagram('inside', 4000, 53);
    datagram('outside', 53, 4000);
    rig.advance(170 * SECOND_NS);
    rig.introducePeer();
    expect(datagram('outside', 53, 4000)).toBe(true);
    rig.advance(181 * SECOND_NS);
    expect(datagram('outside', 53, 4000)).toBe(false);
  });

  test('follows a connection from its handshake to its end', () => {
    handshake();
    expect(tcpState()).toBe('ESTABLISHED');
    expect(segment('outside', { flags: 'PA', seq: 501, ack: 101, data: 100 })).toBe(true);
    expect(segment('inside', { flags: 'FA', seq: 101, ack: 601 })).toBe(true);
    expect(tcpState()).toBe('FIN-WAIT');
    expect(segment('outside', { flags: 'FA', seq: 601, ack: 102 })).toBe(true);
    expect(tcpState()).toBe('CLOSING');
    expect(segment('inside', { flags: 'A', seq: 102, ack: 602 })).toBe(true);
    expect(tcpState()).toBe('TIME-WAIT');
  });

  test('a new SYN takes the place of a connection that has ended', () => {
    handshake();
    expect(segment('inside', { flags: 'R', seq: 101 })).toBe(true);
    expect(tcpState()).toBe('CLOSED');
    expect(segment('inside', { flags: 'S', seq: 9000 })).toBe(true);
    expect(tcpState()).toBe('SYN-SENT');
  });

  test.each<[string, SegmentFields]>([
    ['that belongs to no connection', { flags: 'PA', seq: 1, ack: 1, data: 5, port: 81 }],
    ['beyond the window', { flags: 'PA', seq: 501 + 1000, ack: 101, data: 5 }],
    ['far before what was sent', { flags: 'PA', seq: 501 - 5000, ack: 101, data: 5 }],
    ['that acknowledges what was never sent', { flags: 'A', seq: 501, ack: 102 }],
    ['of a reset with a number out of the window', { flags: 'R', seq: 501 + 5000 }],
    ['without any of SYN, ACK and RST', { flags: 'F', seq: 501 }],
  ])('a segment %s is invalid', (_, fields) => {
    handshake();
    expect(segment('outside', fields)).toBe(false);
    expect(rig.net.filter!.tracker.counters.invalid).toBe(1);
    expect(tcpState()).toBe('ESTABLISHED');
  });

  test('the window is scaled as the SYNs agreed', () => {
    const scaled = (side: Side, fields: SegmentFields): boolean => {
      const plain = tcp(side, fields);
      plain[12] = 0x60;
      send(side, 6, [...plain.slice(0, 20), 1, 3, 3, 4, ...plain.slice(20)]);
      return passed(side);
    };
    expect(scaled('inside', { flags: 'S', seq: 100 })).toBe(true);
    expect(scaled('outside', { flags: 'SA', seq: 500, ack: 101 })).toBe(true);
    expect(segment('inside', { flags: 'A', seq: 101, ack: 501, window: 1000 })).toBe(true);
    expect(segment('outside', { flags: 'A', seq: 501 + 15_990, ack: 101, data: 10 })).toBe(true);
    expect(segment('outside', { flags: 'A', seq: 501 + 16_000, ack: 101, data: 10 })).toBe(false);
  });

  test.each<[string, Side, SegmentFields]>([
    ['the SYN of its other end', 'outside', { flags: 'S', seq: 9000 }],
    ['a SYN and ACK of who opened it', 'inside', { flags: 'SA', seq: 101, ack: 501 }],
    ['SYN and FIN at once', 'inside', { flags: 'SF', seq: 101 }],
    ['FIN without ACK', 'inside', { flags: 'F', seq: 101 }],
    ['a reset from before what its receiver acknowledged', 'outside', { flags: 'R', seq: 500 }],
  ])('%s is nothing that an open connection has', (_, side, fields) => {
    handshake();
    expect(segment(side, fields)).toBe(false);
    expect(tcpState()).toBe('ESTABLISHED');
  });

  test('a reset within the window, but not with the number that is due, leaves it open (RFC 5961 section 3.2)', () => {
    handshake();
    expect(segment('outside', { flags: 'R', seq: 600 })).toBe(true);
    expect(tcpState()).toBe('ESTABLISHED');
    expect(segment('outside', { flags: 'R', seq: 501 })).toBe(true);
    expect(tcpState()).toBe('CLOSED');
  });

  test('an ACK in answer to a SYN gets through, so that half-open connections are found (RFC 9293 section 3.5.1)', () => {
    expect(segment('inside', { flags: 'S', seq: 100 })).toBe(true);
    expect(segment('outside', { flags: 'A', seq: 7000, ack: 9000 })).toBe(true);
    expect(segment('inside', { flags: 'R', seq: 9000 })).toBe(false);
    expect(segment('outside', { flags: 'FA', seq: 7000, ack: 9000 })).toBe(false);
    expect(tcpState()).toBe('SYN-SENT');
  });

  test('a SYN that comes in the middle begins a new connection as soon as it is answered', () => {
    handshake();
    expect(segment('inside', { flags: 'S', seq: 70_000 })).toBe(true);
    expect(tcpState()).toBe('ESTABLISHED');
    expect(segment('outside', { flags: 'SA', seq: 90_000, ack: 70_001 })).toBe(true);
    expect(tcpState()).toBe('SYN-RECEIVED');
    expect(segment('inside', { flags: 'A', seq: 70_001, ack: 90_001 })).toBe(true);
    expect(tcpState()).toBe('ESTABLISHED');
  });

  test('a SYN that nobody has answered may be followed by one with another number', () => {
    expect(segment('inside', { flags: 'S', seq: 900_000 })).toBe(true);
    handshake();
    expect(tcpState()).toBe('ESTABLISHED');
  });

  test('both ends may open it at once', () => {
    expect(segment('inside', { flags: 'S', seq: 100 })).toBe(true);
    expect(segment('outside', { flags: 'S', seq: 500 })).toBe(true);
    expect(segment('inside', { flags: 'SA', seq: 100, ack: 501 })).toBe(true);
    expect(segment('outside', { flags: 'SA', seq: 500, ack: 101 })).toBe(true);
    expect(segment('inside', { flags: 'A', seq: 101, ack: 501 })).toBe(true);
    expect(tcpState()).toBe('ESTABLISHED');
  });

  test('an echo request is no answer to one that went the other way, even with the same identifier', () => {
    send('inside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(passed('inside')).toBe(true);
    send('outside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(passed('outside')).toBe(false);
  });

  test.each([
    [13, 14],
    [15, 16],
    [17, 18],
  ])('an ICMP query %s is answered by %s, and by nothing else', (query, answer) => {
    send('inside', 1, icmp({ type: query, word: 0x0007_0001 }));
    expect(passed('inside')).toBe(true);
    send('outside', 1, icmp({ type: 0, word: 0x0007_0001 }));
    expect(passed('outside')).toBe(false);
    send('outside', 1, icmp({ type: answer, word: 0x0007_0001 }));
    expect(passed('outside')).toBe(true);
  });

  test('an ICMP error to somebody else than the sender of what it quotes is invalid', () => {
    datagram('inside', 4000, 53);
    const quoted = ipv4({
      source: PEER,
      destination: NEXT,
      protocol: 17,
      payload: udp({ source: PEER, destination: NEXT, sourcePort: 4000, destinationPort: 53, data: [1] }),
    });
    send('outside', 1, icmp({ type: 3, code: 3, data: quoted }), '192.0.2.77');
    rig.expectNothing();
    send('outside', 1, icmp({ type: 3, code: 3, data: quoted }));
    expect(passed('outside')).toBe(true);
  });

  test.each([7, 10])('a datagram of 9 octets that claims to have %s is invalid', length => {
    send('inside', 17, udp({ source: PEER, destination: NEXT, sourcePort: 1, destinationPort: 2, data: [1], length }));
    expect(passed('inside')).toBe(false);
  });

  test('a TCP header that claims to be longer than its packet, or shorter than any, is invalid', () => {
    for (const words of [4, 6]) {
      const octets = tcp('inside', { flags: 'S', seq: 1 });
      octets[12] = words << 4;
      send('inside', 6, octets);
      expect(passed('inside')).toBe(false);
    }
  });

  test('an echo reply without a request is invalid; one with goes through', () => {
    const reply = icmp({ type: 0, word: 0x0007_0001 });
    send('outside', 1, reply);
    expect(passed('outside')).toBe(false);
    send('inside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(passed('inside')).toBe(true);
    send('outside', 1, reply);
    expect(passed('outside')).toBe(true);
  });

  test('an ICMP error is related to the flow that it quotes, and invalid without one', () => {
    const quoted = (port: number) => {
      const data = udp({ source: PEER, destination: NEXT, sourcePort: 4000, destinationPort: port, data: [1] });
      const packet = ipv4({ source: PEER, destination: NEXT, protocol: 17, payload: data });
      return icmp({ type: 3, code: 3, data: packet });
    };
    datagram('inside', 4000, 53);
    send('outside', 1, quoted(53));
    expect(passed('outside')).toBe(true);
    send('outside', 1, quoted(54));
    expect(passed('outside')).toBe(false);
  });

  test('keeps nothing of what it dropped, and nothing for ever', () => {
    datagram('outside', 1, 2);
    expect(rig.net.filter!.tracker.flows()).toEqual([]);
    handshake();
    for (let port = 1; port <= 300; port++) datagram('inside', 4000, port);
    expect(rig.net.filter!.tracker.flows()).toHaveLength(301);
    rig.advance(8000 * SECOND_NS);
    expect(rig.net.filter!.tracker.flows()).toEqual([]);
    expect(rig.nextTimerNs()).toBe(Number.POSITIVE_INFINITY);
    rig.expectNoLeak();
  });
});

describe('FW-1 what is rejected', () => {
  test('is answered by a reset, where the rule wants one, and by nothing else', () => {
    begin('ip protocol { tcp, udp } reject with tcp reset');
    send('inside', 6, tcp('inside', { flags: 'S', seq: 100 }));
    const reset = tcp('outside', { flags: 'RA', seq: 0, ack: 101, window: 0 });
    const packet = rig.sent();
    expect(hexBytes(packet.subarray(34))).toBe(hexBytes(Uint8Array.from(reset)));
    expect(packet.subarray(26, 30).join('.')).toBe(NEXT);
    rig.expectNothing();
    datagram('inside', 1, 2);
  });

  test.each([
    ['reject', 3],
    ['reject with icmp admin-prohibited', 13],
    ['reject with icmp host-unreachable', 1],
  ])('is answered by ICMP: %s', (rule, code) => {
    begin(rule);
    send('inside', 17, udp({ source: PEER, destination: NEXT, sourcePort: 1, destinationPort: 2, data: [1] }));
    const packet = rig.sent();
    expect([...packet.subarray(34, 36)]).toEqual([3, code]);
    expect(packet.subarray(26, 30).join('.')).toBe(HOST);
    rig.expectNothing();
    rig.expectNoLeak();
    expect(rig.net.drops.counts.filtered).toBe(1);
  });

  test('may be answered although a policy drops what the router sends, if what is related may go', () => {
    const chains = [
      ...rulesOf('reject').chains,
      ...rulesOf('ct state related accept', 'output').chains.map(chain => ({ ...chain, name: 'out' })),
    ];
    const interfaces = [HOST, ETH1].map(address => ({ address: parseIpv4(address), prefixLength: 24 }));
    rig = new NetRig({ interfaces, forwarding: true, filter: { chains } }, 2);
    rig.introducePeer();
    send('inside', 17, udp({ source: PEER, destination: NEXT, sourcePort: 1, destinationPort: 2, data: [1] }));
    expect([...rig.sent().subarray(34, 36)]).toEqual([3, 3]);
  });
});

describe('FW-1 rules see', () => {
  test('the identifier of an echo, and none in other messages', () => {
    begin('icmp id 7 drop', 'forward', 'accept');
    send('inside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(passed('inside')).toBe(false);
    send('inside', 1, icmp({ type: 13, word: 0x0007_0001 }));
    expect(passed('inside')).toBe(true);
  });

  test('the addresses of the frame that a packet came in', () => {
    begin(`ether saddr ${PEER_MAC} ether daddr ${HOST_MAC} ether type ip accept`);
    expect([datagram('inside', 1, 2), datagram('outside', 1, 2)]).toEqual([true, false]);
  });

  test('what is for the router itself at input, and what it sends at output', () => {
    begin('icmp type echo-request drop', 'input', 'accept');
    send('inside', 1, icmp({ type: 8 }), HOST);
    rig.expectNothing();
    begin('icmp type echo-reply oifname eth0 drop', 'output', 'accept');
    send('inside', 1, icmp({ type: 8 }), HOST);
    rig.expectNothing();
  });

  test('a limit: a burst, and then so many in a time', () => {
    begin('limit rate 2/second burst 3 packets accept');
    const results = () => Array.from({ length: 5 }, () => datagram('inside', 1, 2));
    expect(results()).toEqual([true, true, true, false, false]);
    rig.advance(SECOND_NS);
    expect(results()).toEqual([true, true, false, false, false]);
  });

  test('a rule that logs writes a line, and the next one is looked at', () => {
    begin('log prefix "seen: "; accept');
    expect(datagram('inside', 1, 2)).toBe(true);
    expect(rig.messages.at(-1)).toBe(`seen: IN=eth0 OUT=eth1 SRC=${PEER} DST=${NEXT} LEN=29 PROTO=17 SPT=1 DPT=2`);
  });
});

describe('chains that do not fit together are refused', () => {
  const join = (text: string) => () => {
    const interfaces = [{ address: parseIpv4(HOST), prefixLength: 24 }];
    return new NetRig({ interfaces, filter: parseRuleset(`table ip t { ${text} }`) });
  };
  test.each([
    ['chain a { jump b }', 'chain "a" leads to "b": no such chain'],
    ['chain a { jump b } chain b { goto a }', 'leads to itself'],
    [
      'chain a { jump b } chain b { type filter hook input priority 0; }',
      '"b" is a base chain: no rule can lead to it',
    ],
  ])('%s', (text, message) => {
    expect(join(text)).toThrow(message);
  });

  test('more than sixteen deep', () => {
    const chains = Array.from({ length: 17 }, (_, i) => `chain c${i} { ${i === 16 ? 'drop' : `jump c${i + 1}`} }`);
    expect(join(chains.slice(1).join(' '))).not.toThrow();
    expect(join(chains.join(' '))).toThrow('more than 16 deep');
  });
});
