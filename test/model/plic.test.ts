/** The PLIC against a model that is as plain as the specification: objects, no words, no bit tricks. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { LineSource } from '../../hw/bus/line.ts';
import { PLIC, Plic } from '../../hw/irq/plic.ts';

const CONTEXTS = 3;
const SOURCES = [1, 2, 31, 32, 33, 63, 64, 95];

interface ModelSource {
  line: boolean;
  priority: number;
  pending: boolean;
  inService: boolean;
}

class Model {
  readonly sources = new Map<number, ModelSource>(
    SOURCES.map(id => [id, { line: false, priority: 0, pending: false, inService: false }]),
  );
  readonly contexts = Array.from({ length: CONTEXTS }, () => ({ enabled: new Set<number>(), threshold: 0 }));

  gateway(source: ModelSource): void {
    if (source.line && !source.inService) source.pending = true;
  }

  candidates(context: number): [number, ModelSource][] {
    const { enabled } = this.contexts[context]!;
    return [...this.sources]
      .filter(([id, source]) => source.pending && enabled.has(id) && source.priority > 0)
      .sort(([idA, a], [idB, b]) => b.priority - a.priority || idA - idB);
  }

  output(context: number): boolean {
    return this.candidates(context).some(([, source]) => source.priority > this.contexts[context]!.threshold);
  }
}

class Real {
  readonly outputs: boolean[] = new Array(CONTEXTS).fill(false);
  readonly plic = new Plic(
    this.outputs.map((_, context) => (level: boolean) => {
      if (level === this.outputs[context]) throw new Error('an output reported a change that was none');
      this.outputs[context] = level;
    }),
  );
  readonly lines = new Map<number, LineSource>(SOURCES.map(id => [id, this.plic.input(id).source()]));
}

type Command = fc.Command<Model, Real>;

/** Runs `model` and `real`, whose results must agree, then compares everything that software and harts can see. */
function command(text: string, model: (m: Model) => unknown, real: (r: Real) => unknown): Command {
  return {
    check: () => true,
    toString: () => text,
    run: (m, r) => {
      const expected = model(m);
      const actual = real(r);
      if (expected !== actual) throw new Error(`${text}: expected ${expected}, got ${actual}`);
      for (let context = 0; context < CONTEXTS; context++) {
        if (m.output(context) !== r.outputs[context]) throw new Error(`${text}: output ${context} is wrong`);
      }
      for (const [id, source] of m.sources) {
        const word = r.plic.read(PLIC.PENDING.at + 4 * (id >>> 5), 4);
        if (((word >>> (id & 31)) & 1) !== Number(source.pending)) throw new Error(`${text}: pending ${id} is wrong`);
      }
    },
  };
}

const source = fc.constantFrom(...SOURCES);
const context = fc.nat(CONTEXTS - 1);
const priority = fc.nat(7);

const commands = [
  fc.tuple(source, fc.boolean()).map(([id, level]) =>
    command(
      `line ${id} ${level}`,
      m => {
        m.sources.get(id)!.line = level;
        m.gateway(m.sources.get(id)!);
      },
      r => r.lines.get(id)!.set(level),
    ),
  ),
  fc.tuple(source, priority).map(([id, value]) =>
    command(
      `priority ${id} ${value}`,
      m => {
        m.sources.get(id)!.priority = value;
      },
      r => r.plic.write(4 * id, 4, value),
    ),
  ),
  fc.tuple(context, fc.nat(2), fc.subarray(SOURCES)).map(([at, word, ids]) =>
    command(
      `enable ${at} word ${word} ${ids}`,
      m => {
        const { enabled } = m.contexts[at]!;
        for (const id of SOURCES.filter(each => each >>> 5 === word)) {
          if (ids.includes(id)) enabled.add(id);
          else enabled.delete(id);
        }
      },
      r => {
        const bits = ids.filter(id => id >>> 5 === word).reduce((sum, id) => sum | (1 << (id & 31)), 0);
        r.plic.write(PLIC.ENABLE.at + 0x80 * at + 4 * word, 4, bits);
      },
    ),
  ),
  fc.tuple(context, priority).map(([at, value]) =>
    command(
      `threshold ${at} ${value}`,
      m => {
        m.contexts[at]!.threshold = value;
      },
      r => r.plic.write(PLIC.THRESHOLD.at + 0x1000 * at, 4, value),
    ),
  ),
  context.map(at =>
    command(
      `claim ${at}`,
      m => {
        const best = m.candidates(at)[0];
        if (best === undefined) return 0;
        best[1].pending = false;
        best[1].inService = true;
        return best[0];
      },
      r => r.plic.read(PLIC.CLAIM.at + 0x1000 * at, 4),
    ),
  ),
  fc.tuple(context, source).map(([at, id]) =>
    command(
      `complete ${at} ${id}`,
      m => {
        if (!m.contexts[at]!.enabled.has(id)) return;
        m.sources.get(id)!.inService = false;
        m.gateway(m.sources.get(id)!);
      },
      r => r.plic.write(PLIC.CLAIM.at + 0x1000 * at, 4, id),
    ),
  ),
  fc.constant(
    command(
      'save and load',
      () => undefined,
      r => r.plic.load(r.plic.save()),
    ),
  ),
];

describe('PLIC against its model', () => {
  it('claims, outputs and pending bits agree after any sequence of lines, writes, claims and completions', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 80, size: 'max' }), sequence => {
        fc.modelRun(() => ({ model: new Model(), real: new Real() }), sequence);
      }),
      { numRuns: 300 },
    );
  });
});
