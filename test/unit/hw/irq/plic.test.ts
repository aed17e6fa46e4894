import { describe, expect, it } from 'vitest';
import { PLIC, Plic } from '../../../../hw/irq/plic.ts';

const CONTEXT_STRIDE = 0x1000;
const ENABLE_STRIDE = 0x80;

/** A PLIC with two contexts, and software's way to its registers. */
function machine() {
  const outputs = [false, false];
  const edges: string[] = [];
  const plic = new Plic(
    outputs.map((_, context) => (level: boolean) => {
      outputs[context] = level;
      edges.push(`${context}${level ? '+' : '-'}`);
    }),
  );
  return {
    plic,
    outputs,
    edges,
    input: (source: number) => plic.input(source).source(),
    priority: (source: number, value: number) => plic.write(4 * source, 4, value),
    enable: (context: number, word: number, bits: number) =>
      plic.write(PLIC.ENABLE.at + ENABLE_STRIDE * context + 4 * word, 4, bits),
    threshold: (context: number, value: number) => plic.write(PLIC.THRESHOLD.at + CONTEXT_STRIDE * context, 4, value),
    claim: (context: number) => plic.read(PLIC.CLAIM.at + CONTEXT_STRIDE * context, 4),
    complete: (context: number, source: number) => plic.write(PLIC.CLAIM.at + CONTEXT_STRIDE * context, 4, source),
    pending: (word: number) => plic.read(PLIC.PENDING.at + 4 * word, 4) >>> 0,
  };
}

describe('PLIC gateway', () => {
  it('keeps a request pending after the line has dropped', () => {
    const m = machine();
    const line = m.input(10);
    line.set(true);
    line.set(false);
    expect(m.pending(0)).toBe(1 << 10);
  });

  it('forwards no second request between claim and completion, and re-pends a line that is still high', () => {
    const m = machine();
    m.priority(33, 1);
    m.enable(0, 1, 1 << 1);
    const line = m.input(33);
    line.set(true);
    expect(m.claim(0)).toBe(33);
    line.set(false);
    line.set(true);
    expect(m.pending(1)).toBe(0);
    expect(m.outputs[0]).toBe(false);
    m.complete(0, 33);
    expect(m.pending(1)).toBe(1 << 1);
    expect(m.outputs[0]).toBe(true);
  });

  it('re-pends nothing when the line is low at completion', () => {
    const m = machine();
    m.priority(33, 1);
    m.enable(0, 1, 1 << 1);
    const line = m.input(33);
    line.set(true);
    m.claim(0);
    line.set(false);
    m.complete(0, 33);
    expect(m.pending(1)).toBe(0);
    expect(m.edges).toEqual(['0+', '0-']);
  });

  it('ignores a completion for a source that is not enabled for the context, so the gateway stays shut', () => {
    const m = machine();
    m.priority(5, 1);
    m.enable(0, 0, 1 << 5);
    const line = m.input(5);
    line.set(true);
    m.claim(0);
    m.complete(1, 5);
    m.enable(0, 0, 0);
    m.complete(0, 5);
    m.enable(0, 0, 1 << 5);
    expect(m.pending(0)).toBe(0);
    m.complete(0, 5);
    expect(m.pending(0)).toBe(1 << 5);
  });

  it.each([0, 96, 1024, -1])('ignores a completion of source %i, which does not exist', source => {
    const m = machine();
    m.enable(0, 0, -1);
    m.complete(0, source);
    expect(m.claim(0)).toBe(0);
  });
});

describe('PLIC priorities', () => {
  it('claims the highest priority first, and of equals the lowest number', () => {
    const m = machine();
    for (const [source, priority] of [
      [3, 1],
      [7, 5],
      [40, 7],
      [95, 7],
    ] as const) {
      m.priority(source, priority);
      m.input(source).set(true);
    }
    for (const word of [0, 1, 2]) m.enable(0, word, -1);
    expect([m.claim(0), m.claim(0), m.claim(0), m.claim(0), m.claim(0)]).toEqual([40, 95, 7, 3, 0]);
  });

  it('never interrupts for, nor lets claim, a source of priority 0', () => {
    const m = machine();
    m.enable(0, 0, 1 << 4);
    m.input(4).set(true);
    expect(m.outputs[0]).toBe(false);
    expect(m.claim(0)).toBe(0);
    m.priority(4, 1);
    expect(m.outputs[0]).toBe(true);
  });

  it('masks the output, but not a claim, with the threshold', () => {
    const m = machine();
    m.priority(4, 3);
    m.enable(0, 0, 1 << 4);
    m.threshold(0, 3);
    m.input(4).set(true);
    expect(m.outputs[0]).toBe(false);
    m.threshold(0, 2);
    expect(m.outputs[0]).toBe(true);
    m.threshold(0, 7);
    expect(m.outputs[0]).toBe(false);
    expect(m.claim(0)).toBe(4);
  });

  it('gives a source to the first of two contexts that claims it', () => {
    const m = machine();
    m.priority(4, 1);
    m.enable(0, 0, 1 << 4);
    m.enable(1, 0, 1 << 4);
    m.input(4).set(true);
    expect(m.outputs).toEqual([true, true]);
    expect(m.claim(1)).toBe(4);
    expect(m.outputs).toEqual([false, false]);
    expect(m.claim(0)).toBe(0);
  });

  it('stores three bits of priority and of threshold', () => {
    const m = machine();
    m.priority(95, -1);
    m.threshold(1, -1);
    expect(m.plic.read(4 * 95, 4)).toBe(7);
    expect(m.plic.read(PLIC.THRESHOLD.at + CONTEXT_STRIDE, 4)).toBe(7);
  });
});

describe('PLIC register space', () => {
  it('has no source 0 and nothing beyond source 95 and the last context', () => {
    const m = machine();
    for (const offset of [
      0,
      4 * 96,
      PLIC.ENABLE.at + 12,
      PLIC.ENABLE.at + 2 * ENABLE_STRIDE,
      0x1f_2000,
      0x20_2000,
      0x5f_fffc,
    ]) {
      m.plic.write(offset, 4, -1);
      expect(m.plic.read(offset, 4), `offset ${offset.toString(16)}`).toBe(0);
    }
    m.enable(0, 0, -1);
    expect(m.plic.read(PLIC.ENABLE.at, 4) >>> 0).toBe(0xffff_fffe);
  });

  it('lets software write PENDING without effect', () => {
    const m = machine();
    m.plic.write(PLIC.PENDING.at, 4, -1);
    expect(m.pending(0)).toBe(0);
  });

  it('does not claim on a narrow read', () => {
    const m = machine();
    m.priority(9, 1);
    m.enable(0, 0, 1 << 9);
    m.input(9).set(true);
    expect(m.plic.read(PLIC.CLAIM.at, 1)).toBe(0);
    expect(m.plic.peek(PLIC.CLAIM.at)).toBe(9);
    expect(m.claim(0)).toBe(9);
  });

  it('names its registers', () => {
    const { plic } = machine();
    expect([0x84, 0x1004, 0x2088, 0x20_1000, 0x20_0004].map(offset => plic.nameAt(offset))).toEqual([
      'PRIORITY of source 33',
      'PENDING[1]',
      'ENABLE[2] of context 1',
      'THRESHOLD of context 1',
      'CLAIM of context 0',
    ]);
  });

  it('reports claims and completions to an observer', () => {
    const m = machine();
    const seen: string[] = [];
    m.plic.onClaim = (context, source) => seen.push(`claim ${context} ${source}`);
    m.plic.onComplete = (context, source) => seen.push(`complete ${context} ${source}`);
    m.priority(2, 1);
    m.enable(1, 0, 1 << 2);
    m.input(2).set(true);
    m.claim(1);
    m.complete(1, 3);
    m.complete(1, 2);
    m.claim(0);
    expect(seen).toEqual(['claim 1 2', 'complete 1 2', 'claim 0 0']);
  });

  it('continues from a saved state, whether lines are restored before or after', () => {
    const m = machine();
    m.priority(33, 2);
    m.enable(0, 1, 1 << 1);
    m.input(33).set(true);
    m.claim(0);
    m.input(7).set(true);
    const state = m.plic.save();
    for (const linesFirst of [true, false]) {
      const other = machine();
      const lines = [other.input(33), other.input(7)];
      if (linesFirst) for (const line of lines) line.set(true);
      other.plic.load(state);
      if (!linesFirst) for (const line of lines) line.set(true);
      expect(other.plic.save()).toEqual(state);
      other.complete(0, 33);
      expect(other.outputs[0]).toBe(true);
    }
  });
});
