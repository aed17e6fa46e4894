/**
 * Frames per CPU-second, host to host: a program on one computer sends datagrams as fast as the wire takes them, through
 * its stack, driver and e1000, over a cable, to a program on another.
 */
import type { AccessCosts } from '../../src/world/computer.ts';
import { World } from '../../src/world/world.ts';

const LINK_UP_NS = 2_000_000_000;
const PORT = 9;
const SERVER = 0xc000_0202;
const HEADERS_BYTES = 14 + 20 + 8;
/** Preamble, FCS and gap: what a frame takes on the wire beyond its own octets. */
const WIRE_OVERHEAD_BYTES = 8 + 4 + 12;
const BURST_FRAMES = 32;

export interface StreamResult {
  readonly frames: number;
  readonly cpuSeconds: number;
  readonly eventCount: number;
}

/** Sends `frames` frames of `frameBytes` octets (DA to payload). Throws when one is lost. */
export function udpStream(frameBytes: number, frames: number, costs: AccessCosts): StreamResult {
  const world = new World('bench');
  const alice = world.computer('alice', { nics: [{ address: '192.0.2.1/24' }], costs });
  const bob = world.computer('bob', { nics: [{ address: '192.0.2.2/24' }], costs });
  world.cable('cable', alice.nics[0]!, bob.nics[0]!);
  let received = 0;
  bob.start('sink', function* (sys) {
    const socket = sys.socket('udp');
    sys.bind(socket, 0, PORT);
    for (;;) if ((yield* sys.recvfrom(socket)) !== null) received += 1;
  });
  alice.start('source', function* (sys) {
    yield* sys.sleep(LINK_UP_NS);
    const socket = sys.socket('udp');
    const bytes = new Uint8Array(frameBytes - HEADERS_BYTES);
    sys.sendto(socket, bytes, SERVER, PORT);
    yield* sys.sleep(1_000_000);
    const burstNs = BURST_FRAMES * (Math.max(60, frameBytes) + WIRE_OVERHEAD_BYTES) * 8;
    for (let sent = 1; sent < frames; sent += BURST_FRAMES) {
      for (let i = 0; i < Math.min(BURST_FRAMES, frames - sent); i++) sys.sendto(socket, bytes, SERVER, PORT);
      yield* sys.sleep(burstNs);
    }
  });
  world.run(LINK_UP_NS - 1);
  const began = process.cpuUsage();
  const eventsBefore = world.clock.eventCount;
  world.run(Number.MAX_SAFE_INTEGER, () => received >= frames);
  const used = process.cpuUsage(began);
  if (received !== frames) throw new Error(`${frames - received} of ${frames} frames were lost`);
  return { frames, cpuSeconds: (used.user + used.system) / 1e6, eventCount: world.clock.eventCount - eventsBefore };
}
