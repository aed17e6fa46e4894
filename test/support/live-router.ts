/** The scenario `lab-router` live, with a Linux host on either side of its two routers. */
import { LinuxHost } from './linux-host.ts';
import { LiveProcess } from './ringtail-process.ts';

export const INSIDE = '10.0.0.2';
export const OUTSIDE = '192.0.2.2';
/** Where the two routers are met from the inside, in the order in which that happens, and the public side of the first. */
export const HOPS = ['10.0.0.1', '203.0.113.2'] as const;
export const PUBLIC = '203.0.113.1';

export interface LiveRouter {
  readonly live: LiveProcess;
  readonly inside: LinuxHost;
  readonly outside: LinuxHost;
}

/** Starts it with more of the command line; journal and capture are in `directory`, which is the caller's. */
export async function liveRouter(directory: string, ...options: readonly string[]): Promise<LiveRouter> {
  const live = await LiveProcess.start('lab-router', ['inside', 'outside'], directory, { options });
  const plugIn = (wire: string, host: string, gateway: string) =>
    LinuxHost.plugIn(live.socketPaths[wire]!, gateway, { address: `${host}/24`, gateway });
  const inside = await plugIn('inside', INSIDE, HOPS[0]);
  return { live, inside, outside: await plugIn('outside', OUTSIDE, '192.0.2.1') };
}
