/**
 * What the head of a script, and its `sysctl` lines, ask for. A setting is one of the stack's, or it is about what this
 * host does not have and is then harmless only at the value at which it changes nothing.
 */
import type { TcpOptions } from '../../kernel/net/tcp/user.ts';
import { parseIpv4 } from '../lib/bytes.ts';
import { PROFILES, type Profile, type ProfileName } from './profile.ts';
import { type Position, type Script, ScriptError, type ScriptOption, type Setting } from './script.ts';

/** What holds for a whole script. Addresses are unsigned. */
export interface ScriptSettings {
  readonly profile: Profile;
  readonly toleranceNs: number;
  readonly local: number;
  readonly prefixLength: number;
  readonly gateway: number;
  readonly remote: number;
  readonly bindPort: number;
  readonly connectPort: number;
  /** Whether the values of timestamps count, which tick every millisecond. */
  readonly exactStamps: boolean;
  /** Whether packets that nobody has expected, sent by the end of the script, are a failure. */
  readonly strict: boolean;
}

/** What the command line says; a script may say otherwise. */
export interface RunSettings {
  readonly profile: ProfileName;
  readonly toleranceNs: number;
  readonly strict: boolean;
}

export const DEFAULT_SETTINGS: RunSettings = { profile: 'linux', toleranceNs: 0, strict: false };

type Draft = { -readonly [Name in keyof ScriptSettings]: ScriptSettings[Name] };

const NS_PER_US = 1000;
const NS_PER_SECOND = 1_000_000_000;
/** What one tick of the timestamp clock is here, in microseconds. */
const STAMP_TICK_US = 1000;

/** Options that say nothing about the host: how a real machine is to be driven. */
const IGNORED = new Set([
  'dry_run',
  'verbose',
  'debug',
  'init_scripts',
  'non_fatal',
  'so_filename',
  'speed',
  'persistent_tun_dev',
]);

const OPTIONS: Readonly<Record<string, (draft: Draft, value: string, option: ScriptOption) => void>> = {
  ip_version: (_, value, option) => only(value, ['ipv4'], option),
  tolerance_usecs: (draft, value, option) => {
    draft.toleranceNs = wholeNumber(value, option) * NS_PER_US;
  },
  local_ip: (draft, value, option) => {
    draft.local = address(value, option);
  },
  remote_ip: (draft, value, option) => {
    draft.remote = address(value, option);
  },
  gateway_ip: (draft, value, option) => {
    draft.gateway = address(value, option);
  },
  netmask_ip: (draft, value, option) => {
    draft.prefixLength = prefixLength(value, option);
  },
  bind_port: (draft, value, option) => {
    draft.bindPort = wholeNumber(value, option);
  },
  connect_port: (draft, value, option) => {
    draft.connectPort = wholeNumber(value, option);
  },
  mtu: (_, value, option) => only(value, ['1500'], option),
  tcp_ts_tick_usecs: (draft, value, option) => {
    only(value, ['0', String(STAMP_TICK_US)], option);
    draft.exactStamps = value !== '0';
  },
  profile: (draft, value, option) => {
    only(value, Object.keys(PROFILES), option);
    draft.profile = PROFILES[value as ProfileName];
  },
  strict: draft => {
    draft.strict = true;
  },
};

/** The settings of a script. Throws a ScriptError. */
export function settingsOf(script: Script, run: RunSettings): ScriptSettings {
  const draft: Draft = {
    profile: PROFILES[run.profile],
    toleranceNs: run.toleranceNs,
    local: parseIpv4('192.168.0.1'),
    prefixLength: 16,
    gateway: parseIpv4('192.168.0.2'),
    remote: parseIpv4('192.0.2.1'),
    bindPort: 8080,
    connectPort: 8080,
    exactStamps: false,
    strict: run.strict,
  };
  for (const option of script.options) {
    if (IGNORED.has(option.name)) continue;
    const apply = Object.hasOwn(OPTIONS, option.name) ? OPTIONS[option.name] : undefined;
    if (apply === undefined)
      throw new ScriptError('unsupported', option.at, `not supported: the option --${option.name}`);
    apply(draft, option.value, option);
  }
  return draft;
}

/** Puts a setting into the options of TCP. Throws a ScriptError that stands at `at`. */
export function applySetting(tcp: TcpOptions, setting: Setting, profile: Profile, at: Position): void {
  const known = Object.hasOwn(SYSCTLS, setting.name) ? SYSCTLS[setting.name] : undefined;
  const unsupported = (): never => {
    throw new ScriptError('unsupported', at, `not supported: ${setting.name}=${setting.value}`);
  };
  if (known === undefined) {
    if (NEUTRAL[setting.name]?.includes(setting.value) !== true && !WITHOUT_EFFECT.has(setting.name)) unsupported();
    return;
  }
  if (!known(tcp, setting.value.split(/\s+/), profile)) unsupported();
}

const MAX_RETRIES = 255;
const MAX_SETTING = 1_000_000;

/** Options of TCP that are plain numbers. */
type NumberName = 'synRetries' | 'dataRetries' | 'finWait2Ns' | 'minRtoNs' | 'rtoGranularityNs' | 'ttl';

/** False: there is no such value. */
type Sysctl = (tcp: TcpOptions, values: readonly string[], profile: Profile) => boolean;

const SYSCTLS: Readonly<Record<string, Sysctl>> = {
  'net.ipv4.tcp_timestamps': flag('timestamps'),
  'net.ipv4.tcp_sack': flag('sack'),
  'net.ipv4.tcp_window_scaling': flag('windowScale'),
  'net.ipv4.tcp_slow_start_after_idle': flag('slowStartAfterIdle'),
  'net.ipv4.tcp_syn_retries': count('synRetries', 1, MAX_RETRIES),
  'net.ipv4.tcp_synack_retries': count('synRetries', 1, MAX_RETRIES),
  'net.ipv4.tcp_retries2': count('dataRetries', 1, MAX_RETRIES),
  'net.ipv4.tcp_fin_timeout': count('finWait2Ns', NS_PER_SECOND),
  'net.ipv4.tcp_rto_min_us': (tcp, values, profile) => {
    return (
      count('minRtoNs', NS_PER_US)(tcp, values, profile) && count('rtoGranularityNs', NS_PER_US)(tcp, values, profile)
    );
  },
  'net.ipv4.tcp_rmem': buffer('receiveBufferBytes'),
  'net.ipv4.tcp_wmem': buffer('sendBufferBytes'),
  'net.ipv4.ip_default_ttl': count('ttl', 1, 255),
  'net.ipv4.tcp_congestion_control': (tcp, [name = ''], profile) => {
    const algorithm = profile.congestionToStack(name);
    if (algorithm !== 'reno' && algorithm !== 'newreno' && algorithm !== 'cubic') return false;
    tcp.congestion = algorithm;
    return true;
  },
};

/** A setting of a number, in units of so much. */
function count(name: NumberName, unit = 1, most = MAX_SETTING): Sysctl {
  return (tcp, [value = '']) => {
    if (!/^\d{1,10}$/.test(value) || Number(value) > most) return false;
    tcp[name] = Number(value) * unit;
    return true;
  };
}

/** `least default most`: the default is what a socket begins with. */
function buffer(name: 'sendBufferBytes' | 'receiveBufferBytes'): Sysctl {
  return (tcp, [, usual = '', most = '']) => {
    if (![usual, most].every(each => /^\d{1,9}$/.test(each) && Number(each) > 0)) return false;
    tcp[name] = Number(usual);
    if (name === 'receiveBufferBytes') tcp.windowScaleBytes = Number(most);
    return true;
  };
}

/** Settings about what this stack does not do, at the values that say that it is not to be done. */
const NEUTRAL: Readonly<Record<string, readonly string[]>> = {
  'net.ipv4.tcp_ecn': ['0', '2'],
  'net.ipv4.tcp_fastopen': ['0'],
  'net.ipv4.tcp_mtu_probing': ['0'],
  'net.ipv4.tcp_early_retrans': ['0'],
  'net.ipv4.tcp_recovery': ['0'],
  'net.ipv4.tcp_frto': ['0'],
  'net.ipv4.tcp_autocorking': ['0'],
  'net.ipv4.tcp_moderate_rcvbuf': ['0'],
  'net.ipv4.tcp_thin_linear_timeouts': ['0'],
  'net.ipv4.tcp_abort_on_overflow': ['0'],
  'net.ipv4.tcp_tw_reuse': ['0'],
  'net.ipv4.tcp_syncookies': ['1'],
  'net.ipv4.tcp_rfc1337': ['1'],
  'net.ipv4.tcp_dsack': ['1'],
  'net.ipv4.tcp_stdurg': ['0'],
};

/** Settings of what has no counterpart here, and no effect on the wire of one connection. */
const WITHOUT_EFFECT = new Set([
  'net.ipv4.tcp_no_metrics_save',
  'net.ipv4.tcp_min_tso_segs',
  'net.ipv4.tcp_tso_win_divisor',
  'net.ipv4.tcp_pacing_ss_ratio',
  'net.ipv4.tcp_pacing_ca_ratio',
  'net.ipv4.tcp_mem',
  'net.ipv4.tcp_max_orphans',
  'net.core.netdev_max_backlog',
  'net.core.default_qdisc',
]);

function flag(name: 'timestamps' | 'sack' | 'windowScale' | 'slowStartAfterIdle'): Sysctl {
  return (tcp, [value]) => {
    tcp[name] = value !== '0';
    return /^\d+$/.test(value ?? '');
  };
}

function only(value: string, allowed: readonly string[], { name, at }: ScriptOption): void {
  if (!allowed.includes(value)) throw new ScriptError('unsupported', at, `not supported: --${name}=${value}`);
}

function wholeNumber(value: string, { name, at }: ScriptOption): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new ScriptError('syntax', at, `--${name} takes a whole number, not "${value}"`);
}

function address(value: string, { name, at }: ScriptOption): number {
  try {
    return parseIpv4(value);
  } catch (error) {
    throw new ScriptError('syntax', at, `--${name}: ${(error as Error).message}`);
  }
}

function prefixLength(value: string, option: ScriptOption): number {
  const bits = address(value, option).toString(2).padStart(32, '0');
  if (/^1*0*$/.test(bits)) return bits.replaceAll('0', '').length;
  throw new ScriptError('syntax', option.at, `--${option.name} is no mask: "${value}"`);
}
