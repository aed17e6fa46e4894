import { describe, expect, test } from 'vitest';
import {
  ALICE,
  BOB,
  FLAGS,
  HOP,
  NatRig,
  OTHER_SERVER,
  PUBLIC,
  SERVER,
  tcpPacket,
} from '../../../../support/nat-rig.ts';

const { FIN, SYN, RST, ACK } = FLAGS;
const client = `${ALICE}:4000`;
const mapped = `${PUBLIC}:4000`;
const server = `${SERVER}:80`;
const HOURS_2_MINUTES_4 = 7440;

function out(rig: NatRig, flags: number, from = client, to = server): void {
  rig.fromInside(tcpPacket(from, to, flags));
}

function back(rig: NatRig, flags: number, from = server, to = mapped): void {
  rig.fromOutside(tcpPacket(from, to, flags));
}

/** What Alice sends goes out, and what the server sends comes in. */
function passesOut(rig: NatRig, flags: number): void {
  out(rig, flags);
  rig.expectOutside(tcpPacket(mapped, server, flags, [], HOP));
}

function passesIn(rig: NatRig, flags: number): void {
  back(rig, flags);
  rig.expectInside(tcpPacket(server, client, flags, [], HOP));
}

function established(rig = new NatRig()): NatRig {
  passesOut(rig, SYN);
  passesIn(rig, SYN | ACK);
  passesOut(rig, ACK);
  return rig;
}

const stateOf = (rig: NatRig): string | undefined => rig.nat.table()[0]?.state;

describe('a connection', () => {
  test('NAT-1 keeps its port for all remotes (5382 REQ-1)', () => {
    const rig = established();
    out(rig, SYN, client, `${OTHER_SERVER}:443`);
    rig.expectOutside(tcpPacket(mapped, `${OTHER_SERVER}:443`, SYN, [], HOP));
    expect(rig.rows()).toHaveLength(1);
    expect(rig.nat.table()[0]!.sessions).toHaveLength(2);
  });

  test('NAT-5 that is established is kept for 2 h 4 min without a segment (5382 REQ-5)', () => {
    const rig = established();
    rig.wait(HOURS_2_MINUTES_4 - 1);
    passesIn(rig, ACK);
    rig.wait(HOURS_2_MINUTES_4 - 1);
    expect(stateOf(rig)).toBe('ESTABLISHED');
    rig.wait(1.1);
    expect(rig.rows()).toEqual([]);
    out(rig, ACK);
    rig.expectNothing();
    expect(rig.net.drops.counts['NAT sees no connection']).toBe(1);
    rig.expectNoLeak();
  });

  test('NAT-5 that is being opened is kept for four minutes', () => {
    const rig = new NatRig();
    passesOut(rig, SYN);
    rig.wait(239);
    expect(stateOf(rig)).toBe('INSIDE INIT');
    rig.wait(1.1);
    expect(rig.rows()).toEqual([]);
  });

  test('NAT-5 that both have closed is kept for four minutes, as TIME-WAIT needs it', () => {
    const rig = established();
    passesOut(rig, FIN | ACK);
    expect(stateOf(rig)).toBe('INSIDE FIN');
    passesIn(rig, FIN | ACK);
    expect(stateOf(rig)).toBe('BOTH FINS');
    rig.wait(239);
    passesOut(rig, ACK);
    rig.wait(1.1);
    expect(rig.rows()).toEqual([]);
  });

  test('NAT-5 that one has closed lives as long as an established one: the other may send on', () => {
    const rig = established();
    passesIn(rig, FIN | ACK);
    expect(stateOf(rig)).toBe('OUTSIDE FIN');
    rig.wait(HOURS_2_MINUTES_4 - 1);
    passesOut(rig, ACK);
  });

  test('NAT-5 that was reset is kept for four minutes, and any other segment brings it back', () => {
    const rig = established();
    passesIn(rig, RST);
    expect(stateOf(rig)).toBe('TRANSITORY');
    rig.wait(239);
    passesOut(rig, ACK);
    expect(stateOf(rig)).toBe('ESTABLISHED');
    passesOut(rig, RST);
    rig.wait(240.1);
    expect(rig.rows()).toEqual([]);
  });

  test('NAT-5 that is opened anew from the same port while the old one ages does not end with it', () => {
    const rig = established();
    passesOut(rig, FIN | ACK);
    passesIn(rig, FIN | ACK);
    rig.wait(200);
    passesOut(rig, SYN);
    passesIn(rig, SYN | ACK);
    rig.wait(300);
    passesOut(rig, ACK);
    expect(stateOf(rig)).toBe('ESTABLISHED');
  });

  test('NAT-7 may be opened from both sides at once (5382 REQ-2)', () => {
    const rig = new NatRig({ filtering: 'address-and-port-dependent' });
    passesOut(rig, SYN);
    passesIn(rig, SYN);
    passesOut(rig, SYN | ACK);
    passesIn(rig, SYN | ACK);
    expect(stateOf(rig)).toBe('ESTABLISHED');
  });

  test('NAT-7 segments of none are dropped, whichever way they go', () => {
    const rig = new NatRig();
    for (const flags of [ACK, SYN | ACK, FIN | ACK, RST, 0]) out(rig, flags);
    expect(rig.net.drops.counts['NAT sees no connection']).toBe(5);
    passesOut(rig, SYN);
    for (const flags of [ACK, SYN | ACK, FIN | ACK, RST, 0]) back(rig, flags, `${OTHER_SERVER}:80`);
    for (const flags of [ACK, SYN | ACK, FIN | ACK, RST, 0]) back(rig, flags, server, `${PUBLIC}:4001`);
    rig.expectNothing();
    expect(rig.net.drops.counts['NAT sees no connection']).toBe(10);
    expect(rig.net.drops.counts['NAT has no mapping']).toBe(5);
    rig.expectNoLeak();
  });

  test('NAT-2 from outside is let in by a mapping that is endpoint-independent (5382 REQ-3)', () => {
    const rig = new NatRig();
    passesOut(rig, SYN);
    back(rig, SYN, `${OTHER_SERVER}:5000`);
    rig.expectInside(tcpPacket(`${OTHER_SERVER}:5000`, client, SYN, [], HOP));
    out(rig, SYN | ACK, client, `${OTHER_SERVER}:5000`);
    rig.expectOutside(tcpPacket(mapped, `${OTHER_SERVER}:5000`, SYN | ACK, [], HOP));
    expect(rig.nat.table()[0]!.sessions.map(({ state }) => state)).toEqual(['ESTABLISHED', 'INSIDE INIT']);
  });

  test.each([
    ['address-dependent', [`${SERVER}:9`]],
    ['address-and-port-dependent', []],
  ] as const)('NAT-2 from outside is let in by a mapping that is %s only from %j', (filtering, admitted) => {
    const rig = established(new NatRig({ filtering }));
    for (const from of [`${SERVER}:9`, `${OTHER_SERVER}:9`]) {
      back(rig, SYN, from);
      if ((admitted as readonly string[]).includes(from)) rig.expectInside(tcpPacket(from, client, SYN, [], HOP));
      rig.expectNothing();
    }
  });
});

describe('a SYN that nobody asked for', () => {
  test('NAT-8 is answered after six seconds, not before, with 3/3 (5382 REQ-4)', () => {
    const rig = new NatRig();
    back(rig, SYN);
    rig.wait(5.9);
    rig.expectNothing();
    rig.expectNoLeak();
    rig.wait(0.2);
    const error = rig.sentOutside();
    expect(error.subarray(9, 22)).toEqual(
      Uint8Array.of(1, ...error.subarray(10, 12), 203, 0, 113, 1, 198, 51, 100, 7, 3, 3),
    );
    expect(error.subarray(28)).toEqual(tcpPacket(server, mapped, SYN));
    rig.expectNothing();
    rig.expectNoLeak();
  });

  test('NAT-8 is forgotten when the inside sends one for the same connection meanwhile', () => {
    const rig = new NatRig();
    back(rig, SYN);
    rig.wait(3);
    passesOut(rig, SYN);
    rig.wait(10);
    rig.expectNothing();
    expect(rig.nat.statistics()['synsMatched']).toBe(1);
  });

  test('NAT-8 is answered once, however often it is sent, and each by itself', () => {
    const rig = new NatRig();
    back(rig, SYN);
    rig.wait(1);
    back(rig, SYN);
    back(rig, SYN, `${SERVER}:81`);
    rig.wait(5.1);
    rig.sentOutside();
    rig.expectNothing();
    rig.wait(1);
    rig.sentOutside();
    rig.wait(60);
    rig.expectNothing();
  });

  test('NAT-8 waits too where a mapping filters it', () => {
    const rig = established(new NatRig({ filtering: 'address-and-port-dependent' }));
    back(rig, SYN, `${OTHER_SERVER}:80`);
    rig.expectNothing();
    rig.wait(6.1);
    expect(rig.sentOutside().subarray(20, 22)).toEqual(Uint8Array.of(3, 3));
  });

  test('NAT-8 no more than 256 wait: others are dropped in silence', () => {
    const rig = new NatRig();
    for (let port = 1; port <= 300; port++) back(rig, SYN, `${SERVER}:${port}`);
    expect(rig.nat.statistics()['synsHeld']).toBe(256);
    rig.expectNoLeak();
  });
});

test('two hosts inside talk to one server from the same port', () => {
  const rig = established();
  out(rig, SYN, `${BOB}:4000`);
  const { source } = rig.nextOutside();
  expect(source).not.toBe(mapped);
  back(rig, SYN | ACK, server, source);
  rig.expectInside(tcpPacket(server, `${BOB}:4000`, SYN | ACK, [], HOP));
  passesIn(rig, ACK);
});
