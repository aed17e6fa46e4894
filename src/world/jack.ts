/** Where a cable can be plugged in: a NIC of a computer, a port of a switch or hub. */
import type { MediumListener } from '../../hw/ethernet/ports.ts';

export interface Jack {
  /** As tables and captures have it: `alice.eth0`, `sw.port3`. */
  readonly name: string;
  readonly phy: MediumListener;
}
