/** Values of socket options, as a program may get them wrong: each function returns a right one, or throws EINVAL. */
import { SocketError } from './socket-error.ts';

/** Largest size that SO_RCVBUF and SO_SNDBUF take. */
const MAX_BUFFER_BYTES = 16 * 1024 * 1024;

export function flag(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new SocketError('EINVAL', `neither true nor false: ${value}`);
}

/** Nanoseconds, or Infinity. */
export function duration(value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new SocketError('EINVAL', `no such time: ${value} ns`);
}

export function wholeNumber(value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new SocketError('EINVAL', `${value} is not a whole number from ${least} to ${most}`);
}

/** One of the names that the option has. */
export function oneOf<T extends string>(value: unknown, names: readonly T[]): T {
  const name = names.find(each => each === value);
  if (name !== undefined) return name;
  throw new SocketError('EINVAL', `${value} is none of ${names.join(', ')}`);
}

/** The size of a buffer. A larger one than there can be is cut down, as BSD does. */
export function bufferBytes(value: unknown): number {
  return Math.min(MAX_BUFFER_BYTES, wholeNumber(value, 1, Number.MAX_SAFE_INTEGER));
}
