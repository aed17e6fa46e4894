/**
 * The path: three senders on one network, two routers, and a far host. It is the routers that send no more than 1000 and
 * 576 octets into their links. The far host takes whole frames, and so offers TCP segments to match: if it offered less,
 * no segment would ever be too long.
 */
import type { Computer } from '../../world/computer.ts';
import type { Wire, World } from '../../world/world.ts';
import { isFragment } from './packets.ts';

export const FAR = '10.0.3.2';
/** The sender whose datagrams may be cut. */
export const PLAIN = '10.0.1.1';
/** Of a datagram of 8000 octets. */
export const LAST_LINK_FRAGMENTS = 17;

interface NarrowingPath {
  /** Sends what may be cut. */
  readonly plain: Computer;
  /** These two set DF. */
  readonly udp: Computer;
  readonly tcp: Computer;
  readonly far: Computer;
  readonly routers: readonly Computer[];
  /** What goes over them from the senders goes from end 0. */
  readonly links: readonly { readonly mtu: number; readonly wire: Wire }[];
  /** From `tcp` to the network that it shares with the others. */
  readonly tcpWire: Wire;
}

/** `lose`: the fragment, counted from 1, that the last link loses. Throws a RangeError when there is none such. */
export function narrowingPath(world: World, lose: number | null): NarrowingPath {
  if (lose !== null && !(lose >= 1 && lose <= LAST_LINK_FRAGMENTS)) {
    throw new RangeError(`--lose ${lose} is not 1 to ${LAST_LINK_FRAGMENTS}`);
  }
  const sender = (name: string, address: string) =>
    world.computer(name, { nics: [{ address: `${address}/24`, gateway: '10.0.1.254' }] });
  const plain = sender('plain', PLAIN);
  const udp = sender('udp', '10.0.1.2');
  const tcp = sender('tcp', '10.0.1.3');
  const r1 = world.computer('r1', {
    nics: [{ address: '10.0.1.254/24' }, { address: '10.0.2.1/24', mtu: 1000, gateway: '10.0.2.2' }],
    forwarding: true,
  });
  const r2 = world.computer('r2', {
    nics: [
      { address: '10.0.2.2/24', mtu: 1000, gateway: '10.0.2.1' },
      { address: '10.0.3.1/24', mtu: 576 },
    ],
    forwarding: true,
  });
  const far = world.computer('far', { nics: [{ address: `${FAR}/24`, gateway: '10.0.3.1' }] });
  const lan = world.switch(
    'lan',
    [plain, udp, tcp, r1].map(({ nics }) => nics[0]!),
  );
  const middle = world.cable('middle', r1.nics[1]!, r2.nics[0]!);
  const last = world.cable('last', r2.nics[1]!, far.nics[0]!);
  if (lose !== null) world.impair('last', [{ lose: { nth: [lose], matching: isFragment } }, null]);
  const links = [
    { mtu: 1500, wire: lan.wires[0]! },
    { mtu: 1000, wire: middle },
    { mtu: 576, wire: last },
  ];
  return { plain, udp, tcp, far, routers: [r1, r2], links, tcpWire: lan.wires[2]! };
}
