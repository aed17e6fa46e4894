/** The table of a switch against a plain map: learning, moving, ageing to the nanosecond, flushing, a bound. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Learning, MacTable, UNKNOWN } from '../../hw/ethernet/switch/mac-table.ts';
import { Clock } from '../../hw/sim/clock.ts';

const AGEING_NS = 1000;
const CAPACITY = 40;

interface Entry {
  port: number;
  seenNs: number;
  static: boolean;
}

/** What the table should do, said as plainly as possible. */
class Model {
  readonly entries = new Map<string, Entry>();
  aged = 0;

  learn(key: string, port: number, nowNs: number): Learning {
    const entry = this.entries.get(key);
    if (entry === undefined) {
      if (this.entries.size === CAPACITY) return 'full';
      this.entries.set(key, { port, seenNs: nowNs, static: false });
      return 'learned';
    }
    if (entry.static) return 'known';
    const moved = entry.port !== port;
    Object.assign(entry, { port, seenNs: nowNs });
    return moved ? 'moved' : 'known';
  }

  addStatic(key: string, port: number): boolean {
    if (!this.entries.has(key) && this.entries.size === CAPACITY) return false;
    this.entries.set(key, { port, seenNs: 0, static: true });
    return true;
  }

  expire(nowNs: number): void {
    for (const [key, entry] of this.entries) {
      if (entry.static || entry.seenNs + AGEING_NS > nowNs) continue;
      this.entries.delete(key);
      this.aged += 1;
    }
  }

  flush(port: number): void {
    for (const [key, entry] of this.entries) if (!entry.static && entry.port === port) this.entries.delete(key);
  }
}

const address = fc.record({ mac: fc.nat(59), vlan: fc.constantFrom(1, 2, 4094) });
const port = fc.nat(5);
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('learn' as const), address, port }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lookup' as const), address }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('static' as const), address, port }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ns: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const), port }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const) }) },
);

/** Addresses that differ in single octets all over, so that probe sequences meet. */
const macOf = (n: number) => Uint8Array.of(2, n % 3, 0, n % 7, 0, n);
const keyOf = ({ mac, vlan }: { mac: number; vlan: number }) => `${vlan}/${mac}`;

describe('the table of addresses', () => {
  test('does what a map with times does, whatever the order of events', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 50, maxLength: 400 }), operations => {
        const clock = new Clock();
        const model = new Model();
        let aged = 0;
        let table = new MacTable(clock, CAPACITY, AGEING_NS, () => {
          aged += 1;
        });
        for (const each of operations) {
          switch (each.kind) {
            case 'learn':
              expect(table.learn(macOf(each.address.mac), 0, each.address.vlan, each.port)).toBe(
                model.learn(keyOf(each.address), each.port, clock.nowNs),
              );
              break;
            case 'lookup':
              expect(table.lookup(macOf(each.address.mac), 0, each.address.vlan)).toBe(
                model.entries.get(keyOf(each.address))?.port ?? UNKNOWN,
              );
              break;
            case 'static':
              expect(table.addStatic(macOf(each.address.mac), each.address.vlan, each.port)).toBe(
                model.addStatic(keyOf(each.address), each.port),
              );
              break;
            case 'pass':
              clock.run(clock.nowNs + each.ns);
              model.expire(clock.nowNs);
              break;
            case 'flush':
              table.flush(each.port);
              model.flush(each.port);
              break;
            case 'reload': {
              const state = structuredClone(table.save());
              table.flush(0); // and what else was going on
              table = reloaded(table, state);
              break;
            }
          }
          expect(table.size).toBe(model.entries.size);
        }
        expect(aged).toBe(model.aged);
        const entries = table
          .entries()
          .map(({ mac, vlan, port, seenNs, static: s }) => [mac[5], vlan, port, seenNs, s]);
        expect(new Set(entries.map(String))).toEqual(
          new Set(
            Array.from(model.entries, ([key, { port, seenNs, static: s }]) => {
              const [vlan, mac] = key.split('/');
              return String([mac, vlan, port, seenNs, s]);
            }),
          ),
        );
      }),
    );
  });

  test('holds 100 000 addresses, and finds each of them', () => {
    const clock = new Clock();
    const table = new MacTable(clock, 100_000, 1e12, () => {});
    const mac = new Uint8Array(6);
    const set = (n: number) => mac.set([n >>> 16, n >>> 8, n], 3);
    for (let n = 0; n < 100_000; n++) {
      set(n);
      if (table.learn(mac, 0, 1, n % 48) !== 'learned') throw new Error(`address ${n} is not learned`);
    }
    set(100_000);
    expect(table.learn(mac, 0, 1, 0)).toBe('full');
    for (let n = 0; n < 100_000; n++) {
      set(n);
      if (table.lookup(mac, 0, 1) !== n % 48) throw new Error(`address ${n} is lost`);
    }
  });
});

function reloaded(table: MacTable, state: ReturnType<MacTable['save']>): MacTable {
  table.load(state);
  return table;
}
