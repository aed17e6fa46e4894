/**
 * Proportional rate reduction, RFC 6937: during recovery by SACK each ACK lets go out as much as it says has arrived, cut
 * in the proportion in which the window is cut; and when so much was lost that less than that is on its way, as much
 * more as slow start would send (PRR-SSRB). Without it nothing is sent until half of a round trip has passed.
 *
 * Who finds losses, and which segments are sent, is in `recovery.ts` and `output.ts`; this only counts.
 */
import type { ControlBlock } from './control-block.ts';
import { seqDiff } from './seq.ts';

export class RateReduction {
  /** RecoverFS: what was in flight when recovery began. */
  #recoverFlight = 0;
  /** prr_delivered and prr_out: what has arrived, and what was sent, since then. */
  #delivered = 0;
  #sent = 0;

  /** Recovery begins with so much in flight. */
  begin(flightBytes: number): void {
    this.#recoverFlight = Math.max(1, flightBytes);
    this.#delivered = this.#sent = 0;
  }

  /** So much was sent, again or for the first time. */
  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /**
   * sndcnt, section 3: octets that may be sent now that `deliveredBytes` more have arrived and `pipe` are on their way.
   * Whole segments, as implementations count.
   */
  allowance(deliveredBytes: number, pipe: number, ssthresh: number, mss: number): number {
    this.#delivered += deliveredBytes;
    let bytes: number;
    if (pipe > ssthresh) bytes = (this.#delivered * ssthresh) / this.#recoverFlight - this.#sent;
    else bytes = Math.min(ssthresh - pipe, Math.max(this.#delivered - this.#sent, deliveredBytes) + mss);
    return Math.max(0, Math.ceil(bytes / mss) * mss);
  }
}

/** What has arrived at the peer, as far as it has said so: DeliveredData is what this grows by. */
export const deliveredBytes = (block: ControlBlock): number =>
  seqDiff(block.sndUna, block.iss) + block.scoreboard.sacked.total();

/** An ACK has come during recovery, and says that `delivered` octets more have arrived: sets the window. */
export function reduceRate(block: ControlBlock, delivered: number): void {
  const { congestion, scoreboard, sndMss } = block;
  const pipe = scoreboard.pipe(block.sndUna, block.sndMax, sndMss);
  congestion.cwnd = pipe + block.rateReduction.allowance(delivered, pipe, congestion.ssthresh, sndMss);
}
