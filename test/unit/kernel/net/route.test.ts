import { beforeEach, describe, expect, test } from 'vitest';
import type { Link } from '../../../../kernel/net/ipv4/link.ts';
import { formatRoute, type NewRoute, RouteTable } from '../../../../kernel/net/route.ts';
import { NetStack } from '../../../../kernel/net/stack.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { GATEWAY, HOST, NetRig } from '../../../support/net-rig.ts';

const link = (name: string, address = '192.0.2.1'): Link => ({
  name,
  mtu: 1500,
  address: parseIpv4(address),
  prefixLength: 24,
  broadcast: 0xffff_ffff,
  loopback: false,
  features: { checksum: false, segmentationBuffers: 0, vlan: false },
  send: () => {},
});

let table: RouteTable;
beforeEach(() => {
  table = new RouteTable();
});

const add = (text: string, name: string, more: Partial<NewRoute> = {}) => {
  const [destination, prefixLength] = text.split('/') as [string, string];
  table.add({ destination: parseIpv4(destination), prefixLength: Number(prefixLength), link: link(name), ...more });
};
const find = (address: string) => table.find(parseIpv4(address))?.link.name;

describe('a route is found', () => {
  test('by the longest prefix that matches, whatever the order of adding', () => {
    add('0.0.0.0/0', 'default');
    add('10.1.0.0/16', 'longer');
    add('10.0.0.0/8', 'shorter');
    add('10.1.2.3/32', 'host');
    expect(['10.1.2.3', '10.1.2.4', '10.2.0.0', '11.0.0.0', '255.1.2.3'].map(find)).toEqual([
      'host',
      'longer',
      'shorter',
      'default',
      'default',
    ]);
  });

  test('by the lowest metric among equal prefixes, then by age', () => {
    add('10.0.0.0/8', 'first', { metric: 5 });
    add('10.0.0.0/8', 'second', { metric: 5 });
    add('10.0.0.0/8', 'cheaper', { metric: 1 });
    expect(find('10.0.0.1')).toBe('cheaper');
    expect(table.list().map(route => route.link.name)).toEqual(['cheaper', 'first', 'second']);
  });

  test('in the upper half of the addresses too, where a signed comparison would fail', () => {
    add('192.0.2.0/24', 'high');
    add('128.0.0.0/1', 'half');
    expect([find('192.0.2.255'), find('192.0.3.0'), find('127.255.255.255')]).toEqual(['high', 'half', undefined]);
  });

  test('for no multicast address, not even by the default route', () => {
    add('0.0.0.0/0', 'default');
    expect([find('224.0.0.1'), find('239.255.255.255')]).toEqual([undefined, undefined]);
  });
});

test('bits of the destination beyond the prefix are dropped', () => {
  add('10.1.2.3/8', 'net');
  expect(table.list()[0]?.destination).toBe(parseIpv4('10.0.0.0'));
});

test('a route has the address of its link as source, unless it says otherwise', () => {
  add('10.0.0.0/8', 'a');
  add('10.1.0.0/16', 'b', { source: parseIpv4('10.1.0.9') });
  expect(table.find(parseIpv4('10.2.0.1'))?.source).toBe(parseIpv4('192.0.2.1'));
  expect(table.find(parseIpv4('10.1.0.1'))?.source).toBe(parseIpv4('10.1.0.9'));
});

test('the table is bounded', () => {
  for (let i = 0; i < 4096; i++) add(`10.${i >> 8}.${i & 255}.0/24`, 'x');
  expect(() => add('11.0.0.0/8', 'x')).toThrow(RangeError);
});

describe('the routes of a host', () => {
  test('follow from its configuration', () => {
    const rig = new NetRig(
      {
        interfaces: [
          { address: parseIpv4(HOST), prefixLength: 24, gateway: parseIpv4(GATEWAY) },
          { address: parseIpv4('198.51.100.1'), prefixLength: 25 },
        ],
        routes: [
          { destination: parseIpv4('203.0.113.0'), prefixLength: 24, gateway: parseIpv4('198.51.100.9') },
          { destination: parseIpv4('203.0.114.0'), prefixLength: 24, gateway: parseIpv4('10.9.9.9') },
        ],
      },
      2,
    );
    expect(rig.net.routes.list().map(formatRoute)).toEqual([
      '192.0.2.1/32 dev lo',
      '255.255.255.255/32 dev eth0',
      '198.51.100.1/32 dev lo',
      '255.255.255.255/32 dev eth1',
      '198.51.100.0/25 dev eth1',
      '192.0.2.0/24 dev eth0',
      '203.0.113.0/24 via 198.51.100.9 dev eth1',
      '127.0.0.0/8 dev lo',
      '0.0.0.0/0 via 192.0.2.254 dev eth0',
    ]);
  });

  test('are none but the loopback before an interface is there', () => {
    const stack = new NetStack(new NetRig(), { interfaces: [] });
    expect(stack.routes.list().map(formatRoute)).toEqual(['127.0.0.0/8 dev lo']);
  });
});
