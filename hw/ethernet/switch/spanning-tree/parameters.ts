/** The parameters of the spanning tree, IEEE 802.1D-2004 Tables 17-1 to 17-3, in seconds unless their names say otherwise. */
import type { SpeedMbps } from '../../ports.ts';

/** How long a port keeps to a protocol version before it looks again, and waits for BPDUs before it may be an edge. */
export const MIGRATE_TIME = 3;
export const HELLO_TIME = { least: 1, usual: 2, most: 2 } as const;
export const MAX_AGE = { least: 6, usual: 20, most: 40 } as const;
export const FORWARD_DELAY = { least: 4, usual: 15, most: 30 } as const;
/** BPDUs that a port sends within a second. */
export const TRANSMIT_HOLD_COUNT = 6;
/** Of a bridge: lower is better; in steps, since the rest of its 16 bits is for other uses. */
export const BRIDGE_PRIORITY = { usual: 32_768, most: 61_440, step: 4096 } as const;
/** Of a port. */
export const PORT_PRIORITY = { usual: 128, most: 240, step: 16 } as const;
export const PORT_PATH_COST: Readonly<Record<SpeedMbps, number>> = { 10: 2_000_000, 100: 200_000, 1000: 20_000 };
export const MAX_PATH_COST = 200_000_000;
/** A received message with a smaller Hello Time counts as if it had this. */
export const LEAST_HELLO_TIME = 1;
/** Transitions of all machines of a bridge after one event. Far more than ever happen; more means a loop of ours. */
export const MAX_TRANSITIONS = 100_000;
