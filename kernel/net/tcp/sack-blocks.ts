/**
 * The receiver's side of SACK: which blocks go into an ACK, RFC 2018 section 4. The first is the one that the latest
 * segment is in, then the others, the most recently changed first; a D-SACK (RFC 2883) goes before all.
 */
import type { ControlBlock } from './control-block.ts';
import { type OutgoingHeader, sackBlocksThatFit } from './segment-writer.ts';

/** A segment that starts at `seq` arrived behind a hole. */
export function noteRecentPiece(block: ControlBlock, seq: number): void {
  const recent = block.recentPieces;
  recent.copyWithin(1, 0, recent.length - 1);
  recent[0] = seq;
  block.recentPieceCount = Math.min(recent.length, block.recentPieceCount + 1);
}

/** Octets from `start` to `end` arrived a second time. */
export function noteDuplicate(block: ControlBlock, start: number, end: number): void {
  block.duplicateStart = start;
  block.duplicateEnd = end;
}

export function hasSackBlocks(block: ControlBlock): boolean {
  return block.sack && (block.receiveBuffer.pieces.count > 0 || block.duplicateStart !== block.duplicateEnd);
}

export function addSackBlocks(block: ControlBlock, header: OutgoingHeader): void {
  const { pieces } = block.receiveBuffer;
  const room = sackBlocksThatFit(header.hasTimestamps);
  if (block.duplicateStart !== block.duplicateEnd) addBlock(header, block.duplicateStart, block.duplicateEnd);
  for (let i = 0; i < block.recentPieceCount && header.sackBlocks < room; i++) {
    const piece = pieces.find(block.recentPieces[i]!);
    if (piece >= 0 && !hasBlock(header, pieces.start(piece))) addBlock(header, pieces.start(piece), pieces.end(piece));
  }
  if (pieces.count === 0) block.recentPieceCount = 0;
}

function hasBlock(header: OutgoingHeader, start: number): boolean {
  for (let i = 0; i < header.sackBlocks; i++) if (header.sackEdges[2 * i] === start) return true;
  return false;
}

function addBlock(header: OutgoingHeader, start: number, end: number): void {
  header.sackEdges[2 * header.sackBlocks] = start;
  header.sackEdges[2 * header.sackBlocks + 1] = end;
  header.sackBlocks += 1;
}
