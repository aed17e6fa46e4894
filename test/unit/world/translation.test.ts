import { describe, expect, test } from 'vitest';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import { tcpServer } from '../../../kernel/apps/tcp-server.ts';
import type { Descriptor } from '../../../kernel/net/socket.ts';
import type { Syscalls } from '../../../kernel/syscall.ts';
import type { Blocking } from '../../../kernel/task.ts';
import { formatIpv4, parseIpv4 } from '../../../src/lib/bytes.ts';
import { kernelEvents } from '../../../src/observe/kernel-probe.ts';
import { natEvents } from '../../../src/observe/nat-probe.ts';
import type { Computer } from '../../../src/world/computer.ts';
import type { NatOptions } from '../../../src/world/translation.ts';
import { World } from '../../../src/world/world.ts';

const LINK_UP_NS = 2_500_000_000;
const SECOND_NS = 1_000_000_000;
const PORT = 80;
const PUBLIC = '203.0.113.1';
const SERVER = '203.0.113.9';

interface Home {
  readonly world: World;
  readonly alice: Computer;
  readonly bob: Computer;
  readonly router: Computer;
  readonly server: Computer;
}

/** Two hosts, each on a network of its own, behind a router that translates; a server on the public network. */
function home(options: Partial<NatOptions> = {}): Home {
  const world = new World('home');
  const alice = world.computer('alice', { nics: [{ address: '10.0.0.2/24', gateway: '10.0.0.1' }] });
  const bob = world.computer('bob', { nics: [{ address: '192.168.0.2/24', gateway: '192.168.0.1' }] });
  const router = world.computer('router', {
    nics: [{ address: '10.0.0.1/24' }, { address: '192.168.0.1/24' }, { address: `${PUBLIC}/24` }],
    forwarding: true,
    nat: { outside: 'eth2', ...options },
  });
  const server = world.computer('server', { nics: [{ address: `${SERVER}/24` }] });
  [alice, bob, server].forEach((computer, i) => {
    world.cable(`${computer.name}'s`, computer.nics[0]!, router.nics[i]!);
  });
  return { world, alice, bob, router, server };
}

/** Tells each client by whom it is seen, and notes that. */
function greeter(clients: string[]) {
  return tcpServer('greeter', { port: PORT }, function* (sys: Syscalls, socket: Descriptor): Blocking<void> {
    const { address, port } = sys.getpeername(socket);
    clients.push(`${formatIpv4(address)}:${port}`);
    yield* sys.send(socket, new TextEncoder().encode(`${formatIpv4(address)}:${port}`));
  });
}

/** Reads all that a server has to say; `got` gets it. */
function visit(computer: Computer, address: string, localPort: number, got: string[], port = PORT): void {
  computer.start('visit', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    const socket = sys.socket('tcp');
    sys.bind(socket, 0, localPort);
    yield* sys.connect(socket, parseIpv4(address), port);
    let text = '';
    for (;;) {
      const bytes = yield* sys.recv(socket);
      if (bytes.length === 0) break;
      text += new TextDecoder().decode(bytes);
    }
    got.push(text);
    sys.close(socket);
  });
}

function run({ world }: Home, seconds = 2): void {
  world.run(LINK_UP_NS + seconds * SECOND_NS);
  expect(world.failedPrograms()).toEqual([]);
}

test('NAT-1 two hosts inside, with one port, reach a server that sees the public address alone', () => {
  const network = home();
  const clients: string[] = [];
  const got: string[] = [];
  network.server.start('greeter', greeter(clients));
  visit(network.alice, SERVER, 50_000, got);
  visit(network.bob, SERVER, 50_000, got);
  run(network);
  expect(clients).toHaveLength(2);
  expect(clients).toContain(`${PUBLIC}:50000`);
  expect(new Set(clients).size).toBe(2);
  for (const client of clients) expect(client.startsWith(`${PUBLIC}:`)).toBe(true);
  expect([...got].sort()).toEqual([...clients].sort());
  const rows = network.router.kernel.net.nat!.table();
  expect(rows.map(({ privateAddress, state }) => `${formatIpv4(privateAddress)} ${state}`).sort()).toEqual([
    '10.0.0.2 BOTH FINS',
    '192.168.0.2 BOTH FINS',
  ]);
});

test('a ping goes out and comes back', () => {
  const network = home();
  const reports: PingReport[] = [];
  network.alice.start('ping', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    yield* ping(parseIpv4(SERVER), { count: 2 }, report => reports.push(report))(sys);
  });
  run(network);
  const reply = { kind: 'reply', address: parseIpv4(SERVER), ttl: 63 };
  expect(reports).toMatchObject([reply, reply]);
});

describe('a server inside', () => {
  const forward = [{ protocol: 'tcp', port: 8000, to: `10.0.0.2:${PORT}` }] as const;

  test('is reached from outside by its forwarded port', () => {
    const network = home({ forward });
    const got: string[] = [];
    network.alice.start('greeter', greeter([]));
    visit(network.server, PUBLIC, 40_000, got, 8000);
    run(network);
    expect(got).toEqual([`${SERVER}:40000`]);
  });

  test('NAT-3 is reached by the public address from its own side of the router', () => {
    const network = home({ forward });
    const got: string[] = [];
    network.alice.start('greeter', greeter([]));
    visit(network.bob, PUBLIC, 40_000, got, 8000);
    run(network);
    expect(got).toEqual([`${PUBLIC}:40000`]);
  });

  test('is reached by the public address from the router itself', () => {
    const network = home({ forward });
    const got: string[] = [];
    network.alice.start('greeter', greeter([]));
    visit(network.router, PUBLIC, 40_000, got, 8000);
    run(network);
    expect(got).toEqual([`${PUBLIC}:40000`]);
  });
});

describe('the router itself', () => {
  test('reaches the server, although somebody inside has its port', () => {
    const network = home();
    const clients: string[] = [];
    const got: string[] = [];
    network.server.start('greeter', greeter(clients));
    visit(network.alice, SERVER, 50_000, got);
    network.router.start('later', function* (sys) {
      yield* sys.sleep(LINK_UP_NS + SECOND_NS);
      const socket = sys.socket('tcp');
      sys.bind(socket, 0, 50_000);
      yield* sys.connect(socket, parseIpv4(SERVER), PORT);
      got.push(new TextDecoder().decode(yield* sys.recv(socket)));
    });
    run(network);
    expect(clients[0]).toBe(`${PUBLIC}:50000`);
    expect(clients[1]).not.toBe(`${PUBLIC}:50000`);
    expect(got).toEqual(clients);
  });

  test('keeps the port that it listens at, and serves both sides', () => {
    const network = home();
    const clients: string[] = [];
    const got: string[] = [];
    network.router.start('greeter', greeter(clients));
    network.server.start('greeter', greeter(clients));
    visit(network.server, PUBLIC, 1234, got);
    visit(network.bob, PUBLIC, 1234, got);
    visit(network.alice, SERVER, PORT, got);
    run(network);
    const third = clients.filter(client => client.startsWith(PUBLIC));
    expect(third).toHaveLength(1);
    expect(third).not.toContain(`${PUBLIC}:${PORT}`);
    expect([...got].sort()).toEqual([`192.168.0.2:1234`, `${SERVER}:1234`, ...third].sort());
  });
});

test('changes of the table, and what was looked up in it, can be watched', () => {
  const network = home();
  const { router, world } = network;
  const changes: string[] = [];
  const lookups: string[] = [];
  const watched = natEvents(router.kernel.net.nat!, 'router', world.clock).subscribe(({ host, change, row }) => {
    changes.push(`${host} ${change} ${formatIpv4(row.privateAddress)}:${row.privatePort} ${row.state}`);
  });
  kernelEvents(router.kernel, 'router', world.clock).subscribe(event => {
    if (event.kind === 'nat') lookups.push(event.text);
  });
  network.server.start('greeter', greeter([]));
  visit(network.alice, SERVER, 50_000, []);
  run(network, 300);
  expect(changes).toEqual([
    'router added 10.0.0.2:50000 INSIDE INIT',
    'router changed 10.0.0.2:50000 ESTABLISHED',
    'router changed 10.0.0.2:50000 OUTSIDE FIN',
    'router changed 10.0.0.2:50000 BOTH FINS',
    'router removed 10.0.0.2:50000 EXPIRED',
  ]);
  expect(lookups.slice(0, 2)).toEqual([`tcp 10.0.0.2:50000 → ${PUBLIC}:50000`, `tcp ${PUBLIC}:50000 → 10.0.0.2:50000`]);
  watched.unsubscribe();
  expect(router.kernel.net.nat!.observer).toBeNull();
  expect(router.kernel.net.nat!.statistics()).toMatchObject({ mappings: 0, sessions: 0 });
});

describe('options that make no sense are refused when they are said', () => {
  test.each<[Partial<NatOptions>, string]>([
    [{ outside: 'eth3' }, 'NAT: the computer has no interface "eth3"'],
    [{ outside: 'wan' }, 'NAT: the computer has no interface "wan"'],
    [{ outside: -1 }, 'NAT: the computer has no interface "-1"'],
    [{ inside: 'eth2' }, 'NAT: eth2 is both inside and outside'],
    [{ inside: '10.0.0.1/8' }, '10.0.0.1/8 has bits set beyond its prefix'],
    [{ inside: ['lan'] }, 'not an address with a prefix: "lan"'],
    [{ public: ['203.0.113.5', '203.0.113.5'] }, 'a public address of NAT is given twice'],
    [{ public: ['0.0.0.0'] }, 'NAT needs a public address'],
    [{ filtering: 'none' as 'address-dependent' }, 'NAT filtering "none"'],
    [{ timeouts: { icmpNs: 1e9 } }, 'NAT timeout icmpNs of 1000000000 ns: a whole number of them, 60 s to a year'],
    [{ timeouts: { udpNs: Number.NaN } }, 'NAT timeout udpNs of NaN ns'],
    [{ forward: [{ protocol: 'icmp' as 'udp', port: 1, to: '10.0.0.2' }] }, 'NAT forwards tcp and udp, not "icmp"'],
    [{ forward: [{ protocol: 'udp', port: 0, to: '10.0.0.2:1' }] }, 'not a port'],
    [{ forward: [{ protocol: 'udp', port: 1, to: '10.0.0.2:70000' }] }, 'not a port'],
    [{ forward: [{ protocol: 'udp', port: 1, to: 'bob' }] }, 'not an address with a port: "bob"'],
    [{ forward: [{ protocol: 'udp', port: 1, to: '10.0.0.2', public: '203.0.113.5' }] }, 'none of the shared public'],
    [
      {
        forward: [
          { protocol: 'udp', port: 1, to: '10.0.0.2' },
          { protocol: 'udp', port: 1, to: '10.0.0.3' },
        ],
      },
      'forward of udp 203.0.113.1:1 to 10.0.0.3:1: one of the two is in use already',
    ],
    [{ static: [{ public: PUBLIC, private: '10.0.0.2' }] }, '203.0.113.1 is in use by NAT already'],
    [
      {
        static: [
          { public: '203.0.113.5', private: '10.0.0.2' },
          { public: '203.0.113.6', private: '10.0.0.2' },
        ],
      },
      '10.0.0.2 has two static addresses',
    ],
  ])('%j', (options, message) => {
    expect(() => home(options)).toThrow(RangeError);
    expect(() => home(options)).toThrow(message);
  });

  test('NAT on a computer that does not forward', () => {
    const build = () => new World('1').computer('a', { nics: [{ address: '192.0.2.1/24' }], nat: { outside: 0 } });
    expect(build).toThrow('NAT on a computer that does not forward');
  });

  test('NAT by an interface without an address', () => {
    const nics = [{ address: '10.0.0.1/24' }, {}];
    const build = () => new World('1').computer('a', { nics, forwarding: true, nat: { outside: 1 } });
    expect(build).toThrow('NAT needs a public address: the outside interface has none');
  });
});
