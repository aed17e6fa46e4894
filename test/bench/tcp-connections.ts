/**
 * What a connection costs when there are many: memory while nothing moves and after data have moved both ways, and the
 * time of a request and its answer. Two computers, each with one program and as many sockets; the sockets take turns, a
 * batch at a time.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FREE } from '../../src/world/computer.ts';
import { World } from '../../src/world/world.ts';
import type { Variant } from './paired.ts';

const LINK_UP_NS = 2_000_000_000;
const PORT = 9;
const SERVER = 0xc000_0202;
const REQUEST_BYTES = 100;
/** Sockets that have a request on its way at the same time. */
const BATCH = 10;
const REQUESTS_PER_ROUND = 1000;

export interface ManyConnections {
  readonly count: number;
  /** Bytes of both ends together, before the first request and after each socket has had one. */
  readonly idleBytes: number;
  readonly usedBytes: number;
  /** Requests, each with its answer. */
  readonly requests: Variant;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that are in use, those outside of the heap among them. */
function memoryBytes(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** `count` connections, a multiple of {@link BATCH}. */
export function tcpConnections(count: number): ManyConnections {
  const world = new World('bench');
  const [alice, bob] = [1, 2].map(n =>
    world.computer(`h${n}`, { nics: [{ address: `192.0.2.${n}/24` }], costs: FREE }),
  );
  world.cable('cable', alice!.nics[0]!, bob!.nics[0]!);
  let accepted = 0;
  let connected = 0;
  let asked = 0;
  let goal = 0;
  bob!.start('server', function* (sys) {
    const listener = sys.socket('tcp');
    sys.bind(listener, 0, PORT);
    sys.listen(listener, BATCH);
    const sockets = [];
    for (; accepted < count; accepted++) sockets.push(yield* sys.accept(listener));
    for (let i = 0; ; i = (i + 1) % count) yield* sys.send(sockets[i]!, yield* sys.recv(sockets[i]!, REQUEST_BYTES));
  });
  alice!.start('client', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    const sockets = [];
    for (; connected < count; connected++) {
      const socket = sys.socket('tcp');
      yield* sys.connect(socket, SERVER, PORT);
      sockets.push(socket);
    }
    const request = new Uint8Array(REQUEST_BYTES);
    for (let first = 0; ; first = (first + BATCH) % count) {
      while (asked >= goal) yield* sys.sleep(1_000_000);
      for (let i = 0; i < BATCH; i++) yield* sys.send(sockets[first + i]!, request);
      for (let i = 0; i < BATCH; i++) yield* sys.recv(sockets[first + i]!, REQUEST_BYTES);
      asked += BATCH;
    }
  });
  const ask = (requests: number) => {
    goal += requests;
    world.run(Number.MAX_SAFE_INTEGER, () => asked >= goal);
  };
  world.run(LINK_UP_NS - 1);
  const before = memoryBytes();
  world.run(Number.MAX_SAFE_INTEGER, () => connected === count && accepted === count);
  const idleBytes = (memoryBytes() - before) / count;
  ask(count);
  const usedBytes = (memoryBytes() - before) / count;
  const name = `${count} connections`;
  return {
    count,
    idleBytes,
    usedBytes,
    requests: { name, operations: REQUESTS_PER_ROUND, run: () => ask(REQUESTS_PER_ROUND) },
  };
}
