/** Connections and listeners as lines of the table of sockets. */
import type { SocketRow } from './socket-row.ts';
import type { StreamConnection, StreamListener } from './stream-protocol.ts';
import type { TcpInfo } from './tcp/user.ts';

export function listenerRow({ local, pendingCount, backlog }: StreamListener): SocketRow {
  return {
    netid: 'tcp',
    state: 'LISTEN',
    recvQ: pendingCount,
    sendQ: backlog,
    local,
    peer: { address: 0, port: 0 },
    info: '',
  };
}

export function connectionRow(connection: StreamConnection): SocketRow {
  const { local, remote, readableBytes, state } = connection;
  const info = connection.info();
  const sendQ = info.unacked + info.unsent;
  const text = state === 'TIME-WAIT' || state === 'CLOSED' ? '' : infoText(info);
  return { netid: 'tcp', state, recvQ: readableBytes, sendQ, local, peer: remote, info: text };
}

/** In the words of `ss -i`; times in milliseconds. Congestion window and threshold count bytes here. */
function infoText(info: TcpInfo): string {
  const words = [info.congestion, `rto:${milliseconds(info.rtoNs)}`];
  if (info.srttNs > 0) words.push(`rtt:${milliseconds(info.srttNs)}/${milliseconds(info.rttvarNs)}`);
  words.push(`mss:${info.sendMss}`, `cwnd:${info.cwnd}`);
  if (Number.isFinite(info.ssthresh) && info.retransmits > 0) words.push(`ssthresh:${info.ssthresh}`);
  words.push(`snd_wnd:${info.sendWindow}`, `rcv_wnd:${info.receiveWindow}`);
  if (info.retransmits > 0) words.push(`retrans:${info.retransmits}`);
  if (info.backoff > 0) words.push(`backoff:${info.backoff}`);
  return words.join(' ');
}

const milliseconds = (ns: number): string => String(Math.round(ns / 1000) / 1000);
