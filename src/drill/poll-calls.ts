/** Calls that wait for several sockets: `poll`, and `epoll` on top of it, level-triggered. */
import { SocketError } from '../../kernel/net/socket-error.ts';
import { atOnce, type CallReader, difference, outcome } from './call.ts';
import { CallArguments } from './call-arguments.ts';
import type { Expression } from './call-line.ts';
import { CONSTANTS } from './constants.ts';
import { Epoll, type Interest } from './descriptors.ts';

const NS_PER_MS = 1e6;
const { EPOLLET, EPOLLONESHOT, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } = CONSTANTS as {
  readonly [name: string]: number;
};

const timeoutNs = (ms: number): number => (ms < 0 ? Number.POSITIVE_INFINITY : ms * NS_PER_MS);
const eventsText = (events: number): string => `0x${(events >>> 0).toString(16)}`;

const poll: CallReader = call => {
  const args = new CallArguments(call, 3);
  const wanted = args.items(0).map(item => {
    const fields = args.struct(item);
    const fd = fields.get('fd') ?? fields.get('0') ?? args.fail('fd is missing');
    const events = fields.get('events') ?? fields.get('1') ?? args.fail('events is missing');
    const revents = fields.get('revents') ?? fields.get('2');
    return {
      fd: args.numberOf(fd),
      events: args.numberOf(events),
      revents: revents === undefined || revents.kind === 'any' ? null : args.numberOf(revents),
    };
  });
  const patience = timeoutNs(args.number(2));
  return function* (sys, { descriptors }) {
    const requests = wanted.map(({ fd, events }) => ({ socket: descriptors.socket(fd).socket, events }));
    const got = yield* sys.poll(requests, patience);
    const differences = wanted.flatMap(({ fd, revents }, i) =>
      difference(`revents of ${fd}`, revents === null ? null : eventsText(revents), eventsText(got[i]!)),
    );
    return outcome(got.filter(events => events !== 0).length, differences);
  };
};

const epollCreate: CallReader = call => {
  new CallArguments(call, 1);
  return atOnce((_, { descriptors }) => {
    return outcome(descriptors.add(new Epoll(descriptors.choose(call.result.value))).number);
  });
};

const epollCtl: CallReader = call => {
  const args = new CallArguments(call, 4);
  const [epfd, operation, fd] = [args.number(0), args.number(1), args.number(2)];
  const event = operation === EPOLL_CTL_DEL ? { events: 0, data: 0 } : epollEvent(args, args.at(3));
  if ((event.events & EPOLLET!) !== 0) args.unsupported('EPOLLET');
  return atOnce((_, { descriptors }) => {
    const { interests } = descriptors.epoll(epfd);
    const target = descriptors.socket(fd);
    const known = interests.has(fd);
    if (operation === EPOLL_CTL_ADD && known) throw new SocketError('EINVAL', 'the descriptor is there already');
    if (operation !== EPOLL_CTL_ADD && !known) throw new SocketError('EINVAL', 'the descriptor is not there');
    if (operation === EPOLL_CTL_DEL) interests.delete(fd);
    else if (operation === EPOLL_CTL_ADD || operation === EPOLL_CTL_MOD)
      interests.set(fd, { target, ...event, spent: false });
    else throw new SocketError('EINVAL', `no such operation: ${operation}`);
    return outcome(0);
  });
};

const epollWait: CallReader = call => {
  const args = new CallArguments(call, 4);
  const epfd = args.number(0);
  const given = args.at(1);
  const events = given.kind === 'list' ? given.items : [given];
  const wanted = events.filter(each => each.kind !== 'any').map(each => epollEvent(args, each));
  const most = args.number(2);
  const patience = timeoutNs(args.number(3));
  return function* (sys, { descriptors }) {
    const interests = [...descriptors.epoll(epfd).interests.values()].filter(({ spent }) => !spent);
    const requests = interests.map(({ target, events: asked }) => ({ socket: target.socket, events: asked & 0xffff }));
    const got = yield* sys.poll(requests, patience);
    const ready = interests
      .flatMap((interest, i) => (got[i] === 0 ? [] : [{ interest, events: got[i]! }]))
      .slice(0, most);
    for (const { interest } of ready) if ((interest.events & EPOLLONESHOT!) !== 0) interest.spent = true;
    return outcome(ready.length, ready.length === 0 ? [] : readyDifferences(wanted, ready));
  };
};

function readyDifferences(
  wanted: readonly { readonly events: number; readonly data: number }[],
  ready: readonly { readonly interest: Interest; readonly events: number }[],
): string[] {
  return wanted.flatMap((each, i) => {
    const got = ready[i];
    if (got === undefined) return [`event ${i} is missing`];
    return [
      ...difference(`the events of ${got.interest.target.number}`, eventsText(each.events), eventsText(got.events)),
      ...difference('the data', each.data, got.interest.data),
    ];
  });
}

/** `{events=EPOLLIN, fd=4}`; the data may also be called ptr, u32 or u64. */
function epollEvent(args: CallArguments, expression: Expression): { readonly events: number; readonly data: number } {
  const fields = args.struct(expression);
  const data = ['fd', 'ptr', 'u32', 'u64', '1'].map(name => fields.get(name)).find(each => each !== undefined);
  const events = fields.get('events') ?? fields.get('0') ?? args.fail('events is missing');
  return { events: args.numberOf(events), data: data === undefined ? 0 : args.numberOf(data) };
}

export const POLL_CALLS: Readonly<Record<string, CallReader>> = {
  poll,
  epoll_create: epollCreate,
  epoll_create1: epollCreate,
  epoll_ctl: epollCtl,
  epoll_wait: epollWait,
};
