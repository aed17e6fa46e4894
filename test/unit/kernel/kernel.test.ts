import { expect, test } from 'vitest';
import type {
  BusDriver,
  NetDriverOps,
  NetInterface,
  PciDevice,
  PciDriver,
  Platform,
} from '../../../kernel/driver-api.ts';
import { MACHINE_EXTERNAL, MACHINE_TIMER } from '../../../kernel/ports.ts';
import type { KernelTrace } from '../../../kernel/trace.ts';
import { InvariantError } from '../../../src/lib/assert.ts';
import { parseIpv4 } from '../../../src/lib/bytes.ts';
import { CONSOLE_IRQ, FakeMachine } from '../../support/fake-machine.ts';

const NIC_IRQ = 33;
const TICK_NS = 100;

const device = (slot: number, deviceId: number): PciDevice => ({
  slot,
  vendorId: 0x8086,
  deviceId,
  bars: [],
  irq: NIC_IRQ,
  enable: () => {},
});

const bus = (...devices: PciDevice[]): BusDriver => ({ name: 'pci', enumerate: () => devices });
const driver = (name: string, deviceId: number, probe: PciDriver['probe']): PciDriver => ({
  name,
  ids: [[0x8086, deviceId]],
  probe,
});
const ops = (over: Partial<NetDriverOps> = {}): NetDriverOps => ({
  features: { checksum: false, segmentationBuffers: 0, vlan: false },
  open: () => {},
  close: () => {},
  transmit: () => true,
  setMulticast: () => {},
  statistics: () => ({}),
  ...over,
});

test('boot resets the controller, silences the timer, probes, opens interfaces, and enables interrupts last', () => {
  const states: boolean[] = [];
  const machine = new FakeMachine({
    buses: [bus(device(1, 1))],
    pci: [
      driver('nic', 1, (_device, platform) => {
        machine.events.push(`probe after ${machine.controller.calls.join(', ')}`);
        states.push(machine.cpu.interruptsEnabled);
        platform.addInterface(new Uint8Array(6), ops({ open: () => machine.events.push('open') }));
      }),
    ],
  });
  expect(machine.events).toEqual([]);
  machine.boot();
  expect(machine.events).toEqual(['Ringtail on alpha', `probe after reset, enable ${CONSOLE_IRQ}`, 'open']);
  expect(machine.clock.programmed).toEqual([Number.POSITIVE_INFINITY]);
  expect(states).toEqual([false]);
  expect(machine.cpu.interruptsEnabled).toBe(true);
});

test('a device that cannot be brought up is logged, and boot goes on with the next', () => {
  const probed: number[] = [];
  const machine = new FakeMachine({
    buses: [bus(device(1, 1), device(2, 2), device(3, 3), device(4, 2))],
    pci: [
      driver('e1000', 1, () => {
        throw new Error('no EEPROM');
      }),
      driver('other', 2, ({ slot }) => probed.push(slot)),
      driver('too late', 2, ({ slot }) => probed.push(-slot)),
    ],
  }).boot();
  expect(machine.events).toEqual(['Ringtail on alpha', 'e1000: no EEPROM']);
  expect(probed).toEqual([2, 4]);
});

test('a bus fault in a probe, or on a whole bus, is logged with its address', () => {
  const reader = (platform: Platform) => platform.io.read32(0x4000_0008);
  const machine = new FakeMachine({
    buses: [{ name: 'isa', enumerate: io => [device(io.read32(0x3f8), 1)] }, bus(device(1, 1))],
    pci: [driver('e1000', 1, (_device, platform) => reader(platform))],
  }).boot();
  expect(machine.events.slice(1)).toEqual(['isa: bus fault at 0x3f8', 'e1000: bus fault at 0x40000008']);
});

test('a broken invariant of Ringtail is never taken for a device’s', () => {
  const machine = new FakeMachine({
    buses: [bus(device(1, 1))],
    pci: [
      driver('e1000', 1, () => {
        throw new InvariantError('heap');
      }),
    ],
  });
  expect(() => machine.boot()).toThrow(new InvariantError('heap'));
});

test('an interface that cannot be opened is logged, and programs start all the same', () => {
  const machine = new FakeMachine({
    buses: [bus(device(1, 1))],
    pci: [
      driver('e1000', 1, (_device, platform) => {
        const open = () => {
          throw new Error('reset did not finish');
        };
        platform.addInterface(new Uint8Array(6), ops({ open }));
      }),
    ],
    programs: [
      {
        name: 'init',
        *program(sys) {
          yield* [];
          sys.log(`on ${sys.hostname}`);
        },
      },
    ],
  }).boot();
  machine.run();
  expect(machine.events).toEqual(['Ringtail on alpha', 'eth0: reset did not finish', 'init: on alpha']);
});

test('a step is one piece of deferred work, or else one task, or else nothing', () => {
  const machine = new FakeMachine().boot();
  const ran: string[] = [];
  const work = machine.kernel.deferred('work', () => ran.push('work') === 1);
  machine.kernel.spawn('task', function* () {
    yield* [];
    ran.push('task');
  });
  work.schedule();
  const steps = [1, 2, 3, 4].map(() => machine.kernel.step());
  expect(ran).toEqual(['work', 'work', 'task']);
  expect(steps).toEqual([true, true, true, false]);
});

test('an external interrupt runs the handler at once, its deferred work later', () => {
  let nic: { level: boolean; seen: string[] } = { level: false, seen: [] };
  const machine = new FakeMachine({
    buses: [bus(device(1, 1))],
    pci: [
      driver('e1000', 1, ({ irq }, platform) => {
        nic = { level: false, seen: [] };
        const receive = platform.deferred('rx', () => {
          nic.seen.push(`rx, interrupts ${machine.cpu.interruptsEnabled}`);
          return false;
        });
        platform.interrupts.request(irq, 'e1000', () => {
          nic.seen.push(`handler, interrupts ${machine.cpu.interruptsEnabled}`);
          machine.controller.setLevel(irq, false);
          receive.schedule();
          return true;
        });
      }),
    ],
  }).boot();
  machine.controller.setLevel(NIC_IRQ, true);
  machine.cpu.access();
  expect(nic.seen).toEqual(['handler, interrupts false']);
  machine.run();
  expect(nic.seen).toEqual(['handler, interrupts false', 'rx, interrupts true']);
});

test('the console’s interrupt reaches the console', () => {
  const machine = new FakeMachine().boot();
  machine.controller.setLevel(CONSOLE_IRQ, true);
  machine.cpu.access();
  expect(machine.events.at(-1)).toBe('console interrupt');
  expect(machine.kernel.irqs.table()).toMatchObject([{ irq: CONSOLE_IRQ, names: 'console', count: 1 }]);
});

test('sleep is over at its tick, and an idle kernel programs no timer', () => {
  const times: number[] = [];
  const machine = new FakeMachine({
    programs: [
      {
        name: 'sleeper',
        *program(sys) {
          for (const ns of [250, 0, 1000]) {
            yield* sys.sleep(ns);
            times.push(sys.nowNs());
          }
        },
      },
    ],
  }).boot();
  machine.run();
  expect(machine.clock.tick).toBe(3);
  machine.pass(3);
  machine.pass(0);
  machine.pass(9);
  expect(times).toEqual([300, 300]);
  machine.pass(1);
  expect(times).toEqual([300, 300, 13 * TICK_NS]);
  expect(machine.clock.tick).toBe(Number.POSITIVE_INFINITY);
});

test('an error in an interrupt handler is a panic, although the program that was interrupted caught it', () => {
  const machine = new FakeMachine({ programs: [] }).boot();
  const notes: string[] = [];
  machine.kernel.irqs.request(NIC_IRQ, 'e1000', () => {
    throw new RangeError('ring overrun');
  });
  machine.kernel.spawn('innocent', function* () {
    yield* [];
    machine.controller.setLevel(NIC_IRQ, true);
    try {
      machine.cpu.access();
    } catch {
      notes.push('caught');
    }
  });
  const text = `interrupt handler "e1000" of irq ${NIC_IRQ}: ring overrun`;
  expect(() => machine.run()).toThrow(text);
  expect(notes).toEqual(['caught']);
  expect(machine.events.slice(1)).toEqual([`panic: ${text}`, 'console interrupt']);
  expect(machine.cpu.interruptsEnabled).toBe(false);
  // Nothing runs any more, and the first reason is the one that counts.
  expect(() => machine.kernel.step()).toThrow(text);
  expect(machine.events.length).toBe(3);
});

test('an error in deferred work is a panic: logged, shown to the observer, and interrupts stay disabled', () => {
  const machine = new FakeMachine().boot();
  const seen: string[] = [];
  machine.kernel.trace = {
    deferred: () => {},
    log: (text: string) => void seen.push(text),
  } as Partial<KernelTrace> as KernelTrace;
  const work = machine.kernel.deferred('rx', () => {
    throw new RangeError('no such descriptor');
  });
  work.schedule();
  expect(() => machine.kernel.step()).toThrow('deferred work "rx": no such descriptor');
  expect(seen).toEqual(['panic: deferred work "rx": no such descriptor']);
  expect(machine.events.slice(1)).toEqual([...seen, 'console interrupt']);
  expect(machine.cpu.interruptsEnabled).toBe(false);
});

test('a broken invariant of Ringtail is no panic of this kernel', () => {
  const machine = new FakeMachine().boot();
  const work = machine.kernel.deferred('rx', () => {
    throw new InvariantError('heap');
  });
  work.schedule();
  expect(() => machine.kernel.step()).toThrow(new InvariantError('heap'));
  expect(machine.events).toEqual(['Ringtail on alpha']);
});

test('an error in a driver’s transmit stops the kernel, not the program that sent', () => {
  let iface: NetInterface | null = null;
  const machine = new FakeMachine({
    buses: [bus(device(1, 1))],
    pci: [
      driver('e1000', 1, (_device, platform) => {
        const transmit = () => {
          throw new RangeError('TDT out of range');
        };
        iface = platform.addInterface(Uint8Array.of(2, 0, 0, 0, 0, 1), ops({ transmit }));
      }),
    ],
  }).boot();
  iface!.linkChanged({ up: true, speedMbps: 1000, fullDuplex: true });
  machine.run();
  const task = machine.kernel.spawn('sender', function* (sys) {
    yield* [];
    sys.sendto(sys.socket('udp'), new Uint8Array(4), parseIpv4('10.0.0.2'), 7);
  });
  expect(() => machine.run()).toThrow('transmit on eth0: TDT out of range');
  expect(task.error).toBeNull();
});

test('an observer set after boot sees traps, deferred work, tasks, calls and messages', () => {
  const machine = new FakeMachine().boot();
  const seen: string[] = [];
  const note =
    (kind: string) =>
    (...args: unknown[]) =>
      void seen.push([kind, ...args].join(' '));
  machine.kernel.trace = {
    trap: note('trap'),
    deferred: note('deferred'),
    task: note('task'),
    syscall: note('syscall'),
    log: note('log'),
  } as Partial<KernelTrace> as KernelTrace;
  machine.kernel.spawn('init', function* (sys) {
    yield* sys.sleep(300);
    sys.log('awake');
  });
  machine.run();
  machine.pass(3);
  expect(seen).toEqual([
    'task init true ',
    'syscall init sleep 300',
    'task init false time',
    `trap ${MACHINE_TIMER}`,
    'deferred timers',
    'task init true ',
    'syscall init log',
    'log init: awake',
    'task init false ',
  ]);
  machine.kernel.trace = null;
  machine.kernel.log('unseen');
  expect(seen.length).toBe(9);
});

test('half of a small memory is for packets, the rest for rings', () => {
  const { kernel } = new FakeMachine();
  expect(kernel.packets.usage()).toEqual({ free: 32, cpu: 0, device: 0, exhausted: 0 });
  expect(kernel.memory.usage()).toMatchObject({ freeBytes: 1 << 16, allocations: [{ owner: 'packet pool' }] });
});

test('both interrupt causes are enabled, and the software interrupt is taken for nothing', () => {
  const machine = new FakeMachine().boot();
  machine.kernel.trap(3);
  expect(machine.kernel.step()).toBe(false);
  machine.cpu.setInterrupt(MACHINE_EXTERNAL, true);
  machine.cpu.access();
  machine.cpu.setInterrupt(MACHINE_EXTERNAL, false);
  expect(machine.cpu.trapCount).toBe(1);
});
