/** Hosts that broadcast to their network, each a few times, and listen to what they hear themselves. */
import type { Computer } from '../../world/computer.ts';

/** An unassigned port. */
const PORT = 4000;
const COUNT = 5;
const INTERVAL_NS = 2_000_000;

/** What a host has heard: how many datagrams, by the address of their sender. */
export interface Hearing {
  readonly bySource: ReadonlyMap<number, number>;
}

/** From `startNs` on every one of the `hosts` broadcasts to the address beside it. Returns what each comes to hear. */
export function broadcasts(
  hosts: readonly (readonly [host: Computer, broadcast: number])[],
  startNs: number,
): readonly Hearing[] {
  return hosts.map(([host, broadcast]) => {
    const bySource = new Map<number, number>();
    host.start('hear', function* (sys) {
      const socket = sys.socket('udp');
      sys.bind(socket, 0, PORT);
      for (;;) {
        const datagram = yield* sys.recvfrom(socket);
        if (datagram !== null) bySource.set(datagram.address, (bySource.get(datagram.address) ?? 0) + 1);
      }
    });
    host.start('call', function* (sys) {
      const socket = sys.socket('udp');
      sys.setsockopt(socket, 'SO_BROADCAST', true);
      yield* sys.sleep(startNs);
      for (let i = 0; i < COUNT; i++) {
        sys.sendto(socket, new Uint8Array(100), broadcast, PORT);
        yield* sys.sleep(INTERVAL_NS);
      }
    });
    return { bySource };
  });
}
