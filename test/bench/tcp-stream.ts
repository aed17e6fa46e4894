/**
 * TCP frames per CPU-second, host to host or by way of routers: a program on one computer writes to a connection as fast
 * as TCP takes it, a program on another reads. Counted are the frames on all wires, acknowledgements among them.
 */
import type { AccessCosts, Computer } from '../../src/world/computer.ts';
import { World } from '../../src/world/world.ts';

const LINK_UP_NS = 2_000_000_000;
const PORT = 9;
const WRITE_BYTES = 65_536;

export interface TcpStreamResult {
  readonly frames: number;
  readonly cpuSeconds: number;
  /** Of virtual time, the payload's rate. */
  readonly megabitsPerSecond: number;
}

/** Sends `bytes` from one host to another, with `routers` in between. */
export function tcpStream(bytes: number, costs: AccessCosts, routers = 0): TcpStreamResult {
  const world = new World('bench');
  const computers = chain(world, costs, routers);
  const [alice, bob] = [computers[0]!, computers.at(-1)!];
  const server = 0x0a00_0002 + (routers << 8);
  let received = 0;
  let beganNs = 0;
  bob.start('sink', function* (sys) {
    const listener = sys.socket('tcp');
    sys.bind(listener, 0, PORT);
    sys.listen(listener, 1);
    const socket = yield* sys.accept(listener);
    beganNs = world.clock.nowNs;
    for (;;) {
      const piece = yield* sys.recv(socket, WRITE_BYTES);
      if (piece.length === 0) return;
      received += piece.length;
    }
  });
  alice.start('source', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    const socket = sys.socket('tcp');
    yield* sys.connect(socket, server, PORT);
    const piece = new Uint8Array(WRITE_BYTES);
    for (let sent = 0; sent < bytes; )
      sent += yield* sys.send(socket, piece.subarray(0, Math.min(WRITE_BYTES, bytes - sent)));
    sys.close(socket);
  });
  world.run(LINK_UP_NS - 1);
  const began = process.cpuUsage();
  world.run(Number.MAX_SAFE_INTEGER, () => received >= bytes);
  const used = process.cpuUsage(began);
  if (received !== bytes) throw new Error(`${bytes - received} of ${bytes} bytes were lost`);
  const interfaces = computers.flatMap(({ kernel }) => kernel.net.interfaces);
  const frames = interfaces.reduce((sum, { counters }) => sum + counters.txPackets, 0);
  const virtualNs = world.clock.nowNs - beganNs;
  return { frames, cpuSeconds: (used.user + used.system) / 1e6, megabitsPerSecond: (bytes * 8e3) / virtualNs };
}

/** A host, routers, and a host: the networks between them are 10.0.n.0/24, from 0 on, with .1 on the left. */
function chain(world: World, costs: AccessCosts, routers: number): Computer[] {
  const left = (n: number) => ({ address: `10.0.${n}.1/24`, gateway: `10.0.${n}.2` });
  const right = (n: number) => `10.0.${n}.2/24`;
  const alice = world.computer('alice', { nics: [routers === 0 ? { address: '10.0.0.1/24' } : left(0)], costs });
  const between = Array.from({ length: routers }, (_, n) =>
    world.computer(`router${n}`, {
      nics: [{ address: right(n) }, n === routers - 1 ? { address: `10.0.${n + 1}.1/24` } : left(n + 1)],
      forwarding: true,
      routes: n === 0 ? [] : [{ destination: '10.0.0.0/24', gateway: `10.0.${n}.1` }],
      costs,
    }),
  );
  const gateway = routers === 0 ? {} : { gateway: `10.0.${routers}.1` };
  const bob = world.computer('bob', { nics: [{ address: right(routers), ...gateway }], costs });
  const all = [alice, ...between, bob];
  for (let n = 0; n <= routers; n++) world.cable(`cable${n}`, all[n]!.nics.at(-1)!, all[n + 1]!.nics[0]!);
  return all;
}
