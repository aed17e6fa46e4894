/**
 * Captures frames on wires into a pcapng file. A wire is one interface of the file. A packet shows what came out of
 * the wire, or what went in when nothing did; its time is that of its first preamble bit at the end where it came out.
 * What befell a frame stands in its comments: damage on the wire, and each of the two NICs at its ends that threw it
 * away, with the reason.
 *
 * Packets stand in the order of their time. They wait for that, and a NIC's verdict may come a little later than the
 * frame, or earlier: comments are looked up when a packet is written.
 */
import { filter, type Observable, Subscription } from 'rxjs';
import { type Frame, MIN_FRAME_BYTES } from '../../hw/ethernet/frame.ts';
import type { FrameEvent } from './frame-probe.ts';
import type { NicEvent } from './nic-probe.ts';
import { type ByteSink, PACKET_ERROR, PcapngWriter } from './pcapng.ts';
import type { SwitchEvent } from './switch-probe.ts';
import { TimeOrder } from './time-order.ts';

interface Wire {
  readonly interfaceId: number;
  /** Names of what is plugged in at end 0 and end 1. */
  readonly ends: readonly [string, string];
  received: number;
  dropped: number;
}

interface Remark {
  /** Or port of a switch. */
  readonly nic: string;
  readonly reason: string;
}

export class Capture {
  readonly #writer: PcapngWriter;
  readonly #wires: Wire[] = [];
  readonly #subscriptions = new Subscription();
  readonly #remarks = new WeakMap<Frame, Remark[]>();
  readonly #order = new TimeOrder<readonly [Wire, FrameEvent]>((timeNs, [wire, event]) =>
    this.#write(timeNs, wire, event),
  );

  /** `machine` says in the file's header what was captured. */
  constructor(sink: ByteSink, machine: string) {
    this.#writer = new PcapngWriter(sink, machine);
  }

  /** Captures a wire between `ends`, named as their NICs are. Outbound packets are those from end 0. */
  wire(name: string, ends: readonly [string, string], events: Observable<FrameEvent>): void {
    const description = `between ${ends[0]} and ${ends[1]}; outbound is from ${ends[0]}`;
    const wire = { interfaceId: this.#writer.addInterface(name, description), ends, received: 0, dropped: 0 };
    this.#wires.push(wire);
    this.#subscriptions.add(
      events.subscribe(event => this.#order.add(event.arrivalNs, wire.interfaceId, [wire, event])),
    );
  }

  /** Adds what a NIC throws away to the comments of the frames on its wire. */
  nic(events: Observable<NicEvent>): void {
    this.#subscriptions.add(
      events
        .pipe(filter(event => event.kind === 'dropped'))
        .subscribe(({ nic, frame, reason }) => this.#remark(frame, { nic, reason })),
    );
  }

  /** Likewise what a switch drops, at the port where it came in. */
  switch(events: Observable<SwitchEvent>): void {
    this.#subscriptions.add(
      events.pipe(filter(event => event.kind === 'dropped')).subscribe(({ switch: name, port, frame, reason }) => {
        this.#remark(frame, { nic: `${name}.port${port}`, reason });
      }),
    );
  }

  /** Stops capturing, and writes all that waits and the totals. `nowNs` is the end of the capture. */
  close(nowNs: number): void {
    this.#subscriptions.unsubscribe();
    this.#order.flush();
    for (const { interfaceId, received, dropped } of this.#wires) {
      this.#writer.statistics(interfaceId, { endNs: nowNs, received, dropped });
    }
  }

  #remark(frame: Frame, remark: Remark): void {
    const remarks = this.#remarks.get(frame) ?? [];
    // A frame that goes round in a loop is dropped at the same place again and again.
    if (remarks.some(({ nic, reason }) => nic === remark.nic && reason === remark.reason)) return;
    remarks.push(remark);
    this.#remarks.set(frame, remarks);
  }

  #write(timeNs: number, wire: Wire, event: FrameEvent): void {
    const shown = event.arrived ?? event.sent;
    const drops = [...this.#dropsOf(wire, event)];
    wire.received += 1;
    if (drops.length > 0 || event.arrived === null) wire.dropped += 1;
    this.#writer.packet({
      interfaceId: wire.interfaceId,
      timeNs,
      bytes: shown.wire(),
      direction: event.fromEnd === 0 ? 'outbound' : 'inbound',
      errors: errorsOf(shown),
      comments: [...wireComments(event), ...drops],
    });
  }

  /** A frame that a switch passes on is one object on several wires: only what the ends of this one did counts here. */
  #dropsOf(wire: Wire, { sent, arrived }: FrameEvent): Set<string> {
    const frames = arrived === null || arrived === sent ? [sent] : [sent, arrived];
    const remarks = frames.flatMap(frame => this.#remarks.get(frame) ?? []);
    return new Set(
      remarks.filter(({ nic }) => wire.ends.includes(nic)).map(({ nic, reason }) => `dropped by ${nic}: ${reason}`),
    );
  }
}

function errorsOf(frame: Frame): number {
  let errors = frame.fcsGood ? 0 : PACKET_ERROR.CRC;
  if (frame.wireBytes < MIN_FRAME_BYTES) errors |= PACKET_ERROR.TOO_SHORT;
  if (frame.errors.dribbleBits !== 0) errors |= PACKET_ERROR.UNALIGNED;
  if (frame.errors.rxError) errors |= PACKET_ERROR.SYMBOL;
  return errors;
}

/** What the wire did to the frame, in words; nothing if it came out as it was sent. */
function wireComments({ sent, arrived, aborted }: FrameEvent): string[] {
  if (arrived === null) return ['lost: nothing of it came out of the wire'];
  if (arrived === sent) return sent.fcsGood ? [] : ['sent with this bad FCS'];
  if (aborted) return [`given up by its sender after ${arrived.wireBytes} octets`];
  if (arrived.wireBytes < sent.wireBytes)
    return [`cut short on the wire: ${arrived.wireBytes} of ${sent.wireBytes} octets`];
  if (arrived.wireBytes > sent.wireBytes)
    return [`drawn out on the wire: ${arrived.wireBytes} octets out of ${sent.wireBytes}`];
  return [`damaged on the wire: ${flippedBits(sent.wire(), arrived.wire())}`];
}

function flippedBits(sent: Uint8Array, arrived: Uint8Array): string {
  let count = 0;
  let firstOctet = -1;
  for (let at = 0; at < sent.length; at++) {
    for (let bits = sent[at]! ^ arrived[at]!; bits !== 0; bits &= bits - 1) {
      if (count++ === 0) firstOctet = at;
    }
  }
  if (count === 0) return 'symbols only, no bit is inverted';
  return `${count} ${count === 1 ? 'bit' : 'bits'} inverted, the first in octet ${firstOctet}`;
}
