/** The runner notices what is wrong: one script that passes, and what it says when one thing in it is another. */
import { describe, expect, test } from 'vitest';
import { resultLines } from '../../../../src/drill/report-text.ts';
import type { ScriptResult } from '../../../../src/drill/result.ts';
import { runScript } from '../../../../src/drill/runner.ts';
import { DEFAULT_SETTINGS, type RunSettings } from '../../../../src/drill/settings.ts';

const GOOD = `--tcp_ts_tick_usecs=1000
--profile=rfc
--strict
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   bind(3, ..., ...) = 0
+0   listen(3, 1) = 0
+0   < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 200 ecr 0,nop,wscale 7>
+0   > S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 100 ecr 200,nop,wscale 2>
+.1  < . 1:1(0) ack 1 win 257 <nop,nop,TS val 300 ecr 100>
+0   accept(3, ..., ...) = 4
+0   write(4, ..., 1976) = 1976
+0   > [ttl 64] P. 1:1977(1976) ack 1 <nop,nop,TS val 200 ecr 300>
+.1  < . 1:1(0) ack 1977 win 257 <nop,nop,TS val 400 ecr 200>
+0   %{ assert tcpi_snd_cwnd == 5, "the window" }%
+0   < . 1001:2001(1000) ack 1977 win 257 <nop,nop,TS val 400 ecr 200>
+0   > . 1977:1977(0) ack 1 <nop,nop,TS val 300 ecr 400,nop,nop,sack 1001:2001>
+0   getsockopt(4, SOL_TCP, TCP_NODELAY, [0], [4]) = 0
+0...0.1 read(4, ..., 2000) = 2000
+.1  < . 1:1001(1000) ack 1977 win 257 <nop,nop,TS val 500 ecr 300>
+0   > . 1977:1977(0) ack 2001 <nop,nop,TS val 400 ecr 500>
+.1  close(4) = 0
+0   > F. 1977:1977(0) ack 2001 <...>
`;

const run = (text: string, settings: Partial<RunSettings> = {}): ScriptResult =>
  runScript('x.pkt', text, { ...DEFAULT_SETTINGS, ...settings });

/** The good script, with one thing changed. */
function changed(from: string, to: string): ScriptResult {
  expect(GOOD.split(from).length, from).toBe(2);
  return run(GOOD.replace(from, to));
}

test('the script passes as it is', () => {
  expect(resultLines(run(GOOD))).toEqual(['ok          x.pkt']);
});

describe('a script fails', () => {
  test.each([
    ['flags', 'P. 1:1977', '. 1:1977', 12, 'the packet differs: flags'],
    ['a sequence number', '> F. 1977:1977(0)', '> F. 1978:1978(0)', 22, 'the packet differs: seq'],
    ['a length', '1:1977(1976) ack 1 <', '1:1976(1975) ack 1 <', 12, 'the packet differs: flags, length'],
    ['an ACK', '(0) ack 2001 <nop', '(0) ack 2002 <nop', 20, 'the packet differs: ack'],
    ['a window', 'ack 1 win 65535', 'ack 1 win 65534', 8, 'the packet differs: win'],
    ['an option', 'mss 1460', 'mss 1461', 8, 'the packet differs: options'],
    ['a missing option', '<mss 1460,sackOK,', '<mss 1460,', 8, 'the packet differs: options'],
    ['a SACK block', 'sack 1001:2001', 'sack 1001:2002', 16, 'the packet differs: options'],
    ['the value of a timestamp', 'TS val 300 ecr 400', 'TS val 301 ecr 400', 16, 'the packet differs: options'],
    ['the echo of a timestamp', 'TS val 400 ecr 500', 'TS val 400 ecr 501', 20, 'the packet differs: options'],
    ['a time to live', 'ttl 64', 'ttl 63', 12, 'the packet differs: ttl'],
    ['a packet that comes too late', '+0   > F.', '0.2  > F.', 22, 'the packet came too late'],
    ['a packet that never comes', '+.1  close(4) = 0\n', '', 21, 'no packet was sent by 0.300000'],
    [
      'the result of a call',
      'write(4, ..., 1976) = 1976',
      'write(4, ..., 1976) = 1977',
      11,
      'write: the result differs',
    ],
    [
      'an error that does not come',
      'close(4) = 0',
      'close(4) = -1 EBADF (Bad file descriptor)',
      21,
      'close: the result differs',
    ],
    ['what a call puts somewhere', 'TCP_NODELAY, [0]', 'TCP_NODELAY, [1]', 17, 'getsockopt: TCP_NODELAY is 0, not 1'],
    ['when a call returns', '+0...0.1 read', '+0...0.05 read', 18, 'read has not returned by 0.250000'],
    [
      'a call that waits unasked',
      '+0...0.1 read',
      '+0 read',
      18,
      'the call waits, and the script does not say until when (FROM...TO)',
    ],
    [
      'an assertion',
      'tcpi_snd_cwnd == 5',
      'tcpi_snd_cwnd == 6',
      14,
      'assert tcpi_snd_cwnd == 6 does not hold; tcpi_snd_cwnd is 5, message: the window',
    ],
    [
      'a packet that nobody expects',
      '+0   > F. 1977:1977(0) ack 2001 <...>\n',
      '',
      21,
      'the host has sent a packet that the script does not expect',
    ],
  ])('for %s', (_, from, to, line, text) => {
    const { verdict, problems } = changed(from, to);
    expect(verdict).toBe('failed');
    expect(problems.map(problem => [problem.at.line, problem.text])).toEqual([[line, text]]);
  });

  test('for a time, early or late, to the nanosecond; a tolerance forgives it', () => {
    const delayed = (seconds: string) =>
      `--profile=rfc\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0...2 connect(3, ..., ...) = -1 ETIMEDOUT\n+0 > S 0:0(0) <...>\n+${seconds} > S 0:0(0) <...>\n`;
    const early = run(delayed('1.000000001'));
    expect(early.problems[0]?.text).toBe('the packet came too early');
    expect(early.problems[0]?.details).toEqual([
      ['expected', '1.000000001 > S 0:0(0) <...>'],
      ['actual', expect.stringMatching(/^1\.000000 > S 0:0\(0\) win 65535 <mss 1460, .*>$/)],
    ]);
    expect(run(delayed('0.999999')).problems[0]?.text).toBe('no packet was sent by 0.999999');
    expect(run(delayed('0.9~+1.1')).problems[0]?.text).toBe('connect has not returned by 2.000000');
    expect(run(delayed('0.999'), { toleranceNs: 1_000_000 }).problems[0]?.text).toMatch(/^connect has not returned/);
  });

  test('for an event whose time is over; a packet that was late within the tolerance does not make one so', () => {
    const script = (connected: string) =>
      `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n0...${connected} connect(3, ..., ...) = 0\n0 > S 0:0(0) <...>\n0.99 > S 0:0(0) <...>\n0.995 < S. 0:0(0) ack 1 win 100\n* > . 1:1(0) ack 1\n`;
    expect(resultLines(run(script('1'), { toleranceNs: 10_000_000 }))).toEqual(['ok          x.pkt']);
    const [problem] = run(`${script('1')}0.5 close(3) = 0\n`, { toleranceNs: 10_000_000 }).problems;
    expect(problem?.text).toBe('the event is due in the past');
    expect(problem?.details).toEqual([
      ['due', '0.500000'],
      ['now', '1.000000'],
    ]);
  });

  test('for octets other than the script has written or the peer has sent', () => {
    const text = changed('read(4, ..., 2000) = 2000', 'read(4, "wrong", 2000) = 2000');
    expect(text.problems[0]?.text).toMatch(/^read: octet 0 is \d+, not 119$/);
  });

  test('for a super-segment that was cut unevenly, or not sent whole', () => {
    const [problem] = changed('write(4, ..., 1976) = 1976', 'write(4, ..., 1000) = 1000').problems;
    expect(problem?.text).toBe('the packet differs: flags, length');
    expect(problem?.details).toEqual([
      ['expected', '0.100000 > [ttl 64] P. 1:1977(1976) ack 1 <nop, nop, TS val 200 ecr 300>'],
      ['actual', '0.100000 > [ttl 64] . 1:989(988) ack 1 win 32768 <nop, nop, TS val 200 ecr 300>'],
    ]);
  });

  test('with the script, the expected and the actual packet below each other', () => {
    expect(resultLines(changed('> F. 1977:1977(0) ack 2001', '> . 1977:1977(0) ack 2001'))).toEqual([
      'FAILED      x.pkt',
      'x.pkt:22:1: the packet differs: flags',
      '    script    +0   > . 1977:1977(0) ack 2001 <...>',
      '    expected  0.400000 > . 1977:1977(0) ack 2001 <...>',
      '    actual    0.400000 > F. 1977:1977(0) ack 2001 win 32768 <nop, nop, TS val 500 ecr 500>',
    ]);
  });
});
