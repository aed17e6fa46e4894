/**
 * Everything that the probes saw during a run, in the order in which it happened, to be searched afterwards. A frame
 * is noted when its last bit has come out of the wire; everything else at its own time.
 */
import { filter, map, type Observable, Subscription } from 'rxjs';
import type { SocketRow } from '../../../kernel/net/socket-row.ts';
import { deliveries, frameEvents } from '../../observe/frame-probe.ts';
import { lineEvents, plicEvents, trapEvents } from '../../observe/interrupt-probe.ts';
import { kernelEvents } from '../../observe/kernel-probe.ts';
import { natEvents } from '../../observe/nat-probe.ts';
import { nicEvents } from '../../observe/nic-probe.ts';
import { switchEvents } from '../../observe/switch-probe.ts';
import { PCI_FIRST_IRQ } from '../../world/memory-map.ts';
import type { World } from '../../world/world.ts';

type EventOf<T> = T extends Observable<infer E> ? E : never;

/** One event, and which probe saw it. */
export type Moment =
  | ({ readonly probe: 'frame'; readonly wire: string } & EventOf<ReturnType<typeof frameEvents>>)
  /** A frame that a box in line has lost, when it should have come out. */
  | ({ readonly probe: 'loss'; readonly wire: string } & EventOf<ReturnType<typeof deliveries>>)
  | ({ readonly probe: 'switch' } & EventOf<ReturnType<typeof switchEvents>>)
  | ({ readonly probe: 'nat' } & EventOf<ReturnType<typeof natEvents>>)
  /** What a host had in its table of sockets when a program called the kernel, or before a connection changed its state. */
  | { readonly probe: 'sockets'; readonly timeNs: number; readonly host: string; readonly rows: readonly SocketRow[] }
  | ({ readonly probe: 'nic' } & EventOf<ReturnType<typeof nicEvents>>)
  | ({ readonly probe: 'kernel' } & EventOf<ReturnType<typeof kernelEvents>>)
  | ({ readonly probe: 'trap' } & EventOf<ReturnType<typeof trapEvents>>)
  | ({ readonly probe: 'plic' } & EventOf<ReturnType<typeof plicEvents>>)
  | ({ readonly probe: 'line' } & EventOf<ReturnType<typeof lineEvents>>);

/** The moments of one probe, and where that probe tells kinds apart, of one kind. */
export type MomentOf<P extends Moment['probe'], K = unknown> = OfKind<Extract<Moment, { probe: P }>, K>;

type OfKind<M, K> = unknown extends K
  ? M
  : M extends { kind: infer Kinds }
    ? K extends Kinds
      ? M & { kind: K }
      : never
    : never;

export class Recording {
  readonly #moments: Moment[] = [];
  readonly #subscriptions = new Subscription();

  /** Records everything in `world` from now on. */
  constructor(world: World) {
    const { clock } = world;
    for (const { name, cable } of world.wires.values()) {
      this.#note(frameEvents(cable), event => ({ probe: 'frame', wire: name, ...event }));
      const lost = deliveries(cable).pipe(filter(({ arrived }) => arrived === null));
      this.#note(lost, event => ({ probe: 'loss', wire: name, ...event }));
    }
    for (const { name, device } of world.switches.values()) {
      this.#note(switchEvents(device, name, clock), event => ({ probe: 'switch', ...event }));
    }
    for (const { name, nics, kernel, hart, plic } of world.computers.values()) {
      for (const nic of nics) this.#note(nicEvents(nic.device, nic.name, clock), event => ({ probe: 'nic', ...event }));
      this.#note(kernelEvents(kernel, name, clock), event => ({ probe: 'kernel', ...event }));
      const looks = kernelEvents(kernel, name, clock).pipe(
        filter(({ kind }) => kind === 'syscall' || kind === 'state'),
      );
      const rows = looks.pipe(map(() => kernel.net.sockets.table()));
      this.#note(rows, table => ({ probe: 'sockets', timeNs: clock.nowNs, host: name, rows: table }));
      const { nat } = kernel.net;
      if (nat !== null) this.#note(natEvents(nat, name, clock), event => ({ probe: 'nat', ...event }));
      this.#note(trapEvents(hart, name, clock), event => ({ probe: 'trap', ...event }));
      this.#note(plicEvents(plic, name, clock), event => ({ probe: 'plic', ...event }));
      for (let pin = 0; pin < 4; pin++) {
        const line = plic.input(PCI_FIRST_IRQ + pin);
        this.#note(lineEvents(line, name, clock), event => ({ probe: 'line', ...event }));
      }
    }
  }

  /** The first moment at or after index `from` that `test` accepts. Throws when there is none. */
  find<M extends Moment>(from: number, what: string, test: (moment: Moment) => moment is M): Found<M> {
    for (let index = from; index < this.#moments.length; index++) {
      const moment = this.#moments[index]!;
      if (test(moment)) return { index, moment };
    }
    throw new Error(`the run shows no ${what}`);
  }

  /** All moments that `test` accepts, from index `from` up to, not including, `to`. */
  between<M extends Moment>(from: number, to: number, test: (moment: Moment) => moment is M): M[] {
    return this.#moments.slice(from, to).filter(test);
  }

  close(): void {
    this.#subscriptions.unsubscribe();
  }

  #note<T>(events: Observable<T>, wrap: (event: T) => Moment): void {
    this.#subscriptions.add(events.subscribe(event => this.#moments.push(wrap(event))));
  }
}

export interface Found<M extends Moment> {
  readonly index: number;
  readonly moment: M;
}
