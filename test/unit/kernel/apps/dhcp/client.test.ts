/** A DHCP client as the servers on the wire see it: RFC 2131 section 4.4, with the probe of RFC 5227. */
import { beforeEach, describe, expect, test } from 'vitest';
import { DhcpClient } from '../../../../../kernel/apps/dhcp/client.ts';
import type { DhcpMessage, DhcpMessageType } from '../../../../../kernel/apps/dhcp/message.ts';
import { parseMessage } from '../../../../../kernel/apps/dhcp/message-reader.ts';
import { emitMessage } from '../../../../../kernel/apps/dhcp/message-writer.ts';
import { typeOf, typeOption, wordOf, wordsOption } from '../../../../../kernel/apps/dhcp/options.ts';
import { formatRoute } from '../../../../../kernel/net/route.ts';
import type { Task } from '../../../../../kernel/task.ts';
import { formatIpv4, parseIpv4, readBe16, readBe32 } from '../../../../../src/lib/bytes.ts';
import { BROADCAST_MAC, HOST_MAC, NetRig, SECOND_NS } from '../../../../support/net-rig.ts';
import { arpFrame, udp } from '../../../../support/packets.ts';

const SERVER = '192.0.2.254';
const ADDRESS = '192.0.2.100';
const EVERYBODY = '255.255.255.255';
const LEASE_SECONDS = 1000;
/** Link up, 1 to 10 s of waiting; and 4 to 7 s of probing. */
const START_NS = 10 * SECOND_NS;
const PROBING_NS = 7 * SECOND_NS;

let rig: NetRig;
let client: DhcpClient;
let task: Task;
beforeEach(() => {
  rig = new NetRig({ interfaces: [] });
  client = new DhcpClient();
  task = rig.spawn('dhcp', client.program);
});

interface Heard {
  readonly message: DhcpMessage;
  readonly type: DhcpMessageType | null;
  readonly source: string;
  readonly destination: string;
  readonly atNs: number;
}

/** Lets time pass until the client says something; ARP is its own matter. Null when it says nothing for so long. */
function nextWithin(ns: number): Heard | null {
  const untilNs = rig.nowNs() + ns;
  for (;;) {
    for (let octets = rig.driver.sent.shift(); octets !== undefined; octets = rig.driver.sent.shift()) {
      if (readBe16(octets, 12) === 0x0806) answerArp(octets);
      else if (octets[23] === 17 && readBe16(octets, 36) === 67) return heard(octets);
    }
    if (rig.nowNs() >= untilNs) return null;
    rig.advance(Math.max(0, Math.min(untilNs, rig.nextTimerNs()) - rig.nowNs()));
  }
}

/** The server's hardware address is known to who asks for it. */
function answerArp(octets: Uint8Array): void {
  const [sender, target] = [readBe32(octets, 28), readBe32(octets, 38)];
  if (target !== parseIpv4(SERVER) || sender === 0) return;
  rig.injectArp({ opcode: 2, sender: SERVER, target: formatIpv4(sender), targetMac: HOST_MAC }, HOST_MAC);
}

function heard(octets: Uint8Array): Heard {
  const message = parseMessage(octets.subarray(42))!;
  const [source, destination] = [formatIpv4(readBe32(octets, 26)), formatIpv4(readBe32(octets, 30))];
  return { message, type: typeOf(message.options), source, destination, atNs: rig.nowNs() };
}

function next(type: DhcpMessageType, withinNs = 100 * SECOND_NS): Heard {
  const found = nextWithin(withinNs);
  expect(found?.type).toBe(type);
  return found!;
}

interface Reply {
  readonly yiaddr?: string;
  readonly options?: readonly (readonly [number, Uint8Array | null])[];
  readonly fields?: Partial<DhcpMessage>;
  /** Where to; all, unless given. */
  readonly destination?: string;
}

/** The server says something. */
function say(type: DhcpMessageType, query: DhcpMessage, reply: Reply = {}): void {
  const options = new Map<number, Uint8Array>([
    [53, typeOption(type)],
    [54, wordsOption(parseIpv4(SERVER))],
    [51, wordsOption(LEASE_SECONDS)],
    [1, wordsOption(0xffff_ff00)],
    [3, wordsOption(parseIpv4('192.0.2.1'))],
    [6, wordsOption(parseIpv4('192.0.2.53'))],
  ]);
  for (const [code, value] of reply.options ?? []) {
    if (value === null) options.delete(code);
    else options.set(code, value);
  }
  const yiaddr = type === 'DHCPNAK' ? 0 : parseIpv4(reply.yiaddr ?? ADDRESS);
  const data = emitMessage({ ...query, op: 'BOOTREPLY', yiaddr, options, ...reply.fields });
  const destination = reply.destination ?? EVERYBODY;
  const payload = udp({ source: SERVER, destination, sourcePort: 67, destinationPort: 68, data });
  const to = destination === EVERYBODY ? BROADCAST_MAC : HOST_MAC;
  rig.injectIpv4({ source: SERVER, destination, protocol: 17, payload }, { to });
}

/** From INIT up to the acknowledgement. */
function acknowledged(reply: Reply = {}): DhcpMessage {
  say('DHCPOFFER', next('DHCPDISCOVER').message, reply);
  const request = next('DHCPREQUEST');
  say('DHCPACK', request.message, reply);
  return request.message;
}

/** From INIT to BOUND. Returns when it asked for the lease. */
function bound(reply: Reply = {}): number {
  say('DHCPOFFER', next('DHCPDISCOVER').message, reply);
  const { message, atNs } = next('DHCPREQUEST');
  say('DHCPACK', message, reply);
  expect(nextWithin(PROBING_NS)).toBeNull();
  expect(client.state).toBe('BOUND');
  return atNs;
}

const routes = (): string[] => rig.net.routes.list().map(route => formatRoute(route));
const hasAddress = (): string => formatIpv4(rig.iface.address);

describe('INIT', () => {
  test('waits a random time of 1 to 10 s before the first DHCPDISCOVER (4.4.1)', () => {
    expect(nextWithin(SECOND_NS - 100)).toBeNull();
    expect(client.state).toBe('INIT');
    next('DHCPDISCOVER', START_NS);
    expect(client.state).toBe('SELECTING');
  });

  test('waits for the link first', () => {
    rig = new NetRig({ interfaces: [] });
    rig.setLink(false);
    client = new DhcpClient();
    rig.spawn('dhcp', client.program);
    expect(nextWithin(60 * SECOND_NS)).toBeNull();
    rig.setLink(true);
    next('DHCPDISCOVER', START_NS);
  });

  test('sends from 0.0.0.0 to all, with its hardware address, and asks for broadcasts (4.1, table 5)', () => {
    const { message, source, destination } = next('DHCPDISCOVER');
    expect([source, destination]).toEqual(['0.0.0.0', EVERYBODY]);
    expect([message.op, message.ciaddr, message.broadcast]).toEqual(['BOOTREQUEST', 0, true]);
    expect([...message.options.keys()]).toEqual([53, 61, 55, 12]);
    expect(message.options.get(61)).toEqual(Uint8Array.of(1, ...message.chaddr));
    expect([...message.options.get(55)!]).toEqual(expect.arrayContaining([1, 3, 6, 15]));
  });
});

describe('SELECTING', () => {
  test('asks again after 4, 8, 16, 32, 64 and 64 s, one more or less, for ever (4.1)', () => {
    let last = next('DHCPDISCOVER');
    const { xid } = last.message;
    const begun = last.atNs;
    for (const seconds of [4, 8, 16, 32, 64, 64, 64]) {
      const again = next('DHCPDISCOVER');
      const waited = (again.atNs - last.atNs) / SECOND_NS;
      expect(Math.abs(waited - seconds)).toBeLessThanOrEqual(1);
      expect(waited).not.toBe(seconds);
      expect(again.message.xid).toBe(xid);
      expect(again.message.secs).toBe(Math.floor((again.atNs - begun) / SECOND_NS));
      last = again;
    }
  });

  test('takes the first offer: the request names the server and the address (4.3.2)', () => {
    const { message } = next('DHCPDISCOVER');
    say('DHCPOFFER', message);
    const { message: request, source, destination } = next('DHCPREQUEST', 0);
    expect([source, destination, request.ciaddr]).toEqual(['0.0.0.0', EVERYBODY, 0]);
    expect([54, 50].map(code => formatIpv4(wordOf(request.options, code)!))).toEqual([SERVER, ADDRESS]);
    expect(request.xid).toBe(message.xid);
    expect(client.state).toBe('REQUESTING');
    expect(client.lease).toBeNull();
  });

  test.each<[string, Reply]>([
    ['of another exchange', { fields: { xid: 1 } }],
    ['for another station', { fields: { chaddr: Uint8Array.of(2, 0, 0, 0, 0, 9) } }],
    ['that is a request', { fields: { op: 'BOOTREQUEST' } }],
    ['of no server', { options: [[54, null]] }],
    ['without a lease time', { options: [[51, null]] }],
    ['of no time', { options: [[51, wordsOption(0)]] }],
    ['with a mask that has holes', { options: [[1, wordsOption(0xff00_ff00)]] }],
    ['of 0.0.0.0', { yiaddr: '0.0.0.0' }],
    ['of 127.0.0.1', { yiaddr: '127.0.0.1' }],
    ['of a group', { yiaddr: '224.0.0.1' }],
  ])('passes over an offer %s', (_, reply) => {
    say('DHCPOFFER', next('DHCPDISCOVER').message, reply);
    expect(client.state).toBe('SELECTING');
    next('DHCPDISCOVER');
  });
});

describe('REQUESTING', () => {
  test('asks four times, for some 60 s, and begins anew (3.1, step 5)', () => {
    say('DHCPOFFER', next('DHCPDISCOVER').message);
    const times = [1, 2, 3, 4].map(() => next('DHCPREQUEST').atNs);
    const again = next('DHCPDISCOVER');
    const silenceNs = again.atNs - times[0]!;
    expect(silenceNs).toBeGreaterThan(56 * SECOND_NS + SECOND_NS);
    expect(silenceNs).toBeLessThan(64 * SECOND_NS + START_NS);
  });

  test('begins anew after a DHCPNAK (3.1, step 5)', () => {
    say('DHCPOFFER', next('DHCPDISCOVER').message);
    say('DHCPNAK', next('DHCPREQUEST').message);
    expect(client.state).toBe('INIT');
    next('DHCPDISCOVER', START_NS);
    expect(client.counters.naks).toBe(1);
  });

  test('probes the address before use, by ARP requests from nobody (4.4.1; RFC 5227 2.1.1)', () => {
    acknowledged();
    const probe = arpFrame({ opcode: 1, senderMac: HOST_MAC, sender: '0.0.0.0', target: ADDRESS }, BROADCAST_MAC);
    rig.advance(SECOND_NS);
    rig.expectSent(probe);
    expect([hasAddress(), client.lease]).toEqual(['0.0.0.0', null]);
    rig.advance(PROBING_NS);
    expect([hasAddress(), client.state]).toEqual([ADDRESS, 'BOUND']);
  });

  test('declines an address that somebody has, and begins anew after 10 s (3.1, step 5)', () => {
    acknowledged();
    rig.advance(SECOND_NS);
    rig.injectArp({ opcode: 2, sender: ADDRESS, target: '0.0.0.0' });
    const { message, source, destination, atNs } = next('DHCPDECLINE', 0);
    expect([source, destination, message.ciaddr]).toEqual(['0.0.0.0', EVERYBODY, 0]);
    expect([54, 50].map(code => formatIpv4(wordOf(message.options, code)!))).toEqual([SERVER, ADDRESS]);
    expect(next('DHCPDISCOVER').atNs - atNs).toBeGreaterThanOrEqual(11 * SECOND_NS);
    expect([client.counters.declines, rig.net.addressState(0)]).toEqual([1, 'none']);
  });

  test('gives the lease up if the link was down until its end', () => {
    acknowledged();
    rig.setLink(false);
    rig.advance(LEASE_SECONDS * SECOND_NS);
    expect(client.state).toBe('INIT');
    expect(rig.net.addressState(0)).toBe('none');
  });
});

describe('BOUND', () => {
  test('uses address, mask, router and name servers of the lease', () => {
    const askedNs = bound({ options: [[15, Uint8Array.of(97, 98)]] });
    expect(client.lease).toEqual({
      address: parseIpv4(ADDRESS),
      prefixLength: 24,
      router: parseIpv4('192.0.2.1'),
      dnsServers: [parseIpv4('192.0.2.53')],
      domainName: 'ab',
      server: parseIpv4(SERVER),
      leaseSeconds: LEASE_SECONDS,
      renewNs: askedNs + 500 * SECOND_NS,
      rebindNs: askedNs + 875 * SECOND_NS,
      untilNs: askedNs + 1000 * SECOND_NS,
    });
    expect(routes().some(route => route.startsWith('0.0.0.0/0 via 192.0.2.1'))).toBe(true);
    expect(rig.messages.some(text => text.includes('192.0.2.100/24 from 192.0.2.254 for 1000 s'))).toBe(true);
  });

  test('takes T1 and T2 from the server, if they are in order (4.4.5)', () => {
    const times = (t1: number, t2: number): Reply => ({
      options: [
        [58, wordsOption(t1)],
        [59, wordsOption(t2)],
      ],
    });
    const askedNs = bound(times(100, 200));
    expect([client.lease!.renewNs, client.lease!.rebindNs]).toEqual([100, 200].map(s => askedNs + s * SECOND_NS));
    say('DHCPACK', next('DHCPREQUEST').message, times(200, 100));
    expect(client.lease!.rebindNs - client.lease!.renewNs).toBe(375 * SECOND_NS);
  });

  test('does without a router that is not a neighbour, and without a mask', () => {
    bound({
      options: [
        [3, wordsOption(parseIpv4('203.0.113.1'))],
        [1, null],
      ],
    });
    expect([client.lease!.router, client.lease!.prefixLength]).toEqual([0, 24]);
  });

  test('declines when the address cannot be defended (RFC 5227 2.4)', () => {
    bound();
    for (let i = 0; i < 2; i++) rig.injectArp({ opcode: 2, sender: ADDRESS, target: '0.0.0.0' });
    next('DHCPDECLINE', 0);
    expect([client.lease, hasAddress()]).toEqual([null, '0.0.0.0']);
  });

  test('leaves nothing open', () => {
    bound();
    expect(rig.net.sockets.list()).toEqual([]);
    rig.expectNoLeak();
  });

  test('keeps a lease that never ends (3.3)', () => {
    bound({ options: [[51, wordsOption(0xffff_ffff)]] });
    expect(nextWithin(1e6 * SECOND_NS)).toBeNull();
  });
});

describe('RENEWING', () => {
  test('asks the server alone at T1, from the address (4.4.5)', () => {
    const askedNs = bound();
    const { message, source, destination, atNs } = next('DHCPREQUEST', 500 * SECOND_NS);
    expect(client.state).toBe('RENEWING');
    expect(Math.round((atNs - askedNs) / SECOND_NS)).toBe(500);
    expect([source, destination, formatIpv4(message.ciaddr)]).toEqual([ADDRESS, SERVER, ADDRESS]);
    expect([54, 50].map(code => message.options.has(code))).toEqual([false, false]);
    say('DHCPACK', message, { destination: ADDRESS });
    expect(client.state).toBe('BOUND');
    expect(client.lease!.untilNs).toBeGreaterThan(askedNs + 1400 * SECOND_NS);
    // The address is not probed again.
    expect([hasAddress(), rig.net.addressState(0)]).toEqual([ADDRESS, 'assigned']);
  });

  test('asks again after half of the time that is left to T2, and not before a minute (4.4.5)', () => {
    const askedNs = bound();
    const seconds: number[] = [];
    for (let i = 0; i < 4; i++) seconds.push((next('DHCPREQUEST', 1000 * SECOND_NS).atNs - askedNs) / SECOND_NS);
    expect(client.state).toBe('RENEWING');
    // Each time some seconds of waiting for an answer come first.
    for (const [i, mean] of [500, 690, 785, 850].entries()) expect(Math.abs(seconds[i]! - mean)).toBeLessThan(7);
  });

  test('takes another network from the server, and probes its new address', () => {
    bound();
    const { message } = next('DHCPREQUEST', 500 * SECOND_NS);
    say('DHCPACK', message, { destination: ADDRESS, options: [[1, wordsOption(0xffff_ff80)]] });
    expect(rig.net.addressState(0)).toBe('probing');
    rig.advance(PROBING_NS);
    expect(rig.iface.prefixLength).toBe(25);
  });

  test('gives the address up at once after a DHCPNAK (4.4.5)', () => {
    bound();
    say('DHCPNAK', next('DHCPREQUEST', 500 * SECOND_NS).message);
    expect([hasAddress(), client.lease, client.state]).toEqual(['0.0.0.0', null, 'INIT']);
    expect(routes().some(route => route.includes('192.0.2.'))).toBe(false);
  });
});

describe('REBINDING', () => {
  /** Every request without an answer, up to `untilNs`. */
  function requestsUntil(untilNs: number): Heard[] {
    const all: Heard[] = [];
    for (let each = nextWithin(untilNs - rig.nowNs()); each !== null; each = nextWithin(untilNs - rig.nowNs()))
      all.push(each);
    return all;
  }

  test('asks all servers at T2, and stops using the address when the lease has ended (4.4.5)', () => {
    const askedNs = bound();
    const requests = requestsUntil(askedNs + 1000 * SECOND_NS - 100);
    const rebinding = requests.filter(({ destination }) => destination === EVERYBODY);
    expect(Math.round((rebinding[0]!.atNs - askedNs) / SECOND_NS)).toBe(875);
    expect(rebinding.map(({ source }) => source)).toEqual(rebinding.map(() => ADDRESS));
    expect([hasAddress(), client.state]).toEqual([ADDRESS, 'REBINDING']);
    rig.advance(100);
    expect([hasAddress(), client.state, client.lease]).toEqual(['0.0.0.0', 'INIT', null]);
    next('DHCPDISCOVER', START_NS);
  });

  test('takes the lease of any server', () => {
    const askedNs = bound();
    requestsUntil(askedNs + 874 * SECOND_NS);
    const { message } = next('DHCPREQUEST', 2 * SECOND_NS);
    say('DHCPACK', message, { destination: ADDRESS, options: [[54, wordsOption(parseIpv4('192.0.2.253'))]] });
    expect([client.state, formatIpv4(client.lease!.server)]).toEqual(['BOUND', '192.0.2.253']);
  });
});

describe('a link that comes back', () => {
  beforeEach(() => {
    bound();
    rig.setLink(false);
    expect(hasAddress()).toBe('0.0.0.0');
    rig.advance(10 * SECOND_NS);
    rig.setLink(true);
  });

  test('has the client ask whether the address is still good (3.2; 4.4.2)', () => {
    const { message, source, destination } = next('DHCPREQUEST', 0);
    expect(client.state).toBe('REBOOTING');
    expect([source, destination, message.ciaddr]).toEqual(['0.0.0.0', EVERYBODY, 0]);
    expect([54, 50].map(code => wordOf(message.options, code))).toEqual([null, parseIpv4(ADDRESS)]);
    say('DHCPACK', message);
    rig.advance(PROBING_NS);
    expect([client.state, hasAddress()]).toEqual(['BOUND', ADDRESS]);
  });

  test('and begin anew when it is not', () => {
    say('DHCPNAK', next('DHCPREQUEST', 0).message);
    expect([client.state, rig.net.addressState(0)]).toEqual(['INIT', 'none']);
    next('DHCPDISCOVER', START_NS);
  });

  test('and use it on when nobody answers, as long as there is the lease (3.2, step 3)', () => {
    for (let i = 0; i < 4; i++) next('DHCPREQUEST');
    rig.advance(33 * SECOND_NS);
    expect([client.state, hasAddress()]).toEqual(['BOUND', ADDRESS]);
    expect(next('DHCPREQUEST', 500 * SECOND_NS).destination).toBe(SERVER);
  });
});

describe('a lease that is released', () => {
  const release = () => rig.spawn('release', sys => client.release(sys));

  test('is given back to the server, from the address, which is then used no more (4.4.6)', () => {
    bound();
    release();
    const { message, source, destination } = next('DHCPRELEASE', SECOND_NS);
    expect([source, destination, formatIpv4(message.ciaddr)]).toEqual([ADDRESS, SERVER, ADDRESS]);
    expect(wordOf(message.options, 54)).toBe(parseIpv4(SERVER));
    rig.advance(SECOND_NS);
    expect([client.state, client.lease, hasAddress()]).toEqual(['RELEASED', null, '0.0.0.0']);
    expect([task.ended, task.error]).toEqual([true, null]);
    expect(rig.net.sockets.list()).toEqual([]);
  });

  test('may be had again', () => {
    bound();
    release();
    rig.advance(2 * SECOND_NS);
    rig.driver.sent.length = 0;
    rig.spawn('dhcp', client.program);
    bound();
  });

  test('or was never had: the client asks no more', () => {
    next('DHCPDISCOVER');
    release();
    rig.advance(70 * SECOND_NS);
    expect(task.ended).toBe(true);
    rig.driver.sent.length = 0;
    expect(nextWithin(100 * SECOND_NS)).toBeNull();
  });
});

test('what comes to the client makes it neither fail nor stop', () => {
  const { message } = next('DHCPDISCOVER');
  const whole = emitMessage({ ...message, op: 'BOOTREPLY' });
  for (let length = 0; length < whole.length; length += 7) {
    const data = whole.subarray(0, length);
    const payload = udp({ source: SERVER, destination: EVERYBODY, sourcePort: 67, destinationPort: 68, data });
    rig.injectIpv4({ source: SERVER, destination: EVERYBODY, protocol: 17, payload }, { to: BROADCAST_MAC });
  }
  expect(task.error).toBeNull();
  next('DHCPDISCOVER');
});
