/**
 * TCP frames per CPU-second, host to host: a program on one computer writes to a connection as fast as TCP takes it, a
 * program on another reads. Counted are the frames on the wire, acknowledgements among them.
 */
import type { AccessCosts } from '../../src/world/computer.ts';
import { World } from '../../src/world/world.ts';

const LINK_UP_NS = 2_000_000_000;
const PORT = 9;
const SERVER = 0xc000_0202;
const WRITE_BYTES = 65_536;

export interface TcpStreamResult {
  readonly frames: number;
  readonly cpuSeconds: number;
  /** Of virtual time, the payload's rate. */
  readonly megabitsPerSecond: number;
}

export function tcpStream(bytes: number, costs: AccessCosts): TcpStreamResult {
  const world = new World('bench');
  const alice = world.computer('alice', { nics: [{ address: '192.0.2.1/24' }], costs });
  const bob = world.computer('bob', { nics: [{ address: '192.0.2.2/24' }], costs });
  world.cable('cable', alice.nics[0]!, bob.nics[0]!);
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
    yield* sys.connect(socket, SERVER, PORT);
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
  const frames = [alice, bob].reduce((sum, each) => sum + each.kernel.net.interfaces[0]!.counters.txPackets, 0);
  const virtualNs = world.clock.nowNs - beganNs;
  return { frames, cpuSeconds: (used.user + used.system) / 1e6, megabitsPerSecond: (bytes * 8e3) / virtualNs };
}
