/** The packet filter of a router between PEER, who is inside, and NEXT, who is outside: in dialogue, packet by packet. */
import { beforeEach, describe, expect, test } from 'vitest';
import { hexBytes, parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { parseRuleset } from '../../../../../src/nftables/parser.ts';
import {
  FilterDialogue,
  NEXT,
  rulesOf,
  type SegmentFields,
  type Side,
  STATEFUL,
  segmentOf,
} from '../../../../support/filter-dialogue.ts';
import { HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../../support/net-rig.ts';
import { icmp, ipv4, udp } from '../../../../support/packets.ts';

let rig: FilterDialogue;
function begin(...rules: Parameters<typeof rulesOf>): void {
  rig = new FilterDialogue(rulesOf(...rules));
}

describe('FW-1 a stateful filter', () => {
  beforeEach(() => begin(STATEFUL));

  test('lets the answer to a datagram in, and nobody else', () => {
    expect(rig.datagram('outside', 53, 4000)).toBe(false);
    expect(rig.datagram('inside', 4000, 53)).toBe(true);
    expect(rig.datagram('outside', 54, 4000)).toBe(false);
    expect(rig.datagram('outside', 53, 4000)).toBe(true);
  });

  test('forgets a datagram that nobody answered after 30 s, and a conversation 180 s after its last', () => {
    rig.datagram('inside', 4000, 53);
    rig.advance(31 * SECOND_NS);
    expect(rig.datagram('outside', 53, 4000)).toBe(false);
    rig.datagram('inside', 4000, 53);
    rig.datagram('outside', 53, 4000);
    rig.advance(170 * SECOND_NS);
    rig.introducePeer();
    expect(rig.datagram('outside', 53, 4000)).toBe(true);
    rig.advance(181 * SECOND_NS);
    expect(rig.datagram('outside', 53, 4000)).toBe(false);
  });

  test('follows a connection from its handshake to its end', () => {
    rig.handshake();
    expect(rig.tcpState).toBe('ESTABLISHED');
    expect(rig.segment('outside', { flags: 'PA', seq: 501, ack: 101, data: 100 })).toBe(true);
    expect(rig.segment('inside', { flags: 'FA', seq: 101, ack: 601 })).toBe(true);
    expect(rig.tcpState).toBe('FIN-WAIT');
    expect(rig.segment('outside', { flags: 'FA', seq: 601, ack: 102 })).toBe(true);
    expect(rig.tcpState).toBe('CLOSING');
    expect(rig.segment('inside', { flags: 'A', seq: 102, ack: 602 })).toBe(true);
    expect(rig.tcpState).toBe('TIME-WAIT');
  });

  test('a new SYN takes the place of a connection that has ended', () => {
    rig.handshake();
    expect(rig.segment('inside', { flags: 'R', seq: 101 })).toBe(true);
    expect(rig.tcpState).toBe('CLOSED');
    expect(rig.segment('inside', { flags: 'S', seq: 9000 })).toBe(true);
    expect(rig.tcpState).toBe('SYN-SENT');
  });

  test.each<[string, SegmentFields]>([
    ['that belongs to no connection', { flags: 'PA', seq: 1, ack: 1, data: 5, port: 81 }],
    ['beyond the window', { flags: 'PA', seq: 501 + 1000, ack: 101, data: 5 }],
    ['far before what was sent', { flags: 'PA', seq: 501 - 5000, ack: 101, data: 5 }],
    ['that acknowledges what was never sent', { flags: 'A', seq: 501, ack: 102 }],
    ['of a reset with a number out of the window', { flags: 'R', seq: 501 + 5000 }],
    ['without any of SYN, ACK and RST', { flags: 'F', seq: 501 }],
  ])('a segment %s is invalid', (_, fields) => {
    rig.handshake();
    expect(rig.segment('outside', fields)).toBe(false);
    expect(rig.tracker.counters.invalid).toBe(1);
    expect(rig.tcpState).toBe('ESTABLISHED');
  });

  test('the window is scaled as the SYNs agreed', () => {
    const scaled = (side: Side, fields: SegmentFields): boolean => {
      const plain = segmentOf(side, fields);
      plain[12] = 0x60;
      rig.send(side, 6, [...plain.slice(0, 20), 1, 3, 3, 4, ...plain.slice(20)]);
      return rig.passed(side);
    };
    expect(scaled('inside', { flags: 'S', seq: 100 })).toBe(true);
    expect(scaled('outside', { flags: 'SA', seq: 500, ack: 101 })).toBe(true);
    expect(rig.segment('inside', { flags: 'A', seq: 101, ack: 501, window: 1000 })).toBe(true);
    expect(rig.segment('outside', { flags: 'A', seq: 501 + 15_990, ack: 101, data: 10 })).toBe(true);
    expect(rig.segment('outside', { flags: 'A', seq: 501 + 16_000, ack: 101, data: 10 })).toBe(false);
  });

  test.each<[string, Side, SegmentFields]>([
    ['the SYN of its other end', 'outside', { flags: 'S', seq: 9000 }],
    ['a SYN and ACK of who opened it', 'inside', { flags: 'SA', seq: 101, ack: 501 }],
    ['SYN and FIN at once', 'inside', { flags: 'SF', seq: 101 }],
    ['FIN without ACK', 'inside', { flags: 'F', seq: 101 }],
    ['a reset from before what its receiver acknowledged', 'outside', { flags: 'R', seq: 500 }],
  ])('%s is nothing that an open connection has', (_, side, fields) => {
    rig.handshake();
    expect(rig.segment(side, fields)).toBe(false);
    expect(rig.tcpState).toBe('ESTABLISHED');
  });

  test('a reset within the window, but not with the number that is due, leaves it open (RFC 5961 section 3.2)', () => {
    rig.handshake();
    expect(rig.segment('outside', { flags: 'R', seq: 600 })).toBe(true);
    expect(rig.tcpState).toBe('ESTABLISHED');
    expect(rig.segment('outside', { flags: 'R', seq: 501 })).toBe(true);
    expect(rig.tcpState).toBe('CLOSED');
  });

  test('an ACK in answer to a SYN gets through, so that half-open connections are found (RFC 9293 section 3.5.1)', () => {
    expect(rig.segment('inside', { flags: 'S', seq: 100 })).toBe(true);
    expect(rig.segment('outside', { flags: 'A', seq: 7000, ack: 9000 })).toBe(true);
    expect(rig.segment('inside', { flags: 'R', seq: 9000 })).toBe(false);
    expect(rig.segment('outside', { flags: 'FA', seq: 7000, ack: 9000 })).toBe(false);
    expect(rig.tcpState).toBe('SYN-SENT');
  });

  test('a SYN that comes in the middle begins a new connection as soon as it is answered', () => {
    rig.handshake();
    expect(rig.segment('inside', { flags: 'S', seq: 70_000 })).toBe(true);
    expect(rig.tcpState).toBe('ESTABLISHED');
    expect(rig.segment('outside', { flags: 'SA', seq: 90_000, ack: 70_001 })).toBe(true);
    expect(rig.tcpState).toBe('SYN-RECEIVED');
    expect(rig.segment('inside', { flags: 'A', seq: 70_001, ack: 90_001 })).toBe(true);
    expect(rig.tcpState).toBe('ESTABLISHED');
  });

  test.each([
    [13, 14],
    [15, 16],
    [17, 18],
  ])('an ICMP query %s is answered by %s, and by nothing else', (query, answer) => {
    rig.send('inside', 1, icmp({ type: query, word: 0x0007_0001 }));
    expect(rig.passed('inside')).toBe(true);
    rig.send('outside', 1, icmp({ type: 0, word: 0x0007_0001 }));
    expect(rig.passed('outside')).toBe(false);
    rig.send('outside', 1, icmp({ type: answer, word: 0x0007_0001 }));
    expect(rig.passed('outside')).toBe(true);
  });

  test('an ICMP error about a packet that was dropped is invalid, also when it comes next', () => {
    begin('ct state invalid drop; udp dport 54 drop', 'forward', 'accept');
    expect(rig.datagram('inside', 4000, 54)).toBe(false);
    const payload = udp({ source: PEER, destination: NEXT, sourcePort: 4000, destinationPort: 54, data: [1] });
    const quoted = ipv4({ source: PEER, destination: NEXT, protocol: 17, payload });
    rig.send('outside', 1, icmp({ type: 3, code: 0, data: quoted }));
    expect(rig.passed('outside')).toBe(false);
  });

  test.each([7, 10])('a datagram of 9 octets that claims to have %s is invalid', length => {
    rig.send(
      'inside',
      17,
      udp({ source: PEER, destination: NEXT, sourcePort: 1, destinationPort: 2, data: [1], length }),
    );
    expect(rig.passed('inside')).toBe(false);
  });

  test('a TCP header that claims to be longer than its packet, or shorter than any, is invalid', () => {
    for (const words of [4, 6]) {
      const octets = segmentOf('inside', { flags: 'S', seq: 1 });
      octets[12] = words << 4;
      rig.send('inside', 6, octets);
      expect(rig.passed('inside')).toBe(false);
    }
  });

  test('an echo reply without a request is invalid; one with goes through', () => {
    const reply = icmp({ type: 0, word: 0x0007_0001 });
    rig.send('outside', 1, reply);
    expect(rig.passed('outside')).toBe(false);
    rig.send('inside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(rig.passed('inside')).toBe(true);
    rig.send('outside', 1, reply);
    expect(rig.passed('outside')).toBe(true);
  });

  test('an ICMP error is related to the flow that it quotes, and invalid without one', () => {
    const quoted = (port: number) => {
      const data = udp({ source: PEER, destination: NEXT, sourcePort: 4000, destinationPort: port, data: [1] });
      const packet = ipv4({ source: PEER, destination: NEXT, protocol: 17, payload: data });
      return icmp({ type: 3, code: 3, data: packet });
    };
    rig.datagram('inside', 4000, 53);
    rig.send('outside', 1, quoted(53));
    expect(rig.passed('outside')).toBe(true);
    rig.send('outside', 1, quoted(54));
    expect(rig.passed('outside')).toBe(false);
  });

  test('keeps nothing of what it dropped, and nothing for ever', () => {
    rig.datagram('outside', 1, 2);
    expect(rig.tracker.flows()).toEqual([]);
    rig.handshake();
    for (let port = 1; port <= 300; port++) rig.datagram('inside', 4000, port);
    expect(rig.tracker.flows()).toHaveLength(301);
    rig.advance(8000 * SECOND_NS);
    expect(rig.tracker.flows()).toEqual([]);
    expect(rig.nextTimerNs()).toBe(Number.POSITIVE_INFINITY);
    rig.expectNoLeak();
  });
});

describe('FW-1 what is rejected', () => {
  test('is answered by a reset, where the rule wants one, and by nothing else', () => {
    begin('ip protocol { tcp, udp } reject with tcp reset');
    rig.send('inside', 6, segmentOf('inside', { flags: 'S', seq: 100 }));
    const reset = segmentOf('outside', { flags: 'RA', seq: 0, ack: 101, window: 0 });
    const packet = rig.sent();
    expect(hexBytes(packet.subarray(34))).toBe(hexBytes(Uint8Array.from(reset)));
    expect(packet.subarray(26, 30).join('.')).toBe(NEXT);
    rig.expectNothing();
    rig.datagram('inside', 1, 2);
  });

  test.each([
    ['reject', 3],
    ['reject with icmp admin-prohibited', 13],
    ['reject with icmp host-unreachable', 1],
  ])('is answered by ICMP: %s', (rule, code) => {
    begin(rule);
    rig.send('inside', 17, udp({ source: PEER, destination: NEXT, sourcePort: 1, destinationPort: 2, data: [1] }));
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
    rig = new FilterDialogue({ chains });
    rig.send('inside', 17, udp({ source: PEER, destination: NEXT, sourcePort: 1, destinationPort: 2, data: [1] }));
    expect([...rig.sent().subarray(34, 36)]).toEqual([3, 3]);
  });
});

describe('FW-1 rules see', () => {
  test('the identifier of an echo, and none in other messages', () => {
    begin('icmp id 7 drop', 'forward', 'accept');
    rig.send('inside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(rig.passed('inside')).toBe(false);
    rig.send('inside', 1, icmp({ type: 13, word: 0x0007_0001 }));
    expect(rig.passed('inside')).toBe(true);
  });

  test('the addresses of the frame that a packet came in', () => {
    begin(`ether saddr ${PEER_MAC} ether daddr ${HOST_MAC} ether type ip accept`);
    expect([rig.datagram('inside', 1, 2), rig.datagram('outside', 1, 2)]).toEqual([true, false]);
  });

  test('what is for the router itself at input, and what it sends at output', () => {
    begin('icmp type echo-request drop', 'input', 'accept');
    rig.send('inside', 1, icmp({ type: 8 }), { destination: HOST });
    rig.expectNothing();
    begin('icmp type echo-reply oifname eth0 drop', 'output', 'accept');
    rig.send('inside', 1, icmp({ type: 8 }), { destination: HOST });
    rig.expectNothing();
  });

  test('a limit: a burst, and then so many in a time', () => {
    begin('limit rate 2/second burst 3 packets accept');
    const results = () => Array.from({ length: 5 }, () => rig.datagram('inside', 1, 2));
    expect(results()).toEqual([true, true, true, false, false]);
    rig.advance(SECOND_NS);
    expect(results()).toEqual([true, true, false, false, false]);
  });

  test('a rule that logs writes a line, and the next one is looked at', () => {
    begin('log prefix "seen: "; accept');
    expect(rig.datagram('inside', 1, 2)).toBe(true);
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
