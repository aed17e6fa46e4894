/**
 * What one e1000 does, as one stream: register accesses, descriptors and DMA on the bus, interrupt causes, frames that
 * it throws away. `timeNs` is virtual time in nanoseconds; register values and addresses are unsigned.
 */
import type { Observable } from 'rxjs';
import type { Frame } from '../../hw/ethernet/frame.ts';
import type { DropReason, E1000Taps, Ring } from '../../hw/nic/e1000/taps.ts';
import type { Clock } from '../../hw/sim/clock.ts';
import { onePerDevice, tapObservable } from './probe.ts';

/** What happened; `kind` names the method of {@link E1000Taps} that told it. */
type NicHappening =
  | {
      readonly kind: 'register';
      readonly write: boolean;
      /** The register's name, with its index if it is one of an array. */
      readonly register: string;
      readonly offset: number;
      readonly value: number;
    }
  | {
      readonly kind: 'descriptor';
      readonly ring: Ring;
      readonly index: number;
      readonly address: number;
      readonly action: 'fetch' | 'write-back';
      /** A copy of its 16 bytes. */
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'dma'; readonly action: 'read' | 'write'; readonly address: number; readonly lengthBytes: number }
  | { readonly kind: 'causes'; readonly raisedBits: number; readonly icr: number; readonly ims: number }
  | { readonly kind: 'dropped'; readonly frame: Frame; readonly reason: DropReason }
  | { readonly kind: 'suspicion'; readonly text: string };

/** `nic` is the interface's name, as in `h1.eth0`. */
export type NicEvent = NicHappening & { readonly timeNs: number; readonly nic: string };

/** A NIC as an observer sees it. */
export interface TappedNic {
  taps: E1000Taps | null;
  nameAt(offset: number): string;
}

export const nicEvents = onePerDevice(
  (device: TappedNic, nic: string, clock: Clock): Observable<NicEvent> =>
    tapObservable(emit => {
      const tell = (happening: NicHappening) => emit!({ timeNs: clock.nowNs, nic, ...happening });
      device.taps = emit && fanOut(device, tell);
    }),
);

function fanOut(device: TappedNic, tell: (happening: NicHappening) => void): E1000Taps {
  return {
    register: (write, offset, value) =>
      tell({ kind: 'register', write, register: device.nameAt(offset), offset, value: value >>> 0 }),
    descriptor: (ring, index, address, action, bytes) =>
      tell({ kind: 'descriptor', ring, index, address, action, bytes: bytes.slice() }),
    dma: (action, address, lengthBytes) => tell({ kind: 'dma', action, address, lengthBytes }),
    causes: (raisedBits, icr, ims) =>
      tell({ kind: 'causes', raisedBits: raisedBits >>> 0, icr: icr >>> 0, ims: ims >>> 0 }),
    dropped: (frame, reason) => tell({ kind: 'dropped', frame, reason }),
    suspicion: text => tell({ kind: 'suspicion', text }),
  };
}
