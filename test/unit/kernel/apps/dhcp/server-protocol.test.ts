/** What a DHCP server answers to each message, and what its table then has: RFC 2131 section 4.3. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { DhcpMessage } from '../../../../../kernel/apps/dhcp/message.ts';
import { addressesOf, textOf, typeOf, wordOf, wordsOption } from '../../../../../kernel/apps/dhcp/options.ts';
import { configOf, type DhcpServerOptions } from '../../../../../kernel/apps/dhcp/server-options.ts';
import { type DhcpAnswer, ServerProtocol } from '../../../../../kernel/apps/dhcp/server-protocol.ts';
import { formatIpv4, parseIpv4, parseMac } from '../../../../../src/lib/bytes.ts';
import { dhcpMessage } from '../../../../support/dhcp.ts';

const SERVER = '192.0.2.1';
const OWN = { address: parseIpv4(SERVER), prefixLength: 24 };
const SECOND_NS = 1_000_000_000;
const OPTIONS: DhcpServerOptions = {
  ranges: [['192.0.2.100', '192.0.2.101']],
  reservations: [{ mac: '52:54:00:00:00:99', address: '192.0.2.10' }],
  router: SERVER,
  dnsServers: ['192.0.2.53', '192.0.2.54'],
  domainName: 'example.net',
  leaseSeconds: 1000,
};

let server: ServerProtocol;
let nowNs: number;
beforeEach(() => {
  server = new ServerProtocol(configOf(OPTIONS));
  nowNs = 0;
});

const hear = (message: DhcpMessage): DhcpAnswer | null => server.answer(message, OWN, nowNs);
const from = (number: number): Partial<DhcpMessage> => ({ chaddr: parseMac(`52:54:00:00:00:0${number}`) });
const passSeconds = (seconds: number): void => {
  nowNs += seconds * SECOND_NS;
};
/** Type and address of an answer. */
const gist = (answer: DhcpAnswer | null) =>
  answer === null ? null : `${typeOf(answer.message.options)} ${formatIpv4(answer.message.yiaddr)}`;
const table = () => server.leases.rows(nowNs).map(({ address, state }) => `${address} ${state}`);

const discover = (fields = from(2), wish?: string) =>
  gist(hear(dhcpMessage('DHCPDISCOVER', wish === undefined ? [] : [[50, wish]], fields)));
const select = (address: string, fields = from(2), of = SERVER) =>
  gist(
    hear(
      dhcpMessage(
        'DHCPREQUEST',
        [
          [54, of],
          [50, address],
        ],
        fields,
      ),
    ),
  );
const reboot = (address: string, fields = from(2)) => gist(hear(dhcpMessage('DHCPREQUEST', [[50, address]], fields)));
const renew = (address: string, fields = from(2)) =>
  gist(hear(dhcpMessage('DHCPREQUEST', [], { ...fields, ciaddr: parseIpv4(address) })));

/** The client has 192.0.2.100. */
function bound(): void {
  discover();
  select('192.0.2.100');
}

describe('DHCPDISCOVER', () => {
  test('is answered with the offer of an address and all that goes with it (4.3.1, table 3)', () => {
    const query = dhcpMessage('DHCPDISCOVER', [[61, Uint8Array.of(1, 2, 3)]], { broadcast: true, secs: 3 });
    const { message, destination } = hear(query)!;
    const { options, ...fields } = message;
    expect(fields).toEqual({
      op: 'BOOTREPLY',
      xid: query.xid,
      secs: 0,
      broadcast: true,
      ciaddr: 0,
      yiaddr: parseIpv4('192.0.2.100'),
      siaddr: 0,
      giaddr: 0,
      chaddr: query.chaddr,
    });
    expect(formatIpv4(destination)).toBe('255.255.255.255');
    expect(typeOf(options)).toBe('DHCPOFFER');
    expect([51, 58, 59].map(code => wordOf(options, code))).toEqual([1000, 500, 875]);
    expect([54, 1, 3].map(code => formatIpv4(wordOf(options, code)!))).toEqual([SERVER, '255.255.255.0', SERVER]);
    expect(addressesOf(options, 6).map(formatIpv4)).toEqual(['192.0.2.53', '192.0.2.54']);
    expect(textOf(options, 15)).toBe('example.net');
    // RFC 6842.
    expect(options.get(61)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('is answered with the address that the client has, or had (4.3.1)', () => {
    bound();
    expect(discover()).toBe('DHCPOFFER 192.0.2.100');
    expect(table()).toEqual(['192.0.2.100 bound']);
    passSeconds(1000);
    expect(table()).toEqual(['192.0.2.100 free']);
    expect(discover(from(3))).toBe('DHCPOFFER 192.0.2.101');
    expect(discover()).toBe('DHCPOFFER 192.0.2.100');
  });

  test('is answered with the address that the client wishes, if that is to be had (4.3.1)', () => {
    expect(discover(from(2), '192.0.2.101')).toBe('DHCPOFFER 192.0.2.101');
    expect(discover(from(3), '192.0.2.101')).toBe('DHCPOFFER 192.0.2.100');
    passSeconds(100);
    expect(discover(from(4), '203.0.113.1')).toMatch(/^DHCPOFFER 192.0.2/);
    expect(discover(from(5), '192.0.2.10')).toMatch(/^DHCPOFFER 192.0.2.10[01]/);
  });

  test('is answered with the address that is reserved for the client, and for nobody else', () => {
    const owner = { chaddr: parseMac('52:54:00:00:00:99') };
    expect(discover(owner)).toBe('DHCPOFFER 192.0.2.10');
    expect(select('192.0.2.10', owner)).toBe('DHCPACK 192.0.2.10');
  });

  test('is not answered when no address is left, until an offer was not taken or a lease has ended', () => {
    bound();
    expect(discover(from(3))).toBe('DHCPOFFER 192.0.2.101');
    expect(discover(from(4))).toBeNull();
    passSeconds(60);
    expect(discover(from(4))).toBe('DHCPOFFER 192.0.2.101');
    expect(discover(from(5))).toBeNull();
    passSeconds(940);
    expect(select('192.0.2.101', from(4))).toBe('DHCPACK 192.0.2.101');
    expect(discover(from(5))).toBe('DHCPOFFER 192.0.2.100');
    // Its address is another one's now.
    expect(renew('192.0.2.100')).toBeNull();
  });

  test('gives away first what nobody had, then what nobody had for longest', () => {
    bound();
    passSeconds(1);
    discover(from(3));
    select('192.0.2.101', from(3));
    passSeconds(2000);
    expect(discover(from(4))).toBe('DHCPOFFER 192.0.2.100');
  });

  test('tells clients apart by their identifier, or else by their hardware address (4.2)', () => {
    const identified = (id: number, number: number) =>
      gist(hear(dhcpMessage('DHCPDISCOVER', [[61, Uint8Array.of(id)]], from(number))));
    expect(identified(1, 2)).toBe('DHCPOFFER 192.0.2.100');
    expect(identified(2, 2)).toBe('DHCPOFFER 192.0.2.101');
    expect(identified(1, 3)).toBe('DHCPOFFER 192.0.2.100');
  });

  test('may ask for a shorter lease, of a minute at least, and for no longer one', () => {
    const seconds = (wish: number) =>
      wordOf(hear(dhcpMessage('DHCPDISCOVER', [[51, wordsOption(wish)]]))!.message.options, 51);
    expect([0, 59, 61, 999, 1001, 0xffff_ffff].map(seconds)).toEqual([60, 60, 61, 999, 1000, 1000]);
  });
});

describe('DHCPREQUEST', () => {
  test("takes an offer: the address is the client's for the time of the lease (4.3.2, SELECTING)", () => {
    discover();
    expect(table()).toEqual(['192.0.2.100 offered']);
    expect(select('192.0.2.100')).toBe('DHCPACK 192.0.2.100');
    expect(server.leases.rows(nowNs)).toEqual([
      { address: '192.0.2.100', mac: '52:54:00:00:00:02', hostName: '', state: 'bound', leftNs: 1000 * SECOND_NS },
    ]);
  });

  test("that takes the offer of another server makes this one's void (3.1, step 4)", () => {
    discover();
    expect(select('203.0.113.7', from(2), '192.0.2.3')).toBeNull();
    expect(table()).toEqual(['192.0.2.100 free']);
  });

  test('for an address that was not offered is refused, in a broadcast (4.3.2)', () => {
    discover();
    const answer = hear(
      dhcpMessage('DHCPREQUEST', [
        [54, SERVER],
        [50, '192.0.2.101'],
      ]),
    )!;
    expect(gist(answer)).toBe('DHCPNAK 0.0.0.0');
    expect(formatIpv4(answer.destination)).toBe('255.255.255.255');
    expect([51, 1, 3].map(code => answer.message.options.has(code))).toEqual([false, false, false]);
  });

  test('of a client that comes back is acknowledged if the address is still its own (INIT-REBOOT)', () => {
    bound();
    expect(reboot('192.0.2.100')).toBe('DHCPACK 192.0.2.100');
  });

  test('of a client that comes back to another network is refused (INIT-REBOOT)', () => {
    expect(reboot('203.0.113.7')).toBe('DHCPNAK 0.0.0.0');
    bound();
    expect(reboot('192.0.2.101')).toBe('DHCPNAK 0.0.0.0');
  });

  test('of a client that nothing is known of is not answered (INIT-REBOOT)', () => {
    expect(reboot('192.0.2.100')).toBeNull();
  });

  test('gives more time, and is answered at the address of the client (RENEWING)', () => {
    bound();
    passSeconds(500);
    const answer = hear(dhcpMessage('DHCPREQUEST', [], { ciaddr: parseIpv4('192.0.2.100') }))!;
    expect(gist(answer)).toBe('DHCPACK 192.0.2.100');
    expect(formatIpv4(answer.destination)).toBe('192.0.2.100');
    expect(answer.message.ciaddr).toBe(parseIpv4('192.0.2.100'));
    passSeconds(999);
    expect(table()).toEqual(['192.0.2.100 bound']);
  });

  test('for more time of a client that nothing is known of is not answered (REBINDING)', () => {
    expect(renew('192.0.2.100')).toBeNull();
  });
});

describe('the table', () => {
  test('DHCPDECLINE: the address is given to nobody for ten minutes (4.3.3)', () => {
    bound();
    hear(
      dhcpMessage('DHCPDECLINE', [
        [54, SERVER],
        [50, '192.0.2.100'],
      ]),
    );
    expect(table()).toEqual(['192.0.2.100 in use elsewhere']);
    expect(discover()).toBe('DHCPOFFER 192.0.2.101');
    expect(discover(from(3))).toBeNull();
    passSeconds(600);
    expect([discover(from(3)), discover(from(4))]).toEqual(['DHCPOFFER 192.0.2.101', 'DHCPOFFER 192.0.2.100']);
  });

  test('DHCPDECLINE of somebody who does not have the address is nothing', () => {
    bound();
    hear(
      dhcpMessage(
        'DHCPDECLINE',
        [
          [54, SERVER],
          [50, '192.0.2.100'],
        ],
        from(3),
      ),
    );
    hear(
      dhcpMessage('DHCPDECLINE', [
        [54, '192.0.2.3'],
        [50, '192.0.2.100'],
      ]),
    );
    hear(dhcpMessage('DHCPDECLINE', [[54, SERVER]]));
    expect(table()).toEqual(['192.0.2.100 bound']);
  });

  test("DHCPRELEASE: the address is free, and the client's again if it comes soon (4.3.4)", () => {
    bound();
    const release = (number: number, address: string) =>
      hear(dhcpMessage('DHCPRELEASE', [[54, SERVER]], { ...from(number), ciaddr: parseIpv4(address) }));
    expect(release(3, '192.0.2.100')).toBeNull();
    expect(release(2, '192.0.2.101')).toBeNull();
    expect(table()).toEqual(['192.0.2.100 bound']);
    release(2, '192.0.2.100');
    expect(table()).toEqual(['192.0.2.100 free']);
    expect(discover()).toBe('DHCPOFFER 192.0.2.100');
  });

  test("DHCPINFORM: all but an address is told, to the client's own (4.3.5)", () => {
    const { message, destination } = hear(dhcpMessage('DHCPINFORM', [], { ciaddr: parseIpv4('192.0.2.7') }))!;
    expect([typeOf(message.options), message.yiaddr]).toEqual(['DHCPACK', 0]);
    expect([51, 58, 59].some(code => message.options.has(code))).toBe(false);
    expect(addressesOf(message.options, 6)).toHaveLength(2);
    expect(formatIpv4(destination)).toBe('192.0.2.7');
    expect(table()).toEqual([]);
  });

  test('has the names of hosts, with nothing in them that a terminal would obey', () => {
    hear(dhcpMessage('DHCPDISCOVER', [[12, Uint8Array.of(97, 27, 91, 98)]]));
    expect(server.leases.rows(nowNs)[0]?.hostName).toBe('a?[b');
  });

  test('has a lease that never ends (3.3)', () => {
    server = new ServerProtocol(configOf({ ...OPTIONS, leaseSeconds: 0xffff_ffff }));
    bound();
    passSeconds(1e9);
    expect(table()).toEqual(['192.0.2.100 bound']);
    const { options } = hear(dhcpMessage('DHCPDISCOVER'))!.message;
    expect([58, 59].some(code => options.has(code))).toBe(false);
  });
});

test('what servers and BOOTP clients say is not answered', () => {
  for (const type of ['DHCPOFFER', 'DHCPACK', 'DHCPNAK'] as const) expect(hear(dhcpMessage(type))).toBeNull();
  expect(hear({ ...dhcpMessage('DHCPDISCOVER'), options: new Map() })).toBeNull();
});

test.each<[Partial<DhcpServerOptions>, RegExp]>([
  [{ ranges: [['192.0.2.9', '192.0.2.8']] }, /no range/],
  [{ ranges: [['192.0.2', '192.0.2.8']] }, /not an IPv4 address/],
  [{ ranges: [['10.0.0.0', '10.1.0.0']] }, /more than 65536/],
  [{ reservations: [{ mac: '52:54', address: '192.0.2.8' }] }, /not a MAC address/],
  [{ reservations: [1, 2].map(i => ({ mac: `52:54:00:00:00:0${i}`, address: '192.0.2.8' })) }, /reserved twice/],
  [{ dnsServers: new Array(5).fill('192.0.2.1') }, /more than 4 name servers/],
  [{ domainName: 'a..b' }, /no name/],
  [{ leaseSeconds: 0 }, /leases of 0 s/],
])('%j makes no server', (options, message) => {
  expect(() => configOf({ ...OPTIONS, ...options })).toThrow(message);
});
