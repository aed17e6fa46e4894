/**
 * What the bridge asks of the world it joins to real peers. `World` (src/world) and `Station` (hw/ethernet) fit these by
 * structure; the tests fit smaller things to them.
 */
import type { Frame } from '../../hw/ethernet/frame.ts';

/** The open end of a wire of the emulated network: where a real peer's frames go in and come out. */
export interface BridgeStation {
  /** Queues DA to the last octet of the data; false when the queue is full, and then `onRoom` follows. */
  send(octets: Uint8Array): boolean;
  onReceive: ((frame: Frame) => void) | null;
  /** The queue has room again after a refusal. Called while the clock runs: only to take note of. */
  onRoom: (() => void) | null;
}

export interface BridgeWorld {
  /** Where the run is: see `Clock` in hw/sim. `nextDueNs` is Infinity when no timer is armed. */
  readonly clock: { readonly nowNs: number; readonly stepCount: number; readonly nextDueNs: number };
  readonly openWires: ReadonlyMap<string, { readonly station: BridgeStation }>;
  run(untilNs: number, stop?: () => boolean): void;
  replayTo(stepCount: number, nowNs: number): void;
}

/** The station on the wire `name`. Throws, with a list of the open wires, when there is none of that name. */
export function stationOn(world: BridgeWorld, name: string): BridgeStation {
  const wire = world.openWires.get(name);
  if (wire !== undefined) return wire.station;
  const names = [...world.openWires.keys()];
  throw new Error(`no open wire "${name}": ${names.length === 0 ? 'this scenario has none' : names.join(', ')}`);
}
