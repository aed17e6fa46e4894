/**
 * The packet filter beside nftables of Linux: the same rulesets, the same packets, and the same comes out, octet by octet,
 * refusals among it. What is left open by RFCs is taken out first (`comparable`). Linux is told to see a connection begin
 * with its handshake, as ours does (`nf_conntrack_tcp_loose`), and not to look at checksums that are its hosts' business.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseRuleset } from '../../src/nftables/parser.ts';
import { comparable, FilterRig } from '../support/filter-rig.ts';
import { move, packetsOf } from '../support/filter-traffic.ts';
import { requireLinuxHost } from '../support/linux-host.ts';
import { LinuxRouter } from '../support/linux-router.ts';

const forward = (rules: string, policy = 'accept') => `
table ip filter {
  chain forward {
    type filter hook forward priority 0; policy ${policy};
    ${rules}
  }
}`;

const STATES = forward(`
    ct state new counter
    ct state established counter
    ct state related counter
    ct state invalid counter drop`);

const RULESETS: readonly (readonly [name: string, ruleset: string])[] = [
  ['counts states and drops what is invalid', STATES],
];

requireLinuxHost('nft', 'conntrack')('the packet filter beside nftables', () => {
  let linux: LinuxRouter;

  beforeAll(async () => {
    linux = await LinuxRouter.start(STATES);
  });
  afterAll(() => linux?.stop());

  it.each(RULESETS)('that %s: the same comes out of both, and rules apply as often', async (_, ruleset) => {
    const rules = parseRuleset(ruleset);
    const check = async (moves: Parameters<typeof packetsOf>[0]) => {
      const packets = packetsOf(moves);
      linux.run('conntrack', ['-F']);
      linux.load(ruleset);
      const ours = new FilterRig(rules);
      const theirs = await linux.passAll(packets);
      const out = ours.passAll(packets);
      expect(out.map(each => each.map(comparable))).toEqual(theirs.map(each => each.map(comparable)));
      expect(countsOf(ours)).toEqual(linuxCounts(linux));
    };
    await fc.assert(fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 60 }), check), { numRuns: 100 });
  });
});

const countsOf = ({ rig }: FilterRig): number[] =>
  [...rig.net.filter!.chains.values()].flatMap(({ rules }) => rules.map(({ packets }) => packets));

const linuxCounts = (linux: LinuxRouter): number[] =>
  [...linux.run('nft', ['list', 'ruleset']).matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));
