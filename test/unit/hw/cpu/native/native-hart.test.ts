import { describe, expect, it } from 'vitest';
import { Bus, type BusDevice } from '../../../../../hw/bus/bus.ts';
import { MACHINE_EXTERNAL, MACHINE_SOFTWARE, MACHINE_TIMER } from '../../../../../hw/cpu/hart.ts';
import { NativeHart, type NativeProgram } from '../../../../../hw/cpu/native/native-hart.ts';
import { Clock } from '../../../../../hw/sim/clock.ts';
import { InvariantError } from '../../../../../src/lib/assert.ts';

const BASE = 0x1000;
const READ_NS = 600;
const WRITE_NS = 200;
const TRAP_NS = 50;

/** One hart and one device, which notes its accesses in the log that the program writes too. */
function machine(program: Partial<NativeProgram>) {
  const clock = new Clock();
  const bus = new Bus();
  const log: string[] = [];
  const device = {
    name: 'device',
    value: 0,
    onWrite: (_value: number) => {},
    read(offset: number): number {
      log.push(`read ${offset} @${clock.nowNs}`);
      return this.value;
    },
    write(offset: number, _size: number, value: number): void {
      log.push(`write ${offset} @${clock.nowNs}`);
      this.value = value;
      this.onWrite(value);
    },
    nameAt: (offset: number) => `REG${offset / 4}`,
  };
  bus.map(BASE, 0x100, device, { readNs: READ_NS, writeNs: WRITE_NS });
  const hart = new NativeHart(clock, bus, 0, TRAP_NS);
  hart.start({
    boot: () => {},
    step: () => false,
    trap: cause => {
      log.push(`trap ${cause} @${clock.nowNs}`);
      hart.setInterrupt(cause, false);
    },
    ...program,
  });
  return { clock, bus, log, device, hart };
}

type Machine = ReturnType<typeof machine>;

/** A machine whose program is `boot`, with all interrupts enabled first. */
function booted(boot: (m: Machine) => void): Machine {
  const m: Machine = machine({
    boot: () => {
      for (const cause of [MACHINE_EXTERNAL, MACHINE_SOFTWARE, MACHINE_TIMER] as const) m.hart.enableCause(cause, true);
      m.hart.enableInterrupts();
      boot(m);
    },
  });
  return m;
}

describe('native hart: time', () => {
  it('pays for each access before it takes effect', () => {
    const m = booted(({ hart, log }) => {
      hart.write32(BASE + 4, -1);
      expect(hart.read32(BASE + 8)).toBe(0xffff_ffff);
      expect(hart.read16(BASE + 8)).toBe(0xffff);
      expect(hart.read8(BASE + 8)).toBe(0xff);
      log.push(`time ${hart.time()}`);
    });
    m.clock.run(10_000);
    expect(m.log).toEqual(['write 4 @200', 'read 8 @800', 'read 8 @1400', 'read 8 @2000', 'time 20']);
  });

  it('lets the events of the hardware up to the end of an access happen before it', () => {
    const m = booted(({ hart }) => {
      expect(hart.read32(BASE)).toBe(2);
      expect(hart.read32(BASE)).toBe(3);
    });
    for (const [value, atNs] of [
      [1, 599],
      [2, READ_NS],
      [3, READ_NS + 1],
    ] as const) {
      m.clock
        .timer(() => {
          m.log.push(`event ${value}`);
          m.device.value = value;
        })
        .armAt(atNs);
    }
    m.clock.run(10_000);
    expect(m.hart.fault).toBeNull();
    expect(m.log).toEqual(['event 1', 'event 2', 'read 0 @600', 'event 3', 'read 0 @1200']);
  });
});

describe('native hart: interrupts', () => {
  it('takes an interrupt between two accesses: after the effect of the one during which it came', () => {
    const m = booted(({ hart }) => {
      hart.write32(BASE, 1);
      hart.write32(BASE + 4, 2);
    });
    m.clock.timer(() => m.hart.setInterrupt(MACHINE_EXTERNAL, true)).armAt(100);
    m.clock.run(10_000);
    expect(m.log).toEqual(['write 0 @200', 'trap 11 @250', 'write 4 @450']);
  });

  it('takes one that the access itself brings about', () => {
    const m = booted(({ hart }) => {
      hart.write32(BASE, 1);
      hart.write32(BASE + 4, 0);
    });
    m.device.onWrite = value => {
      if (value === 1) m.hart.setInterrupt(MACHINE_EXTERNAL, true);
    };
    m.clock.run(10_000);
    expect(m.log).toEqual(['write 0 @200', 'trap 11 @250', 'write 4 @450']);
  });

  it('takes at most one at each place, external before software before timer', () => {
    const m = booted(({ hart, log }) => {
      hart.write32(BASE, 1);
      log.push('one');
      hart.spend(0);
      log.push('two');
      hart.spend(10);
      log.push('three');
      hart.spend(0);
    });
    m.device.onWrite = () => {
      for (const cause of [MACHINE_TIMER, MACHINE_SOFTWARE, MACHINE_EXTERNAL] as const)
        m.hart.setInterrupt(cause, true);
    };
    m.clock.run(10_000);
    expect(m.log).toEqual(['write 0 @200', 'trap 11 @250', 'one', 'trap 3 @300', 'two', 'trap 7 @360', 'three']);
  });

  it('is not interrupted inside the trap vector', () => {
    const m: Machine = machine({
      boot: () => {
        m.hart.enableCause(MACHINE_EXTERNAL, true);
        m.hart.enableCause(MACHINE_TIMER, true);
        m.hart.enableInterrupts();
        m.hart.write32(BASE, 1);
      },
      trap: cause => {
        m.log.push(`enter ${cause} ${m.hart.interruptsEnabled}`);
        m.hart.setInterrupt(cause, false);
        if (cause === MACHINE_EXTERNAL) m.hart.setInterrupt(MACHINE_TIMER, true);
        m.hart.read32(BASE);
        m.log.push(`leave ${cause}`);
      },
    });
    m.device.onWrite = () => m.hart.setInterrupt(MACHINE_EXTERNAL, true);
    m.clock.run(10_000);
    expect(m.log.filter(line => !line.startsWith('read'))).toEqual([
      'write 0 @200',
      'enter 11 false',
      'leave 11',
      'enter 7 false',
      'leave 7',
    ]);
    expect(m.hart.interruptsEnabled).toBe(true);
  });

  it('holds a pending interrupt back until both the cause and interrupts are enabled', () => {
    const m: Machine = machine({
      boot: () => {
        m.hart.setInterrupt(MACHINE_TIMER, true);
        m.hart.enableInterrupts();
        m.log.push('interrupts on');
        m.hart.disableInterrupts();
        m.hart.enableCause(MACHINE_TIMER, true);
        m.log.push('cause on');
        m.hart.enableInterrupts();
        m.log.push('both on');
      },
    });
    m.clock.run(1000);
    expect(m.log).toEqual(['interrupts on', 'cause on', 'trap 7 @50', 'both on']);
  });

  it('waits when there is nothing to do, and wakes for an enabled cause alone', () => {
    let steps = 0;
    const m: Machine = machine({
      boot: () => {
        m.hart.enableCause(MACHINE_EXTERNAL, true);
        m.hart.enableInterrupts();
      },
      step: () => {
        steps += 1;
        return false;
      },
    });
    m.clock.run(1000);
    expect([m.hart.state, steps]).toEqual(['waiting', 1]);
    m.hart.setInterrupt(MACHINE_TIMER, true);
    expect(m.hart.state).toBe('waiting');
    m.hart.setInterrupt(MACHINE_EXTERNAL, true);
    expect(m.hart.state).toBe('ready');
    m.clock.run(2000);
    expect([m.hart.state, steps, m.log]).toEqual(['waiting', 2, ['trap 11 @1050']]);
  });

  it('tells an observer of the way into a trap and out of it', () => {
    const m = booted(({ hart }) => hart.write32(BASE, 1));
    m.device.onWrite = () => m.hart.setInterrupt(MACHINE_EXTERNAL, true);
    m.hart.onTrap = (cause, entered) => m.log.push(`${entered ? 'into' : 'out of'} ${cause} @${m.clock.nowNs}`);
    m.clock.run(1000);
    expect(m.log).toEqual(['write 0 @200', 'into 11 @200', 'trap 11 @250', 'out of 11 @250']);
  });
});

describe('native hart: mistakes of software', () => {
  it('halts on a bus fault, once, and never runs again', () => {
    const halts: string[] = [];
    const m = booted(({ hart }) => hart.read32(0x5000));
    m.hart.onHalt = fault => halts.push(fault.message);
    m.clock.run(1000);
    m.hart.setInterrupt(MACHINE_EXTERNAL, true);
    m.clock.run(2000);
    expect(halts).toEqual(['bus fault: read of 4 bytes at 0x00005000']);
    expect(m.hart.fault?.name).toBe('BusFault');
    expect([m.hart.state, m.log, m.clock.idle]).toEqual(['halted', [], true]);
  });

  it.each([
    ['write of 1 byte', (hart: NativeHart) => hart.write8(0x5000, 1)],
    ['write of 2 bytes', (hart: NativeHart) => hart.write16(BASE + 1, 1)],
    ['read of 2 bytes', (hart: NativeHart) => hart.read16(BASE + 0x100)],
  ])('faults on a wild %s', (text, access) => {
    const m = booted(({ hart }) => access(hart));
    m.clock.run(1000);
    expect(m.hart.fault?.message).toContain(text);
  });

  it('can be told of the fault instead, when software catches it', () => {
    const m = booted(({ hart, log }) => {
      expect(() => hart.read32(0x5000)).toThrow('bus fault');
      log.push('went on');
    });
    m.clock.run(1000);
    expect(m.log).toEqual(['went on']);
  });

  it('stops software that polls for ever, and names the register', () => {
    const clock = new Clock();
    const bus = new Bus();
    const status: BusDevice = { name: 'e1000', read: () => 0, write: () => {}, nameAt: () => 'STATUS' };
    bus.map(BASE, 0x100, status, { readNs: READ_NS, writeNs: WRITE_NS });
    const hart = new NativeHart(clock, bus, 0, TRAP_NS);
    hart.start({
      boot: () => {
        while (hart.read32(BASE + 8) === 0);
      },
      step: () => false,
      trap: () => {},
    });
    clock.run(1000);
    expect(hart.fault?.name).toBe('SpinError');
    expect(hart.fault?.message).toContain('software spins on e1000 STATUS');
  });

  it('lets a broken invariant of the emulation through', () => {
    const m = booted(() => {
      throw new InvariantError('ours');
    });
    expect(() => m.clock.run(1000)).toThrow('ours');
    expect(m.hart.state).not.toBe('halted');
  });
});
