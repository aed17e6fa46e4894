/** What is said about the spanning tree of a switch, and the checks of it. */
import { BRIDGE_PRIORITY, FORWARD_DELAY, HELLO_TIME, MAX_AGE, MAX_PATH_COST, PORT_PRIORITY } from './parameters.ts';
import type { Times } from './priority-vector.ts';
import type { TreePortParameters } from './tree-port.ts';

export interface SpanningTreeOptions {
  /** `stp` forces the protocol of 802.1D-1998 on all ports; `rstp` unless given. */
  readonly version?: 'rstp' | 'stp';
  /** The lowest becomes the root: 0 to 61 440 in steps of 4096, 32 768 unless given. */
  readonly priority?: number;
  /** 1 or 2 s. */
  readonly helloSeconds?: number;
  /** 6 to 40, 20 unless given: what was heard is too old after so many seconds, or bridges. */
  readonly maxAgeSeconds?: number;
  /** 4 to 30, 15 unless given. */
  readonly forwardDelaySeconds?: number;
}

/** The part of a port in the spanning tree. */
export interface PortTreeOptions {
  /** Nothing but stations is behind it: it forwards at once. One that is not told finds out within some seconds. */
  readonly edge?: boolean;
  /** 1 to 200 000 000; unless given 20 000 at 1000 Mb/s, ten times that at 100 and a hundred times at 10. */
  readonly pathCost?: number;
  /** Lower is better: 0 to 240 in steps of 16, 128 unless given. */
  readonly priority?: number;
}

export interface SpanningTreeParameters {
  readonly rstp: boolean;
  readonly priority: number;
  readonly times: Times;
  readonly ports: readonly TreePortParameters[];
}

/** `ports` by number; null for one that takes no part. Throws a RangeError when the options make no sense. */
export function spanningTreeParameters(
  options: SpanningTreeOptions,
  ports: readonly (PortTreeOptions | null)[],
): SpanningTreeParameters {
  const { version = 'rstp', priority = BRIDGE_PRIORITY.usual } = options;
  const helloTime = within('hello time', options.helloSeconds ?? HELLO_TIME.usual, HELLO_TIME.least, HELLO_TIME.most);
  const maxAge = within('max age', options.maxAgeSeconds ?? MAX_AGE.usual, MAX_AGE.least, MAX_AGE.most);
  const delay = options.forwardDelaySeconds ?? FORWARD_DELAY.usual;
  const forwardDelay = within('forward delay', delay, FORWARD_DELAY.least, FORWARD_DELAY.most);
  // 17.14: what was heard must not outlive the wait for it.
  if (2 * (forwardDelay - 1) < maxAge || maxAge < 2 * (helloTime + 1)) {
    throw new RangeError(
      `spanning tree with max age ${maxAge}, forward delay ${forwardDelay} and hello time ${helloTime}`,
    );
  }
  return {
    rstp: version === 'rstp',
    priority: inSteps('bridge priority', priority, BRIDGE_PRIORITY),
    times: { messageAge: 0, maxAge, helloTime, forwardDelay },
    ports: ports.flatMap((port, index) => (port === null ? [] : [portParameters(port, index)])),
  };
}

function portParameters(options: PortTreeOptions, index: number): TreePortParameters {
  const priority = inSteps('port priority', options.priority ?? PORT_PRIORITY.usual, PORT_PRIORITY);
  const { pathCost = null, edge = false } = options;
  return {
    index,
    portId: (priority << 8) | (index + 1),
    adminEdge: edge,
    pathCost: pathCost === null ? null : within('path cost', pathCost, 1, MAX_PATH_COST),
  };
}

function inSteps(
  what: string,
  value: number,
  { most, step }: { readonly most: number; readonly step: number },
): number {
  if (within(what, value, 0, most) % step === 0) return value;
  throw new RangeError(`${what} of a spanning tree: ${value} is not a multiple of ${step}`);
}

function within(what: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${what} of a spanning tree: ${value} is not a whole number from ${least} to ${most}`);
}
