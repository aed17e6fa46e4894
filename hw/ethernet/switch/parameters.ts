/** The parameters of a switch, IEEE 802.1D-2004 clause 7 and 802.1Q, and the bounds of this one. */
import type { SpeedMbps } from '../ports.ts';

/** What `ageing time` may be, clause 7.9.2, Table 7-5, in seconds. */
export const AGEING_SECONDS = { least: 10, usual: 300, most: 1_000_000 } as const;
/** From the last bit of a frame in to the decision where it goes: what a switch needs beside store and forward. */
export const LOOKUP_NS = 1000;
export const MAX_LOOKUP_NS = 1_000_000;
/** Addresses that the table holds. When it is full new ones are not learned, and frames to them are flooded. */
export const TABLE_ENTRIES = 8192;
export const MAX_TABLE_ENTRIES = 1 << 20;
/** What may wait at one port, octets from DA to FCS. A frame for which there is no room is dropped. */
export const QUEUE_BYTES = 128 * 1024;
export const MAX_QUEUE_BYTES = 64 * 1024 * 1024;
/** Control frames of the switch itself that may wait at one port. */
export const CONTROL_QUEUE_FRAMES = 8;
/** Port numbers of the spanning tree have 12 bits; nobody has built as many. */
export const MAX_PORTS = 254;

/** Longest frame from DA to FCS, and longest with a tag, 802.3 clause 3.2.7. */
export const MAX_BASIC_BYTES = 1518;
export const MAX_TAGGED_BYTES = 1522;

/** Flow control: from so full on an output queue has those paused who fill it, until it is that empty. */
export const PAUSE_ABOVE = 1 / 2;
export const RESUME_BELOW = 1 / 4;
/** How long a PAUSE lasts that the switch sends, in quanta of 512 bits. It is repeated at half of it. */
export const PAUSE_QUANTA = 0xffff;

/** No bridge forwards what goes to 01-80-C2-00-00-00 up to the address that ends so; Table 7-10. */
export const LAST_RESERVED = 0x0f;

/** The modes that a port which negotiates offers at most. */
export const FASTEST_MBPS: SpeedMbps = 1000;
