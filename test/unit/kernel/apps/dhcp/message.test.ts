/** DHCP messages to the octet: RFC 2131 section 2, RFC 2132, RFC 3396. */
import { describe, expect, test } from 'vitest';
import { parseMessage } from '../../../../../kernel/apps/dhcp/message-reader.ts';
import { emitMessage } from '../../../../../kernel/apps/dhcp/message-writer.ts';
import { addressesOf, textOf, typeOf, wordOf } from '../../../../../kernel/apps/dhcp/options.ts';
import { bytesFromHex, hexBytes, parseIpv4 } from '../../../../../src/lib/bytes.ts';
import { dhcpMessage } from '../../../../support/dhcp.ts';

const HEADER_BYTES = 240;
const SNAME_AT = 44;
const FILE_AT = 108;

/** A message with these octets for options, and in the fields that may hold more of them. */
function received(options: string, file = '', sname = ''): ReturnType<typeof parseMessage> {
  const bytes = new Uint8Array(HEADER_BYTES + options.replaceAll(' ', '').length / 2);
  bytes.set(emitMessage(dhcpMessage('DHCPOFFER')).subarray(0, HEADER_BYTES));
  bytes.set(bytesFromHex(options), HEADER_BYTES);
  bytes.set(bytesFromHex(file), FILE_AT);
  bytes.set(bytesFromHex(sname), SNAME_AT);
  return parseMessage(bytes);
}

describe('a DHCP message', () => {
  test('has the fields of RFC 2131 figure 1, and is no shorter than one of BOOTP', () => {
    const message = dhcpMessage('DHCPREQUEST', [[50, '192.0.2.100']], {
      secs: 7,
      broadcast: true,
      ciaddr: parseIpv4('192.0.2.1'),
      yiaddr: parseIpv4('192.0.2.2'),
      siaddr: parseIpv4('192.0.2.3'),
      giaddr: parseIpv4('192.0.2.4'),
    });
    const bytes = emitMessage(message);
    expect(hexBytes(bytes.subarray(0, 44), '')).toBe(
      '01010600' + '12345678' + '00078000' + 'c0000201c0000202c0000203c0000204' + '52540000000200000000000000000000',
    );
    expect(bytes.subarray(44, 236).every(octet => octet === 0)).toBe(true);
    expect(hexBytes(bytes.subarray(236, 250), '')).toBe('63825363' + '350103' + '3204c0000264' + 'ff');
    expect(bytes).toHaveLength(300);
    expect(parseMessage(bytes)).toEqual(message);
  });

  test.each([
    ['the magic cookie', 236, 0],
    ['a known operation', 0, 3],
    ['a hardware address of Ethernet', 1, 6],
    ['a hardware address of six octets', 2, 16],
  ])('is none without %s', (_, at, value) => {
    const bytes = emitMessage(dhcpMessage('DHCPDISCOVER'));
    bytes[at] = value;
    expect(parseMessage(bytes)).toBeNull();
    expect(parseMessage(bytes.subarray(0, 239))).toBeNull();
  });

  test('may have pads between options, and none after the end counts (RFC 2132 3.1, 3.2)', () => {
    const options = received('00 00 350102 00 3604c0000201 ff 3304ffffffff')!.options;
    expect([...options.keys()]).toEqual([53, 54]);
  });

  test('may have an option of length 0, and no end', () => {
    expect([...received('500c 000000000000000000000000 5000 350102')!.options]).toEqual([
      [0x50, new Uint8Array(12)],
      [53, Uint8Array.of(2)],
    ]);
  });

  test.each(['350102 36', '350102 3604c00002', '350102 36ffc0000201'])(
    'counts up to an option that is longer than what there is: %s',
    options => {
      expect([...received(options)!.options.keys()]).toEqual([53]);
    },
  );

  test.each([
    ['file', '340101', [53, 54]],
    ['sname', '340102', [53, 51]],
    ['both, file first', '340103', [53, 54, 51]],
  ])('has further options in %s if the overload option says so (RFC 2132 9.3)', (_, overload, codes) => {
    const { options } = received(`350102 ${overload} ff`, '3604c0000201 ff', '3304000000ff ff')!;
    expect([...options.keys()]).toEqual(codes);
  });

  test('has the pieces of an option joined, across fields too (RFC 3396 5)', () => {
    const { options } = received('350102 340101 0f03 61622e ff', '0f03 636465 0f02 6667 ff')!;
    expect(textOf(options, 15)).toBe('ab.cdefg');
  });

  test('has an option of more than 255 octets in pieces (RFC 3396 4)', () => {
    const long = Uint8Array.from({ length: 260 }, (_, i) => i);
    const bytes = emitMessage(dhcpMessage('DHCPOFFER', [[200, long]]), 1000);
    expect([bytes[244], bytes[244 + 257]]).toEqual([255, 5]);
    expect(parseMessage(bytes)!.options.get(200)).toEqual(long);
  });

  test('leaves out the options for which there is no room, and still ends', () => {
    const pairs = Array.from({ length: 40 }, (_, i) => [100 + i, new Uint8Array(20)] as const);
    const bytes = emitMessage(dhcpMessage('DHCPOFFER', pairs));
    expect(bytes.length).toBeLessThanOrEqual(548);
    expect(bytes.at(-1)).toBe(255);
    const { options } = parseMessage(bytes)!;
    expect([...options.keys()]).toEqual([53, ...pairs.slice(0, options.size - 1).map(([code]) => code)]);
    expect(options.size).toBe(14);
  });
});

describe('an option of another length than its own counts as none', () => {
  const { options } = received('35020203 3303000001 0303c00002 0308c0000201c0000202')!;
  test('the type of the message', () => expect(typeOf(options)).toBeNull());
  test('a number', () => expect(wordOf(options, 51)).toBeNull());
  test('a list of addresses', () => {
    expect(addressesOf(options, 3)).toEqual([]);
    expect(addressesOf(received('0308c0000201c0000202')!.options, 3)).toHaveLength(2);
  });
  test('a type that nobody knows', () => expect(typeOf(received('350163')!.options)).toBeNull());
});

test('text may end in zeros (RFC 2132 2)', () => {
  expect(textOf(received('0c05 616263 0000')!.options, 12)).toBe('abc');
  expect(textOf(new Map(), 12)).toBe('');
});
