import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Line } from '../../../../hw/bus/line.ts';
import { MACHINE_EXTERNAL, MACHINE_TIMER } from '../../../../hw/cpu/hart.ts';
import type { TrapTap } from '../../../../hw/cpu/native/native-hart.ts';
import { Frame } from '../../../../hw/ethernet/frame.ts';
import type { FrameTap } from '../../../../hw/ethernet/medium/cable.ts';
import { PLIC, Plic } from '../../../../hw/irq/plic.ts';
import type { E1000Taps } from '../../../../hw/nic/e1000/taps.ts';
import { Clock } from '../../../../hw/sim/clock.ts';
import type { KernelTrace } from '../../../../kernel/trace.ts';
import { frameEvents } from '../../../../src/observe/frame-probe.ts';
import { lineEvents, plicEvents, trapEvents } from '../../../../src/observe/interrupt-probe.ts';
import { kernelEvents } from '../../../../src/observe/kernel-probe.ts';
import { nicEvents } from '../../../../src/observe/nic-probe.ts';

/** What `events` tells while `happen` runs, at 700 ns. */
function seen<T>(clock: Clock, events: Observable<T>, happen: () => void): T[] {
  const all: T[] = [];
  clock.run(700);
  const subscription = events.subscribe(event => all.push(event));
  happen();
  subscription.unsubscribe();
  return all;
}

describe('the probes of devices', () => {
  const at = { timeNs: 700, host: 'h1' };

  it('tell the changes of a line', () => {
    const clock = new Clock();
    const line = new Line('INTA');
    const source = line.source();
    const told = seen(clock, lineEvents(line, 'h1', clock), () => {
      source.set(true);
      source.set(true);
      source.set(false);
    });
    expect(told).toEqual([
      { ...at, line: 'INTA', level: true },
      { ...at, line: 'INTA', level: false },
    ]);
    expect(line.tap).toBeNull();
  });

  it('tell claims and completions', () => {
    const clock = new Clock();
    const plic = new Plic([() => {}]);
    plic.write(PLIC.PRIORITY.at + 9 * 4, 4, 1);
    plic.write(PLIC.ENABLE.at, 4, 1 << 10);
    plic.input(10).source().set(true);
    const told = seen(clock, plicEvents(plic, 'h1', clock), () => {
      plic.read(PLIC.CLAIM.at, 4);
      plic.read(PLIC.CLAIM.at, 4);
      plic.write(PLIC.CLAIM.at, 4, 10);
    });
    expect(told).toEqual([
      { ...at, action: 'claim', context: 0, source: 10 },
      { ...at, action: 'claim', context: 0, source: 0 },
      { ...at, action: 'complete', context: 0, source: 10 },
    ]);
    expect([plic.onClaim, plic.onComplete]).toEqual([null, null]);
  });

  it('tell entry to and return from a trap', () => {
    const clock = new Clock();
    const hart: { hartId: number; onTrap: TrapTap | null } = { hartId: 3, onTrap: null };
    const told = seen(clock, trapEvents(hart, 'h1', clock), () => {
      hart.onTrap!(MACHINE_EXTERNAL, true);
      hart.onTrap!(MACHINE_TIMER, false);
    });
    expect(told).toEqual([
      { ...at, hartId: 3, cause: 11, entered: true },
      { ...at, hartId: 3, cause: 7, entered: false },
    ]);
    expect(hart.onTrap).toBeNull();
  });

  it('tell all that a NIC does, with unsigned words, named registers and copies of descriptors', () => {
    const clock = new Clock();
    const nic = { taps: null as E1000Taps | null, nameAt: (offset: number) => `R${offset}` };
    const frame = Frame.withFcs(new Uint8Array(60));
    const onChip = new Uint8Array(16).fill(7);
    const told = seen(clock, nicEvents(nic, 'h1.eth0', clock), () => {
      const taps = nic.taps!;
      taps.register(true, 0xd8, -1);
      taps.descriptor('tx', 5, 0x8000_0050, 'write-back', onChip);
      onChip.fill(0);
      taps.dma('read', 0x8000_1000, 60);
      taps.causes(1 << 31, -1, 0x80);
      taps.dropped(frame, 'receiver disabled');
      taps.suspicion('TDT moved backwards');
    });
    const from = { timeNs: 700, nic: 'h1.eth0' };
    expect(told).toEqual([
      { ...from, kind: 'register', write: true, register: 'R216', offset: 0xd8, value: 0xffff_ffff },
      {
        ...from,
        kind: 'descriptor',
        ring: 'tx',
        index: 5,
        address: 0x8000_0050,
        action: 'write-back',
        bytes: new Uint8Array(16).fill(7),
      },
      { ...from, kind: 'dma', action: 'read', address: 0x8000_1000, lengthBytes: 60 },
      { ...from, kind: 'causes', raisedBits: 0x8000_0000, icr: 0xffff_ffff, ims: 0x80 },
      { ...from, kind: 'dropped', frame, reason: 'receiver disabled' },
      { ...from, kind: 'suspicion', text: 'TDT moved backwards' },
    ]);
    expect(nic.taps).toBeNull();
  });

  it('tell a frame with its times at both ends and what became of it', () => {
    const clock = new Clock();
    const wire: { onFrame: FrameTap | null } = { onFrame: null };
    const sent = Frame.withFcs(new Uint8Array(60));
    const told = seen(clock, frameEvents(wire), () => {
      const cut = { frame: sent, bitNs: 10, startNs: 5, headBits: 64, endNs: 95, aborted: true, jamNs: 95 };
      wire.onFrame!(1, cut, 25, null);
    });
    expect(told).toEqual([
      { timeNs: 5, endNs: 95, arrivalNs: 25, bitNs: 10, fromEnd: 1, sent, arrived: null, aborted: true, jamNs: 95 },
    ]);
    expect(wire.onFrame).toBeNull();
  });

  it('tell every call of the kernel trace, named after its method', () => {
    const clock = new Clock();
    const kernel = { trace: null as KernelTrace | null };
    const told = seen(clock, kernelEvents(kernel, 'h1', clock), () => {
      const trace = kernel.trace!;
      trace.trap(11);
      trace.claim(33);
      trace.irq(33, 'eth0', true);
      trace.complete(33);
      trace.deferred('eth0');
      trace.task('ping', false, 'echo reply');
      trace.syscall('ping', 'sleep(1)');
      trace.frame('in', 'eth0', 0x0800, 98, 'ipv4');
      trace.arp('192.0.2.1 is at 52:54:00:00:00:01');
      trace.route(2, '0.0.0.0/0', 3, 'eth0');
      trace.ipv4('out', 1, 2, 17, 28);
      trace.protocol(17, 'UDP');
      trace.demultiplex('192.0.2.1:80', '192.0.2.2:4000', '0.0.0.0:80', 'LISTEN');
      trace.state('192.0.2.1:80-192.0.2.2:4000', 'SYN-RECEIVED', 'ESTABLISHED');
      trace.nat('udp 10.0.0.2:4000 → 192.0.2.1:4000');
      trace.resend('192.0.2.1:80-192.0.2.2:4000', 1001, 1460, 'timeout');
      trace.socket('in', 'udp:7', 20);
      trace.drop('ipv4', 'no route');
      trace.log('ready');
    });
    expect(told).toEqual([
      { ...at, kind: 'trap', cause: 11 },
      { ...at, kind: 'claim', source: 33 },
      { ...at, kind: 'irq', source: 33, name: 'eth0', handled: true },
      { ...at, kind: 'complete', source: 33 },
      { ...at, kind: 'deferred', name: 'eth0' },
      { ...at, kind: 'task', name: 'ping', running: false, waitsFor: 'echo reply' },
      { ...at, kind: 'syscall', task: 'ping', text: 'sleep(1)' },
      { ...at, kind: 'frame', direction: 'in', iface: 'eth0', etherType: 0x0800, lengthBytes: 98, handler: 'ipv4' },
      { ...at, kind: 'arp', text: '192.0.2.1 is at 52:54:00:00:00:01' },
      { ...at, kind: 'route', destination: 2, prefix: '0.0.0.0/0', gateway: 3, link: 'eth0' },
      { ...at, kind: 'ipv4', direction: 'out', source: 1, destination: 2, protocol: 17, lengthBytes: 28 },
      { ...at, kind: 'protocol', protocol: 17, handler: 'UDP' },
      {
        ...at,
        kind: 'demultiplex',
        local: '192.0.2.1:80',
        remote: '192.0.2.2:4000',
        found: '0.0.0.0:80',
        state: 'LISTEN',
      },
      {
        ...at,
        kind: 'state',
        connection: '192.0.2.1:80-192.0.2.2:4000',
        from: 'SYN-RECEIVED',
        to: 'ESTABLISHED',
      },
      { ...at, kind: 'nat', text: 'udp 10.0.0.2:4000 → 192.0.2.1:4000' },
      {
        ...at,
        kind: 'resend',
        connection: '192.0.2.1:80-192.0.2.2:4000',
        seq: 1001,
        lengthBytes: 1460,
        reason: 'timeout',
      },
      { ...at, kind: 'socket', direction: 'in', socket: 'udp:7', lengthBytes: 20 },
      { ...at, kind: 'drop', where: 'ipv4', reason: 'no route' },
      { ...at, kind: 'log', text: 'ready' },
    ]);
    expect(kernel.trace).toBeNull();
  });
});
