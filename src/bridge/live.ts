/**
 * The live loop: virtual time follows the clock on the wall, and frames of real peers come in through wire sockets.
 *
 * One tick runs the world to the present, puts in the frames that have come, and sends out those that the world has
 * sent. Ticks follow one another through `setImmediate` while something is due soon, so that sockets and signals get
 * their turn, and a timer sleeps when nothing is; a peer's frame wakes the loop at once. When the world takes longer
 * than the wall does, it falls behind and nothing is skipped: how far is counted, and said once.
 *
 * All that comes in is journalled with the step at which it went in, before the world goes on. Nothing else reaches the
 * world from outside, least of all the time on the wall, which only decides how far a tick runs.
 */
import type { Frame } from '../../hw/ethernet/frame.ts';
import type { JournalWriter } from './journal.ts';
import { type BridgeStation, type BridgeWorld, stationOn } from './ports.ts';
import { WireSocket } from './wire-socket.ts';

/** A tick hands over to sockets and signals after so many steps: a millisecond or two. */
const MAX_STEPS_PER_TICK = 10_000;
/** Frames kept per wire before its peer has to wait; reading goes on at half of it. */
const MAX_WAITING_FRAMES = 256;
/** Timers of Node are late by up to a millisecond and more, so what is due sooner than this is waited for awake. */
const AWAKE_NS = 1_500_000;
/** Longest sleep, so that a far deadline fits a timer of Node. */
const MAX_SLEEP_MS = 60_000;
/** Behind the wall by so much, the run says so. */
const LATE_NS = 100_000_000;

export interface LiveOptions {
  /** The unix socket path of each open wire that is to be joined, by the wire's name. */
  readonly wires: ReadonlyMap<string, string>;
  /** How long the run lasts, or null: until SIGINT or SIGTERM. */
  readonly durationNs: number | null;
  readonly journal: JournalWriter | null;
  /** One line for the person at the terminal. */
  report(line: string): void;
}

export interface LiveResult {
  readonly endedBy: 'duration' | 'SIGINT' | 'SIGTERM';
  readonly stepCount: number;
  readonly nowNs: number;
  /** Frames from peers into the world, and from the world to peers. */
  readonly inCount: number;
  readonly outCount: number;
  /** Frames that a peer was too slow to take. */
  readonly dropCount: number;
  /** The furthest that virtual time was behind the wall, in nanoseconds. */
  readonly maxLagNs: number;
}

/** Runs `world` live until its end. Sockets and journal are closed when it resolves, and when it rejects. */
export async function runLive(world: BridgeWorld, options: LiveOptions): Promise<LiveResult> {
  for (const name of options.wires.keys()) stationOn(world, name);
  const loop = new LiveLoop(world, options);
  const interrupt = () => loop.endOn('SIGINT');
  const terminate = () => loop.endOn('SIGTERM');
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  try {
    for (const [name, path] of options.wires) await loop.open(name, path);
    return await loop.run();
  } finally {
    await loop.close();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', terminate);
  }
}

/** An open wire that is joined to a socket. `waiting` holds, from `head` on, what has come and not yet gone in. */
interface JoinedWire {
  readonly name: string;
  readonly station: BridgeStation;
  readonly socket: WireSocket;
  readonly waiting: Uint8Array[];
  head: number;
  /** The station refused a frame and has not said yet that it has room. */
  full: boolean;
}

class LiveLoop {
  readonly #world: BridgeWorld;
  readonly #options: LiveOptions;
  readonly #wires: JoinedWire[] = [];
  #beganNs = 0n;
  #endedBy: LiveResult['endedBy'] | null = null;
  #finish: ((outcome: Error | null) => void) | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #timeout: NodeJS.Timeout | null = null;
  #stepsLeft = 0;
  #roomMade = false;
  #inCount = 0;
  #outCount = 0;
  #maxLagNs = 0;
  #lateSaid = false;

  constructor(world: BridgeWorld, options: LiveOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** Listens for the peer of the wire `name`. */
  async open(name: string, path: string): Promise<void> {
    const station = stationOn(this.#world, name);
    const waiting: Uint8Array[] = [];
    const socket = await WireSocket.listen(name, path, {
      frame: octets => {
        waiting.push(octets);
        if (waiting.length - wire.head >= MAX_WAITING_FRAMES) socket.pause();
      },
      framesRead: () => this.#tick(),
      report: line => this.#options.report(line),
    });
    const wire: JoinedWire = { name, station, socket, waiting, head: 0, full: false };
    this.#wires.push(wire);
    station.onReceive = frame => this.#sendOut(wire, frame);
    station.onRoom = () => {
      wire.full = false;
      this.#roomMade = true;
    };
    this.#options.report(`wire ${name}: waiting for a peer at ${path}`);
  }

  /** Runs to the end, by time or by signal. */
  async run(): Promise<LiveResult> {
    await new Promise<void>((resolve, reject) => {
      this.#finish = failure => (failure === null ? resolve() : reject(failure));
      this.#beganNs = process.hrtime.bigint();
      this.#tick();
    });
    return this.#result();
  }

  /** Ends the run, now or as soon as it begins. */
  endOn(signal: 'SIGINT' | 'SIGTERM'): void {
    this.#endedBy ??= signal;
    this.#end(null);
  }

  async close(): Promise<void> {
    this.#finish = null;
    this.#sleepNoMore();
    await Promise.all(this.#wires.map(wire => wire.socket.close()));
    for (const { station } of this.#wires) station.onReceive = station.onRoom = null;
    this.#options.journal?.close();
  }

  #result(): LiveResult {
    return {
      endedBy: this.#endedBy ?? 'duration',
      stepCount: this.#world.clock.stepCount,
      nowNs: this.#world.clock.nowNs,
      inCount: this.#inCount,
      outCount: this.#outCount,
      dropCount: this.#wires.reduce((sum, { socket }) => sum + socket.dropCount, 0),
      maxLagNs: this.#maxLagNs,
    };
  }

  /** Ends the run where it is. */
  #end(failure: Error | null): void {
    const finish = this.#finish;
    if (finish === null) return;
    this.#finish = null;
    const { stepCount, nowNs } = this.#world.clock;
    this.#options.journal?.end({ step: stepCount, t: nowNs, failed: failure === null ? null : failure.message });
    finish(failure);
  }

  #tick(): void {
    if (this.#finish === null) return;
    this.#sleepNoMore();
    try {
      if (this.#endedBy === null) this.#runToPresent();
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    for (const wire of this.#wires) wire.socket.flush();
    const { durationNs } = this.#options;
    if (durationNs !== null && this.#world.clock.nowNs >= durationNs) this.#endedBy ??= 'duration';
    if (this.#endedBy !== null) this.#end(null);
    else this.#sleep();
  }

  /** Runs up to the time on the wall and puts the waiting frames in. */
  #runToPresent(): void {
    const presentNs = this.#presentNs();
    this.#noteLag(presentNs);
    this.#stepsLeft = MAX_STEPS_PER_TICK;
    do {
      this.#roomMade = false;
      this.#world.run(presentNs, this.#enough);
      this.#putIn();
    } while (this.#roomMade && !this.#unfinished);
  }

  /** Asked before each step: whether the tick has had its share, or a station can take frames that wait. */
  readonly #enough = (): boolean => this.#roomMade || --this.#stepsLeft < 0;

  /** The last tick had its share of steps before it reached the present. */
  get #unfinished(): boolean {
    return this.#stepsLeft < 0;
  }

  #presentNs(): number {
    const wallNs = Number(process.hrtime.bigint() - this.#beganNs);
    return Math.min(wallNs, this.#options.durationNs ?? Number.POSITIVE_INFINITY);
  }

  /** What should have happened by now, and has not: the rest of the last tick, or what is due next. */
  #noteLag(presentNs: number): void {
    const { nowNs, nextDueNs } = this.#world.clock;
    this.#maxLagNs = Math.max(this.#maxLagNs, presentNs - (this.#unfinished ? nowNs : nextDueNs));
    if (this.#maxLagNs < LATE_NS || this.#lateSaid) return;
    this.#lateSaid = true;
    this.#options.report('virtual time has fallen behind the wall by over 100 ms; nothing is skipped');
  }

  #putIn(): void {
    const { journal } = this.#options;
    try {
      for (const wire of this.#wires) this.#putInto(wire, journal);
    } finally {
      journal?.flush();
    }
  }

  #putInto(wire: JoinedWire, journal: JournalWriter | null): void {
    const { stepCount, nowNs } = this.#world.clock;
    while (!wire.full && wire.head < wire.waiting.length) {
      const frame = wire.waiting[wire.head]!;
      let taken = true;
      try {
        taken = wire.station.send(frame);
      } finally {
        if (taken) journal?.add({ step: stepCount, t: nowNs, wire: wire.name, frame });
      }
      if (!taken) {
        wire.full = true;
        break;
      }
      wire.head += 1;
      this.#inCount += 1;
    }
    if (wire.head === wire.waiting.length || wire.head > MAX_WAITING_FRAMES) {
      wire.waiting.splice(0, wire.head);
      wire.head = 0;
    }
    if (wire.waiting.length - wire.head <= MAX_WAITING_FRAMES / 2) wire.socket.resume();
  }

  #sendOut(wire: JoinedWire, frame: Frame): void {
    // A peer's network card would drop a damaged frame; a wire socket has no place for its FCS.
    if (!frame.fcsGood || !wire.socket.connected) return;
    this.#outCount += 1;
    wire.socket.send(frame.octets);
  }

  /** Comes back when the next thing is due. A clock ahead of the wall has spent time that has yet to pass there. */
  #sleep(): void {
    const { nowNs, nextDueNs } = this.#world.clock;
    const presentNs = this.#presentNs();
    const dueNs = nowNs > presentNs ? nowNs : nextDueNs;
    const wakeNs = this.#unfinished ? presentNs : Math.min(dueNs, this.#options.durationNs ?? dueNs);
    const sleepMs = Math.min((wakeNs - presentNs - AWAKE_NS) / 1e6, MAX_SLEEP_MS);
    if (sleepMs < 1) {
      this.#immediate = setImmediate(() => this.#tick());
    } else {
      this.#timeout = setTimeout(() => this.#tick(), sleepMs);
    }
  }

  #sleepNoMore(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#immediate = this.#timeout = null;
  }
}
