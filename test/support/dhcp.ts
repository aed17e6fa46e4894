/** DHCP messages for tests: what a client and a server say when there is nothing special. */
import type { DhcpMessage, DhcpMessageType } from '../../kernel/apps/dhcp/message.ts';
import { typeOption, wordsOption } from '../../kernel/apps/dhcp/options.ts';
import { parseIpv4, parseMac } from '../../src/lib/bytes.ts';

const CLIENT_MAC = '52:54:00:00:00:02';

/** Options by their codes: `[50, '192.0.2.100']`, or octets. */
type OptionPairs = readonly (readonly [number, string | Uint8Array])[];

export function dhcpMessage(
  type: DhcpMessageType,
  pairs: OptionPairs = [],
  fields: Partial<DhcpMessage> = {},
): DhcpMessage {
  const options = new Map<number, Uint8Array>([[53, typeOption(type)]]);
  for (const [code, value] of pairs) {
    options.set(code, typeof value === 'string' ? wordsOption(...value.split(' ').map(parseIpv4)) : value);
  }
  return {
    op: 'BOOTREQUEST',
    xid: 0x1234_5678,
    secs: 0,
    broadcast: false,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: 0,
    chaddr: parseMac(CLIENT_MAC),
    options,
    ...fields,
  };
}
