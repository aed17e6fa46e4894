import { expect, test } from 'vitest';
import { KernelBug } from '../../../kernel/bug.ts';
import { DeferredQueue } from '../../../kernel/deferred.ts';
import type { DeferredWork } from '../../../kernel/driver-api.ts';
import { InvariantError } from '../../../src/lib/assert.ts';

const quiet = { trace: null, log: () => {} };

function drain(queue: DeferredQueue): number {
  let count = 0;
  while (queue.runNext()) count += 1;
  return count;
}

test('work runs in the order in which it was scheduled, once however often it was', () => {
  const queue = new DeferredQueue(quiet);
  const ran: string[] = [];
  const [a, b, c] = ['a', 'b', 'c'].map(name => queue.create(name, () => ran.push(name) < 0));
  for (const work of [b, a, b, c, a]) work!.schedule();
  expect(drain(queue)).toBe(3);
  expect(ran).toEqual(['b', 'a', 'c']);
  expect(queue.runNext()).toBe(false);
});

test('work that has more to do goes to the end of the line', () => {
  const queue = new DeferredQueue(quiet);
  const ran: string[] = [];
  let left = 3;
  const long = queue.create('long', () => ran.push('long') > 0 && --left > 0);
  const short = queue.create('short', () => ran.push('short') < 0);
  long.schedule();
  short.schedule();
  drain(queue);
  expect(ran).toEqual(['long', 'short', 'long', 'long']);
});

test('work that is scheduled while it runs is run once more', () => {
  const queue = new DeferredQueue(quiet);
  let count = 0;
  const work: DeferredWork = queue.create('rx', () => {
    if (++count === 1) work.schedule();
    return false;
  });
  work.schedule();
  drain(queue);
  expect(count).toBe(2);
});

test('an error names the work, and keeps the original', () => {
  const queue = new DeferredQueue(quiet);
  const original = new RangeError('no such descriptor');
  queue
    .create('e1000 rx', () => {
      throw original;
    })
    .schedule();
  let caught: unknown;
  try {
    queue.runNext();
  } catch (error) {
    caught = error;
  }
  expect(caught).toEqual(new KernelBug('deferred work "e1000 rx": no such descriptor'));
  expect((caught as KernelBug).cause).toBe(original);
});

test('a mistake that says already where it happened is not renamed', () => {
  const queue = new DeferredQueue(quiet);
  const bug = new KernelBug('cannot free packet 3: it is free already');
  queue
    .create('rx', () => {
      throw bug;
    })
    .schedule();
  expect(() => queue.runNext()).toThrow(bug);
});

test('a broken invariant of Ringtail is not blamed on the work', () => {
  const queue = new DeferredQueue(quiet);
  const broken = new InvariantError('heap');
  queue
    .create('rx', () => {
      throw broken;
    })
    .schedule();
  expect(() => queue.runNext()).toThrow(broken);
});
