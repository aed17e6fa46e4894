import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REORDER_NS } from '../../../../src/observe/time-order.ts';
import { type VcdValue, type VcdVariable, VcdWriter } from '../../../../src/observe/vcd.ts';

interface Parsed {
  /** `scope.scope.name` to identifier. */
  readonly names: Map<string, string>;
  /** `[time, identifier, value]` in the order of the file, without the initial dump. */
  readonly changes: readonly (readonly [number, string, string])[];
  readonly endNs: number;
}

/** A reader of its own: tokens, as IEEE 1364 clause 18.2 has them. */
function parse(text: string): Parsed {
  const names = new Map<string, string>();
  const changes: [number, string, string][] = [];
  const scopes: string[] = [];
  const tokens = text.split(/\s+/).filter(token => token !== '');
  let timeNs = -1;
  let dumping = false;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const toEnd = () => tokens.slice(i + 1, tokens.indexOf('$end', i));
    if (token === '$scope') scopes.push(toEnd()[1]!);
    else if (token === '$upscope') scopes.pop();
    else if (token === '$var') names.set([...scopes, toEnd()[3]].join('.'), toEnd()[2]!);
    else if (token === '$timescale') expect(toEnd()).toEqual(['1ns']);
    if (token === '$dumpvars') dumping = true;
    else if (token === '$end') dumping = false;
    else if (token.startsWith('$')) i = tokens.indexOf('$end', i);
    else if (token.startsWith('#')) {
      const nextNs = Number(token.slice(1));
      if (!(nextNs > timeNs)) throw new Error(`time goes from ${timeNs} to ${nextNs}`);
      timeNs = nextNs;
    } else if (!dumping) {
      if (/^[01x]/.test(token)) changes.push([timeNs, token.slice(1), token[0]!]);
      else changes.push([timeNs, tokens[++i]!, token]);
    } else if (/^[bs]/.test(token)) i += 1;
  }
  return { names, changes, endNs: timeNs };
}

function dump(write: (writer: VcdWriter) => void): string {
  let text = '';
  write(
    new VcdWriter(chunk => {
      text += chunk;
    }),
  );
  return text;
}

/** A wire, two vectors and a string; `SHOWN` is how each of their values is written. */
function declareOfEachKind(writer: VcdWriter): VcdVariable[] {
  return [
    writer.wire(['h1', 'nic'], 'inta'),
    writer.wire(['h1', 'plic'], 'claim', 6),
    writer.wire(['h1'], 'load', 8),
    writer.string(['h2'], 'task'),
  ];
}

const SHOWN: readonly ((value: number) => readonly [VcdValue, string])[] = [
  value => [value % 2, String(value % 2)],
  value => [value, `b${(value % 64).toString(2)}`],
  value => [value, `b${value.toString(2)}`],
  value => [`t${value}`, `st${value}`],
];

describe('VCD', () => {
  it('shows at each time what was told last for it, in whatever order the changes arrive', () => {
    const anyChange = fc.record({ variable: fc.nat(3), timeNs: fc.nat(40), value: fc.nat(200) });
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 60 }), changes => {
        const text = dump(writer => {
          const variables = declareOfEachKind(writer);
          for (const { variable, timeNs, value } of changes) {
            writer.change(variables[variable]!, timeNs, SHOWN[variable]!(value)[0]);
          }
          writer.close(50);
        });
        const file = parse(text);
        const ids = ['h1.nic.inta', 'h1.plic.claim', 'h1.load', 'h2.task'].map(name => file.names.get(name)!);
        for (let atNs = 0; atNs <= 50; atNs++) {
          for (const [variable, id] of ids.entries()) {
            const told = changes.filter(change => change.variable === variable && change.timeNs <= atNs);
            const last = told.reduce((best, change) => (change.timeNs >= best.timeNs ? change : best), {
              timeNs: -1,
              variable,
              value: -1,
            });
            const shown = file.changes.findLast(([timeNs, of]) => of === id && timeNs <= atNs)?.[2];
            expect(shown).toBe(last.timeNs < 0 ? undefined : SHOWN[variable]!(last.value)[1]);
          }
        }
        expect(file.endNs).toBe(50);
      }),
    );
  });

  it('writes no value that a variable has already', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(3)), { maxLength: 30 }), changes => {
        const text = dump(writer => {
          const wire = writer.wire([], 'w', 2);
          for (const [timeNs, value] of changes) writer.change(wire, timeNs, value);
          writer.close(20);
        });
        const values = parse(text).changes.map(([, , value]) => value);
        expect(values.some((value, i) => value === values[i - 1])).toBe(false);
      }),
    );
  });

  it('the order of arrival does not show, unless it is that of one variable at one time', () => {
    const distinct = fc.uniqueArray(fc.tuple(fc.nat(3), fc.nat(30), fc.nat(9)), {
      selector: ([variable, timeNs]) => 100 * variable + timeNs,
    });
    const shuffled = distinct.chain(changes =>
      fc.tuple(fc.constant(changes), fc.shuffledSubarray(changes, { minLength: changes.length })),
    );
    fc.assert(
      fc.property(shuffled, orders => {
        const [text, other] = orders.map(order =>
          dump(writer => {
            const variables = declareOfEachKind(writer);
            for (const [variable, timeNs, value] of order) {
              writer.change(variables[variable]!, timeNs, SHOWN[variable]!(value)[0]);
            }
            writer.close(30);
          }),
        );
        expect(other).toBe(text);
      }),
    );
  });

  it('is written as the standard has it', () => {
    const text = dump(writer => {
      const wire = writer.wire(['host-1', 'nic'], 'inta');
      const bus = writer.wire(['host-1'], 'icr', 8);
      const task = writer.string(['host-1'], '2nd');
      const load = writer.wire([], 'load', 3);
      writer.change(task, 7, 'a b\\');
      writer.change(bus, 5, 0x105);
      writer.change(wire, 5, 1);
      writer.change(load, 8, 6);
      writer.change(wire, 8, null);
      writer.close(9);
    });
    expect(text.split('\n')).toEqual([
      '$version Ringtail $end',
      '$timescale 1ns $end',
      '$var wire 3 $ load [2:0] $end',
      '$scope module host_1 $end',
      '$var wire 8 " icr [7:0] $end',
      '$var string 1 # _2nd $end',
      '$scope module nic $end',
      '$var wire 1 ! inta $end',
      '$upscope $end',
      '$upscope $end',
      '$enddefinitions $end',
      ...['#0', '$dumpvars', 'x!', 'bx "', 's? #', 'bx $', '$end'],
      ...['#5', '1!', 'b101 "', '#7', 'sa\\040b\\134 #', '#8', 'x!', 'b110 $', '#9', ''],
    ]);
  });

  it('shows a whole word, and of a narrower wire only the bits that it has', () => {
    const text = dump(writer => {
      const word = writer.wire([], 'word', 32);
      const pair = writer.wire([], 'pair', 2);
      writer.change(word, 1, -1);
      writer.change(word, 2, 0x8000_0000);
      writer.change(pair, 2, -2);
      writer.close(2);
    });
    expect(parse(text).changes).toEqual([
      [1, '!', `b${'1'.repeat(32)}`],
      [2, '!', `b1${'0'.repeat(31)}`],
      [2, '"', 'b10'],
    ]);
  });

  it('every variable has an identifier of its own, of printable characters', () => {
    const text = dump(writer => {
      for (let i = 0; i < 10_000; i++) writer.wire([], `w${i}`);
      writer.close(0);
    });
    const ids = [...parse(text).names.values()];
    expect(ids.every(id => /^[!-~]+$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(10_000);
  });

  it('holds back no more than its bound, and marks what then comes too late', () => {
    let text = '';
    const writer = new VcdWriter(chunk => {
      text += chunk;
    });
    const fast = writer.wire([], 'fast');
    const slow = writer.wire([], 'slow', 2);
    for (let i = 1; i <= 70_000; i++) writer.change(fast, i, i % 2);
    const writtenNs = parse(text).endNs;
    expect(writtenNs).toBeGreaterThan(30_000);
    writer.change(slow, 10, 1);
    // Void: the wire has changed since.
    writer.change(fast, 20, 0);
    writer.change(fast, 21, 1);
    writer.change(fast, 22, 0);
    writer.close(70_000);
    const file = parse(text);
    expect(file.changes.filter(([, id]) => id === '"')).toEqual([[writtenNs, '"', 'b1']]);
    expect(file.changes.filter(([, id]) => id === '!')).toHaveLength(70_000);
    expect(text).toContain('$comment 4 changes came too late for their place $end');
  });

  it('waits for changes as late as the horizon, while there is room', () => {
    const text = dump(writer => {
      const busy = writer.wire([], 'busy');
      const other = writer.wire([], 'other');
      for (let i = 1; i <= 70_000; i++) writer.change(other, 1000 * i, i % 2);
      const lateNs = 70_000_000 - REORDER_NS + 1;
      writer.change(busy, lateNs, 1);
      writer.close(70_000_000);
    });
    expect(parse(text).changes.filter(([, id]) => id === '!')).toEqual([[70_000_000 - REORDER_NS + 1, '!', '1']]);
    expect(text).not.toContain('$comment');
  });
});
