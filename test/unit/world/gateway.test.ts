/** A router that translates addresses and filters, between two inside networks and the outside: all parts at once. */
import { describe, expect, test } from 'vitest';
import { type PingReport, ping } from '../../../kernel/apps/ping.ts';
import { tcpServer } from '../../../kernel/apps/tcp-server.ts';
import type { Descriptor } from '../../../kernel/net/socket.ts';
import type { Syscalls } from '../../../kernel/syscall.ts';
import type { Blocking } from '../../../kernel/task.ts';
import { formatIpv4, parseIpv4 } from '../../../src/lib/bytes.ts';
import { type Computer, FREE } from '../../../src/world/computer.ts';
import type { NatOptions } from '../../../src/world/translation.ts';
import { World } from '../../../src/world/world.ts';

const LINK_UP_NS = 2_500_000_000;
const SECOND_NS = 1_000_000_000;
const PUBLIC = '203.0.113.1';
const SERVER = '203.0.113.9';
const ALICE = '10.0.0.2';
const BOB = '192.168.0.2';

/** The filter knows everybody by the private address. Of Alice's three forwarded ports one is open, one says no. */
const RULES = `
  table ip gateway {
    chain forward {
      type filter hook forward priority filter; policy drop;
      ct state invalid counter drop
      ct state established,related counter accept
      ip daddr ${ALICE} tcp dport 80 ct state new accept
      ip daddr ${ALICE} tcp dport 81 reject with tcp reset
      ip daddr ${SERVER} tcp dport 25 reject with tcp reset
      ip daddr ${SERVER} udp dport 25 reject
      iifname { "eth0", "eth1" } oifname "eth2" ct state new accept
    }
  }
`;
const FORWARD = [80, 81, 82].map(port => ({ protocol: 'tcp' as const, port: 8000 + port, to: `${ALICE}:${port}` }));

class Gateway {
  readonly world = new World('gateway');
  readonly alice: Computer;
  readonly bob: Computer;
  readonly router: Computer;
  readonly server: Computer;
  /** What came of each visit: what was said, or the error, and after how many seconds. */
  readonly visits: (readonly [string, number])[] = [];

  constructor(nat: Partial<NatOptions> = {}) {
    const { world } = this;
    const host = (name: string, address: string, gateway?: string) =>
      world.computer(name, {
        nics: [{ address: `${address}/24`, ...(gateway === undefined ? {} : { gateway }) }],
        costs: FREE,
      });
    this.alice = host('alice', ALICE, '10.0.0.1');
    this.bob = host('bob', BOB, '192.168.0.1');
    this.router = world.computer('router', {
      nics: [{ address: '10.0.0.1/24' }, { address: '192.168.0.1/24' }, { address: `${PUBLIC}/24` }],
      forwarding: true,
      nat: { outside: 'eth2', forward: FORWARD, ...nat },
      filter: RULES,
      costs: FREE,
    });
    this.server = host('server', SERVER);
    [this.alice, this.bob, this.server].forEach((computer, i) => {
      world.cable(`cable${i}`, computer.nics[0]!, this.router.nics[i]!);
    });
    for (const computer of [this.alice, this.server]) computer.start('greeter', GREETER);
  }

  /** Says what a server there says, or why there is none. */
  visit(computer: Computer, address: string, port: number): void {
    computer.start(
      'visit',
      function* (this: Gateway, sys: Syscalls): Blocking<void> {
        yield* sys.sleep(LINK_UP_NS);
        const socket = sys.socket('tcp');
        let said: string;
        try {
          yield* sys.connect(socket, parseIpv4(address), port);
          said = new TextDecoder().decode(yield* sys.recv(socket));
          sys.close(socket);
        } catch (error) {
          said = (error as { code?: string }).code ?? String(error);
        }
        this.visits.push([said, Math.floor((this.world.clock.nowNs - LINK_UP_NS) / SECOND_NS)]);
      }.bind(this),
    );
  }

  run(seconds: number): void {
    this.world.run(LINK_UP_NS + seconds * SECOND_NS);
    expect(this.world.failedPrograms()).toEqual([]);
  }

  get flows(): string[] {
    return this.router.kernel.net.filter!.tracker.flows().map(flow => {
      const { source, destination, destinationPort, answered, tcp } = flow;
      return `${formatIpv4(source)} ${formatIpv4(destination)}:${destinationPort} ${tcp?.state ?? answered}`;
    });
  }

  get invalid(): number {
    return this.router.kernel.net.filter!.tracker.counters.invalid;
  }
}

/** Tells each client by whom it is seen. */
const GREETER = tcpServer('greeter', { port: 80 }, function* (sys: Syscalls, socket: Descriptor): Blocking<void> {
  const { address } = sys.getpeername(socket);
  yield* sys.send(socket, new TextEncoder().encode(formatIpv4(address)));
});

describe.each([
  ['of private addresses', {}],
  ['of two interfaces', { inside: ['eth0', 'eth1'] }],
])('FW-1 NAT and filter on one router, the inside being that %s', (_, inside) => {
  test('both directions of a translated connection are one flow, with its private end', () => {
    const network = new Gateway(inside);
    network.visit(network.alice, SERVER, 80);
    network.run(2);
    expect(network.visits).toEqual([[PUBLIC, 0]]);
    expect(network.flows).toEqual([`${ALICE} ${SERVER}:80 TIME-WAIT`]);
    expect(network.invalid).toBe(0);
  });

  test('a forwarded port is judged by where it leads', () => {
    const network = new Gateway(inside);
    network.visit(network.server, PUBLIC, 8080);
    network.run(2);
    expect(network.visits).toEqual([[SERVER, 0]]);
    expect(network.flows).toEqual([`${SERVER} ${ALICE}:80 TIME-WAIT`]);
  });

  test('NAT-3 a packet that turns round is judged as one from inside to inside', () => {
    const network = new Gateway(inside);
    network.visit(network.bob, PUBLIC, 8080);
    network.run(2);
    expect(network.visits).toEqual([[PUBLIC, 0]]);
    expect(network.flows).toEqual([`${BOB} ${ALICE}:80 TIME-WAIT`]);
  });

  test('what no rule lets through is dropped in silence', () => {
    const network = new Gateway(inside);
    network.visit(network.server, PUBLIC, 8082);
    network.visit(network.bob, PUBLIC, 8082);
    network.run(20);
    expect(network.visits).toEqual([]);
    expect(network.flows).toEqual([]);
  });

  test('a reset refuses from inside, in the name of the server', () => {
    const network = new Gateway(inside);
    network.visit(network.alice, SERVER, 25);
    network.run(2);
    expect(network.visits).toEqual([['ECONNREFUSED', 0]]);
    expect(network.flows).toEqual([]);
  });

  test('a reset refuses from outside, in the name of the public address', () => {
    const network = new Gateway(inside);
    network.visit(network.server, PUBLIC, 8081);
    network.run(2);
    expect(network.visits).toEqual([['ECONNREFUSED', 0]]);
  });

  test('a reset refuses what turns round, too', () => {
    const network = new Gateway(inside);
    network.visit(network.bob, PUBLIC, 8081);
    network.run(2);
    expect(network.visits).toEqual([['ECONNREFUSED', 0]]);
  });

  test('NAT-10 ICMP errors of a host outside, of the router, and of its filter come to who caused them', () => {
    const network = new Gateway(inside);
    const codes: string[] = [];
    const ask = (computer: Computer, port: number) =>
      computer.start('ask', function* (sys) {
        yield* sys.sleep(LINK_UP_NS);
        const socket = sys.socket('udp');
        sys.connect(socket, parseIpv4(SERVER), port).next();
        sys.send(socket, Uint8Array.of(1)).next();
        try {
          yield* sys.recvfrom(socket, SECOND_NS);
        } catch (error) {
          codes.push(`${computer.name} ${port} ${formatIpv4((error as { reporter: number }).reporter)}`);
        }
      });
    ask(network.alice, 7);
    ask(network.alice, 25);
    const reports: PingReport[] = [];
    network.bob.start('ping', function* (sys) {
      yield* sys.sleep(LINK_UP_NS);
      yield* ping(parseIpv4(SERVER), { count: 1 }, report => reports.push(report))(sys);
      // Nobody there: the router gives up after three seconds.
      yield* ping(parseIpv4('203.0.113.77'), { count: 1, timeoutNs: 9 * SECOND_NS }, report => reports.push(report))(
        sys,
      );
    });
    network.run(20);
    expect(codes.sort()).toEqual([`alice 25 10.0.0.1`, `alice 7 ${SERVER}`]);
    expect(reports).toMatchObject([{ kind: 'reply', address: parseIpv4(SERVER) }, { kind: 'error' }]);
    expect(network.invalid).toBe(0);
  });
});
