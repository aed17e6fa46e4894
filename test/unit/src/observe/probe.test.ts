import { config, map } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { onePerDevice, tapObservable } from '../../../../src/observe/probe.ts';

class Device {
  onBeat: ((count: number) => void) | null = null;
  #count = 0;

  beat(): void {
    this.#count += 1;
    this.onBeat?.(this.#count);
  }
}

const observe = (device: Device) =>
  tapObservable<number>(emit => {
    device.onBeat = emit;
  });

describe('a tap as an Observable', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it('is set from the first subscription to the last, and again for the next', () => {
    const device = new Device();
    const beats = observe(device);
    const seen: string[] = [];
    expect(device.onBeat).toBeNull();
    const first = beats.subscribe(beat => seen.push(`a${beat}`));
    const tap = device.onBeat;
    const second = beats.subscribe(beat => seen.push(`b${beat}`));
    expect(device.onBeat).toBe(tap);
    device.beat();
    first.unsubscribe();
    device.beat();
    second.unsubscribe();
    expect(device.onBeat).toBeNull();
    device.beat();
    beats.subscribe(beat => seen.push(`c${beat}`));
    device.beat();
    expect(seen).toEqual(['a1', 'b1', 'b2', 'c4']);
  });

  it('an observer that throws harms neither the device nor the other observers', async () => {
    const reported: unknown[] = [];
    config.onUnhandledError = error => reported.push(error);
    const device = new Device();
    const beats = observe(device);
    const seen: string[] = [];
    const boom = new Error('observer');
    beats.subscribe(beat => {
      seen.push(`thrower ${beat}`);
      throw boom;
    });
    const failing = beats.pipe(
      map(() => {
        throw boom;
      }),
    );
    failing.subscribe({ error: () => seen.push('operator failed') });
    beats.subscribe(beat => seen.push(`other ${beat}`));
    device.beat();
    device.beat();
    expect(seen).toEqual(['thrower 1', 'operator failed', 'other 1', 'thrower 2', 'other 2']);
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(reported).toEqual([boom, boom]);
  });

  it('one device has one Observable, so that two probes do not fight for its tap', () => {
    const probe = onePerDevice(observe);
    const [device, other] = [new Device(), new Device()];
    expect(probe(device)).toBe(probe(device));
    expect(probe(device)).not.toBe(probe(other));
    const seen: number[] = [];
    probe(device).subscribe(beat => seen.push(beat));
    probe(device).subscribe(beat => seen.push(-beat));
    device.beat();
    expect(seen).toEqual([1, -1]);
  });
});
