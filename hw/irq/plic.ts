/**
 * The platform-level interrupt controller: RISC-V PLIC specification 1.0.0, with the layout and size of QEMU's `virt`
 * machine. Sources come in as level lines; each context (a hart at one privilege level) has one output.
 *
 * A gateway stands before each source: it lets one request through, then none until the request has been claimed and
 * completed. A request stays pending even if the line drops before the claim, and a line that is still high at
 * completion asks again. So a driver that completes without quieting its device is interrupted for ever.
 *
 * The register space is large and almost empty, so it is decoded by hand; {@link PLIC} declares it for context 0, for
 * the datasheet. Only word accesses are defined: narrower ones read zero and do nothing.
 */
import { assert } from '../../src/lib/assert.ts';
import type { AccessSize, BusDevice } from '../bus/bus.ts';
import { Line } from '../bus/line.ts';
import { registers } from '../bus/registers.ts';

/** Sources are numbered 1 to 95; source 0 does not exist. */
const SOURCE_COUNT = 96;
const WORD_COUNT = SOURCE_COUNT / 32;
/** Seven levels of priority, and 0 for never. */
const PRIORITY_MASK = 7;
const ENABLE_STRIDE = 0x80;
const CONTEXT_STRIDE = 0x1000;
const ENABLE_END = 0x1f_2000;
const SOURCES_DOC = 'Source 32 n + bit';

/** Context c has its ENABLE registers 80h c further on, THRESHOLD and CLAIM 1000h c. */
export const PLIC = registers({
  PRIORITY: [
    0x00_0004,
    'Priority of source n + 1; of equals, the lowest number goes first',
    {
      PRIORITY: ['rw', 2, 0, 0, '0 is never'],
    },
    { count: SOURCE_COUNT - 1 },
  ],
  PENDING: [
    0x00_1000,
    'Requests that no context has claimed yet',
    {
      SOURCES: ['ro', 31, 0, 0, SOURCES_DOC],
    },
    { count: WORD_COUNT },
  ],
  ENABLE: [
    0x00_2000,
    'Sources that may interrupt the context',
    {
      SOURCES: ['rw', 31, 0, 0, SOURCES_DOC],
    },
    { count: WORD_COUNT },
  ],
  THRESHOLD: [
    0x20_0000,
    'The output is high while an enabled source of a higher priority is pending',
    {
      PRIORITY: ['rw', 2, 0, 0, '0 lets all through'],
    },
  ],
  CLAIM: [
    0x20_0004,
    'Reading claims the best pending source, whatever the threshold; writing completes one',
    {
      SOURCE: ['rw', 31, 0, 0, '0: none is pending'],
    },
  ],
});

/** The output of one context: called with the new level when it changes. */
type ContextOutput = (level: boolean) => void;

export interface PlicState {
  readonly priorities: Uint8Array;
  readonly pending: Int32Array;
  readonly claimed: Int32Array;
  readonly enables: Int32Array;
  readonly thresholds: Uint8Array;
}

export class Plic implements BusDevice {
  readonly name = 'PLIC';
  /** Observation: `context` claimed `source`; 0 when nothing was pending. */
  onClaim: ((context: number, source: number) => void) | null = null;
  /** Observation: `context` completed `source`. Writes that the gateway ignores are not reported. */
  onComplete: ((context: number, source: number) => void) | null = null;
  readonly #outputs: readonly ContextOutput[];
  readonly #levels: boolean[];
  readonly #inputs: readonly Line[];
  readonly #priorities = new Uint8Array(SOURCE_COUNT);
  readonly #pending = new Int32Array(WORD_COUNT);
  /** Claimed and not yet completed: the gateway is shut. */
  readonly #claimed = new Int32Array(WORD_COUNT);
  readonly #enables: Int32Array;
  readonly #thresholds: Uint8Array;

  /** One context per output, in order: on this machine, machine and supervisor level of hart 0, then of hart 1. */
  constructor(outputs: readonly ContextOutput[]) {
    this.#outputs = outputs;
    this.#levels = outputs.map(() => false);
    this.#enables = new Int32Array(outputs.length * WORD_COUNT);
    this.#thresholds = new Uint8Array(outputs.length);
    this.#inputs = Array.from({ length: SOURCE_COUNT }, (_, source) => {
      const line = new Line(`PLIC source ${source}`);
      line.onChange = level => {
        if (level) this.#request(source);
      };
      return line;
    });
  }

  /** The wire into `source`, 1 to 95: devices take a {@link Line.source} from it. */
  input(source: number): Line {
    assert(source > 0 && source < SOURCE_COUNT, 'a PLIC source that does not exist');
    return this.#inputs[source]!;
  }

  read(offset: number, size: AccessSize): number {
    if (size !== 4) return 0;
    if (offset === contextOf(offset) * CONTEXT_STRIDE + PLIC.CLAIM.at && this.#fitted(contextOf(offset))) {
      return this.#claim(contextOf(offset));
    }
    return this.peek(offset);
  }

  /** The word at `offset` without side effects: CLAIM then shows what a claim would return. */
  peek(offset: number): number {
    if (offset < PLIC.PENDING.at) return this.#priorities[offset >>> 2] ?? 0;
    if (offset < PLIC.ENABLE.at) return this.#pending[(offset - PLIC.PENDING.at) >>> 2] ?? 0;
    if (offset < PLIC.THRESHOLD.at) {
      const at = this.#enableIndex(offset);
      return at < 0 ? 0 : this.#enables[at]!;
    }
    const context = contextOf(offset);
    if (!this.#fitted(context)) return 0;
    const register = offset - context * CONTEXT_STRIDE;
    if (register === PLIC.THRESHOLD.at) return this.#thresholds[context]!;
    return register === PLIC.CLAIM.at ? this.#best(context, 0) : 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    if (size !== 4) return;
    if (offset < PLIC.PENDING.at) {
      const source = offset >>> 2;
      if (source > 0 && source < SOURCE_COUNT) this.#priorities[source] = value & PRIORITY_MASK;
    } else if (offset < PLIC.THRESHOLD.at) {
      const at = this.#enableIndex(offset);
      if (at >= 0) this.#enables[at] = at % WORD_COUNT === 0 ? value & ~1 : value;
    } else if (this.#fitted(contextOf(offset))) {
      this.#writeContext(contextOf(offset), offset, value);
    }
    this.#drive();
  }

  nameAt(offset: number): string {
    if (offset < PLIC.PENDING.at) return `PRIORITY of source ${offset >>> 2}`;
    if (offset < PLIC.ENABLE.at) return `PENDING[${(offset - PLIC.PENDING.at) >>> 2}]`;
    if (offset < PLIC.THRESHOLD.at) {
      const inContext = (offset - PLIC.ENABLE.at) % ENABLE_STRIDE;
      return `ENABLE[${inContext >>> 2}] of context ${Math.floor((offset - PLIC.ENABLE.at) / ENABLE_STRIDE)}`;
    }
    const register = offset % CONTEXT_STRIDE === 0 ? 'THRESHOLD' : 'CLAIM';
    return `${register} of context ${contextOf(offset)}`;
  }

  save(): PlicState {
    return {
      priorities: this.#priorities.slice(),
      pending: this.#pending.slice(),
      claimed: this.#claimed.slice(),
      enables: this.#enables.slice(),
      thresholds: this.#thresholds.slice(),
    };
  }

  /** Restores the registers. The lines are their devices' state: a restored line finds its request already here. */
  load(state: PlicState): void {
    this.#priorities.set(state.priorities);
    this.#pending.set(state.pending);
    this.#claimed.set(state.claimed);
    this.#enables.set(state.enables);
    this.#thresholds.set(state.thresholds);
    this.#drive();
  }

  #writeContext(context: number, offset: number, value: number): void {
    const register = offset - context * CONTEXT_STRIDE;
    if (register === PLIC.THRESHOLD.at) this.#thresholds[context] = value & PRIORITY_MASK;
    else if (register === PLIC.CLAIM.at) this.#complete(context, value >>> 0);
  }

  /** The gateway: a high line becomes a request, unless one is already under way. */
  #request(source: number): void {
    const word = source >>> 5;
    const bit = 1 << (source & 31);
    if ((this.#claimed[word]! & bit) !== 0) return;
    this.#pending[word]! |= bit;
    this.#drive();
  }

  #claim(context: number): number {
    const source = this.#best(context, 0);
    if (source !== 0) {
      this.#pending[source >>> 5]! &= ~(1 << (source & 31));
      this.#claimed[source >>> 5]! |= 1 << (source & 31);
      this.#drive();
    }
    this.onClaim?.(context, source);
    return source;
  }

  /** Ignored for a source that is not enabled for the context, and for one that nobody has claimed. */
  #complete(context: number, source: number): void {
    if (source >= SOURCE_COUNT) return;
    const word = source >>> 5;
    const bit = 1 << (source & 31);
    if ((this.#enables[context * WORD_COUNT + word]! & this.#claimed[word]! & bit) === 0) return;
    this.#claimed[word]! &= ~bit;
    this.onComplete?.(context, source);
    if (this.#inputs[source]!.level) this.#request(source);
  }

  /** The pending source of the highest priority above `threshold` that is enabled for `context`, or 0. */
  #best(context: number, threshold: number): number {
    let best = 0;
    let bestPriority = threshold;
    for (let word = 0; word < WORD_COUNT; word++) {
      let bits = this.#pending[word]! & this.#enables[context * WORD_COUNT + word]!;
      while (bits !== 0) {
        const source = 32 * word + 31 - Math.clz32(bits & -bits);
        if (this.#priorities[source]! > bestPriority) {
          best = source;
          bestPriority = this.#priorities[source]!;
        }
        bits &= bits - 1;
      }
    }
    return best;
  }

  #drive(): void {
    for (let context = 0; context < this.#outputs.length; context++) {
      const level = this.#best(context, this.#thresholds[context]!) !== 0;
      if (level === this.#levels[context]) continue;
      this.#levels[context] = level;
      this.#outputs[context]!(level);
    }
  }

  #fitted(context: number): boolean {
    return context >= 0 && context < this.#outputs.length;
  }

  /** Index into the enable words, or -1 where there is none. */
  #enableIndex(offset: number): number {
    const inBlock = offset - PLIC.ENABLE.at;
    const context = Math.floor(inBlock / ENABLE_STRIDE);
    const word = (inBlock % ENABLE_STRIDE) >>> 2;
    if (inBlock < 0 || offset >= ENABLE_END || !this.#fitted(context) || word >= WORD_COUNT) return -1;
    return context * WORD_COUNT + word;
  }
}

/** The context whose THRESHOLD and CLAIM registers lie about `offset`; negative below them. */
const contextOf = (offset: number): number => Math.floor((offset - PLIC.THRESHOLD.at) / CONTEXT_STRIDE);
