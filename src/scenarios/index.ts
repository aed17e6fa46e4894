/** The scenarios that are shipped, by the names under which `ringtail run` knows them. Each is loaded when used. */
import type { Scenario } from '../world/scenario.ts';

export const BUILT_IN: Readonly<Record<string, () => Promise<{ default: Scenario }>>> = {
  'two-hosts': () => import('./two-hosts.ts'),
  'noisy-cable': () => import('./noisy-cable.ts'),
  collision: () => import('./collision.ts'),
  'full-duplex': () => import('./full-duplex.ts'),
  'duplex-mismatch': () => import('./duplex-mismatch.ts'),
  loop: () => import('./loop.ts'),
  office: () => import('./office.ts'),
  fragmentation: () => import('./fragmentation.ts'),
  traceroute: () => import('./traceroute.ts'),
  firewall: () => import('./firewall.ts'),
  csma: () => import('./csma.ts'),
  'web-journey': () => import('./web-journey.ts'),
  home: () => import('./home.ts'),
  web: () => import('./web.ts'),
  lab: () => import('./lab.ts'),
  'lab-client': () => import('./lab-client.ts'),
  'lab-router': () => import('./lab-router.ts'),
  'lab-hosts': () => import('./lab-hosts.ts'),
  'lab-guest': () => import('./lab-guest.ts'),
};
