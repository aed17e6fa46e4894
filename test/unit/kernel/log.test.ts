import { expect, test } from 'vitest';
import { Log } from '../../../kernel/log.ts';
import { FakeCpu } from '../../support/fake-cpu.ts';

/** A console that keeps what it is given, and has more to send at the first `busyPolls` interrupts. */
function bench(busyPolls = 0) {
  const cpu = new FakeCpu();
  const self = { cpu, out: '', polls: 0 };
  const log = new Log(cpu, {
    write: text => {
      self.out += text;
    },
    interrupt: () => ++self.polls <= busyPolls,
  });
  return Object.assign(self, { log });
}

test('a message is a line with the seconds since power-on', () => {
  const self = bench();
  self.cpu.advanceTicks(12_345_678);
  self.log.write('link up');
  expect(self.out).toBe('[    1.234567] link up\n');
  expect(self.polls).toBe(0);
});

test('in a panic the console is polled, with time between, until it has sent all', () => {
  const self = bench(3);
  self.log.panic('the end');
  expect(self.out).toBe('[    0.000000] the end\n');
  expect(self.polls).toBe(4);
  expect(self.cpu.time()).toBe(4 * 10_000);
});

test('a console that never has sent all does not keep a panic from ending', () => {
  const self = bench(Number.POSITIVE_INFINITY);
  self.log.panic('the end');
  expect(self.polls).toBe(100);
});
