/**
 * What ICMP reports about a connection: RFC 9293 section 3.9.2.2, with the check of RFC 5927 that the segment it quotes
 * is one in flight.
 */
import {
  DESTINATION_UNREACHABLE,
  FRAGMENTATION_NEEDED,
  type IcmpReport,
  PORT_UNREACHABLE,
  PROTOCOL_UNREACHABLE,
  socketErrorOf,
} from '../icmp-message.ts';
import type { ControlBlock } from './control-block.ts';
import { end } from './ending.ts';
import { fragmentationNeeded } from './path-mtu.ts';
import { seqGeq, seqLt } from './seq.ts';

/** `seq` is that of the quoted segment, `sentBytes` the length of its packet. */
export function icmpArrives(block: ControlBlock, report: IcmpReport, seq: number, sentBytes: number): void {
  if (!(seqGeq(seq, block.sndUna) && seqLt(seq, block.sndMax))) return;
  if (report.type === DESTINATION_UNREACHABLE) {
    if (report.code === FRAGMENTATION_NEEDED) {
      fragmentationNeeded(block, report.word & 0xffff, sentBytes);
      return;
    }
    if (report.code === PROTOCOL_UNREACHABLE || report.code === PORT_UNREACHABLE) {
      // SHLD-26: there is nobody to talk to.
      if (!block.synchronized) block.host.counters.failedOpens += 1;
      end(block, socketErrorOf(report));
      return;
    }
  }
  // MUST-56: all others are soft, and end nothing; MUST-47: but the user is told.
  block.softError = socketErrorOf(report);
  block.notify();
}
