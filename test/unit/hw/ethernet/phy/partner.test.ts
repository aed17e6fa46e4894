/** A PHY whose partner is not one of ours, and says on the wire what it likes. */
import { describe, expect, test } from 'vitest';
import { BREAK_LINK_NS, LINK_LOSS_NS, LINK_PASS_NS, PAGE_EXCHANGE_NS } from '../../../../../hw/ethernet/phy/link.ts';
import type { MediumPort } from '../../../../../hw/ethernet/ports.ts';
import { transmissionOf } from '../../../../../hw/ethernet/transmission.ts';
import { forcedControl, frameOf, Pair } from '../../../../support/ethernet.ts';

const [PCTRL, LPA] = [0, 5];
const RESET = 0x8000;

describe('partners that are no M88E1011', () => {
  /** Whatever is at the other end of the cable: it says what it likes. */
  function strange() {
    const pair = new Pair();
    pair.cable.unplug(1);
    const heard: string[] = [];
    let port: MediumPort | null = null;
    pair.cable.connect(1, {
      plugged: p => {
        port = p;
      },
      arrived: () => {},
      linkSignal: signal => heard.push(signal?.kind ?? 'silence'),
    });
    pair.a.phy.writeRegister(PCTRL, forcedControl(100, true));
    port!.signal({ kind: 'idle', speed: 100 });
    pair.pass(LINK_PASS_NS);
    expect(pair.a.phy.link.up).toBe(true);
    return { pair, port: port! as MediumPort, heard };
  }

  test('a frame at another speed than the link’s is noise', () => {
    const { pair, port } = strange();
    port.transmit(transmissionOf(frameOf(64), 100, pair.clock.nowNs));
    port.transmit(transmissionOf(frameOf(64), 10, pair.clock.nowNs + 100_000));
    pair.pass(1e6);
    expect(pair.a.arrivals.map(arrival => arrival.bitNs)).toEqual([10]);
  });

  test('one signal that is wrong after another does not put the loss of the link off', () => {
    const { pair, port } = strange();
    port.signal(null);
    pair.pass(LINK_LOSS_NS / 2);
    port.signal({ kind: 'idle', speed: 10 });
    pair.pass(LINK_LOSS_NS / 2 - 1);
    expect(pair.a.phy.link.up).toBe(true);
    pair.pass(1);
    expect(pair.a.phy.link.up).toBe(false);
  });

  test('an idle signal that never comes after the pages ends in a new negotiation', () => {
    const { pair, port, heard } = strange();
    pair.a.phy.writeRegister(PCTRL, 0x1140 | RESET);
    port.signal({ kind: 'flp', page: 0x0101, gigabit: 0 });
    heard.length = 0;
    pair.pass(BREAK_LINK_NS + PAGE_EXCHANGE_NS);
    expect([pair.a.phy.readRegister(LPA), heard]).toEqual([0x4101, ['flp', 'idle']]);
    pair.pass(1e9); // link_fail_inhibit_timer, 1000 ms at most
    expect([pair.a.phy.link.up, heard]).toEqual([false, ['flp', 'idle', 'silence']]);
    pair.pass(BREAK_LINK_NS + PAGE_EXCHANGE_NS);
    expect(heard.slice(3)).toEqual(['flp', 'idle']);
    port.signal({ kind: 'idle', speed: 100 });
    pair.pass(LINK_PASS_NS);
    expect(pair.a.phy.link).toEqual({ up: true, speed: 100, fullDuplex: true });
  });
});
