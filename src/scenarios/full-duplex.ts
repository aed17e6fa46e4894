/** The two hosts of the scenario `collision` on a full-duplex link: both send at once, and nothing collides. */
import { scenario } from '../world/scenario.ts';
import { TALKERS_END_NS, twoTalkers } from './duplex/two-talkers.ts';

const LINK = { speedMbps: 10, fullDuplex: true } as const;

export default scenario({
  summary: 'the same two hosts on a full-duplex link never collide',
  untilNs: TALKERS_END_NS,
  build: world =>
    twoTalkers(world, {
      nics: [{ link: LINK }, { link: LINK }],
      datagrams: 20,
      payloadBytes: 200,
      moral:
        'Each direction has wires of its own, and nobody listens before sending: there is nothing to collide with.',
      connect: (_, [alice, bob]) => {
        const wire = world.cable('cable', alice.nics[0]!, bob.nics[0]!);
        return { wires: [wire], delayNs: wire.cable.delayNs };
      },
    }),
});
