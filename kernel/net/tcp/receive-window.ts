/**
 * The window that is offered to the peer, RFC 9293 section 3.8.6.2.2. Its right edge advances in steps worth a segment
 * (MUST-39) and never moves left (SHLD-14), neither because the user reads slowly nor by the rounding of the window
 * scale (RFC 7323 section 2.4).
 */
import { type ControlBlock, MAX_UNSCALED_WINDOW } from './control-block.ts';
import { seqAdd, seqDiff, seqMax } from './seq.ts';

/** Segments by which the edge must be able to advance before the peer is told in a segment of its own. */
const UPDATE_SEGMENTS = 2;
/** What rounding may promise beyond the buffer, in all: a sixteenth of it. */
const ROUNDING_SHIFT = 4;

/** What our own MSS option says: payload of the largest segment that the peer may send. */
export function ownMss(block: ControlBlock): number {
  const byMtu = block.linkMtu - 40;
  return block.options.mss === 0 ? byMtu : Math.min(byMtu, block.options.mss);
}

/** How far the right edge could go beyond where it is. */
function gain(block: ControlBlock): number {
  const window = Math.min(block.receiveBuffer.room, MAX_UNSCALED_WINDOW << block.rcvScale);
  const edge = seqAdd(block.rcvNxt, window);
  return seqDiff(edge, block.rcvAdv);
}

/** The least advance that is not silly. */
const step = (block: ControlBlock): number => Math.min(block.receiveBuffer.limit >> 1, ownMss(block));

/**
 * The window field of a segment that is about to be sent, and with it the promise of the right edge. `scaled`: the
 * segment is not a SYN.
 */
export function offerWindow(block: ControlBlock, scaled: boolean): number {
  const possible = gain(block);
  const least = block.options.bsdWindows ? 0 : step(block);
  const offered = block.rcvWnd + (possible >= least ? possible : 0);
  if (!scaled) {
    const window = Math.min(MAX_UNSCALED_WINDOW, offered);
    block.rcvAdv = seqMax(block.rcvAdv, seqAdd(block.rcvNxt, window));
    return window;
  }
  const scale = block.rcvScale;
  let units = offered >> scale;
  // The edge would go back by less than a unit: rather promise a little more than there is, as long as it is little.
  const { room, limit } = block.receiveBuffer;
  const goesBack = units << scale < block.rcvWnd && !block.options.bsdWindows;
  if (goesBack && (units + 1) << scale <= room + (limit >> ROUNDING_SHIFT)) units += 1;
  units = Math.min(MAX_UNSCALED_WINDOW, units);
  block.rcvAdv = seqMax(block.rcvAdv, seqAdd(block.rcvNxt, units << scale));
  return units;
}

/** Whether the user has read so much that the peer ought to hear of it. */
export function updateIsDue(block: ControlBlock): boolean {
  if (!block.receiving || block.finSeen) return false;
  const possible = gain(block);
  if (possible < step(block)) return false;
  const mss = ownMss(block);
  return block.rcvWnd < mss || possible >= UPDATE_SEGMENTS * mss || 2 * possible >= block.receiveBuffer.limit;
}
