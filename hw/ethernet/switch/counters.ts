/**
 * What a port of a switch counts. Each arrival is in exactly one of these:
 *
 *   arrivals = rxFrames + fcsErrors + alignmentErrors + rxErrors + runts + tooLong
 *   rxFrames = forwarded + flooded + filtered + wrongVlan + blocked + control + (frames in lookup)
 */

export class PortCounters {
  /** Good frames that came in, and their octets from DA to FCS. */
  rxFrames = 0;
  rxBytes = 0;
  /** Frames that went out whole, the switch's own included. */
  txFrames = 0;
  txBytes = 0;
  fcsErrors = 0;
  alignmentErrors = 0;
  /** The PHY raised RX_ER. */
  rxErrors = 0;
  /** Arrivals below 64 octets. */
  runts = 0;
  /** Arrivals above 1518 octets, 1522 with a tag. */
  tooLong = 0;
  /** Frames from here that went to the one port behind which their destination is. */
  forwarded = 0;
  /** Frames from here that went to all other ports. */
  flooded = 0;
  /** Frames whose destination is on the segment that they came from, or behind a port that does not forward. */
  filtered = 0;
  /** Frames of a VLAN that this port does not belong to. */
  wrongVlan = 0;
  /** Frames that came in while the spanning tree kept the port from forwarding. */
  blocked = 0;
  /** Frames to reserved addresses, PAUSE and BPDUs among them. */
  control = 0;
  /** Frames that were to leave here and found the queue full. */
  droppedQueue = 0;
  /** Frames that were given up after 16 collisions. */
  droppedCollisions = 0;
  /** Frames that were waiting here when the link broke. */
  droppedLink = 0;
  pauseSent = 0;
  pauseReceived = 0;
  /** Addresses that were learned here; those that came here from another port; those that were not seen again. */
  learned = 0;
  moved = 0;
  aged = 0;
  /** Addresses that were not learned because the table was full; one of a frame counts again. */
  notLearned = 0;

  save(): PortCountersState {
    return { ...this };
  }

  load(state: PortCountersState): void {
    Object.assign(this, state);
  }
}

type Names = { [K in keyof PortCounters]: PortCounters[K] extends number ? K : never }[keyof PortCounters];

export type PortCountersState = Readonly<Record<Names, number>>;
