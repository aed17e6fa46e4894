/** PAUSE between computers and a switch: a queue that fills up stops those who fill it. */
import { expect, test } from 'vitest';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { World } from '../../../src/world/world.ts';

const LINK_UP_NS = 2_000_000_000;
const DATAGRAMS = 150;
const BYTES = 1400;
const SLOW = { speedMbps: 10, fullDuplex: true } as const;

/** A burst from a gigabit link to one of 10 Mb/s, longer than the queue between them. */
function burst(flowControl: boolean) {
  const world = new World('1');
  const fast = world.computer('fast', { nics: [{ address: '192.0.2.1/24' }] });
  const slow = world.computer('slow', { nics: [{ address: '192.0.2.2/24', link: SLOW }] });
  const node = world.switch('sw', { ports: [{}, { link: SLOW }], flowControl, queueBytes: 65_536 });
  world.cable('fast', fast.nics[0]!, node.ports[0]!);
  world.cable('slow', slow.nics[0]!, node.ports[1]!);
  let received = 0;
  slow.start('count', function* (sys) {
    const socket = sys.socket('udp');
    sys.bind(socket, 0, 9);
    for (;;) if ((yield* sys.recvfrom(socket)) !== null) received += 1;
  });
  fast.start('burst', function* (sys) {
    const socket = sys.socket('udp');
    yield* sys.sleep(LINK_UP_NS);
    for (let i = 0; i < DATAGRAMS; i++) {
      sys.sendto(socket, new Uint8Array(BYTES), parseIpv4('192.0.2.2'), 9);
      if (i === 0) yield* sys.sleep(10_000_000); // until ARP knows the address
    }
  });
  world.run(LINK_UP_NS + 500_000_000);
  expect(world.failedPrograms()).toEqual([]);
  const { XOFFRXC, XONRXC } = fast.kernel.net.interfaces[0]!.statistics();
  return { received, dropped: node.device.ports[1]!.counters.droppedQueue, XOFFRXC, XONRXC };
}

test('a switch that asks for PAUSE is obeyed by the NIC of a computer: nothing is lost', () => {
  const { received, dropped, XOFFRXC, XONRXC } = burst(true);
  expect([received, dropped]).toEqual([DATAGRAMS, 0]);
  expect(XOFFRXC).toBeGreaterThan(0);
  expect(XONRXC).toBeGreaterThan(0);
});

test('one that does not drops what its queue cannot hold', () => {
  const { received, dropped, XOFFRXC } = burst(false);
  expect(dropped).toBeGreaterThan(0);
  expect([received + dropped, XOFFRXC]).toEqual([DATAGRAMS, 0]);
});
