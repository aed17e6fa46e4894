/** Packet lines: what is printed is read again as the same; and no text whatever makes the reader do worse than complain. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PacketLine, packetText, type TcpOption } from '../../../../src/drill/packet-line.ts';
import { parseScript } from '../../../../src/drill/parser.ts';
import { runScript } from '../../../../src/drill/runner.ts';
import { DEFAULT_SETTINGS } from '../../../../src/drill/settings.ts';

const ACK = 0x10;
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const half = fc.integer({ min: 0, max: 65_535 });
const octet = fc.integer({ min: 0, max: 255 });
const length = fc.integer({ min: 0, max: 1_000_000 });
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });

const ip = fc.record({ ecn: orNull(fc.integer({ min: 0, max: 3 })), tos: orNull(octet), ttl: orNull(octet) });
const endpoint = fc.record({ address: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 32 - 1 })), port: half });
const base = {
  direction: fc.constantFrom<'in' | 'out'>('in', 'out'),
  ip,
  endpoints: orNull(fc.tuple(endpoint, endpoint)),
};

const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.record({ kind: fc.constant('mss' as const), value: half }),
  fc.record({ kind: fc.constant('wscale' as const), shift: octet }),
  fc.record({ kind: fc.constantFrom('sackOK' as const, 'nop' as const, 'eol' as const) }),
  fc.record({ kind: fc.constant('TS' as const), val: word, ecr: word }),
  fc.record({
    kind: fc.constant('sack' as const),
    blocks: fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 1 }),
  }),
  fc.record({
    kind: fc.constant('raw' as const),
    hex: fc.uint8Array({ minLength: 1, maxLength: 4 }).map(bytes => Buffer.from(bytes).toString('hex')),
  }),
);

const tcp = fc
  .record({
    ...base,
    protocol: fc.constant('tcp' as const),
    flags: octet,
    seq: word,
    lengthBytes: length,
    ack: word,
    window: orNull(half),
    urgent: half,
    options: orNull(fc.array(option, { maxLength: 3 })),
  })
  .map(packet => ({ ...packet, ack: (packet.flags & ACK) === 0 ? null : packet.ack }));

const quoted = fc.oneof(
  fc.record({ protocol: fc.constant('tcp' as const), seq: word, lengthBytes: length }),
  fc.record({ protocol: fc.constant('udp' as const), lengthBytes: length }),
);
const icmp = fc.record({
  ...base,
  protocol: fc.constant('icmp' as const),
  type: octet,
  code: octet,
  mtu: orNull(half),
  quoted: orNull(quoted),
});
const udp = fc.record({ ...base, protocol: fc.constant('udp' as const), lengthBytes: length });
const packets: fc.Arbitrary<PacketLine> = fc.oneof(tcp, icmp, udp);

function parsed(text: string): PacketLine | undefined {
  const { script, errors } = parseScript('x.pkt', `0 ${text}\n`);
  expect(errors.map(error => error.message)).toEqual([]);
  const [event] = script!.events;
  return event?.kind === 'packet' ? event.packet : undefined;
}

test('printing a packet and reading it again gives the same packet', () => {
  fc.assert(
    fc.property(packets, packet => {
      expect(parsed(packetText(packet))).toEqual(packet);
    }),
  );
});

test('whatever is written, the reader says where it is wrong, or runs it', () => {
  const pieces = fc.constantFrom(
    '0',
    '+.1',
    '*',
    '<',
    '>',
    'S',
    '.',
    'P.',
    '0:0(0)',
    '1:101(100)',
    'ack 1',
    'win 100',
    '<mss 1460>',
    '<...>',
    '[ce]',
    'udp (10)',
    'icmp unreachable',
    'socket(..., SOCK_STREAM, IPPROTO_TCP) = 3',
    'close(3) = 0',
    '(',
    ')',
    '{',
    '}',
    '=',
    '`sysctl -q net.ipv4.tcp_sack=0`',
    '`',
    '%{',
    '}%',
    'assert',
    '1',
    '"',
    '\n',
    '//',
    '/*',
    '--x',
    '...',
    '~',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), words => {
      const result = runScript('x.pkt', words.join(' '), DEFAULT_SETTINGS);
      for (const { at } of result.problems) expect([at.line >= 1, at.column >= 1]).toEqual([true, true]);
      if (result.verdict === 'invalid') expect(result.problems).toHaveLength(1);
    }),
  );
});

test('a script in which something was changed passes, fails, or is refused; nothing else comes of it', () => {
  const names = readdirSync('test/drill').filter(name => /^(language|freebsd|linux-o)/.test(name));
  const scripts = names.map(name => readFileSync(`test/drill/${name}`, 'utf8'));
  const mutation = fc.record({
    place: fc.nat(100_000),
    cut: fc.nat(12),
    put: fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        '-',
        '0',
        '9',
        '...',
        '<',
        '>',
        '[',
        ']',
        '{',
        '}',
        '(',
        ')',
        '=',
        '|',
        '"',
        '`',
        '\\',
        '\r',
      ),
      fc.constantFrom('4294967295', 'MSG_PEEK', 'MSG_WAITALL', 'TCP_CORK', 'S.', 'R', 'sack', '*', '//', '/*', '\n'),
    ),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...scripts),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (script, mutations) => {
        let text = script;
        for (const { place, cut, put } of mutations) {
          const at = place % text.length;
          text = text.slice(0, at) + put + text.slice(at + cut);
        }
        const { verdict, problems } = runScript('x.pkt', text, DEFAULT_SETTINGS);
        expect(problems.length === 0).toBe(verdict === 'passed');
        for (const { at } of problems) expect(at.line).toBeLessThanOrEqual(text.split('\n').length);
      },
    ),
  );
});
