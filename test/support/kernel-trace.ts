/** An observer of a kernel that listens to some things, and to nothing else. */
import type { KernelTrace } from '../../kernel/trace.ts';

export const traceOf = (told: Partial<KernelTrace>): KernelTrace =>
  new Proxy(told, {
    get: (target, name) => target[name as keyof KernelTrace] ?? (() => {}),
  }) as KernelTrace;
