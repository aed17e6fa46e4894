/**
 * A stream between two computers, through everything: program, socket, TCP, driver, NIC and wire, over any topology. What
 * the reader gets is the beginning of what the writer wrote, and all of it when nothing broke; both ends come to rest in
 * bounded time, with all memory given back; and one seed gives one run.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Impairments } from '../../../hw/ethernet/medium/impairments.ts';
import type { Program } from '../../../kernel/task.ts';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { type Computer, FREE } from '../../../src/world/computer.ts';
import { recordFrames } from '../../../src/world/recorders.ts';
import { type CableOptions, World } from '../../../src/world/world.ts';

const SECOND_NS = 1e9;
const LINK_UP_NS = 3 * SECOND_NS;
/** The programs are done by then, whatever happened; TIME-WAIT takes four minutes more. */
const DONE_NS = 1000 * SECOND_NS;
const REST_NS = 500 * SECOND_NS;
const PORT = 80;
const CHUNK_BYTES = 3000;
/** A world takes tens of milliseconds. */
const SOME = { numRuns: Math.ceil(fc.readConfigureGlobal().numRuns! / 4) };

/** What lies between the two; routers stand in a chain. */
type Topology =
  | { readonly kind: 'cable' | 'hub' | 'switch' }
  | { readonly kind: 'routers'; readonly count: number; readonly narrow: Narrowing | null };

/** The MTU towards the server, at the last router, shrinks while the connection lives. */
interface Narrowing {
  readonly afterNs: number;
  readonly mtu: number;
  /** Whether the router may say so, or a filter keeps it from it: a black hole. */
  readonly tells: boolean;
}

interface Plan {
  readonly seed: string;
  readonly topology: Topology;
  readonly bitErrorRate: number;
  readonly lengthMetres: number;
  /** Of every wire, either way, but for those of a hub, which is half duplex. */
  readonly impairments: Impairments;
  /** Octets from the client, then, when it has finished, from the server. */
  readonly bytes: readonly [number, number];
  /** The client, or the server, loses patience after so long, and resets. */
  readonly patienceNs: readonly [number | null, number | null];
}

const narrowing: fc.Arbitrary<Narrowing> = fc.record({
  afterNs: fc.integer({ min: 0, max: 20_000_000 }),
  mtu: fc.integer({ min: 576, max: 1499 }),
  tells: fc.boolean(),
});
const topology: fc.Arbitrary<Topology> = fc.oneof(
  fc.record({ kind: fc.constantFrom('cable' as const, 'hub' as const, 'switch' as const) }),
  fc.record({
    kind: fc.constant('routers' as const),
    count: fc.integer({ min: 1, max: 3 }),
    narrow: fc.option(narrowing, { freq: 2 }),
  }),
);
/** Loss is that of the whole way when it leads through no router. */
const impairments: fc.Arbitrary<Impairments> = fc.record(
  {
    loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
    duplicate: fc.double({ min: 0, max: 0.2, noNaN: true }),
    reorder: fc.double({ min: 0, max: 0.3, noNaN: true }),
    corrupt: fc.double({ min: 0, max: 0.1, noNaN: true }),
    delayNs: fc.integer({ min: 0, max: 100_000_000 }),
    jitterNs: fc.integer({ min: 0, max: 10_000_000 }),
  },
  { requiredKeys: [] },
);
const patience = fc.option(fc.integer({ min: 0, max: 2 * SECOND_NS }), { freq: 6 });
const plan: fc.Arbitrary<Plan> = fc.record({
  seed: fc.string({ maxLength: 4 }),
  topology,
  bitErrorRate: fc.constantFrom(0, 0, 1e-6, 1e-5),
  lengthMetres: fc.integer({ min: 0, max: 100_000 }),
  impairments: fc.oneof(fc.constant({}), impairments),
  bytes: fc.tuple(fc.nat(60_000), fc.nat(20_000)),
  patienceNs: fc.tuple(patience, patience),
});

/** One of each kind that chance may leave out. */
const NARROWED: Plan = {
  seed: '',
  topology: { kind: 'routers', count: 2, narrow: { afterNs: 10_000_000, mtu: 1000, tells: true } },
  bitErrorRate: 0,
  lengthMetres: 100,
  impairments: { delayNs: 5_000_000 },
  bytes: [60_000, 20_000],
  patienceNs: [null, null],
};
const BLACK_HOLE: Plan = {
  ...NARROWED,
  topology: { kind: 'routers', count: 1, narrow: { afterNs: 10_000_000, mtu: 1000, tells: false } },
};
const IMPATIENT: Plan = { ...NARROWED, topology: { kind: 'cable' }, patienceNs: [1_000_000, null] };

const octetAt = (i: number): number => (i * 31 + (i >> 8) * 7) & 255;

/** One end: what it has got, and whether it came to the end of what the other sent. */
class End {
  received = 0;
  wrongAt = -1;
  finished = false;
  done = false;

  take(piece: Uint8Array): void {
    for (const octet of piece) {
      if (octet !== octetAt(this.received) && this.wrongAt < 0) this.wrongAt = this.received;
      this.received += 1;
    }
  }
}

/** A world with two computers, and all that lies between them. */
class Passage {
  readonly world: World;
  readonly hosts: readonly [Computer, Computer];
  readonly ends: readonly [End, End] = [new End(), new End()];
  readonly #routers: Computer[] = [];
  readonly #plan: Plan;

  constructor(drawn: Plan) {
    this.#plan = drawn;
    this.world = new World(drawn.seed);
    const { topology: way } = drawn;
    this.hosts = way.kind === 'routers' ? this.#chain(way.count) : this.#segment(way.kind);
    const server = parseIpv4(way.kind === 'routers' ? `10.0.${way.count + 1}.2` : '10.0.1.2');
    this.hosts[0].start('client', this.#program(0, server));
    this.hosts[1].start('server', this.#program(1, null));
  }

  /** Packets by owner, and memory that devices reach, of every computer. */
  get ledger(): unknown {
    return [...this.world.computers.values()].map(({ kernel }) => {
      const { free, cpu, device } = kernel.packets.usage();
      return { free, cpu, device, memory: kernel.memory.usage() };
    });
  }

  /** Packets that were too long for the way behind a router. */
  get tooLong(): number {
    const dropped = this.#routers.map(({ kernel }) => kernel.net.drops.counts['fragmentation needed'] ?? 0);
    return dropped.reduce((sum, count) => sum + count, 0);
  }

  /** From power-on to when all is quiet. Returns a hash of all frames, with their times. */
  play(): string {
    const { world, ends } = this;
    const { topology: way } = this.#plan;
    const hash = createHash('sha256');
    const recorder = recordFrames(world, chunk => hash.update(chunk));
    world.run(LINK_UP_NS - 1);
    const before = this.ledger;
    if (way.kind === 'routers' && way.narrow !== null) {
      world.run(LINK_UP_NS + way.narrow.afterNs);
      this.#narrow(way.narrow);
    }
    world.run(LINK_UP_NS + DONE_NS, () => ends[0].done && ends[1].done);
    expect(ends.map(({ done }) => done)).toEqual([true, true]);
    world.run(world.clock.nowNs + REST_NS);
    expect(this.hosts.map(({ kernel }) => kernel.net.tcp.connections())).toEqual([[], []]);
    expect(this.ledger).toEqual(before);
    expect(world.failedPrograms()).toEqual([]);
    recorder.close();
    return hash.digest('hex');
  }

  get #wire(): CableOptions {
    const { bitErrorRate, lengthMetres, impairments: boxes } = this.#plan;
    return { bitErrorRate, lengthMetres, impairments: boxes };
  }

  #segment(kind: 'cable' | 'hub' | 'switch'): [Computer, Computer] {
    const { bitErrorRate, lengthMetres } = this.#plan;
    const wire = this.#wire;
    const [a, b] = [1, 2].map(n =>
      this.world.computer(`h${n}`, { nics: [{ address: `10.0.1.${n}/24` }], costs: FREE }),
    );
    const nics = [a!.nics[0]!, b!.nics[0]!] as const;
    if (kind === 'cable') this.world.cable('cable', ...nics, wire);
    // In half duplex no cable may be longer than a slot takes.
    else if (kind === 'hub') this.world.hub('hub', nics, { bitErrorRate, lengthMetres: lengthMetres / 1000 });
    else this.world.switch('switch', nics, wire);
    return [a!, b!];
  }

  /** Networks 10.0.n.0/24 from the client on; the lower address is the one nearer to it. */
  #chain(count: number): [Computer, Computer] {
    const { world } = this;
    const client = world.computer('h1', { nics: [{ address: '10.0.1.1/24', gateway: '10.0.1.2' }], costs: FREE });
    for (let n = 1; n <= count; n++) {
      const nics = [{ address: `10.0.${n}.2/24` }, { address: `10.0.${n + 1}.1/24` }];
      const others = Array.from({ length: count + 1 }, (_, i) => i + 1).filter(net => net !== n && net !== n + 1);
      const routes = others.map(net => ({
        destination: `10.0.${net}.0/24`,
        gateway: net > n ? `10.0.${n + 1}.2` : `10.0.${n}.1`,
      }));
      this.#routers.push(world.computer(`r${n}`, { nics, forwarding: true, routes, costs: FREE }));
    }
    const address = `10.0.${count + 1}.2/24`;
    const server = world.computer('h2', { nics: [{ address, gateway: `10.0.${count + 1}.1` }], costs: FREE });
    const path = [client, ...this.#routers, server];
    for (let i = 0; i <= count; i++) {
      world.cable(`net${i + 1}`, path[i]!.nics.at(-1)!, path[i + 1]!.nics[0]!, this.#wire);
    }
    return [client, server];
  }

  #narrow({ mtu, tells }: Narrowing): void {
    const { net, packets } = this.#routers.at(-1)!.kernel;
    net.interfaces[1]!.setMtu(mtu);
    if (tells) return;
    net.hooks.add('output', 0, packet => {
      packets.free(packet);
      return false;
    });
  }

  /** The client, with the address of the server, speaks first; the server when the client has finished. */
  #program(index: 0 | 1, server: number | null): Program {
    const { bytes, patienceNs } = this.#plan;
    const end = this.ends[index];
    const patient = patienceNs[index] ?? DONE_NS / 3;
    return function* (sys) {
      const send = function* (socket: object) {
        for (let sent = 0; sent < bytes[index]!; ) {
          const count = Math.min(CHUNK_BYTES, bytes[index]! - sent);
          sent += yield* sys.send(
            socket as never,
            Uint8Array.from({ length: count }, (_, i) => octetAt(sent + i)),
          );
        }
        sys.shutdown(socket as never, 'SHUT_WR');
      };
      const first = sys.socket('tcp');
      let socket = first;
      try {
        sys.setsockopt(first, 'TCP_KEEPIDLE', 100 * SECOND_NS);
        sys.setsockopt(first, 'TCP_KEEPINTVL', 20 * SECOND_NS);
        sys.setsockopt(first, 'SO_KEEPALIVE', true);
        if (server === null) {
          sys.bind(first, 0, PORT);
          sys.listen(first, 1);
          sys.setsockopt(first, 'SO_RCVTIMEO', DONE_NS / 3);
          socket = yield* sys.accept(first);
        } else yield* sys.sleep(LINK_UP_NS - sys.nowNs());
        sys.setsockopt(socket, 'SO_SNDTIMEO', patient);
        sys.setsockopt(socket, 'SO_RCVTIMEO', patient);
        if (server !== null) {
          yield* sys.connect(socket, server, PORT);
          yield* send(socket);
        }
        for (;;) {
          const piece = yield* sys.recv(socket);
          if (piece.length === 0) break;
          end.take(piece);
        }
        if (server === null) yield* send(socket);
        end.finished = true;
      } catch {
        // It broke, or patience is over.
        sys.setsockopt(socket, 'SO_LINGER', 0);
      }
      sys.close(socket);
      if (socket !== first) sys.close(first);
      end.done = true;
    };
  }
}

/** Whether nothing was done to the connection that may break it. */
const isGentle = ({ bitErrorRate, impairments: { loss = 0, corrupt = 0 }, patienceNs }: Plan): boolean =>
  bitErrorRate < 1e-5 && loss + corrupt < 0.03 && patienceNs.every(each => each === null);

test('what is received is what was sent, up to where the connection broke; both ends close, and all is given back', () => {
  const seen = { whole: 0, broken: 0, tooLong: 0 };
  fc.assert(
    fc.property(plan, drawn => {
      const passage = new Passage(drawn);
      passage.play();
      const { ends } = passage;
      const [up, down] = drawn.bytes;
      expect(ends.map(({ wrongAt }) => wrongAt)).toEqual([-1, -1]);
      expect(ends[1].received).toBeLessThanOrEqual(up);
      expect(ends[0].received).toBeLessThanOrEqual(down);
      // Who has come to the end of the stream has all of it.
      if (ends[0].finished) expect([ends[0].received, ends[1].received]).toEqual([down, up]);
      if (isGentle(drawn)) expect(ends[0].finished).toBe(true);
      seen[ends[0].finished ? 'whole' : 'broken'] += 1;
      seen.tooLong += passage.tooLong;
    }),
    { ...SOME, examples: [[NARROWED], [BLACK_HOLE], [IMPATIENT]] },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});

test('one seed, one run: the capture is the same to the byte', () => {
  fc.assert(
    fc.property(plan, drawn => {
      expect(new Passage(drawn).play()).toBe(new Passage(drawn).play());
    }),
    { numRuns: Math.ceil(SOME.numRuns / 4) },
  );
});
