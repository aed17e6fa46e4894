/**
 * What a kernel tells of itself, as one stream: each call of its {@link KernelTrace} becomes one event, named after
 * the method. `timeNs` is virtual time in nanoseconds; addresses are unsigned 32-bit numbers.
 */
import type { Observable } from 'rxjs';
import type { Clock } from '../../hw/sim/clock.ts';
import type { Cause } from '../../kernel/ports.ts';
import type { Direction, KernelTrace, ResendReason } from '../../kernel/trace.ts';
import { onePerDevice, tapObservable } from './probe.ts';

/** What happened; the fields are those of the method of {@link KernelTrace} that `kind` names. */
type KernelHappening =
  | { readonly kind: 'trap'; readonly cause: Cause }
  | { readonly kind: 'claim' | 'complete'; readonly source: number }
  | { readonly kind: 'irq'; readonly source: number; readonly name: string; readonly handled: boolean }
  | { readonly kind: 'deferred'; readonly name: string }
  | { readonly kind: 'task'; readonly name: string; readonly running: boolean; readonly waitsFor: string | null }
  | { readonly kind: 'syscall'; readonly task: string; readonly text: string }
  | {
      readonly kind: 'frame';
      readonly direction: Direction;
      readonly iface: string;
      readonly etherType: number;
      readonly lengthBytes: number;
      readonly handler: string | null;
    }
  | { readonly kind: 'arp' | 'nat' | 'log'; readonly text: string }
  | {
      readonly kind: 'route';
      readonly destination: number;
      readonly prefix: string;
      readonly gateway: number;
      readonly link: string;
    }
  | { readonly kind: 'protocol'; readonly protocol: number; readonly handler: string | null }
  | {
      readonly kind: 'demultiplex';
      readonly local: string;
      readonly remote: string;
      readonly found: string | null;
      readonly state: string | null;
    }
  | {
      readonly kind: 'ipv4';
      readonly direction: Direction;
      readonly source: number;
      readonly destination: number;
      readonly protocol: number;
      readonly lengthBytes: number;
    }
  | {
      readonly kind: 'forward';
      readonly destination: number;
      readonly prefix: string;
      readonly gateway: number;
      readonly link: string;
      readonly timeToLive: number;
    }
  | { readonly kind: 'filter'; readonly chain: string; readonly verdict: string }
  | { readonly kind: 'state'; readonly connection: string; readonly from: string; readonly to: string }
  | {
      readonly kind: 'resend';
      readonly connection: string;
      readonly seq: number;
      readonly lengthBytes: number;
      readonly reason: ResendReason;
    }
  | { readonly kind: 'socket'; readonly direction: Direction; readonly socket: string; readonly lengthBytes: number }
  | { readonly kind: 'drop'; readonly where: string; readonly reason: string };

export type KernelEvent = KernelHappening & { readonly timeNs: number; readonly host: string };

/** A kernel as an observer sees it. */
export interface TracedKernel {
  trace: KernelTrace | null;
}

export const kernelEvents = onePerDevice(
  (kernel: TracedKernel, host: string, clock: Clock): Observable<KernelEvent> =>
    tapObservable(emit => {
      kernel.trace = emit && fanOut(happening => emit({ timeNs: clock.nowNs, host, ...happening }));
    }),
);

/** The one implementation of the kernel's trace: every method ends in `tell`. */
function fanOut(tell: (happening: KernelHappening) => void): KernelTrace {
  return {
    trap: cause => tell({ kind: 'trap', cause }),
    claim: source => tell({ kind: 'claim', source }),
    irq: (source, name, handled) => tell({ kind: 'irq', source, name, handled }),
    complete: source => tell({ kind: 'complete', source }),
    deferred: name => tell({ kind: 'deferred', name }),
    task: (name, running, waitsFor) => tell({ kind: 'task', name, running, waitsFor }),
    syscall: (task, text) => tell({ kind: 'syscall', task, text }),
    frame: (direction, iface, etherType, lengthBytes, handler) =>
      tell({ kind: 'frame', direction, iface, etherType, lengthBytes, handler }),
    arp: text => tell({ kind: 'arp', text }),
    route: (destination, prefix, gateway, link) => tell({ kind: 'route', destination, prefix, gateway, link }),
    protocol: (protocol, handler) => tell({ kind: 'protocol', protocol, handler }),
    demultiplex: (local, remote, found, state) => tell({ kind: 'demultiplex', local, remote, found, state }),
    ipv4: (direction, source, destination, protocol, lengthBytes) =>
      tell({ kind: 'ipv4', direction, source, destination, protocol, lengthBytes }),
    forward: (destination, prefix, gateway, link, timeToLive) =>
      tell({ kind: 'forward', destination, prefix, gateway, link, timeToLive }),
    nat: text => tell({ kind: 'nat', text }),
    filter: (chain, verdict) => tell({ kind: 'filter', chain, verdict }),
    state: (connection, from, to) => tell({ kind: 'state', connection, from, to }),
    resend: (connection, seq, lengthBytes, reason) => tell({ kind: 'resend', connection, seq, lengthBytes, reason }),
    socket: (direction, socket, lengthBytes) => tell({ kind: 'socket', direction, socket, lengthBytes }),
    drop: (where, reason) => tell({ kind: 'drop', where, reason }),
    log: text => tell({ kind: 'log', text }),
  };
}
