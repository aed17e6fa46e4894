/**
 * `sysctl` lines. A setting is one of the stack's, or it is about what this host does not have and is then harmless only
 * at the value at which it changes nothing. Those of Linux are here, those of FreeBSD in `sysctl-freebsd.ts`.
 */
import type { TcpOptions } from '../../kernel/net/tcp/user.ts';
import type { Profile } from './profile.ts';
import { type Position, ScriptError, type Setting } from './script.ts';
import { FREEBSD_NEUTRAL, FREEBSD_SYSCTLS, isWithoutEffectInFreeBsd } from './sysctl-freebsd.ts';
import { buffer, count, flag, MAX_RETRIES, type Sysctl } from './sysctl-value.ts';

const NS_PER_US = 1000;
const NS_PER_SECOND = 1_000_000_000;

/** Puts a setting into the options of TCP. Throws a ScriptError that stands at `at`. */
export function applySetting(tcp: TcpOptions, setting: Setting, profile: Profile, at: Position): void {
  const { name, value } = setting;
  const known = own(SYSCTLS, name) ?? own(FREEBSD_SYSCTLS, name);
  const neutral = own(NEUTRAL, name) ?? own(FREEBSD_NEUTRAL, name);
  if (known !== undefined ? known(tcp, value.split(/\s+/), profile) : neutral?.includes(value)) return;
  if (WITHOUT_EFFECT.has(name) || isWithoutEffectInFreeBsd(name)) return;
  throw new ScriptError('unsupported', at, `not supported: ${name}=${value}`);
}

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const SYSCTLS: Readonly<Record<string, Sysctl>> = {
  'net.ipv4.tcp_timestamps': flag('timestamps'),
  'net.ipv4.tcp_sack': flag('sack'),
  'net.ipv4.tcp_window_scaling': flag('windowScale'),
  'net.ipv4.tcp_slow_start_after_idle': flag('slowStartAfterIdle'),
  'net.ipv4.tcp_syn_retries': count('synRetries', 1, MAX_RETRIES),
  'net.ipv4.tcp_synack_retries': count('synAckRetries', 1, MAX_RETRIES),
  'net.ipv4.tcp_syn_linear_timeouts': count('synLinearTimeouts', 1, MAX_RETRIES),
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
