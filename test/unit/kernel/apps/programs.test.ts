import { beforeEach, describe, expect, test } from 'vitest';
import { type PingReport, ping } from '../../../../kernel/apps/ping.ts';
import { type UdpClientReport, udpClient } from '../../../../kernel/apps/udp-client.ts';
import { udpEcho } from '../../../../kernel/apps/udp-echo.ts';
import { parseIpv4 } from '../../../../src/lib/bytes.ts';
import { HOST, NetRig, PEER, SECOND_NS } from '../../../support/net-rig.ts';
import { icmp, type UdpFields, udp } from '../../../support/packets.ts';

const MS = 1_000_000;

let rig: NetRig;
beforeEach(() => {
  rig = new NetRig();
  rig.introducePeer();
});

describe('ping', () => {
  let reports: PingReport[];
  beforeEach(() => {
    reports = [];
  });
  const start = (options: Parameters<typeof ping>[1], to = PEER) =>
    rig.spawn(
      'ping',
      ping(parseIpv4(to), options, report => reports.push(report)),
    );

  /** The peer answers the request that was sent. */
  function answer(): void {
    const request = rig.sent();
    const message = request.subarray(34);
    expect(message[0]).toBe(8);
    const word = message[4]! * 2 ** 24 + message[5]! * 2 ** 16 + message[6]! * 2 ** 8 + message[7]!;
    rig.injectIpv4({ protocol: 1, payload: icmp({ type: 0, word, data: message.subarray(8) }), ttl: 61 });
  }

  test('reports the round trip time, length and time to live of each reply', () => {
    const task = start({ count: 2, intervalNs: SECOND_NS, payloadBytes: 32 });
    rig.advance(3 * MS);
    answer();
    rig.advance(SECOND_NS - 3 * MS - 100);
    rig.expectNothing();
    rig.advance(100);
    rig.advance(5 * MS);
    answer();
    const common = { kind: 'reply', address: parseIpv4(PEER), ttl: 61, lengthBytes: 40 };
    expect(reports).toEqual([
      { ...common, sequence: 1, rttNs: 3 * MS },
      { ...common, sequence: 2, rttNs: 5 * MS },
    ]);
    expect(task.error).toBeNull();
    expect(rig.net.sockets.list()).toEqual([]);
    rig.expectNoLeak();
  });

  test('reports a time-out, and does not take the late reply for the next one', () => {
    start({ count: 2, intervalNs: SECOND_NS, timeoutNs: SECOND_NS / 2 });
    const late = rig.sent();
    rig.advance(SECOND_NS);
    expect(reports).toEqual([{ kind: 'timeout', sequence: 1 }]);
    rig.driver.sent.unshift(late);
    answer();
    expect(reports.length).toBe(1);
    rig.advance(1 * MS);
    answer();
    expect(reports[1]).toMatchObject({ kind: 'reply', sequence: 2, rttNs: 1 * MS });
  });

  test('reports that nobody answers ARP', () => {
    start({ count: 1, timeoutNs: 10 * SECOND_NS }, '192.0.2.99');
    rig.advance(3 * SECOND_NS);
    expect(reports).toMatchObject([{ kind: 'error', sequence: 1, error: { code: 'EHOSTUNREACH' } }]);
  });

  test('reports that there is no route, once for each request', () => {
    rig = new NetRig({ interfaces: [] });
    start({ count: 2, intervalNs: MS });
    rig.advance(MS);
    expect(reports).toMatchObject([
      { kind: 'error', sequence: 1, error: { code: 'ENETUNREACH' } },
      { kind: 'error', sequence: 2, error: { code: 'ENETUNREACH' } },
    ]);
  });

  test('of the host itself needs no wire', () => {
    start({ count: 3, intervalNs: MS }, HOST);
    rig.advance(2 * MS);
    expect(reports.map(report => report.kind)).toEqual(['reply', 'reply', 'reply']);
    rig.expectNothing();
  });
});

describe('the UDP echo server', () => {
  const PORTS = { source: PEER, destination: HOST, sourcePort: 4000, destinationPort: 7 };

  test('sends every datagram back to where it came from', () => {
    rig.spawn('echo', udpEcho());
    for (const data of [[1, 2, 3], [], [4]]) {
      rig.injectIpv4({ protocol: 17, payload: udp({ ...PORTS, data }) });
      const back: UdpFields = { source: HOST, destination: PEER, sourcePort: 7, destinationPort: 4000, data };
      rig.expectSentIpv4({ protocol: 17, payload: udp(back) });
    }
    rig.expectNoLeak();
  });

  test('goes on when an answer cannot be sent', () => {
    const task = rig.spawn('echo', udpEcho());
    rig.injectIpv4({ protocol: 17, payload: udp({ ...PORTS, sourcePort: 0, data: [1] }) });
    rig.expectNothing();
    expect(task.error).toBeNull();
    rig.injectIpv4({ protocol: 17, payload: udp({ ...PORTS, data: [1] }) });
    rig.sent();
  });
});

describe('the UDP client', () => {
  let reports: UdpClientReport[];
  beforeEach(() => {
    reports = [];
  });
  const start = (options: Parameters<typeof udpClient>[2], to = HOST) =>
    rig.spawn(
      'client',
      udpClient(parseIpv4(to), 7, options, report => reports.push(report)),
    );

  test('exchanges datagrams with the echo server', () => {
    rig.spawn('echo', udpEcho());
    start({ count: 3, payloadBytes: 1472 });
    expect(reports).toEqual([1, 2, 3].map(sequence => ({ kind: 'answer', sequence, rttNs: 0, intact: true })));
    rig.expectNoLeak();
  });

  test('reports a datagram that came back changed, and one that did not come back', () => {
    start({ count: 2, payloadBytes: 5, timeoutNs: SECOND_NS }, PEER);
    const [, , ...sent] = rig.sent().subarray(34);
    const sourcePort = rig.net.sockets.list()[0]!.getsockname().port;
    const data = sent.slice(6);
    data[4]! ^= 1;
    rig.injectIpv4({
      protocol: 17,
      payload: udp({ source: PEER, destination: HOST, sourcePort: 7, destinationPort: sourcePort, data }),
    });
    rig.advance(SECOND_NS);
    expect(reports).toEqual([
      { kind: 'answer', sequence: 1, rttNs: 0, intact: false },
      { kind: 'timeout', sequence: 2 },
    ]);
  });

  test('reports that the port is closed', () => {
    start({ count: 1 });
    rig.settle();
    expect(reports).toMatchObject([{ kind: 'error', sequence: 1, error: { code: 'ECONNREFUSED' } }]);
  });
});
