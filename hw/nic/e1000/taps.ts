/**
 * Observation of one NIC: one object, null unless somebody watches, so an unobserved NIC pays one check at each place.
 * Nothing that is handed in here may be kept or changed after the call returns; frames alone may be kept.
 */
import type { Frame } from '../../ethernet/frame.ts';

export type Ring = 'tx' | 'rx';

/** Why a frame went no further. */
export type DropReason =
  | 'receiver disabled'
  | 'address filter'
  | 'VLAN filter'
  | 'bad frame'
  | 'flow control'
  | 'receive FIFO full'
  | 'excessive collisions'
  | 'late collision'
  | 'too long for the transmit FIFO';

export interface E1000Taps {
  /** Software touched the register at byte `offset` of BAR0. `value` is what was read or written, int32. */
  register(write: boolean, offset: number, value: number): void;
  /** A descriptor crossed the bus. `bytes` are its 16 bytes as they are on chip. */
  descriptor(ring: Ring, index: number, address: number, action: 'fetch' | 'write-back', bytes: Uint8Array): void;
  dma(action: 'read' | 'write', address: number, lengthBytes: number): void;
  /** Causes were raised; `icr` and `ims` are the registers after that. */
  causes(raisedBits: number, icr: number, ims: number): void;
  dropped(frame: Frame, reason: DropReason): void;
  /** The driver did what the manual leaves undefined, or what it is unlikely to mean. */
  suspicion(text: string): void;
}
