/**
 * What blocks of code know of the connection: the members of Linux's `struct tcp_info`, as far as this stack has what
 * they say, in Linux's units: windows count segments, times microseconds.
 */
import type { TcpInfo, TcpState } from '../../kernel/net/tcp/user.ts';
import { CODE_CONSTANTS } from './constants.ts';

const NS_PER_US = 1000;

/** By the names of RFC 9293, those of <tcp_states.h>. */
const STATES: Readonly<Record<TcpState, string>> = {
  CLOSED: 'TCP_CLOSE',
  LISTEN: 'TCP_LISTEN',
  'SYN-SENT': 'TCP_SYN_SENT',
  'SYN-RECEIVED': 'TCP_SYN_RECV',
  ESTABLISHED: 'TCP_ESTABLISHED',
  'FIN-WAIT-1': 'TCP_FIN_WAIT1',
  'FIN-WAIT-2': 'TCP_FIN_WAIT2',
  'CLOSE-WAIT': 'TCP_CLOSE_WAIT',
  CLOSING: 'TCP_CLOSING',
  'LAST-ACK': 'TCP_LAST_ACK',
  'TIME-WAIT': 'TCP_TIME_WAIT',
};
const CA_STATES = { open: 'TCP_CA_Open', recovery: 'TCP_CA_Recovery', loss: 'TCP_CA_Loss' } as const;

const microseconds = (ns: number): number => Math.round(ns / NS_PER_US);

/** Each member, from what the stack says. */
const MEMBERS: Readonly<Record<string, (info: TcpInfo) => number>> = {
  tcpi_state: info => CODE_CONSTANTS[STATES[info.state]]!,
  tcpi_ca_state: info => CODE_CONSTANTS[CA_STATES[info.recovery]]!,
  tcpi_retransmits: info => info.backoff,
  tcpi_backoff: info => info.backoff,
  tcpi_options: options,
  tcpi_snd_wscale: info => info.sendScale,
  tcpi_rcv_wscale: info => info.receiveScale,
  tcpi_rto: info => microseconds(info.rtoNs),
  tcpi_rtt: info => microseconds(info.srttNs),
  tcpi_rttvar: info => microseconds(info.rttvarNs),
  tcpi_snd_mss: info => info.sendMss,
  tcpi_pmtu: info => info.pathMtu,
  tcpi_unacked: info => Math.ceil(info.unacked / info.sendMss),
  tcpi_sacked: info => Math.ceil(info.sacked / info.sendMss),
  tcpi_lost: info => Math.ceil(info.lost / info.sendMss),
  tcpi_total_retrans: info => info.retransmits,
  tcpi_snd_cwnd: info => Math.floor(info.cwnd / info.sendMss),
  tcpi_snd_ssthresh: threshold,
  tcpi_notsent_bytes: info => info.unsent,
  tcpi_snd_wnd: info => info.sendWindow,
  tcpi_rcv_wnd: info => info.receiveWindow,
};
/** Shorter names of some. */
const ALIASES: Readonly<Record<string, string>> = {
  tcpi_cwnd: 'tcpi_snd_cwnd',
  tcpi_ssthresh: 'tcpi_snd_ssthresh',
};
/** Thresholds from here on mean that there has been no loss. */
const NO_LOSS_BYTES = 2 ** 30;

/** The names that a block may use. */
export const isMember = (name: string): boolean => Object.hasOwn(MEMBERS, ALIASES[name] ?? name);

/** The value of a member. */
export const memberOf = (info: TcpInfo, name: string): number => MEMBERS[ALIASES[name] ?? name]!(info);

function options(info: TcpInfo): number {
  const bits = (info.timestamps ? 'TCPI_OPT_TIMESTAMPS ' : '') + (info.sack ? 'TCPI_OPT_SACK ' : '');
  const scaled = info.sendScale > 0 || info.receiveScale > 0 ? 'TCPI_OPT_WSCALE' : '';
  return `${bits}${scaled}`
    .trim()
    .split(' ')
    .reduce((sum, name) => sum | (CODE_CONSTANTS[name] ?? 0), 0);
}

function threshold({ ssthresh, sendMss }: TcpInfo): number {
  return ssthresh >= NO_LOSS_BYTES ? CODE_CONSTANTS['TCP_INFINITE_SSTHRESH']! : Math.floor(ssthresh / sendMss);
}
