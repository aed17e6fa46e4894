import { describe, expect, it } from 'vitest';
import { Line } from '../../../../hw/bus/line.ts';
import { MACHINE_EXTERNAL } from '../../../../hw/cpu/hart.ts';
import type { TrapTap } from '../../../../hw/cpu/native/native-hart.ts';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import { Cable } from '../../../../hw/ethernet/medium/cable.ts';
import type { MediumListener, MediumPort } from '../../../../hw/ethernet/ports.ts';
import { transmissionOf } from '../../../../hw/ethernet/transmission.ts';
import { PLIC, Plic } from '../../../../hw/irq/plic.ts';
import type { E1000Taps } from '../../../../hw/nic/e1000/taps.ts';
import { Clock } from '../../../../hw/sim/clock.ts';
import { Prng } from '../../../../hw/sim/prng.ts';
import type { KernelTrace } from '../../../../kernel/trace.ts';
import { frameEvents } from '../../../../src/observe/frame-probe.ts';
import { Waveform } from '../../../../src/observe/waveform.ts';

const ICR = 0x00c0;
const TDT = 0x3818;

/** A NIC of which only the registers can be seen. */
class Nic {
  taps: E1000Taps | null = null;
  readonly words = new Map<number, number>();

  peek(offset: number): number {
    return this.words.get(offset) ?? 0;
  }

  nameAt(): string {
    return '';
  }
}

class Socket implements MediumListener {
  port: MediumPort | null = null;
  plugged(port: MediumPort | null): void {
    this.port = port;
  }
  arrived(): void {}
  linkSignal(): void {}
}

/** The changes of each variable, by `scope.scope.name`, as `time:value`. */
function changesIn(text: string): Record<string, string[]> {
  const names = new Map<string, string>();
  const changes: Record<string, string[]> = {};
  const scopes: string[] = [];
  const [header, body] = text.split('$enddefinitions $end\n') as [string, string];
  for (const line of header.split('\n')) {
    const [keyword, , second, third, fourth] = line.split(' ');
    if (keyword === '$scope') scopes.push(second!);
    else if (keyword === '$upscope') scopes.pop();
    else if (keyword === '$var') names.set(third!, [...scopes, fourth].join('.'));
  }
  let time = '';
  for (const line of body.slice(body.indexOf('$end\n') + 5).split('\n')) {
    const vector = /^b([01]+) (.+)$/.exec(line);
    const words = /^s(\S+) (.+)$/.exec(line);
    if (line === '') continue;
    if (line.startsWith('#')) time = line.slice(1);
    else if (vector !== null) note(vector[2]!, Number.parseInt(vector[1]!, 2));
    else if (words !== null) note(words[2]!, words[1]!);
    else note(line.slice(1), Number(line[0]));
  }
  return changes;

  function note(id: string, value: number | string): void {
    const name = names.get(id)!;
    changes[name] ??= [];
    changes[name].push(`${time === '' ? 0 : time}:${value}`);
  }
}

describe('a waveform', () => {
  it('draws lines, claims, traps, registers and busy wires at their times', () => {
    const clock = new Clock();
    let text = '';
    const waveform = new Waveform(chunk => {
      text += chunk;
    }, clock);
    const line = new Line('INTA');
    const plic = new Plic([() => {}]);
    const hart: { readonly hartId: number; onTrap: TrapTap | null } = { hartId: 0, onTrap: null };
    const kernel = { trace: null as KernelTrace | null };
    const nic = new Nic();
    const cable = new Cable(clock, new Prng('waveform'), 18);
    const [left, right] = [new Socket(), new Socket()];
    cable.connect(0, left);
    cable.connect(1, right);
    waveform.line('h1', 'inta', line);
    waveform.plic('h1', plic, 0);
    waveform.hart('h1', hart);
    waveform.kernel('h1', kernel);
    waveform.nic('h1', 'eth0', nic);
    waveform.wire('h1-h2', frameEvents(cable));

    const source = line.source();
    const irq = plic.input(33).source();
    plic.write(PLIC.PRIORITY.at + 32 * 4, 4, 1);
    plic.write(PLIC.ENABLE.at + 4, 4, 2);
    const at = (timeNs: number, happen: () => void) => clock.timer(happen).armAt(timeNs);
    at(100, () => {
      nic.taps!.register(true, TDT, 3); // told before it takes effect
      nic.words.set(TDT, 3);
      left.port!.transmit(transmissionOf(Frame.withFcs(new Uint8Array(60)), 10, 100));
      right.port!.transmit(transmissionOf(Frame.withFcs(new Uint8Array(60)), 10, 400));
    });
    at(8000, () => {
      nic.words.set(ICR, 0x8000_0001 | 0);
      nic.taps!.causes(1, 0, 0);
      source.set(true);
      irq.set(true);
    });
    at(8100, () => hart.onTrap!(MACHINE_EXTERNAL, true));
    at(8200, () => plic.read(PLIC.CLAIM.at, 4));
    at(8300, () => {
      nic.words.set(ICR, 0);
      nic.taps!.register(false, ICR, 1);
      source.set(false);
      irq.set(false);
    });
    at(8400, () => plic.write(PLIC.CLAIM.at, 4, 33));
    at(8450, () => kernel.trace!.task('ping', true, null));
    at(8470, () => kernel.trace!.task('ping', false, 'sleep'));
    at(8500, () => hart.onTrap!(MACHINE_EXTERNAL, false));
    clock.run(9000);
    waveform.close();

    const lengthNs = (64 + 8 * 64) * 10;
    expect(changesIn(text)).toEqual({
      'h1.lines.inta': ['0:0', '8000:1', '8300:0'],
      'h1.plic.claimed0': ['0:0', '8200:33', '8400:0'],
      'h1.hart0.trap': ['0:0', '8100:1', '8500:0'],
      'h1.hart0.mcause': ['8100:11'],
      'h1.kernel.task': ['0:-', '8450:ping', '8470:-'],
      'h1.eth0.TDH': ['0:0'],
      'h1.eth0.TDT': ['0:0', '100:3'],
      'h1.eth0.RDH': ['0:0'],
      'h1.eth0.RDT': ['0:0'],
      'h1.eth0.ICR': ['0:0', `8000:${0x8000_0001}`, '8300:0'],
      'h1.eth0.IMS': ['0:0'],
      'wires.h1_h2.busy0': ['0:0', '100:1', `${100 + lengthNs}:0`],
      'wires.h1_h2.busy1': ['0:0', '400:1', `${400 + lengthNs}:0`],
    });
    expect(text.endsWith('#9000\n')).toBe(true);
    expect([line.tap, plic.onClaim, plic.onComplete, hart.onTrap, kernel.trace, nic.taps, cable.onFrame]).toEqual(
      Array(7).fill(null),
    );
  });
});
