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

/** False: there is no such value. */
type Sysctl = (tcp: TcpOptions, values: readonly string[], profile: Profile) => boolean;

const SYSCTLS: Readonly<Record<string, Sysctl>> = {
  'net.ipv4.tcp_timestamps': flag('timestamps'),
  'net.ipv4.tcp_sack': flag('sack'),
  'net.ipv4.tcp_window_scaling': flag('windowScale'),
  'net.ipv4.tcp_congestion_control': (tcp, [name = ''], profile) => {
    const algorithm = profile.congestionToStack(name);
    if (algorithm !== 'reno' && algorithm !== 'newreno' && algorithm !== 'cubic') return false;
    tcp.congestion = algorithm;
    return true;
  },
};

/** Settings about what this stack does not do, at the values that say that it is not to be done. */
const NEUTRAL: Readonly<Record<string, readonly string[]>> = {
  'net.ipv4.tcp_ecn': ['0', '2'],
  'net.ipv4.tcp_fastopen': ['0'],
  'net.ipv4.tcp_mtu_probing': ['0'],
};

/** Settings of what has no counterpart here, and no effect on the wire of one connection. */
const WITHOUT_EFFECT = new Set(['net.ipv4.tcp_no_metrics_save']);

function flag(name: 'timestamps' | 'sack' | 'windowScale'): Sysctl {
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
