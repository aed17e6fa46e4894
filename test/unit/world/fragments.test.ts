/** Datagrams longer than a frame, through real NICs, drivers and a router whose links have different MTUs. */
import { expect, test } from 'vitest';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { World } from '../../../src/world/world.ts';
import { distinct } from '../../support/fragments.ts';

const SECOND_NS = 1_000_000_000;

test.each([1473, 8000, 65_507])('a datagram of %i octets arrives whole, and its echo too', lengthBytes => {
  const world = new World('fragments');
  const alice = world.computer('alice', { nics: [{ address: '192.0.2.1/24', gateway: '192.0.2.254' }] });
  const router = world.computer('router', {
    nics: [{ address: '192.0.2.254/24' }, { address: '198.51.100.254/24', mtu: 576 }],
    forwarding: true,
  });
  const bob = world.computer('bob', { nics: [{ address: '198.51.100.2/24', gateway: '198.51.100.254', mtu: 1006 }] });
  world.cable('left', alice.nics[0]!, router.nics[0]!);
  world.cable('right', router.nics[1]!, bob.nics[0]!);
  const seen: number[] = [];
  bob.start('echo', function* (sys) {
    const socket = sys.socket('udp');
    sys.bind(socket, 0, 7);
    for (;;) {
      const datagram = (yield* sys.recvfrom(socket))!;
      seen.push(datagram.bytes.length);
      sys.sendto(socket, datagram.bytes, datagram.address, datagram.port);
    }
  });
  let answer: Uint8Array | null = null;
  alice.start('client', function* (sys) {
    const socket = sys.socket('udp');
    // The first asks by ARP on three links, which hold few packets meanwhile.
    for (const bytes of [new Uint8Array(1), distinct(lengthBytes)]) {
      yield* sys.sleep(2 * SECOND_NS);
      sys.sendto(socket, bytes, parseIpv4('198.51.100.2'), 7);
      answer = (yield* sys.recvfrom(socket, SECOND_NS))?.bytes.slice() ?? null;
    }
  });
  world.run(6 * SECOND_NS);
  expect(seen).toEqual([1, lengthBytes]);
  expect(answer).toEqual(distinct(lengthBytes));
});

test('5227-1 of two computers with one address, the one that comes second stays without', () => {
  const world = new World('conflict');
  const first = world.computer('first', { nics: [{ address: '192.0.2.1/24' }] });
  const second = world.computer('second', { nics: [{ address: '192.0.2.1/24', detectConflicts: true }] });
  world.cable('cable', first.nics[0]!, second.nics[0]!);
  world.run(12 * SECOND_NS);
  expect(second.kernel.net.addressState(0)).toBe('conflict');
  expect(second.console).toContain('192.0.2.1 is not used');
});
