import { beforeEach, describe, expect, test } from 'vitest';
import type { Link } from '../../../../kernel/net/ipv4/link.ts';
import { flowOf } from '../../../../kernel/net/next-hop.ts';
import { formatRoute, type NewRoute, type RouteEdit, RouteTable } from '../../../../kernel/net/route.ts';
import { NetStack } from '../../../../kernel/net/stack.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { GATEWAY, HOST, NetRig } from '../../../support/net-rig.ts';

const link = (name: string, address = '192.0.2.1'): Link => ({
  name,
  type: 'none',
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
  test('1812-2 by the longest prefix that matches, whatever the order of adding', () => {
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

  test('by the lowest metric among equal prefixes, whatever the order of adding', () => {
    add('10.0.0.0/8', 'first', { metric: 5 });
    add('10.0.0.0/8', 'second', { metric: 5 });
    add('10.0.0.0/8', 'cheaper', { metric: 1 });
    add('10.0.0.0/8', 'dearest', { metric: 0xffff_ffff });
    expect(find('10.0.0.1')).toBe('cheaper');
    expect(table.list().map(route => route.link.name)).toEqual(['cheaper', 'first', 'second', 'dearest']);
  });

  test('no more when it has been removed: then what it hid is seen', () => {
    add('0.0.0.0/0', 'default');
    add('10.0.0.0/8', 'shorter');
    add('10.0.0.0/9', 'longer');
    const host: NewRoute = { destination: parseIpv4('10.0.0.1'), prefixLength: 32, link: link('host') };
    table.add(host);
    expect([find('10.0.0.1'), find('10.128.0.1')]).toEqual(['host', 'shorter']);
    table.remove(host);
    table.remove(host);
    expect([find('10.0.0.1'), find('10.128.0.1'), find('11.0.0.1')]).toEqual(['longer', 'shorter', 'default']);
    expect(table.size).toBe(3);
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
  table = new RouteTable(3);
  for (let i = 0; i < 3; i++) add(`10.${i}.0.0/16`, 'x');
  expect(() => add('11.0.0.0/8', 'x')).toThrow(RangeError);
  expect(find('11.0.0.1')).toBe(undefined);
});

test('a route that is there already is not added again', () => {
  const route: NewRoute = { destination: parseIpv4('10.0.0.0'), prefixLength: 8, link: link('x') };
  table.add(route);
  table.add(route);
  table.add({ ...route, metric: 1 });
  expect(table.size).toBe(2);
});

test('edits are made all or none', () => {
  const edit = (action: RouteEdit['action'], text: string, prefixLength: number): RouteEdit => {
    return { action, route: { destination: parseIpv4(text), prefixLength, link: shared } };
  };
  const shared = link('x');
  table.edit([edit('add', '10.0.0.0', 8), edit('add', '11.0.0.0', 8), edit('remove', '10.0.0.0', 8)]);
  expect([find('10.0.0.1'), find('11.0.0.1')]).toEqual([undefined, 'x']);
  for (const bits of [33, -1, 0.5, Number.NaN]) {
    expect(() => table.edit([edit('remove', '11.0.0.0', 8), edit('add', '10.0.0.0', bits)])).toThrow(RangeError);
    expect(find('11.0.0.1')).toBe('x');
  }
});

describe('1812-11 routes that are equally good', () => {
  const FLOWS = Array.from({ length: 4000 }, (_, i) => flowOf(0xc000_0200 + (i >>> 6), 0x0a00_0000 + (i & 63)));
  const pathOf = (flow: number) => table.find(0x0a00_0000, flow)!.link.name;
  const paths = ['a', 'b', 'c', 'd'].map(name => link(name));
  beforeEach(() => {
    for (const path of paths) table.add({ destination: 0x0a00_0000, prefixLength: 8, link: path });
    table.add({ destination: 0x0a00_0000, prefixLength: 8, link: link('dearer'), metric: 1 });
  });

  test('share the flows evenly, and each flow has its own at all times', () => {
    const counts: Record<string, number> = {};
    for (const flow of FLOWS) counts[pathOf(flow)] = (counts[pathOf(flow)] ?? 0) + 1;
    expect(Object.keys(counts).sort()).toEqual(['a', 'b', 'c', 'd']);
    for (const count of Object.values(counts)) expect(Math.abs(count - 1000)).toBeLessThan(150);
    const before = FLOWS.map(pathOf);
    add('10.1.0.0/16', 'unrelated');
    expect(FLOWS.map(pathOf)).toEqual(before);
  });

  test('lose one of them without harm to the flows of the others, which get it back', () => {
    const before = FLOWS.map(pathOf);
    table.linkChanged(paths[1]!, false);
    const after = FLOWS.map(pathOf);
    expect(new Set(after)).toEqual(new Set(['a', 'c', 'd']));
    expect(after.filter((path, i) => before[i] !== 'b' && path !== before[i])).toEqual([]);
    table.linkChanged(paths[1]!, true);
    expect(FLOWS.map(pathOf)).toEqual(before);
  });

  test('leave the field to a dearer one when all are down', () => {
    for (const path of paths) table.linkChanged(path, false);
    expect(new Set(FLOWS.map(pathOf))).toEqual(new Set(['dearer']));
    expect(table.list().filter(({ usable }) => usable).length).toBe(1);
  });
});

describe('1812-11 an interface that goes down', () => {
  const UP = { up: true, speedMbps: 1000, fullDuplex: true };
  const interfaces = [HOST, '198.51.100.1'].map(address => ({ address: parseIpv4(address), prefixLength: 24 }));
  const destinations = ['192.0.2.9', '198.51.100.9', '10.0.0.1'];
  const routes = [{ destination: parseIpv4('10.0.0.0'), prefixLength: 8, gateway: parseIpv4('198.51.100.2') }];
  const linksOf = (rig: NetRig) => destinations.map(text => rig.net.routes.find(parseIpv4(text))?.link.name ?? null);

  test('takes its routes along, and brings them back, but a router keeps its addresses', () => {
    const rig = new NetRig({ interfaces, routes, forwarding: true }, 2);
    expect(linksOf(rig)).toEqual(['eth0', 'eth1', 'eth1']);
    rig.setLink(false, 1);
    expect(linksOf(rig)).toEqual(['eth0', null, null]);
    expect(rig.net.routes.find(parseIpv4('198.51.100.1'))?.link.name).toBe('lo');
    rig.net.interfaces[1]!.linkChanged(UP);
    rig.settle();
    expect(linksOf(rig)).toEqual(['eth0', 'eth1', 'eth1']);
  });

  test('gives way to another one with a route of a higher metric', () => {
    const backup = { ...routes[0]!, gateway: parseIpv4('192.0.2.2'), metric: 9 };
    const rig = new NetRig({ interfaces, routes: [...routes, backup], forwarding: true }, 2);
    rig.setLink(false, 1);
    expect(linksOf(rig)).toEqual(['eth0', null, 'eth0']);
  });

  test('leaves the routes of a host alone', () => {
    const rig = new NetRig({ interfaces, routes }, 2);
    rig.setLink(false, 1);
    expect(linksOf(rig)).toEqual(['eth0', 'eth1', 'eth1']);
  });
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
      '0.0.0.0/0 via 192.0.2.254 dev eth0',
      '127.0.0.0/8 dev lo',
      '192.0.2.0/24 dev eth0',
      '192.0.2.1/32 dev lo',
      '198.51.100.0/25 dev eth1',
      '198.51.100.1/32 dev lo',
      '203.0.113.0/24 via 198.51.100.9 dev eth1',
      '255.255.255.255/32 dev eth0',
      '255.255.255.255/32 dev eth1',
    ]);
  });

  test('are none but the loopback before an interface is there', () => {
    const stack = new NetStack(new NetRig(), { interfaces: [] });
    expect(stack.routes.list().map(formatRoute)).toEqual(['127.0.0.0/8 dev lo']);
  });
});
