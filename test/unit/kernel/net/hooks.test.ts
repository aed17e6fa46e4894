import { beforeEach, describe, expect, test } from 'vitest';
import type { PacketBuffer } from '../../../../kernel/driver-api.ts';
import { emit, Ipv4Header, parseUnchecked } from '../../../../kernel/net/ipv4/header.ts';
import { HOOK_PRIORITY, type HookPoint } from '../../../../kernel/net/ipv4/hooks.ts';
import { formatIpv4, parseIpv4 } from '../../../../src/lib/bytes.ts';
import { HOST, HOST_MAC, NetRig, PEER, PEER_MAC, SECOND_NS } from '../../../support/net-rig.ts';
import { arpFrame, frame, type Ipv4Fields, icmp, ipv4 } from '../../../support/packets.ts';

const ETH1 = '198.51.100.1';
const NEXT = '198.51.100.2';
const NEXT_MAC = '52:54:00:00:01:02';
const POINTS: readonly HookPoint[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

let rig: NetRig;
beforeEach(() => {
  const interfaces = [HOST, ETH1].map(address => ({ address: parseIpv4(address), prefixLength: 24 }));
  rig = new NetRig({ interfaces, forwarding: true }, 2);
  rig.introducePeer();
  rig.inject(arpFrame({ opcode: 1, senderMac: NEXT_MAC, sender: NEXT, target: ETH1 }), 1);
  rig.sent(1);
});

const inject = (fields: Partial<Ipv4Fields>) =>
  rig.inject(
    frame({
      to: HOST_MAC,
      from: PEER_MAC,
      type: 0x0800,
      payload: ipv4({ source: PEER, destination: NEXT, protocol: 17, payload: [1, 2, 3, 4, 5, 6, 7, 8], ...fields }),
    }),
  );
const ECHO = { destination: HOST, protocol: 1, payload: icmp({ type: 8, data: [1, 2] }) };

/** Notes what each point sees: where a packet came in and leaves, its addresses, its time to live. */
function watch(): string[] {
  const seen: string[] = [];
  for (const point of POINTS) {
    rig.net.hooks.add(point, 0, (packet, from, to) => {
      const { source, destination, timeToLive } = headerOf(packet);
      const links = `${from?.name ?? '-'} ${to?.name ?? '-'}`;
      seen.push(`${point} ${links} ${formatIpv4(source)} ${formatIpv4(destination)} ${timeToLive}`);
      return true;
    });
  }
  return seen;
}

function headerOf(packet: PacketBuffer): Ipv4Header {
  const header = new Ipv4Header();
  expect(parseUnchecked(packet.bytes, packet.start, packet.length, header)).toBe(true);
  return header;
}

/** What address translation does. */
function rewrite(packet: PacketBuffer, fields: Partial<Pick<Ipv4Header, 'source' | 'destination'>>): true {
  emit(packet.bytes, packet.start, Object.assign(headerOf(packet), fields));
  return true;
}

const destinationOf = (octets: Uint8Array): string => octets.subarray(30, 34).join('.');

describe('hooks see', () => {
  test('a packet for others at prerouting, forward and postrouting', () => {
    const seen = watch();
    inject({ ttl: 9 });
    expect(seen).toEqual([
      `prerouting eth0 - ${PEER} ${NEXT} 9`,
      `forward eth0 eth1 ${PEER} ${NEXT} 9`,
      `postrouting eth0 eth1 ${PEER} ${NEXT} 8`,
    ]);
  });

  test('a packet for this host at prerouting and input, and what this host sends at output and postrouting', () => {
    const seen = watch();
    inject(ECHO);
    expect(seen).toEqual([
      `prerouting eth0 - ${PEER} ${HOST} 64`,
      `input eth0 - ${PEER} ${HOST} 64`,
      `output - eth0 ${HOST} ${PEER} 64`,
      `postrouting - eth0 ${HOST} ${PEER} 64`,
    ]);
  });

  test('nothing of a packet that fails the checks of its header', () => {
    const seen = watch();
    inject({ checksumError: 1 });
    inject({ source: '127.0.0.1' });
    expect(seen).toEqual([]);
  });

  test('in the order of their priorities, and of equal ones in that of adding', () => {
    const order: string[] = [];
    const { destinationNat, filter, sourceNat } = HOOK_PRIORITY;
    for (const [name, priority] of Object.entries({
      last: sourceNat,
      first: destinationNat,
      mid: filter,
      mid2: filter,
    }))
      rig.net.hooks.add('forward', priority, () => order.push(name) > 0);
    inject({});
    expect(order).toEqual(['first', 'mid', 'mid2', 'last']);
  });
});

test.each(POINTS)('a hook at %s that takes a packet over ends it there', point => {
  const seen = watch();
  const taken: PacketBuffer[] = [];
  rig.net.hooks.add(point, -1, packet => taken.push(packet) < 0);
  inject({});
  inject(ECHO);
  expect(seen.filter(line => line.startsWith(point))).toEqual([]);
  expect(taken.length).toBeGreaterThan(0);
  for (const packet of taken) rig.net.drops.drop(packet, 'test', 'martian source');
  rig.expectNoLeak();
});

describe('a destination that a hook rewrites', () => {
  test('at prerouting is where the packet goes: to others', () => {
    rig.net.hooks.add('prerouting', 0, packet => rewrite(packet, { destination: parseIpv4(NEXT) }));
    inject({ destination: HOST });
    expect(destinationOf(rig.sent(1))).toBe(NEXT);
    rig.expectNothing();
  });

  test('at prerouting is where the packet goes: to this host', () => {
    const seen = watch();
    rig.net.hooks.add('prerouting', -1, packet => rewrite(packet, { destination: parseIpv4(HOST) }));
    inject({});
    expect(seen[1]).toBe(`input eth0 - ${PEER} ${HOST} 64`);
  });

  test('at output is looked up again', () => {
    rig.net.hooks.add('output', 0, packet => rewrite(packet, { destination: parseIpv4(NEXT) }));
    inject(ECHO);
    expect(destinationOf(rig.sent(1))).toBe(NEXT);
    rig.expectNothing();
  });

  test('at output, to where no route leads, is the end of the packet', () => {
    rig.net.hooks.add('output', 0, packet => rewrite(packet, { destination: parseIpv4('172.16.0.1') }));
    inject(ECHO);
    rig.expectNothing();
    expect(rig.net.drops.counts['no route']).toBe(1);
    rig.expectNoLeak();
  });
});

test('a source that was translated, to which nobody answered, hears of it by way of the hooks', () => {
  rig.net.hooks.add('postrouting', 0, (packet, from) =>
    from === null ? true : rewrite(packet, { source: parseIpv4(ETH1) }),
  );
  rig.net.hooks.add('output', 0, packet => {
    return headerOf(packet).protocol === 1 ? rewrite(packet, { destination: parseIpv4(PEER) }) : true;
  });
  inject({ destination: '198.51.100.9' });
  rig.advance(4 * SECOND_NS);
  const error = rig.sent();
  expect([destinationOf(error), error[34], error[35]]).toEqual([PEER, 3, 1]);
});
