/**
 * The driver against hostile timing: any interleaving of transmit calls, fetches, late write-backs, frames, errors,
 * frames in pieces, packets that run out, link changes, neighbours on the interrupt line, masked interrupts and late
 * deferred work. Kernel, pool and device double check each change of hands; here the books are balanced.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame, openMachine } from '../../../support/fake-e1000.ts';

type Step =
  | { readonly do: 'send' | 'fetch' | 'writeBack' | 'receive' | 'hoard' | 'release'; readonly times: number }
  | { readonly do: 'damaged' | 'pieces' | 'deferred' | 'neighbour' | 'reopen' }
  | { readonly do: 'interrupts' | 'link'; readonly on: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('send' as const, 'fetch' as const, 'writeBack' as const, 'receive' as const),
      times: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('hoard' as const, 'release' as const),
      times: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deferred' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('damaged' as const, 'pieces' as const, 'neighbour' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('interrupts' as const, 'link' as const), on: fc.boolean() }),
  },
);

const scenario = fc.record({
  tx: fc.constantFrom(8, 16),
  rx: fc.constantFrom(8, 16),
  packets: fc.integer({ min: 15, max: 40 }),
  eager: fc.boolean(),
  steps: fc.array(step, { maxLength: 80 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** Plays `steps` and keeps books: what was accepted, what the wire saw, what came up, who holds how much. */
function play({ tx, rx, packets, eager, steps }: Scenario) {
  const { device, platform, iface } = openMachine({ tx, rx, packets });
  platform.eager = eager;
  iface.keep = true;
  let nextTag = 1;
  let accepted: number[] = [];
  const offered: number[] = [];
  const hoard: NonNullable<ReturnType<typeof platform.packets.allocate>>[] = [];
  const tagOf = (bytes: Uint8Array) => bytes[0]! | (bytes[1]! << 8);

  const send = () => {
    const tag = nextTag++;
    if (iface.send(frame(tag)) === true) accepted.push(tag);
  };
  const receive = (options = {}) => {
    const tag = nextTag++;
    if (device.receive(frame(tag), options) && Object.keys(options).length === 0) offered.push(tag);
  };
  const checkOrder = () => {
    const sent = device.sent.map(tagOf);
    expect(sent).toEqual(accepted.slice(0, sent.length));
    const received = iface.frames.map(tagOf);
    const statistics = iface.ops.statistics();
    expect(received).toEqual(offered.filter(tag => received.includes(tag)));
    return { sent, received, dropped: statistics['rxNoBuffer']! };
  };
  const checkBooks = () => {
    const held = hoard.length + iface.kept.length;
    expect(platform.packets.count('cpu')).toBe(held);
    expect(platform.packets.count('device')).toBeGreaterThanOrEqual(rx - 1 + device.txPending + device.txInFlight);
    expect(platform.packets.count('device')).toBeLessThanOrEqual(rx - 1 + tx - 1);
  };
  const settle = () => {
    platform.interruptsEnabled = true;
    platform.takeInterrupts();
    platform.runDeferred();
  };
  const reopen = () => {
    settle();
    iface.ops.close();
    expect(platform.packets.count('device')).toBe(0);
    for (const packet of iface.kept.splice(0)) platform.packets.free(packet);
    for (const packet of hoard.splice(0)) platform.packets.free(packet);
    expect(platform.packets.count('free')).toBe(packets);
    expect(platform.memory.owners.filter(owner => owner !== 'packets')).toEqual([]);
    accepted = accepted.slice(0, device.sent.length); // the rest was given back unsent
    iface.ops.open();
  };
  const act = (each: Step, times: number) => {
    for (let i = 0; i < times; i++) {
      if (each.do === 'send') send();
      else if (each.do === 'fetch') device.fetch();
      else if (each.do === 'writeBack') device.writeBack();
      else if (each.do === 'receive') receive();
      else if (each.do === 'damaged') receive({ errors: 1 });
      else if (each.do === 'deferred') platform.runDeferredOnce();
      else if (each.do === 'neighbour' && platform.interruptsEnabled) platform.raiseSharedLine();
      else if (each.do === 'reopen') reopen();
      else if (each.do === 'link') device.link(each.on);
      else if (each.do === 'hoard') {
        const packet = platform.packets.allocate();
        if (packet !== null) hoard.push(packet);
      } else if (each.do === 'release') {
        const packet = hoard.pop() ?? iface.kept.pop();
        if (packet !== undefined) platform.packets.free(packet);
      } else if (each.do === 'pieces' && device.rxFree >= 2) {
        receive({ eop: false });
        receive({ eop: true, errors: 0 });
      } else if (each.do === 'interrupts') {
        platform.interruptsEnabled = each.on;
        platform.takeInterrupts();
      }
    }
  };
  for (const each of steps) {
    act(each, 'times' in each ? each.times : 1);
    checkBooks();
    checkOrder();
  }
  return { device, platform, iface, settle, checkOrder, reopen, accepted: () => accepted, offered: () => offered };
}

describe('whatever the timing', () => {
  it('no packet is lost or owned twice, no frame out of order, and close gives everything back', () => {
    fc.assert(
      fc.property(scenario, run => {
        play(run).reopen();
      }),
      { numRuns: 300 },
    );
  });

  it('once the hardware has done its part, every accepted frame was sent and every good one received or counted', () => {
    fc.assert(
      fc.property(scenario, run => {
        const { device, platform, settle, checkOrder, accepted, offered } = play({
          ...run,
          steps: run.steps.filter(each => each.do !== 'reopen'),
        });
        settle();
        while (device.fetch());
        while (device.writeBack());
        settle();
        const { sent, received, dropped } = checkOrder();
        expect(sent).toEqual(accepted());
        expect(received.length + dropped).toBe(offered().length);
        expect(platform.packets.count('device')).toBe(run.rx - 1);
        expect(device.rxFree).toBe(run.rx - 1);
        expect(device.interruptLevel).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('a kernel that was refused is always woken when there is room', () => {
    fc.assert(
      fc.property(scenario, run => {
        const { device, iface, settle } = play({
          ...run,
          steps: run.steps.filter(each => each.do !== 'reopen' && each.do !== 'hoard'),
        });
        settle();
        for (const packet of iface.kept.splice(0)) iface.free(packet);
        let refused = false;
        for (let i = 0; i < run.tx && !refused; i++) refused = iface.send(frame(i)) === false;
        if (!refused) return; // packets ran out first
        const wakes = iface.wakeCount;
        device.fetch();
        device.writeBack();
        settle();
        expect(iface.wakeCount).toBe(wakes + 1);
      }),
      { numRuns: 100 },
    );
  });
});
