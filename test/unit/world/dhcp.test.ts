/** Computers whose addresses come by DHCP, and who gives them. */
import { describe, expect, test } from 'vitest';
import { DhcpServer } from '../../../kernel/apps/dhcp/server.ts';
import type { DhcpServerOptions } from '../../../kernel/apps/dhcp/server-options.ts';
import { dnsServer } from '../../../kernel/apps/dns/server.ts';
import { formatIpv4 } from '../../../src/lib/bytes.ts';
import { type Computer, FREE } from '../../../src/world/computer.ts';
import { World } from '../../../src/world/world.ts';

const SECOND_NS = 1_000_000_000;
/** Link, 10 s of waiting, the server's ping, 7 s of probing. */
const BOUND_NS = 22 * SECOND_NS;
const OPTIONS: DhcpServerOptions = {
  ranges: [['192.0.2.100', '192.0.2.110']],
  router: '192.0.2.1',
  dnsServers: ['192.0.2.1'],
  leaseSeconds: 60,
};

interface Network {
  readonly world: World;
  readonly server: Computer;
  readonly dhcp: DhcpServer;
  readonly clients: readonly Computer[];
}

/** A server at 192.0.2.1, `clientCount` clients, and hosts that have addresses already, on a switch. */
function network(
  clientCount: number,
  hosts: readonly string[] = [],
  options: Partial<DhcpServerOptions> = {},
): Network {
  const world = new World('dhcp');
  const server = world.computer('server', { nics: [{ address: '192.0.2.1/24' }], costs: FREE });
  const dhcp = new DhcpServer({ ...OPTIONS, ...options });
  server.start('dhcp', dhcp.program);
  server.start('dns', dnsServer({ zones: [{ origin: 'example.net', records: [['www', 'A', '203.0.113.9']] }] }));
  const clients = Array.from({ length: clientCount }, (_, i) =>
    world.computer(`client${i}`, { nics: [{ address: 'dhcp' }], costs: FREE }),
  );
  const others = hosts.map((address, i) =>
    world.computer(`host${i}`, { nics: [{ address: `${address}/24` }], costs: FREE }),
  );
  world.switch(
    'sw',
    [server, ...clients, ...others].map(({ nics }) => nics[0]!),
  );
  return { world, server, dhcp, clients };
}

const addresses = (computers: readonly Computer[]): string[] =>
  computers.map(({ kernel }) => formatIpv4(kernel.net.interfaces[0]!.address));

describe('computers with `address: dhcp`', () => {
  test('have addresses of their own, and keep them', () => {
    const { world, dhcp, server, clients } = network(3);
    world.run(BOUND_NS);
    const had = addresses(clients);
    expect(had.toSorted()).toEqual(['192.0.2.100', '192.0.2.101', '192.0.2.102']);
    expect(dhcp.leases(server.kernel.nowNs()).map(({ state }) => state)).toEqual(['bound', 'bound', 'bound']);
    expect(
      dhcp
        .leases(server.kernel.nowNs())
        .map(({ hostName }) => hostName)
        .toSorted(),
    ).toEqual(clients.map(({ name }) => name));
    // Some leases later.
    world.run(200 * SECOND_NS);
    expect(addresses(clients)).toEqual(had);
    expect(dhcp.counters).toMatchObject({ offers: 3, naks: 0, conflicts: 0 });
    expect(dhcp.counters.acks).toBeGreaterThan(12);
    expect(world.failedPrograms()).toEqual([]);
  });

  test('are not offered what somebody is found to have (RFC 2131 2.2)', () => {
    const { world, dhcp, clients } = network(1, ['192.0.2.100', '192.0.2.101']);
    world.run(BOUND_NS + SECOND_NS);
    expect(addresses(clients)).toEqual(['192.0.2.102']);
    expect(dhcp.counters).toMatchObject({ offers: 1, conflicts: 2 });
  });

  test('get what is reserved for them', () => {
    const mac = '52:54:00:00:00:02';
    const { world, clients } = network(1, [], { reservations: [{ mac, address: '192.0.2.7' }] });
    world.run(BOUND_NS);
    expect(addresses(clients)).toEqual(['192.0.2.7']);
  });

  test('find names by the server that they were told of', () => {
    const { world, clients } = network(1);
    const found: string[] = [];
    clients[0]!.start('look', function* (sys) {
      while (sys.interfaceStatus('eth0').address === 0) yield* sys.awaitInterface('eth0');
      found.push(...(yield* clients[0]!.resolver.lookup(sys, 'www.example.net')).map(formatIpv4));
    });
    world.run(BOUND_NS);
    expect(found).toEqual(['203.0.113.9']);
  });

  test('lose their address when the server is gone, at the end of the lease', () => {
    const { world, clients } = network(1);
    world.run(BOUND_NS);
    world.wires.get('sw.port0')!.cable.cut();
    world.run(BOUND_NS + 40 * SECOND_NS);
    expect(addresses(clients)).toEqual(['192.0.2.100']);
    world.run(BOUND_NS + 61 * SECOND_NS);
    expect(addresses(clients)).toEqual(['0.0.0.0']);
    expect(clients[0]!.nics[0]!.dhcp!.lease).toBeNull();
  });
});

describe('what makes no sense', () => {
  test.each<[Partial<DhcpServerOptions>, RegExp]>([
    [
      { ranges: [['192.0.3.1', '192.0.3.9']] },
      /192\.0\.3\.1 to 192\.0\.3\.9 is not all on the network of 192\.0\.2\.1\/24/,
    ],
    [{ ranges: [['192.0.2.0', '192.0.2.9']] }, /for no client/],
    [{ ranges: [['192.0.2.1', '192.0.2.9']] }, /192\.0\.2\.1, among .* for no client/],
    [{ ranges: [['192.0.2.200', '192.0.2.255']] }, /192\.0\.2\.255, among/],
    [{ router: '10.0.0.1' }, /10\.0\.0\.1 is not on the network/],
    [{ interface: 'eth7' }, /ENODEV: there is no interface eth7/],
  ])('%j ends the server with an error', (options, message) => {
    const { world } = network(0, [], options);
    world.run(SECOND_NS);
    expect(world.failedPrograms().map(({ error }) => error.message)).toEqual([expect.stringMatching(message)]);
  });

  test('a gateway, where there is no address', () => {
    expect(() => new World('1').computer('a', { nics: [{ address: 'dhcp', gateway: '192.0.2.1' }] })).toThrow(
      RangeError,
    );
  });

  test('address translation to a public address that is still to be learnt', () => {
    const nics = [{ address: '10.0.0.1/24' }, { address: 'dhcp' }];
    expect(() => new World('1').computer('a', { nics, forwarding: true, nat: { outside: 'eth1' } })).toThrow(
      'NAT needs a public address',
    );
  });
});

test('a static route is used once its gateway is on the network that was learnt', () => {
  const world = new World('1');
  const server = world.computer('server', { nics: [{ address: '192.0.2.1/24' }], costs: FREE });
  server.start('dhcp', new DhcpServer(OPTIONS).program);
  const client = world.computer('client', {
    nics: [{ address: 'dhcp' }],
    routes: [{ destination: '10.0.0.0/8', gateway: '192.0.2.9' }],
    costs: FREE,
  });
  world.cable('cable', server.nics[0]!, client.nics[0]!);
  const has = () => client.kernel.net.routes.find(0x0a00_0001)?.gateway === 0xc000_0209;
  world.run(SECOND_NS);
  expect(has()).toBe(false);
  world.run(BOUND_NS);
  expect(has()).toBe(true);
});
