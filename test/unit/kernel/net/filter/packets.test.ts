/** What packets look like to the filter that did not come whole, or not in an Ethernet frame, or that cause others. */
import { describe, expect, test } from 'vitest';
import { Flow } from '../../../../../kernel/net/filter/flow.ts';
import { FlowTable } from '../../../../../kernel/net/filter/flow-table.ts';
import { HOOK_PRIORITY } from '../../../../../kernel/net/ipv4/hooks.ts';
import { parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { FilterDialogue, NEXT, rulesOf, STATEFUL, segmentOf } from '../../../../support/filter-dialogue.ts';
import { distinct, pieces } from '../../../../support/fragments.ts';
import { BROADCAST_MAC, HOST, HOST_MAC, PEER, PEER_MAC, SECOND_NS } from '../../../../support/net-rig.ts';
import { arpFrame, frame, icmp, ipv4, udp } from '../../../../support/packets.ts';
import { SerialLine } from '../../../../support/serial-line.ts';

const DATA = distinct(4000);
const DATAGRAM = {
  protocol: 17,
  payload: udp({ source: PEER, destination: NEXT, sourcePort: 4000, destinationPort: 53, data: DATA }),
};

/** Its fragments come in from the inside, the last one first. */
function sendInPieces(rig: FilterDialogue): void {
  for (const { protocol, payload, ...fields } of pieces(DATAGRAM, 1480).toReversed())
    rig.send('inside', protocol, payload, fields);
}

describe('FRAG-8 FW-1 a datagram in fragments', () => {
  test.each([
    ['udp dport 53', true],
    ['udp dport 54', false],
    ['udp sport 4000 udp length 4008 ip length 4028', true],
    ['ip length < 4028', false],
    [`ether saddr ${PEER_MAC} ether daddr ${HOST_MAC} ether type ip`, true],
    [`ether saddr ${HOST_MAC}`, false],
  ])('is judged once, as a whole, by %s', (match, through) => {
    const rig = new FilterDialogue(rulesOf(`${match} accept`));
    sendInPieces(rig);
    expect(rig.drivers[1]!.sent).toHaveLength(through ? 3 : 0);
    rig.drivers[1]!.sent.length = 0;
    rig.expectNothing();
    const { accepted, dropped } = rig.net.filter!.counters;
    expect([accepted, dropped]).toEqual(through ? [1, 0] : [0, 1]);
    expect(rig.net.filter!.chains.get('c')!.rules[0]).toMatchObject(
      through ? { packets: 1, bytes: 4028 } : { packets: 0 },
    );
    rig.expectNoLeak();
  });

  test('is one packet of one flow, and so is its answer', () => {
    const rig = new FilterDialogue(rulesOf(STATEFUL));
    sendInPieces(rig);
    expect(rig.drivers[1]!.sent.splice(0)).toHaveLength(3);
    expect(rig.tracker.flows()).toHaveLength(1);
    expect(rig.datagram('outside', 53, 4000)).toBe(true);
    expect(rig.datagram('outside', 54, 4000)).toBe(false);
  });

  test('is refused once, by an error that quotes its beginning', () => {
    const rig = new FilterDialogue(rulesOf('reject'));
    sendInPieces(rig);
    const error = rig.sent();
    expect([...error.subarray(34, 36)]).toEqual([3, 3]);
    expect(error.subarray(42)).toEqual(ipv4({ source: PEER, destination: NEXT, ...DATAGRAM }).subarray(0, 548));
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('of which a part never comes is not judged, and its sender is told: but not of a broadcast', () => {
    const rig = new FilterDialogue(rulesOf('', 'prerouting', 'accept'));
    const [first] = pieces(DATAGRAM, 1480);
    rig.send('inside', 17, first!.payload, { fragment: first!.fragment!, destination: '192.0.2.255' });
    rig.advance(61 * SECOND_NS);
    rig.expectNothing();
    rig.introducePeer();
    rig.send('inside', 17, first!.payload, { fragment: first!.fragment! });
    rig.advance(59 * SECOND_NS);
    rig.introducePeer();
    rig.advance(2 * SECOND_NS);
    expect([...rig.sent().subarray(34, 36)]).toEqual([11, 1]);
    rig.expectNoLeak();
  });

  test('a long segment counts with all its octets', () => {
    const rig = new FilterDialogue(rulesOf(STATEFUL));
    rig.segment('inside', { flags: 'S', seq: 100, window: 3000 });
    rig.segment('outside', { flags: 'SA', seq: 500, ack: 101, window: 3000 });
    rig.segment('inside', { flags: 'A', seq: 101, ack: 501, window: 3000 });
    const deliver = (data: number): boolean => {
      const payload = segmentOf('outside', { flags: 'A', seq: 501, ack: 101, data });
      for (const { protocol, payload: octets, ...fields } of pieces({ protocol: 6, payload }, 1480))
        rig.send('outside', protocol, octets, fields);
      return rig.drivers[0]!.sent.splice(0).length > 0;
    };
    expect([deliver(3001), deliver(3000)]).toEqual([false, true]);
    expect(rig.segment('inside', { flags: 'A', seq: 101, ack: 3501 })).toBe(true);
  });
});

describe('FW-1 on a link that is not Ethernet', () => {
  const packet = (fields = {}) =>
    ipv4({ source: '203.0.113.2', destination: PEER, protocol: 17, payload: distinct(40), ...fields });
  const arrive = (rules: string) => {
    const rig = new FilterDialogue(rulesOf(rules));
    const line = new SerialLine(rig.net, rig.packets, 'serial0', '203.0.113.1', 1500);
    return { rig, line };
  };

  test.each(['ether saddr', 'ether saddr !=', 'ether daddr !='])('a packet has no MAC address: %s', match => {
    const { rig, line } = arrive(`${match} ${HOST_MAC} accept`);
    line.receive(packet());
    rig.expectNothing();
  });

  test('nor has it an EtherType; it is for one host', () => {
    const { rig, line } = arrive('ether type ip accept; meta pkttype host accept');
    line.receive(packet());
    rig.sent();
    expect(rig.net.filter!.chains.get('c')!.rules.map(({ packets }) => packets)).toEqual([0, 1]);
  });

  test('a datagram came in where its first fragment did, though others came by Ethernet', () => {
    const { rig, line } = arrive('ether saddr != 00:00:00:00:00:00 drop; iifname serial0 accept');
    const whole = { protocol: 17, payload: distinct(64), source: '203.0.113.2', destination: PEER };
    const [first, last] = pieces(whole, 32).map(each => ipv4({ ...whole, ...each }));
    line.receive(first!);
    rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload: last! }));
    expect(rig.sent().subarray(34)).toEqual(distinct(64));
    rig.expectNoLeak();
  });
});

describe('FW-1 a packet that makes the router say something', () => {
  const OTHER = '192.0.2.254';
  const OTHER_MAC = '52:54:00:00:00:fe';
  const REMOTE = '203.0.113.9';

  test('a redirect on its way does not make the filter forget the first packet of a flow', () => {
    const rig = new FilterDialogue(rulesOf('ct state established accept; ct state new accept'));
    rig.net.routes.add({
      destination: parseIpv4('203.0.113.0'),
      prefixLength: 24,
      gateway: parseIpv4(OTHER),
      link: rig.iface,
      metric: 0,
    });
    rig.inject(arpFrame({ opcode: 1, senderMac: OTHER_MAC, sender: OTHER, target: HOST }));
    rig.sent();
    rig.send('inside', 6, segmentOf('inside', { flags: 'S', seq: 100 }), { destination: REMOTE });
    expect([...rig.sent().subarray(34, 36)]).toEqual([5, 1]);
    expect(rig.sent().subarray(30, 34).join('.')).toBe(REMOTE);
    expect(rig.tracker.flows()).toHaveLength(1);
    expect(rig.net.filter!.chains.get('c')!.rules.map(({ packets }) => packets)).toEqual([0, 1]);
  });

  test('is not answered when it was for more than one host, by the network or by the link', () => {
    const rig = new FilterDialogue(rulesOf('reject', 'prerouting', 'accept'));
    rig.send('inside', 17, DATAGRAM.payload.subarray(0, 1000), { destination: '192.0.2.255' });
    rig.inject(
      frame({
        to: BROADCAST_MAC,
        from: PEER_MAC,
        type: 0x0800,
        payload: ipv4({ source: PEER, destination: NEXT, protocol: 17, payload: DATA.subarray(0, 40) }),
      }),
    );
    rig.expectNothing();
    expect(rig.net.icmpErrors.counters.notAllowed).toBe(2);
    rig.expectNoLeak();
  });

  test('may be refused, and the answer refused too, whatever options it has', () => {
    const [refusing] = rulesOf('reject').chains;
    const [silent] = rulesOf('reject with icmp admin-prohibited', 'output').chains;
    const rig = new FilterDialogue({ chains: [refusing!, { ...silent!, name: 'out' }] });
    rig.send('inside', 17, DATA.subarray(0, 40), { options: [1, 1, 1, 0] });
    rig.expectNothing();
    expect(rig.net.filter!.counters.rejected).toBe(2);
    rig.expectNoLeak();
  });
});

describe('FW-1 connection tracking', () => {
  test('an echo request from outside is no answer to one from inside with the same identifier', () => {
    const rig = new FilterDialogue(rulesOf(STATEFUL));
    rig.send('inside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(rig.passed('inside')).toBe(true);
    rig.send('outside', 1, icmp({ type: 8, word: 0x0007_0001 }));
    expect(rig.passed('outside')).toBe(false);
    rig.send('outside', 1, icmp({ type: 0, word: 0x0007_0001 }));
    expect(rig.passed('outside')).toBe(true);
  });

  test.each([
    ['went to somebody else than who sent what it quotes', { destination: '192.0.2.9' }, {}],
    ['quotes a later fragment, which has no ports', {}, { fragment: 1 }],
  ])('an error that %s is invalid', (_, outer, quoted) => {
    const rig = new FilterDialogue(rulesOf(STATEFUL));
    rig.datagram('inside', 4000, 53);
    const payload = udp({ source: PEER, destination: NEXT, sourcePort: 4000, destinationPort: 53, data: [1] });
    const data = ipv4({ source: PEER, destination: NEXT, protocol: 17, payload, ...quoted });
    rig.send('outside', 1, icmp({ type: 3, code: 3, data }), outer);
    expect(rig.passed('outside')).toBe(false);
    expect(rig.tracker.counters.invalid).toBe(1);
  });

  test('the table grows with its flows, and is as small as at first when all are forgotten', () => {
    const table = new FlowTable();
    for (let port = 1; port <= 600; port++) {
      const flow = new Flow({ protocol: 17, source: 1, sourcePort: port, destination: 2, destinationPort: 53 }, null);
      flow.dueNs = port;
      table.add(flow);
    }
    expect([table.size, table.bucketCount]).toEqual([600, 1024]);
    table.sweep(1024, 599);
    expect([table.size, table.bucketCount]).toEqual([1, 1024]);
    expect(
      table.find({ protocol: 17, source: 2, sourcePort: 53, destination: 1, destinationPort: 600 })?.sourcePort,
    ).toBe(600);
    table.sweep(1024, 600);
    expect([table.size, table.bucketCount, table.list().length]).toEqual([0, 256, 0]);
  });

  test('hooks behind it know the state, those before it do not', () => {
    const rig = new FilterDialogue(rulesOf('accept'));
    const states: number[] = [];
    for (const priority of [HOOK_PRIORITY.destinationNat, HOOK_PRIORITY.filter]) {
      rig.net.hooks.add('prerouting', priority, packet => states.push(rig.tracker.stateOf(packet)) > 0);
    }
    rig.datagram('inside', 1, 2);
    expect(states).toEqual([0, 8]);
  });
});
