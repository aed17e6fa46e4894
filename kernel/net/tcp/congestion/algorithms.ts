/** The algorithms of congestion control, by name. */
import { type CongestionAlgorithm, DEFAULT_TCP_OPTIONS } from '../user.ts';
import type { CongestionControl } from './congestion-control.ts';
import { Cubic } from './cubic.ts';
import { NewReno } from './newreno.ts';
import { type GrowthOptions, Reno } from './reno.ts';

export function congestionControl(
  name: CongestionAlgorithm,
  growth: GrowthOptions = DEFAULT_TCP_OPTIONS,
): CongestionControl {
  switch (name) {
    case 'reno':
      return new Reno(growth);
    case 'newreno':
      return new NewReno(growth);
    case 'cubic':
      return new Cubic(growth);
  }
}
