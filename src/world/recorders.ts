/** Attaches the writers of `src/observe` to everything in a world: what `--pcap` and `--vcd` ask for. */
import { Capture } from '../observe/capture.ts';
import { deliveries, frameEvents } from '../observe/frame-probe.ts';
import { nicEvents } from '../observe/nic-probe.ts';
import type { ByteSink } from '../observe/pcapng.ts';
import { switchEvents } from '../observe/switch-probe.ts';
import type { TextSink } from '../observe/vcd.ts';
import { Waveform } from '../observe/waveform.ts';
import { MACHINE_CONTEXT, PCI_FIRST_IRQ } from './memory-map.ts';
import type { World } from './world.ts';

/** A writer at work; `close` writes what is left, at the world's present time. */
export interface Recorder {
  close(): void;
}

/** Captures every frame on every wire of `world` as pcapng, as the far end is given it, from now on. */
export function recordFrames(world: World, sink: ByteSink): Recorder {
  const capture = new Capture(sink, 'Ringtail');
  for (const { name, cable, ends } of world.wires.values()) capture.wire(name, ends, deliveries(cable));
  for (const { nics } of world.computers.values()) {
    for (const { name, device } of nics) capture.nic(nicEvents(device, name, world.clock));
  }
  for (const { name, device } of world.switches.values()) capture.switch(switchEvents(device, name, world.clock));
  return { close: () => capture.close(world.clock.nowNs) };
}

/** Draws interrupt lines, PLIC, harts, NICs and wires of `world` as a VCD file, from now on. */
export function recordSignals(world: World, sink: TextSink): Recorder {
  const waveform = new Waveform(sink, world.clock);
  for (const { name, plic, hart, kernel, nics } of world.computers.values()) {
    for (const [index, pin] of ['INTA', 'INTB', 'INTC', 'INTD'].entries()) {
      waveform.line(name, pin, plic.input(PCI_FIRST_IRQ + index));
    }
    waveform.plic(name, plic, MACHINE_CONTEXT);
    waveform.hart(name, hart);
    waveform.kernel(name, kernel);
    for (const [index, { device }] of nics.entries()) waveform.nic(name, `eth${index}`, device);
  }
  for (const { name, cable } of world.wires.values()) waveform.wire(name, frameEvents(cable));
  return waveform;
}
