/** How a transmission ended. Full duplex knows only the first. */
export type TransmitOutcome = 'sent' | 'excessive-collisions' | 'late-collision';
