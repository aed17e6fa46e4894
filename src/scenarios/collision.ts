/** Two hosts on a hub talk at the same moment: their frames collide, both back off, and everything still arrives. */
import { DELAY_NS } from '../../hw/ethernet/hub/parameters.ts';
import { scenario } from '../world/scenario.ts';
import { TALKERS_END_NS, twoTalkers } from './duplex/two-talkers.ts';

export default scenario({
  summary: 'two hosts on a hub talk at once: collisions, and how CSMA/CD recovers from them',
  untilNs: TALKERS_END_NS,
  build: world =>
    twoTalkers(world, {
      nics: [{}, {}],
      datagrams: 20,
      payloadBytes: 200,
      moral: 'Whoever collides jams, waits a random time and tries again: nothing is lost, no software notices.',
      connect: (_, [alice, bob]) => {
        const { wires } = world.hub('hub', [alice.nics[0]!, bob.nics[0]!]);
        return { wires, delayNs: wires.reduce((sum, { cable }) => sum + cable.delayNs, DELAY_NS[10]) };
      },
    }),
});
