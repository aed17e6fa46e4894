/** The algorithms of congestion control, by name. */
import type { CongestionAlgorithm } from '../user.ts';
import type { CongestionControl } from './congestion-control.ts';
import { Cubic } from './cubic.ts';
import { NewReno } from './newreno.ts';
import { Reno } from './reno.ts';

export function congestionControl(name: CongestionAlgorithm): CongestionControl {
  switch (name) {
    case 'reno':
      return new Reno();
    case 'newreno':
      return new NewReno();
    case 'cubic':
      return new Cubic();
  }
}
