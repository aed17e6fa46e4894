/** The settings of FreeBSD: `net.inet.tcp` of its tcp(4) and syncache(4), and others that have to do with TCP. */
import type { KeepAlive, TcpOptions } from '../../kernel/net/tcp/user.ts';
import { PROFILES } from './profile.ts';
import { count, flag, MAX_RETRIES, type Sysctl, wholeNumber } from './sysctl-value.ts';

const NS_PER_MS = 1_000_000;
const MAX_BUFFER_BYTES = 1_000_000_000;

const milliseconds = (name: Parameters<typeof count>[0]): Sysctl => count(name, NS_PER_MS);

/** A part of keep-alive, which is on unless `always_keepalive` says otherwise. */
function keepAlive(name: keyof KeepAlive, unit: number): Sysctl {
  return (tcp, [value]) => {
    const number = wholeNumber(value);
    if (number === null) return false;
    tcp.keepAlive = { ...(tcp.keepAlive ?? PROFILES.freebsd.tcp.keepAlive!), [name]: number * unit };
    return true;
  };
}

/** 1: window scale and timestamps; 2: the first alone; 3: the second alone. */
function rfc1323(tcp: TcpOptions, [value]: readonly string[]): boolean {
  tcp.windowScale = value === '1' || value === '2';
  tcp.timestamps = value === '1' || value === '3';
  return /^[0-3]$/.test(value ?? '');
}

export const FREEBSD_SYSCTLS: Readonly<Record<string, Sysctl>> = {
  'net.inet.tcp.rfc1323': rfc1323,
  'net.inet.tcp.sack.enable': flag('sack'),
  'net.inet.tcp.do_prr': flag('proportionalRateReduction'),
  'net.inet.tcp.delayed_ack': (tcp, [value]) => {
    tcp.quickAcks = value === '0' ? Number.MAX_SAFE_INTEGER : 0;
    return /^[01]$/.test(value ?? '');
  },
  'net.inet.tcp.delacktime': milliseconds('delayedAckNs'),
  'net.inet.tcp.msl': count('timeWaitNs', 2 * NS_PER_MS),
  'net.inet.tcp.finwait2_timeout': milliseconds('finWait2Ns'),
  'net.inet.tcp.keepinit': milliseconds('openTimeoutNs'),
  'net.inet.tcp.keepidle': keepAlive('idleNs', NS_PER_MS),
  'net.inet.tcp.keepintvl': keepAlive('intervalNs', NS_PER_MS),
  'net.inet.tcp.keepcnt': keepAlive('count', 1),
  'net.inet.tcp.always_keepalive': (tcp, [value]) => {
    tcp.keepAlive = value === '0' ? null : (tcp.keepAlive ?? PROFILES.freebsd.tcp.keepAlive!);
    return /^[01]$/.test(value ?? '');
  },
  'net.inet.tcp.rexmit_min': milliseconds('minRtoNs'),
  'net.inet.tcp.rexmit_slop': milliseconds('rtoSlopNs'),
  'net.inet.tcp.retries': count('dataRetries', 1, MAX_RETRIES),
  'net.inet.tcp.syncache.rexmtlimit': count('synAckRetries', 1, MAX_RETRIES),
  'net.inet.tcp.recvspace': count('receiveBufferBytes', 1, MAX_BUFFER_BYTES),
  'net.inet.tcp.sendspace': count('sendBufferBytes', 1, MAX_BUFFER_BYTES),
  'kern.ipc.maxsockbuf': count('windowScaleBytes', 1, MAX_BUFFER_BYTES),
  'net.inet.tcp.initcwnd_segments': count('initialWindowSegments'),
  'net.inet.tcp.abc_l_var': count('slowStartSegments'),
  'net.inet.tcp.cc.algorithm': (tcp, [name]) => {
    if (name !== 'newreno' && name !== 'cubic') return false;
    tcp.congestion = name;
    return true;
  },
  'net.inet.ip.ttl': count('ttl', 1, 255),
};

/** Settings about what this stack does not do, or always does, at the values that say so. */
export const FREEBSD_NEUTRAL: Readonly<Record<string, readonly string[]>> = {
  'net.inet.tcp.rexmit_initial': ['1000'],
  'net.inet.tcp.rexmit_drop_options': ['0'],
  'net.inet.tcp.rfc3042': ['1'],
  'net.inet.tcp.rfc3390': ['1'],
  'net.inet.tcp.rfc3465': ['1'],
  'net.inet.tcp.do_prr_conservative': ['0'],
  'net.inet.tcp.newcwv': ['0'],
  'net.inet.tcp.syncookies': ['1'],
  'net.inet.tcp.syncookies_only': ['0'],
  'net.inet.tcp.syncache.rst_on_sock_fail': ['0'],
  'net.inet.tcp.ecn.enable': ['0', '2'],
  'net.inet.tcp.blackhole': ['0'],
  'net.inet.tcp.drop_synfin': ['0'],
  'net.inet.tcp.insecure_rst': ['0'],
  'net.inet.tcp.insecure_syn': ['0'],
  'net.inet.tcp.insecure_ack': ['0'],
  'net.inet.tcp.tolerate_missing_ts': ['0'],
  'net.inet.tcp.path_mtu_discovery': ['1'],
  'net.inet.tcp.pmtud_blackhole_detection': ['0'],
  'net.inet.tcp.icmp_may_rst': ['1'],
  'net.inet.tcp.mssdflt': ['536'],
  'net.inet.tcp.maxunacktime': ['0'],
  'net.inet.tcp.fast_finwait2_recycle': ['0'],
  'net.inet.tcp.fastopen.client_enable': ['0'],
  'net.inet.tcp.fastopen.server_enable': ['0'],
  'net.inet.tcp.udp_tunneling_port': ['0'],
  'net.inet.tcp.functions_default': ['freebsd'],
};

/** Logs, statistics, caches of other connections, offloads and clocks: nothing of one connection depends on them here. */
const WITHOUT_EFFECT = [
  'net.inet.tcp.log_',
  'net.inet.tcp.bb.',
  'net.inet.tcp.hostcache.',
  'net.inet.tcp.reass.',
  'net.inet.tcp.perconn_stats_',
  'net.inet.tcp.sendbuf_',
  'net.inet.tcp.recvbuf_',
  'net.inet.tcp.ecn.maxretries',
  'net.inet.tcp.functions_inherit_listen_socket_stack',
  'net.inet.tcp.isn_reseed_interval',
  'net.inet.tcp.maxtcptw',
  'net.inet.tcp.nolocaltimewait',
  'net.inet.tcp.rfc6675_pipe',
  'net.inet.tcp.sack.globalmaxholes',
  'net.inet.tcp.sack.maxholes',
  'net.inet.tcp.soreceive_stream',
  'net.inet.tcp.ts_offset_per_conn',
  'net.inet.tcp.tso',
  'net.inet.tcp.v6',
  'net.inet.ip.random_id',
  'net.inet.icmp.icmplim',
  'kern.timecounter.',
  'kern.eventtimer.',
  'kern.ipc.soacceptqueue',
  'kern.ipc.somaxconn',
];

export const isWithoutEffectInFreeBsd = (name: string): boolean => WITHOUT_EFFECT.some(each => name.startsWith(each));
