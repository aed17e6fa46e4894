/** How values of `sysctl` become options of TCP: flags, numbers in units, sizes of buffers. */
import type { TcpOptions } from '../../kernel/net/tcp/user.ts';
import type { Profile } from './profile.ts';

export const MAX_RETRIES = 255;
const MAX_SETTING = 100_000_000;

/** Options of TCP that are plain numbers. */
type NumberName =
  | 'synRetries'
  | 'synAckRetries'
  | 'synLinearTimeouts'
  | 'dataRetries'
  | 'openTimeoutNs'
  | 'finWait2Ns'
  | 'timeWaitNs'
  | 'delayedAckNs'
  | 'minRtoNs'
  | 'rtoGranularityNs'
  | 'rtoSlopNs'
  | 'initialWindowSegments'
  | 'slowStartSegments'
  | 'sendBufferBytes'
  | 'receiveBufferBytes'
  | 'windowScaleBytes'
  | 'ttl';
type FlagName = 'timestamps' | 'sack' | 'windowScale' | 'slowStartAfterIdle' | 'proportionalRateReduction';

/** Sets what the setting says. False: there is no such value. */
export type Sysctl = (tcp: TcpOptions, values: readonly string[], profile: Profile) => boolean;

/** The whole number that `value` is; null when it is none, or beyond `most`. */
export const wholeNumber = (value: string | undefined, most = MAX_SETTING): number | null =>
  value !== undefined && /^\d{1,10}$/.test(value) && Number(value) <= most ? Number(value) : null;

/** A setting of a number, in units of so much. */
export function count(name: NumberName, unit = 1, most = MAX_SETTING): Sysctl {
  return (tcp, [value]) => {
    const number = wholeNumber(value, most);
    if (number === null) return false;
    tcp[name] = number * unit;
    return true;
  };
}

/** `least default most`: the default is what a socket begins with. */
export function buffer(name: 'sendBufferBytes' | 'receiveBufferBytes'): Sysctl {
  return (tcp, [, usual = '', most = '']) => {
    if (![usual, most].every(each => /^\d{1,9}$/.test(each) && Number(each) > 0)) return false;
    tcp[name] = Number(usual);
    if (name === 'receiveBufferBytes') tcp.windowScaleBytes = Number(most);
    return true;
  };
}

export function flag(name: FlagName): Sysctl {
  return (tcp, [value]) => {
    tcp[name] = value !== '0';
    return /^\d+$/.test(value ?? '');
  };
}
