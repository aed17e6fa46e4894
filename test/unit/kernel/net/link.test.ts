import { beforeEach, describe, expect, test } from 'vitest';
import { hexBytes, parseIpv4 } from '../../../../src/lib/bytes.ts';
import { HOST, HOST_MAC, NetRig, PEER, PEER_MAC } from '../../../support/net-rig.ts';
import { frame, type Ipv4Fields, icmp, ipv4 } from '../../../support/packets.ts';
import { SerialLine } from '../../../support/serial-line.ts';

/** PEER 192.0.2.2 ----- eth0 192.0.2.1 [rig] 198.51.100.1 serial0 ===== 198.51.100.2 ----- 10.0.0.0/8 */
const REMOTE = '10.1.2.3';

let rig: NetRig;
let line: SerialLine;
beforeEach(() => {
  rig = new NetRig({
    interfaces: [{ address: parseIpv4(HOST), prefixLength: 24 }],
    routes: [{ destination: parseIpv4('10.0.0.0'), prefixLength: 8, gateway: parseIpv4('198.51.100.2') }],
    forwarding: true,
  });
  line = new SerialLine(rig.net, rig.packets, 'serial0', '198.51.100.1', 576);
  rig.introducePeer();
});

const packet = (fields: Partial<Ipv4Fields> = {}): Uint8Array =>
  ipv4({ source: PEER, destination: REMOTE, protocol: 17, payload: [1, 2, 3, 4], ...fields });
const inject = (fields: Partial<Ipv4Fields> = {}): void =>
  rig.inject(frame({ to: HOST_MAC, from: PEER_MAC, type: 0x0800, payload: packet(fields) }));

describe('a link that is not Ethernet', () => {
  test('takes what the routes send its way', () => {
    inject({ ttl: 9 });
    expect(line.sent.map(octets => hexBytes(octets))).toEqual([hexBytes(packet({ ttl: 8 }))]);
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('brings in what goes out by an Ethernet', () => {
    const fields = { source: REMOTE, destination: PEER };
    line.receive(packet({ ...fields, ttl: 9 }));
    rig.expectSent(frame({ to: PEER_MAC, from: HOST_MAC, type: 0x0800, payload: packet({ ...fields, ttl: 8 }) }));
    rig.expectNoLeak();
  });

  test('brings in what is for this host, which answers by it', () => {
    line.receive(packet({ source: REMOTE, destination: HOST, protocol: 1, payload: icmp({ type: 8, word: 1 }) }));
    const [reply] = line.sent;
    expect(hexBytes(reply!.subarray(12))).toBe(
      hexBytes(
        ipv4({ source: HOST, destination: REMOTE, protocol: 1, payload: icmp({ type: 0, word: 1 }) }).subarray(12),
      ),
    );
  });

  test('is in the list of links with its type and its MTU', () => {
    expect(rig.net.links.map(({ name, type, mtu }) => [name, type, mtu])).toEqual([
      ['lo', 'loopback', 1500],
      ['eth0', 'Ethernet', 1500],
      ['serial0', 'leased line', 576],
    ]);
  });

  test('1812-4 with an MTU that is too small for a packet with DF makes the router say so, and how small', () => {
    const fields = { payload: new Uint8Array(557), fragment: 0x4000 };
    inject(fields);
    rig.expectSentIpv4({
      protocol: 1,
      payload: icmp({ type: 3, code: 4, word: 576, data: packet(fields).subarray(0, 548) }),
      tos: 0xc0,
    });
    expect(line.sent).toEqual([]);
    expect(rig.net.drops.counts['fragmentation needed']).toBe(1);
    rig.expectNoLeak();
    inject({ payload: new Uint8Array(556), fragment: 0x4000 });
    expect(line.sent.map(octets => octets.length)).toEqual([576]);
  });
});
