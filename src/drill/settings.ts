/** What holds for a whole script: what the command line and the head of the script ask for. */
import { parseIpv4 } from '../lib/bytes.ts';
import { PROFILES, type Profile, type ProfileName } from './profile.ts';
import { type Script, ScriptError, type ScriptOption } from './script.ts';

/** What holds for a whole script. Addresses are unsigned. */
export interface ScriptSettings {
  readonly profile: Profile;
  /** Nobody has named the profile, and it is not the usual one. */
  readonly profileIsGuessed: boolean;
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
  /** Null: `linux`, or `freebsd` for a script that has commands of FreeBSD. */
  readonly profile: ProfileName | null;
  readonly toleranceNs: number;
  readonly strict: boolean;
}

export const DEFAULT_SETTINGS: RunSettings = { profile: null, toleranceNs: 0, strict: false };

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
    draft.profileIsGuessed = false;
  },
  strict: draft => {
    draft.strict = true;
  },
};

/** The settings of a script. Throws a ScriptError. */
export function settingsOf(script: Script, run: RunSettings): ScriptSettings {
  const draft: Draft = {
    profile: PROFILES[profileName(script, run)],
    profileIsGuessed: run.profile === null && isOfFreeBsd(script),
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

function profileName(script: Script, run: RunSettings): ProfileName {
  return run.profile ?? (isOfFreeBsd(script) ? 'freebsd' : 'linux');
}

const isOfFreeBsd = (script: Script): boolean =>
  script.events.some(event => event.kind === 'command' && event.ofFreeBsd);

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
