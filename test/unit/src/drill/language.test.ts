/** The language: what is read how, what is no script, and what is one that cannot be had. */
import { describe, expect, test } from 'vitest';
import { parseScript } from '../../../../src/drill/parser.ts';
import { runScript } from '../../../../src/drill/runner.ts';
import type { ScriptEvent } from '../../../../src/drill/script.ts';
import { DEFAULT_SETTINGS, type RunSettings } from '../../../../src/drill/settings.ts';

const run = (text: string) => runScript('x.pkt', text, DEFAULT_SETTINGS);
/** `line:column text` of each problem. */
const problems = (text: string): string[] =>
  run(text).problems.map(({ at, text: what }) => `${at.line}:${at.column} ${what}`);

function events(text: string): readonly ScriptEvent[] {
  const parsed = parseScript('x.pkt', text);
  if (parsed.script === null || parsed.errors.length > 0) throw parsed.errors[0];
  return parsed.script.events;
}

describe('times', () => {
  test.each([
    ['0', 'absolute', 0, 0, false],
    ['1.5', 'absolute', 1.5e9, 1.5e9, false],
    ['.000001', 'absolute', 1000, 1000, false],
    ['+.1', 'relative', 1e8, 1e8, false],
    ['+0', 'relative', 0, 0, false],
    ['0.1...0.2', 'absolute', 1e8, 2e8, true],
    ['+0...+.1', 'relative', 0, 1e8, true],
    ['+0...0.1', 'relative', 0, 1e8, true],
    ['+0~+.2', 'relative', 0, 2e8, false],
    ['0.1~0.3', 'absolute', 1e8, 3e8, false],
    ['*', 'any', 0, Number.POSITIVE_INFINITY, false],
  ])('%s', (text, kind, fromNs, toNs, waits) => {
    const [event] = events(`${text} > . 1:1(0) ack 1`);
    expect(event?.time).toEqual({ kind, fromNs, toNs, waits });
  });

  test.each([
    ['0.2...0.1 close(3) = 0', '1:7 the end of a range lies before its beginning, before "0.1 close(3) = 0"'],
    ['0.1234567891 close(3) = 0', '1:1 a time has nine decimals at most, before "0.1234567891 close(3"'],
    ['99999999 close(3) = 0', '1:1 99999999 s are more than a year, before "99999999 close(3) ="'],
  ])('%s is none', (text, complaint) => expect(problems(text)).toEqual([complaint]));
});

test('what comes in may be odd: an ACK without its flag, a flag without its ACK, numbers before the beginning', () => {
  const [first, second, third] = events(
    '0 < R 1:1(0) ack 5\n+0 < . 1:1(0)\n+0 < . -1:0(1) ack -2 <nop,nop,sack -10:-5>\n',
  );
  expect(first).toMatchObject({ packet: { flags: 4, ack: 5 } });
  expect(second).toMatchObject({ packet: { flags: 16, ack: null } });
  expect(third).toMatchObject({ packet: { seq: 0xffff_ffff, lengthBytes: 1, ack: 0xffff_fffe } });
});

test('options that this host does not know come in as octets', () => {
  const [event] = events('0 < S 0:0(0) win 1 <FO,FO 0a0B,FOEXP 01,md5 00112233445566778899aabbccddeeff>\n');
  expect(event).toMatchObject({
    packet: {
      options: [
        { kind: 'raw', hex: '2202' },
        { kind: 'raw', hex: '22040a0b' },
        { kind: 'raw', hex: 'fe05f98901' },
        { kind: 'raw', hex: '131200112233445566778899aabbccddeeff' },
      ],
    },
  });
});

test('a result may have a note behind it, and lines may end in a backslash, in CR LF, or within a call', () => {
  const text =
    '0 socket(...,\r\n\tSOCK_STREAM, \\\r\n IPPROTO_TCP) = 3\r\n+0.0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)\r\n+0 close(3) = 0\r\n';
  expect(run(text)).toMatchObject({ verdict: 'passed', eventCount: 3 });
});

test('// in a string is no comment', () => {
  const [event] = events('0 write(3, "http://host/*", 13) = 13 // all of it\n');
  expect(event).toMatchObject({ call: { args: [{}, { kind: 'string', value: 'http://host/*' }, {}] } });
});

test('comments of three kinds, and line ends, stand anywhere between two pieces', () => {
  const text = '// one\n# two\n/* three\n more */ 0 /* a */ > // b\n . 1:1(0) # c\n ack 1\n';
  expect(events(text)).toMatchObject([{ at: { line: 4, column: 10 }, packet: { seq: 1, ack: 1, lengthBytes: 0 } }]);
});

describe('what is no script is named with its line and column', () => {
  test.each([
    ['0 > . 1:1(0)', '1:13 there is the flag ".", but the ack is missing, before the end of the script'],
    ['0 > P 1:1(0) ack 1', '1:5 there is an ack, but the flag "." is missing, before "P 1:1(0) ack 1"'],
    ['0 > . 1:5(3) ack 1', '1:7 from 1 to 5 there are not 3 octets, before "1:5(3) ack 1"'],
    ['0 > X 1:1(0)', '1:5 the flags of a segment are missing, such as S, P. or F., before "X 1:1(0)"'],
    ['0 > S 1:1(0) win 70000', '1:18 70000 is more than 65535, before "70000"'],
    ['\n0 < S 0:0(0) win 1 <mss>', '2:24 a number is missing, before ">"'],
    [
      '0 < S 0:0(0) <TS val 1 ecr 1,TS val 1 ecr 1,TS val 1 ecr 1,TS val 1 ecr 1,nop>',
      '1:14 a header has no room for more than 40 octets of options, before "<TS val 1 ecr 1,TS v"',
    ],
    ['0 < S 0:0(0) <sack>', '1:19 sack has 1 to 4 blocks, before ">"'],
    ['0 < S 0:0(0) <raw fd0>', '1:19 not hexadecimal bytes: "fd0", before "fd0>"'],
    ['0 < 70000 > 1 S 0:0(0)', '1:5 there is no port 70000, before "70000 > 1 S 0:0(0)"'],
    ['0 < icmp unreachable nowhere', '1:22 there is no ICMP code "nowhere" of that type, before "nowhere"'],
    ['close(3) = 0', '1:1 an event begins with its time, such as 0, +.1 or *, before "close(3) = 0"'],
    ['0 close(3)', '1:11 "=" is missing, before the end of the script'],
    ['0 close(3) = EBADF', '1:14 the result of the call is missing, before "EBADF"'],
    ['0 close(3) = 1 EBADF', '1:14 a call that fails gives -1, not 1, before "1 EBADF"'],
    ['0 close(3, 4) = 0', '1:3 close: takes 1 arguments, not 2'],
    ['0 close("x") = 0', '1:3 close: ""x"" is not a number'],
    ['0 bind(3, {sin_addr = inet_addr("1.2.3")}, 16) = 0', '1:3 bind: not an IPv4 address: "1.2.3"'],
    ['0 setsockopt(3, SOL_SOCKET, TCP_NODELAY, [1], 4) = 0', '1:3 setsockopt: TCP_NODELAY is an option of SOL_TCP'],
    ['0 %{ assert 1 +', '1:16 a value is missing, before the end of the script'],
    ['0 %{ assert True', '1:17 "}%" is missing, before the end of the script'],
    ['--tolerance_usecs=x\n0 close(3) = 0', '1:1 --tolerance_usecs takes a whole number, not "x"'],
    ['--local_ip=1.2\n0 close(3) = 0', '1:1 --local_ip: not an IPv4 address: "1.2"'],
    ['--netmask_ip=255.0.255.0\n0 close(3) = 0', '1:1 --netmask_ip is no mask: "255.0.255.0"'],
  ])('%s', (text, complaint) => {
    expect(run(text).verdict).toBe('invalid');
    expect(problems(text)).toEqual([complaint]);
  });

  test('braces in one another without end do not break the parser', () => {
    expect(problems(`0 close(${'['.repeat(10_000)}`)[0]).toMatch(/more than 16 braces in one another/);
    expect(problems(`0 %{ assert ${'('.repeat(10_000)}`)[0]).toMatch(/more than 32 brackets in one another/);
    expect(problems(`0 %{ assert ${'not '.repeat(10_000)}`)[0]).toMatch(/more than 32 brackets in one another/);
    expect(problems(`0 %{ assert ${'-'.repeat(10_000)}1`)[0]).toMatch(/more than 32 brackets in one another/);
    expect(problems(`0 %{ assert ${'1 + '.repeat(10_000)}1`)[0]).toMatch(/more than 256 operators in a row/);
    expect(problems(`0 %{ assert ${'1 or '.repeat(10_000)}1`)[0]).toMatch(/more than 256 operators in a row/);
  });
});

describe('what is not supported is named with its line, and is not run', () => {
  test.each([
    ['`ip route add default dev tun0`', 'the command `ip route add default dev tun0`'],
    ['`tc qdisc add dev tun0 root netem delay 1ms`', 'the command `tc qdisc add dev tun0 root netem delay 1ms`'],
    ['`sysctl -q net.ipv4.tcp_fastopen=3`', 'net.ipv4.tcp_fastopen=3'],
    ['`sysctl -q net.ipv4.nobody_knows=1`', 'net.ipv4.nobody_knows=1'],
    ['`sysctl -q net.ipv4.tcp_congestion_control=bbr`', 'net.ipv4.tcp_congestion_control=bbr'],
    ['+0 > S 0:0(0) win 1 <FO 1234>', 'the TCP option "FO"'],
    ['+0 < S 0:0(0) win 1 <tfo>', 'the TCP option "tfo"'],
    ['`sysctl net.inet.tcp.ecn.enable=1`', 'net.inet.tcp.ecn.enable=1'],
    ['`sysctl net.inet.tcp.nobody_knows=1`', 'net.inet.tcp.nobody_knows=1'],
    ['`sysctl net.inet.tcp.cc.algorithm=cdg`', 'net.inet.tcp.cc.algorithm=cdg'],
    ['+0 > ipv6 S 0:0(0)', 'a packet of ipv6'],
    ['+0 < [flowlabel 1] S 0:0(0)', '[flowlabel] of the IP header'],
    ['+0 splice(3, 0, 4, 0, 10, 0) = 10', 'the system call splice'],
    ['+0 socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 3', 'the constant AF_INET6, in socket'],
    ['+0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0', 'the option TCP_FASTOPEN, in setsockopt'],
    ['+0 setsockopt(3, SOL_TCP, TCP_DEFER_ACCEPT, [1], 4) = 0', 'the option TCP_DEFER_ACCEPT, in setsockopt'],
    ['+0 getsockopt(3, SOL_TCP, TCP_INFO, {tcpi_reordering=3}, ...) = 0', 'tcpi_reordering, in getsockopt'],
    ['+0 getsockopt(3, SOL_SOCKET, SO_REUSEPORT, [1], [4]) = 0', 'what SO_REUSEPORT says, in getsockopt'],
    ['+0 setsockopt(3, SOL_SOCKET, SO_OOBINLINE, [0], 4) = 0', 'urgent data out of line, in setsockopt'],
    ['+0 send(3, ..., 10, MSG_MORE) = 10', 'flags other than MSG_DONTWAIT, MSG_OOB and MSG_NOSIGNAL, in send'],
    [
      '+0 recv(3, ..., 10, MSG_OOB) = 10',
      'flags other than MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL and MSG_NOSIGNAL, in recv',
    ],
    ['+0 epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLET, fd=3}) = 0', 'EPOLLET, in epoll_ctl'],
    ['+0 %{ assert tcpi_reordering == 3 }%', 'tcpi_reordering'],
    ['+0 %{ assert len("x") == 1 }%', 'the function len in a %{ }% block'],
    ['+0 %{ import os }%', '"import" in a %{ }% block'],
    ['--ip_version=ipv6', '--ip_version=ipv6'],
    ['--mtu=9000', '--mtu=9000'],
    ['--unheard_of', 'the option --unheard_of'],
  ])('%s', (line, what) => {
    const text = line.startsWith('--') ? `${line}\n` : `--profile=rfc\n${line}\n`;
    const result = run(text);
    expect([result.verdict, result.eventCount]).toEqual(['unsupported', 0]);
    expect(result.problems.map(problem => problem.text)).toEqual([`not supported: ${what}`]);
    expect(result.problems[0]?.source).toBe(line);
    expect(result.problems[0]?.at.line).toBe(line.startsWith('--') ? 1 : 2);
  });

  test('each place of a script, not the first alone', () => {
    const text =
      '`tc a`\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 sendfile(3, 4, 0, 10) = 10\n`ip b`\n+0 close(3) = 0\n';
    expect(run(text).problems.map(({ at }) => at.line)).toEqual([1, 3, 4]);
  });
});

describe('sysctl lines', () => {
  const settings = (command: string) =>
    events(`\`${command}\``).flatMap(event => (event.kind === 'command' ? event.settings : []));

  test.each([
    ['sysctl -q net.ipv4.tcp_sack=0', [['net.ipv4.tcp_sack', '0']]],
    [
      'sysctl -qw net.ipv4.tcp_sack=0 net.ipv4.tcp_rmem="1 2 3"',
      [
        ['net.ipv4.tcp_sack', '0'],
        ['net.ipv4.tcp_rmem', '1 2 3'],
      ],
    ],
    [
      "sysctl -w net.ipv4.tcp_wmem='4096 8192 16384'; sysctl -q net.ipv4.tcp_sack=1",
      [
        ['net.ipv4.tcp_wmem', '4096 8192 16384'],
        ['net.ipv4.tcp_sack', '1'],
      ],
    ],
    [
      'sysctl -q net.ipv4.tcp_sack=0\n# why\nsysctl -q net.ipv4.tcp_sack=1',
      [
        ['net.ipv4.tcp_sack', '0'],
        ['net.ipv4.tcp_sack', '1'],
      ],
    ],
    ['echo 7 > /proc/sys/net/ipv4/tcp_syn_retries', [['net.ipv4.tcp_syn_retries', '7']]],
    ['./set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0', [['net.ipv4.tcp_sack', '0']]],
    ['../common/defaults.sh', []],
    ['kldload -n tcp_rack', []],
    [
      'sysctl net.inet.tcp.delacktime=100 > /dev/null 2>&1 || true; kldload cc_cubic && sysctl kern.timecounter.alloweddeviation=0',
      [
        ['net.inet.tcp.delacktime', '100'],
        ['kern.timecounter.alloweddeviation', '0'],
      ],
    ],
  ])('%s', (command, expected) => {
    expect(settings(command).map(({ name, value }) => [name, value])).toEqual(expected);
  });

  test('a file of defaults is not passed over in silence', () => {
    expect(run('`../common/defaults.sh`\n').notes).toEqual([
      'x.pkt:1: ../common/defaults.sh stands for the defaults of the profile',
    ]);
  });
});

describe('blocks of code', () => {
  const holds = (expression: string): string => run(`0 %{ assert ${expression} }%\n`).verdict;

  test.each([
    '1 + 2 * 3 == 7',
    '(1 + 2) * 3 == 9',
    '7 // 2 == 3',
    '-7 // 2 == -4',
    '-7 % 3 == 2',
    '7 / 2 == 3.5',
    '1 < 2 < 3',
    'not (1 < 3 < 2)',
    'not 0 and 1',
    '0 or 2',
    '1 << 4 == 16',
    '6 & 3 == 2',
    'True == 1',
    "'a' + 'b' == \"ab\"",
    'min(3, 2) == 2 and abs(-1) == 1',
    '0x10 == 16',
    '1e3 == 1000',
    'None == None',
    'TCP_ESTABLISHED == 1',
  ])('%s', expression => expect(holds(expression)).toBe('passed'));

  test.each(['1 == 2', '0', "''", 'None', '1 < 1', '1 / 0', 'nobody', '"a" < 1', 'tcpi_rto'])('not %s', expression => {
    expect(holds(expression)).toBe('failed');
  });

  test('variables live as long as the script, and print tells its values', () => {
    expect(run('0 %{ x = 3; y = x * 2 }%\n+0 %{ print("y", y, True)\nassert y == 6 }%\n').notes).toEqual([
      'x.pkt:2: y 6 True',
    ]);
  });
});

describe('a script with commands of FreeBSD', () => {
  const backlogs = '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n';
  const flags = (profile: RunSettings['profile'], head: string): string =>
    runScript('x.pkt', `${head}${backlogs}+0 fcntl(3, F_GETFL) = 0x6\n`, { ...DEFAULT_SETTINGS, profile }).verdict;

  test.each([
    '`kldload -n cc_newreno`\n',
    '`sysctl net.inet.tcp.hostcache.purgenow=1`\n',
    '`sysctl kern.ipc.maxsockbuf=1048576`\n',
  ])('%s has the defaults of FreeBSD, unless something else is asked for, and a note says so', head => {
    expect([flags(null, head), flags('linux', head), flags(null, `--profile=linux\n${head}`)]).toEqual([
      'passed',
      'failed',
      'failed',
    ]);
    expect(run(`${head}${backlogs}`).notes).toContain(
      'x.pkt: has commands of FreeBSD, and runs with the profile freebsd',
    );
    expect(run(`--profile=freebsd\n${head}${backlogs}`).notes.join()).not.toContain('has commands');
  });

  test('others have those of Linux', () => {
    expect([flags(null, ''), flags('freebsd', ''), flags(null, '`modprobe tcp_cubic`\n')]).toEqual([
      'failed',
      'passed',
      'failed',
    ]);
  });
});
