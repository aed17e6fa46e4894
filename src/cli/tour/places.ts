/** The places of the scenario `web-journey` by which the tour leads, and the wires between them. */
import type { End } from '../../../hw/ethernet/medium/cable.ts';

/** One direction of a wire: what is sent into it at `fromEnd`. */
export interface Way {
  readonly wire: string;
  readonly fromEnd: End;
}

export const ALICE = 'alice';
export const SWITCH = 'switch';
export const HOME = 'home';
export const ISP = 'isp';
export const EDGE = 'edge';
export const SERVER = 'server';

/** From alice to the server, in the order of the way. */
export const THERE = {
  toSwitch: { wire: 'switch.port0', fromEnd: 0 },
  toHome: { wire: 'switch.port2', fromEnd: 1 },
  toIsp: { wire: 'access', fromEnd: 0 },
  toEdge: { wire: 'long-haul', fromEnd: 0 },
  toServer: { wire: 'rack', fromEnd: 0 },
} as const satisfies Readonly<Record<string, Way>>;

/** From the server to alice, in the order of the way. */
export const BACK = {
  toEdge: { wire: 'rack', fromEnd: 1 },
  toIsp: { wire: 'long-haul', fromEnd: 1 },
  toHome: { wire: 'access', fromEnd: 1 },
  toSwitch: { wire: 'switch.port2', fromEnd: 0 },
  toAlice: { wire: 'switch.port0', fromEnd: 1 },
} as const satisfies Readonly<Record<string, Way>>;
