/**
 * One end forced to full duplex, the other left to negotiate: it hears no partner that negotiates, finds out the speed,
 * and must assume half duplex. The link is up, small tests pass, and under load it is slow. Only the counters tell why.
 */
import { scenario } from '../world/scenario.ts';
import { TALKERS_END_NS, twoTalkers } from './duplex/two-talkers.ts';

export default scenario({
  summary: 'full duplex forced at one end: damaged frames there, late collisions at the other',
  untilNs: TALKERS_END_NS,
  build: world =>
    twoTalkers(world, {
      nics: [{ link: { speedMbps: 100, fullDuplex: true } }, {}],
      datagrams: 100,
      payloadBytes: 1400,
      moral: 'alice talks whenever she likes. bob takes that for collisions, late ones, and breaks his frames off.',
      connect: (_, [alice, bob]) => {
        const wire = world.cable('cable', alice.nics[0]!, bob.nics[0]!);
        return { wires: [wire], delayNs: wire.cable.delayNs };
      },
    }),
});
