/**
 * Port mirroring, which makers call SPAN: copies of what goes through some ports leave at one port, where somebody
 * listens. Of what comes in, every good frame is copied, wherever it goes and as it came; of what goes out, what has left
 * whole. The port with the copies sends nothing else, and what comes in there is dropped.
 */

export interface Mirror {
  /** Port numbers that are watched. */
  readonly from: readonly number[];
  readonly direction: 'ingress' | 'egress' | 'both';
  /** The port where the copies leave. */
  readonly to: number;
}

/** Throws a RangeError when that makes no sense on a switch of `portCount` ports. */
export function mirrorOf(mirror: Mirror, portCount: number): Mirror {
  const { from, to } = mirror;
  for (const port of [...from, to]) {
    if (!(Number.isInteger(port) && port >= 0 && port < portCount))
      throw new RangeError(`the switch has no port ${port}`);
  }
  if (from.includes(to)) throw new RangeError(`port ${to} of the switch cannot mirror itself`);
  return mirror;
}

/** Which directions of `port` are copied. */
export function mirrored(mirror: Mirror | null, port: number): { readonly ingress: boolean; readonly egress: boolean } {
  const watched = mirror?.from.includes(port) === true;
  return { ingress: watched && mirror.direction !== 'egress', egress: watched && mirror.direction !== 'ingress' };
}
