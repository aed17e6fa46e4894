/** `getsockopt` and `setsockopt`: the options of the host's sockets, in the units in which C programs have them. */
import type { Descriptor } from '../../kernel/net/socket.ts';
import type { SocketOptions } from '../../kernel/net/socket-options.ts';
import type { Syscalls } from '../../kernel/syscall.ts';
import { atOnce, type CallReader, difference, outcome, type PreparedCall } from './call.ts';
import { CallArguments } from './call-arguments.ts';
import { type Expression, expressionText } from './call-line.ts';
import { CODE_CONSTANTS, CONSTANTS } from './constants.ts';
import type { Profile } from './profile.ts';
import { isMember, memberOf } from './tcp-info.ts';

const NS_PER_SECOND = 1e9;
const NS_PER_MS = 1e6;
const NS_PER_US = 1e3;

type Level = 'SOL_SOCKET' | 'SOL_TCP' | 'SOL_IP';

/** An option whose value is a number to the script. */
interface NumberOption {
  readonly level: Level;
  get(sys: Syscalls, socket: Descriptor): number;
  /** Null: nobody may set it. */
  readonly set: ((sys: Syscalls, socket: Descriptor, value: number) => void) | null;
}

/** Names of options whose value is a flag, and those of a plain number or of a time. */
type Flag = 'SO_REUSEADDR' | 'SO_KEEPALIVE' | 'SO_BROADCAST' | 'TCP_NODELAY' | 'TCP_CORK' | 'TCP_QUICKACK';
type Count = 'SO_SNDBUF' | 'SO_RCVBUF' | 'TCP_KEEPCNT' | 'TCP_SYNCNT' | 'IP_TTL' | 'IP_TOS';
type Time = 'TCP_LINGER2' | 'TCP_KEEPINIT' | 'TCP_KEEPIDLE' | 'TCP_KEEPINTVL' | 'TCP_USER_TIMEOUT';

const flag = (level: Level, name: Flag): NumberOption => ({
  level,
  get: (sys, socket) => (sys.getsockopt(socket, name) ? 1 : 0),
  set: (sys, socket, value) => sys.setsockopt(socket, name, value !== 0),
});

const count = (level: Level, name: Count): NumberOption => ({
  level,
  get: (sys, socket) => sys.getsockopt(socket, name),
  set: (sys, socket, value) => sys.setsockopt(socket, name, value),
});

const time = (name: Time, unitNs: number): NumberOption => ({
  level: 'SOL_TCP',
  get: (sys, socket) => Math.round(sys.getsockopt(socket, name) / unitNs),
  set: (sys, socket, value) => sys.setsockopt(socket, name, value * unitNs),
});

const NUMBER_OPTIONS: Readonly<Record<string, NumberOption>> = {
  SO_REUSEADDR: flag('SOL_SOCKET', 'SO_REUSEADDR'),
  SO_KEEPALIVE: flag('SOL_SOCKET', 'SO_KEEPALIVE'),
  SO_BROADCAST: flag('SOL_SOCKET', 'SO_BROADCAST'),
  SO_SNDBUF: count('SOL_SOCKET', 'SO_SNDBUF'),
  SO_RCVBUF: count('SOL_SOCKET', 'SO_RCVBUF'),
  SO_ACCEPTCONN: {
    level: 'SOL_SOCKET',
    get: (sys, socket) => (sys.getsockopt(socket, 'SO_ACCEPTCONN') ? 1 : 0),
    set: null,
  },
  SO_TYPE: {
    level: 'SOL_SOCKET',
    get: (sys, socket) => CONSTANTS[sys.getsockopt(socket, 'SO_TYPE')]!,
    set: null,
  },
  TCP_NODELAY: flag('SOL_TCP', 'TCP_NODELAY'),
  TCP_CORK: flag('SOL_TCP', 'TCP_CORK'),
  // BSD's name of the same.
  TCP_NOPUSH: flag('SOL_TCP', 'TCP_CORK'),
  TCP_QUICKACK: flag('SOL_TCP', 'TCP_QUICKACK'),
  TCP_SYNCNT: count('SOL_TCP', 'TCP_SYNCNT'),
  TCP_LINGER2: time('TCP_LINGER2', NS_PER_SECOND),
  TCP_KEEPINIT: time('TCP_KEEPINIT', NS_PER_SECOND),
  TCP_KEEPCNT: count('SOL_TCP', 'TCP_KEEPCNT'),
  TCP_KEEPIDLE: time('TCP_KEEPIDLE', NS_PER_SECOND),
  TCP_KEEPINTVL: time('TCP_KEEPINTVL', NS_PER_SECOND),
  TCP_USER_TIMEOUT: time('TCP_USER_TIMEOUT', NS_PER_MS),
  TCP_MAXSEG: {
    level: 'SOL_TCP',
    get: maximumSegment,
    set: (sys, socket, value) => sys.setsockopt(socket, 'TCP_MAXSEG', value),
  },
  IP_TTL: count('SOL_IP', 'IP_TTL'),
  IP_TOS: count('SOL_IP', 'IP_TOS'),
};

/** Names of the levels, as the headers of several systems have them. */
const LEVELS: Readonly<Record<string, Level>> = {
  SOL_SOCKET: 'SOL_SOCKET',
  SOL_TCP: 'SOL_TCP',
  IPPROTO_TCP: 'SOL_TCP',
  SOL_IP: 'SOL_IP',
  IPPROTO_IP: 'SOL_IP',
};
/** Those that are no number: each has its own shape. */
const SHAPED: Readonly<Record<string, Level>> = {
  SO_ERROR: 'SOL_SOCKET',
  SO_LINGER: 'SOL_SOCKET',
  SO_RCVTIMEO: 'SOL_SOCKET',
  SO_SNDTIMEO: 'SOL_SOCKET',
  TCP_CONGESTION: 'SOL_TCP',
  TCP_INFO: 'SOL_TCP',
};
/** Those that say what this host does anyway, or change nothing that a script can see: they may be set. */
const ACCEPTED: Readonly<Record<string, Level>> = {
  SO_NOSIGPIPE: 'SOL_SOCKET',
  SO_OOBINLINE: 'SOL_SOCKET',
  SO_REUSEPORT: 'SOL_SOCKET',
};

const getsockopt: CallReader = call => {
  const { args, fd, name, shaped } = optionOf(call);
  if (Object.hasOwn(ACCEPTED, name)) args.unsupported(`what ${name} says`);
  if (name === 'TCP_INFO') return tcpInfo(args, fd, shaped);
  const option = NUMBER_OPTIONS[name];
  if (option === undefined)
    return atOnce((sys, { descriptors, profile }) => {
      const { socket } = descriptors.socket(fd);
      return outcome(
        0,
        difference(name, shaped === null ? null : expressionText(shaped), shapedText(sys, socket, name, profile)),
      );
    });
  const wanted = args.cell(3);
  return atOnce((sys, { descriptors }) => {
    return outcome(0, difference(name, wanted, option.get(sys, descriptors.socket(fd).socket)));
  });
};

/** The members that the script names. */
function tcpInfo(args: CallArguments, fd: number, shaped: Expression | null): PreparedCall {
  const wanted = [...(shaped === null ? [] : args.struct(shaped))].filter(([, value]) => value.kind !== 'any');
  const unknown = wanted.find(([member]) => !isMember(member));
  if (unknown !== undefined) args.unsupported(unknown[0]);
  const numbers = wanted.map(([member, value]) => [member, infoNumber(args, value)] as const);
  return atOnce((sys, { descriptors }) => {
    const info = sys.getsockopt(descriptors.socket(fd).socket, 'TCP_INFO');
    return outcome(
      0,
      numbers.flatMap(([member, value]) => difference(member, value, memberOf(info, member))),
    );
  });
}

/** A number, or the name of a state. */
const infoNumber = (args: CallArguments, value: Expression): number =>
  (value.kind === 'name' ? CODE_CONSTANTS[value.name] : undefined) ?? args.numberOf(value);

const setsockopt: CallReader = call => {
  const { args, fd, name, shaped } = optionOf(call);
  if (name === 'TCP_INFO') args.fail('TCP_INFO cannot be set');
  if (Object.hasOwn(ACCEPTED, name)) {
    if (name === 'SO_OOBINLINE' && args.cell(3) === 0) args.unsupported('urgent data out of line');
    return atOnce((_, { descriptors }) => outcome(descriptors.socket(fd).number < 0 ? -1 : 0));
  }
  const option = NUMBER_OPTIONS[name];
  if (option === undefined) {
    if (shaped === null) return args.fail(`${name} has no value`);
    return atOnce((sys, { descriptors, profile }) => {
      setShaped(args, sys, descriptors.socket(fd).socket, name, shaped, profile);
      return outcome(0);
    });
  }
  const { set } = option;
  if (set === null) return args.fail(`${name} cannot be set`);
  const value = args.cell(3) ?? args.fail(`${name} has no value`);
  return atOnce((sys, { descriptors }) => {
    set(sys, descriptors.socket(fd).socket, value);
    return outcome(0);
  });
};

/** The parts that both calls have: level, name, and a value that is no number. */
function optionOf(call: Parameters<CallReader>[0]) {
  const args = new CallArguments(call, 5);
  const level = LEVELS[args.name(1)] ?? args.unsupported(`the level ${args.name(1)}`);
  const name = args.name(2);
  const belongsTo =
    NUMBER_OPTIONS[name]?.level ?? SHAPED[name] ?? ACCEPTED[name] ?? args.unsupported(`the option ${name}`);
  if (belongsTo !== level) args.fail(`${name} is an option of ${belongsTo}`);
  return { args, fd: args.number(0), name, shaped: bare(args.at(3)) };
}

/** Without the brackets around it; null when the script leaves it open. */
function bare(value: Expression): Expression | null {
  if (value.kind === 'any') return null;
  if (value.kind !== 'list') return value;
  return value.items[0] === undefined || value.items[0].kind === 'any' ? null : value.items[0];
}

/** An option that is no number, as a script writes it. */
function shapedText(sys: Syscalls, socket: Descriptor, name: string, profile: Profile): string {
  switch (name) {
    case 'SO_ERROR':
      return sys.getsockopt(socket, 'SO_ERROR')?.code ?? '0';
    case 'SO_LINGER': {
      const ns = sys.getsockopt(socket, 'SO_LINGER');
      return `{onoff=${ns === null ? 0 : 1}, linger=${Math.round((ns ?? 0) / NS_PER_SECOND)}}`;
    }
    case 'TCP_CONGESTION':
      return JSON.stringify(profile.congestionToScript(sys.getsockopt(socket, 'TCP_CONGESTION')));
    default:
      return timevalText(sys.getsockopt(socket, name as 'SO_RCVTIMEO'));
  }
}

function setShaped(
  args: CallArguments,
  sys: Syscalls,
  socket: Descriptor,
  name: string,
  value: Expression,
  profile: Profile,
): void {
  if (name === 'TCP_CONGESTION') {
    const wanted = value.kind === 'string' ? value.value : args.fail('TCP_CONGESTION is a string');
    sys.setsockopt(socket, 'TCP_CONGESTION', profile.congestionToStack(wanted) as SocketOptions['TCP_CONGESTION']);
    return;
  }
  if (name === 'SO_ERROR') args.fail('SO_ERROR cannot be set');
  const fields = [...args.struct(value).values()].map(field => args.numberOf(field));
  const [first = 0, second = 0] = fields;
  if (name === 'SO_LINGER') {
    sys.setsockopt(socket, 'SO_LINGER', first === 0 ? null : second * NS_PER_SECOND);
    return;
  }
  const ns = first * NS_PER_SECOND + second * NS_PER_US;
  sys.setsockopt(socket, name as 'SO_RCVTIMEO', ns === 0 ? Number.POSITIVE_INFINITY : ns);
}

function timevalText(ns: number): string {
  const finite = Number.isFinite(ns) ? ns : 0;
  const microseconds = Math.round((finite % NS_PER_SECOND) / NS_PER_US);
  return `{tv_sec=${Math.floor(finite / NS_PER_SECOND)}, tv_usec=${microseconds}}`;
}

/** Of a connection, what its segments carry; else what was set. */
function maximumSegment(sys: Syscalls, socket: Descriptor): number {
  try {
    return sys.getsockopt(socket, 'TCP_INFO').sendMss;
  } catch {
    return sys.getsockopt(socket, 'TCP_MAXSEG');
  }
}

export const OPTION_CALLS: Readonly<Record<string, CallReader>> = { getsockopt, setsockopt };
